"""What the gate let through, as the report reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from evaluate import schemas
from evaluate.design.default_estimators import as_estimated
from evaluate.io import read_csv
from evaluate.notes import NOTES
from evaluate.plan.columns import EXPOSED
from evaluate.plan.config import Language
from evaluate.plan.model import Plan
from evaluate.release import RELEASED
from evaluate.report.words import Words

WALD = NOTES["wald"].partition("{")[0]
PROGNOSIS = "prognosis:"  # before the outcome whose predicted values are compared like covariates


@dataclass(frozen=True)
class Released:
    """The released tables of one programme, with its plan.

    Attributes
    ----------
    plan : Plan
        The programme file.
    flow, cleaning, design_checks, balance, dose, states, effects, paths, incidence, bounds,
    heterogeneity, power, spillovers, net_effects, costs, costs_by_site, staff_hours,
    cost_effectiveness, acceptability, cost_benefit, accounts, cost_sensitivity,
    cheers : DataFrame
        As `schemas.released` has them by the same names.
    disclosure, provenance : dict
        What was withheld; where the numbers come from.
    """

    plan: Plan
    flow: pd.DataFrame
    cleaning: pd.DataFrame
    design_checks: pd.DataFrame
    balance: pd.DataFrame
    dose: pd.DataFrame
    states: pd.DataFrame
    effects: pd.DataFrame
    participation: pd.DataFrame
    compliers: pd.DataFrame
    paths: pd.DataFrame
    incidence: pd.DataFrame
    bounds: pd.DataFrame
    heterogeneity: pd.DataFrame
    power: pd.DataFrame
    spillovers: pd.DataFrame
    net_effects: pd.DataFrame
    costs: pd.DataFrame
    costs_by_site: pd.DataFrame
    staff_hours: pd.DataFrame
    cost_effectiveness: pd.DataFrame
    acceptability: pd.DataFrame
    cost_benefit: pd.DataFrame
    accounts: pd.DataFrame
    cost_sensitivity: pd.DataFrame
    propensity_models: pd.DataFrame
    overlap: pd.DataFrame
    propensity_histogram: pd.DataFrame
    population: pd.DataFrame
    graph: pd.DataFrame
    event_study: pd.DataFrame
    sensitivity: pd.DataFrame
    refutations: pd.DataFrame
    specifications: pd.DataFrame
    verdict: pd.DataFrame
    gap: pd.DataFrame
    conditional_effects: pd.DataFrame
    heterogeneity_tests: pd.DataFrame
    sorted_groups: pd.DataFrame
    sorted_profile: pd.DataFrame
    effect_distribution: pd.DataFrame
    policies: pd.DataFrame
    policy_tree: pd.DataFrame
    targeting_curve: pd.DataFrame
    cheers: pd.DataFrame
    disclosure: dict[str, Any]
    provenance: dict[str, Any]

    @cached_property
    def arms(self) -> list[str]:
        """Labels of the contrasts with control."""
        arms = dict.fromkeys(self.effects["arm"])
        pairs = {f"{a}-{b}" for a in arms for b in arms}
        return [a for a in arms if a not in pairs]

    @property
    def offered(self) -> list[str]:
        """Labels of the arms with an offer; who was beside them without one is not among them."""
        return [arm for arm in self.arms if arm != EXPOSED]

    def contrast(self, arm: str, words: Words) -> str:
        """Return what a contrast is called."""
        if arm not in self.arms:
            a, b = self.pair(arm)
            return words("effects.pair", a=a, b=b)
        if arm == EXPOSED:
            return words("effects.exposed")
        alone = EXPOSED in self.arms and len(self.offered) == 1
        return words("effects.offered" if alone else "effects.arm", arm=arm)

    def arm_title(self, arm: str, words: Words) -> str:
        """Return what an arm is called where each has a heading of its own."""
        beside_exposed = EXPOSED in self.arms and len(self.offered) == 1
        return self.contrast(arm, words) if beside_exposed else words("summary.arm", arm=arm)

    @property
    def arm_columns(self) -> list[str]:
        """Columns of the flow with the counts of each arm, control first."""
        return [c for c in self.flow.columns if c.startswith("arm=")]

    @cached_property
    def contrasts(self) -> list[str]:
        """Labels of all contrasts, those with control first."""
        return list(dict.fromkeys([*self.arms, *self.effects["arm"]]))

    @property
    def lead(self) -> str:
        """The estimator that the summary rests on."""
        return self.plan.estimators[0]

    @property
    def estimand(self) -> str:
        """What the lead estimator estimates."""
        return self.plan.lead_estimand

    def heading(self, arm: str, estimand: str, estimator: str, words: Words) -> str:
        """Return what rows of effects are: of what, and by which estimator."""
        of = words(f"estimand.{EXPOSED if arm == EXPOSED else estimand}")
        by = words(f"estimator.{estimator}")
        if self.plan.is_observational and estimator == "difference_in_means":
            of, by = by, words("raw.no_effect")
        return f"{of[:1].upper()}{of[1:]}, {by}"

    def withholds(self, table: str) -> bool:
        """Tell whether a row of a table is withheld."""
        return any(entry["table"] == table for entry in self.disclosure["withheld"])

    def role_of(self, column: str) -> str:
        """Return the role of a column of the outcomes table, such as `earnings@12`."""
        outcome, _, month = column.partition("@")
        return self.plan.outcomes[outcome].role_in(int(month) if month else None)

    def covariate_title(self, name: str, words: Words) -> str:
        """Return the name of a covariate, or of a prediction that is compared like one."""
        if name.startswith(PROGNOSIS):
            outcome = self.column_title(name.removeprefix(PROGNOSIS), words)
            return words("covariate.prognosis", outcome=outcome)
        own = {c.column for c in self.plan.covariate_list}
        if name == "men" and name not in own:
            return words.group(name).lower()  # gender, which is among the covariates of all
        if name in ("gender", "gender missing") and "gender" not in own:
            gender = words("covariate.gender")
            return gender if name == "gender" else words("covariate.missing", name=gender)
        return words.covariate(name)

    def column_title(self, column: str, words: Words) -> str:
        """Return the name of a column of the outcomes table, with its month."""
        outcome, _, month = column.partition("@")
        title = self.title(outcome, words.language)
        return titled(title, int(month) if month else None, words)

    def unit(self, outcome: str, language: Language) -> str:
        """Return the unit of an outcome."""
        stated = self.plan.outcomes[outcome]
        return (stated.unit_title or {}).get(language, stated.unit)

    def title(self, outcome: str, language: Language) -> str:
        """Return the name of an outcome."""
        return (self.plan.outcomes[outcome].title or {}).get(language, outcome)

    def titles(self, outcomes: list[str], language: Language) -> str:
        """Return the names of some outcomes, as one text."""
        return ", ".join(self.title(outcome, language) for outcome in outcomes)

    def month(self, outcome: str) -> int | None:
        """Return the month that stands for an outcome."""
        return self.plan.outcomes[outcome].standing_month

    def stands(self, column: str) -> bool:
        """Tell whether a column of the outcomes table is that of the month that stands."""
        outcome, _, month = column.partition("@")
        return not month or int(month) == self.month(outcome)

    @property
    def main_flow(self) -> pd.DataFrame:
        """The flow, with the persons analysed in the months that stand for the outcomes."""
        other = [
            step == "analysed" and not self.stands(str(why))
            for step, why in zip(self.flow["step"], self.flow["reason"], strict=True)
        ]
        return self.flow[[not o for o in other]]

    def sides(self, arm: str, words: Words) -> tuple[str, str]:
        """Return what the two sides of a contrast are called."""
        if arm in self.arms:
            offered = words("effects.side", arm=arm)
            if len(self.offered) == 1:
                offered = words("figure.treated").lower()
            if arm == EXPOSED:
                offered = words("figure.exposed").lower()
            return offered, words("figure.control").lower()
        a, b = (words("effects.side", arm=code) for code in self.pair(arm))
        return a, b

    def pair(self, arm: str) -> tuple[str, str]:
        """Return the codes of the two arms that a contrast without control compares."""
        return next((a, b) for a in self.arms for b in self.arms if f"{a}-{b}" == arm)

    @property
    def has_shares(self) -> bool:
        """Whether clusters were drawn a share to be offered, which the checks have for arms."""
        return self.plan.assignment.saturation is not None

    @property
    def counts(self) -> str:
        """What a row is, and all numbers of persons count: ``persons``, ``waves``, ``entries``."""
        if self.plan.columns.wave is not None:
            return "waves"
        return "persons" if self.plan.risk_sets is None else "entries"

    @property
    def mixes_gender(self) -> bool:
        """Whether women and men were offered unequal shares, so that `all` mixes the two."""
        mark = NOTES["shares"].partition("{")[0]
        return bool(self.effects["note"].fillna("").str.contains(mark, regex=False).any())

    @property
    def equality(self) -> pd.DataFrame:
        """The tests of equal effects that a reader needs: no placebo, one month per outcome."""
        table = self.heterogeneity
        shown = [
            self.plan.outcomes[outcome].role != "placebo"
            and (pd.isna(month) or month == self.month(outcome))
            for outcome, month in zip(table["outcome"], table["month"], strict=True)
        ]
        return table[pd.Series(shown, index=table.index, dtype=bool)]

    def main_rows(self, outcome: str, month: int | None, arm: str) -> pd.DataFrame:
        """Return the effects of an outcome for all, women, men and the gap."""
        rows = self.rows(outcome, month, arm=arm)
        shown = rows["estimator"].isin([*self.plan.estimators, "tsls"])  # bounds have their own
        return rows[shown & ~rows["group"].str.contains("=")]

    def notes(self, rows: pd.DataFrame) -> list[str]:
        """Return the notes of rows, each once, less what the chapter on method says of all."""
        parts = (part for text in rows["note"].dropna() for part in text.split("; "))
        return [p for p in dict.fromkeys(parts) if p and not p.startswith(WALD)]

    def marks(self, row: dict[str, Any], notes: list[str]) -> list[int]:
        """Return the numbers of a row's notes among ``notes``."""
        own = row["note"].split("; ") if isinstance(row["note"], str) else []
        return [i for i, text in enumerate(notes, 1) if text in own]

    def path_notes(self, outcome: str, arm: str, words: Words) -> str:
        """Say what the path of an outcome rests on: months before, persons observed, gaps."""
        chosen = {"arm": arm, "estimand": self.estimand, "estimator": self.lead}
        rows = self.all_months(outcome, **chosen)
        n = rows.loc[rows["group"] == "all", "n"].dropna()
        found = []
        if (rows["month"] <= 0).any():
            found.append(words(f"effects.before_{self.plan.columns.time_zero}"))
        if self.plan.is_observational and len(rows):
            found.append(words(f"effects.levels.{self.plan.analysis.estimand}"))
        if n.nunique() > 1:
            ends = {"low": words.number(n.min(), 0), "high": words.number(n.max(), 0)}
            found.append(words("effects.thinning", **ends))
        if rows.loc[rows["group"].isin(["all", "women", "men"]), "estimate"].isna().any():
            found.append(words("effects.months_absent"))
        return " ".join(found)

    def rows(self, outcome: str, month: int | None, **equal: str) -> pd.DataFrame:
        """Return the effects of an outcome in a month that agree with ``equal``."""
        table = self.all_months(outcome, **equal)
        return table[table["month"].isna() if month is None else table["month"] == month]

    def all_months(self, outcome: str, **equal: str) -> pd.DataFrame:
        """Return the effects of an outcome that agree with ``equal``, in all its months."""
        table = self.effects[self.effects["outcome"] == outcome]
        for column, value in equal.items():
            table = table[table[column] == value]
        return table


