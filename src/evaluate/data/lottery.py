"""Each person's probability of the offer, recomputed from the recorded rule of the lottery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.data.units import crossed, drawn_units
from evaluate.data.values import Values
from evaluate.errors import rows
from evaluate.plan.assignment import Rule
from evaluate.plan.closed import code_text
from evaluate.plan.model import Plan

SAME = 1e-9  # probabilities closer than this are one


@dataclass(frozen=True)
class Lottery:
    """What is recorded of each person's lottery.

    Attributes
    ----------
    cell : ndarray of str, shape (n,)
        The cell in which it was drawn: ``site=north,wave=2``.
    probability : ndarray, shape (n,)
        Of any offer, NaN where not known.
    places, eligible : ndarray, shape (n,)
        Offers in the cell; persons, or clusters, among whom they were drawn. NaN where the
        rule is a share.
    """

    cell: np.ndarray
    probability: np.ndarray
    places: np.ndarray
    eligible: np.ndarray


def lottery(values: Values, plan: Plan, kept: np.ndarray) -> Lottery | None:
    """Work out each person's probability by `assignment.rule`; None where there is none.

    Parameters
    ----------
    values : Values
        The columns of the persons; takes the faults.
    plan : Plan
        The programme file.
    kept : ndarray of bool, shape (n,)
        Persons in the lottery: where the rule does not name a column with their number, these
        are counted.
    """
    rule = plan.assignment.rule
    if rule is None:
        return None
    wave = [plan.columns.wave] if plan.columns.wave else []
    cell = crossed(values, list(dict.fromkeys([*plan.cell_columns, *wave])))
    nothing = np.full(len(cell), np.nan)
    if rule.share is not None:
        return Lottery(cell, _shares(values, plan, rule, cell, kept), nothing, nothing)
    places = _places(values, rule, cell, kept)
    if rule.eligible is None:
        unit = drawn_units(values, plan.columns)
        counted = pd.Series(np.where(kept, unit, -1)).where(kept).groupby(cell).nunique()
        eligible = counted.reindex(cell).to_numpy(dtype=float)
    else:
        eligible = _counts(values, rule.eligible, cell, kept)
    with np.errstate(divide="ignore", invalid="ignore"):
        probability = np.where(kept, np.minimum(places / eligible, 1), np.nan)
    return Lottery(cell, probability, places, eligible)


def probability(values: Values, plan: Plan, drawn: Lottery | None) -> np.ndarray | None:
    """Return each person's probability of the offer: as stated, or else by the rule."""
    if plan.assignment.probability is not None:
        return values.as_numbers(plan.assignment.probability).values
    return None if drawn is None else drawn.probability


def place_of_rule(values: Values, plan: Plan) -> str:
    """Return the file and the columns that probabilities come from, for messages."""
    stated, rule = plan.assignment.probability, plan.assignment.rule
    named = [stated] if stated else [*(rule.columns if rule else []), *plan.cell_columns]
    columns = list(dict.fromkeys(named)) or [plan.columns.treatment.column]
    noun = "column" if len(columns) == 1 else "columns"
    return f"{values.tables.path(columns[0])}: {noun} {', '.join(columns)}"


def pooling_fault(values: Values, plan: Plan, share: np.ndarray) -> list[str]:
    """Refuse to pool persons who were offered with different probabilities.

    Parameters
    ----------
    values : Values
        The columns of the persons.
    plan : Plan
        The programme file.
    share : ndarray, shape (n,)
        Probability of the persons kept.
    """
    known = share[~np.isnan(share)]
    if plan.columns.strata or plan.columns.weight or not len(known) or np.ptp(known) <= SAME:
        return []
    count = len(np.unique(known.round(9)))
    rule = plan.assignment.rule
    cells = ", ".join(plan.cell_columns)
    hint = f"`blocks: [{cells}]`" if rule and cells else "the columns of the lottery's cells"
    return [
        f"{place_of_rule(values, plan)} (assignment): the probability of the offer has "
        f"{count:,} different values, and columns.blocks names no column. Pooled, persons with a "
        f"high probability would be compared with persons with a low one. Write {hint} under "
        "columns; or name a column `weight` with 1/p for those offered and 1/(1 - p) for control."
    ]


def _shares(
    values: Values, plan: Plan, rule: Rule, cell: np.ndarray, kept: np.ndarray
) -> np.ndarray:
    if isinstance(rule.share, dict):
        column = plan.cell_columns[0]
        stated = {code_text(code): share for code, share in rule.share.items()}
        code = pd.Series(values.code(column), dtype=object)
        share = code.map(stated).to_numpy(dtype=float)
        if (unstated := kept & np.isnan(share)).any():
            count = code[unstated].nunique()
            verb = "has" if count == 1 else "have"
            values.fault(
                column,
                f"{count:,} of its values, in {rows(int(unstated.sum()))}, {verb} no share in "
                "assignment.rule.share. Name the share of each",
            )
        return np.where(kept, share, np.nan)
    assert rule.share is not None
    share = _constant(values, rule.share, cell, kept)
    if (outside := kept & ((share < 0) | (share > 1))).any():
        values.fault(rule.share, f"{rows(int(outside.sum()))} below 0 or above 1")
    return np.where(kept, share, np.nan)


def _places(values: Values, rule: Rule, cell: np.ndarray, kept: np.ndarray) -> np.ndarray:
    if isinstance(rule.places, int):
        return np.full(len(cell), float(rule.places))
    named = [*rule.places.values()] if isinstance(rule.places, dict) else [str(rule.places)]
    return np.sum([_counts(values, column, cell, kept) for column in named], axis=0)


def _counts(values: Values, column: str, cell: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return a column of whole numbers, the same within a cell, shape (n,)."""
    found = _constant(values, column, cell, kept)
    if column in values.faulty:
        return found  # what is wrong with it is said
    is_number = kept & ~np.isnan(found)
    if (wrong := is_number & ((found < 0) | (found != np.round(found)))).any():
        values.fault(column, f"{rows(int(wrong.sum()))} not a whole number, or below 0")
    return found


def _constant(values: Values, column: str, cell: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return a column of numbers that is the same within a cell, shape (n,)."""
    found = values.number(column)
    if column in values.faulty:
        return found  # a text is said to be one; it is not missing, too
    if (absent := kept & np.isnan(found)).any():
        values.fault(column, f"{rows(int(absent.sum()))} missing, and assignment.rule needs it")
    of_cell = pd.Series(found[kept]).groupby(cell[kept]).nunique()
    if (several := int((of_cell > 1).sum())) > 0:
        values.fault(
            column,
            f"{several:,} of {len(of_cell):,} cells of the lottery have several values, and a "
            "cell has one. Are the columns in assignment.rule.within those of the cells",
        )
    return found
