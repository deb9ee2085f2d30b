"""P-values of the table's rows by drawing the assignment anew, and over the family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.covariates import imputed
from evaluate.effects.batches import CELLS, Batch, batches
from evaluate.effects.multiplicity import benjamini_hochberg, holm, romano_wolf, westfall_young
from evaluate.effects.randomisation import (
    Comparison,
    Tested,
    fisher_exact,
    randomisation_tests,
    residualised,
)
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

ADJUSTED = ("lin", "ancova")  # estimators whose outcomes are tested less their covariates
COMMON = ("fixed_effects", "ancova")  # those that weight blocks by their precision
Contrast = tuple[int, int]
Key = tuple[str, str, str, int]  # estimator, arm, group, outcome column


@dataclass(frozen=True)
class _Drawn:
    """Tests of some outcome columns in one group."""

    columns: np.ndarray
    tested: Tested


def by_randomisation(
    table: pd.DataFrame,
    study: Study,
    plan: Plan,
    rng: np.random.Generator,
    primary: Mapping[Key, Estimates],
) -> pd.DataFrame:
    """Fill in the p-values by randomisation, and those adjusted over the primary outcomes.

    Parameters
    ----------
    table : DataFrame
        Rows of effects with ``column``, the position of their outcome column.
    study : Study
        The persons.
    plan : Plan
        The programme file.
    rng : Generator
        Source of the drawn assignments.
    primary : mapping of (estimator, arm, group, column) to Estimates
        Each primary outcome's effect with its scores, where the plan adjusts by them.

    Returns
    -------
    DataFrame
        The table. Rows of taking part have the p-value of the offer: that nobody gains by
        taking part is the same hypothesis. A family is the primary outcomes of one estimator
        and group, in all arms against control.
    """
    p_value = np.full(len(table), np.nan)
    adjusted = np.full(len(table), np.nan)
    notes = table["note"].to_numpy(dtype=object).copy()
    estimated = table["estimate"].notna().to_numpy()
    for estimator in plan.estimators:
        seeds = {c: int(rng.integers(2**63)) for c in study.contrasts}
        own = (table["estimand"] == "itt") & (table["estimator"] == estimator)
        found: dict[tuple[str, str], list[_Drawn]] = {}
        for contrast in study.contrasts:
            effect = table[own & (table["group"] == "all")
                           & (table["arm"] == study.label(contrast))]  # fmt: skip
            average = effect.set_index("column")["estimate"]
            for group, drawn in _tests(study, plan, estimator, contrast, average, seeds[contrast]):
                found.setdefault((study.label(contrast), group), []).append(drawn)
        for (arm, group), tests in found.items():
            rows = own & (table["arm"] == arm) & (table["group"] == group)
            place = {c: i for i, c in zip(table.index[rows], table["column"][rows], strict=True)}
            for one in tests:
                at = [place[c] for c in one.columns]
                p_value[at] = one.tested.p_value
                if one.tested.every:
                    said = note("every", n=f"{one.tested.draws:,}")
                    notes[at] = [_with(notes[i], said) if estimated[i] else notes[i] for i in at]
        if estimator == "difference_in_means" and _is_simple(study):
            _exact(table, study, own & (table["group"] != GAP), p_value, notes)
        adjusted[own] = _families(table[own], plan, study, found, p_value[own], primary, rng)
    p_value[~estimated] = np.nan
    adjusted[~estimated] = np.nan
    table = table.assign(p_value_randomisation=p_value, p_value_adjusted=adjusted, note=notes)
    return _of_taking_part(table, plan)


def _tests(
    study: Study,
    plan: Plan,
    estimator: str,
    contrast: Contrast,
    average: pd.Series,
    seed: int,
) -> Iterator[tuple[str, _Drawn]]:
    """Yield the tests of every group, some outcome columns at a time, all by the same draws."""
    groups = [*study.groups, *([GAP] if plan.columns.both_genders else [])]
    every = plan.outcome_columns
    primary = [plan.outcomes[c.outcome].role_in(c.month) == "primary" for c in every]
    for lot in _lots(batches(study, plan), study.n * (len(groups) + 2)):
        columns = np.concatenate([batch.columns for batch in lot])
        keep = any(primary[c] for c in columns) and contrast[1] == 0
        left = {
            group: np.hstack([_left(study, estimator, batch, members) for batch in lot])
            for group, members in study.groups.items()
        }
        comparisons = [
            Comparison(left[group], members, keep=keep and "=" not in group)
            for group, members in study.groups.items()
        ]
        if GAP in groups:
            women, men = study.groups["women"], study.groups["men"]
            y = np.where(women[:, None], left["women"], left["men"])
            less = average.reindex(columns).to_numpy(dtype=float)
            y = y - (study.arm == contrast[0])[:, None] * np.nan_to_num(less)
            comparisons.append(Comparison(y, women, men, keep=keep))
        tests = randomisation_tests(
            comparisons,
            study.arm,
            contrast,
            plan.analysis.permutations,
            np.random.default_rng(seed),
            study.block,
            _drawn_units(study, plan),
            study.weight,
            precise=estimator in COMMON,
        )
        for group, tested in zip(groups, tests, strict=True):
            yield group, _Drawn(columns, tested)


def _lots(every: Iterator[Batch], width: int) -> Iterator[list[Batch]]:
    """Put batches together as long as memory allows: each lot draws the assignments once."""
    lot: list[Batch] = []
    held = 0
    for batch in every:
        cells = width * len(batch.columns)
        if lot and held + cells > 5 * CELLS:
            yield lot
            lot, held = [], 0
        lot.append(batch)
        held += cells
    if lot:
        yield lot


def _left(study: Study, estimator: str, batch: Batch, members: np.ndarray) -> np.ndarray:
    """Return outcomes as a group's test sees them, NaN for other persons."""
    rows = members & batch.observed
    x = np.empty((study.n, 0))
    if estimator in ADJUSTED and rows.any():
        x = np.zeros_like(batch.covariates.values)
        x[rows] = imputed(batch.covariates.values[rows])
        return residualised(batch.y, x, rows, study.block, study.weight)
    return np.where(rows[:, None], batch.y, np.nan)


