"""Are there other differences in the effects than chance? Tests over honest splits, with verdicts.

The verdict of the report rests on one test that is named beforehand: the calibration test of the
plan's learner. It takes every person into account and how far apart the predictions put them,
where sorted groups and ranks keep the order alone; with effects that go along with covariates it
finds them most often. The other tests are given beside it, each at its own level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

import numpy as np

from evaluate.heterogeneity.aggregation import (
    FEWEST,
    Fold,
    combined,
    fold_statistic,
    in_sequence,
    judged,
    judged_units,
    median_over_splits,
)
from evaluate.heterogeneity.calibration import calibration, centred, detectable_spread
from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.joint_test import no_differences
from evaluate.heterogeneity.learners import drawn_note
from evaluate.heterogeneity.projection_rows import joint_test
from evaluate.heterogeneity.rank_weighted import KINDS, RankWeighted, rank_weighted
from evaluate.heterogeneity.signals import Signals
from evaluate.heterogeneity.sorted_groups import TOP_BOTTOM, sorted_label
from evaluate.notes import joined, note
from evaluate.plan.model import Plan

LEAD = "calibration"
HONEST = (LEAD, TOP_BOTTOM, *KINDS)
FOUND, NOT_FOUND, NOT_ASSESSED = "found", "not found", "not assessed"
HARDLY = 5.0  # standard error of the coefficient on predictions, above which it tells nothing
FEWEST_OF_GROUP = 10  # persons, or clusters, of either arm in a group that is tested

Row = dict[str, object]


@dataclass(frozen=True)
class Judgement:
    """What one learner's predictions are worth.

    Attributes
    ----------
    z : dict of str to ndarray, shape (splits,)
        By test, standard normal for each split where effects are the same for everybody.
    value, variance : dict of str to ndarray, shape (splits,)
        By test, the estimate of each split.
    flat : int
        Splits in which a fold's predictions are the same for all.
    """

    z: dict[str, np.ndarray]
    value: dict[str, np.ndarray]
    variance: dict[str, np.ndarray]
    flat: int


def judge(case: Signals, honest: Honest, groups: int) -> Judgement:
    """Compute the four tests of every split.

    Parameters
    ----------
    case : Signals
        The persons.
    honest : Honest
        Their predicted effects.
    groups : int
        Sorted groups.

    Returns
    -------
    Judgement
        See `evaluate.heterogeneity.aggregation` for the tests.
    """
    splits = len(honest.fold)
    average = case.average().value[0]
    z, value, variance = ({test: np.full(splits, np.nan) for test in HONEST} for _ in range(3))
    flat = 0
    for split, group in groupby(judged(honest), key=attrgetter("split")):
        folds = list(group)
        ranked = {kind: [_ranked(case, f, kind) for f in folds] for kind in KINDS}
        coefficients = {
            LEAD: [centred(case, f) for f in folds],
            TOP_BOTTOM: [_ends(case, f, groups) for f in folds],
            **{kind: [r.coefficient for r in ranked[kind]] for kind in KINDS},
        }
        told = [
            departures(case, f, np.column_stack(c), average)
            for f, *c in zip(folds, *coefficients.values(), strict=True)
        ]
        for place, test in enumerate(coefficients):
            z[test][split] = in_sequence(
                [
                    fold_statistic(case, f.rows, one[:, place])
                    for f, one in zip(folds, told, strict=True)
                    if not f.is_flat
                ]
            )
        found = {
            LEAD: calibration(case, folds),
            TOP_BOTTOM: _difference(case, folds, groups),
            **{kind: _over_folds(case, folds, ranked[kind]) for kind in KINDS},
        }
        for test, (one, square) in found.items():
            value[test][split], variance[test][split] = one, square
        flat += any(f.is_flat for f in folds)
    return Judgement(z, value, variance, flat)


def test_rows(plan: Plan, case: Signals, honests: Mapping[str, Honest]) -> list[Row]:
    """Test whether effects differ between persons.

    Parameters
    ----------
    plan : Plan
        Its section `analysis.heterogeneity`, groups and level.
    case : Signals
        The persons.
    honests : mapping of str to Honest
        Predicted effects by learner; the plan's is the one that leads.

    Returns
    -------
    list of dict
        Rows of `schemas.HETEROGENEITY_TESTS`. P-values of the tests by learner are against larger
        values alone: a coefficient below zero is no sign of differences found. ``statistic`` is
        their mean Z, otherwise F. The intervals are of estimates by medians and are two-sided.
    """
    asked, level = plan.analysis.heterogeneity, plan.analysis.level
    rows: list[Row] = []
    for learner, honest in honests.items():
        leads = learner == asked.learner
        context = {"learner": learner, "splits": len(honest.fold)}
        if (units := judged_units(case, honest)) < FEWEST:
            lost = note("sorted_persons", n=units, least=FEWEST)
            rows += [
                context | {"test": t, "lead": leads and t == LEAD, "note": lost} for t in HONEST
            ]
            continue
        found = judge(case, honest, asked.groups)
        df = np.array([max(units - 2.0, 1.0)])
        for test in HONEST:
            one = combined(found.z[test])
            middle = median_over_splits(
                found.value[test][:, None],
                found.variance[test][:, None],
                df,
                level,
                same_target=test != LEAD,
            )
            notes = [note("sorted_flat", n=found.flat, of=len(honest.fold))] if found.flat else []
            if leads and test == LEAD:
                notes += _power(case, honest, level)
            if test == LEAD:
                notes += drawn_note(plan, case, learner)
            interval = {
                name: float(column[0]) for name, column in vars(middle).items() if name != "p_value"
            }
            if test == LEAD and interval["std_error"] > HARDLY:
                interval = {}
                notes.append(note("hardly_differ"))
            rows.append(
                context
                | interval
                | {
                    "test": test,
                    "statistic": one.statistic,
                    "p_value": one.p_value,
                    "p_low": one.p_low,
                    "p_high": one.p_high,
                    "splits": one.splits,
                    "lead": leads and test == LEAD,
                    "note": joined(notes),
                }
            )
    rows += [_projection(plan, case), *_groups(plan, case)]
    return [_told(row, case, level) for row in rows]


def found(rows: Iterable[Mapping[str, object]]) -> bool:
    """Tell whether the test that leads has found differences."""
    return any(row.get("lead") is True and row.get("verdict") == FOUND for row in rows)


def _told(row: Row, case: Signals, level: float) -> Row:
    p = row.get("p_value")
    known = isinstance(p, float) and np.isfinite(p)
    verdict = (FOUND if p <= 1 - level else NOT_FOUND) if known else NOT_ASSESSED  # type: ignore[operator]
    row = {"learner": "", "lead": False, "note": ""} | row
    unit = {"unit": "1"} if row["test"] == LEAD else {}
    return row | {"verdict": verdict, "level": level, "n": case.m} | unit


def departures(case: Signals, fold: Fold, c: np.ndarray, average: float) -> np.ndarray:
    """Return what each person of a fold adds to the departure from one effect for everybody.

    The coefficients ``c``, of k tests, weigh the signals. Within an arm those of the residuals are
    changed, by a constant and a multiple of the prediction, until they give predictions what they
    have in the whole fold: an outcome regression's error, which may lie along what was learned
    from those it was fitted to, then adds nothing. Of shape (f, k), as what is returned.
    """
    rows = fold.rows
    w, share = case.weight[rows], case.share[rows]
    correction, inverse = w * case.correction[rows], w * case.inverse_weight[rows]
    z = np.column_stack([np.ones(len(rows)), centred(case, fold)])
    goal = (z * (w * share)[:, None]).T @ c
    found = c * (w * (case.signal[rows] - average * share) - correction)[:, None]
    for arm in (case.treated[rows], ~case.treated[rows]):
        mass = z * (inverse * arm)[:, None]
        if mass.any():
            change = np.linalg.pinv(mass.T @ z, hermitian=True) @ (goal - mass.T @ c)
            found += (c + z @ change) * (correction * arm)[:, None]
    return np.asarray(found)


def _ranked(case: Signals, fold: Fold, kind: str) -> RankWeighted:
    w, share, signal = (v[fold.rows] for v in (case.weight, case.share, case.signal))
    return rank_weighted(kind, fold.effect, signal, share, w)


def _over_folds(
    case: Signals, folds: list[Fold], ranked: list[RankWeighted]
) -> tuple[float, float]:
    """Return the mean of the folds by the mass of those the effect is about, and its variance."""
    mass = [case.weight[f.rows] @ case.share[f.rows] for f in folds]
    scores = np.zeros((case.m, 1))
    for fold, part, one in zip(folds, mass, ranked, strict=True):
        scores[fold.rows, 0] = part / sum(mass) * one.scores
    value = np.average([r.value for r in ranked], weights=mass)
    return float(value), float((case.by_unit(scores) ** 2).sum())


def _ends(case: Signals, fold: Fold, groups: int) -> np.ndarray:
    """Return the coefficients of the highest sorted group less the lowest, shape (f,).

    Persons with the same prediction share what is in a group of them: which of them are in it is
    drawn, and would be chance in the test.
    """
    label = sorted_label(case, fold, groups)
    mass = (case.weight * case.share)[fold.rows]
    tied = np.cumsum(np.diff(fold.effect, prepend=np.inf) != 0) - 1
    of_tied = np.bincount(tied, mass)[tied]
    parts = []
    for end in (0, groups - 1):
        inside = (label == end).astype(float)
        of_end = np.bincount(tied, mass * inside)[tied]
        inside = np.divide(of_end, of_tied, out=inside, where=of_tied > 0)
        if not mass @ inside > 0:
            return np.zeros(len(mass))
        parts.append(inside / (mass @ inside))
    return np.asarray(parts[0] - parts[1])


def _difference(case: Signals, folds: list[Fold], groups: int) -> tuple[float, float]:
    """Return the effect of the highest sorted group less the lowest's, and its variance."""
    among = np.zeros((2, case.m), dtype=bool)
    for fold in folds:
        label = sorted_label(case, fold, groups)
        for place, wanted in enumerate((0, groups - 1)):
            among[place, fold.rows[label == wanted]] = True
    difference = case.average(among[0]) - case.average(among[1])
    return float(difference.value[0]), float(difference.variance[0])


