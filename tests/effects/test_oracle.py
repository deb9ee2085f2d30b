"""Oracle: estimatr and sandwich in R (tests/reference/effects.R), statsmodels, NSW."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from simulate import arrays

from evaluate.data.clean import clean
from evaluate.data.readers.read import read_table
from evaluate.effects.adjustment import difference_in_means, lin
from evaluate.effects.regression import fixed_effects
from evaluate.effects.table import effects
from evaluate.plan.model import Plan
from evaluate.study import study_of

RTOL = 1e-8  # estimatr solves normal equations by Cholesky, here QR; covariates of unlike scale
RTOL_QR = 1e-9  # sandwich and statsmodels factor the design itself
REFERENCE = Path(__file__).parents[1] / "reference"
OUTCOMES = ("work", "earn")
CONTRASTS = ((1, 0), (2, 0), (1, 2))
KINDS = ("HC0", "HC1", "HC2", "HC3")
COVARIATES = ["age", "educ", "earn0"]

TRIAL = pd.read_csv(REFERENCE / "trial.csv")
ORACLE = pd.read_csv(REFERENCE / "effects.csv").set_index(["case", "term"])


def label(contrast):
    a, b = contrast
    return f"{a}-{b}" if b else f"{a}"


def observed(outcome):
    """Return y, arm, x, block and weight of the persons who have the outcome."""
    d = TRIAL[TRIAL[outcome].notna()]
    y = d[outcome].to_numpy(dtype=float)[:, None]
    x = d[COVARIATES].to_numpy(dtype=float)
    return y, d["arm"].to_numpy(), x, d["site"].to_numpy() - 1, d["w"].to_numpy()


def agree(got, case, outcome, contrast, df=True, rtol=RTOL):
    want = ORACLE.loc[(case, f"{outcome} {label(contrast)}")]
    assert_allclose(got.value[0], want.estimate, rtol=rtol)
    assert_allclose(got.std_error[0], want.std_error, rtol=rtol)
    if df:
        assert_allclose(got.df[0], want.df, rtol=rtol)


def with_indicators(x, block):
    return np.hstack([np.equal.outer(block, np.unique(block)[1:]).astype(float), x])


@pytest.mark.parametrize("contrast", CONTRASTS, ids=label)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_means_agree_with_estimatr(outcome, contrast):
    y, arm, _, block, w = observed(outcome)
    agree(difference_in_means(y, arm, contrast), "means", outcome, contrast)
    agree(difference_in_means(y, arm, contrast, block), "means blocked", outcome, contrast)
    got = difference_in_means(y, arm, contrast, block, w)
    agree(got, "means blocked weighted", outcome, contrast)


@pytest.mark.parametrize("contrast", CONTRASTS, ids=label)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_weighted_means_agree_with_estimatr(outcome, contrast):
    # by design not the df: with weights estimatr leaves Welch's for n - 2, here they stay
    y, arm, _, _, w = observed(outcome)
    got = difference_in_means(y, arm, contrast, weight=w)
    agree(got, "means weighted", outcome, contrast, df=False)
    assert got.df[0] <= np.isin(arm, contrast).sum() - 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_lin_agrees_with_estimatr(outcome, kind):
    y, arm, x, block, w = observed(outcome)
    within = with_indicators(x, block)
    cases = {
        "lin": lin(y, arm, x, CONTRASTS, kind=kind),
        "lin weighted": lin(y, arm, x, CONTRASTS, w, kind),
        "lin blocked": lin(y, arm, within, CONTRASTS, kind=kind),
        "lin blocked weighted": lin(y, arm, within, CONTRASTS, w, kind),
    }
    for case, (found,) in cases.items():
        for contrast, got in zip(CONTRASTS, found, strict=True):
            agree(got, f"{case} {kind}", outcome, contrast)
    for contrast in CONTRASTS:
        two = np.isin(arm, contrast)
        ((got,),) = lin(y[two], arm[two], x[two], [contrast], kind=kind)
        agree(got, f"lin two arms {kind}", outcome, contrast)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_fixed_effects_and_ancova_agree_with_estimatr(outcome, kind):
    y, arm, x, block, w = observed(outcome)
    none = x[:, :0]
    cases = {
        "fixed effects": fixed_effects(y, arm, none, CONTRASTS, block, kind=kind),
        "fixed effects weighted": fixed_effects(y, arm, none, CONTRASTS, block, w, kind),
        "ancova": fixed_effects(y, arm, x, CONTRASTS, block, kind=kind),
        "ancova weighted": fixed_effects(y, arm, x, CONTRASTS, block, w, kind),
        "ancova unblocked": fixed_effects(y, arm, x, CONTRASTS, kind=kind),
    }
    for case, found in cases.items():
        for contrast, got in zip(CONTRASTS, found, strict=True):
            agree(got, f"{case} {kind}", outcome, contrast)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_ancova_agrees_with_sandwich(outcome, kind):
    y, arm, x, block, _ = observed(outcome)
    found = fixed_effects(y, arm, x, CONTRASTS, block, kind=kind)
    for contrast, got in zip(CONTRASTS, found, strict=True):
        agree(got, f"sandwich {kind}", outcome, contrast, rtol=RTOL_QR)


def table_of(**changes):
    """Run trial.csv through cleaning and the table of effects."""
    columns = {
        "person": "id",
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "arm", "control": 0, "arms": [1, 2]},
        **changes.pop("columns", {}),
    }
    plan = Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerad"},
            "simulated": True,
            "design": "randomised",
            "data": {"participants": {"path": str(REFERENCE / "trial.csv")}},
            "columns": columns,
            "covariates": [{"column": c, "kind": "numeric"} for c in COVARIATES],
            "outcomes": {
                "work": {"column": "work", "unit": "share"},
                "earn": {"column": "earn", "unit": "SEK"},
            },
            **changes,
        }
    )
    cleaned = clean(read_table(plan.data.participants), plan)
    table = effects(study_of(cleaned.participants, cleaned.outcomes, plan), plan).table
    return table.set_index(["estimator", "group", "outcome", "arm"])


def same_as_oracle(row, case, outcome, arm):
    want = ORACLE.loc[(case, f"{outcome} {arm}")]
    assert_allclose(
        row[["estimate", "std_error", "df"]].astype(float),
        want[["estimate", "std_error", "df"]],
        rtol=RTOL,
    )


def test_table_agrees_with_estimatr_from_file_to_row():
    estimators = ["lin", "difference_in_means", "fixed_effects", "ancova"]
    table = table_of(columns={"blocks": ["site"]}, analysis={"estimators": estimators})
    cases = {
        ("lin", "all"): "lin blocked HC2",
        ("lin", "women"): "lin blocked F",
        ("lin", "men"): "lin blocked M",
        ("difference_in_means", "all"): "means blocked",
        ("fixed_effects", "all"): "fixed effects HC2",
        ("ancova", "all"): "ancova HC2",
        ("ancova", "women"): "ancova F",
        ("ancova", "men"): "ancova M",
    }
    for (estimator, group), case in cases.items():
        for outcome in OUTCOMES:
            for contrast in CONTRASTS:
                arm = label(contrast)
                same_as_oracle(table.loc[(estimator, group, outcome, arm)], case, outcome, arm)


def test_table_with_weights_agrees_with_estimatr():
    estimators = ["lin", "difference_in_means", "ancova"]
    table = table_of(
        columns={"blocks": ["site"], "weight": "w"},
        analysis={"estimators": estimators, "std_error": "HC3"},
    )
    cases = {
        "lin": "lin blocked weighted HC3",
        "difference_in_means": "means blocked weighted",
        "ancova": "ancova weighted HC3",
    }
    for estimator, case in cases.items():
        for outcome in OUTCOMES:
            for contrast in CONTRASTS:
                arm = label(contrast)
                same_as_oracle(table.loc[(estimator, "all", outcome, arm)], case, outcome, arm)


@pytest.mark.parametrize("estimator", ["lin blocked", "ancova"])
def test_gap_agrees_with_two_separate_regressions_of_estimatr(estimator):
    name = estimator.split()[0]
    table = table_of(columns={"blocks": ["site"]}, analysis={"estimators": [name]})
    for outcome in OUTCOMES:
        for contrast in CONTRASTS:
            key = f"{outcome} {label(contrast)}"
            women, men = (ORACLE.loc[(f"{estimator} {s}", key)] for s in "FM")
            row = table.loc[(name, "women-men", outcome, label(contrast))]
            assert_allclose(row.estimate, women.estimate - men.estimate, rtol=RTOL)
            error = np.hypot(women.std_error, men.std_error)
            assert_allclose(row.std_error, error, rtol=RTOL)
            parts = women.std_error**4 / women.df + men.std_error**4 / men.df
            assert_allclose(row.df, error**4 / parts, rtol=RTOL)


def test_effect_on_participants_agrees_with_iv_robust():
    # by design not the df: iv_robust has n - 2, here the smaller of Welch's for y and take-up
    table = table_of(
        columns={"takeup": {"column": "attended", "taken": 1}},
        analysis={"estimators": ["difference_in_means"]},
    )
    for group, case in {"all": "wald", "women": "wald F", "men": "wald M"}.items():
        for outcome in OUTCOMES:
            for arm in ("1", "2"):
                row = table.loc[("tsls", group, outcome, arm)]
                want = ORACLE.loc[(case, f"{outcome} {arm}")]
                assert_allclose(row.estimate, want.estimate, rtol=RTOL)
                assert_allclose(row.std_error, want.std_error, rtol=RTOL)
                assert row.df <= want.df


def test_every_case_of_the_reference_is_finite_and_varies():
    assert np.isfinite(ORACLE.to_numpy()).all()
    assert (ORACLE[["std_error", "df"]] > 0).to_numpy().all()


def test_nsw_gives_the_published_difference_and_hc2():
    from causaldata import nsw_mixtape

    d = nsw_mixtape.load_pandas().data
    y = d["re78"].to_numpy(dtype=float)
    treat = d["treat"].to_numpy(dtype=int)
    got = difference_in_means(y[:, None], treat, (1, 0))
    oracle = sm.OLS(y, sm.add_constant(treat)).fit(cov_type="HC2", use_t=True)
    assert round(got.value[0], 2) == 1794.34  # Dehejia and Wahba (1999), table 3
    assert abs(got.std_error[0] - 671) < 0.5
    assert_allclose(got.value[0], oracle.params[1], rtol=RTOL_QR)
    assert_allclose(got.std_error[0], oracle.bse[1], rtol=RTOL_QR)


def test_nsw_adjusted_agrees_with_statsmodels():
    from causaldata import nsw_mixtape

    d = nsw_mixtape.load_pandas().data
    names = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
    x, y = d[names].to_numpy(dtype=float), d["re78"].to_numpy(dtype=float)
    treat = d["treat"].to_numpy(dtype=int)
    centred = x - x.mean(axis=0)
    design = np.column_stack([np.ones(len(y)), treat, centred, treat[:, None] * centred])
    oracle = sm.OLS(y, design).fit(cov_type="HC2", use_t=True)
    ((got,),) = lin(y[:, None], treat, x, [(1, 0)])
    assert_allclose(got.value[0], oracle.params[1], rtol=RTOL)  # pinv of incomes beside shares
    assert_allclose(got.std_error[0], oracle.bse[1], rtol=RTOL)
    assert got.df[0] == oracle.df_resid


@pytest.mark.parametrize("kind", ["HC0", "HC1"])
def test_a_person_whom_a_covariate_singles_out_counts_as_in_statsmodels(kind):
    parts = arrays(7)
    arm = (parts["arm"] > 0).astype(int)
    x = np.column_stack([parts["x"][:, 0], np.zeros(len(arm))])
    x[np.flatnonzero(arm == 1)[0], 1] = x[np.flatnonzero(arm == 0)[0], 1] = 1
    y = np.nan_to_num(parts["y"])
    got = lin(y, arm, x, [(1, 0)], kind=kind)[0][0]
    c = x - x.mean(axis=0)
    design = np.column_stack([np.ones(len(arm)), arm, c, arm[:, None] * c])
    want = sm.OLS(y[:, 0], design).fit(cov_type=kind, use_t=True)
    assert_allclose(got.std_error[0], want.bse[1], rtol=1e-9)
