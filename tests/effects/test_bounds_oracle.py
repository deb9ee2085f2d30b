"""Oracle: bounds and reweighted effects agree with R, see tests/reference/bounds.R."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluate.effects.bounds import lee, manski
from evaluate.effects.comparison import compare
from evaluate.effects.imbens_manski import imbens_manski
from evaluate.effects.response_weights import weighted_by_response
from evaluate.estimates import Estimates

RTOL = 1e-9  # sums of some hundred numbers
RTOL_ERROR = 1e-7  # R moves each weight by 1e-6 and takes differences
RTOL_LOGIT = 1e-6  # the same, with a fit by iteration at each step
REFERENCE = Path(__file__).parents[1] / "reference"

TRIAL = pd.read_csv(REFERENCE / "trial.csv")
WANT = pd.read_csv(REFERENCE / "bounds.csv").set_index(["case", "term"])
LACKS = (
    TRIAL["earn"].isna()
    | ((TRIAL["arm"] == 0) & (TRIAL["id"] % 5 == 0))
    | ((TRIAL["arm"] == 2) & (TRIAL["sex"] == "M") & (TRIAL["id"] % 3 == 0))
)
TERMS = [(y, a, g) for y in ("work", "earn") for a in (1, 2) for g in ("all", "women", "men")]
WORDS = ["", "weighted", "blocked", "blocked weighted"]


def sample(arm, group, words="", clustered=False):
    """Return the persons of an arm and control, who has the outcome, and their comparison."""
    rows = TRIAL["arm"].isin([0, arm]) & ~LACKS.isna()
    if group != "all":
        rows &= TRIAL["sex"] == {"women": "F", "men": "M"}[group]
    d = TRIAL[rows]
    troop = d["arm"].astype(str) + " " + (d["id"] % (11 + d["arm"])).astype(str)
    compared = compare(
        d["arm"].to_numpy(),
        (arm, 0),
        d["site"].to_numpy() if "blocked" in words else None,
        d["w"].to_numpy() if "weighted" in words else None,
        pd.factorize(troop)[0] if clustered else None,
    )
    return d, ~LACKS[rows].to_numpy(), compared


def outcome(d, name):
    """Return an outcome as R has it: earnings rounded to tens, missing ones anything."""
    y = d[name].round(-1) if name == "earn" else d[name]
    return y.fillna(-99).to_numpy(dtype=float)[:, None]


def agrees(ends, case, term, rtol=RTOL_ERROR):
    for end, got in zip(("lower", "upper"), ends, strict=True):
        want = WANT.loc[case, f"{' '.join(map(str, term))} {end}"]
        assert_allclose(got.value[0], want["estimate"], rtol=RTOL, atol=1e-12)
        assert_allclose(got.std_error[0], want["std_error"], rtol=rtol)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_lee_bounds_are_those_of_the_papers_formulas(term):
    d, observed, compared = sample(*term[1:])
    found = lee(outcome(d, term[0]), observed, compared)
    agrees((found.lower, found.upper), "lee formula", term, rtol=RTOL)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("term", TERMS, ids=str)
def test_lee_bounds_with_blocks_and_weights(term, words):
    d, observed, compared = sample(*term[1:], words)
    found = lee(outcome(d, term[0]), observed, compared)
    agrees((found.lower, found.upper), f"lee {words}".strip(), term)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("term", TERMS, ids=str)
def test_lee_bounds_within_cells(term, words):
    d, observed, compared = sample(*term[1:], words)
    found = lee(outcome(d, term[0]), observed, compared, d["educ"].to_numpy())
    agrees((found.lower, found.upper), f"lee in cells {words}".strip(), term)


@pytest.mark.parametrize("words", ["", "weighted"])
@pytest.mark.parametrize("term", TERMS, ids=str)
def test_small_cells_have_larger_errors_by_no_more_than_their_leverage(term, words):
    d, observed, compared = sample(*term[1:], words)
    cell = pd.factorize(d["educ"])[0]
    plain = lee(outcome(d, term[0]), observed, compared, cell)
    small = lee(outcome(d, term[0]), observed, compared, cell, small=True)
    place = pd.Series(2 * cell + compared.treated)
    share = pd.Series(compared.share).groupby(place).transform(lambda w: w / w.sum())
    for before, after in ((plain.lower, small.lower), (plain.upper, small.upper)):
        assert_allclose(after.value, before.value)
        assert before.std_error[0] < after.std_error[0] < before.std_error[0] / (1 - share.max())


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("term", TERMS[:6], ids=str)
def test_manski_bounds_are_differences_in_filled_means(term, words):
    d, observed, compared = sample(*term[1:], words)
    found = manski(outcome(d, "work"), observed, compared)
    agrees((found.lower, found.upper), f"manski {words}".strip(), term, rtol=RTOL)


@pytest.mark.parametrize("term", TERMS[:6], ids=str)
def test_clusters_have_the_errors_of_cr2(term):
    d, observed, compared = sample(*term[1:], clustered=True)
    found = manski(outcome(d, "work"), observed, compared)
    agrees((found.lower, found.upper), "manski clustered", term, rtol=RTOL)


def test_degrees_of_freedom_of_a_mean_by_cluster_are_satterthwaites():
    d, _, compared = sample(1, "all", clustered=True)
    y = np.where(compared.treated, d["earn0"].to_numpy() / 100, 0)[:, None]
    got = compared.difference(y)
    want = WANT.loc["mean clustered", "earn0 1 all"]
    assert_allclose(got.value[0], want["estimate"], rtol=RTOL)
    assert_allclose(got.std_error[0], want["std_error"], rtol=RTOL)
    assert_allclose(got.df[0], want["df"], rtol=RTOL)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("term", [t for t in TERMS if t[2] == "all"], ids=str)
def test_reweighted_effects_are_those_of_glm(term, words):
    d, observed, compared = sample(*term[1:], words)
    x = d[["age", "educ", "earn0"]].to_numpy(dtype=float)
    got = weighted_by_response(outcome(d, term[0]), observed, x, compared, penalty=0)
    want = WANT.loc[f"ipw {words}".strip(), " ".join(map(str, term))]
    assert got.converged
    assert got.cut == 0
    assert_allclose(got.effects.value[0], want["estimate"], rtol=RTOL_LOGIT)
    assert_allclose(got.effects.std_error[0], want["std_error"], rtol=RTOL_LOGIT)


@pytest.mark.parametrize("term", TERMS, ids=str)
def test_intervals_solve_the_equation_of_imbens_and_manski(term):
    name = " ".join(map(str, term))
    ends = []
    for end in ("lower", "upper"):
        one = WANT.loc["lee formula", f"{name} {end}"]
        many = np.array([1e9])  # degrees of freedom: normal
        ends.append(
            Estimates(
                one[["estimate"]].to_numpy(float), one[["std_error"]].to_numpy(float)[None], many
            )
        )
    low, high = imbens_manski(*ends, level=0.95)
    want = WANT.loc["imbens manski"]["estimate"]
    assert_allclose(low[0], want[f"{name} lower"], rtol=1e-7)  # t with a finite number
    assert_allclose(high[0], want[f"{name} upper"], rtol=1e-7)
