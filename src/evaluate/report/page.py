"""The report of one programme as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from evaluate.io import write_text
from evaluate.plan.columns import EXPOSED
from evaluate.plan.config import Language
from evaluate.plan.model import Plan
from evaluate.release import RELEASED
from evaluate.report import (
    acceptability_section,
    accounts_section,
    benefits_section,
    checks,
    cheers,
    contrasts,
    cost_sentences,
    cost_sites,
    dose,
    figures,
    inference,
    interference,
    missing,
    observational_page,
    participation,
    paths,
    power,
    registers,
    staff_hours,
    summary,
)
from evaluate.report.method import limits, method
from evaluate.report.released import Released, read_released
from evaluate.report.words import Words
from evaluate.study import GAP

TEMPLATES = Path(__file__).parent / "templates"
CHAPTERS = (
    "summary", "data", "design", "effects", "heterogeneity", "costs", "method", "limits",
    "provenance",
)  # fmt: skip


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["present"] = lambda value: not pd.isna(value)
    environment.filters["initial"] = lambda text: text[:1].upper() + text[1:]
    return environment


def render(template: str, **context: Any) -> str:
    """Fill in a template; a name that it lacks is an error."""
    return _environment().get_template(template).render(**context)


def write_report(
    plan: Plan,
    results: Path,
    language: Language,
    languages: list[Language],
    path: Path,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write the report of a programme in one language.

    Parameters
    ----------
    plan : Plan
        The programme file.
    results : Path
        The programme's folder under `results/`.
    language : {"en", "sv"}
        Language of this report.
    languages : list of {"en", "sv"}
        Languages that the report is written in.
    path : Path
        Where to write it.
    tables : mapping of str to DataFrame, optional
        As of `read_tables`, where another language has read them already.
    """
    released = read_released(plan, results, language, tables)
    words = Words(language, plan.design, plan.covariate_titles(language))
    page = render(
        "report.html.j2",
        r=released,
        w=words,
        plan=plan,
        title=getattr(plan.title, language),
        others=[(code, Words(code)("language")) for code in languages if code != language],
        chapters=CHAPTERS,
        summary=summary,
        cost_rows=cost_rows,
        figures=_figures(released, words),
        tables=RELEASED,
        **_registers(released, words),
        shown_groups=shown_groups,
        level=words.percent(plan.analysis.level),
        reconciliation=_reconciliation(released, words),
        method=method(released, words),
        limits=limits(released, words),
        outcomes=_outcomes(released),
        main_outcomes=[k for k, o in plan.outcomes.items() if o.role != "placebo"],
        primary_outcomes=summary.primary(plan),
        gap=GAP,
        paths=paths,
        checks=checks,
        cheers=cheers,
        contrasts=contrasts,
        arm_names=registers.arm_names(released, words),
        cost_sentences=cost_sentences,
        staff_hours=staff_hours,
        cost_sites=cost_sites,
        inference=inference,
        participation=participation,
        missing=missing,
        power=power,
        interference=interference,
        benefits=benefits_section.context(released, words),
        choices=acceptability_section.choices(released, words),
        accounts=accounts_section.context(released, words),
        **observational_page.context(released, words),
    )
    write_text(page, path)


def _registers(released: Released, words: Words) -> dict[str, Any]:
    """Return what chapter 1 tells of the linked tables."""
    seen = registers.observed(released, words)
    spells = [o for o in released.plan.outcomes.values() if o.spells is not None]
    months = released.states["month"]
    stands = [m for o in spells if (m := o.standing_month) in set(months)]
    return {
        "dose": dose,
        "totals": dose.totals(released, words),
        "cleaning": registers.cleaning(released, words),
        "books": registers.books(released, words),
        "extracts": registers.extracts(released, words),
        "observed": seen,
        "observed_sentences": registers.observed_sentence(released, seen, words),
        "numbers_of": lambda part: part.set_index(["month", "arm", "group"])["n"].to_dict(),
        "shares_of": lambda part: part.set_index(["state", "arm", "group"])["share"].to_dict(),
        "states": registers.state_names(released, words),
        "states_month": stands[0] if stands else months.max(),
        "arms": registers.arm_names(released, words),
        "table_title": registers.table_title,
    }


def shown_groups(table: pd.DataFrame, everybody: bool = False) -> list[str]:
    """Return the groups that a table shows side by side: women and men, or all."""
    known = [g for g in ("all", "women", "men", GAP) if g in set(table["group"])]
    if everybody:
        return known
    return [g for g in known if g in ("women", "men")] or ["all"]


def _outcomes(released: Released) -> list[tuple[str, int | None]]:
    """Return the outcomes with the month that stands for each, by role."""
    order = {"primary": 0, "secondary": 1, "placebo": 2}
    keys = sorted(released.plan.outcomes, key=lambda k: order[released.plan.outcomes[k].role])
    return [(key, released.month(key)) for key in keys]


