"""The gap between women and men in the effects, explained: the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.effects.path_tables import numbers
from evaluate.estimates import Estimates
from evaluate.heterogeneity.access import access_rows
from evaluate.heterogeneity.composition import Composition, Parts, composition_of, gap_among
from evaluate.heterogeneity.gap_months import gaps_by_month, month_rows
from evaluate.heterogeneity.oaxaca_blinder import oaxaca_blinder
from evaluate.heterogeneity.reweighting import reweighted
from evaluate.heterogeneity.signals import Case, NoSignals, Signals
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.seeds import generator
from evaluate.study import Study

METHODS: Mapping[str, Callable[[Signals, Composition], Parts | str]] = {
    "reweighting": reweighted,
    "oaxaca_blinder": oaxaca_blinder,
}
FEW = 2  # persons, or clusters, of a gender
PARTS = ("same_composition", "composition")
Row = dict[str, object]


def gap_table(study: Study, plan: Plan, cases: Sequence[Case], seed: int) -> pd.DataFrame:
    """Say what lies behind the gap between women and men in the effects.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    cases : sequence of Signals or NoSignals
        Outcomes and contrasts that are looked into.
    seed : int
        Of the bands over months.

    Returns
    -------
    DataFrame
        As `schemas.GAP`; no rows where the plan does not name both genders. By case: the gap,
        what remains of it at the same composition, and the rest, by reweighting and by Oaxaca
        and Blinder's decomposition, which also splits the rest by covariate; unequal access
        against unequal effect, see `access`; and whether it opens early or late.
    """
    columns = list(schemas.GAP.columns)
    if not plan.columns.both_genders:
        return pd.DataFrame(columns=columns)
    level, rows = plan.analysis.level, list[Row]()
    contrasts = {study.label(c): c for c in study.contrasts}
    by_month = {case.outcome: gaps_by_month(study, plan, case.outcome) for case in cases}
    for case in cases:
        rng = generator(seed, "gap", case.outcome, case.arm)
        points = by_month[case.outcome].get(contrasts[case.arm], [])
        context: Row = {
            "outcome": case.outcome, "month": case.month, "arm": case.arm, "unit": case.unit,
            "level": level, "covariate": "", "dose": "", "note": "",
        }  # fmt: skip
        if isinstance(case, Signals):
            context |= {f"n_{g}": int(case.groups[g].sum()) for g in ("women", "men")}
        rows += [context | row for row in composition_rows(study, plan, case)]
        rows += [context | row for row in access_rows(study, plan, case)]
        rows += [context | row for row in month_rows(study, points, level, rng)]
    return pd.DataFrame(rows, columns=columns)


def composition_rows(study: Study, plan: Plan, case: Case) -> Iterator[Row]:
    """Yield the gap, and what remains of it at the same composition, by both methods."""
    level = plan.analysis.level
    found = case.reason if isinstance(case, NoSignals) else composition_of(study, plan, case)
    if isinstance(case, NoSignals) or not case.both_genders:
        for method, part in product(METHODS, ("gap", *PARTS)):
            yield {"method": method, "part": part, "note": str(found)}
        return
    among = case.groups["women"] | case.groups["men"]
    lacking = _lacking(case)
    gap = {"note": lacking} if lacking else _numbers(gap_among(case, among), level)
    for method, decomposed in METHODS.items():
        parts = found if isinstance(found, str) else decomposed(case, found)
        shown: Row = {"method": method, "note": joined(list(case.notes))}
        shown["least"] = _least(case, among)
        yield shown | {"part": "gap"} | gap
        if isinstance(parts, str) or isinstance(found, str):
            for part in PARTS:
                yield {"method": method, "part": part, "note": str(parts)}
            continue
        shown["note"] = joined([*case.notes, *found.notes, *parts.notes])
        shown["least"] = _least(case, found.compared)
        for part, one in zip(PARTS, (parts.same, parts.composition), strict=True):
            yield shown | {"part": part} | _numbers(one, level, parts.sure)
        for source, one in parts.by_source.items():
            yield shown | {"part": "composition", "covariate": source} | _numbers(one, level)


def _least(case: Signals, among: np.ndarray) -> int:
    """Return the number of the fewest women or men of an arm."""
    arms = (case.treated, ~case.treated)
    genders = (case.groups["women"], case.groups["men"])
    return min(int((among & arm & gender).sum()) for arm in arms for gender in genders)


def _lacking(case: Signals) -> str:
    """Say why there is no gap, if persons or clusters of a gender are too few for it."""
    for gender in ("women", "men"):
        there = case.groups[gender] & (case.share * case.weight > 0)
        if there.sum() < FEW:
            return note("gap_few", n=FEW)
        if case.cluster is not None and len(np.unique(case.cluster[there])) < FEW:
            return note("gap_few_clusters")
    return ""


def _numbers(estimates: Estimates, level: float, sure: bool = True) -> Row:
    """Return the numbers of an estimate; without an interval where it is not sure."""
    if not sure:
        return {"estimate": float(estimates.value[0])}
    found = numbers(estimates, 0, level)
    if not found:
        return {"note": note("no_spread")}
    return found | {"df": float(estimates.df[0]), "p_value": float(estimates.p_value[0])}
