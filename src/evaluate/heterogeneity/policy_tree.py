"""A shallow tree that says who gets a place, learned from doubly robust scores.

The tree is econml's `PolicyTree`: at each node the split is taken after which the best choice on
either side is worth most. Thresholds are looked for among round numbers near quantiles, none of
them any person's value, so that a drawn tree tells nobody's and is learned fast.

Athey and Wager (2021), Policy learning with observational data, Econometrica 89(1), on trees
learned from doubly robust scores, and on costs and limits as a price of a place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.heterogeneity.signals import Signals

MOST = 32  # thresholds of a covariate
LEAST = 10  # persons in a leaf, and
PART = 0.05  # part of those learned from
STEPS = 4  # prices of a place that are tried, two more where there is none to begin with
SAMPLE = 50_000  # persons whose quantiles serve
DIGITS = 12


@dataclass(frozen=True)
class Cuts:
    """Thresholds of each of p covariates, in increasing order and no person's value."""

    thresholds: tuple[np.ndarray, ...]

    def coarse(self, x: np.ndarray) -> np.ndarray:
        """Return how many thresholds each value lies above, shape (m, p)."""
        found = np.zeros(x.shape, dtype=np.uint8)
        for j, at in enumerate(self.thresholds):
            found[:, j] = np.searchsorted(at, x[:, j])
        return found


@dataclass(frozen=True)
class Tree:
    """A rule; nodes in the order root, all below a threshold, all above it.

    Attributes
    ----------
    feature, cut : ndarray of int, shape (nodes,)
        Covariate and which of its thresholds; -1 in a leaf.
    above : ndarray of int, shape (nodes,)
        Node of those above the threshold; those below are in the next one.
    treat : ndarray of bool, shape (nodes,)
        Whether persons of a leaf get places.
    """

    feature: np.ndarray
    cut: np.ndarray
    above: np.ndarray
    treat: np.ndarray

    def leaf(self, coarse: np.ndarray) -> np.ndarray:
        """Return the leaf of each person, shape (m,)."""
        at = np.zeros(len(coarse), dtype=int)
        for node in range(len(self.feature)):
            if self.feature[node] >= 0:
                here = at == node
                over = coarse[here, self.feature[node]] > self.cut[node]
                at[here] = np.where(over, self.above[node], node + 1)
        return at

    def treats(self, coarse: np.ndarray) -> np.ndarray:
        """Tell who gets a place, shape (m,)."""
        return self.treat[self.leaf(coarse)]


