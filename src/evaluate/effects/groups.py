"""Effects by group: all, women, men, the gap between them, and the effect of taking part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from evaluate.covariates import Covariates
from evaluate.effects.batches import Batch
from evaluate.effects.fit import Fit, fit, fit_shared
from evaluate.effects.linear import OF_CLUSTERS, Errors
from evaluate.effects.observational.estimands import effects_by_group
from evaluate.effects.observational.samples import Samples
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

Key = tuple[str, tuple[int, int]]  # group and contrast
OWN_TABLE = ("did",)  # estimators whose effects are in a table of their own
WEAK_F = 10.0  # Staiger and Stock's rule of thumb
NO_TAKEUP = 1e-10  # effect on take-up that is rounding


@dataclass(frozen=True)
class Estimand:
    """A fit with the labels that its rows carry."""

    estimand: str
    estimator: str
    group: str
    contrast: tuple[int, int]
    fit: Fit


def estimands(study: Study, plan: Plan, batch: Batch) -> Iterator[Estimand]:
    """Yield the effects of the offer by every estimator, and of taking part by the lead one.

    Take-up is one more outcome column: where all who have the outcomes have it, one fit
    gives both effects.
    """
    takeup, k = study.takeup, len(batch.columns)
    samples = Samples(study, plan, batch.observed, batch.covariates)
    for estimator in estimators_of(plan):
        leads = takeup is not None and estimator == plan.estimators[0]
        known = batch.observed if takeup is None else batch.observed & ~np.isnan(takeup)
        both = batch.y if takeup is None else np.column_stack([batch.y, np.nan_to_num(takeup)])
        at_once = leads and np.array_equal(known, batch.observed)
        y = both if at_once else batch.y
        fits = fits_by_group(study, plan, estimator, y, batch.observed, batch.covariates, samples)
        for (group, contrast), one in fits.items():
            yield Estimand(plan.estimand_of(estimator), estimator, group, contrast, _first(one, k))
        if leads:
            if not at_once:
                fits = fits_by_group(study, plan, estimator, both, known, batch.covariates)
            for (group, contrast), one in taking_part(study, fits, estimator).items():
                yield Estimand("late", "tsls", group, contrast, one)


def fits_by_group(
    study: Study,
    plan: Plan,
    estimator: str,
    y: np.ndarray,
    observed: np.ndarray,
    covariates: Covariates,
    samples: Samples | None = None,
) -> dict[Key, Fit]:
    """Fit every group and contrast, and the gap between women and men from their scores.

    ``samples`` holds the persons of an observational study, where they are arranged already.
    Nothing is fitted for an estimator that has a table of its own.
    """
    found: dict[Key, Fit] = {}
    if estimator in OWN_TABLE:
        return found
    if plan.is_observational and estimator != "difference_in_means":
        samples = samples or Samples(study, plan, observed, covariates)
        found = effects_by_group(samples, estimator, y)
        for contrast in study.contrasts if plan.columns.both_genders else ():
            found[GAP, contrast] = gap(study, found["women", contrast], found["men", contrast])
        return found
    errors = errors_of(study, plan, estimator)
    for group, members in study.groups.items():
        fits = fit(study, errors, estimator, y, members & observed, covariates)
        found |= {(group, c): f for c, f in zip(study.contrasts, fits, strict=True)}
    if not plan.columns.both_genders:
        return found
    shared = plan.analysis.slopes == "shared" and estimator == "lin"
    if shared:
        both = fit_shared(study, errors, y, observed, covariates)
        for gender, fits in zip(("women", "men"), both, strict=True):
            found |= {(gender, c): f for c, f in zip(study.contrasts, fits, strict=True)}
    for contrast in study.contrasts:
        women, men = found["women", contrast], found["men", contrast]
        regressed = None if estimator == "difference_in_means" else observed
        found[GAP, contrast] = gap(study, women, men, shared, regressed)
    return found


def estimators_of(plan: Plan) -> tuple[str, ...]:
    """Return the plan's estimators of the table of effects; the others have tables of their own."""
    return tuple(e for e in plan.estimators if e not in OWN_TABLE)


