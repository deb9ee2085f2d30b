"""Access against effect: the gap in effects as unequal doses, and unequal effects per unit of it.

Of women and men each, the effect on the outcome is the effect on the dose times the effect of one
unit of it, if the programme works through this dose alone. The gap is then what women and men
get unequally, valued at the mean of their effects per unit, and what a unit unequally does, for
the mean of their doses; the two add up to it exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from scipy import stats

from evaluate.design.default_estimators import with_default
from evaluate.effects.arm_means import means, two_arms
from evaluate.effects.batches import Batch
from evaluate.effects.fit import Fit, covariates_for
from evaluate.effects.groups import NO_TAKEUP, WEAK_F, Key, estimators_of, fits_by_group
from evaluate.effects.observational.levels import levels_with_treatment
from evaluate.effects.sensitivity.questions import of_rows
from evaluate.estimates import Estimates
from evaluate.fieller import fieller
from evaluate.heterogeneity.kitagawa import plus, split
from evaluate.heterogeneity.signals import Case
from evaluate.notes import joined, note
from evaluate.plan.doses import TAKEUP
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

SAME_UNIT = "share"  # of a dose: all of it is one unit
DOSE_PARTS = ("dose_women", "dose_men", "dose_gap")
PER_UNIT = ("per_unit_women", "per_unit_men", "access", "effect_per_unit")  # rest on ratios
LEVELS = ("outcome_gap", "without_programme")


def access_rows(study: Study, plan: Plan, case: Case) -> list[dict[str, object]]:
    """Split the gap between women and men by each dose that the plan names, and by take-up.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    case : Signals or NoSignals
        The outcome and contrast; its scores are not used: outcome and dose are fitted at once,
        by the lead estimator, for persons who have both.

    Returns
    -------
    list of dict
        Rows of `schemas.GAP` with a ``unit`` of their own. Empty where the programme does not
        have both women and men. Without any dose one row says so.
    """
    if not plan.columns.both_genders:
        return []
    takeup = {} if study.takeup is None else {TAKEUP: study.takeup}
    doses = takeup | study.doses
    if not doses:
        return [_empty("access", "", case.unit, note("no_dose"))]
    plan = _by_lead(with_default(plan, study))
    i, column = next(
        (i, c)
        for i, c in enumerate(plan.outcome_columns)
        if (c.outcome, c.month) == (case.outcome, case.month)
    )
    contrast = next(c for c in study.contrasts if study.label(c) == case.arm)
    own = column.outcome if column.outcome in study.baselines else ""
    without = plan.outcomes[column.outcome].without
    covariates = covariates_for(study, own, without, plan.covariate_set(column.outcome))
    observed = ~np.isnan(study.y[:, i])
    rows: dict[str, list[dict[str, object]]] = {}
    for names, known in _alike(doses, observed):
        y = np.column_stack([study.y[:, i], *(doses[name] for name in names)])
        batch = Batch(np.array([i]), np.where(known[:, None], y, 0), known, covariates)
        lost = int((observed & ~known & np.isin(study.arm, contrast)).sum())
        rows |= _of_batch(study, plan, batch, contrast, names, case.unit, lost)
    return [row for name in doses for row in rows[name]]


def _by_lead(plan: Plan) -> Plan:
    """Return the plan with its lead estimator alone, of those that give women's and men's."""
    first = (estimators_of(plan) or plan.estimators)[:1]
    analysis = plan.analysis.model_copy(update={"estimators": list(first)})
    found = plan.model_copy(update={"analysis": analysis})
    return found.with_default(first, plan._default[1]) if plan._default else found


def _alike(
    doses: Mapping[str, np.ndarray], observed: np.ndarray
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Give doses that the same persons have, to be fitted at once, and these persons."""
    found: dict[bytes, tuple[list[str], np.ndarray]] = {}
    for name, dose in doses.items():
        known = observed & ~np.isnan(dose)
        found.setdefault(np.packbits(known).tobytes(), ([], known))[0].append(name)
    yield from found.values()


