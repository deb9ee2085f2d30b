"""Differences between arms over their errors, for many assignments and outcomes at once.

All that a difference in means and its error need of a block are sums over the treated of
products of mass and outcome; those of the controls are what is left of the block's totals.
Assignments times such products is one matrix product per block, and what remains is
arithmetic on arrays of (draws, outcomes). What a small block adds is worked out beforehand for
each of its few assignments, and one product reads it off for all such blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluate.effects.unit_blocks import Blocks

FLOOR = 1e-6  # variance over squared difference: what single precision resolves
TINY = 1e-12  # the same over the outcome's own unit, squared


@dataclass(frozen=True)
class Group:
    """Outcomes of one group, summed by unit, as columns for each block.

    Attributes
    ----------
    columns : tuple of ndarray
        For each block, a row per unit of its span: k outcomes less their mean in the block;
        their squares; unless ``alike``, their products with the mass; the masses, by pattern
        of missing outcomes; unless ``alike``, their squares, and whether they are above zero.
    totals : tuple of ndarray
        Sums of the columns.
    spans : tuple of slice
        Within each block, units from the first to the last that have any of the outcomes.
    pattern : ndarray of int, shape (k,)
        The pattern of each outcome.
    alike : bool
        Whether every unit has mass one or none: persons without weights.
    """

    columns: tuple[np.ndarray, ...]
    totals: tuple[np.ndarray, ...]
    spans: tuple[slice, ...]
    pattern: np.ndarray
    alike: bool

    @cached_property
    def ends(self) -> list[int]:
        """Where one kind of column ends and the next begins."""
        k, patterns = len(self.pattern), int(self.pattern.max(initial=0)) + 1
        kinds = [k, k] if self.alike else [k, k, k, patterns, patterns]
        return np.cumsum(kinds).tolist()

    def wide(self, by_pattern: np.ndarray) -> np.ndarray:
        """Spread what was found by pattern over the outcomes."""
        return by_pattern if by_pattern.shape[1] == 1 else by_pattern[:, self.pattern]


@dataclass(frozen=True)
class Difference:
    """What is compared between arms: a group's outcomes, or a group's less another's.

    Attributes
    ----------
    groups : tuple of Group
        One or two, with the same outcomes in the same unit.
    shared : tuple of ndarray, or None
        Where units hold persons of both groups, columns by block: the product of their
        outcomes, of the first's outcomes and the second's mass, of the first's mass and the
        second's outcomes, of the masses; k each.
    between : bool
        Whether the variance is taken between blocks, which have none of their own.
    precise : bool
        Whether blocks are weighted by n1 n0 / n, as a regression does, in place of n.
    """

    groups: tuple[Group, ...]
    shared: tuple[np.ndarray, ...] | None
    between: bool
    precise: bool

    @property
    def dtype(self) -> np.dtype:
        """Single precision, or double."""
        return self.groups[0].columns[0].dtype


@dataclass(frozen=True)
class _Arm:
    """One arm of a group in a block, each (draws, patterns); zero where the other has none.

    Attributes
    ----------
    square, inverse : ndarray
        Sum of the squared masses of its units; one over the sum of their masses.
    factor : ndarray
        What turns the sum of squares about the mean into the mean's squared error.
    """

    square: np.ndarray
    inverse: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True)
class _Part:
    """A group in a block: sums over the treated, totals, and what depends on masses only."""

    group: Group
    sums: list[np.ndarray]
    totals: list[np.ndarray]
    arms: tuple[_Arm, _Arm]
    weight: np.ndarray
    valid: np.ndarray  # whether both arms have a unit
    pair: np.ndarray  # whether both have one only

    @property
    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean outcomes by arm; the outcomes of the block sum to zero."""
        first, second = (self.group.wide(arm.inverse) for arm in self.arms)
        return first * self.sums[0], -second * self.sums[0]

    @property
    def effect(self) -> np.ndarray:
        """Mean outcome of the treated less that of the controls."""
        return self.group.wide(self.arms[0].inverse + self.arms[1].inverse) * self.sums[0]


def statistics(
    differences: Sequence[Difference],
    tables: Sequence[list[np.ndarray]],
    z: np.ndarray,
    blocks: Blocks,
) -> list[np.ndarray]:
    """Return studentised differences.

    Parameters
    ----------
    differences : sequence of Difference
        What to compare.
    tables : sequence of list of ndarray
        Of each difference, its `table`.
    z : ndarray of uint8, shape (draws, units)
        Assignments, 1 for treatment.
    blocks : Blocks
        The blocks.

    Returns
    -------
    list of ndarray, shape (draws, k)
        Zero where no block has both arms of a group.

    References
    ----------
    Neyman (1923); Imbens and Rubin (2015), Causal Inference, chapters 6 and 9; between blocks
    after Pashley and Miratrix (2021), Insights on variance estimation for blocked and matched
    pairs designs, Journal of Educational and Behavioral Statistics 46(3).
    """
    dtype = differences[0].dtype
    which = blocks.which(z).astype(dtype)
    sums = [[which @ column for column in columns] for columns in tables]
    for b in blocks.others:
        drawn = z[:, blocks.edges[b] : blocks.edges[b + 1]].astype(dtype)
        for difference, total in zip(differences, sums, strict=True):
            for one, term in zip(total, _terms(difference, b, drawn), strict=True):
                one += term
    return [_ratio(d, total) for d, total in zip(differences, sums, strict=True)]


