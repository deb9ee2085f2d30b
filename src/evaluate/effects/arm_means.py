"""Averages over the persons of one arm that the other arm's persons can be set against.

Where blocks were offered unequal shares, the arms hold other mixes of blocks. A person counts
here by one over the share of the block that is in the arm, so that both arms stand for the
same blocks: the mean of an arm is the mean of its blocks, weighted by their size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evaluate.effects.adjustment import alone, both_arms
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.study import Study

TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Arm:
    """The persons of one side of a contrast.

    Attributes
    ----------
    persons : ndarray of int, shape (n,)
        Their rows in the study.
    weight : ndarray, shape (n,)
        Weights that sum to one.
    block : ndarray of int, shape (n,)
        Position of each person's block.
    unit : ndarray of int, shape (n,)
        Row of each person among the units of the study.
    units : int
        Number of these rows.
    """

    persons: np.ndarray
    weight: np.ndarray
    block: np.ndarray
    unit: np.ndarray
    units: int


def two_arms(
    study: Study, rows: np.ndarray, contrast: tuple[int, int]
) -> tuple[tuple[Arm, Arm] | None, tuple[str, ...]]:
    """Return the two sides of a contrast among some persons, and what a reader must know.

    Parameters
    ----------
    study : Study
        The persons.
    rows : ndarray of bool, shape (n,)
        Those to take; persons of other arms and in blocks without both arms are left out.
    contrast : (int, int)
        The arm and the arm it is compared with.

    Returns
    -------
    sides : (Arm, Arm) or None
        None where an arm has fewer than two persons, or no block holds both.
    notes : tuple of str
        Why there is none, or whom it leaves out.
    """
    asked = rows & np.isin(study.arm, contrast)
    if min(int((study.arm[asked] == a).sum()) for a in contrast) < 2:
        return None, (note("few"),)
    used = asked.copy()
    if study.block is not None:
        used[asked] = both_arms(study.arm[asked], study.block[asked], contrast)
    if not used.any():
        return None, (note("no_block"),)
    block = np.zeros(study.n, dtype=int) if study.block is None else study.block
    weight = np.ones(study.n) if study.weight is None else study.weight
    unit = np.arange(study.n) if study.cluster is None else study.cluster
    share = np.bincount(block[used], weight[used])
    sides = []
    for a in contrast:
        persons = np.flatnonzero(used & (study.arm == a))
        b, w = block[persons], weight[persons]
        w = w * (share / np.maximum(np.bincount(b, w, len(share)), TINY))[b]
        sides.append(Arm(persons, w / w.sum(), b, unit[persons], study.units))
    if min(len(np.unique(side.unit)) for side in sides) < 2:
        return None, (note("few_clusters"),)
    lost = int(asked.sum() - used.sum())
    single = alone(study.arm[used], None if study.block is None else study.block[used])
    notes = (
        *((note("blocks", n=lost),) if lost else ()),
        *((note("alone", n=single),) if single else ()),
    )
    return (sides[0], sides[1]), notes


def means(arm: Arm, y: np.ndarray) -> Estimates:
    """Return the means of an arm, for outcomes ``y`` (n, k) of its persons."""
    value = arm.weight @ y
    return linear(arm, value, y - value)


def linear(arm: Arm, value: np.ndarray, influence: np.ndarray) -> Estimates:
    """Return estimates that depend on the weighted persons of an arm through ``influence``.

    Each person's influence is taken less the mean of the block, since how many of a block are
    in the arm was fixed by the draw, and inflated for that mean: by one less the person's
    share of the block in the arm, of clusters by n / (n - 1) for its n clusters. Whoever is
    alone there keeps the distance from the arm as a whole.

    Parameters
    ----------
    arm : Arm
        The persons.
    value : ndarray, shape (k,)
        The estimates.
    influence : ndarray, shape (n, k)
        Influence of each person on them: of a mean, the distance from it.

    Returns
    -------
    Estimates
        For a mean the variance is Neyman's, within blocks. Degrees of freedom are the units
        less the means taken.

    References
    ----------
    Neyman (1923); Imbens and Rubin (2015), Causal Inference, chapter 9; of what is no mean
    Hampel (1974), The influence curve and its role in robust estimation, JASA 69(346).
    """
    blocks, n = int(arm.block.max()) + 1, len(arm.persons)
    cell, unit = np.unique(np.column_stack([arm.block, arm.unit]), axis=0).T
    count = np.bincount(cell, minlength=blocks)
    single = count < 2
    persons = len(unit) == n == len(np.unique(unit))
    share = arm.weight / np.maximum(np.bincount(arm.block, arm.weight, blocks), TINY)[arm.block]
    share[single[arm.block]] = 0
    members = sparse.csr_array((share, (arm.block, np.arange(n))), shape=(blocks, n))
    room = 1 - (share if persons else (1 / np.where(single, np.inf, count))[arm.block])
    own = (influence - (members @ influence)[arm.block]) * (arm.weight / np.sqrt(room))[:, None]
    if persons:
        scores = np.zeros((arm.units, influence.shape[1]))
        scores[arm.unit] = own
    else:
        places = (np.ones(n), (arm.unit, np.arange(n)))
        scores = sparse.csr_array(places, shape=(arm.units, n)) @ own
    df = max(len(np.unique(unit)) - int((count > 1).sum()) - int((count == 1).any()), 1)
    return Estimates(value, scores, np.full(len(value), float(df)))
