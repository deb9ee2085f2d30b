"""Two-stage least squares, Anderson-Rubin sets and compliers against R and known truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.effects.linear import Errors
from evaluate.effects.participation import anderson_rubin, compliers, participation
from evaluate.effects.regression import fixed_effects
from evaluate.effects.table import effects

RTOL = 1e-8  # normal equations by Cholesky there, QR here
RTOL_END = 1e-6  # ends of sets are found there by search
REFERENCE = Path(__file__).parents[1] / "reference"
IV = pd.read_csv(REFERENCE / "instruments.csv").set_index(["case", "term"])
SETS = pd.read_csv(REFERENCE / "anderson_rubin.csv")
DATA = {name: pd.read_csv(REFERENCE / f"{name}.csv") for name in ("trial", "clustered")}
COVARIATES = ["age", "educ", "earn0"]
GENDERS = {"all": ["F", "M"], "women": ["F"], "men": ["M"]}
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


def reduced_form(data, case, kind, weighted, outcome, group, arm=1, joint=False):
    """Return the effects on an outcome and take-up by one regression."""
    d = data[data[outcome].notna() & data["sex"].isin(GENDERS[group])]
    d = d if joint else d[d["arm"].isin([0, arm])]
    y = d[[outcome, "attended"]].to_numpy(dtype=float)
    x = d[COVARIATES].to_numpy(dtype=float) if case == "ancova" else np.empty((len(d), 0))
    site = d["site"] if "site" in d else d["block"]
    cluster = pd.factorize(d["cluster"])[0] if "cluster" in d else None
    return fixed_effects(
        y,
        d["arm"].to_numpy(),
        x,
        [(arm, 0)],
        None if case == "means" else site.to_numpy(),
        d["w"].to_numpy() if weighted else None,
        errors=Errors(kind, cluster, 0 if cluster is None else int(cluster.max()) + 1),
    )[0]


@WEIGHTED
@pytest.mark.parametrize("kind", ["classical", "HC0", "HC1", "HC2", "HC3"])
@pytest.mark.parametrize("case", ["means", "fixed effects", "ancova"])
@pytest.mark.parametrize("way", ["iv", "iv beside"])
def test_two_stage_least_squares_agrees_with_iv_robust(way, case, kind, weighted):
    name = f"{way} {case}{' weighted' if weighted else ''} {kind}"
    compared = 0
    for outcome in ("work", "earn"):
        for group in GENDERS:
            for arm in (1, 2):
                if (name, f"{outcome} {arm} {group}") not in IV.index:
                    continue
                want = IV.loc[name, f"{outcome} {arm} {group}"]
                both = reduced_form(
                    DATA["trial"], case, kind, weighted, outcome, group, arm, way == "iv beside"
                )
                got = both.pick([0]).over(both.pick([1]))
                assert_allclose(got.value[0], want.estimate, rtol=RTOL)
                assert_allclose(got.std_error[0], want.std_error, rtol=RTOL)
                assert got.df[0] == want.df
                compared += 1
    assert compared >= 6


@pytest.mark.parametrize("kind", ["classical", "HC1", "HC2", "CR2"])
@pytest.mark.parametrize("case", ["means", "fixed effects", "ancova"])
def test_anderson_rubin_sets_have_the_ends_of_the_test(case, kind):
    data = DATA["clustered" if kind == "CR2" else "trial"]
    name = f"{case} {kind}"
    ends = SETS[SETS["case"] == f"interval {name}"]
    for term, two in ends.groupby("term"):
        outcome, arm, group = term.split()
        both = reduced_form(data, case, kind, False, outcome, group, int(arm))
        found = anderson_rubin(both, 0.95)[0]
        assert found.kind == "interval"
        assert_allclose([found.low, found.high], sorted(two["null"]), rtol=RTOL_END)
    tests = SETS[SETS["case"] == f"test {name}"]
    for row in tests.itertuples():
        outcome, arm, group = row.term.split()
        both = reduced_form(data, case, kind, False, outcome, group, int(arm))
        value = both.value[0] - row.null * both.value[1]
        error = np.linalg.norm(both.scores[:, 0] - row.null * both.scores[:, 1])
        assert_allclose(2 * stats.t.sf(abs(value / error), both.df[0]), row.p_value, rtol=1e-6)
        found = anderson_rubin(both, 0.95)[0]
        assert (found.low <= row.null <= found.high) == (row.p_value > 0.05)
    assert len(ends) >= 2
    assert len(tests) >= 6


@pytest.mark.parametrize("kind", ["classical", "HC1", "HC2", "CR2"])
@pytest.mark.parametrize("case", ["means", "fixed effects", "ancova"])
def test_a_weak_first_stage_gives_a_set_without_ends(case, kind):
    data = DATA["clustered" if kind == "CR2" else "trial"]
    data = data.assign(attended=(data["educ"] > 2).astype(float))  # which no offer moves
    tests, kinds = SETS[SETS["case"] == f"weak test {case} {kind}"], set()
    for row in tests.itertuples():
        outcome, arm, group = row.term.split()
        both = reduced_form(data, case, kind, False, outcome, group, int(arm))
        found = anderson_rubin(both, 0.95)[0]
        held = {
            "interval": found.low <= row.null <= found.high,
            "unbounded": not found.low < row.null < found.high,
            "whole line": True,
        }[found.kind]
        assert held == (row.p_value > 0.05)
        kinds.add(found.kind)
    assert len(tests)
    assert kinds != {"interval"}


def encouraged(seed=1, n=4_000):
    """Draw a trial whose compliers are mostly young women, and some of control take part."""
    rng = np.random.default_rng(seed)
    arm, women = rng.permutation(np.arange(n) % 2), rng.random(n) < 0.5
    age = rng.normal(40, 10, n)
    kind = rng.random(n)
    always = kind < 0.1
    complier = ~always & (kind < np.where(women, 0.8, 0.5) - 0.01 * (age - 40))
    taken = (always | (complier & (arm == 1))).astype(float)
    y = taken * np.where(women, 2.0, 1.0) + always + rng.normal(size=n)
    study = study_from(y[:, None], arm, women, pd.DataFrame({"age": age}), takeup=taken)
    plan = plan_of(study.y, columns={"takeup": {"column": "t", "taken": 1}}, covariates=["age"])
    return study, plan, women, age, complier


def test_compliers_are_found_as_they_are():
    study, plan, women, age, complier = encouraged()
    table = schemas.COMPLIERS.validate(compliers(study, plan)).set_index(["covariate", "group"])
    truth = {
        ("gender=women", "all"): women[complier].mean(),
        ("age", "all"): age[complier].mean(),
        ("age", "women"): age[complier & women].mean(),
        ("age", "men"): age[complier & ~women].mean(),
    }
    for key, want in truth.items():
        row = table.loc[key]
        assert abs(row["mean_compliers"] - want) < 4 * row["std_error"]
        assert row["std_error"] < abs(want) / 5
    assert table.loc[("gender=women", "all"), "mean_all"] == pytest.approx(women.mean())
    shares = participation(study, plan).set_index("group")
    for group, members in study.groups.items():
        row = shares.loc[group]
        assert abs(row["compliers"] - complier[members].mean()) < 4 * row["compliers_se"]
        assert row["f"] == pytest.approx((row["compliers"] / row["compliers_se"]) ** 2)
    gap = shares.loc["women", "compliers"] - shares.loc["men", "compliers"]
    assert shares.loc["women-men", "compliers"] == pytest.approx(gap)


def test_participation_repeats_the_rows_of_the_effects():
    study, plan, *_ = encouraged(n=400)
    table = schemas.PARTICIPATION.validate(participation(study, plan)).set_index("group")
    late = effects(study, plan).table.query("estimand == 'late'").set_index("group")
    for group in ("all", "women", "men", "women-men"):
        got, want = table.loc[group], late.loc[group]
        assert got["effect"] == pytest.approx(want["estimate"])
        assert got["conf_low"] == pytest.approx(want["conf_low"])
        assert got["n"] == want["n"]
    assert table["ar_set"].isna().tolist() == [False, False, False, True]


def test_take_up_that_nobody_used_leaves_empty_rows():
    study, plan, *_ = encouraged(n=200)
    nobody = study_from(
        study.y, study.arm, study.groups["women"], study.covariates, takeup=np.zeros(200)
    )
    table = participation(nobody, plan)
    assert table[["effect", "ar_low", "conf_low"]].isna().all(axis=None)
    assert table["note"].str.contains("did not change who took part").iloc[:3].all()
    described = compliers(nobody, plan)
    assert described["mean_compliers"].isna().all()
    assert described["note"].str.contains("did not change who took part").all()


def test_a_plan_without_take_up_has_no_rows():
    study = study_from(np.arange(8.0)[:, None], np.arange(8) % 2)
    plan = plan_of(study.y)
    assert schemas.PARTICIPATION.validate(participation(study, plan)).empty
    assert schemas.COMPLIERS.validate(compliers(study, plan)).empty


@pytest.mark.parametrize("estimator", ["difference_in_means", "lin", "ancova"])
def test_where_all_who_are_offered_take_part_and_no_others_nothing_is_uncertain(estimator):
    rng = np.random.default_rng(5)
    arm = rng.permutation(np.arange(60) % 2)
    x = rng.normal(size=(60, 2))
    y = (arm + x[:, 0] + rng.normal(size=60))[:, None]
    study = study_from(y, arm, np.arange(60) < 30, x, takeup=arm.astype(float))
    columns = {"takeup": {"column": "t", "taken": 1}}
    plan = plan_of(
        y, columns=columns, covariates=["x0", "x1"], analysis={"estimators": [estimator]}
    )
    table = participation(study, plan).set_index("group")
    assert (table["compliers_se"] == 0).all()
    assert (table.loc[["all", "women", "men"], "compliers"] == 1).all()
    assert table.loc["women-men", "compliers"] == 0
    assert table["f"].isna().all()