def table(difference: Difference, blocks: Blocks) -> list[np.ndarray]:
    """Return what blocks with few assignments add to the sums over blocks.

    Returns
    -------
    list of ndarray
        One for each sum, with a row for each of ``blocks.assignments``.
    """
    rows = [_terms(difference, 0, np.zeros((0, blocks.size[0]), difference.dtype))]
    for b, drawn in blocks.assignments:
        rows.append(_terms(difference, b, drawn.astype(difference.dtype)))
    return [np.concatenate(term) for term in zip(*rows, strict=True)]


def _terms(difference: Difference, b: int, drawn: np.ndarray) -> list[np.ndarray]:
    """Return what a block adds to the sums over blocks, for each of the drawn assignments."""
    parts = [_part(group, b, drawn, difference.precise) for group in difference.groups]
    terms: list[np.ndarray] = []
    for part in parts:
        effect, w, wide = part.effect, part.weight, part.group.wide
        terms += [wide(w) * effect, w]
        if difference.between:
            squared = wide(w * w) * effect
            terms += [w * w, squared, squared * effect, part.valid.astype(difference.dtype)]
        else:
            terms += [_variance(part)]
    if difference.shared is None:
        return terms
    one, two = parts
    both = one.group.wide(one.weight) * two.group.wide(two.weight)
    if difference.between:
        first = both * one.effect
        return [*terms, both, first, both * two.effect, first * two.effect]
    return [*terms, both * _covariance(one, two, difference.shared[b], drawn)]


def _part(group: Group, b: int, drawn: np.ndarray, precise: bool) -> _Part:
    """Sum over the treated."""
    sums = np.split(drawn[:, group.spans[b]] @ group.columns[b], group.ends, axis=1)
    totals = np.split(group.totals[b], group.ends)
    first, all_of = (s[2:] * 3 if group.alike else s[3:] for s in (sums, totals))
    second = [n - n1 for n, n1 in zip(all_of, first, strict=True)]
    valid = (first[2] > 0.5) & (second[2] > 0.5)
    arms = (_arm(first, second[2], valid), _arm(second, first[2], valid))
    n1, n0, n = first[0], second[0], all_of[0]
    weight = valid * (n1 * n0 / np.maximum(n, TINY) if precise else n)
    pair = valid & (first[2] < 1.5) & (second[2] < 1.5)
    return _Part(group, sums, totals, arms, weight, valid, pair)


def _arm(masses: list[np.ndarray], others: np.ndarray, valid: np.ndarray) -> _Arm:
    """Return one arm; where the other has one unit, that one has the variance of these."""
    mass, square, count = masses
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(valid, 1 / mass, 0)
        per_unit = np.where(count > 1.5, count / (count - 1), 0)
        lent = np.where(others < 1.5, per_unit / square, 0)
    return _Arm(square, inverse, np.where(valid, per_unit * inverse**2 + lent, 0))


def _variance(part: _Part) -> np.ndarray:
    """Return the variance of a block's effect times its squared weight.

    Of one unit in either arm, it is the squared effect.
    """
    (m1, i1, f1), (m0, i0, f0) = ((a.square, a.inverse, a.factor) for a in part.arms)
    wide, squared = part.group.wide, part.weight**2
    effect = part.pair * (i1 + i0) ** 2
    y, y2, *_ = part.sums
    found = wide(squared * (f1 - f0)) * y2 + wide(squared * f0) * part.totals[1]
    if part.group.alike:
        return found + wide(squared * (effect - f1 * i1 - f0 * i0)) * y**2
    line = wide(squared * (effect + f1 * m1 * i1**2 + f0 * m0 * i0**2)) * y
    line -= wide(squared * 2 * (f1 * i1 + f0 * i0)) * part.sums[2]
    line += wide(squared * 2 * f0 * i0) * part.totals[2]
    return found + line * y


def _covariance(one: _Part, two: _Part, shared: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the covariance of two groups' effects in a block whose units they share."""
    sums = drawn @ shared
    found = np.zeros_like(one.sums[0])
    for arm, products in enumerate((sums, shared.sum(axis=0) - sums)):
        yy, ym, my, mm = np.split(products, 4, axis=1)
        y, other = one.means[arm], two.means[arm]
        factor = one.group.wide(one.arms[arm].factor) * two.group.wide(two.arms[arm].factor)
        found += np.sqrt(factor) * (yy - other * ym - y * my + y * other * mm)
    return found


def _ratio(difference: Difference, sums: list[np.ndarray]) -> np.ndarray:
    """Return the difference over its error from the sums over blocks."""
    width = 6 if difference.between else 3
    means = [
        _mean(group, sums[width * i : width * (i + 1)]) for i, group in enumerate(difference.groups)
    ]
    value, variance, scale, few = means[0]
    valid = scale > 0
    if len(means) == 2:
        less, own, other_scale, other_few = means[1]
        if difference.shared is not None:
            both, *products = sums[2 * width :]
            if difference.between:
                first, second, product = products
                both = product - less * first - value * second + value * less * both
            own = own - 2 * np.sqrt(few * other_few) * scale * other_scale * both
        value, variance = value - less, variance + own
        valid = valid & (other_scale > 0)
    variance = np.maximum(np.maximum(variance, FLOOR * value**2), TINY)
    return np.where(valid, value / np.sqrt(variance), 0)


def _mean(group: Group, sums: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    """Return the blocks' mean effect, its variance, one over their weights, and n / (n - 1)."""
    effect, weight, *own = sums
    with np.errstate(divide="ignore"):
        scale = group.wide(np.where(weight > 0, 1 / weight, 0))
    mean = effect * scale
    if len(own) == 1:
        return mean, own[0] * scale**2, scale, np.ones_like(scale)
    squares, first, second, blocks = own
    n = group.wide(blocks)
    few = n / np.maximum(n - 1, 1)
    about = second - mean * (2 * first - group.wide(squares) * mean)
    return mean, few * about * scale**2, scale, few
