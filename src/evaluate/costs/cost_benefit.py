"""Cost and benefit over time, and the accounts by payer, of all groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.costs.accounts import (
    PERSPECTIVES,
    Assumed,
    Flow,
    assumed_in,
    benefit_assumed,
    benefit_flows,
    flows,
    signs,
)
from evaluate.costs.benefit_rows import ACCOUNTS, Case, Row, account_rows, benefit_row
from evaluate.costs.joint import Drawn, Joint, Layout, drawn, joint_fits
from evaluate.costs.streams import PERSISTENCE, Persistence
from evaluate.design.default_estimators import with_default
from evaluate.effects.groups import Key
from evaluate.plan.costs import Costs
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

DRAWS = 2000


@dataclass(frozen=True)
class Estimated:
    """All that the tables of benefits and accounts stand on.

    Attributes
    ----------
    study, plan : Study, Plan
        The persons; the plan with the estimators that its design can carry.
    layout, joint, draws : Layout, dict, dict
        As of `joint_fits` and `drawn`.
    """

    study: Study
    plan: Plan
    layout: Layout
    joint: dict[Key, Joint]
    draws: dict[Key, Drawn]

    @property
    def costs(self) -> Costs:
        """The plan's costs."""
        assert self.plan.costs is not None
        return self.plan.costs

    @property
    def denominators(self) -> list[str]:
        """What costs and benefits are divided by."""
        return ["offer", "participant"] if self.study.takeup is not None else [self.costs.per]


def estimated(
    study: Study, plan: Plan, records: pd.DataFrame | None, rng: np.random.Generator
) -> Estimated | None:
    """Estimate costs and outcomes together; None where the plan asks for no money over time."""
    costs = plan.costs
    if costs is None or not (costs.benefits or costs.accounts):
        return None
    plan = with_default(plan, study)
    layout, joint = joint_fits(study, plan, records)
    return Estimated(study, plan, layout, joint, drawn(joint, rng, DRAWS))


def cost_benefit(found: Estimated | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Set present values of benefits against those of costs, by perspective and persistence.

    Parameters
    ----------
    found : Estimated or None
        As of `estimated`.

    Returns
    -------
    cost_benefit : DataFrame
        As `schemas.COST_BENEFIT`: benefits that the plan names, then the accounts.
    accounts : DataFrame
        As `schemas.ACCOUNTS`.
    """
    rows: list[Row] = []
    lines: list[Row] = []
    for case, perspectives, pair in _cases(found) if found else ():
        assert found is not None
        for perspective in perspectives:
            rows += benefit_row(case, perspective, found.denominators, pair)
        if case.labels["outcome"] == ACCOUNTS:
            lines += account_rows(case, found.denominators, pair)
    return (
        pd.DataFrame(rows, columns=list(schemas.COST_BENEFIT.columns)),
        pd.DataFrame(lines, columns=list(schemas.ACCOUNTS.columns)),
    )


Found = tuple[Case, list[str], tuple[Joint, Joint] | None]


def _cases(found: Estimated) -> Iterator[Found]:
    """Yield the cases, with the perspectives that have rows, and women and men for the gap."""
    for name, assumed, perspective in sources(found.costs):
        for key, joint in found.joint.items():
            group, contrast = key
            pair = None
            if group == GAP:
                pair = found.joint["women", contrast], found.joint["men", contrast]
            for kind in PERSISTENCE:
                if kind == "decaying" and assumed.decay == 0:
                    continue
                parts = flows_of(found, name, assumed, kind)
                labels = {
                    "outcome": ACCOUNTS
                    if isinstance(name, str)
                    else found.costs.benefits[name].outcome,
                    "arm": found.study.label(contrast),
                    "group": group,
                    "persistence": kind,
                    "horizon_years": assumed.years,
                    "discount_rate": assumed.discount_rate,
                }
                case = Case(
                    labels, found.layout, joint, found.draws.get(key), parts, assumed,
                    found.plan.analysis.level, group == GAP,
                )  # fmt: skip
                shown = [perspective] if perspective else present(parts)
                yield case, shown, pair


def sources(costs: Costs) -> Iterator[tuple[int | str, Assumed, str]]:
    """Yield each benefit of the plan by its place, then the accounts, with what is assumed."""
    for i, benefit in enumerate(costs.benefits):
        yield i, benefit_assumed(costs, benefit), benefit.perspective
    if costs.accounts:
        yield ACCOUNTS, assumed_in(costs, costs.accounts), ""


def flows_of(found: Estimated, name: int | str, assumed: Assumed, kind: Persistence) -> list[Flow]:
    """Return the lines of a benefit or of the accounts."""
    if isinstance(name, str):
        return flows(found.costs, found.layout, assumed, kind)
    return benefit_flows(found.costs, found.costs.benefits[name], found.layout, assumed, kind)


def present(parts: list[Flow]) -> list[str]:
    """Return the perspectives that have a line."""
    return [p for p in PERSPECTIVES if signs(parts, p).any()]