def titled(title: str, month: int | None, words: Words) -> str:
    """Return the name of an outcome with its month, if any; months before time zero say so."""
    if month is None:
        return words("summary.outcome", outcome=title)
    key = "summary.outcome_month" if month > 0 else "summary.outcome_before"
    return words(key, outcome=title, month=words.number(month, 0))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as mappings from its columns."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def read_tables(results: Path) -> dict[str, pd.DataFrame]:
    """Read the released tables of a programme, by name."""
    return {
        name: read_csv(results / "tables" / f"{name}.csv", schemas.released(name))
        for name in RELEASED
        if name in Released.__dataclass_fields__
    }


def read_released(
    plan: Plan,
    results: Path,
    language: Language,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> Released:
    """Read the released files of a programme, with units in the language where the plan has it.

    ``tables`` are those of `read_tables`, where they have been read already.
    """
    units = {k: (o.unit_title or {}).get(language, o.unit) for k, o in plan.outcomes.items()}

    def told(read: pd.DataFrame) -> pd.DataFrame:
        if "group" in read and not plan.columns.both_genders:
            read = read[~read["group"].isin(plan.columns.genders)]  # the same as all
        if not {"outcome", "unit"} <= set(read):
            return read
        # what is added up over months has a unit of its own
        own = read["outcome"].map({k: o.unit for k, o in plan.outcomes.items()}) == read["unit"]
        return read.assign(unit=read["unit"].mask(own, read["outcome"].map(units)))

    known = {name: told(t) for name, t in (tables or read_tables(results)).items()}
    return Released(
        plan=as_estimated(plan, known["effects"]),
        **known,
        disclosure=json.loads((results / "disclosure.json").read_text(encoding="utf-8")),
        provenance=json.loads((results / "provenance.json").read_text(encoding="utf-8")),
    )
