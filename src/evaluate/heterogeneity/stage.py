"""Who benefits: what the rule `conditional_effects` makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import pandas as pd

from evaluate import schemas
from evaluate.heterogeneity.distribution import distribution_rows
from evaluate.heterogeneity.heterogeneity_tests import test_rows
from evaluate.heterogeneity.learners import honest_by_learner
from evaluate.heterogeneity.projection_rows import conditional_rows
from evaluate.heterogeneity.signals import Case, NoSignals, Signals
from evaluate.heterogeneity.sorted_groups import sorted_rows
from evaluate.heterogeneity.sorted_profile import profile_rows
from evaluate.heterogeneity.targeting import targeting_rows
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import Study

FEWEST_TO_LEARN = 150  # persons of an arm: with fewer the first folds teach nothing
FEWEST_CLUSTERS = 30

Row = Mapping[str, object]


@dataclass(frozen=True)
class WhoBenefits:
    """Tables as of `schemas`, by the same names."""

    conditional_effects: pd.DataFrame
    heterogeneity_tests: pd.DataFrame
    sorted_groups: pd.DataFrame
    sorted_profile: pd.DataFrame
    effect_distribution: pd.DataFrame
    policies: pd.DataFrame
    policy_tree: pd.DataFrame
    targeting_curve: pd.DataFrame


def who_benefits(
    study: Study,
    plan: Plan,
    cases: Sequence[Case],
    seed: int,
    records: pd.DataFrame | None = None,
) -> WhoBenefits:
    """Ask of every case whether effects differ, between whom, and what targeting would be worth.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    cases : sequence of Signals or NoSignals
        The outcomes and contrasts, from `scores.cases_of`.
    seed : int
        Of splits and learners.
    records : DataFrame, optional
        As `schemas.COST_RECORDS`, where costs are those of the table `costs`.

    Returns
    -------
    WhoBenefits
        A case that cannot be looked into has a row that says why. Where less of an outcome is
        better, persons are sorted by how much lower it is predicted to be, and gains of rules are
        decreases; effects stay effects.
    """
    rows: dict[str, list[Row]] = {field.name: [] for field in fields(WhoBenefits)}
    for case in cases:
        for name, found in _of_case(study, plan, case, seed, records).items():
            schema = getattr(schemas, name.upper())
            context = {"outcome": case.outcome, "month": case.month, "arm": case.arm}
            if "unit" in schema.columns:
                context["unit"] = case.unit
            rows[name] += [context | dict(row) for row in found]
    return WhoBenefits(**{name: _table(name, found) for name, found in rows.items()})


def _of_case(
    study: Study, plan: Plan, case: Case, seed: int, records: pd.DataFrame | None
) -> dict[str, list[Row]]:
    level = plan.analysis.level
    if isinstance(case, NoSignals):
        untold = {"kind": "average", "group": "all", "level": level, "note": case.reason}
        return {
            "conditional_effects": [untold],
            "heterogeneity_tests": [_not_assessed(plan, case.reason)],
        }
    found: dict[str, list[Row]] = {"conditional_effects": [*conditional_rows(plan, case)]}
    why = _too_few(case)
    turned = plan.outcomes[case.outcome].better == "lower"
    gains = case.turned() if turned else case
    honest = {} if why else honest_by_learner(plan, gains, seed)
    lead = honest.get(plan.analysis.heterogeneity.learner)
    targeting = targeting_rows(plan, study, gains, lead, seed, records)
    found |= {
        "policies": [*targeting.policies],
        "policy_tree": [*targeting.tree],
        "targeting_curve": [*targeting.curve],
    }
    if lead is None:
        return found | {"heterogeneity_tests": [_not_assessed(plan, why)]}
    sign = -1 if turned else 1
    effects = replace(lead, effect=sign * lead.effect)
    return found | {
        "heterogeneity_tests": [_as_effect(r, sign) for r in test_rows(plan, gains, honest)],
        "sorted_groups": [_as_effect(r, sign) for r in sorted_rows(plan, gains, lead)],
        "sorted_profile": [*profile_rows(plan, gains, lead)],
        "effect_distribution": [*distribution_rows(plan, case, effects)],
    }


def _as_effect(row: Row, sign: int) -> Row:
    """Return a row of gains as one of effects: the outcome is what the plan says it is."""
    if sign > 0 or row.get("test") == "calibration":  # a coefficient is the same of both
        return row
    low, high = row.get("conf_low"), row.get("conf_high")
    ends = {"conf_low": high, "conf_high": low}
    told = {name: row.get(name) for name in ("estimate", "predicted")} | ends
    return {**row} | {name: -value for name, value in told.items() if value is not None}  # type: ignore[operator]


def _too_few(case: Signals) -> str:
    """Return why nothing is learned from a case; empty where there are persons enough."""
    arms = [int(arm.sum()) for arm in (case.treated, ~case.treated)]
    if min(arms) < FEWEST_TO_LEARN:
        return note("few_to_learn", treated=arms[0], control=arms[1], least=FEWEST_TO_LEARN)
    if case.cluster is not None:
        clusters = len(pd.unique(case.cluster))
        if clusters < FEWEST_CLUSTERS:
            return note("few_clusters_to_learn", n=clusters, least=FEWEST_CLUSTERS)
    return ""


def _not_assessed(plan: Plan, why: str) -> Row:
    return {
        "learner": plan.analysis.heterogeneity.learner,
        "test": "calibration",
        "lead": True,
        "verdict": "not assessed",
        "level": plan.analysis.level,
        "note": why,
    }


def _table(name: str, rows: Sequence[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(getattr(schemas, name.upper()).columns))
    return table.replace("", None).assign(note=table["note"].fillna(""))
