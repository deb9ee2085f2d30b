"""Balance of a study without a lottery: covariates and prognosis, before and after weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.covariates import Covariates
from evaluate.design.observational_weights import KINDS, Weights, weights_of
from evaluate.design.propensity_stage import groups_within, levels_of, main_set, set_of
from evaluate.design.weighted_balance import balance_by_weights, prognosis
from evaluate.effects.observational.sample import with_gender
from evaluate.effects.observational.samples import Samples
from evaluate.errors import DesignError
from evaluate.plan.model import Plan
from evaluate.study import Study

PROGNOSIS = "prognosis:"
COLUMNS = list(schemas.BALANCE.columns)


def observational_balance(study: Study, plan: Plan) -> tuple[pd.DataFrame, dict[str, str]]:
    """Compare covariates, and the outcomes they predict without treatment, by arm.

    Parameters
    ----------
    study : Study
        The persons, with propensities.
    plan : Plan
        The programme file.

    Returns
    -------
    table : DataFrame
        As `schemas.BALANCE`: each contrast before, and after each kind of weights, for all,
        women, men and the gap; rows without numbers where a group has no weights. Predicted
        outcomes, of the persons who have them, are called ``prognosis:NAME``.
    reasons : dict of str to str
        Why there are no weights, by ``arm kind group``.
    """
    tables: list[pd.DataFrame] = []
    reasons: dict[str, str] = {}
    samples = Samples(
        study, plan, np.ones(study.n, dtype=bool), set_of(study, plan, main_set(plan))
    )
    for contrast in study.contrasts:
        rows = np.isin(study.arm, contrast)
        label, groups = study.label(contrast), groups_within(study, rows)
        groups = {g: m for g, m in groups.items() if _both(study.arm[rows][m], contrast)}
        if not groups:
            continue
        weights = weights_of(samples, contrast, tuple(groups))
        reasons |= {f"{label} {k} {g}": w for (k, g), w in weights.items() if isinstance(w, str)}
        after = _after(weights, rows)
        treated = study.arm[rows] == contrast[0]
        covariates = levels_of(study, plan, rows)
        weight = None if study.weight is None else study.weight[rows]
        estimand = plan.analysis.estimand
        table = balance_by_weights(covariates, treated, groups, after, estimand, weight, label)
        of_gender = table["covariate"].isin(_of_gender(covariates)) & (table["group"] != "all")
        tables.append(table[~of_gender])
        tables += _prognoses(study, plan, contrast, groups, after)
    if not tables:
        return pd.DataFrame(columns=COLUMNS), reasons
    return pd.concat(tables, ignore_index=True)[COLUMNS], reasons


def _both(arm: np.ndarray, contrast: tuple[int, int]) -> bool:
    return all((arm == a).any() for a in contrast)


def _of_gender(covariates: Covariates) -> list[str]:
    pairs = zip(covariates.names, covariates.sources, strict=True)
    return [name for name, source in pairs if source == "gender"]


def _after(weights: Weights, rows: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Arrange weights by kind and group, over the persons of a contrast."""
    found: dict[str, dict[str, np.ndarray]] = {
        k: {} for k in KINDS if any(k == w for w, _ in weights)
    }
    for (kind, group), one in weights.items():
        if not isinstance(one, str):
            found[kind][group] = one[rows]
    return found


def _prognoses(
    study: Study,
    plan: Plan,
    contrast: tuple[int, int],
    groups: dict[str, np.ndarray],
    after: dict[str, dict[str, np.ndarray]],
) -> list[pd.DataFrame]:
    """Compare predicted outcomes, those that the same persons have at once."""
    rows = np.isin(study.arm, contrast)
    alike: dict[tuple[str, bytes], list[int]] = {}
    for j in standing_columns(plan):
        outcome = plan.outcome_columns[j].outcome
        pattern = np.packbits(np.isnan(study.y[rows, j])).tobytes()
        alike.setdefault((plan.covariate_set(outcome), pattern), []).append(j)
    tables = []
    for (name, _), columns in alike.items():
        known = rows & ~np.isnan(study.y[:, columns[0]])
        of = known[rows]
        here = {g: m[of] for g, m in groups.items() if _both(study.arm[known][m[of]], contrast)}
        if "all" not in here:
            continue
        treated = study.arm[known] == contrast[0]
        weight = None if study.weight is None else study.weight[known]
        covariates = with_gender(study, plan, set_of(study, plan, name), known)
        covariates = replace(covariates, values=covariates.values[known])
        names = [plan.outcome_columns[j].name for j in columns]
        try:
            predicted = prognosis(
                study.y[np.ix_(known, columns)], names, covariates, treated, weight
            )
        except DesignError:
            continue  # too few to predict from: the estimators say so of the effects
        own = {
            kind: {
                g: w[of] for g, w in by_group.items()
                if g in here and all((w[of][here[g] & t] > 0).any() for t in (treated, ~treated))
            }
            for kind, by_group in after.items()
        }  # fmt: skip
        estimand, label = plan.analysis.estimand, study.label(contrast)
        tables.append(balance_by_weights(predicted, treated, here, own, estimand, weight, label))
    return tables


def standing_columns(plan: Plan) -> list[int]:
    """Return the outcome columns that stand for an outcome that is no placebo.

    Of several months the primary one does, or the last.
    """
    found: dict[str, int] = {}
    for j, column in enumerate(plan.outcome_columns):
        stated = plan.outcomes[column.outcome]
        is_other = column.outcome in found and stated.primary_month not in (None, column.month)
        if stated.role != "placebo" and not is_other:
            found[column.outcome] = j
    return list(found.values())