def errors_of(study: Study, plan: Plan, estimator: str) -> Errors:
    """Return which standard errors the plan asks for, or the design by default."""
    kind = plan.std_error_of(estimator)
    units = study.units if kind in OF_CLUSTERS else 0
    return Errors(kind, study.cluster, units, keep=plan.analysis.interval == "wild_bootstrap")


def gap(
    study: Study,
    women: Fit,
    men: Fit,
    shared: bool = False,
    regressed: np.ndarray | None = None,
) -> Fit:
    """Return women's effects less men's.

    ``shared`` says that one regression gave both, ``regressed`` whose persons were in the
    regressions where that is more than the rows compared.
    """
    rows = women.rows | men.rows
    if women.effects is None or men.effects is None:
        return Fit(None, rows, (note("no_gap"),))
    difference = women.effects - men.effects
    if women.effects.origin and men.effects.origin:
        difference = replace(difference, origin=women.effects.origin - men.effects.origin)
    if shared:
        difference = replace(difference, df=women.effects.df)
    elif study.cluster is not None and difference.working is None:
        difference = replace(
            difference, df=_shared_df(study, women, men, rows if regressed is None else regressed)
        )
    notes = tuple(dict.fromkeys((*women.notes, *men.notes)))
    return Fit(difference, rows, notes, women.each, women.unsure or men.unsure)


def _shared_df(study: Study, women: Fit, men: Fit, regressed: np.ndarray) -> np.ndarray:
    """Return the degrees of freedom of a gap within clusters that women and men share.

    One less than the clusters of both, as each has one less than its own (CR0, CR1); or else
    those of the smaller.
    """
    assert study.cluster is not None
    assert women.effects is not None
    assert men.effects is not None
    fewest = np.minimum(women.effects.df, men.effects.df)
    genders = [regressed & study.groups[g] for g in ("women", "men")]
    counts = [len(np.unique(study.cluster[rows])) - 1 for rows in (*genders, sum(genders) > 0)]
    if (women.effects.df == counts[0]).all() and (men.effects.df == counts[1]).all():
        return np.full_like(fewest, counts[2])
    return fewest


def taking_part(study: Study, fits: dict[Key, Fit], estimator: str) -> dict[Key, Fit]:
    """Divide the effects of the offer by its effect on take-up, the last column.

    With one and the same regression for both, this is two-stage least squares.

    References
    ----------
    Imbens and Angrist (1994), Identification and estimation of local average treatment
    effects, Econometrica 62(2).
    """
    found = {
        (group, contrast): _wald(one, estimator)
        for (group, contrast), one in fits.items()
        if contrast[1] == 0 and group != GAP
    }
    for group, contrast in fits:
        if group == GAP and contrast[1] == 0:
            women, men = found["women", contrast], found["men", contrast]
            found[GAP, contrast] = gap(study, women, men)
    return found


def _wald(one: Fit, estimator: str) -> Fit:
    if one.effects is None:
        return one
    k = len(one.effects.value) - 1
    first = first_stage(one.effects)
    size, error = first.value[0], first.std_error[0]
    if abs(size) < NO_TAKEUP:
        return Fit(None, one.rows, (note("no_takeup"),))
    notes = [*one.notes, note("wald", estimator=estimator)]
    if size < 0:
        notes.append(note("reversed"))
    if error > 0 and (f := (size / error) ** 2) < WEAK_F:
        notes.append(note("weak", f=f"{f:.1f}"))
    ratio = one.effects.pick(slice(k)).over(one.effects.pick([k] * k))
    return Fit(ratio, one.rows, tuple(notes))


def first_stage(effects: Estimates) -> Estimates:
    """Return the effect on take-up, the last column."""
    return effects.pick([len(effects.value) - 1])


def _first(one: Fit, k: int) -> Fit:
    return one if one.effects is None else replace(one, effects=one.effects.pick(slice(k)))
