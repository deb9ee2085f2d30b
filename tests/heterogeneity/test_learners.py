"""What learns effects: as other packages do, near the truth, and never at a loss."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.linear_model import Ridge

from evaluate.effects.observational.aipw import signals as robust
from evaluate.heterogeneity.learners import (
    LEARNERS,
    OTHER_SPLITS,
    Boosting,
    drawn_note,
    honest_by_learner,
    learners_of,
    responses,
)
from evaluate.heterogeneity.linear_learner import (
    GRID,
    MOST,
    Linear,
    basis_of,
    ridge,
)
from evaluate.plan.analysis import Heterogeneity

from . import simulated

RTOL = 1e-8  # least squares by other routes
SEEDS = st.integers(0, 2**32 - 1)
TWO = {"effect": lambda x: 0.5 * x[:, 0] + 0.3 * x[:, -1]}


def plan_with(**settings):
    return SimpleNamespace(
        analysis=SimpleNamespace(heterogeneity=Heterogeneity.model_validate(settings))
    )


def everyone(case):
    return np.ones(case.m, dtype=bool)


def treated_alone(n, seed, effect, weighted=False):
    """Draw scores of the effect on the treated, whose probability depends on a covariate."""
    rng = np.random.default_rng(seed)
    base = simulated.signals(n, seed, effect, weighted=weighted)
    p = expit(0.8 * base.x[:, 0] - 0.5)
    d = rng.random(n) < p
    g = 0.5 * base.x[:, 0]
    y = g + effect(base.x) * d + rng.normal(size=n)
    signal, share = robust(y[:, None], d, [g[:, None]], p, "att", base.weight)
    return replace(
        base, estimand="att", treated=d, y=y, signal=signal[:, 0], share=share,
        treatment_residual=d - p, outcome_residual=y - g - p * effect(base.x),
    )  # fmt: skip


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_given_penalty_is_sklearns_ridge_on_the_folds_before(penalty, weighted):
    case = simulated.signals(600, 1, **TWO, weighted=weighted)
    order = np.arange(600)[None] % 4
    found = Linear(penalty).along(case, order)[0]
    z, w = basis_of(case)(case.x)[:, 1:], case.weight
    for k in (1, 2, 3):
        past, mine = order[0] < k, order[0] == k
        size = np.average(z[past] ** 2, axis=0, weights=w[past]).mean()
        size -= (np.average(z[past], axis=0, weights=w[past]) ** 2).mean()
        peer = Ridge(alpha=penalty * size * w[past].sum(), tol=1e-12)
        peer.fit(z[past], case.signal[past], sample_weight=w[past])
        assert_allclose(found[mine], peer.predict(z[mine]), rtol=RTOL)


def test_terms_are_covariates_squares_and_products_with_gender():
    case = simulated.signals(500, 1, p=4)
    z = basis_of(case)(case.x)
    assert z.shape == (500, 1 + 4 + 3 + 3)
    assert_allclose(z[:, 1:5].mean(axis=0), 0, atol=1e-12)
    assert_allclose(z[:, 1:5].std(axis=0), 1)
    assert_allclose(z[:, 8:], 0.5 * z[:, [4]] * z[:, 1:4])
    assert_allclose(z[:, 5:8].std(axis=0), 0.5)
    wild = case.x.copy()
    wild[0, 0] = 1e9
    assert np.abs(basis_of(replace(case, x=wild))(wild)).max() < 20


def test_squares_and_products_are_left_out_of_many_terms():
    case = simulated.signals(300, 1, p=MOST - 10)
    assert basis_of(case).terms == 1 + MOST - 10
    case = simulated.signals(300, 1, p=MOST // 2)
    assert basis_of(case).terms == 1 + MOST - 1


def losses(case, penalties):
    """Return the loss of each penalty in persons left out one at a time, or by cluster."""
    z, w, s = basis_of(case)(case.x), case.weight, case.share
    unit = np.arange(case.m) if case.cluster is None else case.cluster
    found = np.zeros(len(penalties))
    empty = np.zeros((3, z.shape[1], z.shape[1]))
    for u in np.unique(unit):
        out = unit == u
        gram = (z[~out] * (w * s)[~out, None]).T @ z[~out]
        cross = (z[~out] * w[~out, None]).T @ case.signal[~out]
        for i, penalty in enumerate(penalties):
            effect = z[out] @ ridge(gram, cross, empty, penalty)
            found[i] += w[out] @ (s[out] * effect**2 - 2 * case.signal[out] * effect)
    return found / (w @ s)


@pytest.mark.parametrize(
    ("kind", "clusters"), [("all", 0), ("all", 60), ("treated", 0)], ids=str
)  # fmt: skip
def test_the_penalty_is_nearly_as_good_as_that_by_leaving_out_persons(kind, clusters):
    penalties = GRID[::4]
    regret, flat = [], []
    for seed in range(6):
        effect = lambda x: 0.4 * x[:, 0]  # noqa: E731
        if kind == "treated":
            case = treated_alone(300, seed, effect, weighted=True)
        else:
            case = simulated.signals(300, seed, effect, p=5, clusters=clusters, weighted=True)
        found = losses(case, np.append(penalties, GRID[-1] * 1e3))
        chosen = LEARNERS["linear"](case, everyone(case), 0)
        z = basis_of(case)(case.x)
        gram = (z * (case.weight * case.share)[:, None]).T @ z
        cross = (z * case.weight[:, None]).T @ case.signal
        empty = np.zeros((3, *gram.shape))
        near = [np.abs(ridge(gram, cross, empty, p) - chosen.beta).max() for p in penalties]
        regret.append(found[int(np.argmin(near))] - found[:-1].min())
        flat.append(found[-1] - found[:-1].min())
    assert np.mean(regret) < 0.35 * np.mean(flat)


def test_clusters_of_persons_alike_tell_no_more_than_one_of_them():
    once = simulated.signals(200, 1, lambda x: 0.3 * (x[:, 0] > 0), p=3)
    once = replace(once, x=(once.x > 0) * 1.0)
    copies = {
        name: np.repeat(getattr(once, name), 8, axis=0)
        for name in ("x", "signal", "share", "weight", "treated")
    }
    many = replace(once, **copies, cluster=np.repeat(np.arange(200), 8), units=200)
    one, same, unaware = (
        Linear()(case, everyone(case), 0).beta for case in (once, many, replace(many, cluster=None))
    )
    assert_allclose(same, one, rtol=1e-6)
    assert np.abs(unaware[1:]).sum() > 1.2 * np.abs(one[1:]).sum()


@pytest.mark.parametrize("learner", ["linear", "boosting"])
def test_effects_on_the_treated_solve_their_moment(learner):
    case = treated_alone(6_000, 1, lambda x: 1 + 0.6 * x[:, 0])
    effect = LEARNERS[learner](case, everyone(case), 1)(case.x)
    truth = 1 + 0.6 * case.x[:, 0]
    d = case.treated
    assert np.sqrt(np.mean((effect - truth)[d] ** 2)) < 0.2 < 0.5 < truth[d].std()
    left = case.weight * (case.signal - case.share * effect)
    assert abs(left.sum()) < (0.02 if learner == "boosting" else 1e-9) * len(left)


@given(seed=SEEDS)
@settings(max_examples=5, deadline=None)
def test_responses_have_the_average_effect_as_mean(seed):
    for case in (
        simulated.signals(500, seed, weighted=True),
        treated_alone(500, seed, lambda x: 1 + x[:, 0], weighted=True),
    ):
        average = case.weight @ case.signal / (case.weight @ case.share)
        response, weight = responses(case, everyone(case))
        level = average if case.estimand == "itt" else None
        if level is None:  # the share is replaced by its expectation in the weights alone
            left = weight @ (response - average)
            assert_allclose(left, 0, atol=1e-8 * np.abs(weight * response).sum())
        else:
            assert_allclose(weight @ response / weight.sum(), average)


def looked_up(values, by_arm=False, probability=False):
    """Return a model that knows its predictions by person, whose number is the last column."""
    from sklearn.base import BaseEstimator

    class LookUp(BaseEstimator):
        def fit(self, x, y, **given):
            return self

        def predict(self, x):
            if by_arm:  # person, then the arm
                return values[x[:, -2].round().astype(int), x[:, -1].round().astype(int)]
            return values[x[:, -1].round().astype(int)]

    class Probabilities(LookUp):
        classes_ = np.array([0, 1])

        def predict_proba(self, x):
            return np.column_stack([1 - self.predict(x), self.predict(x)])

    return Probabilities() if probability else LookUp()


def test_boosting_is_econmls_doubly_robust_learner_on_the_same_nuisances():
    from econml.dr import DRLearner
    from sklearn.ensemble import HistGradientBoostingRegressor

    effect = lambda x: 0.5 * x[:, 0]  # noqa: E731
    case = simulated.signals(1_500, 1, effect, p=4, weighted=True)
    base = 0.5 * case.x[:, 0]
    ours = Boosting()
    peer = DRLearner(
        model_propensity=looked_up(np.full(case.m, 0.5), probability=True),
        model_regression=looked_up(np.column_stack([base, base + effect(case.x)]), by_arm=True),
        model_final=HistGradientBoostingRegressor(
            max_iter=ours.trees,
            learning_rate=ours.rate,
            max_leaf_nodes=ours.leaves,
            min_samples_leaf=75,
            early_stopping=False,
            random_state=5,
        ),
        cv=2,
        random_state=1,
    )
    person = np.arange(case.m)[:, None].astype(float)
    peer.fit(case.y, case.treated * 1, X=case.x, W=person, sample_weight=case.weight)
    found = ours(case, everyone(case), 5)(case.x)
    assert_allclose(found, peer.effect(case.x), rtol=RTOL)


@given(
    learner=st.sampled_from(list(LEARNERS)),
    n=st.sampled_from([2, 3, 7, 30, 90]),
    p=st.sampled_from([1, 3, 60]),
    constant=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_few_persons_many_columns_and_constants_give_finite_effects(learner, n, p, constant):
    case = simulated.signals(max(n, 8), 1, p=p)
    if constant:
        case = replace(case, x=np.where(np.arange(p) == 0, 3.0, case.x))
    among = np.arange(case.m) < n
    effect = LEARNERS[learner](case, among, 1)(case.x)
    assert np.isfinite(effect).all()


@pytest.mark.parametrize("learner", list(LEARNERS))
def test_women_alone_without_covariates_have_the_average_effect(learner):
    case = simulated.signals(200, 1)
    alone = everyone(case)
    case = replace(
        case, x=np.empty((200, 0)), names=(), sources=(),
        groups={"all": alone, "women": alone, "men": ~alone},
    )  # fmt: skip
    effect = LEARNERS[learner](case, alone, 1)(case.x)
    assert np.ptp(effect) == 0
    assert abs(effect[0] - case.average().value[0]) < 0.2


@pytest.mark.parametrize("learner", list(LEARNERS))
def test_a_constant_effect_is_shrunken_and_another_found(learner):
    rows = np.arange(6_000) < 3_000
    flat = simulated.signals(6_000, 3)
    effect = LEARNERS[learner](flat, rows, 1)(flat.x[~rows])
    assert effect.std() < 0.15
    case = simulated.signals(6_000, 3, **TWO)
    truth = TWO["effect"](case.x)[~rows]
    effect = LEARNERS[learner](case, rows, 1)(case.x[~rows])
    assert np.corrcoef(effect, truth)[0, 1] > 0.85
    assert np.sqrt(np.mean((effect - truth) ** 2)) < 0.7 * truth.std()


def test_the_learner_that_leads_comes_first_and_has_the_plans_splits():
    case = simulated.signals(400, 1, **TWO)
    plan = plan_with(learner="boosting", splits=7, folds=3, trees=20)
    found = honest_by_learner(plan, case, 1)
    assert list(found) == ["boosting", "linear", "forest"]
    assert [len(h.fold) for h in found.values()] == [
        7,
        OTHER_SPLITS["linear"],
        OTHER_SPLITS["forest"],
    ]
    assert_array_equal(found["forest"].fold, found["boosting"].fold[: OTHER_SPLITS["forest"]])
    assert found["linear"].fold.max() == 2
    again = honest_by_learner(plan, case, 1)
    for name, honest in found.items():
        assert honest.learner == name
        assert honest.effect.tobytes() == again[name].effect.tobytes()
    other = honest_by_learner(plan, replace(case, outcome="pay"), 1)
    assert (other["linear"].fold != found["linear"].fold).any()


def test_the_plan_sets_the_forest_and_a_note_says_whom_it_rests_on():
    plan = plan_with(trees=33, forest_persons=1_500)
    forest = learners_of(plan)["forest"]
    assert (forest.trees, forest.persons) == (33, 1_500)
    case = simulated.signals(1_600, 1)
    assert drawn_note(plan, case, "linear") == []
    assert "1,500 persons" in drawn_note(plan, case, "forest")[0]
    assert drawn_note(plan_with(), case, "forest") == []


def test_ihdp_surface_b_is_learned_better_than_a_constant():
    from econml.data.dgps import ihdp_surface_B

    gains = []
    for seed in (11, 12, 13, 14):
        y, treated, x, effect = ihdp_surface_B(seed)
        case = children(y, treated == 1, x[:, 1:])
        learned = np.arange(case.m) % 3 > 0
        found = Linear()(case, learned, 0)(case.x)[~learned]
        constant = case.signal[learned].mean()
        truth = effect[~learned]
        gains.append(np.mean((found - truth) ** 2) / np.mean((constant - truth) ** 2))
    assert np.mean(gains) < 0.6


def children(y, treated, x):
    """Return the scores of children of a draw, nuisances by linear models out of fold."""
    from evaluate.covariates import independent
    from evaluate.effects.observational.folds import draw_folds
    from evaluate.effects.observational.nuisance import cross_fit

    n = len(y)
    x = x[:, independent(x)]
    fold = draw_folds(treated, 5, 1, np.random.default_rng(1))[0]
    m = np.clip(cross_fit(treated[:, None] * 1.0, x, fold, "logistic")[:, 0], 0.01, 0.99)
    g = [cross_fit(y[:, None], x, fold, "linear", treated == arm) for arm in (False, True)]
    signal, share = robust(y[:, None], treated, g, m, "ate", np.ones(n))
    base = simulated.signals(n, 1)
    names = tuple(f"x{j}" for j in range(x.shape[1]))
    mean = (1 - m) * g[0][:, 0] + m * g[1][:, 0]
    return replace(
        base, y=y, treated=treated, signal=signal[:, 0], share=share, x=x, names=names,
        sources=names, outcome_residual=y - mean, treatment_residual=treated - m,
    )  # fmt: skip
