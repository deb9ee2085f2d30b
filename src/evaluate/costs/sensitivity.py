"""How present values change with what is assumed: one assumption at a time, and all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.costs.accounts import FUNDS, SOCIETY, Assumed, signs, weights
from evaluate.costs.benefit_rows import ACCOUNTS, Row
from evaluate.costs.cost_benefit import DRAWS, Estimated, flows_of, sources
from evaluate.costs.distributions import distribution
from evaluate.costs.joint import Joint
from evaluate.costs.streams import Persistence
from evaluate.estimates import Estimates
from evaluate.plan.accounts import PRICE, Range

LOOKED_AT = ("public", SOCIETY)  # perspectives of the accounts
USUAL = {
    "discount_rate": Range(low=0.0, high=0.05),
    "decay": Range(low=0.0, high=0.5),
    "displacement": Range(low=0.0, high=0.5),
}
OF_EARNINGS = ("displacement", "income_tax", "payroll_tax")
SHARES = ("decay", "displacement", "income_tax")
POINTS = (2.5, 50.0, 97.5)
KIND: Persistence = "decaying"  # with a decay of nothing, effects last as they are


def cost_sensitivity(found: Estimated | None, rng: np.random.Generator) -> pd.DataFrame:
    """Return what net present values are at other values of what is assumed.

    One at a time, all else as planned, at the low and high value of each; and where the plan
    names ranges, all at once: parameters are drawn from their distributions together with
    estimates. Effects go on beyond the data, less by the decay that is assumed.

    Parameters
    ----------
    found : Estimated or None
        As of `cost_benefit.estimated`.
    rng : Generator
        For the parameters; the estimates are drawn already.

    Returns
    -------
    DataFrame
        As `schemas.COST_SENSITIVITY`, of all persons. Per participant are those per offer over
        the effect on take-up, in each draw over that draw's.
    """
    rows: list[Row] = []
    for name, assumed, own in sources(found.costs) if found else ():
        assert found is not None
        rows += _rows_of(_Source(found, name, assumed, [own] if own else list(LOOKED_AT)), rng)
    return pd.DataFrame(rows, columns=list(schemas.COST_SENSITIVITY.columns))


@dataclass(frozen=True)
class _Source:
    """A benefit of the plan, or the accounts: what is assumed, and whom it is looked at for."""

    found: Estimated
    name: int | str
    assumed: Assumed
    perspectives: list[str]

    def net(self, assumed: Assumed) -> np.ndarray:
        """Return the net present value of each perspective as a sum of estimates, (m, k)."""
        lines = flows_of(self.found, self.name, assumed, KIND)
        sign = np.array([signs(lines, p) for p in self.perspectives])
        return sign @ weights(lines, self.found.layout.size, assumed.discount_rate)

    def counts(self, parameter: str) -> bool:
        """Tell whether a parameter plays a part."""
        costs = self.found.costs
        if parameter in OF_EARNINGS:
            return self.name == ACCOUNTS and bool(costs.accounts and costs.accounts.earnings)
        return self.name == ACCOUNTS or not (parameter == FUNDS or parameter.startswith(PRICE))


def _rows_of(source: _Source, rng: np.random.Generator) -> Iterator[Row]:
    found, assumed = source.found, source.assumed
    stated = found.costs.sensitivity.ranges if found.costs.sensitivity else {}
    ranges = {k: of for k, of in (USUAL | stated).items() if source.counts(k)}
    base = source.net(assumed)
    ends = {
        k: [source.net(changed(assumed, k, x)) for x in (of.low, of.high)]
        for k, of in ranges.items()
    }
    drawn = {
        k: distribution(of, value_of(assumed, k)).ppf(rng.random(DRAWS))
        for k, of in ranges.items()
        if k in stated
    }
    at_once = None
    if drawn:
        at_once = np.array([source.net(_at(assumed, drawn, i)) for i in range(DRAWS)])
    outcome = (
        ACCOUNTS if isinstance(source.name, str) else found.costs.benefits[source.name].outcome
    )
    for (group, contrast), joint in found.joint.items():
        if group != "all" or joint.estimates is None:
            continue
        value, draws = joint.estimates.value, found.draws.get((group, contrast))
        for perspective, i, denominator in _looks(source, joint):
            over = joint.takeup if denominator == "participant" else None
            value_of_one = value / (1.0 if over is None else over.value[0])
            labels: Row = {
                "outcome": outcome,
                "arm": found.study.label(contrast),
                "group": group,
                "perspective": perspective,
                "persistence": KIND,
                "horizon_years": assumed.years,
                "denominator": denominator,
            }
            planned = labels | {"analysis": "one_way", "net_pv": _known(base[i] @ value_of_one)}
            for parameter, of in ranges.items():
                low, high = (_known(end[i] @ value_of_one) for end in ends[parameter])
                yield planned | {
                    "parameter": parameter, "distribution": of.distribution, "low": of.low,
                    "high": of.high, "net_pv_low": low, "net_pv_high": high,
                }  # fmt: skip
            yield planned | {"parameter": "effect"} | _interval(source, joint, base[i], over)
            if at_once is not None and draws is not None:
                net = np.einsum("dk,dk->d", at_once[:, i], draws.estimates)
                if over is not None and draws.takeup is not None:
                    net = net / draws.takeup
                low, middle, high = np.percentile(net, POINTS)
                yield labels | {
                    "analysis": "probabilistic", "parameter": "all", "net_pv_low": _known(low),
                    "net_pv": _known(middle), "net_pv_high": _known(high),
                    "probability": float((net >= 0).mean()) if np.isfinite(net).all() else None,
                }  # fmt: skip


def _looks(source: _Source, joint: Joint) -> Iterator[tuple[str, int, str]]:
    """Yield each perspective with its place, by denominator where there is one to divide by."""
    for i, perspective in enumerate(source.perspectives):
        for denominator in source.found.denominators:
            if denominator == "offer" or joint.takeup is None or joint.divides:
                yield perspective, i, denominator


def _interval(source: _Source, joint: Joint, net: np.ndarray, over: Estimates | None) -> Row:
    """Return the ends of the interval of the net present value: the estimates' own error."""
    sums = joint.sums(net[None])
    if sums is not None and over is not None:
        sums = joint.per_participant(sums)
    assert sums is not None
    low, high = sums.interval(source.found.plan.analysis.level)
    return {"net_pv_low": _known(low[0]), "net_pv_high": _known(high[0])}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _at(assumed: Assumed, drawn: Mapping[str, np.ndarray], i: int) -> Assumed:
    for parameter, values in drawn.items():
        assumed = changed(assumed, parameter, float(values[i]))
    return assumed


def changed(assumed: Assumed, parameter: str, value: float) -> Assumed:
    """Return the assumptions with another value of one of them, within what it may be."""
    if parameter.startswith(PRICE):
        prices = dict(assumed.prices or {}) | {parameter.removeprefix(PRICE): max(value, 0.0)}
        return replace(assumed, prices=prices)
    if parameter == "years":
        value = max(1.0, float(round(value)))
    elif parameter in SHARES:
        value = min(1.0, max(value, 0.0))
    one: dict[str, Any] = {parameter: max(value, 0.0)}
    return replace(assumed, **one)


def value_of(assumed: Assumed, parameter: str) -> float:
    """Return what the plan assumes."""
    if parameter.startswith(PRICE):
        return (assumed.prices or {})[parameter.removeprefix(PRICE)]
    return float(getattr(assumed, parameter))
