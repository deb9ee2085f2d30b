"""Power after a trial: from the standard errors alone, withheld with the effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from simulate import arrays, plan_of, study_from

from evaluate import schemas
from evaluate.design.power_table import power_table
from evaluate.effects.table import effects
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release


@pytest.fixture(scope="module")
def tables():
    parts = arrays(3, n=200)
    parts["y"] = np.column_stack([parts["y"][:, 0], parts["y"][:, 1] > 0]).astype(float)
    plan = plan_of(
        parts["y"],
        columns={"blocks": ["site"], "weight": "w"},
        covariates=["x0", "x1"],
        outcomes={
            "y0": {"column": "y0", "unit": "SEK", "role": "primary"},
            "y1": {"column": "y1", "unit": "share"},
        },
    )
    found = effects(study_from(**parts), plan).table
    return found, checked(power_table(found, plan.estimators[0]), schemas.POWER, "power")


def test_it_has_the_lead_estimators_effects_of_the_offer(tables):
    found, power = tables
    lead = found[(found["estimator"] == "lin") & (found["estimand"] == "itt")]
    assert len(power) == len(lead) == 8
    assert_allclose(power["std_error"], lead["std_error"])


def test_the_detectable_effect_is_blooms_multiple_of_the_standard_error(tables):
    _, power = tables
    multiple = stats.t.ppf(0.975, power["df"]) + stats.t.ppf(0.8, power["df"])
    assert_allclose(power["detectable"], multiple * power["std_error"])
    by_group = power[power["outcome"] == "y0"].set_index("group")
    of_all = by_group.loc["all", "detectable"]
    assert_allclose(by_group["ratio_to_all"], by_group["detectable"] / of_all)
    assert by_group.loc["women-men", "ratio_to_all"] > 1.5


def test_it_is_relative_to_the_control_mean_of_the_gap_to_that_of_all(tables):
    found, power = tables
    lead = found[(found["estimator"] == "lin") & (found["outcome"] == "y1")].set_index("group")
    mine = power[power["outcome"] == "y1"].set_index("group")
    for group in ("all", "women", "men", "women-men"):
        own = lead.loc["all" if group == "women-men" else group, "mean_control"]
        assert_allclose(mine.loc[group, "relative"], mine.loc[group, "detectable"] / own)
    assert_allclose(mine["share_treated"], mine["n_treated"] / mine["n"])


def test_an_effect_that_is_not_estimated_has_no_power():
    parts = arrays(4)
    parts["y"] = np.zeros_like(parts["y"])
    plan = plan_of(parts["y"], columns={"blocks": ["site"], "weight": "w"})
    found = effects(study_from(**parts), plan).table
    power = checked(power_table(found, plan.estimators[0]), schemas.POWER, "power")
    assert power["detectable"].isna().all()
    assert power["note"].str.contains("not estimated").all()


def test_rows_of_withheld_effects_are_withheld(tables):
    found, power = tables
    treated = found["n_treated"].where(found["group"] != "men", 3)
    few = found.assign(n_treated=treated)
    released = release({"effects": few, "power": power}, Disclosure(), control="0").tables["power"]
    hidden = released[released["group"].isin(["men", "women-men"])]
    numbers = ["estimate", "std_error", "p_value", "detectable", "relative", "ratio_to_all",
               "share_treated", "n", "n_treated", "df"]  # fmt: skip
    assert hidden[numbers].isna().all(axis=None)
    assert (released["power"] == 0.8).all()
    assert pd.notna(released.loc[released["group"] == "all", "detectable"]).all()
