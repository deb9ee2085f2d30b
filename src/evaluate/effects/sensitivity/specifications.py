"""The table of one outcome by all reasonable analyses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.typing import NAType

from evaluate import schemas
from evaluate.effects.fit import Fit
from evaluate.effects.sensitivity.alternatives import (
    RAW,
    RULES,
    Found,
    Specification,
    adjusted,
    own,
    uses_scores,
)
from evaluate.effects.sensitivity.questions import Asked, Question, groups_of, lead_of
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import Study

MOST_ROWS = 60  # of an outcome, contrast and group
KEY = ["outcome", "month", "arm", "estimator", "group"]
COPIED = (
    "estimate", "std_error", "conf_low", "conf_high", "p_value", "level", "n", "n_treated",
    "n_control", "unit", "note",
)  # fmt: skip
FLAT = 1e-10  # standard error, relative to the outcome, below which nothing varies
Row = dict[str, object]
Rows = Mapping[tuple[object, ...], Mapping[str, object]]  # of the table of effects


def effects_rows(effects: pd.DataFrame, plan: Plan) -> Rows:
    """Return the rows of the plan's estimands by outcome, month, arm, estimator and group."""
    wanted = [
        plan.estimand_of(e) == estimand
        for e, estimand in zip(effects["estimator"], effects["estimand"], strict=True)
    ]
    rows = effects[wanted].to_dict("records")
    return {key_of(*(row[c] for c in KEY)): {str(k): v for k, v in row.items()} for row in rows}


def key_of(
    outcome: str, month: int | NAType | None, arm: str, estimator: str, group: str
) -> tuple[object, ...]:
    """Return the place of a row, with None where there is no month."""
    return outcome, None if pd.isna(month) else int(month), arm, estimator, group


def specification_rows(
    study: Study,
    plan: Plan,
    asked: Asked,
    found: Found,
    effects: Rows,
    contrasts: Sequence[tuple[int, int]],
    whole: bool,
) -> list[Row]:
    """Return the rows of some questions: the plan's own analyses as in the effects, then others.

    Parameters
    ----------
    study : Study
        The persons that ``found`` rests on.
    plan : Plan
        The programme file.
    asked : Asked
        The questions.
    found : dict
        From `alternatives.fit_plan` and `alternatives.fit_alternatives`.
    effects : mapping
        From `effects_rows`.
    contrasts : sequence of (int, int)
        Which to tell of.
    whole : bool
        Whether ``study`` is all persons; otherwise rows say that they rest on some.

    Returns
    -------
    list of dict
        The lead first, then the others of the plan, the raw comparison, and the others.
    """
    rows: list[Row] = []
    lead = lead_of(plan)
    mine = [own(study, plan, asked, e) for e in (*adjusted(plan), RAW)]
    others = [s for s in dict.fromkeys(s for s, _, _ in found) if s not in mine]
    drawn = [] if whole else [note("drawn", n=f"{study.n:,}")]
    for i, question in enumerate(asked.questions):
        for contrast in contrasts:
            arm = study.label(contrast)
            for group in groups_of(plan):
                first = {
                    "outcome": question.outcome,
                    "month": question.month,
                    "arm": arm,
                    "group": group,
                    "role": question.role,
                }
                for one in (*mine, *others):
                    row = (
                        first | _labels(one, plan) | {"lead": one in mine and one.estimator == lead}
                    )
                    key = key_of(question.outcome, question.month, arm, one.estimator, group)
                    if one in mine and key in effects:
                        rows.append(row | {c: effects[key][c] for c in COPIED})
                    elif (one, group, contrast) in found:
                        fit = found[one, group, contrast]
                        rows.append(row | _numbers(study, plan, question, fit, i, drawn))
    return rows


def _labels(one: Specification, plan: Plan) -> Row:
    return {
        "estimand": plan.estimand_of(one.estimator),
        "estimator": one.estimator,
        "trim": one.trim,
        "propensity": one.propensity or None,
        "covariates": one.covariates,
    }


def _numbers(
    study: Study, plan: Plan, question: Question, fit: Fit, i: int, drawn: Iterable[str]
) -> Row:
    """Return estimate, error, interval and counts; empty where nothing varies."""
    level = plan.analysis.level
    persons = [fit.rows & (study.arm == a) for a in range(len(study.arms))]
    control = int(persons[0].sum())
    row: Row = {
        "level": level,
        "n": int(fit.rows.sum()),
        "n_treated": int(fit.rows.sum()) - control,
        "n_control": control,
        "unit": question.unit,
        "note": joined([*fit.notes, *drawn]),
    }
    empty = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high", "p_value"), np.nan)
    if fit.effects is None:
        return row | empty
    one = fit.effects.pick([i])
    largest = np.abs(study.y[fit.rows, question.column]).max(initial=0)
    if not (np.isfinite(one.std_error[0]) and one.std_error[0] > FLAT * largest):
        return row | empty | {"note": note("no_spread")}
    low, high = one.interval(level)
    return row | {
        "estimate": one.value[0],
        "std_error": one.std_error[0],
        "conf_low": low[0],
        "conf_high": high[0],
        "p_value": one.p_value[0],
    }


def table_of(rows: list[Row], schema: object = schemas.SPECIFICATIONS) -> pd.DataFrame:
    """Return rows as a table, its months and counts whole numbers."""
    columns = list(schema.columns)  # type: ignore[attr-defined]
    table = pd.DataFrame(rows, columns=columns)
    for name in ("month", "n", "n_treated", "n_control", "draws", "failed"):
        if name in table:
            table[name] = table[name].astype("Int64")
    return table


def most_left_out(plan: Plan, asked: Asked, strength: Mapping[str, float]) -> list[str]:
    """Return the covariates to leave out, the strongest where there is no room for all.

    None for placebo outcomes: what is asked of them is whether the adjustment is enough.

    Parameters
    ----------
    plan : Plan
        The programme file.
    asked : Asked
        The questions.
    strength : mapping of str to float
        By covariate, see `hidden.Undone`.
    """
    if all(question.role == "placebo" for question in asked.questions):
        return []
    names = list(dict.fromkeys(asked.covariates.sources))
    names = [n for n in names if n in {c.column for c in plan.covariate_list}]
    on_scores = sum(uses_scores(plan, e) for e in adjusted(plan))
    models = 2 if plan.analysis.propensity.model == "selected" else 1
    rules = len(dict.fromkeys((plan.analysis.propensity.trim, *RULES)))
    others = len(adjusted(plan)) - on_scores
    room = max(MOST_ROWS - 1 - rules * (models * on_scores + others), 0) // 2
    if len(names) <= room:
        return names
    chosen = sorted(names, key=lambda n: -strength.get(n, 0.0))[:room]
    return [n for n in names if n in chosen]
