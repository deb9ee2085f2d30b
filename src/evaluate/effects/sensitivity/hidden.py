"""The table of what a hidden factor would have to be to undo each finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from evaluate.effects.observational.matching import match
from evaluate.effects.sensitivity import benchmarks, e_value, rosenbaum
from evaluate.effects.sensitivity.benchmarks import Observed
from evaluate.effects.sensitivity.omitted_variable import (
    adjusted,
    partial_r2,
    robustness_value,
)
from evaluate.effects.sensitivity.questions import Case, lead_of
from evaluate.errors import DesignError
from evaluate.notes import note

TIMES = (1.0, 2.0, 3.0)  # as strong as a covariate
REACH = 0.2  # standard deviations of the logit within which pairs are made: Austin (2011)
Row = dict[str, object]


@dataclass
class Undone:
    """What would undo the findings of one contrast, filled while the rows are made.

    Attributes
    ----------
    rows : list of dict
        As `schemas.SENSITIVITY`.
    as_strong : dict
        By outcome and group the covariates as strong as which a hidden factor would take the
        estimate to none, and how many times as strong it must be.
    assessed : set
        Outcomes and groups for which that could be told.
    strength : dict of str to float
        By covariate the product of the shares that it explains, among all.
    """

    rows: list[Row] = field(default_factory=list)
    as_strong: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    assessed: set[tuple[str, str]] = field(default_factory=set)
    strength: dict[str, float] = field(default_factory=dict)

    def tell(self, outcome: str, group: str, multiples: Mapping[str, float]) -> None:
        """Keep which covariates' likes would do, and that this was asked."""
        self.assessed.add((outcome, group))
        known = self.as_strong.setdefault((outcome, group), {})
        for name, times in multiples.items():
            if times <= 1:
                known[name] = min(times, known.get(name, np.inf))


def row(case: Case, j: int, estimator: str, method: str, **more: object) -> Row:
    """Return a row of a question."""
    first = {"estimator": estimator, "method": method, "benchmark": "", "note": ""}
    return case.labels(j) | first | more


def refused(case: Case, estimator: str, method: str, error: DesignError) -> list[Row]:
    """Return rows that say why something could not be told."""
    reason = note("error", reason=error)
    return [row(case, j, estimator, method, note=reason) for j in range(len(case.questions))]


def e_values(undone: Undone, case: Case, j: int, lead: Mapping[str, object]) -> None:
    """Add the E-value of a lead estimate, a row of the effects.

    Of a share it is that of the ratio of the adjusted means: with treatment, and without it
    among those whom the effect is about. Of anything else it is that of the effect in standard
    deviations within arms.
    """
    effect, low, high = (
        np.array([float(str(lead[c]))]) for c in ("estimate", "conf_low", "conf_high")
    )
    if not np.isfinite(effect[0]):
        return
    one, y, analysis = case.one, case.y[:, j], case.plan.analysis
    w = np.ones(len(one.treated)) if one.weight is None else one.weight
    if case.questions[j].unit == "share":
        if analysis.estimand == "ate" and len(one.score):
            held, _ = one.held(analysis.propensity.clip, "ate")
            share = np.where(one.treated, 0, w / (1 - held))
            without = np.array([share @ y / share.sum()])
        else:
            without = np.average(y[one.treated], weights=w[one.treated]) - effect
        found = e_value.of_shares(effect, low, high, without)
    else:
        arms = (one.treated, ~one.treated)
        squares = [w[a] @ (y[a] - np.average(y[a], weights=w[a])) ** 2 for a in arms]
        found = e_value.of_means(effect, low, high, np.sqrt([sum(squares) / w.sum()]))
    known = np.isfinite(found.estimate[0])
    undone.rows.append(
        row(
            case,
            j,
            lead_of(case.plan),
            "e_value",
            strength=found.ratio[0],
            value=finite(found.estimate[0]),
            value_interval=finite(found.limit[0]),
            low=low[0],
            high=high[0],
            note="" if known else note("no_ratio"),
        )
    )


