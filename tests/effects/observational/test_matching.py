"""Matching with the errors of Abadie and Imbens: against R, by definition, and in the long run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.observational.abadie_imbens import matched_effects
from evaluate.effects.observational.estimated_score import Propensity
from evaluate.effects.observational.matching import match
from evaluate.errors import DesignError

RTOL = 1e-8  # sums of some hundred terms, and a regression that R solves by normal equations
RTOL_ESTIMATED = 1e-6  # the logit is fitted twice, by two programs
REFERENCE = Path(__file__).parents[2] / "reference"
WANT = pd.read_csv(REFERENCE / "matching.csv").set_index(["case", "term"])
TRIAL = pd.read_csv(REFERENCE / "trial.csv").dropna(subset=["earn"])
COLUMNS = ["age", "educ", "earn0"]
LINEAR = (
    -0.4 + 0.03 * (TRIAL["age"] - 36) + 0.3 * (TRIAL["educ"] - 2.5) - 0.006 * (TRIAL["earn0"] - 89)
).to_numpy()
FINE = 1 / (1 + np.exp(-LINEAR))
SCORES = {
    "fine": FINE,
    "coarse": np.round(FINE, 2),
    "scattered": LINEAR + 0.05 * np.sin(TRIAL["id"].to_numpy()),
}
TREATED = TRIAL["attended"].to_numpy() == 1
EARN = TRIAL[["earn"]].to_numpy()
X = TRIAL[COLUMNS].to_numpy(dtype=float)
FEMALE = (TRIAL["sex"] == "F").to_numpy().astype(int)
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=15, derandomize=True, deadline=None)


def options_of(case):
    """Return the arguments of `match` and whether to correct for bias."""
    words = case.split()
    of_score = words[0] in SCORES
    arguments = {
        "x": SCORES[words[0]][:, None] if of_score else X,
        "metric": "score" if of_score else {"inverse": "inverse_variance"}.get(words[0], words[0]),
    }
    if "exact" in words:
        arguments["exact"] = FEMALE
        if not of_score:
            arguments["x"] = np.column_stack([X, FEMALE])
    if "caliper" in words:
        arguments["caliper"] = float(words[-1])
    if "weighted" in words:
        arguments["weight"] = np.maximum(TRIAL["w"].to_numpy(), 1)
    if "once" in words:
        arguments["replace"] = False
    return arguments, X if "adjusted" in words else None


@pytest.mark.parametrize("case", [c for c in WANT.index.levels[0] if c != "estimated"])
def test_agrees_with_matching_of_r(case):
    for term, want in WANT.loc[case].iterrows():
        estimand, ratio, around = term.split()
        arguments, adjust = options_of(case)
        matches = match(TREATED, estimand=estimand, ratio=int(ratio), **arguments)
        got = matched_effects(EARN, matches, adjust, int(around))
        assert_allclose(got.value[0], want["estimate"], rtol=RTOL, err_msg=term)
        if np.isfinite(want["std_error"]):
            assert_allclose(got.std_error[0], want["std_error"], rtol=RTOL, err_msg=term)


def logit_of(treated, x):
    fit = sm.Logit(treated.astype(float), sm.add_constant(x)).fit(disp=False, tol=1e-12)
    return Propensity(np.asarray(fit.predict()), x)


def test_errors_with_an_estimated_score_are_the_formulas_of_the_paper():
    propensity = logit_of(TREATED, X)
    for term, want in WANT.loc["estimated"].iterrows():
        estimand, ratio, around = term.split()
        score = propensity.probability[:, None]
        matches = match(TREATED, score, "score", estimand, int(ratio))
        got = matched_effects(EARN, matches, None, int(around), propensity)
        assert_allclose(got.value[0], want["estimate"], rtol=RTOL_ESTIMATED)
        assert_allclose(got.std_error[0], want["std_error"], rtol=RTOL_ESTIMATED)
        plain = matched_effects(EARN, matches, None, int(around))
        assert abs(plain.std_error[0] / got.std_error[0] - 1) > 0.02


def test_scores_lose_what_the_fit_of_the_propensity_explains():
    y, treated, x = draw(2, n=5_000)
    model = logit_of(treated, x)
    matches = match(treated, model.probability[:, None], "score", "ate")
    of_fit = (treated - model.probability)[:, None] * sm.add_constant(x)
    known, estimated = (
        sm.OLS(matched_effects(y, matches, propensity=p).scores[:, 0], of_fit).fit().rsquared
        for p in (None, model)
    )
    assert estimated < 0.4 * known


def study(seed, n=80, k=2, decimals=1):
    """Draw persons with ties, k outcomes and an effect of 1."""
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(n, 2)), decimals)
    treated = rng.random(n) < 1 / (1 + np.exp(-x.sum(axis=1)))
    treated[:6] = [True, True, True, False, False, False]
    y = treated[:, None] + x.sum(axis=1, keepdims=True) + rng.normal(size=(n, k))
    return y, treated, x, rng


def by_hand(y, treated, x, estimand, ratio, weight, inverse):
    """Return the effects person by person, from all distances."""
    sd = np.sqrt(np.cov(x.T, aweights=weight, bias=True).diagonal())
    total, effect = 0.0, np.zeros(y.shape[1])
    for i in range(len(y)):
        if estimand == "att" and not treated[i]:
            continue
        d = np.sqrt((((x - x[i]) / sd) ** 2).sum(axis=1))
        pool = np.flatnonzero(treated != treated[i])
        j = pool[d[pool] <= np.sort(d[pool])[ratio - 1] + 1e-9]
        share = weight[j]
        if inverse:
            share = share * (d[j] == 0) if (d[j] == 0).any() else share / d[j]
        gap = y[i] - share @ y[j] / share.sum()
        effect += weight[i] * gap * (1 if treated[i] else -1)
        total += weight[i]
    return effect / total


@draws
@given(SEEDS, st.sampled_from(["att", "ate"]), st.integers(1, 4), st.booleans())
def test_effects_are_what_they_are_by_hand(seed, estimand, ratio, inverse):
    y, treated, x, rng = study(seed)
    ratio = min(ratio, treated.sum(), (~treated).sum())
    weight = rng.uniform(0.5, 3, len(y))
    shares = "inverse_distance" if inverse else "uniform"
    matches = match(treated, x, "inverse_variance", estimand, ratio, weight=weight, shares=shares)
    got = matched_effects(y, matches)
    want = by_hand(y, treated, x, estimand, ratio, weight, inverse)
    assert_allclose(got.value, want, rtol=1e-8, atol=1e-10)
    # the same from the pairs; every person's shares sum to one, and uses are their sums
    who, whom, share = matches.pairs()
    gap = (y[who] - y[whom]) * np.where(treated[who], 1, -1)[:, None]
    assert_allclose((matches.own[who] * share) @ gap / matches.own.sum(), want, atol=1e-9)
    assert_allclose(np.bincount(who, share, len(y)), matches.number > 0)
    assert_allclose(np.bincount(whom, matches.own[who] * share, len(y)), matches.used, atol=1e-9)
    squares = np.bincount(whom, (matches.own[who] * share) ** 2, len(y))
    assert_allclose(squares, matches.used_squares, atol=1e-9)
    assert (np.bincount(who, minlength=len(y)) == matches.number).all()


@draws
@given(SEEDS, st.sampled_from(["att", "ate"]), st.sampled_from([0, 1, 3]), st.booleans())
def test_order_unit_and_companions_do_not_matter(seed, estimand, around, adjusted):
    y, treated, x, rng = study(seed)

    def run(y, order=slice(None), scale=1.0):
        z = x[order] * scale + 5 * (scale - 1)
        matches = match(treated[order], z, "mahalanobis", estimand, caliper=2)
        return matched_effects(y[order], matches, z if adjusted else None, around)

    base, order = run(y), rng.permutation(len(y))
    close = {"rtol": 1e-6, "atol": 1e-9}
    shuffled = run(y, order)
    assert_allclose(shuffled.value, base.value, **close)
    assert_allclose(shuffled.scores, base.scores[order], **close)
    moved = run(10 + 3 * y, scale=2.0)
    assert_allclose(moved.value, 3 * base.value, **close)
    assert_allclose(moved.scores, 3 * base.scores, **close)
    assert_allclose(run(y[:, 1:]).scores, base.scores[:, 1:], **close)


@draws
@given(SEEDS, st.sampled_from(["att", "ate"]))
def test_weights_are_copies(seed, estimand):
    y, treated, x, rng = study(seed)
    times = rng.integers(1, 4, len(y))
    copies = np.repeat(np.arange(len(y)), times)
    for metric in ("mahalanobis", "inverse_variance"):
        weighted = match(treated, x, metric, estimand, caliper=1, weight=times)
        copied = match(treated[copies], x[copies], metric, estimand, caliper=1)
        assert weighted.own.sum() == copied.own.sum()
        got = matched_effects(y, weighted, x).value
        assert_allclose(got, matched_effects(y[copies], copied, x[copies]).value, rtol=1e-7)


@pytest.mark.parametrize(("estimand", "rtol"), [("att", 1e-9), ("ate", 0.1)])
def test_outcomes_covary_as_their_sum_varies(estimand, rtol):
    # with one neighbour the residuals are linear in the outcomes; for all, scores are scaled
    y, treated, x, _ = study(3, n=2_000, decimals=6)
    both = np.column_stack([y, y[:, 0] + y[:, 1], y[:, 0] - y[:, 1]])
    v = matched_effects(both, match(treated, x, "mahalanobis", estimand), None, 1).covariance
    assert_allclose(v[2, 2], v[0, 0] + v[1, 1] + 2 * v[0, 1], rtol=rtol)
    assert_allclose(v[3, 3], v[0, 0] + v[1, 1] - 2 * v[0, 1], rtol=rtol)


def test_a_match_is_used_once_without_replacement():
    _, treated, x, _ = study(5, n=300)
    for kind in ({}, {"exact": (x[:, 0] > 0).astype(int)}, {"caliper": 0.3}):
        for metric in ("score", "mahalanobis"):
            z = x[:, :1] if metric == "score" else x
            matches = match(treated, z, metric, replace=False, **kind)
            who, whom, share = matches.pairs()
            assert len(np.unique(whom)) == len(whom) == len(np.unique(who)) > 50
            assert (share == 1).all()
            assert (matches.used[whom] == 1).all()
            assert (treated[who] & ~treated[whom]).all()
            if "exact" in kind:
                assert (kind["exact"][who] == kind["exact"][whom]).all()
            if "caliper" in kind:
                assert (np.abs(z[who] - z[whom]) <= 0.3 * z.std(axis=0) + 1e-9).all()
                assert matches.pruned.sum() == treated.sum() - len(who) > 0


def test_an_exact_column_and_another_s_caliper_hold():
    _, treated, x, rng = study(6, n=400, decimals=0)
    code, other = rng.integers(0, 3, (400, 2)), rng.normal(size=(400, 1))
    matches = match(
        treated, x, "mahalanobis", "ate", exact=code, within=other, caliper=[0.2], ratio=2
    )
    who, whom, _ = matches.pairs()
    assert (code[who] == code[whom]).all()
    assert (np.abs(other[who] - other[whom]) <= 0.2 * other.std() + 1e-9).all()
    assert 0 < matches.pruned.sum() < 300
    assert matches.ties > 0
    # the nearest of those allowed, and nobody allowed is nearer
    z = np.linalg.solve(np.linalg.cholesky(np.cov(x.T)), x.T).T
    for i in rng.choice(np.unique(who), 40):
        allowed = (treated != treated[i]) & (code == code[i]).all(axis=1)
        allowed &= np.abs(other[:, 0] - other[i, 0]) <= 0.2 * other.std()
        d = np.linalg.norm(z - z[i], axis=1)
        want = allowed & (d <= np.sort(d[allowed])[1] + 1e-9)
        assert set(whom[who == i]) == set(np.flatnonzero(want))


def test_errors_say_what_to_do():
    y, treated, x, rng = study(8)
    with pytest.raises(DesignError, match=r"0 treated and 80 controls"):
        match(np.zeros(80, dtype=bool), x, "mahalanobis")
    with pytest.raises(DesignError, match=r"none of \d+ persons has 1 in reach .* Widen"):
        match(treated, x + treated[:, None] * 5, "mahalanobis", caliper=0.01)
    with pytest.raises(DesignError, match="depend on each other"):
        match(treated, np.column_stack([x, x.sum(axis=1)]), "mahalanobis")
    with pytest.raises(DesignError, match="same for everyone"):
        match(treated, np.ones((80, 1)), "score")
    with pytest.raises(DesignError, match="one column, not 2"):
        match(treated, x, "score")
    with pytest.raises(DesignError, match="without replacement"):
        match(treated, x, "mahalanobis", "ate", replace=False)
    with pytest.raises(DesignError, match="uniform or inverse_distance"):
        match(treated, x, "mahalanobis", shares="even")
    few = np.arange(80) < 3
    matches = match(few, x, "mahalanobis")
    with pytest.raises(DesignError, match="cannot carry a bias correction for 30 covariates"):
        matched_effects(y, matches, rng.normal(size=(80, 30)))
    with pytest.raises(DesignError, match="an arm of 1 person has no variance"):
        matched_effects(y, match(np.arange(80) < 1, x, "mahalanobis", "ate"))
    model = Propensity(np.full(80, 0.5), x)
    with pytest.raises(DesignError, match="match on it alone"):
        matched_effects(y, matches, propensity=model)
    weighted = match(treated, x[:, :1], "score", weight=rng.uniform(1, 2, 80))
    with pytest.raises(DesignError, match="weights of persons"):
        matched_effects(y, weighted, propensity=model)
    double = Propensity(np.full(80, 0.5), np.column_stack([x, x]))
    with pytest.raises(DesignError, match="depend on each other, or it separates"):
        matched_effects(y, match(treated, x[:, :1], "score"), propensity=double)


def test_a_single_treated_person_has_an_estimate_and_no_noise_of_their_own():
    y, _, x, _ = study(9)
    got = matched_effects(y, match(np.arange(80) < 1, x, "mahalanobis"))
    assert np.isfinite(got.value).all()
    assert np.isfinite(got.std_error).all()


def draw(seed, n=400):
    """Draw an observational study: effects of 1 + x on average 1 over all, and on the treated."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    p = 1 / (1 + np.exp(-x @ [0.7, -0.5]))
    treated = rng.random(n) < p
    y = 2 * x[:, 0] + x[:, 1] + treated * (1 + 0.5 * x[:, 0]) + rng.normal(size=n)
    return y[:, None], treated, x


