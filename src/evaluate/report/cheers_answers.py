"""What the plan and the released tables answer to the items of CHEERS 2022, in words."""

from __future__ import annotations

from collections.abc import Callable

from evaluate.costs.records import PUBLIC, has_records
from evaluate.costs.reporting_facts import months_of
from evaluate.plan.closed import code_text
from evaluate.plan.costs import Costs
from evaluate.report import cost_sentences, summary
from evaluate.report.released import Released, records
from evaluate.report.words import Words


def _costs(released: Released) -> Costs:
    costs = released.plan.costs
    assert costs is not None  # without costs there is no checklist
    return costs


def _titles(released: Released, words: Words) -> dict[str, str]:
    """Return the names of the outcomes that cost is set against."""
    return {name: released.title(name, words.language) for name in _costs(released).outcomes}


def _has(released: Released, table: str) -> bool:
    return len(getattr(released, table, ())) > 0


def _figure(value: float, words: Words) -> str:
    return words.number(value, 0 if float(value).is_integer() else 2)


def _title(released: Released, words: Words) -> list[str]:
    title = getattr(released.plan.title, words.language)
    return [words("cheers.title", title=title, subtitle=words("page.subtitle"))]


def _summary(released: Released, words: Words) -> list[str]:
    return [words("cheers.summary")]


def _analysis_plan(released: Released, words: Words) -> list[str]:
    plan = released.provenance["plan"]
    return [words("cheers.plan", path=plan["path"], sha=plan["sha256"])]


def _population(released: Released, words: Words) -> list[str]:
    found = [summary.lead(released, words)]
    if criteria := released.plan.eligibility:
        found.append(words("trial.criteria", criteria="; ".join(criteria)))
    return [*found, words("cheers.balance")] if released.plan.covariates else found


def _comparators(released: Released, words: Words) -> list[str]:
    protocol = released.plan.protocol
    return [protocol.item("strategies", words.language)] if protocol else []


def _perspective(released: Released, words: Words) -> list[str]:
    """Name the payers that count, where records tell them."""
    found = [words("cheers.public")]
    if has_records(released.plan):
        payers = ", ".join(words(f"costs.payers.{payer}") for payer in PUBLIC)
        found.append(words("cheers.payers", payers=payers))
    return found + _of_tables(released, words, "accounts")


def _time_horizon(released: Released, words: Words) -> list[str]:
    found = []
    for name, title in _titles(released, words).items():
        months = months_of(released.plan, name)
        told = {"first": months[0], "last": months[-1], "month": released.month(name)}
        found.append(words("cheers.months", outcome=title, **told))
    if _has(released, "cost_benefit"):
        for b in _costs(released).benefits:
            outcome = released.title(b.outcome, words.language)
            found.append(words("cheers.years", outcome=outcome, years=_figure(b.years, words)))
    return found


def _discount_rate(released: Released, words: Words) -> list[str]:
    if not _has(released, "cost_benefit"):
        return [words("cheers.not_discounted")]
    costs = _costs(released)
    found = [words("cheers.discounted", rate=words.percent(costs.discount_rate))]
    for b in costs.benefits:
        if b.discount_rate is not None:
            outcome = released.title(b.outcome, words.language)
            rate = words.percent(b.discount_rate)
            found.append(words("cheers.discounted_benefit", outcome=outcome, rate=rate))
    return found


def _outcomes(released: Released, words: Words) -> list[str]:
    roles = {n: words(f"role.{released.plan.outcomes[n].role}") for n in _costs(released).outcomes}
    told = [f"{title} ({roles[name]})" for name, title in _titles(released, words).items()]
    return [words("cheers.outcomes", outcomes=", ".join(told))]


def _measurement(released: Released, words: Words) -> list[str]:
    """Say from what each outcome is read: states of spells, incomes, columns."""
    found = []
    for name, title in _titles(released, words).items():
        stated = released.plan.outcomes[name]
        if stated.spells is not None:
            states = ", ".join(map(code_text, stated.spells))
            how = words(f"cheers.measure.{stated.measure}", states=states)
        elif stated.incomes is not None:
            how = words("cheers.measure.incomes", column=stated.incomes)
        else:
            columns = [stated.column] if stated.column else list((stated.columns or {}).values())
            how = words("cheers.measure.columns", columns=", ".join(map(str, columns)))
        found.append(words("cheers.measured", outcome=title, how=how))
    return found


