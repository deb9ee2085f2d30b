"""What an observational plan must say, and what it cannot ask for; and what no other plan can."""

from __future__ import annotations

from collections.abc import Iterator

from evaluate.plan.assignment import Assignment
from evaluate.plan.model import Plan
from evaluate.plan.observational import Protocol

OF_LOTTERIES = {
    "blocks": "nobody was drawn within blocks. Name these columns among the covariates",
    "takeup": "the treated are those who took part. Name in columns.treatment who did",
    "accepted": "nobody was offered anything by lot. Name in columns.treatment who took part",
    "wave": "no lottery was repeated. For starts in several months see risk_sets",
}


def observational_faults(plan: Plan) -> Iterator[str]:
    """Find what a plan lacks, or has too much of, by whether a lottery decided.

    Yields
    ------
    str
        Key, reason and what to do.
    """
    if not plan.is_observational:
        for key in ("protocol", "graph", "risk_sets", "negative_controls"):
            if getattr(plan, key) not in (None, {}):
                yield (
                    f"{key}: is of observational studies, and the design is {plan.design}. Leave "
                    "it out; or, if nobody drew who was treated, write `design: observational`."
                )
        return
    if plan.protocol is None:
        yield (
            "protocol: missing, and required for design: observational. State the trial that the "
            f"study imitates: {', '.join(Protocol.model_fields)}, each in words."
        )
    for name, why in OF_LOTTERIES.items():
        if getattr(plan.columns, name):
            yield f"columns.{name}: is of lotteries, and in an observational study {why}."
    if plan.assignment != Assignment():
        yield (
            "assignment: is of lotteries; in an observational study the probability of treatment "
            "is estimated, see analysis.propensity. Leave it out."
        )
    if plan.data.assignment is not None:
        yield (
            "data.assignment: holds what a lottery drew. Put the treatment, and the day of the "
            "start, into the participants."
        )
    if not plan.covariates:
        yield (
            "covariates: none, and required for design: observational. Without them the treated "
            "are compared as they are with others, which says nothing of the programme."
        )
    for name in plan.negative_controls:
        if name == plan.columns.treatment.column:
            yield (
                f"negative_controls.{name}: is columns.treatment. Name a column that tells groups "
                "of comparison persons apart."
            )
    yield from _analysis(plan)
    yield from _time_zero(plan)
    yield from _risk_sets(plan)


def _analysis(plan: Plan) -> Iterator[str]:
    """Find choices of the analysis that need what is not there."""
    analysis, names = plan.analysis, [c.column for c in plan.covariate_list]
    if plan.estimators[0] == "did":
        yield (
            "analysis.estimators: did cannot lead, for its effects are by month of start and "
            "stand in event_study.csv alone. Name another first, such as [aipw, did]."
        )
    if "did" in plan.estimators:
        if plan.columns.started is None or plan.columns.day_zero is None:
            yield (
                "analysis.estimators: did compares months of start. Name columns.started, and "
                "the day from which months are counted (columns.offered, or time_zero: started)."
            )
        if not any(_spans(plan, key) for key in plan.outcomes):
            yield (
                "analysis.estimators: did needs an outcome with months before and after the "
                "start, such as `months: [-12, 18]` of spells or incomes, or columns by month."
            )
        if plan.risk_sets is not None:
            yield (
                "analysis.estimators: did takes each person once, and with risk_sets a person has "
                "several rows. Leave out one of them, or write a programme file for each."
            )
    if analysis.interval == "wild_bootstrap" and plan.columns.clustered:
        yield "analysis.interval: wild_bootstrap is of lotteries among clusters. Leave it out."
    if analysis.propensity.within_gender and not plan.columns.both_genders:
        yield "analysis.propensity.within_gender: needs women and men in columns.gender."
    for name in analysis.matching.exact:
        if name not in [*names, "gender"]:
            yield (
                f"analysis.matching.exact: `{name}` is neither `gender` nor a covariate. "
                f"Covariates: {', '.join(names) or 'none'}."
            )


def _spans(plan: Plan, key: str) -> bool:
    months = [c.month for c in plan.outcome_columns if c.outcome == key and c.month is not None]
    return bool(months) and min(months) < 1 <= max(months)


def _time_zero(plan: Plan) -> Iterator[str]:
    """Find outcomes from before time zero that are not said to be placebos."""
    if plan.columns.day_zero is None:
        for c in plan.covariate_list:
            if c.measured is not None:
                yield (
                    f"covariates.{c.column}.measured: is compared with time zero. Name the column "
                    "with that day, columns.offered, or columns.started with time_zero: started."
                )
    for key, outcome in plan.outcomes.items():
        months = [c.month for c in plan.outcome_columns if c.outcome == key and c.month is not None]
        before = [m for m in months if m < 1]
        if outcome.role == "placebo" or not before:
            continue
        if len(before) < len(months) and "did" in plan.estimators:
            if outcome.role == "primary" and (outcome.primary_month or 0) < 1:
                yield (
                    f"outcomes.{key}: has months before time zero. Name its primary_month, one "
                    "after time zero."
                )
            continue
        yield (
            f"outcomes.{key}: month {before[0]} is before time zero, and an outcome comes after "
            "it. Name the months before as an outcome of its own with `role: placebo`"
            + (" and the covariates to leave out (`without`)." if plan.covariates else ".")
        )


def _risk_sets(plan: Plan) -> Iterator[str]:
    """Find what the drawing of comparison persons cannot do without."""
    sets, columns = plan.risk_sets, plan.columns
    if sets is None:
        return
    if columns.person is None:
        yield "risk_sets: a person may be drawn in several months. Name columns.person, its key."
    if columns.started is None or columns.time_zero != "started":
        yield (
            "risk_sets: comparison persons are drawn on the days on which others start. Name "
            "columns.started and write `time_zero: started`."
        )
    if columns.offered is not None:
        yield (
            "risk_sets: columns.offered is a day that everybody has, and comparison persons get "
            "theirs by being drawn. Leave it out."
        )
    if sets.until is not None and sets.until in [c.column for c in plan.covariate_list]:
        yield f"covariates: `{sets.until}` is risk_sets.until, what came after time zero."