def truth_on_the_treated():
    x = np.random.default_rng(1).normal(size=(1_000_000, 2))
    p = 1 / (1 + np.exp(-x @ [0.7, -0.5]))
    return 1 + 0.5 * (p @ x[:, 0]) / p.sum()


@pytest.mark.parametrize("estimand", ["att", "ate"])
@pytest.mark.parametrize("how", ["mahalanobis corrected", "estimated score"])
def test_interval_covers_the_truth(estimand, how):
    truth, hits, wrong = 1.0 if estimand == "ate" else truth_on_the_treated(), [], []
    for seed in range(250):
        y, treated, x = draw(seed)
        if how == "mahalanobis corrected":
            got = matched_effects(y, match(treated, x, "mahalanobis", estimand), x)
        else:
            model = logit_of(treated, x)
            matches = match(treated, model.probability[:, None], "score", estimand)
            got = matched_effects(y, matches, propensity=model)
            wrong.append(matched_effects(y, matches).covers(truth, 0.95)[0])
        hits.append(got.covers(truth, 0.95)[0])
    assert abs(np.mean(hits) - 0.95) < 0.042  # three sd of Binomial(250, 0.95) / 250
    if wrong and estimand == "ate":
        assert np.mean(wrong) > np.mean(hits)  # a known score's error is too wide
