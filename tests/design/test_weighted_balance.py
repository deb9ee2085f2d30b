"""Balance before and after weights: as in R, as `balance` says before, and refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.covariates import Covariates
from evaluate.design.balance import balance
from evaluate.design.overlap import inverse_weights
from evaluate.design.propensity_models import fit_logit
from evaluate.design.weighted_balance import largest, prognostic_balance, weighted_balance
from evaluate.errors import DesignError

RTOL = 1e-8  # R's glm and Newton here stop in the last digits
REFERENCE = Path(__file__).parents[1] / "reference"
ORACLE = pd.read_csv(REFERENCE / "weighted_balance.csv").set_index(["case", "term"])
TRIAL = pd.read_csv(REFERENCE / "trial.csv").dropna(subset="earn")
TREATED = (TRIAL["arm"] > 0).to_numpy()
NUMBERS = ["mean_treated", "mean_control", "smd", "variance_ratio", "ks"]
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=15, deadline=None)


def named(x):
    names = tuple(f"x{j}" for j in range(x.shape[1]))
    return Covariates(np.asarray(x, dtype=float), names, names)


def of_trial():
    frame = TRIAL[["age", "educ", "earn0"]].assign(female=TRIAL["sex"] == "F").astype(float)
    women = (TRIAL["sex"] == "F").to_numpy()
    groups = {"all": np.ones(len(frame), dtype=bool), "women": women, "men": ~women}
    return Covariates(frame.to_numpy(), tuple(frame), tuple(frame)), groups


def drawn(seed, n=200, holes=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)).round(1)
    x[:, 3] = x[:, 3] > 0
    if holes:
        x[rng.random(n) < 0.1, 1] = np.nan
    treated = rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))
    women = rng.random(n) < 0.5
    groups = {"all": np.ones(n, dtype=bool), "women": women, "men": ~women}
    return named(x), treated, groups, rng.uniform(0.2, 3, n)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("estimand", ["att", "ate"])
def test_numbers_are_those_of_r(estimand, weighted):
    covariates, groups = of_trial()
    x = covariates.values
    design = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / x.std(axis=0)])
    score = fit_logit(design, TREATED, np.ones(len(x))).score
    weight = TRIAL["w"].to_numpy() if weighted else None
    after = inverse_weights(score, TREATED, estimand, weight)
    table = weighted_balance(covariates, TREATED, groups, after, estimand, weight)
    earn = TRIAL[["earn"]].to_numpy()
    predicted = prognostic_balance(
        earn, ["earn"], covariates, TREATED, groups, after, estimand, weight
    )
    table = pd.concat([table, predicted]).replace("prognosis:earn", "prognosis")
    compared = 0
    for row in table[table["group"] != "women-men"].itertuples():
        if row.covariate == "female" and row.group != "all":
            continue
        side = "after" if row.adjusted else "before"
        case = " ".join([estimand, *(["weighted"] if weighted else []), side])
        want = ORACLE.loc[(case, f"{row.covariate} {row.group}"), NUMBERS]
        assert_allclose([getattr(row, c) for c in NUMBERS], want.astype(float), rtol=RTOL)
        compared += 1
    assert compared == 26


@given(seed=SEEDS)
@draws
def test_before_is_what_balance_says(seed):
    covariates, treated, groups, after = drawn(seed)
    table = weighted_balance(covariates, treated, groups, after, "ate")
    for group, members in groups.items():
        part = Covariates(covariates.values[members], covariates.names, covariates.sources)
        want = balance(part, treated[members].astype(int), (1, 0))
        got = table[(table["group"] == group) & ~table["adjusted"]]
        assert list(got["covariate"]) == list(want["covariate"])
        for column in NUMBERS[:4]:
            assert_allclose(got[column], want[column], rtol=1e-9)


@given(seed=SEEDS)
@draws
def test_distances_are_those_of_two_samples_and_weights_are_copies(seed):
    covariates, treated, groups, _ = drawn(seed)
    times = np.random.default_rng(seed).integers(1, 4, 200)
    groups = {"all": groups["all"]}
    table = weighted_balance(covariates, treated, groups, times.astype(float), "att")
    for adjusted, part in table.groupby("adjusted"):
        copies = times if adjusted else np.ones(200, dtype=int)
        arm = np.repeat(treated, copies)
        for x, got in zip(covariates.values.T, part["ks"], strict=True):
            one, other = (np.repeat(x, copies)[arm == side] for side in (True, False))
            want = stats.ks_2samp(one[~np.isnan(one)], other[~np.isnan(other)]).statistic
            assert_allclose(got, want, rtol=1e-9, atol=1e-12)


@given(seed=SEEDS, unit=st.floats(0.01, 100), mass=st.floats(0.01, 100))
@draws
def test_units_of_covariates_and_weights_and_order_do_not_matter(seed, unit, mass):
    covariates, treated, groups, after = drawn(seed)
    base = weighted_balance(covariates, treated, groups, after, "att", after)
    order = np.random.default_rng(seed).permutation(200)
    moved = Covariates(7 - unit * covariates.values[order], covariates.names, covariates.sources)
    got = weighted_balance(
        moved, treated[order], {g: m[order] for g, m in groups.items()}, mass * after[order],
        "att", after[order],
    )  # fmt: skip
    assert_allclose(got["smd"], -base["smd"], rtol=1e-6, atol=1e-9)
    assert_allclose(got["variance_ratio"], base["variance_ratio"], rtol=1e-6)
    assert_allclose(got["ks"], base["ks"], rtol=1e-6, atol=1e-9)
    kept = got["adjusted"]
    assert_allclose(got["smd"][kept], got["smd"][~kept], atol=1e-9)  # the same weights twice


def test_covariates_do_not_touch_each_other_and_the_unit_is_that_before():
    covariates, treated, groups, after = drawn(1)
    table = weighted_balance(covariates, treated, groups, after, "att")
    one = weighted_balance(
        covariates.pick(np.arange(4) == 1), treated, groups, after, "att", arm="1"
    )
    mine = table[table["covariate"] == "x1"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, one)
    sd = np.nanstd(covariates.values[treated, 0], ddof=1)
    rows = table[(table["covariate"] == "x0") & (table["group"] == "all")]
    assert_allclose(rows["smd"] * sd, rows["mean_treated"] - rows["mean_control"])
    assert list(table.columns[-2:]) == ["adjusted", "arm"]


def test_the_gap_is_women_less_men():
    covariates, treated, groups, after = drawn(2)
    table = weighted_balance(covariates, treated, groups, after, "ate")
    table = table.set_index(["covariate", "adjusted", "group"]).sort_index()
    for column in NUMBERS[:3]:
        by = table[column].unstack()
        assert_allclose(by["women-men"], by["women"] - by["men"])
    assert table.xs("women-men", level="group")[["variance_ratio", "ks"]].isna().all(axis=None)
    assert "women-men" not in set(
        weighted_balance(covariates, treated, {"all": groups["all"]}, after, "ate")["group"]
    )


def test_constant_and_unknown_columns_have_no_numbers_rather_than_wrong_ones():
    _, treated, groups, after = drawn(3)
    x = np.column_stack([np.full(200, 1 / 3), np.full(200, np.nan), np.where(treated, np.nan, 1)])
    table = weighted_balance(named(x), treated, {"all": groups["all"]}, after, "att")
    assert table["smd"].isna().all()
    assert table["variance_ratio"].isna().all()
    assert table["ks"].isna().tolist() == [False, False, True, True, True, True]
    assert (table["ks"][:2] < 1e-12).all()


def test_those_without_weight_count_before_and_not_after():
    covariates, treated, groups, after = drawn(4, holes=False)
    pruned = np.where(np.arange(200) % 4, after, 0)
    kept = pruned > 0
    table = weighted_balance(covariates, treated, groups, pruned, "ate")
    alone = weighted_balance(
        Covariates(covariates.values[kept], covariates.names, covariates.sources),
        treated[kept], {g: m[kept] for g, m in groups.items()}, pruned[kept], "ate",
    )  # fmt: skip
    for column in ["mean_treated", "mean_control", "variance_ratio", "ks"]:
        got = table.loc[table["adjusted"], column]
        assert_allclose(got, alone.loc[alone["adjusted"], column], rtol=1e-9)


def test_predicted_outcomes_look_at_the_compared_alone_and_one_by_one():
    covariates, treated, groups, after = drawn(5)
    y = np.random.default_rng(5).normal(size=(200, 2))
    args = covariates, treated, groups, after, "att"
    base = prognostic_balance(y, ["a", "b"], *args)
    other = np.where(treated[:, None], 1e6, y)
    pd.testing.assert_frame_equal(prognostic_balance(other, ["a", "b"], *args), base)
    single = prognostic_balance(y[:, 1:], ["b"], *args)
    mine = base[base["covariate"] == "prognosis:b"].reset_index(drop=True)
    assert_allclose(mine[NUMBERS], single[NUMBERS], rtol=1e-9, atol=1e-12)
    scaled = prognostic_balance(3 + 1e4 * y, ["a", "b"], *args)
    assert_allclose(scaled["smd"], base["smd"], rtol=1e-6, atol=1e-9)


def test_a_column_that_is_constant_among_the_compared_predicts_nothing():
    covariates, treated, groups, after = drawn(8, holes=False)
    constant = np.where(treated, np.arange(200) % 3, 0.1)
    wider = named(np.column_stack([covariates.values, constant]))
    y = np.random.default_rng(8).normal(size=(200, 1))
    got, want = (
        prognostic_balance(y, ["y"], c, treated, groups, after, "att") for c in (wider, covariates)
    )
    assert_allclose(got[NUMBERS], want[NUMBERS], rtol=1e-9)


def test_true_weights_balance_covariates_and_predictions():
    rng = np.random.default_rng(6)
    x = rng.normal(size=(40_000, 3))
    x[:, 2] = x[:, 2] > 0.5
    score = 1 / (1 + np.exp(-x @ [0.8, -0.4, 0.5]))
    treated = rng.random(40_000) < score
    y = (x @ [1, 1, 0] + rng.normal(size=40_000))[:, None]
    groups = {"all": np.ones(40_000, dtype=bool)}
    for estimand in ("att", "ate"):
        after = inverse_weights(score, treated, estimand)
        args = named(x), treated, groups, after, estimand
        table = pd.concat([weighted_balance(*args), prognostic_balance(y, ["y"], *args)])
        found = largest(table).set_index("adjusted")
        assert found.loc[False, "smd"] > 0.5
        assert found.loc[True, "smd"] < 0.05
        assert found.loc[False, "ks"] > 0.2
        assert found.loc[True, "ks"] < 0.03
        kept = table[table["adjusted"]]
        assert (np.abs(np.log(kept["variance_ratio"])) < 0.15).all()


def test_errors_tell_what_is_wrong_without_values():
    covariates, treated, groups, after = drawn(7)
    nobody = np.where(groups["women"] & ~treated, 0, after)
    with pytest.raises(DesignError, match=r"none of the \d+ compared persons in women"):
        weighted_balance(covariates, treated, groups, nobody, "att")
    most = treated | (np.arange(200) > 4)
    with pytest.raises(DesignError, match=r"4 covariate columns and [0-5] compared persons"):
        prognostic_balance(after[:, None], ["y"], covariates, most, groups, after, "att")
