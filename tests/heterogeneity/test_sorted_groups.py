"""Sorted groups: averages of signals in equal groups, for women, men, their gap; known effects."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of

from evaluate.heterogeneity.aggregation import judged
from evaluate.heterogeneity.honest import Honest, draw_orders, honest_effects
from evaluate.heterogeneity.learners import LEARNERS
from evaluate.heterogeneity.sorted_groups import FEW, sorted_label, sorted_rows
from heterogeneity.simulated import signals
from heterogeneity.test_aggregation import honest_of

RTOL = 1e-9  # the same sums in another order
STUDIES = 60


def plan(**asked):
    return plan_of(np.zeros((4, 1)), analysis={"heterogeneity": {"groups": 4} | asked})


def table(case, honest, **asked):
    rows = sorted_rows(plan(**asked), case, honest)
    return {(row["group"], row["sorted_group"]): row for row in rows}


def label_of(case, honest, groups=4):
    found = np.full(case.m, -1)
    for fold in judged(honest):
        found[fold.rows] = sorted_label(case, fold, groups)
    return found


CASES = {
    "persons": lambda: signals(800, 1),
    "weighted": lambda: signals(800, 1, weighted=True),
    "clusters": lambda: signals(800, 1, clusters=60, weighted=True),
    "treated": lambda: _treated(signals(800, 1, weighted=True)),
}


def _treated(case):
    return replace(case, share=case.treated.astype(float))


@pytest.mark.parametrize("name", CASES)
def test_one_split_gives_the_averages_of_the_signals(name):
    case = CASES[name]()
    honest = honest_of(case, splits=1)
    label = label_of(case, honest)
    found = table(case, honest)
    # the factor of clusters counts those judged, in the table, and those there, in an average
    g = [len(np.unique(case.cluster[k])) for k in (label >= 0, label >= -1)] if case.units else []
    factor = np.sqrt(g[0] / (g[0] - 1) * (g[1] - 1) / g[1]) if g else 1.0
    for group in ("all", "women", "men"):
        among = [case.groups[group] & (label == s) for s in range(4)]
        effects = [case.average(a) for a in among]
        for s, effect in enumerate(effects):
            row = found[group, str(s + 1)]
            assert_allclose(row["estimate"], effect.value[0], rtol=RTOL)
            assert_allclose(row["std_error"], effect.std_error[0] * factor, rtol=1e-6)
        difference = effects[0] - effects[3]
        assert_allclose(found[group, "top-bottom"]["estimate"], difference.value[0])
        error = difference.std_error[0] * factor
        assert_allclose(found[group, "top-bottom"]["std_error"], error, rtol=1e-6)
    women, men = (case.average(case.groups[g] & (label == 0)) for g in ("women", "men"))
    gap = found["women-men", "1"]
    assert_allclose(gap["estimate"], (women - men).value[0])
    assert_allclose(gap["std_error"], (women - men).std_error[0] * factor, rtol=1e-6)


def test_groups_are_of_equal_mass_of_those_the_effect_is_about():
    case = CASES["treated"]()
    honest = honest_of(case, splits=1)
    honest = replace(honest, effect=np.where(honest.fold > 0, case.weight, np.nan))
    label = label_of(case, honest)
    mass = np.bincount(label[label >= 0], (case.weight * case.share)[label >= 0])
    assert np.ptp(mass) < 4 * 2  # four folds, each within a person's weight


def test_predictions_fall_from_the_first_group_to_the_last():
    case = signals(800, 1)
    found = table(case, honest_of(case))
    predicted = [found["all", str(s)]["predicted"] for s in range(1, 5)]
    assert predicted == sorted(predicted, reverse=True)
    difference = found["all", "top-bottom"]["predicted"]
    assert_allclose(difference, predicted[0] - predicted[3], rtol=0.05)


def test_share_of_women_is_of_the_persons_in_the_group():
    case = signals(800, 1)
    honest = honest_of(case, splits=1)
    label = label_of(case, honest)
    row = table(case, honest)["all", "1"]
    women = case.groups["women"][label == 0]
    assert_allclose(row["share_women"], women.mean())
    error = np.sqrt(women.mean() * (1 - women.mean()) / len(women))
    width = row["share_women_high"] - row["share_women_low"]
    assert_allclose(width, 2 * 1.97 * error, rtol=0.01)
    assert row["n"] == len(women)
    arms = [case.treated, ~case.treated]
    least = min((case.groups[g] & (label == 0) & a).sum() for g in ("women", "men") for a in arms)
    assert row["least"] == least


def test_a_group_with_too_few_women_has_an_empty_row_that_says_so():
    case = signals(400, 1)
    few = np.zeros(400, dtype=bool)
    few[:20] = True
    case = replace(case, groups={"all": ~np.zeros(400, dtype=bool), "women": few, "men": ~few})
    found = table(case, honest_of(case))
    row = found["women", "1"]
    assert np.isnan(row["estimate"])
    assert np.isnan(row["std_error"])
    assert f"fewer than {FEW} persons" in row["note"]
    assert np.isfinite(found["all", "1"]["estimate"])


def test_one_gender_has_no_rows_of_genders():
    case = signals(400, 1)
    case = replace(case, groups={"all": np.ones(400, dtype=bool)})
    found = table(case, honest_of(case))
    assert {group for group, _ in found} == {"all"}
    assert "share_women" not in found["all", "1"]


def test_twelve_persons_are_not_sorted():
    case = signals(12, 1)
    rows = sorted_rows(plan(), case, honest_of(case, folds=3))
    assert {row["note"] for row in rows} == {
        "not assessed: 8 persons or clusters to judge predictions by, fewer than 20"
    }


def test_where_the_learner_finds_nothing_the_note_says_so():
    case = signals(400, 1)
    row = table(case, honest_of(case, levels=1))["all", "1"]
    assert "in 3 of 3 splits the learner found nothing" in row["note"]


def test_intervals_hold_the_true_effects_of_the_sorted():
    held = []
    for seed in range(STUDIES):
        case = signals(600, seed, effect=lambda x: 0.4 * x[:, 0])
        order = draw_orders(case, 5, 8, np.random.default_rng(seed))
        honest = honest_effects(case, "linear", LEARNERS["linear"], order, seed)
        found = table(case, honest)
        truth = []
        for s in range(len(order)):
            one = Honest("linear", honest.fold[[s]], honest.effect[[s]])
            label = label_of(case, one)
            truth.append([(0.4 * case.x[label == g, 0]).mean() for g in range(4)])
        for g, target in enumerate(np.median(truth, axis=0)):
            row = found["all", str(g + 1)]
            held.append(row["conf_low"] <= target <= row["conf_high"])
    assert np.mean(held) > 0.92  # 240 intervals, of a few studies: 95 less two errors
