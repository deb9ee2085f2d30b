"""Property: what must hold of the estimators whatever the data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from simulate import arrays, plan_of, study_from

from evaluate.effects.adjustment import difference_in_means, lin
from evaluate.effects.batches import batches
from evaluate.effects.fit import covariates_for, fit
from evaluate.effects.groups import errors_of, estimands
from evaluate.effects.regression import fixed_effects
from evaluate.effects.scores import robust_scores
from evaluate.effects.table import effects

RTOL = 1e-7  # two orders of the same sums; with few persons a cell, leverages near one
ATOL = 1e-9  # beside values and errors near one
ESTIMATORS = ("difference_in_means", "fixed_effects", "ancova", "lin")
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "p_value", "df"]
GENDERS = ("women", "men", "women-men")
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=12, derandomize=True, deadline=None)
each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)


def close(got, want, **tolerance):
    assert_allclose(got, want, **{"rtol": RTOL, "atol": ATOL} | tolerance)


def fit_all(parts, estimator, x=None, std_error="HC2"):
    """Fit every contrast for the group `all`."""
    study = study_from(**parts | ({} if x is None else {"x": x}))
    plan = plan_of(study.y, analysis={"std_error": std_error})
    everyone = study.groups["all"]
    covariates = covariates_for(study, "", ())
    return fit(study, errors_of(study, plan, estimator), estimator, study.y, everyone, covariates)


def table_of(parts, estimator, **sections):
    study = study_from(**parts)
    columns = {}
    if parts.get("block") is not None:
        columns["blocks"] = ["site"]
    if parts.get("takeup") is not None:
        columns["takeup"] = {"column": "attended", "taken": 1}
    if parts.get("weight") is not None:
        columns["weight"] = "w"
    plan = plan_of(study.y, columns=columns, analysis={"estimators": [estimator]}, **sections)
    found = effects(study, plan)
    own = found.table["estimator"].isin([estimator, "tsls"])  # bounds are tested elsewhere
    return replace(found, table=found.table[own].reset_index(drop=True))


def scores_of(parts, estimator):
    """Return the scores by outcome column, estimand, contrast and group."""
    study = study_from(**parts)
    columns = {} if parts.get("block") is None else {"blocks": ["site"]}
    if parts.get("takeup") is not None:
        columns["takeup"] = {"column": "attended", "taken": 1}
    plan = plan_of(study.y, columns=columns, analysis={"estimators": [estimator]})
    return {
        (int(c), one.estimand, study.label(one.contrast), one.group): one.fit.effects.scores[:, i]
        for batch in batches(study, plan)
        for one in estimands(study, plan, batch)
        for i, c in enumerate(batch.columns)
    }


@each_estimator
@given(
    seed=SEEDS, scale=st.floats(-100, 100).filter(lambda a: abs(a) > 0.01), shift=st.floats(-9, 9)
)
@draws
def test_value_and_error_share_the_unit_and_not_the_level(estimator, seed, scale, shift):
    parts = arrays(seed, arms=3)
    moved = parts | {"y": scale * parts["y"] + shift}
    for base, got in zip(fit_all(parts, estimator), fit_all(moved, estimator), strict=True):
        close(got.effects.value, scale * base.effects.value, atol=ATOL * max(1, abs(scale)))
        close(got.effects.std_error, abs(scale) * base.effects.std_error)
        close(got.effects.df, base.effects.df)


@each_estimator
@given(seed=SEEDS, effect=st.floats(-9, 9))
@draws
def test_a_constant_effect_adds_to_the_value_and_not_to_the_error(estimator, seed, effect):
    parts = arrays(seed)
    moved = parts | {"y": parts["y"] + effect * parts["arm"][:, None]}
    (base,), (got,) = fit_all(parts, estimator), fit_all(moved, estimator)
    close(got.effects.value, base.effects.value + effect)
    close(got.effects.std_error, base.effects.std_error)


@each_estimator
@given(seed=SEEDS)
@draws
def test_order_of_persons_does_not_matter(estimator, seed):
    parts = arrays(seed, arms=3)
    order = np.random.default_rng(seed).permutation(len(parts["arm"]))
    shuffled = {name: values[order] for name, values in parts.items()}
    for base, got in zip(fit_all(parts, estimator), fit_all(shuffled, estimator), strict=True):
        close(got.effects.value, base.effects.value)
        close(got.effects.scores, base.effects.scores[order])


@each_estimator
@given(seed=SEEDS, factor=st.floats(0.01, 100))
@draws
def test_only_the_ratios_of_weights_matter(estimator, seed, factor):
    parts = arrays(seed)
    scaled = parts | {"weight": factor * parts["weight"]}
    (base,), (got,) = fit_all(parts, estimator), fit_all(scaled, estimator)
    close(got.effects.value, base.effects.value)
    close(got.effects.std_error, base.effects.std_error)


@pytest.mark.parametrize("std_error", ["HC0", "HC1", "HC2", "HC3"])
@each_estimator
def test_equal_weights_are_no_weights(estimator, std_error):
    parts = arrays(7, arms=3)
    equal = parts | {"weight": np.full(len(parts["arm"]), 2.5)}
    none = parts | {"weight": None}
    found = (fit_all(p, estimator, std_error=std_error) for p in (none, equal))
    for base, got in zip(*found, strict=True):
        close(got.effects.value, base.effects.value)
        close(got.effects.std_error, base.effects.std_error)
        close(got.effects.df, base.effects.df)


@each_estimator
@given(seed=SEEDS)
@draws
def test_arm_against_arm_is_the_difference_of_their_rows(estimator, seed):
    parts = arrays(seed, arms=3) | {"block": None}
    first, second, between = (f.effects for f in fit_all(parts, estimator))
    close(between.value, first.value - second.value)
    close(between.std_error, (first - second).std_error)


@given(seed=SEEDS)
@draws
def test_blocked_difference_in_means_is_lin_with_block_indicators(seed):
    parts = arrays(seed)
    y, arm, block, w = (parts[k] for k in ("y", "arm", "block", "weight"))
    indicators = np.equal.outer(block, np.unique(block)[1:]).astype(float)
    for weight in (None, w):
        ((want,),) = lin(y, arm, indicators, [(1, 0)], weight)
        got = difference_in_means(y, arm, (1, 0), block, weight)
        close(got.value, want.value)
        close(got.scores, want.scores)
        close(got.df, want.df)


@given(seed=SEEDS)
@draws
def test_fixed_effects_weigh_blocks_by_size_and_spread_of_treatment(seed):
    parts = arrays(seed)
    y, arm, block = (parts[k] for k in ("y", "arm", "block"))
    (got,) = fixed_effects(y, arm, np.empty((len(y), 0)), [(1, 0)], block)
    gaps, mass = [], []
    for b in np.unique(block):
        here = block == b
        share = arm[here].mean()
        gaps.append(y[here & (arm == 1)].mean(axis=0) - y[here & (arm == 0)].mean(axis=0))
        mass.append(here.sum() * share * (1 - share))
    close(got.value, np.average(gaps, axis=0, weights=mass))


@given(seed=SEEDS)
@draws
def test_without_covariates_and_blocks_all_estimators_are_the_difference_in_means(seed):
    parts = arrays(seed) | {"block": None, "x": None}
    (base,) = fit_all(parts, "difference_in_means")
    for estimator in ESTIMATORS[1:]:
        (got,) = fit_all(parts, estimator)
        close(got.effects.value, base.effects.value)
        close(got.effects.std_error, base.effects.std_error)


@pytest.mark.parametrize("estimator", ["ancova", "lin"])
@given(seed=SEEDS)
@draws
def test_units_and_mixtures_of_covariates_do_not_matter(estimator, seed):
    parts = arrays(seed, arms=3)
    mixed = parts["x"] @ np.array([[2.0, 1], [0.5, -3]]) + [100, -5]
    found = fit_all(parts, estimator), fit_all(parts, estimator, x=mixed)
    for base, got in zip(*found, strict=True):
        close(got.effects.value, base.effects.value)
        close(got.effects.std_error, base.effects.std_error)


@pytest.mark.parametrize("estimator", ["ancova", "lin"])
@given(seed=SEEDS)
@draws
def test_constants_and_collinear_covariates_change_nothing(estimator, seed):
    parts = arrays(seed)
    x = pd.DataFrame(parts["x"], columns=["a", "b"])
    more = x.assign(constant=4.0, copy=x["a"], mixture=x["a"] - 3 * x["b"] + 1)
    (base,) = fit_all(parts, estimator, x=x)
    (got,) = fit_all(parts, estimator, x=more)
    close(got.effects.value, base.effects.value)
    close(got.effects.scores, base.effects.scores)
    close(got.effects.df, base.effects.df)
    left_out = "covariates without variation of their own left out: constant, copy, mixture"
    assert got.notes == (left_out,)
    assert base.notes == ()


@pytest.mark.parametrize("estimator", ["ancova", "lin"])
def test_a_covariate_missing_for_some_is_the_mean_and_an_indicator(estimator):
    parts = arrays(11)
    a = parts["x"][:, 0].copy()
    a[::7] = np.nan
    absent = np.isnan(a)
    (got,) = fit_all(parts, estimator, x=pd.DataFrame({"a": a}))
    filled = pd.DataFrame({"a": np.where(absent, 0, a), "absent": absent.astype(float)})
    (want,) = fit_all(parts, estimator, x=filled)
    close(got.effects.value, want.effects.value)
    close(got.effects.std_error, want.effects.std_error)
    assert got.notes == (f"{absent.sum()} missing covariate values replaced by the mean",)


@each_estimator
@given(seed=SEEDS)
@draws
def test_gap_is_womens_row_less_mens(estimator, seed):
    parts = arrays(seed) | {"takeup": np.random.default_rng(seed).random(80).round()}
    got = table_of(parts, estimator)
    rows, scores = got.table.reset_index(), scores_of(parts, estimator)
    for (outcome, estimand, arm), four in rows.groupby(["outcome", "estimand", "arm"]):
        by_group = four.set_index("group")
        women, men, gap = (by_group.loc[g] for g in ("women", "men", "women-men"))
        close(gap["estimate"], women["estimate"] - men["estimate"])
        close(gap["std_error"], np.hypot(women["std_error"], men["std_error"]))
        w, m, g = (scores[int(outcome[1:]), estimand, arm, x] for x in GENDERS)
        close(g, w - m)
        assert gap["n"] == women["n"] + men["n"]


@each_estimator
def test_scores_of_the_table_square_to_its_errors(estimator):
    parts = arrays(5, arms=3) | {"takeup": np.arange(80) % 2.0}
    scores = scores_of(parts, estimator)
    for row in table_of(parts, estimator).table.itertuples():
        own = scores[int(row.outcome[1:]), row.estimand, row.arm, row.group]
        close(np.sqrt((own**2).sum()), row.std_error)


@each_estimator
@given(seed=SEEDS)
@draws
def test_several_outcomes_at_once_are_one_at_a_time(estimator, seed):
    parts = arrays(seed, outcomes=3) | {"takeup": np.random.default_rng(seed).random(80).round()}
    parts["y"][::9, 1] = np.nan
    together = table_of(parts, estimator).table.set_index("outcome")
    for i in range(3):
        alone = table_of(parts | {"y": parts["y"][:, [i]]}, estimator).table
        close(alone[NUMBERS].astype(float), together.loc[f"y{i}", NUMBERS].astype(float))
        assert list(alone["note"]) == list(together.loc[f"y{i}", "note"])


@each_estimator
@given(seed=SEEDS)
@draws
def test_persons_without_the_outcome_count_as_if_not_in_the_data(estimator, seed):
    parts = arrays(seed, n=120, outcomes=2)
    absent = np.random.default_rng(seed).random(120) < 0.15
    parts["y"][absent, 0] = np.nan
    whole = table_of(parts, estimator)
    here = {name: values[~absent] for name, values in parts.items()}
    part = table_of(here | {"y": here["y"][:, [0]]}, estimator)
    first = (whole.table["outcome"] == "y0").to_numpy()
    columns = [*NUMBERS, "n", "n_treated", "n_control", "mean_treated", "mean_control"]
    close(whole.table.loc[first, columns].astype(float), part.table[columns].astype(float))
    want = scores_of(here | {"y": here["y"][:, [0]]}, estimator)
    for key, got in scores_of(parts, estimator).items():
        if key in want:
            assert_array_equal(got[absent], 0)
            close(got[~absent], want[key])


@pytest.mark.parametrize("estimator", ["difference_in_means", "lin"])
@given(seed=SEEDS)
@draws
def test_effect_on_participants_is_the_delta_method_by_hand(estimator, seed):
    rng = np.random.default_rng(seed)
    parts = arrays(seed, outcomes=1)
    takeup = np.where(parts["arm"] == 1, rng.random(80) < 0.7, rng.random(80) < 0.1).astype(float)
    (both,) = fit_all(parts | {"y": np.column_stack([parts["y"], takeup])}, estimator)
    (a, b), v = both.effects.value, both.effects.covariance
    error = np.sqrt(v[0, 0] - 2 * a / b * v[0, 1] + (a / b) ** 2 * v[1, 1]) / abs(b)
    table = table_of(parts | {"takeup": takeup}, estimator).table
    row = table[(table["estimator"] == "tsls") & (table["group"] == "all")].iloc[0]
    close(row["estimate"], a / b)
    close(row["std_error"], error)
    assert f"adjusted as {estimator}" in row["note"]


def test_full_compliance_makes_the_effect_on_participants_that_of_the_offer():
    parts = arrays(8)
    table = table_of(parts | {"takeup": parts["arm"].astype(float)}, "lin").table
    itt, late = (table[table["estimand"] == e] for e in ("itt", "late"))
    close(late[NUMBERS].astype(float), itt[NUMBERS].astype(float))


@given(seed=SEEDS)
@draws
def test_shared_slopes_are_one_regression_of_statsmodels(seed):
    import statsmodels.api as sm

    parts = arrays(seed, outcomes=1) | {"block": None}
    y, z, women, x, w = (parts[k] for k in ("y", "arm", "women", "x", "weight"))
    study = study_from(**parts)
    plan = plan_of(y, columns={"weight": "w"}, analysis={"estimators": ["lin"], "slopes": "shared"})
    table = effects(study, plan).table.set_index("group")
    t, man = z[:, None], (~women).astype(float)[:, None]
    design = np.hstack([np.ones((80, 1)), man, x, t, t * man, t * x])
    oracle = sm.WLS(y[:, 0], design, weights=w).fit(cov_type="HC2", use_t=True)
    at = {g: np.average(x[m], axis=0, weights=w[m]) for g, m in study.groups.items()}
    rows = {
        "women": np.array([0, 0, 0, 0, 1, 0, *at["women"]]),
        "men": np.array([0, 0, 0, 0, 1, 1, *at["men"]]),
    }
    rows["women-men"] = rows["women"] - rows["men"]
    for group, combination in rows.items():
        want = oracle.t_test(combination)
        close(table.loc[group, "estimate"], want.effect[0])
        close(table.loc[group, "std_error"], want.sd[0, 0])
        assert table.loc[group, "df"] == oracle.df_resid


def test_a_person_alone_in_a_cell_takes_the_pooled_variance():
    y = np.array([1.0, 3, 4, 9, 2, 5, 8, 7, 30])
    arm = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    block = np.array([0, 0, 1, 1, 0, 0, 0, 0, 1])
    got = difference_in_means(y[:, None], arm, (1, 0), block)
    a, b = 6 / 9, 3 / 9  # share of persons in block 0 and 1
    treated, control = y[4:8], (y[:2], y[2:4])
    pooled = treated.var(ddof=1)  # the only treated cell that shows a variance
    want = a**2 * treated.var(ddof=1) / 4 + b**2 * pooled
    want += a**2 * control[0].var(ddof=1) / 2 + b**2 * control[1].var(ddof=1) / 2
    close(got.variance, want)
    close(got.value, a * (treated.mean() - 2) + b * (30 - 6.5))
    assert got.df[0] == 9 - 4


@given(seed=SEEDS, kind=st.sampled_from(["HC0", "HC1", "HC2", "HC3"]))
@draws
def test_scores_square_to_the_sandwich_by_hand(seed, kind):
    rng = np.random.default_rng(seed)
    n, p = 20, 4
    x, y = rng.normal(size=(n, p)), rng.normal(size=(n, 2))
    bread = np.linalg.inv(x.T @ x)
    leverage = np.einsum("ij,jk,ik->i", x, bread, x)
    residual = y - x @ (bread @ (x.T @ y))
    factor = {
        "HC0": 1,
        "HC1": n / (n - p),
        "HC2": 1 / (1 - leverage),
        "HC3": 1 / (1 - leverage) ** 2,
    }[kind]
    got = robust_scores((bread @ x.T)[0], residual, leverage, n - p, kind, n / (n - p))
    for j in range(2):
        meat = x.T @ ((factor * residual[:, j] ** 2)[:, None] * x)
        close((got[:, j] ** 2).sum(), (bread @ meat @ bread)[0, 0])
