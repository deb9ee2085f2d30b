"""Effects that would tell what another table withholds."""

import pandas as pd
import pytest

from evaluate.release.gate_cells import Gated
from evaluate.release.gate_effects import NUMBERS, RESULTS, empty_effects_at
from release.test_gate import FINE, effect_rows

KEYS = {("work", 12, "1", "men"): True, ("work", 12, "1", "women"): False}


def emptied(effects, numbers=NUMBERS, estimator=None):
    chosen = None if estimator is None else effects.table["estimator"] == estimator
    return empty_effects_at(effects, KEYS, numbers, 5, chosen)


@pytest.mark.parametrize("numbers", [NUMBERS, RESULTS])
def test_the_rows_at_some_places_are_emptied_and_say_why(numbers):
    table = effect_rows(FINE, estimators=("lin", "lee_lower"))
    out = emptied(Gated(table, []), numbers, "lee_lower")
    gone = out.table["estimate"].isna()
    assert set(out.table.loc[gone, "group"]) == {"women", "men"}
    assert set(out.table.loc[gone, "estimator"]) == {"lee_lower"}
    assert out.table.loc[gone, "mean_treated"].isna().all() == ("mean_treated" in numbers)
    notes = out.table[gone].set_index("group")["note"]
    assert notes["men"] == "withheld: fewer than 5 persons"
    assert "give away" in notes["women"]
    assert [e["row"]["group"] for e in out.withheld] == ["women", "men"]
    pd.testing.assert_frame_equal(out.table[~gone], table[~gone])


def test_what_is_withheld_already_keeps_its_reason_and_is_listed_once():
    once = emptied(Gated(effect_rows(FINE), []))
    again = empty_effects_at(once, dict.fromkeys(KEYS, True), NUMBERS, 5)
    assert again is once
    untouched = Gated(effect_rows(FINE), [])
    assert empty_effects_at(untouched, {}, NUMBERS, 5) is untouched
