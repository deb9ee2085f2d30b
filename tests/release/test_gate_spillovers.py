"""Direct effects and displacement behind the gate: no small count, nor by differences."""

from __future__ import annotations

import pandas as pd
import pytest

from evaluate.release.gate_spillovers import NUMBERS, gate_spillovers


def table(**changed):
    """Return rows of two saturations, two groups and two outcomes; ``changed`` sets counts."""
    rows = []
    for outcome in ("work", "earn"):
        for saturation in ("all", "0.25", "0.75"):
            for group in ("all", "women", "men", "women-men"):
                key = f"{outcome}_{saturation}_{group}"
                rows.append(
                    {
                        "outcome": outcome, "month": pd.NA, "arm": "1", "role": "primary",
                        "estimator": "ancova", "saturation": saturation, "effect": "total",
                        "group": group, "estimate": 0.1, "std_error": 0.05, "conf_low": 0.0,
                        "conf_high": 0.2, "p_value": 0.04, "df": 20.0, "level": 0.95, "n": 300,
                        "n_treated": changed.get(key, 100), "n_control": 200, "n_clusters": 24,
                        "unit": "share", "note": "3 persons in blocks with one arm left out",
                    }
                )  # fmt: skip
    return pd.DataFrame(rows).astype({"month": "Int64"})


def emptied(found):
    """Return outcome, saturation and group of the rows without numbers."""
    empty = found[list(NUMBERS)].isna().all(axis=1)
    partly = found[list(NUMBERS)].isna().any(axis=1)
    assert (empty == partly).all()
    return set(found.loc[empty, ["outcome", "saturation", "group"]].itertuples(index=False))


def test_large_counts_pass_and_small_ones_in_notes_do_not():
    gated = gate_spillovers(table(), set(), 5)
    assert emptied(gated.table) == set()
    assert gated.withheld == []
    assert gated.table["note"].str.startswith("fewer than 5 persons in blocks").all()


def test_a_small_count_takes_the_saturations_of_its_outcome_with_it():
    gated = gate_spillovers(table(**{"work_0.25_men": 3}), set(), 5)
    rows = emptied(gated.table)
    assert {(o, s) for o, s, _ in rows} == {("work", "0.25"), ("work", "0.75")}
    assert len(rows) == 8
    notes = gated.table.set_index(["outcome", "saturation", "group"])["note"]
    assert notes["work", "0.25", "men"] == "withheld: fewer than 5 persons"
    assert "give away" in notes["work", "0.75", "women"]
    assert len(gated.withheld) == 8
    assert all(entry["row"]["saturation"] != "all" for entry in gated.withheld)


@pytest.mark.parametrize(
    ("changed", "withheld"),
    [({"work_all_men": 3}, set()), ({}, {("work", None, "exposed", "men")})],
)
def test_a_small_pooled_count_or_a_withheld_effect_takes_all_rows(changed, withheld):
    gated = gate_spillovers(table(**changed), withheld, 5)
    rows = emptied(gated.table)
    assert {o for o, _, _ in rows} == {"work"}
    assert len(rows) == 12


def test_an_empty_table_stays_as_it_is():
    empty = table()[:0]
    assert gate_spillovers(empty, set(), 5).table.equals(empty)
