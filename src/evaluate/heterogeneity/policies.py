"""Rules of who is offered a place, against no one, everyone, the present places and lots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.heterogeneity.policy_values import (
    COST,
    EFFECT,
    NET,
    Places,
    Valued,
    of_rows,
    over_splits,
    valued,
)
from evaluate.heterogeneity.signals import Signals
from evaluate.heterogeneity.targeting_costs import Money
from evaluate.notes import joined, note

AGAINST = ("no_one", "everyone", "present", "random")
SAME = 1e-9  # of everyone's, below which a gain or its error is none: the places are the same

Judged = tuple[np.ndarray, Places]  # persons, shape (f,), who had no part in the rule; their places


@dataclass(frozen=True)
class Policy:
    """A rule, or what learns one.

    Attributes
    ----------
    name : str
        As in `schemas.POLICIES`.
    uses_gender : bool
        Whether it knows who is a woman.
    judged : callable
        From the number of a split to the persons judged and their places.
    splits : int
        How many splits it is judged in; 0 for a rule that was not learned: it is judged once.
    notes : tuple of str
        What a reader must know.
    """

    name: str
    uses_gender: bool
    judged: Callable[[int], Judged]
    splits: int = 0
    notes: tuple[str, ...] = ()


def policy_rows(
    case: Signals,
    amount: np.ndarray,
    policies: Sequence[Policy],
    now: Places,
    money: Money | None,
    capacity: float,
    level: float,
) -> list[dict[str, object]]:
    """Value rules against no one, everyone, the present places and as many at random.

    Parameters
    ----------
    case : Signals
        The persons.
    amount : ndarray, shape (m, k)
        As of `amounts`.
    policies : sequence of Policy
        The rules.
    now : Places
        As of `present`, of all persons.
    money : Money or None
        Costs, where the plan states them.
    capacity, level : float
        Share of the persons there are places for; level of the intervals.

    Returns
    -------
    list of dict
        Rows of `schemas.POLICIES`; medians over splits of rules that were learned. There a gain
        is that of the rules learned in the splits, averaged over the folds, not of one rule.
    """
    found: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]] = {}
    everybody = np.arange(case.m)
    everyone = now_of = None
    for split in range(-1, max((p.splits for p in policies), default=0)):
        chosen = [p for p in policies if (p.splits > split >= 0) or (p.splits == 0 and split < 0)]
        rows = everybody
        for i, policy in enumerate(chosen):
            rows, places = policy.judged(split)
            if not i:
                everyone = valued(case, amount, rows, Places(np.ones(len(rows))))
                now_of = valued(case, amount, rows, of_rows(now, rows))
            assert everyone is not None
            assert now_of is not None
            one = valued(case, amount, rows, places)
            found.setdefault(policy.name, []).append(_compared(case, rows, one, everyone, now_of))
    table: list[dict[str, object]] = []
    for policy in policies:
        parts = [np.stack(p) for p in zip(*found[policy.name], strict=True)]
        for i, against in enumerate(AGAINST):
            if _is_told(policy.name, against, case):
                numbers = _numbers(parts, i, money, level)
                numbers["note"] = joined([*policy.notes, *numbers.pop("notes")])  # type: ignore[misc]
                table.append(
                    {"policy": policy.name, "uses_gender": policy.uses_gender, "against": against}
                    | {"capacity": capacity, "splits": policy.splits or None, "level": level}
                    | numbers
                )
    return table


def _compared(
    case: Signals, rows: np.ndarray, one: Valued, everyone: Valued, now: Valued
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return values and variances, shape (4, k), shares, shape (4,), and numbers of persons."""
    nobody = Valued(np.zeros_like(one.value), np.zeros_like(one.scores), np.zeros(4))
    others = (nobody, everyone, now, one.at_random(everyone))
    values, variances = [], []
    size = np.maximum((everyone.scores**2).sum(axis=0), everyone.value**2)
    least = SAME**2 * np.maximum(size, 1e-300)
    for value, scores in (one.minus(other) for other in others):
        variance = (scores**2).sum(axis=0)
        same = variance <= least
        values.append(np.where(same & (np.abs(value) < SAME * np.abs(everyone.value)), 0, value))
        variances.append(np.where(same, 0, variance))
    about = case.share[rows] > 0
    groups = ["all", "women", "men"]
    count = [(about & case.groups[g][rows]).sum() if g in case.groups else 0 for g in groups]
    units = len(rows) if case.cluster is None else len(one.scores)
    return np.stack(values), np.stack(variances), one.share, np.array([*count, units])


def _is_told(policy: str, against: str, case: Signals) -> bool:
    """Tell whether a comparison says something: not of a rule with itself."""
    if policy == against or (policy in ("everyone", "no_one") and against == "random"):
        return False
    return not (policy == "present" and against == "random" and case.estimand != "ate")


def _numbers(
    parts: Sequence[np.ndarray], i: int, money: Money | None, level: float
) -> dict[str, object]:
    value, variance, share, count = parts[0][:, i], parts[1][:, i], parts[2], parts[3]
    df = max(float(np.median(count[:, 3])) - 1, 1.0)
    gain, error, low, high, p_value = over_splits(value, variance, df, level)[:, EFFECT].tolist()
    notes: list[str] = []
    shares = [float(np.nanmedian(s)) if np.isfinite(s).any() else None for s in share.T]
    counts = np.median(count, axis=0)
    row: dict[str, object] = {
        "share_treated": shares[0],
        "share_treated_women": shares[1],
        "share_treated_men": shares[2],
        "women_among_treated": shares[3],
        "gain": gain,
        "n": round(counts[0]),
        "n_women": round(counts[1]) or None,
        "n_men": round(counts[2]) or None,
        "notes": notes,
    }
    told = error > 0
    if told:
        row |= {"std_error": error, "conf_low": low, "conf_high": high, "p_value": p_value}
    else:
        notes.append(note("policy_same"))
    if money is None:
        return row
    cost = float(np.median(value[:, COST]))
    row |= {"currency": money.currency, "value_of_unit": money.value, "cost_difference": cost}
    if told and not (low > 0 or high < 0):
        notes.append(note("policy_no_ratio"))
    elif told and gain * cost <= 0:
        notes.append(note("policy_better" if gain > 0 else "policy_worse"))
    elif told:
        row["cost_per_unit"] = cost / gain
        if gain < 0:
            notes.append(note("policy_saved"))
    if money.value is not None:
        net = money.value * gain - cost
        own = over_splits(value[:, NET:], variance[:, NET:], df, level, np.array([net]))
        row["net_gain"] = net
        if told:
            row |= {"net_low": float(own[2, 0]), "net_high": float(own[3, 0])}
    return row
