"""How far the findings can be trusted: hidden factors, refuters, other analyses, a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.effects.observational.estimands import effects_by_group
from evaluate.effects.observational.samples import Samples
from evaluate.effects.sensitivity import hidden, refutations
from evaluate.effects.sensitivity.alternatives import (
    Contrast,
    Found,
    fit_alternatives,
    fit_plan,
    own,
)
from evaluate.effects.sensitivity.evidence import Place, evidence
from evaluate.effects.sensitivity.hidden_long import of_long
from evaluate.effects.sensitivity.long_factors import long_factors
from evaluate.effects.sensitivity.negative_controls import negative_control_rows
from evaluate.effects.sensitivity.questions import (
    Asked,
    Case,
    against_control,
    asked,
    by_gender,
    groups_of,
    lead_of,
    questions,
    smaller,
)
from evaluate.effects.sensitivity.specifications import (
    Row,
    Rows,
    effects_rows,
    key_of,
    most_left_out,
    specification_rows,
    table_of,
)
from evaluate.effects.sensitivity.verdict import judge
from evaluate.errors import DesignError
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study


@dataclass(frozen=True)
class SensitivityStage:
    """What the rule `sensitivity` makes: tables as in `schemas` by the same names."""

    sensitivity: pd.DataFrame
    refutations: pd.DataFrame
    specifications: pd.DataFrame
    verdict: pd.DataFrame


def sensitivity_stage(
    study: Study, plan: Plan, tables: Mapping[str, pd.DataFrame], seed: int
) -> SensitivityStage:
    """Ask of each primary outcome what would undo its finding.

    Parameters
    ----------
    study : Study
        The persons, with propensities.
    plan : Plan
        The programme file.
    tables : mapping of str to DataFrame
        ``effects``, ``design_checks``, ``balance``, ``overlap``, ``graph`` and
        ``event_study``, exact.
    seed : int
        Of the refuters' draws, and of folds of other analyses than the plan's.

    Returns
    -------
    SensitivityStage
        Without rows for other designs than observational ones. Of more than 50,000 persons
        other analyses, refuters and pairs are of so many drawn at random within arms, and say
        so; robustness values, E-values and the plan's own analyses are of all.
    """
    made: dict[str, list[Row]] = {"sensitivity": [], "refutations": [], "specifications": []}
    verdicts: list[Row] = []
    if plan.is_observational:
        study = by_gender(study, plan)
        there = smaller(study, seed)
        effects = effects_rows(tables["effects"], plan)
        chosen = questions(plan)
        whole = there is study
        fits: list[tuple[Asked, Found]] = [
            (one, fit_plan(there, plan, one)) for one in asked(there, plan, chosen)
        ]
        undone = {c: hidden.Undone() for c in against_control(study)}
        primary = [q for q in chosen if q.role == "primary"]
        for one in asked(study, plan, primary):
            own_fits = next(f for a, f in fits if one.questions[0] in a.questions)
            same = own_fits if whole else None
            for contrast in undone:
                _undo(undone[contrast], study, there, plan, one, contrast, effects, same)
        for one in asked(there, plan, primary):
            for contrast in undone:
                made["refutations"] += _refute(there, plan, one, contrast, effects, seed)
                made["refutations"] += negative_control_rows(there, plan, one, contrast)
        for one, found in fits:
            strength = {k: v for u in undone.values() for k, v in u.strength.items()}
            left_out = most_left_out(plan, one, strength)
            found |= fit_alternatives(there, plan, one, found, left_out, seed)
            made["specifications"] += specification_rows(
                there, plan, one, found, effects, list(undone), whole
            )
        for contrast, sums in undone.items():
            made["sensitivity"] += sums.rows
            for question in primary:
                for group in groups_of(plan):
                    place = Place(question, contrast, study.label(contrast), group)
                    known = evidence(
                        there, plan, place, tables, effects, fits, sums, made["refutations"]
                    )
                    verdict, reason = judge(known)
                    labels = {"outcome": question.outcome, "month": question.month}
                    labels |= {"arm": place.arm, "group": group}
                    verdicts.append({**labels, "verdict": verdict, "reason": reason})
    alone = () if plan.columns.both_genders else plan.columns.genders
    done = {**made, "verdict": verdicts}
    return SensitivityStage(
        *(
            table_of(_of_one_gender(rows, alone), getattr(schemas, name.upper()))
            for name, rows in done.items()
        )
    )


def _of_one_gender(rows: list[Row], genders: tuple[str, ...]) -> list[Row]:
    """Repeat the rows of all for the only gender there is."""
    if not genders:
        return rows
    return [{**row, "group": group} for group in ("all", *genders) for row in rows]


def _cases(study: Study, plan: Plan, one: Asked, contrast: Contrast) -> dict[str, Case]:
    """Return the persons of a contrast by group; nothing of groups that lack an arm."""
    samples, found = Samples(study, plan, one.observed, one.covariates), {}
    for group in study.groups:
        try:
            arranged = samples.of(group, contrast)
        except DesignError:
            continue
        y = one.y[arranged.rows]
        found[group] = Case(plan, one.questions, study.label(contrast), group, arranged, y)
    return found


def _undo(
    undone: hidden.Undone,
    study: Study,
    there: Study,
    plan: Plan,
    one: Asked,
    contrast: Contrast,
    effects: Rows,
    fits: Found | None,
) -> None:
    """Add what would undo the findings of one contrast, by all methods."""
    cases = _cases(study, plan, one, contrast)
    pairs = cases if there is study else _cases(there, plan, _again(there, plan, one), contrast)
    for group, case in cases.items():
        for j, question in enumerate(one.questions):
            key = key_of(question.outcome, question.month, case.arm, lead_of(plan), group)
            if key in effects:
                hidden.e_values(undone, case, j, effects[key])
        try:
            hidden.of_regression(undone, case)
        except DesignError as error:
            undone.rows += hidden.refused(case, "regression", "robustness_value", error)
        if group in pairs:
            mine = pairs[group]
            exact = _genders(there, mine) if group == "all" else None
            try:
                hidden.of_pairs(undone, mine, exact)
            except DesignError as error:
                undone.rows += hidden.refused(mine, "matching", "rosenbaum", error)
    if "aipw" not in plan.estimators or "all" not in cases:
        return
    case = cases["all"]
    if fits is None:
        samples = Samples(study, plan, one.observed, one.covariates)
        by_group = effects_by_group(samples, "aipw", one.y)
    else:
        chosen = own(study, plan, one, "aipw")
        by_group = {(g, c): f for (s, g, c), f in fits.items() if s == chosen and g != GAP}
    known = {g: f.effects for (g, c), f in by_group.items() if c == contrast and f.effects}
    members = {g: study.groups[g][case.one.rows] for g in study.groups}
    drawn = None if there is study else _drawn(case, there.n)
    analysis = plan.analysis
    try:
        found = long_factors(
            case.one, case.y, members, known, analysis.estimand, analysis.propensity.clip, drawn
        )
    except DesignError as error:
        undone.rows += hidden.refused(case, "aipw", "long_story_short", error)
        return
    of_long(undone, case, found, 0 if drawn is None else int(drawn.sum()))


def _again(study: Study, plan: Plan, one: Asked) -> Asked:
    return next(a for a in asked(study, plan, one.questions) if a.questions == one.questions)


def _drawn(case: Case, most: int) -> np.ndarray:
    """Return persons of either arm, every so many of them, ``most`` in all, shape (m,)."""
    treated, found = case.one.treated, np.zeros(len(case.one.treated), dtype=bool)
    step = max(len(treated) / most, 1.0)
    for arm in (treated, ~treated):
        here = np.flatnonzero(arm)
        found[here[np.arange(0, len(here), step).astype(int)]] = True
    return found


def _genders(study: Study, case: Case) -> np.ndarray | None:
    """Return codes of gender in which pairs must agree, shape (m,)."""
    if not case.plan.columns.both_genders:
        return None
    return (study.groups["women"] + 2 * study.groups["men"])[case.one.rows]


def _refute(
    study: Study, plan: Plan, one: Asked, contrast: Contrast, effects: Rows, seed: int
) -> list[Row]:
    rows: list[Row] = []
    for group, case in _cases(study, plan, one, contrast).items():
        errors = {
            estimator: [
                float(str(effects[key]["std_error"])) if key in effects else np.nan
                for q in one.questions
                for key in [key_of(q.outcome, q.month, case.arm, estimator, group)]
            ]
            for estimator in ("regression", "aipw")
        }
        rows += refutations.refutation_rows(case, errors, seed, refutations.DRAWS)
    return rows