def _of_batch(
    study: Study,
    plan: Plan,
    batch: Batch,
    contrast: tuple[int, int],
    names: list[str],
    unit: str,
    lost: int,
) -> dict[str, list[dict[str, object]]]:
    """Return the rows by dose; the outcome is the first column, the doses those after it."""
    study, batch = _two_arms_alone(study, plan, batch, contrast)
    genders = ("women", "men") if plan.estimators[0] != "aipw" else ("all", "women", "men")
    small = replace(study, groups={g: study.groups[g] for g in genders})
    fits = fits_by_group(small, plan, plan.estimators[0], batch.y, batch.observed, batch.covariates)
    gap = fits.get((GAP, contrast), Fit(None, batch.observed, (note("no_gap"),)))
    notes = [*gap.notes, *([note("dose_left_out", n=lost)] if lost else [])]
    sizes = {f"n_{g}": int((gap.rows & study.groups[g]).sum()) for g in ("women", "men")}
    if gap.effects is None:
        reasons = [n for g in ("women", "men") if (g, contrast) in fits
                   for n in fits[g, contrast].notes]  # fmt: skip
        text = joined([*notes, *reasons])
        return {d: [_empty("gap", d, unit, text) | sizes] for d in names}
    if gap.unsure:
        notes.append(gap.unsure)
    levels = _levels(small, plan, batch, contrast, fits)
    found = {}
    for j, name in enumerate(names, 1):
        both = {g: fits[g, contrast].effects for g in ("women", "men", GAP)}
        pairs = {g: e.pick([0, j]) for g, e in both.items() if e is not None}
        dose_unit = SAME_UNIT if name == TAKEUP else plan.doses[name].unit
        rows = _rows(pairs, levels, unit, dose_unit, plan.analysis.level, notes)
        least = _least(study, batch.y[:, j], gap.rows, contrast)
        found[name] = [row | {"dose": name, "least": least} | sizes for row in rows]
    return found


def _least(study: Study, dose: np.ndarray, rows: np.ndarray, contrast: tuple[int, int]) -> int:
    """Return the fewest women or men of an arm with some of a dose, 0 where nobody has any.

    Where nobody has more than one, the fewest with none count, too.
    """
    kinds = [dose > 0, *([dose == 0] if dose[rows].max(initial=0) <= 1 else [])]
    counts = [
        int((rows & study.groups[g] & (study.arm == arm) & kind).sum())
        for g in ("women", "men")
        for arm in contrast
        for kind in kinds
    ]
    return min((n for n in counts if n), default=0)


def _two_arms_alone(
    study: Study, plan: Plan, batch: Batch, contrast: tuple[int, int]
) -> tuple[Study, Batch]:
    """Leave out persons of arms that an observational contrast has no use for."""
    rows = np.isin(study.arm, contrast)
    if not plan.is_observational or rows.all():
        return study, batch
    covariates = replace(batch.covariates, values=batch.covariates.values[rows])
    alone = Batch(batch.columns, batch.y[rows], batch.observed[rows], covariates)
    return of_rows(study, rows), alone


def _levels(
    study: Study, plan: Plan, batch: Batch, contrast: tuple[int, int], fits: Mapping[Key, Fit]
) -> dict[str, Estimates]:
    """Return the gap in the outcome with the programme and without it, where they are told.

    Of a lottery that without is the gap in control, and the effects are added to it. Otherwise
    that with it is the gap among those whom the effects are about, and effects are taken off.
    """
    gap = fits[GAP, contrast].effects
    assert gap is not None
    effect, y = gap.pick([0]), batch.y[:, :1]
    found: list[Estimates | None] = []
    if plan.is_observational:
        one = Batch(batch.columns, y, batch.observed, batch.covariates)
        first = {
            key: replace(fit, effects=fit.effects.pick([0]))
            for key, fit in fits.items()
            if key[1] == contrast and fit.effects is not None
        }
        given = levels_with_treatment(study, plan, one, first).get((GAP, contrast))
        found = [given, None if given is None else plus(given, effect, -1.0)]
    else:
        control = []
        for g in ("women", "men"):
            sides, _ = two_arms(study, fits[g, contrast].rows, contrast)
            control.append(None if sides is None else means(sides[1], y[sides[1].persons]))
        women, men = control
        none = None if women is None or men is None else women - men
        found = [None if none is None else plus(none, effect), none]
    if study.cluster is not None:  # women and men may share clusters
        found = [None if e is None else replace(e, df=effect.df) for e in found]
    return {name: e for name, e in zip(LEVELS, found, strict=True) if e is not None}