def _figures(released: Released, words: Words) -> dict[Any, str]:
    """Draw the figures; a key that is not there has nothing to show."""

    def label(kind: str, **values: object) -> str:
        return words(f"figure.label.{kind}", **values)

    flow, names = contrasts.in_few_boxes(released, words)
    drawn: dict[Any, str] = {
        "flow": figures.flow_chart(
            flow,
            words,
            label=label("flow"),
            reason=words.reason,
            arms=_arm_names(released, words) | names,
        )
    }
    if len(released.balance) and not released.plan.is_observational:
        named = released.balance["covariate"].map(words.covariate)
        balance = released.balance.assign(covariate=named)
        arms = contrasts.panels(released)
        titles = {arm: contrasts.short(released, arm, words) for arm in arms}
        balance = balance[balance["arm"].isin(arms)]
        paired = set(arms) > set(released.arms)
        drawn["love"] = figures.love_plot(
            balance, words, label=label("love"), titles=titles, paired=paired
        )
    drawn |= _by_month(released, words)
    for outcome, month in _outcomes(released):
        title = summary.outcome_title(released, words, outcome, month)
        for arm in contrasts.shown(released):
            chosen = {"arm": arm, "estimand": released.estimand, "estimator": released.lead}
            rows = released.rows(outcome, month, **chosen)
            forest = label("forest", outcome=contrasts.titled(released, title, arm, words))
            drawn["forest", outcome, arm] = figures.forest_plot(
                rows[~rows["group"].str.contains("=")], words, label=forest
            )
    drawn |= path_figures(released, words) | _planes(released, words)
    return drawn | observational_page.figures(released, words)


def _by_month(released: Released, words: Words) -> dict[Any, str]:
    """Draw who is observed, what they got and where they are, month by month."""

    def label(kind: str) -> str:
        return words(f"figure.label.{kind}")

    arms = registers.arm_names(released, words)
    drawn: dict[Any, str] = {}
    seen = registers.observed(released, words)
    if seen["n"].notna().any():
        drawn["observed"] = figures.observed_plot(seen, words, arms=arms, label=label("observed"))
    got = dose.by_month(released, words)
    if got["mean"].notna().any():
        drawn["dose"] = figures.dose_plot(got, words, arms=arms, label=label("dose"))
    if released.states["share"].notna().any():
        names = registers.state_names(released, words)
        drawn["states"] = figures.states_plot(
            released.states, words, states=names, arms=arms, label=label("states")
        )
    return drawn


def path_figures(released: Released, words: Words) -> dict[Any, str]:
    """Draw paths and incidence by outcome and arm; waves that are one month have no path."""
    drawn: dict[Any, str] = {}
    plots = {"path": figures.path_plot, "incidence": figures.incidence_plot}
    for kind, table in (("path", released.paths), ("incidence", released.incidence)):
        table = table[table["arm"].isin(contrasts.shown(released))]
        for (outcome, arm), rows in table.groupby(["outcome", "arm"], sort=False):
            title = released.title(str(outcome), words.language)
            title = contrasts.titled(released, title, str(arm), words)
            shown = words(f"figure.label.{kind}", outcome=title)
            sides = released.sides(str(arm), words)
            drawn[kind, outcome, arm] = plots[kind](rows, words, label=shown, sides=sides)
    return drawn


def _arm_names(released: Released, words: Words) -> dict[str, str]:
    """Name the arms of a programme with one offer; several arms keep their codes."""
    if len(released.offered) != 1:
        return {}
    names = registers.arm_names(released, words)
    return {code: name if code == EXPOSED else f"{name} ({code})" for code, name in names.items()}


def _planes(released: Released, words: Words) -> dict[Any, str]:
    """Draw cost against effect, per participant where the table has that."""
    costs = released.plan.costs
    drawn: dict[Any, str] = {}
    for outcome in costs.outcomes if costs else []:
        for arm in released.arms:
            rows = cost_rows(released, outcome, arm)
            rows = rows[rows["denominator"] == rows["denominator"].iloc[0]]
            if costs and rows["effect"].notna().any():
                title = released.title(outcome, words.language)
                title = contrasts.titled(released, title, arm, words)
                drawn["plane", outcome, arm] = figures.cost_plane(
                    rows,
                    words,
                    costs.currency,
                    released.unit(outcome, words.language),
                    label=words("figure.label.plane", outcome=title),
                )
    return drawn


def cost_rows(released: Released, outcome: str, arm: str) -> pd.DataFrame:
    """Return cost and effect of an outcome in the month that stands for it."""
    table, month = cost_sentences.lead(released.cost_effectiveness), released.month(outcome)
    table = table[(table["outcome"] == outcome) & (table["arm"] == arm)]
    return table[table["month"].isna() if month is None else table["month"] == month]


def _reconciliation(released: Released, words: Words) -> str:
    """Say that received less excluded is included; where that is withheld, the ends tell it."""
    flow = released.flow
    n = {step: flow.loc[flow["step"] == step, "n"].iloc[0] for step in ("received", "included")}
    if any(pd.isna(count) for count in n.values()):
        return words("data.withheld_flow")
    excluded = flow.loc[flow["step"] == "excluded", "n"]
    known = excluded.notna().all()
    added = flow.loc[flow["step"] == "added", "n"]  # persons drawn for several risk sets
    if added.isna().any():
        return words("data.withheld_flow")
    more = added.sum()
    n["excluded"] = excluded.sum() if known else n["received"] + more - n["included"]
    if more:
        n["added"] = more
    numbers = {step: words.number(k, 0) for step, k in n.items()}
    numbers["included"] = summary.counted(released, n["included"], words)
    told = words("data.reconciles_added" if more else "data.reconciles", **numbers)
    round_to = released.disclosure["round_to"]
    return told if round_to == 1 else f"{told} {words('data.rounded', n=round_to)}"
