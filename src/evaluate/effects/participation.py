"""Those who take part because they are offered: how many, who they are, what it did for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from evaluate import schemas
from evaluate.covariates import Covariates, columns_of, imputed
from evaluate.design.default_estimators import with_default
from evaluate.effects.batches import Batch, batches
from evaluate.effects.fit import Fit, fit
from evaluate.effects.groups import (
    NO_TAKEUP,
    Key,
    errors_of,
    first_stage,
    fits_by_group,
    taking_part,
)
from evaluate.estimates import Estimates
from evaluate.fieller import FiellerSet, fieller
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

EXACT = 1e-10  # error of a first stage in which all take part who are offered, and no others
DIGITS = 10  # of a first stage that is exact
NONE = Covariates(np.empty((0, 0)), (), ())  # means are not adjusted
WOMEN = "gender=women"  # a characteristic of the compliers, beside the covariates


def anderson_rubin(both: Estimates, level: float) -> list[FiellerSet]:
    """Return the effects of taking part that the data do not reject, whatever the first stage.

    Parameters
    ----------
    both : Estimates
        Effects of the offer on k outcomes and, last, on take-up.
    level : float
        Confidence level.

    Returns
    -------
    list of FiellerSet
        For each outcome the effects r for which the offer has no effect on outcome less r
        times take-up. Exact in large samples also where the offer hardly moves take-up; then
        it may be all numbers, or all outside a stretch.

    References
    ----------
    Anderson and Rubin (1949), Estimation of the parameters of a single equation in a complete
    system of stochastic equations, Annals of Mathematical Statistics 20(1); Andrews, Stock and
    Sun (2019), Weak instruments in instrumental variables regression, Annual Review of
    Economics 11.
    """
    k = len(both.value) - 1
    takeup = both.scores[:, k]
    variance, cross = both.variance, takeup @ both.scores
    found = []
    for i in range(k):
        quantile = float(stats.t.ppf((1 + level) / 2, both.df[i]))
        covariance = np.array([[variance[i], cross[i]], [cross[i], variance[k]]])
        found.append(fieller(float(both.value[i]), float(both.value[k]), covariance, quantile))
    return found


def participation(study: Study, plan: Plan) -> pd.DataFrame:
    """Set out the first stage, and the effect on participants with an interval that holds.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.

    Returns
    -------
    DataFrame
        As `schemas.PARTICIPATION`: by outcome column, arm and group, of the lead estimator.
        The effect of the offer on taking part is the share of compliers. The gap has no
        interval of Anderson and Rubin: it is a difference of two ratios. No rows where the
        plan names no take-up.
    """
    plan, parts = with_default(plan, study), list[dict[str, object]]()
    if study.takeup is not None:
        for batch in batches(study, plan):
            known = batch.observed & ~np.isnan(study.takeup)
            both = np.column_stack([batch.y, np.nan_to_num(study.takeup)])
            fits = fits_by_group(study, plan, plan.estimators[0], both, known, batch.covariates)
            late = taking_part(study, fits, plan.estimators[0])
            for key in late:
                parts += _rows(study, plan, batch, key, fits, late[key])
    table = pd.DataFrame(parts, columns=["column", *schemas.PARTICIPATION.columns])
    labels = {study.label(c): i for i, c in enumerate(study.contrasts)}
    order = {g: i for i, g in enumerate([*list(study.groups)[:3], GAP, *list(study.groups)[3:]])}
    keys = (table["group"].map(order), table["arm"].map(labels), table["column"])
    table = table.iloc[np.lexsort([k.to_numpy() for k in keys])]
    return table.drop(columns="column").reset_index(drop=True)


def _rows(
    study: Study, plan: Plan, batch: Batch, key: Key, fits: Mapping[Key, Fit], late: Fit
) -> list[dict[str, object]]:
    group, contrast = key
    assert study.takeup is not None
    fit, level, every = fits[key], plan.analysis.level, plan.outcome_columns
    sides = [fit.rows & (study.arm == a) for a in contrast]
    shares = [_share(study, side) if group != GAP else None for side in sides]
    takers = [int((side & (study.takeup == 1)).sum()) if group != GAP else None for side in sides]
    first = None if fit.effects is None else first_stage(fit.effects)
    numbers: dict[str, object] = {}
    if first is not None:
        size, error = float(first.value[0]), float(first.std_error[0])
        if error <= EXACT:  # what is left is of rounding
            size, error = round(size, DIGITS), 0.0
        numbers = {"compliers": size, "compliers_se": error, "df": float(first.df[0])}
        if group != GAP and error > 0:
            numbers["f"] = (size / error) ** 2
    weak = late.effects is None or group == GAP or fit.effects is None
    sets = [] if weak or fit.effects is None else anderson_rubin(fit.effects, level)
    low, high = late.effects.interval(level) if late.effects else (None, None)
    rows = []
    for i, position in enumerate(batch.columns):
        column = every[position]
        row: dict[str, object] = {
            "column": position,
            "outcome": column.outcome,
            "month": column.month,
            "arm": study.label(contrast),
            "group": group,
            "estimator": plan.estimators[0],
            "takeup_treated": shares[0],
            "takeup_control": shares[1],
            **numbers,
            "level": level,
            "n": int(fit.rows.sum()),
            "n_treated": int(sides[0].sum()),
            "n_control": int(sides[1].sum()),
            "unit": plan.outcomes[column.outcome].unit,
            "note": joined(list(late.notes)),
            "takers_treated": takers[0],
            "takers_control": takers[1],
        }
        if late.effects is not None and low is not None and high is not None:
            row |= {"effect": late.effects.value[i], "conf_low": low[i], "conf_high": high[i]}
        if sets:
            row |= {"ar_low": sets[i].low, "ar_high": sets[i].high, "ar_set": sets[i].kind}
        rows.append(row)
    return rows


def _share(study: Study, rows: np.ndarray) -> float | None:
    """Return the weighted share who took part."""
    assert study.takeup is not None
    if not rows.any():
        return None
    weights = None if study.weight is None else study.weight[rows]
    return float(np.average(study.takeup[rows], weights=weights))


def compliers(study: Study, plan: Plan) -> pd.DataFrame:
    """Describe those who take part if offered and not otherwise, beside all.

    A complier's characteristic has the mean of the offer's effect on characteristic times
    take-up, over its effect on take-up; both are differences in means, within blocks.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.

    Returns
    -------
    DataFrame
        As `schemas.COMPLIERS`: by arm, group and covariate column. No rows where the plan names
        no take-up.

    References
    ----------
    Abadie (2003), Semiparametric instrumental variable estimation of treatment response
    models, Journal of Econometrics 113(2).
    """
    rows: list[dict[str, object]] = []
    if study.takeup is None:
        return pd.DataFrame(columns=list(schemas.COMPLIERS.columns))
    covariates = columns_of(study.covariates, all_levels=True)
    values, names = covariates.values, list(covariates.names)
    if plan.columns.both_genders:
        values = np.column_stack([study.groups["women"].astype(float), values])
        names = [WOMEN, *names]
    ones, w = [_ones(column) for column in values.T], study.weight
    for group, contrast, x, one in _characterised(study, plan, values):
        p, found = len(names), None
        if one.effects is not None and abs(one.effects.value[-1]) > NO_TAKEUP:
            found = one.effects.pick(slice(p)).over(one.effects.pick([2 * p] * p))
        own = None if w is None else w[one.rows]
        mean = np.average(x[one.rows], axis=0, weights=own) if one.rows.any() else None
        absent = np.isnan(values[one.rows]).sum(axis=0)
        taken = study.takeup == 1
        sides = [one.rows & (study.arm == a) for a in contrast]
        for i, name in enumerate(names):
            if name == WOMEN and group != "all":
                continue
            rows.append(
                {
                    "covariate": name,
                    "arm": study.label(contrast),
                    "group": group,
                    "mean_all": None if mean is None else mean[i],
                    "mean_compliers": None if found is None else found.value[i],
                    "std_error": None if found is None else found.std_error[i],
                    "n": int(one.rows.sum()),
                    "note": _said(one, found is not None, int(absent[i])),
                    **_behind(sides, taken, ones[i]),
                }
            )
    return pd.DataFrame(rows, columns=list(schemas.COMPLIERS.columns))


def _characterised(
    study: Study, plan: Plan, values: np.ndarray
) -> Iterator[tuple[str, tuple[int, int], np.ndarray, Fit]]:
    """Yield effects on characteristics times take-up, on both, in every group.

    What is missing takes the mean of the group, as in the regressions.
    """
    assert study.takeup is not None
    known, taken = ~np.isnan(study.takeup), np.nan_to_num(study.takeup)
    errors = errors_of(study, plan, "difference_in_means")
    for group, members in study.groups.items():
        rows, x = members & known, np.zeros_like(values)
        x[rows] = imputed(values[rows])
        y = np.column_stack([x * taken[:, None], x, taken])
        fits = fit(study, errors, "difference_in_means", y, rows, NONE)
        for contrast, one in zip(study.contrasts, fits, strict=True):
            if contrast[1] == 0 and values.shape[1]:
                yield group, contrast, x, one


def _said(fit: Fit, is_told: bool, absent: int) -> str:
    if not is_told:
        return joined(list(fit.notes)) or note("no_takeup")
    return note("imputed", n=absent) if absent else ""


def _ones(values: np.ndarray) -> np.ndarray | None:
    """Return who has the greater of two values, None where there are not two."""
    known = np.unique(values[~np.isnan(values)])
    return np.asarray(values == known[-1]) if len(known) == 2 else None


def _behind(
    sides: list[np.ndarray], taken: np.ndarray, ones: np.ndarray | None
) -> dict[str, int | None]:
    """Return the counts that a row gives away, by which the gate judges it."""
    found: dict[str, int | None] = {}
    for name, side in zip(("treated", "control"), sides, strict=True):
        found |= {
            f"n_{name}": int(side.sum()),
            f"takers_{name}": int((side & taken).sum()),
            f"ones_{name}": None if ones is None else int((side & ones).sum()),
            f"both_{name}": None if ones is None else int((side & taken & ones).sum()),
        }
    return found
