"""What the tables and fits say of a finding, gathered for its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.design.graph_plan import TREATMENT
from evaluate.effects.sensitivity.alternatives import (
    RAW,
    Contrast,
    Found,
    Specification,
    adjusted,
    own,
)
from evaluate.effects.sensitivity.hidden import Undone
from evaluate.effects.sensitivity.questions import Asked, Question, lead_of
from evaluate.effects.sensitivity.specifications import Row, Rows, key_of
from evaluate.effects.sensitivity.verdict import Estimate, Evidence, Placebo, Rival
from evaluate.notes import NOTES
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

FEW = 30.0  # persons that weights are worth
LARGEST = 0.1  # part of the weight that one person has
MANY = 0.1  # of the treated
UNBALANCED = 0.1  # standard deviations
WEIGHTS = {"matching": "matching", "entropy_balancing": "entropy_balancing"}  # others: ipw


@dataclass(frozen=True)
class Place:
    """A primary outcome in one contrast and group.

    Attributes
    ----------
    question : Question
        The outcome.
    contrast : (int, int)
        As in ``study.contrasts``.
    arm, group : str
        As in the tables.
    """

    question: Question
    contrast: Contrast
    arm: str
    group: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The groups whose tables tell of this one: of the gap, both women and men."""
        return ("women", "men") if self.group == GAP else (self.group,)


def evidence(
    study: Study,
    plan: Plan,
    place: Place,
    tables: Mapping[str, pd.DataFrame],
    effects: Rows,
    asks: Sequence[tuple[Asked, Found]],
    undone: Undone,
    refutations: Sequence[Row],
) -> Evidence:
    """Gather what is known of a primary outcome in one contrast and group.

    Parameters
    ----------
    study : Study
        The persons that the fits rest on.
    plan : Plan
        The programme file.
    place : Place
        Which outcome, contrast and group.
    tables : mapping of str to DataFrame
        As for `stage.sensitivity_stage`.
    effects : mapping
        From `specifications.effects_rows`.
    asks : sequence of (Asked, dict)
        All questions with their fits, the plan's own and others.
    undone : Undone
        Of the same contrast.
    refutations : sequence of dict
        Rows of `schemas.REFUTATIONS`.
    """
    question = place.question
    key = question.outcome, place.group
    hidden = undone.as_strong.get(key, {})
    warned = [
        str(r["refuter"])
        for r in refutations
        if r["verdict"] == "warn"
        and (r["outcome"], r["arm"]) == (question.outcome, place.arm)
        and r["group"] in place.parts
    ]
    estimators, trims, models = _rivals(plan, place, asks, study)
    known = Evidence(
        lead=_effect(effects, question, place, lead_of(plan)),
        level=plan.analysis.level,
        placebos=_placebos(study, plan, place, effects, asks),
        estimators=estimators,
        trims=trims,
        models=models,
        hidden=tuple(sorted(hidden, key=hidden.__getitem__)) if key in undone.assessed else None,
        refuters=tuple(dict.fromkeys(warned)),
    )
    return _with_tables(known, plan, place, tables)


def _effect(effects: Rows, question: Question, place: Place, estimator: str) -> Estimate | None:
    """Return a row of the effects as an estimate, None where it has none."""
    row = effects.get(key_of(question.outcome, question.month, place.arm, estimator, place.group))
    if row is None or np.isnan(float(str(row["estimate"]))):
        return None
    value, error, df = (float(str(row[c])) for c in ("estimate", "std_error", "df"))
    return Estimate(estimator, value, error, df if np.isfinite(df) else np.inf)


def _placebos(
    study: Study, plan: Plan, place: Place, effects: Rows, asks: Sequence[tuple[Asked, Found]]
) -> tuple[Placebo, ...]:
    found, lead = [], lead_of(plan)
    for asked, fits in asks:
        for i, question in enumerate(asked.questions):
            if question.role != "placebo":
                continue
            others = []
            for estimator in adjusted(plan):
                one = _effect(effects, question, place, estimator)
                if one is None and estimator not in plan.estimators:
                    chosen = own(study, plan, asked, estimator)
                    one = _fitted(fits, (chosen, place.group, place.contrast), i, estimator)
                if one is not None and estimator != lead:
                    others.append(one)
            mine = _effect(effects, question, place, lead)
            scale = 1.0
            if question.unit != place.question.unit:
                scale = _spread(study, place, place.question) / _spread(study, place, question)
            found.append(Placebo(question.outcome, mine, tuple(others), scale))
    return tuple(found)


def _fitted(
    fits: Found, key: tuple[Specification, str, Contrast], i: int, name: str
) -> Estimate | None:
    fit = fits.get(key)
    if fit is None or fit.effects is None:
        return None
    one = fit.effects.pick([i])
    return Estimate(name, float(one.value[0]), float(one.std_error[0]), float(one.df[0]))


