"""What the tables of who benefits must not tell because of other tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluate.release.gate_balance import withheld_before
from evaluate.release.gate_cells import ALL, GAP, MEN, WOMEN, plain
from evaluate.release.gate_costs import CostsOf
from evaluate.release.gate_effects import Key
from evaluate.release.gate_overlap import source_of
from evaluate.release.gate_trimmed import SIDES, Trimmed

if TYPE_CHECKING:
    from evaluate.release.gate_register import Register

GENDERS = (ALL, WOMEN, MEN, GAP)
Place = tuple[Any, ...]  # outcome, month, arm
OF_GROUPS = {"n": ALL, "n_women": WOMEN, "n_men": MEN}
NUMBERED = (
    "gap", "conditional_effects", "heterogeneity_tests", "policies", "policy_tree",
    "targeting_curve",
)  # fmt: skip


@dataclass(frozen=True)
class Elsewhere:
    """What other tables withhold, or tell.

    Attributes
    ----------
    effects : set of tuple
        Outcome, month, arm and group of the effects that are withheld.
    untold : set of tuple
        Outcome, month and arm of which only those numbers of persons may be told that the
        effects tell.
    told : dict of tuple to set of int
        These, by outcome, month, arm, group and side; the side is empty for both.
    covariates : set of (str, str)
        Contrasts and covariates of the plan with few persons of a value in the balance.
    costs : set of str
        Arms whose costs would tell how many took part.
    doses : set of (str, str)
        Kinds of activity and arms of which a row for all months is withheld.
    """

    effects: set[Key] = field(default_factory=set)
    untold: set[Place] = field(default_factory=set)
    told: dict[Key, set[int]] = field(default_factory=dict)
    covariates: set[tuple[str, str]] = field(default_factory=set)
    costs: set[str] = field(default_factory=set)
    doses: set[tuple[str, str]] = field(default_factory=set)

    def withheld(self, row: Mapping[Any, Any], *groups: str) -> bool:
        """Tell whether an effect of one of the groups is withheld where a row is."""
        return any((*place_of(row), g) in self.effects for g in groups)


def place_of(row: Mapping[Any, Any]) -> Place:
    """Return outcome, month and arm of a row."""
    return tuple(plain(row[c]) for c in ("outcome", "month", "arm"))


def elsewhere(
    tables: Mapping[str, pd.DataFrame],
    register: Register,
    effects: set[Key],
    of_takers: set[Key],
    few_arms: Mapping[str, bool],
    costs_of: CostsOf,
    trimmed: Trimmed,
    min_cell: int,
) -> Elsewhere:
    """Find what the tables of who benefits must go by.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The exact tables.
    register : Register
        Solved.
    effects, of_takers : set of tuple
        Outcome, month, arm and group of the effects that are withheld; of those whose numbers
        of participants are.
    few_arms : mapping of str to bool
        Arms whose number of participants is withheld in the flow.
    costs_of : {"participants", "persons", "programme"}
        What the amounts are made of. Where they are of participants, cost by gender tells who
        took part.
    trimmed : Trimmed
        Who was left out.
    min_cell : int
        The smallest count that passes.
    """
    told = dict(_told(tables.get("effects")))
    costs = set(few_arms)
    if costs_of != "programme":
        costs |= {str(arm) for _, _, arm, group in of_takers if group in GENDERS}
    blocked = {place[:3] for place in trimmed.places}
    told = {key: n for key, n in told.items() if key[:3] not in blocked}
    return Elsewhere(
        effects=effects,
        untold=blocked | _near(tables, told, min_cell),
        told=told,
        covariates=_few_covariates(tables.get("balance"), register),
        costs=costs,
        doses=_doses(tables.get("dose"), register),
    )


def _told(effects: pd.DataFrame | None) -> Iterator[tuple[Key, set[int]]]:
    """Yield the numbers of persons that the effects tell, by place, group and side."""
    found: dict[Key, set[int]] = {}
    for row in () if effects is None else effects.to_dict("records"):
        for side, column in (("", "n"), *((s, f"n_{s}") for s in SIDES)):
            if pd.notna(row[column]):
                key = (*place_of(row), str(row["group"]), side)
                found.setdefault(key, set()).add(int(row[column]))
    yield from found.items()


def numbers_in(name: str, row: Mapping[Any, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield the numbers of persons of a row, each with its group and side.

    Those of splits are of persons drawn at random, whom no other number leaves out.
    """
    if name == "policy_tree" and row["node"] != 0:
        return
    if pd.notna(splits := row.get("splits")) and splits > 0:
        return
    if name == "effect_distribution" and row["kind"] == "bin":
        return
    by_group = name in ("conditional_effects", "effect_distribution")
    for column, group in OF_GROUPS.items():
        if pd.notna(n := row.get(column)):
            yield str(row["group"]) if by_group else group, "", int(n)
    for side in SIDES:
        if pd.notna(n := row.get(f"n_{side}")):
            yield str(row["group"]), side, int(n)


def _near(
    tables: Mapping[str, pd.DataFrame], told: Mapping[Key, set[int]], min_cell: int
) -> set[Place]:
    """Return where two numbers of persons of one group differ by few, who would be told."""
    found: dict[Key, set[int]] = {key: set(n) for key, n in told.items()}
    for name in NUMBERED:
        if name not in tables:
            continue
        for row in tables[name].to_dict("records"):
            for group, side, n in numbers_in(name, row):
                found.setdefault((*place_of(row), group, side), set()).add(n)
    near = set()
    for key, numbers in found.items():
        ordered = sorted(n for n in numbers if n)
        steps = (b - a for a, b in pairwise(ordered))
        if any(step < min_cell for step in steps):
            near.add(key[:3])
    return near


def _few_covariates(balance: pd.DataFrame | None, register: Register) -> set[tuple[str, str]]:
    if balance is None or balance.empty:
        return set()
    why = withheld_before(balance, register.balance, register.cells)
    return {
        (str(balance["arm"].iloc[i]), source_of(str(balance["covariate"].iloc[i])))
        for i, small in why.items()
        if small
    }


def _doses(dose: pd.DataFrame | None, register: Register) -> set[tuple[str, str]]:
    if dose is None or dose.empty:
        return set()
    cells = register.cells
    return {
        (str(kind), str(arm))
        for kind, month, arm, means, shares in zip(
            dose["kind"],
            dose["month"],
            dose["arm"],
            register.dose.means,
            register.dose.shares,
            strict=True,
        )
        if month == 0 and cells.any_hidden([*means, *shares])
    }