def _power(case: Signals, honest: Honest, level: float) -> list[str]:
    error = float(case.average().std_error[0])
    folds = int(honest.fold.max()) + 1
    if not np.isfinite(error) or not error > 0 or not case.x.shape[1]:
        return []
    spread = detectable_spread(error, case.x.shape[1], folds, level)
    told = f"{Decimal(f'{spread:.2g}'):,f}"
    return [note("detectable_spread", spread=told, unit=case.unit)]


def _projection(plan: Plan, case: Signals) -> Row:
    joint = joint_test(case, plan)
    p_value = float(joint.p_value)
    text = "" if np.isfinite(p_value) else note("no_projection")
    return {"test": "projection", "statistic": joint.statistic, "p_value": p_value, "note": text}


def _groups(plan: Plan, case: Signals) -> list[Row]:
    """Test that effects are equal over the levels of every exploratory group at once."""
    if not plan.groups:
        return []
    columns, aside, small = [], [], 0
    for name in plan.groups:
        levels = [g for g in case.groups if g.startswith(f"{name}=")]
        large = [g for g in levels if _units(case, case.groups[g]) >= FEWEST_OF_GROUP]
        small += len(levels) - len(large)
        columns += [case.groups[g] for g in large[1:]]
        known = np.array([case.groups[g] for g in large]).any(axis=0)
        aside += [] if known.all() else [~known]  # of no level, or of a small one
    row: Row = {"test": "groups"}
    notes = [note("small_groups", n=small, least=FEWEST_OF_GROUP)] if small else []
    if not columns:
        return [row | {"note": joined([*notes, note("no_groups")])}]
    features = np.column_stack(columns).astype(float)
    allowed = np.column_stack(aside).astype(float) if aside else None
    joint = no_differences(case, features, allowed=allowed)
    if not np.isfinite(joint.p_value):
        constant = np.ptp(case.y) == 0
        notes.append(note("constant") if constant else note("many_groups", n=len(columns)))
    row |= {"statistic": joint.statistic, "p_value": float(joint.p_value)}
    return [row | {"note": joined(notes)}]


def _units(case: Signals, among: np.ndarray) -> int:
    """Return the persons, or clusters, of the smaller arm."""
    arms = (among & case.treated, among & ~case.treated)
    if case.cluster is None:
        return int(min(a.sum() for a in arms))
    return min(len(np.unique(case.cluster[a])) for a in arms)
