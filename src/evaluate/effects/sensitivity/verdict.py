"""The verdict on a finding: robust, fragile or not assessed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from evaluate.notes import joined, note

MATERIAL = 0.25  # of the lead estimate, by which others may not differ beyond chance
NAMED = 3  # covariates in a reason


@dataclass(frozen=True)
class Estimate:
    """One estimate with its error.

    Attributes
    ----------
    name : str
        The estimator, or the trimming.
    value, error, df : float
        In the unit of the outcome.
    """

    name: str
    value: float
    error: float
    df: float = np.inf

    def interval(self, level: float) -> tuple[float, float]:
        """Return the ends of the confidence interval."""
        margin = float(stats.t.ppf((1 + level) / 2, self.df)) * self.error
        return self.value - margin, self.value + margin

    def differs(self, level: float, tests: int = 1) -> bool:
        """Tell whether it differs from zero by more than chance, ``tests`` of them looked at."""
        if not self.error > 0:
            return self.value != 0
        p_value = 2 * stats.t.sf(abs(self.value) / self.error, self.df)
        return bool(p_value < (1 - level) / tests)


@dataclass(frozen=True)
class Placebo:
    """A placebo outcome, in standard deviations of those compared where units differ.

    Attributes
    ----------
    name : str
        The outcome.
    lead : Estimate or None
        By the lead estimator.
    others : tuple of Estimate
        By other adjusted estimators.
    scale : float
        What a unit of it is in units of the primary outcome.
    """

    name: str
    lead: Estimate | None
    others: tuple[Estimate, ...]
    scale: float = 1.0


@dataclass(frozen=True)
class Rival:
    """Another analysis of the same outcome.

    Attributes
    ----------
    name : str
        The estimator, the trimming or the model.
    value : float
        Its estimate.
    difference : Estimate or None
        It less the lead estimate, with the error of that difference; None where it estimates
        something else, so that only its sign counts.
    """

    name: str
    value: float
    difference: Estimate | None


@dataclass(frozen=True)
class Evidence:
    """What is known of one outcome in one group.

    Attributes
    ----------
    lead : Estimate or None
        The lead estimate.
    level : float
        Of the plan.
    placebos : tuple of Placebo
        All placebo outcomes of the plan.
    estimators, trims, models : tuple of Rival
        Other estimators; the lead with other trimming, and with another model of the
        probability of treatment.
    hidden : tuple of str, or None
        Covariates as strong as which a hidden factor would take the estimate to none, the
        strongest first; None where nothing can tell.
    refuters : tuple of str
        Those that warn.
    pre_trend, attrition, unclosed, contradicted : bool
        Trends differ before the start; the arms differ in who has the outcome; the covariates
        leave backdoor paths open; the data contradict the graph.
    unlike, trimmed : bool
        More than 10 per cent of the treated are outside the common support; are trimmed.
    unbalanced : tuple of str
        Covariates that differ by more than 0.1 standard deviations after weighting.
    few : bool
        The weights are worth few persons, or one has much of them.
    """

    lead: Estimate | None
    level: float = 0.95
    placebos: tuple[Placebo, ...] = ()
    estimators: tuple[Rival, ...] = ()
    trims: tuple[Rival, ...] = ()
    models: tuple[Rival, ...] = ()
    hidden: tuple[str, ...] | None = None
    refuters: tuple[str, ...] = ()
    pre_trend: bool = False
    attrition: bool = False
    unclosed: bool = False
    contradicted: bool = False
    unlike: bool = False
    trimmed: bool = False
    unbalanced: tuple[str, ...] = ()
    few: bool = False


def judge(known: Evidence) -> tuple[Literal["robust", "fragile", "not assessed"], str]:
    """Return the verdict and its reasons, the most important first.

    Parameters
    ----------
    known : Evidence
        Of one outcome and group.

    Returns
    -------
    verdict : {"robust", "fragile", "not assessed"}
    reasons : str
        From `notes.NOTES`, joined by "; ".

    Notes
    -----
    *Not assessed* is a finding without a lead estimate, and one of which nothing failed but of
    which nothing could have failed either: no placebo outcome, placebo outcomes whose intervals
    hold a bias as large as the effect, no analysis of hidden factors, or no second estimator.

    *Fragile* is a finding where any of this holds:

    1. a placebo outcome differs from zero: by the lead estimator at the level of the plan,
       shared among the placebo outcomes (Bonferroni); or by another adjusted estimator, shared
       among these as well, for a design that only one estimator can save is not saved;
    2. trends before the start differ, where there is difference-in-differences;
    3. the interval of the lead holds zero: nothing is established, neither an effect nor
       its absence;
    4. another adjusted estimator, another trimming or another model of the probability gives
       the other sign, and is more than one error of the difference away from the lead; or it
       differs from the lead by more than chance can explain, by the error of the difference
       (which is small, for both rest on the same persons) and shared among those compared, and
       by more than a quarter of the lead, without which large studies would fail on trifles. The
       regression coefficient is of a mean of its own, so that of it the sign alone counts;
    5. a hidden factor as strong as an observed covariate, given the others, would take the
       estimate to none;
    6. a refuter warns;
    7. more than 10 per cent of the treated have no like, or are trimmed; covariates differ by
       more than 0.1 standard deviations after weighting; the weights are worth few persons;
    8. the covariates leave a backdoor path of the plan's graph open, or the data contradict it
       where that would matter for which covariates are enough;
    9. the arms differ in who has the outcome.

    *Robust* is what is left: a placebo outcome that could have shown a bias as large as the effect
    has not, and nothing of the above holds. Refuters that pass earn nothing, for they pass where
    hidden selection is gross.
    """
    if known.lead is None:
        return "not assessed", note("verdict_no_lead")
    reasons = _failures(known, known.lead)
    if reasons:
        return "fragile", joined(reasons)
    reasons = _untold(known, known.lead)
    if reasons:
        return "not assessed", joined(reasons)
    names = ", ".join(p.name for p in known.placebos if _could_tell(p, known.lead, known.level))
    return "robust", note("verdict_robust", names=names)


def _failures(known: Evidence, lead: Estimate) -> list[str]:
    level, found = known.level, []
    number = max(sum(p.lead is not None or bool(p.others) for p in known.placebos), 1)
    for placebo in known.placebos:
        by = [placebo.lead] if placebo.lead and placebo.lead.differs(level, number) else []
        by += [e for e in placebo.others if e.differs(level, number * len(placebo.others))]
        if by:
            names = ", ".join(e.name for e in by)
            found.append(note("verdict_placebo", names=placebo.name, estimator=names))
    if known.pre_trend:
        found.append(note("verdict_pre_trend"))
    settled = lead.differs(level)
    if not settled:  # then there is no sign to change, and nothing to undo
        found.append(note("verdict_unsettled"))
    for kind, rivals in (
        ("estimators", known.estimators),
        ("trims", known.trims),
        ("models", known.models),
    ):
        found += _rivals(kind, rivals, lead, level, settled)
    if known.hidden and settled:
        names = ", ".join(known.hidden[:NAMED])
        found.append(note("verdict_hidden", names=names))
    if known.refuters:
        found.append(note("verdict_refuted", names=", ".join(known.refuters)))
    if known.unlike:
        found.append(note("verdict_unlike"))
    if known.trimmed:
        found.append(note("verdict_trimmed"))
    if known.unbalanced:
        found.append(note("verdict_unbalanced", names=", ".join(known.unbalanced[:NAMED])))
    flags = {"few": known.few, "unclosed": known.unclosed, "contradicted": known.contradicted}
    flags["attrition"] = known.attrition
    return found + [note(f"verdict_{name}") for name, holds in flags.items() if holds]


def _rivals(
    kind: str, rivals: Sequence[Rival], lead: Estimate, level: float, settled: bool
) -> list[str]:
    """Return what other analyses say against the lead."""
    signs = [
        r.name
        for r in rivals
        if settled
        and r.value * lead.value < 0
        and (r.difference is None or abs(r.difference.value) > r.difference.error)
    ]
    tests = max(sum(r.difference is not None for r in rivals), 1)
    apart = [
        r.name
        for r in rivals
        if r.difference is not None
        and r.difference.differs(level, tests)
        and abs(r.difference.value) > MATERIAL * abs(lead.value)
        and r.name not in signs
    ]
    key = "estimator" if kind == "estimators" else "names"
    found = []
    if signs:
        found.append(note(f"verdict_{kind}_sign", **{key: ", ".join(signs)}))
    if apart:
        found.append(note(f"verdict_{kind}_apart", **{key: ", ".join(apart)}))
    return found


def _untold(known: Evidence, lead: Estimate) -> list[str]:
    """Return what is lacking for a finding to be called robust."""
    assessed = [p for p in known.placebos if p.lead is not None]
    found = []
    if not known.placebos:
        found.append(note("verdict_no_placebo"))
    elif not assessed:
        found.append(note("verdict_placebo_missing"))
    elif not any(_could_tell(p, lead, known.level) for p in assessed):
        names = ", ".join(p.name for p in assessed)
        found.append(note("verdict_placebo_weak", names=names))
    if known.hidden is None:
        found.append(note("verdict_no_hidden"))
    if not known.estimators:
        found.append(note("verdict_one_estimator"))
    return found


def _could_tell(placebo: Placebo, lead: Estimate, level: float) -> bool:
    """Tell whether a placebo's interval excludes a bias as large as the effect, either way."""
    if placebo.lead is None or not placebo.lead.error > 0:
        return False
    low, high = placebo.lead.interval(level)
    return max(abs(low), abs(high)) * placebo.scale < abs(lead.value)
