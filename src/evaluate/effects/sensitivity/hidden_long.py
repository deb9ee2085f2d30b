"""Rows of the long story short: hidden factors behind the doubly robust estimate."""

from __future__ import annotations

import numpy as np

from evaluate.effects.imbens_manski import imbens_manski
from evaluate.effects.sensitivity import long_short
from evaluate.effects.sensitivity.hidden import TIMES, Row, Undone, finite, row
from evaluate.effects.sensitivity.long_factors import LongFactors, gap
from evaluate.effects.sensitivity.long_short import Gain, LongShort
from evaluate.effects.sensitivity.questions import Case
from evaluate.notes import note
from evaluate.study import GAP


def of_long(undone: Undone, case: Case, found: LongFactors, drawn: int = 0) -> None:
    """Add the bounds of all, women, men and the gap, with benchmarks of single covariates.

    Parameters
    ----------
    undone : Undone
        Where the rows go.
    case : Case
        All persons of a contrast.
    found : LongFactors
        Of the same.
    drawn : int
        Persons among whom covariates were left out; 0 where that is everyone.
    """
    level = case.plan.analysis.level
    for group, one in found.found.items():
        gains = found.gains[group]
        needed = long_short.multiples(one, list(gains.values()), level)
        for j, question in enumerate(case.questions):
            undone.rows.append(_value(case, one, group, j))
            multiples = dict(zip(gains, needed[0][:, j], strict=True))
            undone.tell(question.outcome, group, multiples)
            for b, (name, size) in enumerate(gains.items()):
                there = {
                    "group": group,
                    "benchmark": name,
                    "value": finite(needed[0][b, j]),
                    "value_interval": finite(needed[1][b, j]),
                }
                if drawn:
                    there["note"] = note("drawn", n=f"{drawn:,}")
                if not np.isfinite(needed[0][b, j]):
                    there["note"] = note("explains_nothing")
                for times in TIMES:
                    undone.rows.append(
                        row(case, j, "aipw", "long_story_short_benchmark", strength=times)
                        | there
                        | _bounds(one, size, times, j, level)
                    )
    if case.plan.columns.both_genders and {"women", "men"} <= found.found.keys():
        between, bias = gap(found)
        for j, question in enumerate(case.questions):
            undone.rows.append(_value(case, between, GAP, j))
            size = abs(between.estimate.value[j])
            multiples = {n: float(size / b[j]) for n, b in bias.items() if b[j] > 0}
            undone.tell(question.outcome, GAP, multiples)


def _value(case: Case, one: LongShort, group: str, j: int) -> Row:
    level = case.plan.analysis.level
    low, high = one.estimate.interval(level)
    values = [finite(long_short.robustness_value(one, level=at)[j]) for at in (None, level)]
    return row(
        case,
        j,
        "aipw",
        "long_story_short",
        group=group,
        value=values[0],
        value_interval=values[1],
        low=low[j],
        high=high[j],
    )


def _bounds(one: LongShort, size: Gain, times: float, j: int, level: float) -> Row:
    """Return the interval of an estimate beside a factor some times as strong as a covariate."""
    r2_y, r2_d = min(times * size.r2_y[j], 1.0), times * size.r2_d
    if r2_d >= 1:
        return {"note": note("too_strong"), "r2_outcome": r2_y}
    ends = long_short.bounds(one, r2_y, r2_d)
    low, high = imbens_manski(ends.lower, ends.upper, level)
    return {"low": low[j], "high": high[j], "r2_treatment": r2_d, "r2_outcome": r2_y}
