"""P-values of the table's rows by drawing the assignment anew, and over the family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.covariates import imputed
from evaluate.effects.batches import CELLS, Batch, batches
from evaluate.effects.multiplicity import benjamini_hochberg, holm, romano_wolf, westfall_young
from evaluate.effects.randomisation import (
    Comparison,
    Tested,
    fisher_exact,
    randomisation_tests,
    residualised,
)
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

ADJUSTED = ("lin", "ancova")  # estimators whose outcomes are tested less their covariates
COMMON = ("fixed_effects", "ancova")  # those that weight blocks by their precision
Contrast = tuple[int, int]
Key = tuple[str, str, str, int]  # estimator, arm, group, outcome column


@dataclass(frozen=True)
class _Rows:
    """The rows of the offer's effects, by what they are of.

    Attributes
    ----------
    place : dict of (estimator, arm, group, column) to int
        Number of the row; column is the position of the outcome column.
    estimate : ndarray, shape (rows,)
        NaN where there is none.
    primary : ndarray of bool, shape (rows,)
        Rows of primary outcomes.
    """

    place: dict[Key, int]
    estimate: np.ndarray
    primary: np.ndarray


@dataclass(frozen=True)
class _Drawn:
    """Tests of some outcome columns in one group."""

    arm: str
    group: str
    columns: np.ndarray
    tested: Tested


def by_randomisation(
    table: pd.DataFrame,
    study: Study,
    plan: Plan,
    rng: np.random.Generator,
    primary: Mapping[Key, Estimates],
) -> pd.DataFrame:
    """Fill in the p-values by randomisation, and those adjusted over the primary outcomes.

    Parameters
    ----------
    table : DataFrame
        Rows of effects with ``column``, the position of their outcome column.
    study : Study
        The persons.
    plan : Plan
        The programme file.
    rng : Generator
        Source of the drawn assignments.
    primary : mapping of (estimator, arm, group, column) to Estimates
        Each primary outcome's effect with its scores, where the plan adjusts by them.

    Returns
    -------
    DataFrame
        The table. Rows of taking part have the p-value of the offer: that nobody gains by
        taking part is the same hypothesis. A family is the primary outcomes of one estimator
        and group, in all arms against control.
    """
    keys = list(zip(table["estimator"], table["arm"], table["group"], table["column"], strict=True))
    offer = (table["estimand"] == "itt").to_numpy() & table["estimator"].isin(plan.estimators)
    rows = _Rows(
        {key: i for i, (key, own) in enumerate(zip(keys, offer, strict=True)) if own},
        table["estimate"].to_numpy(dtype=float),
        (table["role"] == "primary").to_numpy(),
    )
    p_value, adjusted = np.full((2, len(table)), np.nan)
    notes = table["note"].to_numpy(dtype=object).copy()
    for estimator in plan.estimators:
        found: list[_Drawn] = []
        for contrast in study.contrasts:
            found += _tests(study, plan, estimator, contrast, rows, int(rng.integers(2**63)))
        for one in found:
            at = [rows.place[estimator, one.arm, one.group, int(c)] for c in one.columns]
            p_value[at] = one.tested.p_value
            if one.tested.every:
                _say(notes, rows, at, note("every", n=f"{one.tested.draws:,}"))
        if estimator == "difference_in_means" and _is_simple(study):
            _exact(study, rows, p_value, notes)
        _families(estimator, plan, study, rows, found, p_value, adjusted, primary, rng)
    lead = plan.estimators[0]
    for i, (key, estimand) in enumerate(zip(keys, table["estimand"], strict=True)):
        if estimand == "late" and key[2] != GAP:
            p_value[i] = p_value[rows.place[(lead, *key[1:])]]
    p_value[np.isnan(rows.estimate)] = np.nan
    return table.assign(p_value_randomisation=p_value, p_value_adjusted=adjusted, note=notes)


def _say(notes: np.ndarray, rows: _Rows, at: Sequence[int], text: str) -> None:
    """Add a note to rows that have an estimate."""
    for i in at:
        if not np.isnan(rows.estimate[i]):
            notes[i] = joined([notes[i], text]) if notes[i] else text


def _tests(
    study: Study, plan: Plan, estimator: str, contrast: Contrast, rows: _Rows, seed: int
) -> Iterator[_Drawn]:
    """Yield the tests of every group, some outcome columns at a time, all by the same draws."""
    arm = study.label(contrast)
    groups = [*study.groups, *([GAP] if plan.columns.both_genders else [])]
    for lot in _lots(batches(study, plan), study.n * (len(groups) + 2)):
        columns = np.concatenate([batch.columns for batch in lot])
        whole = [rows.place[estimator, arm, "all", int(c)] for c in columns]
        keep = contrast[1] == 0 and bool(rows.primary[whole].any())
        left = {
            group: np.hstack([_left(study, estimator, b, b.y, members) for b in lot])
            for group, members in study.groups.items()
        }
        comparisons = [
            Comparison(left[group], members, keep=keep and "=" not in group)
            for group, members in study.groups.items()
        ]
        if GAP in groups:
            women, men = study.groups["women"], study.groups["men"]
            average = dict(zip(columns, np.nan_to_num(rows.estimate[whole]), strict=True))
            parts = []
            for b in lot:  # outcomes as they would be were there one effect for all
                less = np.array([average[c] for c in b.columns])
                y = b.y - (study.arm == contrast[0])[:, None] * less
                own = [_left(study, estimator, b, y, members) for members in (women, men)]
                parts.append(np.where(women[:, None], *own))
            comparisons.append(Comparison(np.hstack(parts), women, men, keep=keep))
        tests = randomisation_tests(
            comparisons,
            study.arm,
            contrast,
            plan.analysis.permutations,
            np.random.default_rng(seed),
            study.block,
            study.drawn,
            study.weight,
            precise=estimator in COMMON,
        )
        for group, tested in zip(groups, tests, strict=True):
            yield _Drawn(arm, group, columns, tested)


def _lots(every: Iterator[Batch], width: int) -> Iterator[list[Batch]]:
    """Put batches together as long as memory allows: each lot draws the assignments once."""
    lot: list[Batch] = []
    held = 0
    for batch in every:
        cells = width * len(batch.columns)
        if lot and held + cells > 5 * CELLS:
            yield lot
            lot, held = [], 0
        lot.append(batch)
        held += cells
    if lot:
        yield lot


def _left(
    study: Study, estimator: str, batch: Batch, y: np.ndarray, members: np.ndarray
) -> np.ndarray:
    """Return outcomes as a group's test sees them, NaN for other persons."""
    rows = members & batch.observed
    if estimator in ADJUSTED and rows.any():
        x = np.zeros_like(batch.covariates.values)
        x[rows] = imputed(batch.covariates.values[rows])
        return residualised(y, x, rows, study.block, study.weight)
    return np.where(rows[:, None], y, np.nan)


