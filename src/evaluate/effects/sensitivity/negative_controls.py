"""Negative-control groups: comparison persons held against others, where nothing can be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evaluate.covariates import imputed, independent
from evaluate.effects.linear import Errors
from evaluate.effects.observational.regression import regression_coefficient
from evaluate.effects.observational.sample import Arranged, with_gender
from evaluate.effects.sensitivity.questions import Asked, Case
from evaluate.effects.sensitivity.refutations import doubly_robust
from evaluate.errors import DesignError, persons
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import Study

REFUTER = "negative_control_group"
LEAST = 2  # persons on either side
Row = dict[str, object]


def negative_control_rows(
    study: Study, plan: Plan, one: Asked, contrast: tuple[int, int]
) -> list[Row]:
    """Compare a group that treatment did not reach with the other comparison persons.

    Neither was treated, so that once they are alike in the covariates a difference is not an
    effect: it is what the covariates leave between groups that were chosen differently.

    Parameters
    ----------
    study : Study
        The persons, with groups all, women and men.
    plan : Plan
        The programme file; ``negative_controls`` names the groups.
    one : Asked
        k primary outcomes, and who has them.
    contrast : (int, int)
        The contrast whose comparison persons they are.

    Returns
    -------
    list of dict
        As `schemas.REFUTATIONS`, by regression and doubly robust: ``mean`` is the difference and
        ``sd`` its standard error. It warns where the difference is not zero at the plan's level,
        shared among the groups and the two estimators.

    References
    ----------
    Rosenbaum (1987), The role of a second control group in an observational study, Statistical
    Science 2(3); Imbens and Wooldridge (2009), Recent developments in the econometrics of
    program evaluation, Journal of Economic Literature 47(1), section 5.11.
    """
    rows: list[Row] = []
    limit = (1 - plan.analysis.level) / (2 * max(len(study.negative), 1))
    for name, members in study.negative.items():
        for group, among in study.groups.items():
            here = among & one.observed & (study.arm == contrast[1])
            sample = _compared(study, plan, one, here, members, name.partition("=")[0])
            case = Case(plan, one.questions, study.label(contrast), group, sample, one.y[here])
            for estimator, found in _estimates(case):
                for j in range(len(one.questions)):
                    first = case.labels(j) | {"estimator": estimator, "refuter": REFUTER}
                    rows.append(first | _answer(found, j, limit, name))
    return rows


def _compared(
    study: Study, plan: Plan, one: Asked, here: np.ndarray, members: np.ndarray, column: str
) -> Arranged:
    """Arrange comparison persons, those of the group as if they were treated."""
    covariates = with_gender(study, plan, one.covariates.without([column]), here)
    values = covariates.values[here]
    x = imputed(values)
    keep = independent(x)
    kept, m = covariates.pick(keep), int(here.sum())
    return Arranged(
        rows=here,
        treated=members[here],
        x=x[:, keep],
        names=kept.names,
        sources=kept.sources,
        fold=np.empty((0, m), dtype=int),
        score=np.empty((0, m)),
        model="",
        weight=None if study.weight is None else study.weight[here],
        cluster=None if study.cluster is None else study.cluster[here],
        units=0 if study.cluster is None else study.units,
        imputed=int(np.isnan(values).sum()),
        dropped=(),
        trimmed=(0, 0),
    )


def _estimates(case: Case) -> Iterator[tuple[str, Estimates | DesignError]]:
    """Yield the differences by either estimator, or why there are none."""
    one, analysis = case.one, case.plan.analysis
    sides = int(one.treated.sum()), int((~one.treated).sum())
    for estimator in ("regression", "aipw"):
        try:
            if min(sides) < LEAST:
                raise DesignError(
                    f"{persons(sides[0])} in the group and {persons(sides[1])} beside it."
                )
            if estimator == "regression":
                errors = Errors("HC1")
                found = regression_coefficient(
                    case.y, one.treated, one.x, one.weight, errors=errors
                )
            else:
                found = doubly_robust(
                    case.y,
                    one.treated,
                    one.x,
                    one.weight,
                    analysis.estimand,
                    analysis.propensity.clip,
                )
            yield estimator, one.all_rows(replace(found, origin=None))
        except DesignError as error:
            yield estimator, error


def _answer(found: Estimates | DesignError, j: int, limit: float, name: str) -> Row:
    if isinstance(found, DesignError):
        return {"verdict": "not assessed", "note": note("error", reason=found)}
    p_value = float(found.p_value[j])
    verdict = "warn" if p_value < limit else "pass"
    return {
        "expected": 0.0,
        "mean": found.value[j],
        "sd": found.std_error[j],
        "p_value": p_value,
        "verdict": verdict if np.isfinite(p_value) else "not assessed",
        "note": note("negative_control", name=name),
    }
