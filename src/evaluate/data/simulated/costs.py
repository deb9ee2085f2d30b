"""The cost records of the simulated programme, as its accounts would give them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from evaluate.data.simulated.persons import Persons
from evaluate.data.simulated.setting import PRICE_YEAR, Setting

COLUMNS = (
    "item", "arm", "site", "payer", "basis", "quantity", "unit", "unit_price", "currency",
    "price_year", "fixed",
)  # fmt: skip
GRANT_PER_OFFER = 15_000


@dataclass(frozen=True)
class Item:
    """What is bought, with its quantity for each person of an arm, participant or office."""

    name: str
    arm: str
    payer: str
    unit: str
    price: float
    per_person: float = 0.0
    per_participant: float = 0.0
    per_office: float = 0.0


ITEMS = (
    Item("Handläggare", "0", "public", "timme", 520.0, per_person=6.0),
    Item("Handläggare", "1", "public", "timme", 520.0, per_person=7.5, per_participant=18.0),
    Item("Mentor och matchning", "1", "eu_fund", "timme", 610.5, per_participant=14.0),
    Item("Tolk", "1", "municipality", "timme", 720.0, per_participant=3.5),
    Item("Arbetsgivarens handledning", "1", "employer", "timme", 340.0, per_participant=20.0),
    Item("Resor", "1", "participant", "månad", 910.0, per_participant=3.0),
    Item("Lokaler", "1", "public", "år", 46_250.5, per_office=1.0),
)


def counts(persons: Persons, setting: Setting) -> np.ndarray:
    """Count persons by office: without an offer, with one, taking part; shape (3, offices)."""
    drawn = (persons.randomised & (persons.offer == 0), persons.randomised & (persons.offer == 1))
    offices = len(setting.office_names)
    chosen = (*drawn, persons.attended)
    return np.array([np.bincount(persons.office[rows], minlength=offices) for rows in chosen])


def cost_table(by_office: np.ndarray, setting: Setting) -> pa.Table:
    """Return the cost records, one for each item and office, and one of the grant.

    Parameters
    ----------
    by_office : ndarray of int, shape (3, offices)
        From `counts`, over all persons.
    setting : Setting
        The offices.
    """
    rows: list[tuple[str, ...]] = []
    for item in ITEMS:
        for office, site in enumerate(setting.office_names):
            persons = by_office[0 if item.arm == "0" else 1, office]
            quantity = item.per_person * persons + item.per_participant * by_office[2, office]
            rows.append(_row(item, site, "economic", quantity + item.per_office))
    grant = Item("Projektmedel", "1", "eu_fund", "erbjudande", GRANT_PER_OFFER)
    rows.append(_row(grant, "", "budget", float(by_office[1].sum())))
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, names=list(COLUMNS))


def _row(item: Item, site: str, basis: str, quantity: float) -> tuple[str, ...]:
    fixed = "ja" if item.per_office else "nej"
    return (
        item.name, item.arm, site, item.payer, basis, _swedish(quantity), item.unit,
        _swedish(item.price), "SEK", str(PRICE_YEAR), fixed,
    )  # fmt: skip


def _swedish(number: float) -> str:
    return f"{number:.2f}".replace(".", ",")
