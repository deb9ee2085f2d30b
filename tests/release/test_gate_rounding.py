"""Rounded counts: no other number is a plain multiple or share of the exact ones."""

import pandas as pd
import pytest

from evaluate.plan.config import Disclosure
from release.test_gate_participation import counted, gated


@pytest.mark.parametrize("round_to", [1, 10])
def test_what_is_made_of_counts_is_made_of_rounded_counts(round_to):
    persons = counted()
    persons[0, 1] += 1  # 108 women and 100 men are offered
    out = gated(persons, rule=Disclosure(round_to=round_to)).tables
    place = ["outcome", "arm", "group"]
    of_effects = out["effects"][out["effects"]["estimand"] == "itt"].set_index(place)
    jobs = out["net_effects"].set_index(place)
    for number, effect in {"jobs": "effect", "jobs_low": "conf_low"}.items():
        offered = (jobs[number] / jobs[effect]).dropna()  # men have no effect
        printed = of_effects["n_treated"].reindex(offered.index).astype(float)
        pd.testing.assert_series_equal(offered, printed, check_names=False)
        assert offered["work", "1", "women"] == pytest.approx({1: 108, 10: 110}[round_to])
    assert (jobs["jobs"].isna() == jobs["effect"].isna()).all()
    power = out["power"].set_index(place)
    share = power["n_treated"].astype(float) / power["n"].astype(float)
    pd.testing.assert_series_equal(power["share_treated"], share, check_names=False)
