"""Who benefits where less of the outcome is better: the mirror image of where more is."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate.heterogeneity.scores import cases_of, scores_of
from evaluate.heterogeneity.stage import who_benefits

N, SEED = 700, 5


def tables_of(sign, better):
    rng = np.random.default_rng(3)
    x, women = rng.normal(size=(N, 2)), rng.random(N) < 0.5
    arm = rng.permutation(N) % 2
    y = x[:, 0] + arm * (0.4 + x[:, 1] + 0.5 * women) + rng.normal(size=N)
    y = (sign * y)[:, None]
    costs = {
        "amount": 10, "per": "participant", "currency": "SEK", "price_year": 2020,
        "outcomes": ["y0"],
    }  # fmt: skip
    plan = plan_of(
        y,
        covariates=["x0", "x1"],
        outcomes={"y0": {"column": "y0", "unit": "SEK", "role": "primary", "better": better}},
        analysis={
            "cross_fitting": {"splits": 1},
            "heterogeneity": {"splits": 4},
            "targeting": {"capacity": 0.4, "value": {"y0": 30}},
        },
        costs=costs,
    )
    study = study_from(y, arm, women, x)
    cases = cases_of(scores_of(study, plan, SEED), study, plan)
    return who_benefits(study, plan, cases, SEED)


@pytest.fixture(scope="module")
def pair():
    return tables_of(1, "higher"), tables_of(-1, "lower")


def test_tests_of_the_learner_that_leads_are_the_same(pair):
    one, other = (t.heterogeneity_tests.query("learner == 'linear'") for t in pair)
    one, other = (t.set_index("test") for t in (one, other))
    assert one.loc["calibration", "p_value"] < 0.01
    for name in ("p_value", "p_low", "p_high", "std_error", "statistic"):
        assert_allclose(one[name], other[name], rtol=1e-6)
    assert_allclose(one.loc["calibration", "estimate"], other.loc["calibration", "estimate"])
    turned = ["top-bottom", "autoc", "qini"]
    assert_allclose(one.loc[turned, "estimate"], -other.loc[turned, "estimate"], rtol=1e-6)
    assert_allclose(one.loc[turned, "conf_low"], -other.loc[turned, "conf_high"], rtol=1e-6)


def test_those_who_gain_most_are_the_same_and_effects_are_effects(pair):
    one, other = (t.sorted_groups for t in pair)
    keys = ["group", "sorted_group"]
    assert one[keys].equals(other[keys])
    first = one.query("group == 'all' and sorted_group == '1'")["estimate"].item()
    last = one.query("group == 'all' and sorted_group == '5'")["estimate"].item()
    assert first > last + 1
    for a, b in (
        ("estimate", "estimate"), ("predicted", "predicted"), ("conf_low", "conf_high"),
        ("conf_high", "conf_low"),
    ):  # fmt: skip
        assert_allclose(one[a], -other[b], rtol=1e-6, atol=1e-9)
    assert_allclose(one["share_women"].dropna(), other["share_women"].dropna())
    profile = [t.sorted_profile for t in pair]
    for name in ("mean_top", "mean_bottom"):
        assert_allclose(profile[0][name], profile[1][name])


def test_predicted_effects_are_effects(pair):
    one, other = (t.effect_distribution.query("kind == 'mean'")["value"] for t in pair)
    assert_allclose(one, -other, rtol=1e-6)
    averages = pair[1].conditional_effects.query("kind == 'average' and group == 'all'")
    assert averages["estimate"].item() < -0.4


def test_gains_of_rules_are_gains(pair):
    one, other = (t.policies for t in pair)
    assert one[["policy", "against"]].equals(other[["policy", "against"]])
    for name in ("gain", "conf_low", "conf_high", "net_gain", "net_low", "share_treated_women"):
        assert_allclose(one[name], other[name], rtol=1e-6, atol=1e-9)
    best = other.query("policy == 'highest_predicted' and against == 'random'")
    assert best["conf_low"].item() > 0
    curves = [t.targeting_curve for t in pair]
    assert_allclose(curves[0]["gain"], curves[1]["gain"], rtol=1e-6, atol=1e-9)
