"""The release gate of costs: what is divided by those who took part tells how many they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from evaluate.release.gate_cells import Gated, empty_rows, plain
from evaluate.release.gate_effects import Key, gate_followers, identity_of, results_of

CostsOf = Literal["participants", "persons", "programme"]
"""A price times those who took part; sums of what persons cost; anything else."""
COST = (
    "incremental_cost", "incremental_cost_se", "icer", "icer_low", "icer_high", "icer_set",
    "icer_low_drawn", "icer_high_drawn", "correlation", "quadrant_ne", "quadrant_nw",
    "quadrant_se", "quadrant_sw",
)  # fmt: skip


Month = tuple[str, int]  # an outcome, and the last of its months that is part of a cost


def told_by_months(withheld: set[Key], months: Mapping[str, Month]) -> set[tuple[str, str]]:
    """Return the arms and groups whose cost would tell a withheld effect.

    What is paid by the month is a known sum of an outcome over months, so that the incremental
    cost is one of effects.
    """
    return {
        (arm, group)
        for outcome, month, arm, group in withheld
        for of, through in months.values()
        if outcome == of and (month is None or 1 <= month <= through)
    }


def gate_costs(
    table: pd.DataFrame,
    few: Mapping[str, bool],
    costs_of: CostsOf,
    withheld: set[Key],
    months: Mapping[str, Month],
    min_cell: int,
) -> Gated:
    """Empty the costs of arms that would tell a withheld number of participants, or effect.

    The amount over the cost per participant is their number. So is it over the price, where it
    is a price times those who took part; and where it is what persons cost, that of a few.

    Parameters
    ----------
    table : DataFrame
        As `schemas.COSTS`.
    few : mapping of str to bool
        The arms whose number of participants is withheld, true where it is small.
    costs_of : {"participants", "persons", "programme"}
        What the amounts are made of.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    months : mapping of str to (str, int)
        By item what is paid by the month: the outcome, and through which month.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    arms = table["arm"].astype(str).tolist()
    why = {i: few[arm] for i, arm in enumerate(arms) if arm in few}
    told = {"participants": (True, False), "persons": (True,), "programme": ()}[costs_of]
    amounts = {i: small for i, small in why.items() if small in told}
    for i, item in enumerate(table["item"]):
        own = {item: months[item]} if item in months else {}
        if any(group == "all" for _, group in told_by_months(withheld, own)):
            amounts[i] = False
    identity = ("item", "arm", "payer", "basis", "currency", "price_year")
    whole = empty_rows(
        "costs", table, amounts, identity, ("amount", "per_offer", "per_participant"), min_cell
    )
    rest = {i: False for i in why if i not in amounts}
    part = empty_rows("costs", whole.table, rest, identity, ("per_participant",), min_cell)
    return Gated(part.table, [*whole.withheld, *part.withheld])


def gate_cost_effectiveness(
    table: pd.DataFrame,
    withheld: set[Key],
    of_takers: set[Key],
    costs_of: CostsOf,
    months: Mapping[str, Month],
    min_cell: int,
) -> Gated:
    """Empty the rows whose effects were withheld, and those that tell who took part.

    Cost and effect per participant are those of the offer over the share of compliers. A cost
    that is a price times those who took part is that share times the price.

    Parameters
    ----------
    table : DataFrame
        As `schemas.COST_EFFECTIVENESS`.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    of_takers : set of tuple
        Those whose number of participants was withheld.
    costs_of : {"participants", "persons", "programme"}
        What the amounts are made of.
    months : mapping of str to (str, int)
        As for `gate_costs`.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    places = [
        (r["outcome"], plain(r["month"]), r["arm"], r["group"]) for r in table.to_dict("records")
    ]
    told = [place in of_takers for place in places]
    denominators = table["denominator"].tolist()
    per_participant = {i: False for i, t in enumerate(told) if t and denominators[i] != "offer"}
    numbers = results_of(table)
    identity = identity_of(table, numbers)
    rows = empty_rows("cost_effectiveness", table, per_participant, identity, numbers, min_cell)
    per_offer: dict[int, bool] = {}
    if costs_of == "participants":
        per_offer = {i: False for i, t in enumerate(told) if t and denominators[i] == "offer"}
    hidden = told_by_months(withheld, months)
    per_offer |= {i: False for i, (_, _, *place) in enumerate(places) if tuple(place) in hidden}
    costs = empty_rows("cost_effectiveness", rows.table, per_offer, identity, COST, min_cell)
    rest = gate_followers("cost_effectiveness", costs.table, withheld, min_cell)
    return Gated(rest.table, [*rows.withheld, *costs.withheld, *rest.withheld])


def gate_acceptability(
    table: pd.DataFrame,
    withheld: set[Key],
    of_takers: set[Key],
    costs_of: CostsOf,
    months: Mapping[str, Month],
    min_cell: int,
) -> Gated:
    """Empty the choices between arms of which one was withheld.

    Probabilities of all arms add up, and the net benefit at a threshold of nothing is the cost:
    where that is a price times those who took part, it tells how many did.

    Parameters
    ----------
    table : DataFrame
        As `schemas.ACCEPTABILITY`.
    withheld, of_takers, costs_of, months, min_cell
        As for `gate_cost_effectiveness`.
    """
    table = table.reset_index(drop=True)
    keys = withheld | (of_takers if costs_of == "participants" else set())
    hidden = {(outcome, month, group) for outcome, month, _, group in keys}
    groups = {group for _, group in told_by_months(withheld, months)}
    why = {
        i: False
        for i, r in enumerate(table.to_dict("records"))
        if (r["outcome"], plain(r["month"]), r["group"]) in hidden or r["group"] in groups
    }
    numbers = ("net_benefit", "conf_low", "conf_high", "probability", "is_best",
               "perfect_information")  # fmt: skip
    identity = identity_of(table, numbers)
    return empty_rows("acceptability", table, why, [*identity, "threshold"], numbers, min_cell)
