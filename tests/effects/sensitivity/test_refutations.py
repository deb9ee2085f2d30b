"""The table of refuters: a sound estimator passes, a stale or unadjusted one does not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate import schemas
from evaluate.effects.observational.sample import arranged
from evaluate.effects.sensitivity.questions import Case, asked, questions
from evaluate.effects.sensitivity.refutations import doubly_robust, judged, refutation_rows
from evaluate.effects.sensitivity.refute import Refutation
from evaluate.effects.sensitivity.specifications import table_of
from evaluate.errors import DesignError

from .persons import plan_of, study_of

RTOL = 1e-8  # Newton's steps end before the last digits


def case_of(n=500, hidden=0.0):
    plan = plan_of()
    study = study_of(plan, n=n, hidden=hidden)
    one = asked(study, plan, questions(plan))[0]
    there = arranged(study, plan, one.covariates, one.observed, (1, 0), study.groups["all"])
    return Case(plan, one.questions, "1", "all", there, one.y)


def saturated(seed=1, n=400):
    """Draw two cells with unequal shares treated: all models are exact."""
    rng = np.random.default_rng(seed)
    cell = rng.random(n) < 0.4
    treated = rng.random(n) < np.where(cell, 0.7, 0.3)
    y = (2.0 * treated * (1 + cell) + cell + rng.normal(size=n))[:, None]
    return y, treated, cell[:, None].astype(float)


@pytest.mark.parametrize("estimand", ["att", "ate"])
def test_doubly_robust_is_exact_in_cells(estimand):
    y, treated, x = saturated()
    cell = x[:, 0] == 1
    apart = [y[c & treated].mean() - y[c & ~treated].mean() for c in (cell, ~cell)]
    goal = treated if estimand == "att" else np.ones(len(treated), dtype=bool)
    share = cell[goal].mean()
    want = share * apart[0] + (1 - share) * apart[1]
    got = doubly_robust(y, treated, x, estimand=estimand)
    assert_allclose(got.value[0], want, rtol=RTOL)


def test_doubly_robust_with_weights_is_that_of_repeated_persons():
    y, treated, x = saturated(2)
    times = np.random.default_rng(3).integers(1, 4, len(y))
    twice = [np.repeat(a, times, axis=0) for a in (y, treated, x)]
    got = doubly_robust(y, treated, x, times.astype(float)).value
    assert_allclose(got, doubly_robust(*twice).value, rtol=RTOL)


def test_doubly_robust_refuses_separation():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 1))
    with pytest.raises(DesignError):
        doubly_robust(rng.normal(size=(100, 1)), x[:, 0] > 0, x)
    with pytest.raises(DesignError, match="one arm is empty"):
        doubly_robust(rng.normal(size=(100, 1)), np.ones(100, dtype=bool), x)


def rows_of(case, draws=30):
    k = len(case.questions)
    return refutation_rows(case, {"regression": [0.1] * k, "aipw": [0.1] * k}, 1, draws)


def test_sound_estimators_pass():
    table = table_of(rows_of(case_of()), schemas.REFUTATIONS)
    schemas.REFUTATIONS.validate(table)
    assert set(table["verdict"]) == {"pass"}
    assert len(table) == 2 * 4 * 2  # estimators, refuters, primary outcomes
    assert (table["draws"] == 30).all()


def test_they_pass_with_gross_hidden_selection_too():
    """Which is why they earn nothing."""
    table = table_of(rows_of(case_of(hidden=1.5)), schemas.REFUTATIONS)
    assert set(table["verdict"]) == {"pass"}


@pytest.mark.parametrize(
    ("mean", "sd", "error", "verdict"),
    [
        (0.02, 0.001, 0.1, "pass"),  # beyond chance, but a fifth of an error
        (0.07, 0.001, 0.1, "warn"),
        (0.07, 0.5, 0.1, "pass"),  # chance
        (0.07, 0.001, np.nan, "not assessed"),
    ],
)
def test_what_is_warned_of(mean, sd, error, verdict):
    one = [np.array([v]) for v in (0.0, mean, sd, 1.0)]
    assert judged(Refutation("placebo_treatment", *one, draws=100, failed=0), 0, error) == verdict


def test_an_estimator_that_does_not_adjust_is_warned_of():
    """A placebo outcome that comes with the selection on covariates refutes a raw comparison."""
    from evaluate.effects.sensitivity.refute import Sample, placebo_outcome
    from evaluate.estimates import Estimates

    case = case_of()

    def raw(y, treated, x, weight):
        value = y[treated].mean(axis=0) - y[~treated].mean(axis=0)
        return Estimates(value, np.zeros_like(y), np.full(y.shape[1], np.inf))

    found = placebo_outcome(Sample(case.y, case.one.treated, case.one.x), 50, 1, raw)
    assert judged(found, 0, float(found.sd[0])) == "warn"


def test_two_runs_are_the_same():
    assert rows_of(case_of(n=200), 10) == rows_of(case_of(n=200), 10)


def test_separation_is_said_and_not_a_crash():
    case = case_of(n=200)
    treated = case.one.x[:, 0] > 0
    one = type(case.one)(**{**case.one.__dict__, "treated": treated})
    rows = rows_of(Case(case.plan, case.questions, "1", "all", one, case.y), 5)
    aipw = [r for r in rows if r["estimator"] == "aipw" and r["refuter"] == "data_subset"]
    assert {r["verdict"] for r in aipw} == {"not assessed"}
    assert all(str(r["note"]).startswith("not estimated: ") for r in aipw)
