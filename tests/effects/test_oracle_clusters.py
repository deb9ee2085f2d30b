"""Oracle: estimatr, clubSandwich, sandwich in R (tests/reference/clusters.R), through the table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.groups import errors_of
from evaluate.effects.linear import Errors
from evaluate.effects.regression import fixed_effects
from evaluate.effects.table import effects
from evaluate.effects.wild import wild_bootstrap

RTOL = 1e-8  # normal equations by Cholesky there, QR here
RTOL_DF = 1e-7  # of Satterthwaite: differences of traces of nearly singular blocks
REFERENCE = Path(__file__).parents[1] / "reference"
TRIAL = pd.read_csv(REFERENCE / "clustered.csv")
ORACLE = pd.read_csv(REFERENCE / "clusters.csv").set_index(["case", "term"])
COVARIATES = ["age", "educ", "earn0"]
OUTCOMES = {"y0": "work", "y1": "earn"}
PLAIN = {
    "means": "difference_in_means", "lin": "lin", "fixed effects": "fixed_effects",
    "ancova": "ancova",
}  # fmt: skip


def trial(arm="arm", weighted=False, blocked=True):
    return study_from(
        TRIAL[list(OUTCOMES.values())].to_numpy(dtype=float),
        TRIAL[arm].to_numpy(),
        (TRIAL["sex"] == "F").to_numpy(),
        TRIAL[COVARIATES].astype(float),
        block=TRIAL["block"].to_numpy() - 1 if blocked else None,
        weight=TRIAL["w"].to_numpy() if weighted else None,
        takeup=TRIAL["attended"].to_numpy(dtype=float),
        cluster=pd.factorize(TRIAL["cluster"], sort=True)[0],
    )


def plan(study, estimator, kind, blocked=True):
    columns = {"cluster": "cluster", "takeup": {"column": "attended", "taken": 1}}
    return plan_of(
        study.y,
        columns=columns | ({"blocks": ["block"]} if blocked else {}),
        covariates=COVARIATES,
        analysis={"estimators": [estimator], "std_error": kind},
    )


def compare(prefix, case, arm, kind, weighted, blocked, df=True, estimand="itt"):
    estimator = next(PLAIN[name] for name in PLAIN if case.removeprefix("iv ").startswith(name))
    study = trial(arm, weighted, blocked)
    rows = effects(study, plan(study, estimator, kind, blocked)).table
    rows = rows[(rows["estimand"] == estimand) & rows["estimator"].isin([estimator, "tsls"])]
    compared = 0
    for row in rows.itertuples():
        key = (f"{prefix}{case}", f"{OUTCOMES[row.outcome]} {row.arm} {row.group}")
        if key not in ORACLE.index or (kind == "CR1" and row.group == "women-men"):
            continue  # by design: each gender's CR1 has its own constant, there both have one
        want = ORACLE.loc[key]
        assert_allclose(row.estimate, want.estimate, rtol=RTOL, err_msg=str(key))
        assert_allclose(row.std_error, want.std_error, rtol=RTOL, err_msg=str(key))
        if df:
            assert_allclose(row.df, want.df, rtol=RTOL_DF, err_msg=str(key))
        compared += 1
    return compared


DESIGNS = pytest.mark.parametrize(("prefix", "arm"), [("", "arm"), ("three arms ", "arm3")])
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
KINDS = pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])


@DESIGNS
@WEIGHTED
@KINDS
@pytest.mark.parametrize("case", ["fixed effects", "ancova", "lin", "lin blocked"])
def test_regressions_agree_with_estimatr(prefix, arm, weighted, kind, case):
    name = f"{case}{' weighted' if weighted else ''} {kind}"
    # lin with several arms: by design interacted with every arm, as lm_lin
    assert compare(prefix, name, arm, kind, weighted, blocked=case != "lin") >= 6


@DESIGNS
@WEIGHTED
@KINDS
@pytest.mark.parametrize("case", ["fixed effects", "ancova"])
def test_regressions_agree_with_club_sandwich(prefix, arm, weighted, kind, case):
    # clubSandwich has Satterthwaite's degrees of freedom for CR0 and CR1, too
    name = f"{case}{' weighted' if weighted else ''} {kind}"
    done = compare(f"{prefix}clubsandwich ", name, arm, kind, weighted, True, df=kind == "CR2")
    assert done >= 6


@WEIGHTED
@pytest.mark.parametrize("kind", ["CR0", "CR1"])
@pytest.mark.parametrize("case", ["fixed effects", "ancova"])
def test_regressions_agree_with_sandwich(weighted, kind, case):
    name = f"{case}{' weighted' if weighted else ''} {kind}"
    assert compare("sandwich ", name, "arm", kind, weighted, True, df=False) >= 6


@DESIGNS
@WEIGHTED
def test_means_agree_with_estimatr(prefix, arm, weighted):
    name = "means weighted" if weighted else "means"
    assert compare(prefix, name, arm, "CR2", weighted, blocked=False) >= 6
    # by design not the df: there clusters less twice the blocks, here Satterthwaite's
    name = "means blocked weighted" if weighted else "means blocked"
    assert compare(prefix, name, arm, "CR2", weighted, blocked=True, df=False) >= 6
    assert compare(f"{prefix}clubsandwich ", name, arm, "CR2", weighted, blocked=True) >= 6


@WEIGHTED
@KINDS
@pytest.mark.parametrize("case", ["iv means", "iv fixed effects", "iv ancova"])
def test_effects_on_participants_agree_with_iv_robust(weighted, kind, case):
    name = f"{case}{' weighted' if weighted else ''} {kind}"
    blocked = case != "iv means"
    found = compare("", name, "arm", kind, weighted, blocked, df=False, estimand="late")
    assert found >= 6


WILD = pd.read_csv(REFERENCE / "wild.csv")


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", ["means", "fixed effects", "ancova"])
def test_wild_bootstrap_agrees_with_full_enumeration(case, weighted):
    """Of 8 clusters, every p-value and so every interval is exact."""
    name = f"{case} weighted" if weighted else case
    for row in WILD[WILD["case"] == name].itertuples():
        outcome, _, group = row.term.split()
        linear = origin(case, weighted, outcome, group)
        shifted = type(linear)(linear.value - row.null, linear.c, linear.fit, linear.cluster)
        found = wild_bootstrap(shifted, 0.95, 9_999, np.random.default_rng(1))
        assert found.draws == 2**row.clusters
        assert found.p_value[0] == pytest.approx(row.p_value, abs=1e-12)
        inside = found.low[0] < 0 < found.high[0]
        assert inside == (row.p_value > 0.05)


def origin(case, weighted, outcome, group):
    """Return the linear estimate of the reference's eight clusters."""
    pick = [
        name
        for block in (1, 2)
        for arm in (0, 1)
        for name in sorted(
            set(TRIAL.loc[(TRIAL["block"] == block) & (TRIAL["arm"] == arm), "cluster"])
        )[:2]
    ]
    d = TRIAL[TRIAL["cluster"].isin(pick) & TRIAL[outcome].notna()]

    def one(part):
        y = part[[outcome]].to_numpy(dtype=float)
        x = part[["age"]].to_numpy(dtype=float) if case == "ancova" else np.empty((len(part), 0))
        block = None if case == "means" else part["block"].to_numpy()
        cluster = pd.Categorical(part["cluster"], categories=pick).codes.astype(int)
        errors = Errors("CR1", cluster, len(pick), keep=True)
        weight = part["w"].to_numpy() if weighted else None
        arm = part["arm"].to_numpy()
        return fixed_effects(y, arm, x, [(1, 0)], block, weight, errors=errors)[0].origin

    if group == "women-men":
        return one(d[d["sex"] == "F"]) - one(d[d["sex"] == "M"])
    return one(d if group == "all" else d[d["sex"] == ("F" if group == "women" else "M")])


def test_every_case_of_the_reference_is_finite_and_varies():
    numbers = ORACLE.to_numpy()
    assert np.isfinite(numbers).all()
    assert (ORACLE[["std_error", "df"]] > 0).to_numpy().all()


def test_default_errors_of_clusters_are_cr2():
    study = trial()
    chosen = plan_of(study.y, columns={"cluster": "cluster"})
    assert errors_of(study, chosen, "difference_in_means").kind == "CR2"
    assert chosen.estimators == ("difference_in_means",)
    got = difference_in_means(
        np.nan_to_num(study.y), study.arm, (1, 0), errors=Errors("CR2", study.cluster, study.units)
    )
    assert got.scores.shape == (study.units, 2)