def _drawn_units(study: Study, plan: Plan) -> np.ndarray | None:
    """Return what was drawn: clusters, in each block anew; None for persons."""
    if study.cluster is None or plan.columns.cluster is None:
        return None
    if study.block is None:
        return study.cluster
    place = study.cluster * (int(study.block.max(initial=0)) + 1) + study.block
    return np.unique(place, return_inverse=True)[1]


def _is_simple(study: Study) -> bool:
    return study.block is None and study.cluster is None and study.weight is None


def _exact(
    table: pd.DataFrame, study: Study, own: pd.Series, p_value: np.ndarray, notes: np.ndarray
) -> None:
    """Take Fisher's exact test for binary outcomes of small trials."""
    labels = {study.label(c): c for c in study.contrasts}
    for (arm, group), rows in table[own].groupby(["arm", "group"], sort=False):
        contrast = labels[str(arm)]
        members = study.groups[str(group)] & np.isin(study.arm, contrast)
        treated = study.arm[members] == contrast[0]
        p = fisher_exact(study.y[members][:, rows["column"].to_numpy()], treated)
        for i, value in zip(rows.index, p, strict=True):
            if not np.isnan(value):
                p_value[i] = value
                if pd.notna(table["estimate"][i]):
                    notes[i] = _with(notes[i], note("fisher"))


def _with(text: str, more: str) -> str:
    return joined([text, more]) if text else more


def _families(
    table: pd.DataFrame,
    plan: Plan,
    study: Study,
    found: Mapping[tuple[str, str], list[_Drawn]],
    p_value: np.ndarray,
    primary: Mapping[Key, Estimates],
    rng: np.random.Generator,
) -> np.ndarray:
    """Adjust p-values over the primary outcomes of each group, in all arms against control."""
    how = plan.analysis.multiplicity
    adjusted = np.full(len(table), np.nan)
    against = [study.label(c) for c in study.contrasts if c[1] == 0]
    usable = (table["role"] == "primary") & table["arm"].isin(against)
    usable &= table["estimate"].notna()
    place = pd.Series(np.arange(len(table)), index=table.index)
    for group, rows in table[usable].groupby("group", sort=False):
        at = place[rows.index].to_numpy()
        if how == "holm":
            adjusted[at] = holm(p_value[at])
        elif how == "benjamini_hochberg":
            adjusted[at] = benjamini_hochberg(p_value[at])
        elif how == "westfall_young":
            drawn, actual, every = _kept(rows, found, str(group))
            adjusted[at] = np.maximum(westfall_young(actual, drawn, every), p_value[at])
        elif how == "romano_wolf":
            keys = zip(rows["estimator"], rows["arm"], rows["group"], rows["column"], strict=True)
            parts = [primary[key] for key in keys]
            family = Estimates(
                np.concatenate([e.value for e in parts]),
                np.hstack([e.scores for e in parts]),
                np.concatenate([e.df for e in parts]),
            )
            adjusted[at] = romano_wolf(family, plan.analysis.permutations, rng)
    return adjusted


def _kept(
    rows: pd.DataFrame, found: Mapping[tuple[str, str], list[_Drawn]], group: str
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the drawn and actual statistics of a family's rows, side by side."""
    drawn: list[np.ndarray] = []
    actual: list[float] = []
    every = True
    for arm, column in zip(rows["arm"], rows["column"], strict=True):
        for one in found[str(arm), group]:
            here = np.flatnonzero(one.columns == column)
            if len(here) and one.tested.drawn is not None:
                drawn.append(one.tested.drawn[:, here[0]])
                every &= one.tested.every
                actual.append(abs(float(one.tested.statistic[here[0]])))
    shortest = min(len(d) for d in drawn)  # arms may have fewer assignments than others
    every &= all(len(d) == shortest for d in drawn)
    return np.column_stack([d[:shortest] for d in drawn]), np.array(actual), every


def _of_taking_part(table: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Give rows of taking part the p-values of the lead estimator's effect of the offer."""
    keys = ["column", "arm", "group"]
    lead = table[(table["estimand"] == "itt") & (table["estimator"] == plan.estimators[0])]
    of_offer = lead[[*keys, "p_value_randomisation"]].rename(
        columns={"p_value_randomisation": "of_offer"}
    )
    p = table[keys].merge(of_offer, on=keys, how="left")["of_offer"].to_numpy()
    late = (table["estimand"] == "late") & table["estimate"].notna() & (table["group"] != GAP)
    own = table["p_value_randomisation"].to_numpy()
    return table.assign(p_value_randomisation=np.where(late, p, own))
