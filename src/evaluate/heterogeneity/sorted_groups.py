"""Effects in groups of persons sorted by predicted effect, for women, men, and their gap.

Within each evaluation fold of each split persons are sorted by what was learned before, and the
groups of the folds put together. Effects come from the signals, never from the learner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evaluate.heterogeneity.aggregation import (
    FEWEST,
    Fold,
    judged,
    judged_units,
    median_over_splits,
)
from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.signals import Signals
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP

TOP_BOTTOM = "top-bottom"
FEW = 10  # persons of an arm in a sorted group of a split, below whom its interval is not trusted


def sorted_label(signals: Signals, fold: Fold, groups: int) -> np.ndarray:
    """Return the sorted group of a fold's persons, shape (f,), from 0 for the highest.

    The groups have equal mass of weight and share: of the persons that the effect is about.
    """
    mass = (signals.weight * signals.share)[fold.rows]
    total = mass.sum()
    if not total > 0:
        return np.zeros(len(fold.rows), dtype=int)
    place = (np.cumsum(mass) - mass / 2) / total
    return np.minimum((place * groups).astype(int), groups - 1)


def sorted_rows(plan: Plan, case: Signals, honest: Honest) -> list[dict[str, object]]:
    """Estimate the effects in groups sorted by predicted effect.

    Parameters
    ----------
    plan : Plan
        Gives the number of groups and the level.
    case : Signals
        The persons.
    honest : Honest
        Their predicted effects.

    Returns
    -------
    list of dict
        Rows of `schemas.SORTED_GROUPS` for all, women, men and the gap, and in each for group 1
        (highest) to the last and the difference of these two. ``predicted`` is the mean of the
        predictions; ``share_women`` is of those the effect is about; numbers of persons are
        medians over the splits, ``least`` is the fewest of any split. Two-sided p-values.
    """
    groups, level = plan.analysis.heterogeneity.groups, plan.analysis.level
    splits = len(honest.fold)
    context = {"learner": honest.learner, "splits": splits, "level": level}
    if (units := judged_units(case, honest)) < FEWEST:
        lost = note("sorted_persons", n=units, least=FEWEST)
        return [
            context | {"group": g, "sorted_group": s, "note": lost} for g, s in _named(case, groups)
        ]
    cells = _Cells.of(case, groups)
    label = np.full((splits, case.m), -1, dtype=np.int8)
    flat = np.zeros(splits)
    for fold in judged(honest):
        label[fold.split, fold.rows] = sorted_label(case, fold, groups)
        flat[fold.split] += fold.is_flat
    sums = [cells.sums(case, label[s], honest.effect[s]) for s in range(splits)]
    rows = []
    for group, sorted_group in _named(case, groups):
        parts = cells.parts(group, sorted_group)
        value, variance = np.array([s.effect(parts) for s in sums]).T[:, :, None]
        few = np.array([s.arms(parts) < FEW for s in sums])
        value[few] = np.nan
        if 2 * few.sum() > splits:
            value[:] = np.nan
        df = np.array([max(min(s.units(parts) for s in sums) - 1, 1.0)])
        found = median_over_splits(value, variance, df, level)
        row = context | {
            "group": group,
            "sorted_group": sorted_group,
            "predicted": float(np.median([s.predicted(parts) for s in sums])),
            **{name: float(column[0]) for name, column in vars(found).items()},
            "n": int(np.median([s.persons(parts) for s in sums])),
            "least": min(s.least(parts) for s in sums),
            "note": _notes(int(few.sum()), int((flat > 0).sum()), splits),
        }
        if group == "all" and sorted_group != TOP_BOTTOM and case.both_genders:
            value, variance = np.array([s.women(parts[0][1]) for s in sums]).T[:, :, None]
            women = median_over_splits(value, variance, df, level, same_target=False)
            row["share_women"] = float(women.estimate[0])
            row["share_women_low"] = float(max(women.conf_low[0], 0))
            row["share_women_high"] = float(min(women.conf_high[0], 1))
        rows.append(row)
    return rows


def _notes(few: int, flat: int, splits: int) -> str:
    found = []
    if few:
        kind = "sorted_few" if 2 * few > splits else "sorted_some"
        found.append(note(kind, n=few, of=splits, least=FEW))
    if flat and 2 * few <= splits:
        found.append(note("sorted_flat", n=flat, of=splits))
    return joined(found)


def _named(case: Signals, groups: int) -> Iterator[tuple[str, str]]:
    for group in ("all", *(("women", "men", GAP) if case.both_genders else ())):
        for s in range(groups):
            yield group, str(s + 1)
        yield group, TOP_BOTTOM


Parts = list[tuple[float, np.ndarray]]  # sign and mask of cells, of averages that are added


@dataclass(frozen=True)
class _Cells:
    """Cells of gender (women, men, neither) and sorted group."""

    gender: np.ndarray
    groups: int

    @classmethod
    def of(cls, case: Signals, groups: int) -> _Cells:
        gender = np.full(case.m, 2)
        for place, name in enumerate(("women", "men")):
            gender[case.groups.get(name, np.zeros(case.m, dtype=bool))] = place
        return cls(gender, groups)

    def parts(self, group: str, sorted_group: str) -> Parts:
        """Return the averages that an effect is made of."""
        genders: dict[str, list[tuple[int, int | None]]] = {
            "all": [(1, None)],
            "women": [(1, 0)],
            "men": [(1, 1)],
            GAP: [(1, 0), (-1, 1)],
        }
        ends = [(1, 0), (-1, self.groups - 1)]
        places = ends if sorted_group == TOP_BOTTOM else [(1, int(sorted_group) - 1)]
        found: Parts = []
        for sign, gender in genders[group]:
            for other, place in places:
                mask = np.zeros((3, self.groups), dtype=bool)
                mask[slice(None) if gender is None else gender, place] = True
                found.append((float(sign * other), mask.ravel()))
        return found

    def sums(self, case: Signals, label: np.ndarray, effect: np.ndarray) -> _Sums:
        """Add up one split's persons, ``label`` below 0 being nobody's."""
        rows = np.flatnonzero(label >= 0)
        cell = self.gender[rows] * self.groups + label[rows]
        size = 3 * self.groups
        w = case.weight[rows]
        values = np.stack([w * case.signal[rows], w * case.share[rows]])
        total = np.stack([np.bincount(cell, v, size) for v in values])
        if case.cluster is None:
            squares = np.zeros((2, size, 2, size))
            own = np.arange(size)
            for a in range(2):
                for b in range(2):
                    squares[a, own, b, own] = np.bincount(cell, values[a] * values[b], size)
            square = squares.reshape(2 * size, 2 * size)
            units = np.bincount(cell, minlength=size)[None]
        else:
            names, unit = np.unique(case.cluster[rows], return_inverse=True)
            by_unit = [
                sparse.csr_array((v, (unit, cell)), shape=(len(names), size)) for v in values
            ]
            both = sparse.hstack(by_unit)
            square = (both.T @ both).toarray() * (len(names) / max(len(names) - 1, 1))
            one = sparse.csr_array((np.ones(len(rows)), (unit, cell)), shape=(len(names), size))
            units = one.toarray() > 0
        treated = np.bincount(cell, case.treated[rows], size)
        count = np.bincount(cell, minlength=size)
        of_effect = np.bincount(cell, values[1] * effect[rows], size)
        return _Sums(total, square, of_effect, np.stack([treated, count - treated]), units)


@dataclass(frozen=True)
class _Sums:
    """Sums over cells of one split, and what they would vary by.

    Attributes
    ----------
    total : ndarray, shape (2, cells)
        Of weight and signal, and of weight and share.
    square : ndarray, shape (2 * cells, 2 * cells)
        Sums over units of products of their parts of ``total``.
    of_effect : ndarray, shape (cells,)
        Of weight, share and prediction.
    count : ndarray, shape (2, cells)
        Persons treated and compared.
    by_unit : ndarray, shape (1 or clusters, cells)
        Persons, or which clusters have any.
    """

    total: np.ndarray
    square: np.ndarray
    of_effect: np.ndarray
    count: np.ndarray
    by_unit: np.ndarray

    def effect(self, parts: Parts) -> tuple[float, float]:
        """Return an effect and its variance."""
        value, gradient = 0.0, np.zeros((2, len(self.of_effect)))
        for sign, mask in parts:
            signal, mass = self.total[:, mask].sum(axis=1)
            if not mass > 0:
                return np.nan, np.nan
            value += sign * signal / mass
            gradient[0, mask] += sign / mass
            gradient[1, mask] -= sign * signal / mass**2
        return float(value), self._variance(gradient)

    def women(self, mask: np.ndarray) -> tuple[float, float]:
        """Return the share of women among those of known gender, and its variance."""
        known = mask & (np.arange(len(mask)) < len(mask) // 3 * 2)
        women = mask & (np.arange(len(mask)) < len(mask) // 3)
        mass = self.total[1, known].sum()
        if not mass > 0:
            return np.nan, np.nan
        share = self.total[1, women].sum() / mass
        gradient = np.zeros((2, len(mask)))
        gradient[1, known] = -share / mass
        gradient[1, women] += 1 / mass
        return float(share), self._variance(gradient)

    def predicted(self, parts: Parts) -> float:
        """Return the mean prediction."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(
                sum(s * self.of_effect[mask].sum() / self.total[1, mask].sum() for s, mask in parts)
            )

    def arms(self, parts: Parts) -> int:
        """Return the smallest arm of a part."""
        return int(min(self.count[:, mask].sum(axis=1).min() for _, mask in parts))

    def least(self, parts: Parts) -> int:
        """Return the smallest arm of a gender in a part, of genders that anybody has."""
        genders = self.count.reshape(2, 3, -1)
        there = np.repeat(genders.sum(axis=(0, 2)) > 0, genders.shape[2])
        there[genders.shape[2] * 2 :] = not there[: genders.shape[2] * 2].any()
        return int(min(self.count[:, mask & there].min() for _, mask in parts))

    def persons(self, parts: Parts) -> int:
        """Return the number of persons in them."""
        return int(sum(self.count[:, mask].sum() for _, mask in parts))

    def units(self, parts: Parts) -> int:
        """Return the persons, or clusters, of the smallest part."""
        return int(min(self._units(mask) for _, mask in parts))

    def _units(self, mask: np.ndarray) -> float:
        if len(self.by_unit) == 1:
            return float(self.by_unit[0, mask].sum())
        return float(self.by_unit[:, mask].any(axis=1).sum())

    def _variance(self, gradient: np.ndarray) -> float:
        flat = gradient.ravel()
        return float(max(flat @ self.square @ flat, 0.0))
