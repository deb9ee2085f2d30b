"""The true effects of the simulated trial, from both paths of each person and from the chances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from evaluate.data.simulated.coded import STEP
from evaluate.data.simulated.paths import Paths
from evaluate.data.simulated.persons import Persons
from evaluate.data.simulated.setting import (
    ADDED,
    ADDED_MONTHS,
    BEFORE,
    EFFECT_MONTHS,
    EXTRACT,
    GENDERS,
    GRAIN,
    KINDS,
    LEVELS,
    OUTCOMES,
    RATE_MONTHS,
    RATES,
    STATES,
    TAKEUP,
    Setting,
    all_moves,
    group_of,
)

MONTHS = range(-6, 25)
GROUPS = ("all", *GENDERS, "women-men")
MEASURES = (*OUTCOMES, "work_months", "entered", "income")
LABEL = "Simulated. Simulerat. Nobody in these data exists; the effects are built in."


@dataclass(frozen=True)
class Truth:
    """What an evaluation of the extract should find.

    Attributes
    ----------
    label : str
        That all of it is simulated.
    seed, persons, randomised, counted : int
        Seed; persons in the extract, in the lottery, and among those who meet the criteria.
    effects : DataFrame
        outcome, month, group, effect, without, expected, n. ``effect`` is the mean over the
        counted persons observed in the month of what an offer changes, from both paths of
        each; ``without`` the mean without an offer; ``expected`` the effect that the chances
        give for persons of this gender, education and state at the offer (NaN where it is
        not worked out). Outcomes are measured on the person's day of the month.
    takeup : DataFrame
        group, chance, share: of taking part if offered, as drawn from, and as it came out.
    dose : DataFrame
        kind, month, arm, group, mean: expected activities per person; month 0 is all of them.
    planted : mapping of str to int
        Faults planted of each kind and table, "duplicates:spells": rows that a run has to
        count, 1 for a fault of a whole file.
    """

    label: str
    seed: int
    persons: int
    randomised: int
    counted: int
    effects: pd.DataFrame
    takeup: pd.DataFrame
    dose: pd.DataFrame
    planted: Mapping[str, int]

    def effect(self, outcome: str, month: int, group: str) -> float:
        """Return the effect of the offer on an outcome in a month."""
        rows = self.effects
        chosen = (rows["outcome"] == outcome) & (rows["month"] == month) & (rows["group"] == group)
        return float(rows.loc[chosen, "effect"].iloc[0])

    def content(self) -> dict[str, object]:
        """Return what is written as JSON."""
        tables = ("effects", "takeup", "dose")
        plain = {k: v for k, v in asdict(self).items() if k not in tables}
        for name in tables:
            rows = getattr(self, name).to_dict("records")
            plain[name] = [{k: None if v != v else v for k, v in row.items()} for row in rows]
        return plain


@dataclass(frozen=True)
class Sums:
    """Sums over some persons from which the truth follows; they add up.

    Attributes
    ----------
    total : ndarray, shape (measures, 2, genders, months)
        Of each outcome, without and with an offer, over the persons observed in the month.
    observed : ndarray, shape (genders, months)
        How many those are.
    start : ndarray, shape (waves, genders, levels, states)
        Counted persons by their state at the offer.
    offered, attended : ndarray, shape (genders,)
        Counted persons with an offer, and who took part.
    randomised : int
    """

    total: np.ndarray
    observed: np.ndarray
    start: np.ndarray
    offered: np.ndarray
    attended: np.ndarray
    randomised: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(*(getattr(self, f) + getattr(other, f) for f in self.__dataclass_fields__))


def sums(persons: Persons, paths: Paths, wages: np.ndarray, setting: Setting) -> Sums:
    """Add up the outcomes of both paths over the counted persons.

    Parameters
    ----------
    persons, paths
        As drawn.
    wages : ndarray of int, shape (n, states)
        Income in each state, as positions among the amounts.
    setting : Setting
        The waves.
    """
    counted = np.flatnonzero(persons.counted)
    gender = persons.gender[counted]
    observed = _observed(setting)[persons.wave[counted]]
    total = np.zeros((len(MEASURES), 2, len(GENDERS), len(MONTHS)))
    columns = BEFORE + np.array(MONTHS)
    after = np.array(MONTHS) >= 1
    by_gender = np.equal.outer(np.arange(len(GENDERS)), gender).astype(float)
    for arm, path in enumerate((paths.without, paths.with_offer)):
        state = path[np.ix_(counted, columns)]
        in_work = np.isin(state, OUTCOMES["work"])
        since = (in_work & after).cumsum(axis=1)
        values = [np.isin(state, states) for states in OUTCOMES.values()]
        values += [since, since > 0, wages[counted[:, None], state] * STEP]
        for i, value in enumerate(values):
            total[i, arm] = by_gender @ (value * observed)
    start = np.zeros((len(setting.waves), len(GENDERS), len(LEVELS), len(STATES)))
    zero = paths.without[counted, BEFORE]
    np.add.at(start, (persons.wave[counted], gender, persons.level[counted], zero), 1)
    offered = persons.offer[counted] == 1
    return Sums(
        total=total,
        observed=by_gender @ observed,
        start=start,
        offered=np.bincount(gender[offered], minlength=len(GENDERS)),
        attended=np.bincount(gender[persons.attended[counted]], minlength=len(GENDERS)),
        randomised=int(persons.randomised.sum()),
    )


def _observed(setting: Setting) -> np.ndarray:
    """Return which months are observed by the extract date, shape (waves, months)."""
    last = EXTRACT.astype("datetime64[M]")
    return setting.waves[:, None] + np.array(MONTHS) <= last


def truth(found: Sums, seed: int, setting: Setting, planted: Mapping[str, int]) -> Truth:
    """Return what an evaluation should find.

    Parameters
    ----------
    found : Sums
        Over all persons.
    seed : int
        Of the extract.
    setting : Setting
        Its offices and waves.
    planted : mapping of str to int
        Rows that were planted by fault and table.
    """
    return Truth(
        label=LABEL,
        seed=seed,
        persons=setting.persons,
        randomised=found.randomised,
        counted=int(found.start.sum()),
        effects=_effects(found, setting),
        takeup=_takeup(found),
        dose=_dose(found),
        planted=dict(planted),
    )


def _effects(found: Sums, setting: Setting) -> pd.DataFrame:
    expected = _expected(found.start, setting)
    rows = []
    for i, name in enumerate(MEASURES):
        for m, month in enumerate(MONTHS):
            n = _pooled(found.observed[:, m])
            if not n.all():  # not yet observed by the extract date
                continue
            without, with_offer = (_pooled(found.total[i, arm, :, m]) / n for arm in range(2))
            chance = np.full(len(n), np.nan)
            if name in expected:
                chance = _pooled(expected[name][:, m]) / n
            for g, group in enumerate(GROUPS[:-1]):
                rows.append(
                    (name, month, group, with_offer[g] - without[g], without[g], chance[g], n[g])
                )
            gaps = (x[1] - x[2] for x in (with_offer - without, without, chance))
            rows.append((name, month, GROUPS[-1], *gaps, n[0]))
    columns = ["outcome", "month", "group", "effect", "without", "expected", "n"]
    return pd.DataFrame(rows, columns=columns).astype({"n": int})


def _pooled(by_gender: np.ndarray) -> np.ndarray:
    """Return all, women and men."""
    return np.concatenate([[by_gender.sum()], by_gender])


def _expected(start: np.ndarray, setting: Setting) -> dict[str, np.ndarray]:
    """Return expected effects times persons, each of shape (genders, months).

    From the state at the offer the chances of each state follow by one table after the other;
    the effect is their difference with and without taking part, times the chance of take-up.
    """
    tables = all_moves() / GRAIN
    observed = _observed(setting)
    found = {name: np.zeros((len(GENDERS), len(MONTHS))) for name in OUTCOMES}
    for gender in range(len(GENDERS)):
        for level in range(len(LEVELS)):
            control, treated = (
                tables[group_of(phase, np.array(gender), np.array(level))] for phase in (1, 2)
            )
            without = start[:, gender, level]
            with_offer = without
            for month in range(1, MONTHS.stop):
                without = without @ control
                with_offer = with_offer @ (treated if month in EFFECT_MONTHS else control)
                m = month - MONTHS.start
                change = (with_offer - without) * observed[:, [m]] * TAKEUP[gender]
                for name, states in OUTCOMES.items():
                    found[name][gender, m] += change[:, list(states)].sum()
    return found


def _takeup(found: Sums) -> pd.DataFrame:
    n, took = _pooled(found.offered), _pooled(found.attended)
    persons = found.start.sum(axis=(0, 2, 3))
    chance = np.concatenate([[TAKEUP @ persons / persons.sum()], TAKEUP])
    share = took / n
    return pd.DataFrame(
        {
            "group": GROUPS,
            "chance": [*chance, chance[1] - chance[2]],
            "share": [*share, share[1] - share[2]],
        }
    )


def _dose(found: Sums) -> pd.DataFrame:
    persons = found.start.sum(axis=(0, 2, 3))
    weight = persons / persons.sum()
    rows = []
    for k, kind in enumerate(KINDS):
        for arm in ("0", "1"):
            months = {}
            for month in RATE_MONTHS:
                added = TAKEUP * ADDED[:, k] if arm == "1" and month in ADDED_MONTHS else 0.0
                months[month] = RATES[:, k] + added
            months[0] = np.sum(list(months.values()), axis=0)
            for month, mean in sorted(months.items()):
                values = (weight @ mean, mean[0], mean[1], mean[0] - mean[1])
                rows += [(kind, month, arm, g, v) for g, v in zip(GROUPS, values, strict=True)]
    return pd.DataFrame(rows, columns=["kind", "month", "arm", "group", "mean"])