def _rows(
    pairs: Mapping[str, Estimates],
    levels: Mapping[str, Estimates],
    unit: str,
    dose_unit: str,
    level: float,
    notes: list[str],
) -> list[dict[str, object]]:
    women, men, gap = pairs["women"], pairs["men"], pairs[GAP]
    of_dose = [e.pick([1]) for e in (women, men, gap)]
    rows = [_row(part, e, level, dose_unit) for part, e in zip(DOSE_PARTS, of_dose, strict=True)]
    strength = [_strength(e) for e in of_dose[:2]]
    per_unit = unit if dose_unit == SAME_UNIT else f"{unit} / {dose_unit}"
    same = [abs(e.value[0]) < NO_TAKEUP for e in of_dose[:2]]
    parts = None if any(same) else split(women, men, gap)
    for k, pair in enumerate((women, men)):
        part = PER_UNIT[k]
        if same[k]:
            rows.append(_empty(part, "", per_unit, note("dose_same")))
        else:
            one = pair.pick([0]).over(pair.pick([1]))
            rows.append(_per_unit(part, one, pair, strength[k], level, per_unit))
    for part in PER_UNIT[2:]:
        if parts is None:
            rows.append(_empty(part, "", unit, note("dose_same")))
        else:
            row = _row(part, getattr(parts, part), level, unit)
            rows.append(_weak(row, min(strength)))
    rows.append(_row("gap", gap.pick([0]), level, unit) | {"note": joined(notes)})
    for part in LEVELS:
        if part in levels:
            rows.append(_row(part, levels[part], level, unit))
        else:
            rows.append(_empty(part, "", unit, note("no_gap")))
    return rows


def _strength(dose: Estimates) -> float:
    """Return F of no effect on the dose; infinite where it does not vary, 0 where not known."""
    error = float(dose.std_error[0])
    if not np.isfinite(error):
        return 0.0
    return float("inf") if error == 0 else (float(dose.value[0]) / error) ** 2


def _per_unit(
    part: str, one: Estimates, pair: Estimates, strength: float, level: float, unit: str
) -> dict[str, object]:
    """Return an effect per unit; where the dose is weakly moved with Fieller's interval, if any."""
    row = _row(part, one, level, unit)
    if strength >= WEAK_F or not np.isfinite(pair.covariance).all():
        return _weak(row, strength)
    quantile = float(stats.t.ppf((1 + level) / 2, pair.df.min()))
    found = fieller(float(pair.value[0]), float(pair.value[1]), pair.covariance, quantile)
    if found.kind != "interval":
        return _weak(row, strength)
    said = joined([note("through_dose"), note("dose_fieller", f=f"{strength:.1f}")])
    ends = {"conf_low": found.low, "conf_high": found.high}
    return row | {"std_error": None, "p_value": None} | ends | {"note": said}


def _weak(row: dict[str, object], strength: float) -> dict[str, object]:
    """State the assumption; take the interval off where a denominator may be zero."""
    if strength >= WEAK_F:
        return row | {"note": note("through_dose")}
    said = [note("through_dose"), note("dose_weak", f=f"{strength:.1f}")]
    none = dict.fromkeys(("std_error", "conf_low", "conf_high", "p_value"))
    return row | none | {"note": joined(said)}


def _row(part: str, e: Estimates, level: float, unit: str) -> dict[str, object]:
    low, high = e.interval(level)
    numbers = {
        "estimate": e.value[0],
        "std_error": e.std_error[0],
        "conf_low": low[0],
        "conf_high": high[0],
        "p_value": e.p_value[0],
        "df": e.df[0],
    }
    told = {k: float(v) if np.isfinite(v) else None for k, v in numbers.items()}
    return _empty(part, "", unit, "") | told | {"level": level}


def _empty(part: str, dose: str, unit: str, text: str) -> dict[str, object]:
    return {
        "method": "access", "part": part, "covariate": "", "dose": dose,
        "month_from": None, "month_to": None, "unit": unit, "note": text,
    }  # fmt: skip
