"""Two arms made comparable by weights, and scores of what is computed from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evaluate.effects.adjustment import Contrast
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

WHOLE = 1 - 1e-9  # share of a stratum that one unit has, if it is alone in it


@dataclass(frozen=True)
class Comparison:
    """The persons of two arms, of blocks that hold both.

    Attributes
    ----------
    treated : ndarray of bool, shape (m,)
        Who is in the first arm of the contrast.
    share : ndarray, shape (m,)
        Weight of each person, 1 in all in either arm. Both arms have the same mix of blocks:
        a block counts by its persons, or their weights, whatever share of it was offered.
    stratum : ndarray of int, shape (m,)
        Cell of block and arm; cells with one unit are taken together within their arm.
    pair : ndarray of int, shape (m,)
        Which pair of a stratum and a unit each person belongs to.
    unit : ndarray of int, shape (pairs,)
        Position of the pair's unit, a person or a cluster, among those of the study.
    gain : ndarray, shape (pairs,)
        Correction for the leverage of the pair's persons: HC2, of clusters CR2.
    at : ndarray of int, shape (pairs,)
        The pair's stratum.
    df : ndarray, shape (strata,)
        Degrees of freedom of each stratum's variance.
    units : int
        Number of rows of scores.
    alone : int
        Persons whose unit was alone in its cell.
    """

    treated: np.ndarray
    share: np.ndarray
    stratum: np.ndarray
    pair: np.ndarray
    unit: np.ndarray
    gain: np.ndarray
    at: np.ndarray
    df: np.ndarray
    units: int
    alone: int

    def estimates(self, value: np.ndarray, influence: np.ndarray) -> Estimates:
        """Return k estimates from how each person moves them.

        Parameters
        ----------
        value : ndarray, shape (k,)
            The estimates.
        influence : ndarray, shape (m, k)
            Derivative of each value with respect to a person's weight, over that person's
            ``share``; a constant within an arm does not matter.

        Returns
        -------
        Estimates
            With the variance of deviations within strata. Degrees of freedom are
            Satterthwaite's for the sum over strata; for two means that is Welch's test.
        """
        m, strata = len(self.share), len(self.df)
        here = sparse.csr_array((self.share, (self.stratum, np.arange(m))), shape=(strata, m))
        mass = np.bincount(self.stratum, self.share, minlength=strata)
        deviation = influence - (here @ influence / mass[:, None])[self.stratum]
        pairs = len(self.unit)
        people = sparse.csr_array((self.share, (self.pair, np.arange(m))), shape=(pairs, m))
        by_pair = self.gain[:, None] * (people @ deviation)
        within = sparse.csr_array((np.ones(pairs), (self.at, np.arange(pairs))), (strata, pairs))
        variance = within @ by_pair**2
        with np.errstate(divide="ignore", invalid="ignore"):
            df = variance.sum(axis=0) ** 2 / (variance**2 / self.df[:, None]).sum(axis=0)
        shape = (self.units, pairs)
        spread = sparse.csr_array((np.ones(pairs), (self.unit, np.arange(pairs))), shape)
        df = np.where(np.isfinite(df), df, self.df.sum())
        return Estimates(np.asarray(value, dtype=float), np.asarray(spread @ by_pair), df)

    def difference(self, y: np.ndarray) -> Estimates:
        """Return differences in weighted means of ``y``, shape (m, k)."""
        signed = np.where(self.treated[:, None], y, -y)
        return self.estimates(self.share @ signed, signed)

    def mean(self, y: np.ndarray, treated: bool) -> np.ndarray:
        """Return the weighted means of one arm, shape (k,)."""
        rows = self.treated == treated
        return np.asarray(self.share[rows] @ y[rows])


def compare(
    arm: np.ndarray,
    contrast: Contrast,
    block: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    unit: np.ndarray | None = None,
    units: int | None = None,
) -> Comparison:
    """Make two arms comparable.

    Parameters
    ----------
    arm : ndarray of int, shape (m,)
        Arm of each person, one of the two in ``contrast``.
    contrast : (int, int)
        The arm and the arm it is compared with.
    block : ndarray of int, shape (m,), optional
        Blocks; each must hold both arms, see `adjustment.both_arms`. The weight of a person
        is then inverse to the share of the block that is in the person's arm.
    weight : ndarray, shape (m,), optional
        Weights above zero.
    unit : ndarray of int, shape (m,), optional
        Row of scores of each person: of clusters the same for all members.
    units : int, optional
        Number of rows of scores.

    Returns
    -------
    Comparison

    Raises
    ------
    DesignError
        If an arm has fewer than two units.

    References
    ----------
    Imbens and Rubin (2015), Causal Inference, chapter 9; of degrees of freedom and leverage
    of clusters, Bell and McCaffrey (2002), Survey Methodology 28(2); of cells taken together,
    Wolter (2007), Introduction to Variance Estimation, chapter 2.
    """
    m = len(arm)
    treated = arm == contrast[0]
    w = np.ones(m) if weight is None else weight
    unit = np.arange(m) if unit is None else unit
    _, place = np.unique(np.zeros(m) if block is None else block, return_inverse=True)
    cell = 2 * place + treated
    in_block, in_cell = np.bincount(place, w), np.bincount(cell, w)
    in_cell = np.pad(in_cell, (0, 2 * len(in_block) - len(in_cell)))
    if in_cell.min() == 0:
        raise DesignError("a block has one arm only.")
    share = w * in_block[place] / in_cell[cell] / w.sum()
    single = _one_unit(cell, share, unit)
    alone = int(single.sum())
    cell = np.where(single, -1 - treated, cell)
    still = _one_unit(cell, share, unit)  # alone among those taken together: the whole arm is one
    for side in (False, True):
        if (still & (treated == side)).any():
            cell = np.where(treated == side, -1 - treated, cell)
    if (short := _one_unit(cell, share, unit)).any():
        what = "persons" if len(np.unique(unit)) == m else "clusters"
        where = "the arm" if treated[short].all() else "control"
        raise DesignError(f"fewer than two {what} in {where}: no variance can be estimated.")
    _, stratum = np.unique(cell, return_inverse=True)
    last = int(unit.max()) + 1 if units is None else units
    pairs, pair = np.unique(stratum * last + unit, return_inverse=True)
    at, of = np.divmod(pairs, last)
    within = share / np.bincount(stratum, share)[stratum]
    leverage = np.bincount(pair, within)
    gain = 1 / np.sqrt(1 - leverage)
    df = _design_df(gain, leverage, np.bincount(pair, within**2), at)
    return Comparison(treated, share, stratum, pair, of, gain, at, df, last, alone)


def _one_unit(cell: np.ndarray, share: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return who is in a cell that one unit has all of, shape (m,)."""
    _, place = np.unique(cell, return_inverse=True)
    _, pair = np.unique(place * (unit.max() + 1) + unit, return_inverse=True)
    return np.bincount(pair, share)[pair] > WHOLE * np.bincount(place, share)[place]


def _design_df(
    gain: np.ndarray, leverage: np.ndarray, square: np.ndarray, at: np.ndarray
) -> np.ndarray:
    """Return each stratum's degrees of freedom if persons are alike and independent.

    A unit's score is ``gain * leverage`` times its mean's deviation from the stratum's; the
    covariance of the scores is diagonal but for two directions, so its traces are sums.
    """
    a, own = gain * leverage, gain**2 * square
    b = a * square / leverage  # the part that the unit has of the stratum's mean
    centre = np.bincount(at, square)

    def total(x: np.ndarray) -> np.ndarray:
        return np.bincount(at, x)

    aa, ab, bb = total(a * a), total(a * b), total(b * b)
    mixed = centre[at] * a * a - 2 * a * b
    trace = total(own + mixed)
    rest = 2 * aa * bb + 2 * ab**2 + centre**2 * aa**2 - 4 * centre * aa * ab
    return np.asarray(trace**2 / (total(own**2) + 2 * total(own * mixed) + rest))