def _valuation(released: Released, words: Words) -> list[str]:
    """Say that outcomes keep their units, and where one has a worth in money."""
    costs, found = _costs(released), []
    for name, title in _titles(released, words).items():
        unit = released.unit(name, words.language)
        kind = "person" if unit == "share" else "unit"
        found.append(words(f"cheers.natural_{kind}", outcome=title, unit=unit))
    if _has(released, "cost_benefit"):
        for b in costs.benefits:
            told = {"times": _figure(b.times_per_year, words), "rate": _figure(b.exchange, words)}
            outcome = released.title(b.outcome, words.language)
            found.append(words("cheers.exchanged", outcome=outcome, **told))
    for name, value in released.plan.analysis.targeting.value.items():
        worth = words.money(value, f"{costs.currency} {costs.price_year}")
        outcome = released.title(name, words.language)
        found.append(words("cheers.worth", outcome=outcome, worth=worth))
    return found


def _resources(released: Released, words: Words) -> list[str]:
    costs = _costs(released)
    if has_records(released.plan):
        return [words("cheers.records")]
    return [words("cheers.recorded") if costs.column else words(f"cheers.figure_{costs.per}")]


def _currency(released: Released, words: Words) -> list[str]:
    costs = _costs(released)
    found = [words("cheers.currency", currency=costs.currency, year=costs.price_year)]
    moved = cost_sentences.prices(released, words)
    return [*found, moved or words("cheers.not_moved")]


def _model(released: Released, words: Words) -> list[str]:
    return [words("cheers.projected" if _has(released, "cost_benefit") else "cheers.no_model")]


def _analysis(released: Released, words: Words) -> list[str]:
    level = words.percent(released.plan.analysis.level)
    lead = words(f"estimator.{released.lead}")
    return [words("cheers.analysis", estimator=lead, level=level)]


def _heterogeneity(released: Released, words: Words) -> list[str]:
    found = []
    if _has(released, "cost_effectiveness") and released.plan.columns.both_genders:
        found.append(words("cheers.by_gender"))
    return found + _of_tables(released, words, "heterogeneity")


def _distributional_effects(released: Released, words: Words) -> list[str]:
    return _of_tables(released, words, "gap", "accounts")


def _uncertainty(released: Released, words: Words) -> list[str]:
    """Say what intervals hold, and that a cost that is a total has no sampling error."""
    found = [words("costs.lead_fieller")]
    costs = _costs(released)
    if has_records(released.plan) or costs.column is None:
        found.append(words("cheers.no_sampling"))
    return found + _of_tables(released, words, "acceptability", "cost_sensitivity")


def _inputs(released: Released, words: Words) -> list[str]:
    return _of_tables(released, words, "costs", "cost_effectiveness")


def _results(released: Released, words: Words) -> list[str]:
    """Say the cost of one more unit of each outcome, for all, in each arm."""
    table, several = released.cost_effectiveness, len(released.offered) > 1
    found = []
    for outcome in _costs(released).outcomes:
        month = released.month(outcome)
        rows = table[(table["outcome"] == outcome) & (table["group"] == "all")]
        rows = rows[rows["month"].isna() if month is None else rows["month"] == month]
        for row in records(rows.drop_duplicates("arm")):
            of = f"{released.arm_title(row['arm'], words)}, " if several else ""
            found.append(cost_sentences.icer(row, released, words, of))
    return found + _of_tables(released, words, "cost_benefit")


def _effect_of_uncertainty(released: Released, words: Words) -> list[str]:
    return _of_tables(released, words, "cost_sensitivity")


def _of_tables(released: Released, words: Words, *names: str) -> list[str]:
    """Say what the tables that have rows tell."""
    return [words(f"cheers.table.{name}") for name in names if _has(released, name)]


ANSWERS: dict[str, Callable[[Released, Words], list[str]]] = {
    "title": _title,
    "summary": _summary,
    "analysis_plan": _analysis_plan,
    "population": _population,
    "comparators": _comparators,
    "perspective": _perspective,
    "time_horizon": _time_horizon,
    "discount_rate": _discount_rate,
    "outcomes": _outcomes,
    "measurement": _measurement,
    "valuation": _valuation,
    "resources": _resources,
    "currency": _currency,
    "model": _model,
    "analysis": _analysis,
    "heterogeneity": _heterogeneity,
    "distributional_effects": _distributional_effects,
    "uncertainty": _uncertainty,
    "inputs": _inputs,
    "results": _results,
    "effect_of_uncertainty": _effect_of_uncertainty,
}
"""By item, what to say where there are facts; the other items have none."""