def _is_simple(study: Study) -> bool:
    return study.block is None and study.cluster is None and study.weight is None


def _exact(study: Study, rows: _Rows, p_value: np.ndarray, notes: np.ndarray) -> None:
    """Take Fisher's exact test for binary outcomes of small trials."""
    columns = np.arange(study.y.shape[1])
    for contrast in study.contrasts:
        for group, persons in study.groups.items():
            members = persons & np.isin(study.arm, contrast)
            p = fisher_exact(study.y[members], study.arm[members] == contrast[0])
            key = ("difference_in_means", study.label(contrast), group)
            at = np.array([rows.place[(*key, int(c))] for c in columns])
            exact = ~np.isnan(p)
            p_value[at[exact]] = p[exact]
            _say(notes, rows, list(at[exact]), note("fisher"))


def _families(
    estimator: str,
    plan: Plan,
    study: Study,
    rows: _Rows,
    found: Sequence[_Drawn],
    p_value: np.ndarray,
    adjusted: np.ndarray,
    primary: Mapping[Key, Estimates],
    rng: np.random.Generator,
) -> None:
    """Adjust p-values over the primary outcomes of each group, in all arms against control."""
    how = plan.analysis.multiplicity
    against = [study.label(c) for c in study.contrasts if c[1] == 0]
    families: dict[str, list[tuple[Key, int]]] = {}
    for key, i in rows.place.items():
        named = key[0] == estimator and key[1] in against and "=" not in key[2]
        if named and rows.primary[i] and not np.isnan(rows.estimate[i]):
            families.setdefault(key[2], []).append((key, i))
    for group, family in families.items():
        at = [i for _, i in family]
        if how == "holm":
            adjusted[at] = holm(p_value[at])
        elif how == "benjamini_hochberg":
            adjusted[at] = benjamini_hochberg(p_value[at])
        elif how == "westfall_young":
            drawn, actual, every = _kept([key for key, _ in family], found, group)
            adjusted[at] = np.maximum(westfall_young(actual, drawn, every), p_value[at])
        elif how == "romano_wolf":
            parts = [primary[key] for key, _ in family]
            whole = Estimates(
                np.concatenate([e.value for e in parts]),
                np.hstack([e.scores for e in parts]),
                np.concatenate([e.df for e in parts]),
            )
            adjusted[at] = romano_wolf(whole, plan.analysis.permutations, rng)


def _kept(
    family: Sequence[Key], found: Sequence[_Drawn], group: str
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the drawn and actual statistics of a family's rows, and whether drawn are all."""
    drawn: list[np.ndarray] = []
    actual: list[float] = []
    every = True
    for _, arm, _, column in family:
        for one in found:
            here = np.flatnonzero(one.columns == column)
            own = one.arm == arm and one.group == group and len(here)
            if own and one.tested.drawn is not None:
                every &= one.tested.every
                drawn.append(one.tested.drawn[:, here[0]])
                actual.append(abs(float(one.tested.statistic[here[0]])))
    shortest = min(len(d) for d in drawn)  # arms may have fewer assignments than others
    every &= all(len(d) == shortest for d in drawn)
    return np.column_stack([d[:shortest] for d in drawn]), np.array(actual), every
