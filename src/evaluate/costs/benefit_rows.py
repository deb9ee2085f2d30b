"""Rows of `cost_benefit` and `accounts` for one group: values, errors, when it pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluate.costs.accounts import (
    PERSPECTIVES,
    PROGRAMME,
    SOCIETY,
    Assumed,
    Flow,
    net_streams,
    signs,
    weights,
)
from evaluate.costs.joint import Drawn, Joint, Layout
from evaluate.costs.streams import break_even_month, internal_rate
from evaluate.estimates import Estimates
from evaluate.fieller import fieller
from evaluate.notes import joined, note

ACCOUNTS = "accounts"  # in the place of the outcome, where all that the accounts hold counts
DUST = 1e-9  # of the largest line, below which a sum is what rounding leaves
Row = dict[str, object]


@dataclass(frozen=True)
class Case:
    """What the rows of one group, contrast and persistence have in common.

    Attributes
    ----------
    labels : dict
        Columns that are the same in all.
    layout, joint, draws : Layout, Joint, Drawn or None
        The estimates, and draws of them.
    flows, assumed : sequence of Flow, Assumed
        The lines, and what is assumed.
    level : float
        Of the intervals.
    is_gap : bool
        Whether the group is women less men.
    """

    labels: Mapping[str, object]
    layout: Layout
    joint: Joint
    draws: Drawn | None
    flows: Sequence[Flow]
    assumed: Assumed
    level: float
    is_gap: bool

    @property
    def weights(self) -> np.ndarray:
        """Present value of each line as a sum of estimates, shape (lines, k)."""
        return weights(self.flows, self.layout.size, self.assumed.discount_rate)

    @property
    def is_cost(self) -> np.ndarray:
        """Which lines are what the programme cost, shape (lines,)."""
        return np.array([flow.line.startswith(PROGRAMME) for flow in self.flows])

    def unknown(self, sums: np.ndarray) -> np.ndarray:
        """Tell which sums of estimates rest on a cost that is not known, shape (m,)."""
        known = self.joint.knows_cost
        return (sums[:, : len(self.layout.payers)] != 0).any(axis=1) & (not known)


def by_denominator(
    case: Case, sums: np.ndarray, denominators: Sequence[str], pair: tuple[Joint, Joint] | None
) -> dict[str, Estimates]:
    """Return sums of estimates per person offered and per participant.

    Women less men per participant is the difference of the two, each over its own take-up:
    ``pair`` holds them.
    """
    found = {}
    for denominator in denominators:
        if case.joint.takeup is None or denominator == "offer":
            value = case.joint.sums(sums)
        elif pair is None:
            whole = case.joint.sums(sums)
            value = None if whole is None else case.joint.per_participant(whole)
        else:
            each = [one.sums(sums) for one in pair]
            own = [
                None if e is None else one.per_participant(e)
                for one, e in zip(pair, each, strict=True)
            ]
            value = None if own[0] is None or own[1] is None else own[0] - own[1]
        if value is not None:
            found[denominator] = value
    return found


def benefit_row(
    case: Case, perspective: str, denominators: Sequence[str], pair: tuple[Joint, Joint] | None
) -> list[Row]:
    """Return what a perspective gains, one row for each denominator."""
    labels = dict(case.labels) | {"perspective": perspective}
    if case.joint.estimates is None:
        return [
            labels | {"denominator": d, "note": joined(list(case.joint.notes))}
            for d in denominators
        ]
    sign, lines = signs(case.flows, perspective), case.weights
    cost = -(sign * case.is_cost) @ lines
    net = sign @ lines
    sums = np.vstack([net + cost, cost, net])
    found = by_denominator(case, sums, denominators, pair)
    shared: Row = {}
    notes: list[str] = []
    if np.isnan(net).any():
        notes.append(note("no_bound"))
    elif case.unknown(sums[2:])[0]:
        notes.append(note("cost_total_gap"))
    elif not case.is_gap:
        shared, more = _paying_back(case, perspective, net)
        notes += more
    rows = []
    for denominator in denominators:
        if denominator not in found:
            rows.append(labels | {"denominator": denominator, "note": note("no_takeup")})
            continue
        numbers = _numbers(case, found[denominator], sums)
        rows.append(
            labels | {"denominator": denominator, **numbers, **shared, "note": joined(notes)}
        )
    return rows


def _numbers(case: Case, found: Estimates, sums: np.ndarray) -> Row:
    """Return the values of benefit, cost and net, and the error and interval of net."""
    value, error, low, high = cleaned(case, found, sums)
    return {
        "benefit_pv": value[0],
        "cost_pv": value[1],
        "net_pv": value[2],
        "net_pv_se": error[2],
        "net_pv_low": low[2],
        "net_pv_high": high[2],
    }


def cleaned(case: Case, found: Estimates, sums: np.ndarray) -> list[np.ndarray]:
    """Return values, errors and ends of intervals, each of the shape (m,).

    Without what rounding leaves, and NaN where the cost is not known.
    """
    assert case.joint.estimates is not None
    size = np.abs(case.weights * case.joint.estimates.value).max(initial=0.0)
    gone = case.unknown(sums)
    out = []
    for numbers in (found.value, found.std_error, *found.interval(case.level)):
        kept = np.where(np.abs(numbers) < DUST * size, 0.0, numbers)
        out.append(np.where(gone, np.nan, kept))
    return out


def _paying_back(case: Case, perspective: str, net: np.ndarray) -> tuple[Row, list[str]]:
    """Return rate, month and probability of paying back, and the marginal value of funds."""
    assert case.joint.estimates is not None
    value, notes = case.joint.estimates.value, []
    streams = net_streams(case.flows, perspective, value)
    row: Row = {}
    if streams:
        rate = internal_rate(streams)
        row["irr"] = rate if np.isfinite(rate) else None
        row["break_even_month"] = break_even_month(streams, case.assumed.discount_rate)
        if not np.isfinite(rate):
            notes.append(note("irr_met" if rate > 0 else "irr_none"))
    if case.draws is not None:
        size = np.abs(case.weights * value).max(initial=0.0)
        row["probability_pays_back"] = float((case.draws.estimates @ net >= -DUST * size).mean())
    if perspective == SOCIETY and case.labels["outcome"] == ACCOUNTS:
        value_of_funds, said = _marginal_value(case)
        row |= value_of_funds
        notes += said
    return row, notes


def _marginal_value(case: Case) -> tuple[Row, list[str]]:
    """Return what participants gain for each unit of net public outlay, with Fieller's set.

    References
    ----------
    Hendren and Sprung-Keyser (2020), A unified welfare analysis of government policies,
    Quarterly Journal of Economics 135(3).
    """
    lines = case.weights
    both = np.vstack([signs(case.flows, "participant"), -signs(case.flows, "public")]) @ lines
    found = case.joint.sums(both)
    assert found is not None
    gain, outlay = found.value
    if outlay <= 0:
        return {}, [note("mvpf_saves")]
    row: Row = {"mvpf": gain / outlay}
    if np.isfinite(found.covariance).all():
        quantile = stats.t.ppf((1 + case.level) / 2, found.df.min())
        ratio = fieller(gain, outlay, found.covariance, quantile)
        if ratio.kind == "interval":
            row |= {"mvpf_low": ratio.low, "mvpf_high": ratio.high}
        else:
            return row, [note("mvpf_unbounded")]
    return row, []


def account_rows(
    case: Case, denominators: Sequence[str], pair: tuple[Joint, Joint] | None
) -> list[Row]:
    """Return the lines of all perspectives and their totals, in the order of the lines.

    A party has the lines in which it gives or takes; society has all, transfers with nothing.
    """
    if case.joint.estimates is None:
        return []
    lines = case.weights
    chosen: list[tuple[str, Flow | None]] = []
    sums = []
    for perspective in PERSPECTIVES:
        sign = signs(case.flows, perspective)
        if perspective != SOCIETY and not sign.any():
            continue
        for k, flow in enumerate(case.flows):
            if sign[k] or perspective == SOCIETY:
                chosen.append((perspective, flow))
                sums.append(
                    sign[k] * np.nan_to_num(lines[k]) if sign[k] == 0 else sign[k] * lines[k]
                )
        chosen.append((perspective, None))
        sums.append(sign @ lines)
    matrix = np.vstack(sums)
    rows: list[Row] = []
    for denominator, found in by_denominator(case, matrix, denominators, pair).items():
        value, error, low, high = cleaned(case, found, matrix)
        for i, (perspective, one) in enumerate(chosen):
            rows.append(
                {c: v for c, v in case.labels.items() if c != "outcome"}
                | {
                    "perspective": perspective,
                    "line": one.line if one else "total",
                    "giver": one.giver if one else None,
                    "taker": one.taker if one else None,
                    "denominator": denominator,
                    "amount": value[i],
                    "std_error": error[i],
                    "conf_low": low[i],
                    "conf_high": high[i],
                }
            )
    return rows
