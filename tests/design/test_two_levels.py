"""Draws in two levels: each level is checked by drawing it anew."""

from __future__ import annotations

import numpy as np
import pytest
from markets import COLUMNS, market_trial
from simulate import plan_of, study_from

from evaluate.design.checks import design_checks
from evaluate.design.two_levels import assignment_checks
from evaluate.plan.columns import EXPOSED


def checked(parts, saturation, x=None):
    """Return the checks by name and group."""
    n = len(saturation)
    x = np.random.default_rng(1).normal(size=(n, 2)) if x is None else x
    found = study_from(**parts, x=x)
    found = type(found)(**{**found.__dict__, "arms": ("0", "1", EXPOSED)})
    plan = plan_of(
        parts["y"],
        columns=COLUMNS,
        covariates=["x0", "x1"],
        analysis={"permutations": 499},
        assignment={"saturation": {"column": "share"}},
    )
    table = assignment_checks(found, plan, saturation, np.random.default_rng(2))
    return table.set_index(["check", "group"])


def test_a_sound_draw_passes_on_both_levels():
    table = checked(*market_trial(1))
    names = table.index.get_level_values("check")
    assert {"sample_ratio", "balance", "balance_within"} <= set(names)
    assert not table.index.duplicated().any()
    assert (table["verdict"] != "warn").all()
    assert table.loc[("sample_ratio", "all"), "text"] == "share assigned 0.500, stated 0.500"


def test_a_share_that_was_not_kept_to_is_found():
    parts, saturation = market_trial(2)
    moved = (parts["arm"] == 2) & (saturation == 0.25) & (np.arange(len(saturation)) % 3 == 0)
    parts["arm"] = np.where(moved, 1, parts["arm"])
    assert checked(parts, saturation).loc[("sample_ratio", "all"), "verdict"] == "warn"


def test_offers_by_a_covariate_within_clusters_are_found():
    parts, saturation = market_trial(3)
    x = np.random.default_rng(3).normal(size=(len(saturation), 2))
    x[parts["arm"] == 1, 0] += 0.5
    x[parts["arm"] == 2, 0] -= 0.5
    table = checked(parts, saturation, x)
    assert table.loc[("balance_within", "all"), "verdict"] == "warn"


def test_shares_by_a_covariate_of_clusters_are_found():
    parts, saturation = market_trial(4)
    x = np.random.default_rng(4).normal(size=(len(saturation), 2)) + 2 * saturation[:, None]
    table = checked(parts, saturation, x)
    assert table.loc[("balance", "all"), "verdict"] == "warn"
    assert table.loc[("balance_within", "all"), "verdict"] == "pass"


def test_without_shares_it_is_the_ordinary_check():
    parts, _ = market_trial(5)
    study = study_from(parts["y"], parts["arm"] % 2, parts["women"])
    plan = plan_of(parts["y"], analysis={"permutations": 99})
    one = assignment_checks(study, plan, None, np.random.default_rng(1))
    other = design_checks(study, plan, np.random.default_rng(1))
    assert one.equals(other)


@pytest.mark.parametrize("share", [1.0])
def test_where_all_were_offered_there_is_no_second_level(share):
    parts, saturation = market_trial(6, shares=(share,))
    table = checked(parts, saturation)
    assert "balance_within" not in table.index.get_level_values("check")