def of_regression(undone: Undone, case: Case) -> None:
    """Add robustness values of the regression coefficients, and benchmarks from covariates."""
    one, level = case.one, case.plan.analysis.level
    seen = benchmarks.observed(case.y, one.treated, one.x, one.sources, one.weight)
    found = seen.found
    value = [robustness_value(found.t, found.df, level=at) for at in (None, level)]
    extreme, ends = partial_r2(found.t, found.df), found.interval(level)
    needed = benchmarks.multiples(seen, level)
    for j, question in enumerate(case.questions):
        if not found.std_error[j] > 0:
            continue
        undone.rows.append(
            row(
                case,
                j,
                "regression",
                "robustness_value",
                value=value[0][j],
                value_interval=value[1][j],
                low=ends[0][j],
                high=ends[1][j],
                r2_treatment=extreme[j],
            )
        )
        undone.tell(
            question.outcome, case.group, dict(zip(seen.names, needed[0][:, j], strict=True))
        )
        if case.group == "all":
            for name, size in zip(seen.names, seen.r2_yx[:, j] * seen.r2_dx, strict=True):
                undone.strength[name] = max(size, undone.strength.get(name, 0.0))
        for b in range(len(seen.names)):
            undone.rows += _benchmarks(case, seen, j, b, (needed[0][b, j], needed[1][b, j]))


def _benchmarks(
    case: Case, seen: Observed, j: int, b: int, needed: tuple[float, float]
) -> list[Row]:
    """Return what is left of an estimate beside a factor 1, 2, 3 times as strong as a covariate."""
    rows = []
    for times in TIMES:
        r2_yz, r2_dz = (r[b, j] for r in benchmarks.bounds(seen, times))
        there: Row = {"note": note("too_strong")}
        if np.isfinite(r2_dz):
            low, high = adjusted(seen.found, r2_yz, r2_dz).interval(case.plan.analysis.level)
            there = {"low": low[j], "high": high[j]}
        if not np.isfinite(needed[0]):
            there["note"] = note("explains_nothing")
        rows.append(
            row(
                case,
                j,
                "regression",
                "benchmark",
                benchmark=seen.names[b],
                strength=times,
                value=finite(needed[0]),
                value_interval=finite(needed[1]),
                r2_treatment=r2_dz,
                r2_outcome=r2_yz,
                **there,
            )
        )
    return rows


def of_pairs(undone: Undone, case: Case, exact: np.ndarray | None) -> None:
    """Add Rosenbaum's bounds of pairs, made without replacement within a caliper.

    ``exact``, codes of shape (m,), must agree within a pair. Where the treated are more than the
    others, these choose. Weights of persons do not count: a pair is a pair.
    """
    one, level = case.one, case.plan.analysis.level
    score = np.clip(one.median, 1e-12, 1 - 1e-12)
    logit = np.log(score / (1 - score))[:, None]
    fewer = one.treated.sum() <= (~one.treated).sum()
    choosing = one.treated if fewer else ~one.treated
    pairs = match(choosing, logit, "score", replace=False, caliper=REACH, exact=exact)
    who, whom, _ = pairs.pairs()
    difference = (case.y[who] - case.y[whom]) * (1 if fewer else -1)
    for j, question in enumerate(case.questions):
        d = difference[:, [j]]
        share = question.unit == "share" and bool(np.isin(case.y[:, j], (0, 1)).all())
        largest = rosenbaum.largest_gamma_binary if share else rosenbaum.largest_gamma
        undone.rows.append(
            row(
                case,
                j,
                "matching",
                "rosenbaum",
                value=finite(largest(d, 0.0)[0]),
                value_interval=finite(largest(d, level)[0]),
                note=note("mcnemar" if share else "signed_rank"),
            )
        )


def finite(value: float) -> float:
    """Return a number, missing where it is infinite."""
    return float(value) if np.isfinite(value) else np.nan