def _spread(study: Study, place: Place, question: Question) -> float:
    """Return the standard deviation among those compared."""
    members = np.any([study.groups[g] for g in place.parts], axis=0)
    y = study.y[members & (study.arm == place.contrast[1]), question.column]
    return float(np.nanstd(y)) if np.isfinite(y).sum() > 1 else np.nan


def _rivals(
    plan: Plan, place: Place, asks: Sequence[tuple[Asked, Found]], study: Study
) -> tuple[tuple[Rival, ...], ...]:
    """Return other estimators, and the lead with other trimming and another model."""
    asked, fits = next(a for a in asks if place.question in a[0].questions)
    i, at = asked.questions.index(place.question), (place.group, place.contrast)
    lead = own(study, plan, asked, lead_of(plan))
    base = fits.get((lead, *at))
    kinds: dict[str, list[Rival]] = {"estimators": [], "trims": [], "models": []}
    if base is None or base.effects is None:
        return (), (), ()
    for chosen, group, contrast in fits:
        fit = fits[chosen, group, contrast]
        if (group, contrast) != at or chosen == lead or fit.effects is None:
            continue
        same = plan.estimand_of(chosen.estimator) == plan.estimand_of(lead.estimator)
        if chosen.estimator != RAW and chosen == own(study, plan, asked, chosen.estimator):
            kind, name = "estimators", chosen.estimator
        elif chosen.estimator != lead.estimator or chosen.covariates != "all":
            continue
        elif chosen.propensity == lead.propensity:
            kind, name = "trims", chosen.trim
        elif chosen.trim == lead.trim:
            kind, name = "models", chosen.propensity
        else:
            continue
        one = fit.effects.pick([i])
        apart = one - base.effects.pick([i])
        difference = Estimate(name, float(apart.value[0]), float(apart.std_error[0]))
        if np.isfinite(one.value[0]):
            rival = Rival(name, float(one.value[0]), difference if same else None)
            kinds[kind].append(rival)
    return tuple(tuple(rivals) for rivals in kinds.values())


def _with_tables(
    known: Evidence, plan: Plan, place: Place, tables: Mapping[str, pd.DataFrame]
) -> Evidence:
    """Add what the stages before have found.

    Of the graph an independence that fails counts where a common cause of its two nodes would
    leave a backdoor path open; the falsification by shuffled names does not, for it tells how
    much the graph says, not whether the covariates close its paths.
    """

    def here(name: str, *groups: str) -> pd.DataFrame:
        table = tables[name]
        return table[(table["arm"] == place.arm) & table["group"].isin(groups or place.parts)]

    overlap, balance = here("overlap"), here("balance")
    treated = overlap[overlap["side"] == "treated"]
    total = treated["n"].astype(float)
    small = (overlap["effective"] < FEW) | (overlap["largest"] > LARGEST)
    after = balance[balance["adjusted"].fillna(False).astype(bool)]
    weights = WEIGHTS.get(lead_of(plan), "ipw")
    if (after["weights"] == weights).any():
        after = after[after["weights"] == weights]
    after = after.assign(size=after["smd"].abs()).sort_values("size", ascending=False)
    off = after.loc[after["size"] > UNBALANCED, "covariate"]
    graph = tables["graph"]
    graph = graph[graph["verdict"] == "warn"]
    arrow = f"{TREATMENT} -> {place.question.outcome}"
    about = [str(statement).partition(" | ")[0] == arrow for statement in graph["statement"]]
    unclosed = (graph["kind"] == "adjustment_set") & np.array(about, dtype=bool)
    harmless = (
        graph["note"].fillna("").astype(str).str.contains(NOTES["graph_harmless"], regex=False)
    )
    contradicts = (graph["kind"] == "independence") & ~harmless
    events = here("event_study", place.group)
    trends = events[(events["kind"] == "pre_trend") & (events["outcome"] == place.question.outcome)]
    column = plan.outcome_columns[place.question.column].name
    checks = tables["design_checks"]
    missing = checks[(checks["check"] == f"attrition:{column}") & (checks["verdict"] == "warn")]
    return replace(
        known,
        unlike=bool((treated["outside"].astype(float) > MANY * total).any()),
        trimmed=bool((treated["trimmed"].astype(float) > MANY * total).any()),
        few=bool(small.any()),
        unbalanced=tuple(dict.fromkeys(off)),
        unclosed=bool(unclosed.any()),
        contradicted=bool(contradicts.any()),
        pre_trend=bool((trends["p_value"] < 1 - plan.analysis.level).any()),
        attrition=bool(missing["group"].isin(["all", *place.parts]).any()),
    )
