"""Costs of the simulated programme: records of its accounts, and time reports of its staff."""

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
REPORT_COLUMNS = ("role", "month", "hours", "persons", "arm", "site", "payer")
GRANT_PER_OFFER = 15_000
WORKED = np.array([0.1, 0.3, 0.4, 0.2])  # share of the hours in each month from the wave on
FULL_TIME = 130.0  # hours of a month for which the reports count an employee


@dataclass(frozen=True)
class Item:
    """What is bought, or who works, and how much for each person of an arm, participant, office."""

    name: str
    arm: str
    payer: str
    unit: str = "timme"
    price: float = 0.0
    per_person: float = 0.0
    per_participant: float = 0.0
    per_office: float = 0.0


ITEMS = (
    Item("Mentor och matchning", "1", "eu_fund", "timme", 610.5, per_participant=14.0),
    Item("Tolk", "1", "municipality", "timme", 720.0, per_participant=3.5),
    Item("Arbetsgivarens handledning", "1", "employer", "timme", 340.0, per_participant=20.0),
    Item("Resor", "1", "participant", "månad", 910.0, per_participant=3.0),
    Item("Lokaler", "1", "public", "år", 46_250.5, per_office=1.0),
)

# What an hour costs stands in the programme file, under costs.roles.
CASEWORKERS = (
    Item("Handläggare", "0", "public", per_person=6.0),
    Item("Handläggare", "1", "public", per_person=7.5),
    Item("Projekthandläggare", "1", "public", per_participant=18.0),
)


def counts(persons: Persons, setting: Setting) -> np.ndarray:
    """Count persons by office and wave: without an offer, with one, taking part.

    Returns
    -------
    ndarray of int, shape (3, offices, waves)
    """
    drawn = (persons.randomised & (persons.offer == 0), persons.randomised & (persons.offer == 1))
    shape = len(setting.office_names), len(setting.waves)
    cell = persons.office * shape[1] + persons.wave
    chosen = (*drawn, persons.attended)
    found = [np.bincount(cell[rows], minlength=shape[0] * shape[1]) for rows in chosen]
    return np.array(found).reshape(-1, *shape)


def cost_table(by_wave: np.ndarray, setting: Setting) -> pa.Table:
    """Return the cost records, one for each item and office, and one of the grant.

    Parameters
    ----------
    by_wave : ndarray of int, shape (3, offices, waves)
        From `counts`, over all persons.
    setting : Setting
        The offices.
    """
    by_office = by_wave.sum(axis=2)
    rows: list[tuple[str, ...]] = []
    for item in ITEMS:
        for office, site in enumerate(setting.office_names):
            persons = by_office[0 if item.arm == "0" else 1, office]
            quantity = item.per_person * persons + item.per_participant * by_office[2, office]
            rows.append(_row(item, site, "economic", quantity + item.per_office))
    grant = Item("Projektmedel", "1", "eu_fund", "erbjudande", GRANT_PER_OFFER)
    rows.append(_row(grant, "", "budget", float(by_office[1].sum())))
    return _table(rows, COLUMNS)


def report_table(by_wave: np.ndarray, setting: Setting) -> pa.Table:
    """Return the time reports, one for each role, arm, office and month with hours.

    Parameters
    ----------
    by_wave : ndarray of int, shape (3, offices, waves)
        From `counts`, over all persons.
    setting : Setting
        The offices and waves.
    """
    first = setting.waves - setting.waves[0]
    spread = np.zeros((len(first), int(first[-1].astype(int)) + len(WORKED)))
    for wave, month in enumerate(first.astype(int)):
        spread[wave, month : month + len(WORKED)] = WORKED
    rows: list[tuple[str, ...]] = []
    for item in CASEWORKERS:
        persons = by_wave[0 if item.arm == "0" else 1]
        hours = (item.per_person * persons + item.per_participant * by_wave[2]) @ spread
        for office, month in np.argwhere(hours > 0):
            worked = float(hours[office, month])
            rows.append((
                item.name, str(setting.waves[0] + month), _swedish(worked),
                str(max(1, round(worked / FULL_TIME))), item.arm, setting.office_names[office],
                item.payer,
            ))  # fmt: skip
    return _table(rows, REPORT_COLUMNS)


def _table(rows: list[tuple[str, ...]], names: tuple[str, ...]) -> pa.Table:
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, names=list(names))


def _row(item: Item, site: str, basis: str, quantity: float) -> tuple[str, ...]:
    fixed = "ja" if item.per_office else "nej"
    return (
        item.name, item.arm, site, item.payer, basis, _swedish(quantity), item.unit,
        _swedish(item.price), "SEK", str(PRICE_YEAR), fixed,
    )  # fmt: skip


def _swedish(number: float) -> str:
    return f"{number:.2f}".replace(".", ",")
