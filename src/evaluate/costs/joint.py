"""Costs by payer and effects by month as one vector of estimates with the scores of all persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.costs.joint_draws import joint_draws
from evaluate.costs.programme_costs import person_costs
from evaluate.costs.records import by_payer, has_records
from evaluate.effects.batches import batches
from evaluate.effects.fit import Fit, covariates_for
from evaluate.effects.groups import NO_TAKEUP, Key, fits_by_group
from evaluate.estimates import Estimates
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import OutcomeColumn
from evaluate.study import GAP, Study

DUST = 1e-6  # of the largest error in a sum, below which another plays no part


@dataclass(frozen=True)
class Layout:
    """Where in the vector of estimates what stands.

    Attributes
    ----------
    payers : tuple of str
        Who paid for the programme; the first columns are what an offer cost each.
    outcomes : dict of str to ndarray of int
        Columns of each outcome, in the order of its months.
    months : dict of str to tuple of int or None
        Months of each outcome after the offer; None for one without months.
    """

    payers: tuple[str, ...]
    outcomes: dict[str, np.ndarray]
    months: dict[str, tuple[int, ...] | None]

    @property
    def size(self) -> int:
        """Number of estimates."""
        return len(self.payers) + sum(map(len, self.outcomes.values()))


@dataclass(frozen=True)
class Joint:
    """The estimates of one group and contrast.

    Attributes
    ----------
    estimates : Estimates or None
        As `Layout` says; None where one of them is wanting.
    takeup : Estimates or None
        The effect on take-up; None where the plan names none.
    knows_cost : bool
        Whether the cost is known for this group.
    notes : tuple of str
        What a reader must know of the fits.
    """

    estimates: Estimates | None
    takeup: Estimates | None
    knows_cost: bool
    notes: tuple[str, ...] = ()

    def sums(self, weights: np.ndarray) -> Estimates | None:
        """Return sums of the estimates, each a row of ``weights``, shape (m, k)."""
        if self.estimates is None:
            return None
        value, scores = self.estimates.value, self.estimates.scores
        df = np.array([self._df(row) for row in weights])
        return Estimates(weights @ value, scores @ weights.T, df)

    def _df(self, weights: np.ndarray) -> float:
        """Return the degrees of freedom of a sum: the fewest of what varies in it."""
        assert self.estimates is not None
        error, df = np.abs(weights) * self.estimates.std_error, self.estimates.df
        used = error > DUST * error.max(initial=0.0)
        return float(df[used].min() if used.any() else df.min())

    @property
    def divides(self) -> bool:
        """Whether there is an effect on take-up to divide by."""
        return self.takeup is not None and abs(float(self.takeup.value[0])) >= NO_TAKEUP

    def per_participant(self, sums: Estimates) -> Estimates | None:
        """Divide sums by the effect on take-up."""
        if self.takeup is None or not self.divides:
            return None
        return sums.over(self.takeup.pick([0] * len(sums.value)))


@dataclass(frozen=True)
class Drawn:
    """Joint draws of one group and contrast.

    Attributes
    ----------
    estimates : ndarray, shape (draws, k)
        As `Layout` says.
    takeup : ndarray or None, shape (draws,)
        The effect on take-up; None where there is none to divide by.
    """

    estimates: np.ndarray
    takeup: np.ndarray | None


def layout_of(plan: Plan, payers: Sequence[str]) -> Layout:
    """Arrange what benefits and accounts need: payers first, then months of outcomes."""
    costs = plan.costs
    assert costs is not None
    paid = [item.outcome for item in costs.by_month.values()] if costs.benefits else []
    names = [*(b.outcome for b in costs.benefits), *paid, *costs.outcomes_of_accounts]
    at = len(payers)
    outcomes: dict[str, np.ndarray] = {}
    months: dict[str, tuple[int, ...] | None] = {}
    for name in dict.fromkeys(names):
        known = [c.month for c in _after(plan, name)]
        outcomes[name] = np.arange(at, at + len(known))
        months[name] = None if known == [None] else tuple(m for m in known if m is not None)
        at += len(known)
    return Layout(tuple(payers), outcomes, months)


def _after(plan: Plan, name: str) -> list[OutcomeColumn]:
    columns = [c for c in plan.outcome_columns if c.outcome == name]
    return [c for c in columns if c.month is None or c.month >= 1]


def joint_fits(
    study: Study, plan: Plan, records: pd.DataFrame | None = None
) -> tuple[Layout, dict[Key, Joint]]:
    """Estimate costs by payer, the outcomes that payments follow from, and take-up.

    All by the plan's lead estimator, so that covariances between them are products of scores.
    A person's cost is an outcome of all who have it. Of cost records only what an arm cost is
    known: it has no sampling variance, and none for women less men.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file, with costs.
    records : DataFrame, optional
        As `schemas.COST_RECORDS`, for a plan whose costs are those of the table `costs`.

    Returns
    -------
    layout : Layout
        What stands where.
    joint : dict of (str, (int, int)) to Joint
        By group and contrast with control: all, women, men and the gap.
    """
    costs = plan.costs
    assert costs is not None
    groups = {name: rows for name, rows in study.groups.items() if "=" not in name}
    study = replace(study, groups=groups)
    by_arm: Mapping[str, np.ndarray] = {}
    if has_records(plan):
        assert records is not None
        by_arm = by_payer(records, study, plan)
    layout = layout_of(plan, tuple(by_arm) or ("public",))
    parts: list[tuple[np.ndarray, dict[Key, Fit]]] = list(_outcomes(study, plan, layout))
    if not by_arm:
        spent = person_costs(study, costs)
        parts.append((np.arange(1), _of_all(study, plan, layout, spent)))
    took_part = None if study.takeup is None else _of_all(study, plan, layout, study.takeup)
    contrasts = [c for c in study.contrasts if c[1] == 0]
    keys = [(g, c) for c in contrasts for g in (*study.groups, GAP)]
    found = {}
    for key in keys:
        fits = [(columns, fit[key]) for columns, fit in parts if key in fit]
        if len(fits) == len(parts):
            own = None if took_part is None else took_part[key].effects
            found[key] = _stacked(layout, key, fits, own, by_arm, study)
    return layout, found


def _outcomes(
    study: Study, plan: Plan, layout: Layout
) -> Iterator[tuple[np.ndarray, dict[Key, Fit]]]:
    """Yield the columns of the layout that each batch fills, and its fits."""
    names = [c.name for c in plan.outcome_columns]
    place = {
        names.index(column.name): at
        for name, columns in layout.outcomes.items()
        for column, at in zip(_after(plan, name), columns, strict=True)
    }
    for batch in batches(study, plan):
        chosen = np.flatnonzero(np.isin(batch.columns, list(place)))
        if len(chosen):
            fits = fits_by_group(
                study, plan, plan.estimators[0], batch.y[:, chosen], batch.observed,
                batch.covariates,
            )  # fmt: skip
            yield np.array([place[i] for i in batch.columns[chosen]]), fits


def _of_all(study: Study, plan: Plan, layout: Layout, values: np.ndarray) -> dict[Key, Fit]:
    """Fit one column of all who have it, adjusted as the first outcome is."""
    assert plan.costs is not None
    name = next(iter(layout.outcomes), plan.costs.outcomes[0])
    without, own = plan.outcomes[name].without, plan.covariate_set(name)
    known = ~np.isnan(values)
    y = np.where(known, values, 0.0)[:, None]
    covariates = covariates_for(study, name, without, own)
    return fits_by_group(study, plan, plan.estimators[0], y, known, covariates)


def _stacked(
    layout: Layout,
    key: Key,
    fits: list[tuple[np.ndarray, Fit]],
    takeup: Estimates | None,
    by_arm: Mapping[str, np.ndarray],
    study: Study,
) -> Joint:
    group, (arm, control) = key
    notes = tuple(dict.fromkeys(note for _, fit in fits for note in fit.notes))
    if any(fit.effects is None for _, fit in fits):
        return Joint(None, takeup, group != GAP, notes)
    value, scores = np.zeros(layout.size), np.zeros((study.units, layout.size))
    df = np.full(layout.size, np.inf)
    for i, payer in enumerate(by_arm):
        value[i] = by_arm[payer][arm] - by_arm[payer][control]
    for columns, fit in fits:
        assert fit.effects is not None
        value[columns], scores[:, columns] = fit.effects.value, fit.effects.scores
        df[columns] = fit.effects.df
    return Joint(Estimates(value, scores, df), takeup, not by_arm or group != GAP, notes)


def drawn(joint: Mapping[Key, Joint], rng: np.random.Generator, draws: int) -> dict[Key, Drawn]:
    """Draw estimates around those found, jointly, see `joint_draws`.

    Parameters
    ----------
    joint : mapping
        As of `joint_fits`.
    rng : Generator
        For the multipliers, one for each unit and draw, the same in all groups.
    draws : int
        How many.

    Returns
    -------
    dict of Drawn
        By group and contrast; not where there are no estimates or no scores.
    """
    known: dict[Key, Estimates] = {}
    takeup: dict[Key, Estimates] = {}
    for key, one in joint.items():
        if one.estimates is not None and np.isfinite(one.estimates.scores).all():
            known[key] = one.estimates
            if one.takeup is not None and one.divides and np.isfinite(one.takeup.scores).all():
                takeup[key] = one.takeup
    draws_of = joint_draws([*known.values(), *takeup.values()], rng, draws)
    shares = dict(zip(takeup, draws_of[len(known) :], strict=True))
    return {
        key: Drawn(values, shares[key][:, 0] if key in shares else None)
        for key, values in zip(known, draws_of, strict=False)
    }