def cuts_of(x: np.ndarray, most: int = MOST) -> Cuts:
    """Return round thresholds near the quantiles of covariates, shape (m, p).

    Parameters
    ----------
    x : ndarray, shape (m, p)
        Covariates of all persons, without missing values; no outcome has a part in them.
    most : int
        Thresholds of one covariate, at most 255.

    Returns
    -------
    Cuts
        None for a covariate that does not vary.
    """
    every = max(1, -(-len(x) // SAMPLE))
    return Cuts(tuple(_thresholds(x[:, j], x[::every, j], most) for j in range(x.shape[1])))


def _thresholds(column: np.ndarray, sample: np.ndarray, most: int) -> np.ndarray:
    low, high = column.min(initial=np.inf), column.max(initial=-np.inf)
    if not low < high:
        return np.empty(0)
    if ((column == low) | (column == high)).all():
        return np.array([between(low, high)])
    wanted = np.unique(np.quantile(sample, np.arange(1, most) / most))
    step = 10.0 ** np.floor(np.log10(max(sample.std(), (high - low) * 1e-6)) - 1)
    found = []
    values = np.sort(column)
    for multiple in np.unique(np.round(wanted / step)):
        at = float(f"{multiple * step:.{DIGITS}g}") + 0.0
        if low <= at < high:
            above = values[np.searchsorted(values, at, side="right")]
            is_value = values[np.searchsorted(values, at)] == at
            found.append(between(at, above) if is_value else at)
    return np.unique(np.array(found))


def between(low: float, high: float) -> float:
    """Return the number with the fewest digits between two, neither of which it is."""
    middle = (low + high) / 2
    step = 10.0 ** np.ceil(np.log10(max(abs(low), abs(high), high - low)))
    for _ in range(2 * DIGITS):
        near = round(middle / step) * step
        near = float(f"{near:.{DIGITS}g}")
        if low < near < high:
            return near
        step /= 10
    return float(middle)


def leaf_size(persons: int) -> int:
    """Return how many persons a leaf must hold of those learned from."""
    return max(LEAST, int(np.ceil(PART * persons)))


def learned_tree(
    coarse: np.ndarray,
    reward: np.ndarray,
    share: np.ndarray,
    weight: np.ndarray,
    capacity: float,
    depth: int,
    price: float = 0.0,
    seed: int = 0,
) -> tuple[Tree, float] | None:
    """Learn the rule that is worth most among shallow trees within a number of places.

    Without a limit, places go where the reward is above zero. Where that gives too many, a price
    of a place is taken from the reward and raised, by bisection, until it does not. Of the trees
    on the way the one is taken that is worth most to those learned from, if its places are given
    by lot where they are too few.

    Parameters
    ----------
    coarse : ndarray of int, shape (m, p)
        Covariates as of `Cuts.coarse`.
    reward : ndarray, shape (m,)
        Scores of what a place adds: of the outcome, or of its value net of cost.
    share, weight : ndarray, shape (m,)
        As of `Signals`.
    capacity : float
        Share of the persons there are places for.
    depth : int
        Splits from the root to a leaf.
    price : float
        Of a place, to begin with: that of a tree learned from some of the same persons.
    seed : int
        Order in which covariates are tried, where two splits are worth the same.

    Returns
    -------
    tuple of Tree and float, or None
        The tree and the last price; None where there are too few persons for two leaves.
    """
    leaf = leaf_size(len(reward))
    if len(reward) < 2 * leaf or not (weight @ share > 0):
        return None
    mass = weight @ share

    def tried(price: float) -> tuple[float, float, Tree]:
        tree = _fitted(coarse, reward - price * share, share, weight, depth, leaf, seed)
        treated = weight * tree.treats(coarse)
        places = treated @ share / mass
        worth = treated @ reward / mass * min(1.0, capacity / max(places, 1e-300))
        return places, worth, tree

    best: tuple[float, Tree] | None = None
    steps = STEPS
    if price == 0:
        places, worth, tree = tried(price)
        if places <= capacity:
            return tree, price
        best = (worth, tree)
        steps += 2
        price = max(float(weight @ reward / mass), 0.0)
    low, high = 0.0, None
    for _ in range(steps):
        places, worth, tree = tried(price)
        if best is None or worth > best[0]:
            best = (worth, tree)
        if places > capacity:
            low = price
        else:
            high = price
        if high is None:
            price = 2 * price if price > 0 else _spread(reward, share, weight)
        else:
            price = (low + high) / 2
    assert best is not None
    return best[1], price


def _spread(reward: np.ndarray, share: np.ndarray, weight: np.ndarray) -> float:
    mass = weight @ share
    left = reward - weight @ reward / mass * share
    return float(np.sqrt(weight @ left**2 / mass))


def _fitted(
    coarse: np.ndarray,
    reward: np.ndarray,
    share: np.ndarray,
    weight: np.ndarray,
    depth: int,
    leaf: int,
    seed: int,
) -> Tree:
    spread = np.ptp(coarse, axis=0) if len(coarse) else np.zeros(coarse.shape[1])
    varies = np.flatnonzero(spread > 0)
    if not len(varies):
        return _leaf_only(bool(weight @ reward > 0))
    from econml.policy import PolicyTree  # takes seconds

    model = PolicyTree(
        max_depth=depth,
        min_samples_split=2 * leaf,
        min_samples_leaf=leaf,
        min_balancedness_tol=0.5,
        honest=False,
        random_state=seed,
    )
    x = coarse[:, varies].astype(float)
    model.fit(x, np.column_stack([np.zeros(len(reward)), reward]), sample_weight=weight)
    tree = model.tree_
    total = np.bincount(tree.apply(x), weight * reward, len(tree.feature))
    feature: list[int] = []
    cut: list[int] = []
    above: list[int] = []
    treat: list[bool] = []

    def walk(node: int) -> None:
        here, left = len(feature), int(tree.children_left[node])
        if left < 0 or len(set(_leaves(node))) == 1:
            feature.append(-1)
            cut.append(-1)
            above.append(-1)
            treat.append(_leaves(node)[0])
            return
        feature.append(int(varies[tree.feature[node]]))
        cut.append(int(np.floor(tree.threshold[node])))
        above.append(-1)
        treat.append(False)
        walk(left)
        above[here] = len(feature)
        walk(int(tree.children_right[node]))

    def _leaves(node: int) -> list[bool]:
        left = int(tree.children_left[node])
        if left < 0:
            return [bool(total[node] > 0)]
        return _leaves(left) + _leaves(int(tree.children_right[node]))

    walk(0)
    return Tree(np.array(feature), np.array(cut), np.array(above), np.array(treat))


def _leaf_only(treat: bool) -> Tree:
    nothing = np.array([-1])
    return Tree(nothing, nothing, nothing, np.array([treat]))


def tree_rows(
    case: Signals,
    name: str,
    tree: Tree,
    cuts: Cuts,
    names: tuple[str, ...],
    coarse: np.ndarray,
    notes: str,
) -> list[dict[str, object]]:
    """Return a tree as rows of `schemas.POLICY_TREE`, counted among those the effect is about."""
    leaf = tree.leaf(coarse)
    nodes = len(tree.feature)
    parent, branch, last = np.full(nodes, -1), [""] * nodes, np.arange(nodes)
    for node in range(nodes):
        if tree.feature[node] >= 0:
            for child, side in ((node + 1, "below"), (tree.above[node], "above")):
                parent[child], branch[child] = node, side
    for node in range(nodes - 1, 0, -1):
        last[parent[node]] = max(last[parent[node]], last[node])
    about = case.share > 0
    mass = case.weight * case.share
    rows: list[dict[str, object]] = []
    for node in range(nodes):
        here = (leaf >= node) & (leaf <= last[node])
        counts = {
            f"n_{g}": int((here & about & case.groups[g]).sum())
            for g in ("women", "men")
            if g in case.groups
        }
        known = {g: mass @ (here & case.groups[g]) for g in ("women", "men") if g in case.groups}
        is_leaf = tree.feature[node] < 0
        rows.append(
            {
                "tree": name,
                "node": node,
                "parent": int(parent[node]) if node else None,
                "branch": branch[node] or None,
                "covariate": "" if is_leaf else names[tree.feature[node]],
                "threshold": (
                    None if is_leaf else cuts.thresholds[tree.feature[node]][tree.cut[node]]
                ),
                "treat": bool(tree.treat[node]) if is_leaf else None,
                "share": float(min(mass @ here / mass.sum(), 1)),
                "share_women": (
                    float(known["women"] / sum(known.values()))
                    if case.both_genders and sum(known.values()) > 0
                    else None
                ),
                "n": int((here & about).sum()),
                "note": notes if not node else "",
            }
            | counts
        )
    return rows
