"""The report of one programme as one self-contained page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from evaluate.io import write_text
from evaluate.plan.config import Language
from evaluate.plan.model import Plan
from evaluate.plan.support import unused
from evaluate.report import figures, summary
from evaluate.report.released import Released, read_released
from evaluate.report.words import Words
from evaluate.study import GAP

TEMPLATES = Path(__file__).parent / "templates"
CHAPTERS = (
    "summary", "data", "design", "effects", "heterogeneity", "costs", "method", "limits",
    "provenance",
)  # fmt: skip


def render(template: str, **context: Any) -> str:
    """Fill in a template; a name that it lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["present"] = lambda value: not pd.isna(value)
    return environment.get_template(template).render(**context)


def write_report(
    plan: Plan, results: Path, language: Language, languages: list[Language], path: Path
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
    """
    released, words = read_released(plan, results, language), Words(language)
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
        level=summary.percent(plan.analysis.level, words),
        reconciliation=_reconciliation(released, words),
        method=method(released, words),
        limits=limits(released, words),
        outcomes=_outcomes(released),
        gap=GAP,
    )
    write_text(page, path)


def _outcomes(released: Released) -> list[tuple[str, int | None]]:
    """Return the outcomes with the month that stands for each, by role."""
    order = {"primary": 0, "secondary": 1, "placebo": 2}
    keys = sorted(released.plan.outcomes, key=lambda k: order[released.plan.outcomes[k].role])
    return [(key, released.month(key)) for key in keys]


def _figures(released: Released, words: Words) -> dict[Any, str]:
    """Draw the figures; a key that is not there has nothing to show."""

    def label(kind: str, **values: object) -> str:
        return words(f"figure.label.{kind}", **values)

    drawn: dict[Any, str] = {
        "flow": figures.flow_chart(
            released.flow,
            words,
            label=label("flow"),
            reason=words.reason,
            arms=_arm_names(released, words),
        )
    }
    if len(released.balance):
        named = released.balance["covariate"].map(words.covariate)
        balance = released.balance.assign(covariate=named)
        drawn["love"] = figures.love_plot(balance, words, label=label("love"))
    for outcome, month in _outcomes(released):
        title = summary.outcome_title(released, words, outcome, month)
        for arm in released.contrasts:
            chosen = {"arm": arm, "estimand": "itt", "estimator": released.lead}
            rows = released.rows(outcome, month, **chosen)
            exploratory = rows["group"].str.contains("=")
            forest = label("forest", outcome=f"{title}, {arm}")
            drawn["forest", outcome, arm] = figures.forest_plot(
                rows[~exploratory], words, label=forest
            )
            if exploratory.any():
                groups = rows[exploratory | (rows["group"] == "all")]
                drawn["groups", outcome, arm] = figures.forest_plot(groups, words, label=forest)
            if month is not None:
                path = label("path", outcome=f"{title}, {arm}")
                rows = released.all_months(outcome, **chosen)
                drawn["path", outcome, arm] = figures.path_plot(rows, words, label=path)
    return drawn | _planes(released, words)


def _arm_names(released: Released, words: Words) -> dict[str, str]:
    """Name the arms of a programme with one offer; several arms keep their codes."""
    codes = [c.removeprefix("arm=") for c in released.arm_columns]
    names = [words("figure.control"), words("figure.treated")]
    if len(codes) != 2:
        return {}
    return {code: f"{name} ({code})" for code, name in zip(codes, names, strict=True)}


def _planes(released: Released, words: Words) -> dict[Any, str]:
    """Draw cost against effect, per participant where the table has that."""
    costs = released.plan.costs
    drawn: dict[Any, str] = {}
    for outcome in costs.outcomes if costs else []:
        for arm in released.arms:
            rows = cost_rows(released, outcome, arm)
            rows = rows[rows["denominator"] == rows["denominator"].iloc[0]]
            if costs and rows["effect"].notna().any():
                title = f"{released.title(outcome, words.language)}, {arm}"
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
    table, month = released.cost_effectiveness, released.month(outcome)
    table = table[(table["outcome"] == outcome) & (table["arm"] == arm)]
    return table[table["month"].isna() if month is None else table["month"] == month]


def _reconciliation(released: Released, words: Words) -> str:
    flow = released.flow
    by_step = {
        step: flow.loc[flow["step"] == step, "n"] for step in ("received", "excluded", "included")
    }
    if any(n.isna().any() for n in by_step.values()):
        return words("data.withheld_flow")
    return words(
        "data.reconciles", **{step: words.number(n.sum(), 0) for step, n in by_step.items()}
    )


def method(released: Released, words: Words) -> list[str]:
    """Say how the numbers were made."""
    plan = released.plan
    found = [words("method.design", estimator=words(f"estimator.{released.lead}"))]
    if plan.columns.blocks:
        found.append(words("method.blocks", blocks=", ".join(plan.columns.blocks)))
    for estimator in plan.estimators:
        kind = words(f"kind.{plan.analysis.std_error_of(estimator)}")
        found.append(words(f"method.{estimator}", kind=kind))
    if plan.covariates:
        names = ", ".join(c.column for c in plan.covariate_list)
        found.append(words("method.covariates", names=names))
        found.append(
            words(
                "method.imputed"
                if plan.analysis.missing_covariates == "impute"
                else "method.dropped"
            )
        )
        draws = words.number(plan.analysis.permutations, 0)
        key = "permutation_blocks" if plan.columns.blocks else "permutation"
        found.append(words(f"method.{key}", draws=draws))
    if plan.columns.weight:
        found.append(words("method.weights", weight=plan.columns.weight))
    if plan.columns.takeup:
        found.append(words("method.wald"))
    if plan.columns.both_genders:
        found.append(words("method.gap"))
        if plan.analysis.slopes == "shared":
            found.append(words("method.gap_shared"))
    found.append(words("method.missing_outcomes"))
    if plan.costs:
        found.append(words("method.fieller"))
    return found


def limits(released: Released, words: Words) -> list[str]:
    """Say what a reader must not read into the numbers."""
    plan, rows = released.plan, len(released.disclosure["withheld"])
    least = released.disclosure["min_cell"]
    analysed = released.flow.loc[released.flow["step"] == "analysed", "n"]
    included = released.flow.loc[released.flow["step"] == "included", "n"]
    stated = {
        "simulated": plan.simulated,
        "short": True,
        "displacement": True,
        "no_takeup": plan.columns.takeup is None,
        "gender_mixed": released.mixes_gender,
        "attrition": bool((analysed.dropna() < included.dropna().sum()).any()),
        "cost_figure": bool(plan.costs and plan.costs.amount is not None),
        "multiplicity": True,
        "not_locked": True,
    }
    found = [words(f"limits.{key}") for key, holds in stated.items() if holds]
    if rows:
        found.append(words("limits.withheld", n=rows, min=least))
    else:
        found.append(words("limits.nothing_withheld", min=least))
    if keys := unused(plan):
        found.append(words("limits.unused", keys=", ".join(keys)))
    return found
