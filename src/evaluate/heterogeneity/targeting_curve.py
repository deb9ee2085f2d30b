"""What the first persons in an order gain, by how many places there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.policy_values import (
    BESIDE,
    COST,
    EFFECT,
    NET,
    PLACES,
    ROUNDING,
    Places,
    Valued,
    over_splits,
    valued,
)
from evaluate.heterogeneity.signals import Signals
from evaluate.heterogeneity.targeting_costs import Money

GENDERS = ("women", "men")
SHARES = np.arange(1, 21) / 20  # of the persons


@dataclass(frozen=True)
class Along:
    """Values of k amounts at each of q shares, their variances, shape (q, k); women among them."""

    value: np.ndarray
    variance: np.ndarray
    women: np.ndarray


def curve_rows(
    case: Signals,
    amount: np.ndarray,
    predicted: dict[str, Honest],
    splits: int,
    money: Money | None,
    level: float,
) -> list[dict[str, object]]:
    """Value places for 5, 10 ... 100 per cent of the persons in several orders.

    Parameters
    ----------
    case : Signals
        The persons.
    amount : ndarray, shape (m, k)
        As of `evaluate.heterogeneity.policies.amounts`.
    predicted : dict of str to Honest
        Predictions by name of the order.
    splits : int
        How many splits of them to judge, at most.
    money : Money or None
        Costs, where the plan states them.
    level : float
        Of the intervals, each of which holds for its own share.

    Returns
    -------
    list of dict
        Rows of `schemas.TARGETING_CURVE`; medians over splits where the order was predicted.
    """
    rows: list[dict[str, object]] = []
    for name, honest in predicted.items():
        chosen = range(min(splits, len(honest.fold)))
        along = [_predicted(case, amount, honest.fold[s], honest.effect[s]) for s in chosen]
        judged = [np.flatnonzero(honest.fold[s] > 0) for s in chosen]
        rows += _rows(case, name, along, judged, money, level, len(along))
    fixed = {"random": [case.groups["all"]]}
    if case.both_genders:
        women, men = case.groups["women"], case.groups["men"]
        unknown = ~(women | men)
        rest = [unknown] if (case.weight * case.share) @ unknown > 0 else []
        fixed = {"women_first": [women, men, *rest], "men_first": [men, women, *rest]} | fixed
    everybody = np.arange(case.m)
    for name, lots in fixed.items():
        rows += _rows(case, name, [_by_lot(case, amount, lots)], [everybody], money, level, None)
    return rows


def _rows(
    case: Signals,
    name: str,
    along: Sequence[Along],
    judged: Sequence[np.ndarray],
    money: Money | None,
    level: float,
    splits: int | None,
) -> list[dict[str, object]]:
    value, variance = (np.stack([getattr(a, v) for a in along]) for v in ("value", "variance"))
    women = np.stack([a.women for a in along])
    persons = [int((case.share[rows] > 0).sum()) for rows in judged]
    units = persons
    if case.cluster is not None:
        units = [len(np.unique(case.cluster[rows])) for rows in judged]
    elif case.estimand == "att":
        units = [len(rows) for rows in judged]
    df = max(float(np.median(units)) - 1, 1.0)
    gain = over_splits(value[:, :, EFFECT], variance[:, :, EFFECT], df, level)
    table: list[dict[str, object]] = []
    for i, share in enumerate(SHARES):
        table.append(
            {
                "order": name,
                "share": share,
                "gain": gain[0, i],
                "std_error": gain[1, i],
                "conf_low": gain[2, i],
                "conf_high": gain[3, i],
                "women_among_treated": _middle(women[:, i]),
                "splits": splits,
                "level": level,
                "n": round(float(np.median(persons))),
                "note": "",
            }
        )
    if money is None:
        return table
    cost = np.median(value[:, :, COST], axis=0)
    for i, row in enumerate(table):
        row |= {"cost": cost[i], "currency": money.currency}
    if money.value is not None:
        middle = money.value * gain[0] - cost
        net = over_splits(value[:, :, NET], variance[:, :, NET], df, level, middle)
        for i, row in enumerate(table):
            row |= {"net_gain": middle[i], "net_low": net[2, i], "net_high": net[3, i]}
    return table


def _middle(share: np.ndarray) -> float | None:
    known = share[np.isfinite(share)]
    return float(np.clip(np.median(known), 0, 1)) if len(known) else None


def _by_lot(case: Signals, amount: np.ndarray, lots: Sequence[np.ndarray]) -> Along:
    """Give places to one group after the other, by lot within the group where they run out."""
    mass = case.weight * case.share
    total = mass.sum()
    rows = np.arange(case.m)
    values: list[Valued] = []
    for share in SHARES:
        place, left = np.zeros(case.m), share * total
        margin = lots[-1]
        for lot in lots:
            size = mass @ lot
            place[lot] = np.clip(left / size, 0, 1) if size > 0 else 0.0
            if 0 < left <= size:
                margin = lot
            left -= size
        places = Places(place, np.zeros(case.m, dtype=int), margin)
        values.append(valued(case, amount, rows, places))
    return Along(
        np.stack([v.value for v in values]),
        np.stack([(v.scores**2).sum(axis=0) for v in values]),
        np.array([v.share[3] for v in values]),
    )


def _predicted(case: Signals, amount: np.ndarray, fold: np.ndarray, effect: np.ndarray) -> Along:
    """Value orders of a split's folds in one pass: sums over those before each last place."""
    folds = [np.flatnonzero(fold == k) for k in range(1, int(fold.max(initial=0)) + 1)]
    parts = [_Order(case, amount, rows, effect[rows]) for rows in folds if len(rows)]
    mass = sum(p.mass for p in parts)
    value = _total(p.sums(SHARES, p.linear) for p in parts)
    ends = (np.minimum(SHARES + BESIDE, 1), np.maximum(SHARES - BESIDE, 0))
    beside = [_total(p.sums(end, p.linear) for p in parts) for end in ends]
    near = beside[0] - beside[1]
    margin = near / np.where(near[:, [PLACES]] > 0, near[:, [PLACES]], 1)
    rest = (value - margin * value[:, [PLACES]]) / mass
    k = amount.shape[1]
    if case.cluster is None:
        square = _total(p.sums(SHARES, p.quadratic, squared=True) for p in parts)
        single = _total(p.sums(SHARES, p.quadratic) for p in parts)
        own, cross, share = (slice(i * k, (i + 1) * k) for i in range(3))
        variance = square[:, own] - 2 * margin * square[:, cross] + margin**2 * square[:, share]
        variance -= 2 * rest * (single[:, cross] - margin * single[:, share])
        variance += rest**2 * _total(p.quadratic.each[:, share].sum(axis=0) for p in parts)
        variance /= mass**2
    else:
        rows = np.concatenate([p.rows for p in parts])
        _, unit = np.unique(case.cluster[rows], return_inverse=True)
        g = int(unit.max()) + 1
        a = np.concatenate([p.linear.each for p in parts])
        each = np.stack([np.bincount(unit, a[:, PLACES], g)] * k, axis=1)
        variance = np.empty(value.shape)
        for i, q in enumerate(SHARES):
            place = np.concatenate([p.place(q) for p in parts])[:, None]
            u = place * (a - margin[i] * a[:, [PLACES]])
            summed = np.column_stack([np.bincount(unit, column, g) for column in u.T])
            variance[i] = ((summed - rest[i] * each) ** 2).sum(axis=0) / mass**2
        variance *= g / max(g - 1, 1)
    given = _total(p.sums(SHARES, p.genders) for p in parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        women = given[:, 0] / given.sum(axis=1)
    among = women if case.both_genders else np.full(len(SHARES), np.nan)
    return Along(value / mass, np.maximum(variance, 0), among)


def _total(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.sum(list(parts), axis=0)


@dataclass(frozen=True)
class _Sums:
    """Values of the persons in order, and their sums before and in each group of equals."""

    each: np.ndarray
    before: np.ndarray
    group: np.ndarray


class _Order:
    """The persons of one fold, those with the highest predictions first, equals together."""

    def __init__(
        self, case: Signals, amount: np.ndarray, rows: np.ndarray, effect: np.ndarray
    ) -> None:
        order = np.argsort(-effect, kind="stable")
        rows, effect = rows[order], effect[order]
        starts = np.flatnonzero(np.r_[True, effect[1:] != effect[:-1]])
        w, share = case.weight[rows], case.share[rows]
        genders = [case.groups[g][rows] if g in case.groups else share * 0 for g in GENDERS]
        linear = w[:, None] * amount[rows]
        held = (w * share)[:, None]
        self.rows = rows
        self.group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(rows)]))
        self.linear = _summed(linear, starts)
        self.quadratic = _summed(
            np.hstack([linear**2, linear * held, np.repeat(held**2, linear.shape[1], axis=1)]),
            starts,
        )
        self.genders = _summed(held * np.column_stack(genders), starts)
        self.size = self.linear.group[:, PLACES]
        self.after = np.cumsum(self.size)
        self.mass = float(self.after[-1])

    def last(self, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the group that gets the last place, and its part that does."""
        target = shares * self.mass
        group = np.searchsorted(self.after, target * (1 + ROUNDING), side="right")
        group = np.minimum(group, len(self.after) - 1)
        size = self.size[group]
        left = target - (self.after[group] - size)
        part = np.where(size > 0, left / np.where(size > 0, size, 1), 1.0)
        return group, np.clip(part, 0, 1)

    def sums(self, shares: np.ndarray, values: _Sums, squared: bool = False) -> np.ndarray:
        """Return sums of values times probability of a place, or its square."""
        group, part = self.last(shares)
        part = part**2 if squared else part
        return values.before[group] + part[:, None] * values.group[group]

    def place(self, share: float) -> np.ndarray:
        """Return each person's probability of a place."""
        group, part = self.last(np.array([share]))
        return np.where(self.group < group[0], 1.0, np.where(self.group == group[0], part[0], 0.0))


def _summed(values: np.ndarray, starts: np.ndarray) -> _Sums:
    group = np.add.reduceat(values, starts, axis=0)
    before = np.zeros_like(group)
    np.cumsum(group[:-1], axis=0, out=before[1:])
    return _Sums(values, before, group)
