"""Blocks with one unit of an arm: their variance shows only between them."""

from __future__ import annotations

import numpy as np

from evaluate.effects.linear import OF_CLUSTERS, Errors
from evaluate.errors import DesignError
from evaluate.estimates import Estimates


def small_blocks(z: np.ndarray, block: np.ndarray, cluster: np.ndarray | None) -> np.ndarray:
    """Return which blocks have no variance of their own, shape (blocks,).

    Of clusters, the blocks with a single one in either arm. Of persons, all blocks or none:
    where some block has two in both arms, those alone take the pooled variance.

    Parameters
    ----------
    z : ndarray of bool, shape (n,)
        Who was offered.
    block : ndarray of int, shape (n,)
        Blocks from 0 on, each with both arms.
    cluster : ndarray of int, shape (n,), or None
        Clusters that were assigned.
    """
    unit = np.arange(len(z)) if cluster is None else cluster
    cells = np.unique(np.column_stack([2 * block + z, unit]), axis=0)[:, 0]
    count = np.bincount(cells, minlength=2 * (block.max() + 1)).reshape(-1, 2)
    small = count.min(axis=1) < 2
    if len(small) == 1 or (cluster is None and not small.all()):
        return np.zeros(len(small), dtype=bool)
    return np.asarray(small)


def between_blocks(
    y: np.ndarray,
    z: np.ndarray,
    block: np.ndarray,
    w: np.ndarray,
    share: np.ndarray,
    small: np.ndarray,
    errors: Errors,
) -> Estimates:
    """Average the differences of small blocks, with the variance between them.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    z, block
        As for `small_blocks`.
    w : ndarray, shape (n,)
        Weights, above zero.
    share : ndarray, shape (blocks,)
        Weight of each block among all blocks.
    small : ndarray of bool, shape (blocks,)
        The blocks to use.
    errors : Errors
        Whether scores are those of clusters.

    Returns
    -------
    Estimates
        The small blocks' part of the average. Conservative unless effects are the same in all
        blocks; of matched pairs of one size it is the variance of paired differences. Degrees
        of freedom are the small blocks less one.

    Raises
    ------
    DesignError
        If there is one small block, or one with half of the weight of all small blocks.

    References
    ----------
    Pashley and Miratrix (2021), Insights on variance estimation for blocked and matched pairs
    designs, Journal of Educational and Behavioral Statistics 46(3).
    """
    places = np.flatnonzero(small)
    own = share[places] / share[places].sum()
    if len(places) < 2 or own.max() >= 0.5:
        raise DesignError(
            f"{len(places)} blocks hold one unit of an arm, too few or too unequal for a variance "
            "between them: merge blocks, or use fixed_effects."
        )
    effect = np.empty((len(places), y.shape[1]))
    first = np.empty(len(places), dtype=int)  # where a block's score stands
    for i, b in enumerate(places):
        rows = block == b
        treated, control = (
            np.average(y[rows & side], axis=0, weights=w[rows & side]) for side in (z, ~z)
        )
        effect[i] = treated - control
        if errors.kind in OF_CLUSTERS and errors.cluster is not None:
            first[i] = errors.cluster[rows].min()
        else:
            first[i] = np.flatnonzero(rows)[0]
    mean = own @ effect
    room = 1 - 2 * own
    size = own / np.sqrt(room * (1 + (own**2 / room).sum())) * share[places].sum()
    scores = np.zeros((errors.units if errors.kind in OF_CLUSTERS else len(z), y.shape[1]))
    scores[first] = size[:, None] * (effect - mean)
    df = np.full(y.shape[1], len(places) - 1.0)
    return Estimates(share[places].sum() * mean, scores, df)
