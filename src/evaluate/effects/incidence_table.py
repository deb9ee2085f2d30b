"""The table of cumulative incidence: first entries by month, arm and gender."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.effects.arm_means import two_arms
from evaluate.effects.bands import band, critical_value
from evaluate.effects.incidence import (
    Durations,
    Incidence,
    aalen_johansen,
    area,
    durations,
)
from evaluate.effects.path_tables import GROUPS, Draws, Row, numbers
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

SIDES = ("treated", "control")
COUNTS = ("at_risk", "n_entered", "n_competing")


@dataclass(frozen=True)
class Entries:
    """First entries of all persons, and what competes with them.

    Attributes
    ----------
    months : tuple of int
        The months.
    found : Durations
        Of all persons of the study.
    competing : bool
        Whether exits compete.
    """

    months: tuple[int, ...]
    found: Durations
    competing: bool


@dataclass(frozen=True)
class Pair:
    """Incidence of both arms in one group, or why there is none.

    Attributes
    ----------
    arms : tuple of Incidence, or empty
        Treated and control.
    n : tuple of int
        Persons of each.
    counts : tuple of dict of str to ndarray
        Of each arm, by the names in ``COUNTS``.
    notes : tuple of str
        What a reader must know; the reason where there is no estimate.
    """

    arms: tuple[Incidence, ...]
    n: tuple[int, ...]
    counts: tuple[dict[str, np.ndarray], ...]
    notes: tuple[str, ...]


def incidence_table(study: Study, plan: Plan, draws: Draws) -> pd.DataFrame:
    """Return the cumulative incidence of each outcome that is a first entry by month.

    An outcome that is but an exit from others is told with these.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file; `competing` of an outcome names the exits.
    draws : callable
        Gives the generator of an outcome, arm and group, for the band's critical value.

    Returns
    -------
    DataFrame
        As `schemas.INCIDENCE`. By month: ``incidence_treated`` and ``incidence_control``,
        their ``difference`` with its interval and a band that holds for all months at once,
        and the same of the exits, ``competing_...``, without a band. For the last month that
        somebody is at risk in, in every group: ``restricted_mean_...``, the months before the
        first entry, or, where exits compete, ``time_lost_...``, the months after it. Without
        rows where no lottery decided: the arms are then not alike, and the effects on the
        share who have entered by a month, which are adjusted, are in the table of effects.
    """
    rows: list[Row] = []
    if plan.is_observational:
        return pd.DataFrame(rows, columns=[*schemas.INCIDENCE.columns])
    exits = {name for o in plan.outcomes.values() for name in o.competing}
    for outcome, stated in plan.outcomes.items():
        if stated.measure != "entered" or (outcome in exits and not stated.competing):
            continue
        entries = _entries(study, plan, outcome)
        if entries is None:
            continue
        for contrast in study.contrasts:
            pairs = _pairs(study, plan, entries, contrast)
            last = min((_last(p) for p in pairs.values() if p.arms), default=-1)
            label = study.label(contrast)
            for group, pair in pairs.items():
                context = {"outcome": outcome, "arm": label, "group": group}
                rng = draws(outcome, label, group)
                for row in _rows(plan, entries, pair, last, group == GAP, rng):
                    rows.append(context | row)
    table = pd.DataFrame(rows, columns=list(schemas.INCIDENCE.columns))
    return table.assign(level=plan.analysis.level)


def _entries(study: Study, plan: Plan, outcome: str) -> Entries | None:
    """Arrange the months of an outcome, and of what competes with it."""
    columns = plan.outcome_columns

    def of(name: str) -> np.ndarray:
        return study.y[:, [i for i, c in enumerate(columns) if c.outcome == name]]

    months = tuple(c.month for c in columns if c.outcome == outcome and c.month is not None)
    if len(months) < 2:
        return None
    entered, left = of(outcome), [of(name) for name in plan.outcomes[outcome].competing]
    return Entries(months, durations(entered, left), bool(left))


def _pairs(
    study: Study, plan: Plan, entries: Entries, contrast: tuple[int, int]
) -> dict[str, Pair]:
    """Estimate both arms of a contrast for all, women, men and the gap."""
    found: dict[str, Pair] = {}
    for group in (g for g in GROUPS if g in study.groups):
        sides, notes = two_arms(study, study.groups[group] & (entries.found.at >= 0), contrast)
        if sides is None:
            found[group] = Pair((), (), (), notes)
            continue
        arms, counts = [], []
        for side in sides:
            own = Durations(entries.found.at[side.persons], entries.found.cause[side.persons])
            arms.append(aalen_johansen(side, own, len(entries.months)))
            one = arms[-1]
            waiting = len(side.persons) - one.n_entered - one.n_left - one.n_lost
            told = (waiting, one.n_entered, one.n_left)
            counts.append(dict(zip(COUNTS, told, strict=True)))
        found[group] = Pair(
            tuple(arms), tuple(len(side.persons) for side in sides), tuple(counts), notes
        )
    if plan.columns.both_genders:
        found[GAP] = _gap(found["women"], found["men"])
    return found


def _gap(women: Pair, men: Pair) -> Pair:
    """Return women's incidence less men's."""
    if not (women.arms and men.arms):
        return Pair((), (), (), (note("no_gap"),))
    arms = tuple(
        replace(w, entered=w.entered - m.entered, left=w.left - m.left)
        for w, m in zip(women.arms, men.arms, strict=True)
    )
    n = tuple(w + m for w, m in zip(women.n, men.n, strict=True))
    return Pair(arms, n, ({}, {}), tuple(dict.fromkeys((*women.notes, *men.notes))))


def _last(pair: Pair) -> int:
    """Return the position of the last month in which both arms are told."""
    told = [np.flatnonzero(~np.isnan(arm.entered.value)) for arm in pair.arms]
    return min(int(t[-1]) if len(t) else -1 for t in told)


def _rows(
    plan: Plan, entries: Entries, pair: Pair, last: int, gap: bool, rng: np.random.Generator
) -> Iterator[Row]:
    """Yield the rows of one contrast and group."""
    level, notes, months = plan.analysis.level, joined(list(pair.notes)), entries.months
    share: Row = {"unit": "share", "note": notes}
    if not pair.arms:
        kinds = ["incidence_treated", "incidence_control", "difference"]
        for kind in kinds:
            yield from (share | {"kind": kind, "month": m} for m in months)
        return
    entered = [arm.entered for arm in pair.arms]
    names = [("incidence", entered)]
    if entries.competing:
        names.append(("competing", [arm.left for arm in pair.arms]))
    for name, sides in names:
        for k, side in enumerate(SIDES):
            for i, row in enumerate(_levels(sides[k], months, level, gap)):
                own = {c: v[i] for c, v in pair.counts[k].items()}
                yield share | {"kind": f"{name}_{side}", "n": pair.n[k]} | own | row
        difference = sides[0] - sides[1]
        kind = "difference" if name == "incidence" else f"{name}_difference"
        shared = share | {"kind": kind, "n": sum(pair.n)}
        critical = critical_value(difference, level, rng) if name == "incidence" else np.nan
        yield from (shared | row for row in _levels(difference, months, level, True, critical))
    if last < 1:
        return
    for k, side in enumerate((*SIDES, "difference")):
        found = entered[0] - entered[1] if side == "difference" else entered[k]
        time = area(found, months, last)
        kind = "time_lost"
        if not entries.competing:
            kind = "restricted_mean"
            whole = 0 if gap or side == "difference" else months[last]
            time = Estimates(whole - time.value, -time.scores, time.df)
        n = sum(pair.n) if side == "difference" else pair.n[k]
        yield share | {"kind": f"{kind}_{side}", "unit": "months", "n": n} | {
            "month": months[last], **numbers(time, 0, level)
        }  # fmt: skip


def _levels(
    estimates: Estimates,
    months: Sequence[int],
    level: float,
    signed: bool,
    critical: float = float("nan"),
) -> Iterator[Row]:
    """Yield estimates by month; an interval of a share lies within 0 and 1."""
    low, high = band(estimates, critical)
    for i, month in enumerate(months):
        row: Row = {"month": month}
        value = float(estimates.value[i])
        if np.isnan(value):
            yield row | {"note": note("nobody_at_risk")}
            continue
        row |= numbers(estimates, i, level)
        if "std_error" not in row:
            none: Row = {"estimate": value, "note": note("no_interval")}
            yield row | ({"note": note("constant")} if signed else none)
            continue
        if not signed:
            for end in ("conf_low", "conf_high"):
                row[end] = float(np.clip(float(str(row[end])), 0, 1))
        if np.isfinite(critical):
            row |= {"band_low": low[i], "band_high": high[i], "critical": critical}
        yield row
