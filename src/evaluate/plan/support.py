"""What a programme file may ask for that this version does not do, said before anything runs."""

from __future__ import annotations

import difflib

from evaluate.errors import PlanError
from evaluate.plan.closed import code_text
from evaluate.plan.heterogeneity_support import heterogeneity_faults
from evaluate.plan.model import Plan
from evaluate.plan.observational_support import observational_faults

DESIGNS = ("randomised", "observational")
ESTIMATORS = {
    "randomised": ("difference_in_means", "fixed_effects", "ancova", "lin"),
    "observational": (
        "aipw", "matching", "entropy_balancing", "ipw", "regression", "lin", "did",
        "difference_in_means",
    ),
}  # fmt: skip
OF_PERSONS = ("neyman", "classical", "HC0", "HC1", "HC2", "HC3")
OF_CLUSTERS = ("CR0", "CR1", "CR2")
FORMATS = (".csv", ".txt", ".tsv", ".xlsx", ".parquet", ".dta", ".sas7bdat", ".sav")


def unsupported(plan: Plan) -> list[PlanError]:
    """List what would change the numbers and is not there yet; none of it may be ignored."""
    found = []
    if plan.design not in DESIGNS:
        found.append(f"design: {plan.design} is not available yet; {' and '.join(DESIGNS)} are.")
    for name, table in plan.data.tables.items():
        if table.path is not None and not table.path.lower().endswith(FORMATS):
            found.append(f"data.{name}.path: {table.path}: read are {', '.join(FORMATS)}.")
    found += observational_faults(plan)
    found += heterogeneity_faults(plan)
    found += _not_stated(plan)
    found += _units_and_errors(plan)
    available = ESTIMATORS.get(plan.design, plan.estimators)
    for estimator in plan.estimators:
        if estimator not in available:
            found.append(
                f"analysis.estimators: {estimator} is not available for {plan.design} "
                f"designs; {', '.join(available)} are."
            )
    found += _costs(plan)
    return [PlanError(text) for text in found]


def _costs(plan: Plan) -> list[str]:
    """Find costs without any source, and hours without price, or prices without hours."""
    costs, data = plan.costs, plan.data
    if costs is None:
        return []
    found, of_tables = [], costs.amount is None and not costs.column
    if of_tables and not (data.costs or data.time_reports):
        found.append("costs: name amount, column, or the tables data.costs or data.time_reports.")
    if of_tables and data.time_reports and not costs.roles:
        found.append(
            "costs.roles: data.time_reports has hours, and no role has a price. Name what an hour "
            "of each costs: `caseworker: {wage_cost: 412}`."
        )
    if costs.roles and not data.time_reports:
        found.append(
            "costs.roles: there are no hours to price. Name the table data.time_reports, or leave "
            "the roles out."
        )
    return found


def _units_and_errors(plan: Plan) -> list[str]:
    """Find standard errors of other units than those assigned, and waves in two tables."""
    found, kind, columns = [], plan.analysis.std_error, plan.columns
    if columns.clustered and kind in OF_PERSONS:
        what = (
            "clusters were assigned (columns.cluster)"
            if columns.cluster
            else "a person may be in several waves (columns.wave)"
            if columns.wave
            else "a person may be drawn in several months (risk_sets)"
        )
        found.append(
            f"analysis.std_error: {kind} takes persons as assigned one by one, but {what}. "
            f"Name one of {', '.join(OF_CLUSTERS)}, or leave it out: CR2."
        )
    if plan.analysis.interval == "wild_bootstrap" and not columns.clustered:
        found.append(
            "analysis.interval: wild_bootstrap is for clusters, and columns.cluster names none. "
            "Name the column, or leave it out."
        )
    if not columns.clustered and kind in OF_CLUSTERS:
        found.append(
            f"analysis.std_error: {kind} is for clusters, and columns.cluster names none. Name "
            f"the column, or one of {', '.join(OF_PERSONS)}, or leave it out: HC2."
        )
    if columns.wave and plan.data.assignment:
        found.append(
            "data.assignment: with columns.wave the offers stand in the participants, one row for "
            "each person in each wave. Name that table under data.participants."
        )
    return found


def _not_stated(plan: Plan) -> list[str]:
    """Find what linked tables need to be told and no default can tell."""
    found, data = [], plan.data
    for name, table in data.linked.items():
        if name != "assignment" and data.extract_of(table) is None:
            found.append(
                f"data.{name}: name `extract_date`, there or under data: the last day that the "
                "table covers. What comes after it is missing, not zero."
            )
    if (data.linked or data.keys) and plan.columns.person is None:
        found.append("columns.person: linked tables need the key of a person.")
    counted = data.activities or any(o.is_linked for o in plan.outcomes.values())
    if counted and plan.columns.day_zero is None:
        found.append(
            f"columns.{plan.columns.time_zero}: name the column with the day from which the "
            "months of spells, incomes and activities are counted."
        )
    before = [key for key, o in plan.outcomes.items() if o.months and o.months[0] < 1]
    for name in ("spells", "incomes"):
        table = getattr(data, name)
        of_table = [
            k for k in before if (plan.outcomes[k].spells is not None) == (name == "spells")
        ]
        if table is not None and of_table and data.coverage_of(table) is None:
            found.append(
                f"data.{name}: name `coverage`, there or under data: the first day that the table "
                f"covers. outcomes.{of_table[0]} has months before time zero."
            )
    states = data.spells.states if data.spells else {}
    for key, outcome in plan.outcomes.items():
        listed = {code_text(c) for codes in states.values() for c in codes}
        for code in outcome.spells or []:
            name = str(code)
            near = difflib.get_close_matches(name, states, n=1)
            if near and name not in states and code_text(code) not in listed:
                found.append(
                    f"outcomes.{key}.spells: `{name}` is neither a state nor a code of "
                    f"data.spells.states. Did you mean `{near[0]}`?"
                )
    return found


def unused(plan: Plan) -> list[str]:
    """List keys that are read and checked but add nothing to this version's output."""
    of_lottery, named = not plan.is_observational, plan.analysis.model_fields_set
    costs = plan.costs
    has_figure = costs is not None and (costs.amount is not None or bool(costs.column))
    stated = {
        "protocol": of_lottery and plan.protocol is not None,
        "graph": of_lottery and plan.graph is not None,
        "analysis.propensity": of_lottery and "propensity" in named,
        "analysis.matching": of_lottery and "matching" in named,
        "doses": bool(plan.doses) and not plan.columns.both_genders,
        "data.costs": plan.data.costs is not None and (costs is None or has_figure),
        "data.time_reports": plan.data.time_reports is not None and (costs is None or has_figure),
        "costs.site": costs is not None and costs.site is not None and costs.amount is not None,
        "costs.claim": costs is not None
        and "claim" in costs.model_fields_set
        and all(role.unit_cost is None for role in costs.roles.values()),
        # figures and columns are taken to be in the currency and price year of the plan
        "costs.rates": costs is not None and has_figure and bool(costs.rates),
        "costs.price_index": costs is not None and has_figure and costs.price_index is not None,
        "costs.discount_rate": costs is not None
        and "discount_rate" in costs.model_fields_set
        and costs.accounts is None
        and all(b.discount_rate is not None for b in costs.benefits),
    }
    return [key for key, is_stated in stated.items() if is_stated]
