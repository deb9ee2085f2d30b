"""The programme file, `config/programmes/NAME.yaml`, as typed and closed models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from evaluate.plan.accounts import account_faults
from evaluate.plan.analysis import Analysis, StdError, StdErrorKind
from evaluate.plan.assignment import Assignment
from evaluate.plan.closed import Closed, Code, Flag, Text, code_text
from evaluate.plan.columns import Columns
from evaluate.plan.costs import Costs
from evaluate.plan.covariates import Covariate
from evaluate.plan.doses import Dose, dose_faults
from evaluate.plan.observational import Graph, Protocol, RiskSets
from evaluate.plan.outcomes import Outcome, OutcomeColumn
from evaluate.plan.sources import Data, Name

OBSERVATIONAL: tuple[str, ...] = (
    "aipw", "matching", "entropy_balancing", "ipw", "regression", "difference_in_means",
)  # fmt: skip
OWN_ERRORS: dict[str, StdErrorKind] = {
    "aipw": "influence", "ipw": "influence", "matching": "abadie_imbens", "did": "influence",
}  # fmt: skip


class Source(Text):
    """Where the data come from, printed in the report."""

    licence: str = Field("", description="Left empty, the report says it is not stated.")


class Plan(Closed):
    """One programme: its design, data, columns, outcomes, analysis and costs."""

    title: Text
    source: Source | None = None
    simulated: Flag = Field(False, description="Labels every page of the report.")
    design: Literal["randomised", "observational", "follow_up", "benchmark", "synthesis"]
    data: Data
    columns: Columns
    assignment: Assignment = Assignment()
    eligibility: list[str] = Field([], description="Criteria such as `age >= 18`, in order.")
    covariates: list[str | Covariate] = []
    outcomes: Annotated[dict[str, Outcome], Field(min_length=1)]
    groups: list[str] = Field([], description="Exploratory groups, beside gender.")
    doses: dict[Name, Dose] = Field(
        {}, description="Amounts of the programme that each person got, beside take-up."
    )
    analysis: Analysis = Analysis()
    protocol: Protocol | None = None
    graph: Graph | None = None
    negative_controls: dict[str, Annotated[list[Code], Field(min_length=1)]] = Field(
        {},
        description="By column the codes of comparison persons whom the programme cannot have "
        "reached; held against the other comparison persons, from whom they should not differ.",
    )
    risk_sets: RiskSets | None = None
    costs: Costs | None = None
    _default: tuple[tuple[str, ...], StdError] | None = PrivateAttr(None)  # `with_default`

    @model_validator(mode="after")
    def _names_agree(self) -> Plan:
        self.columns._in_risk_sets = self.risk_sets is not None
        faults: list[tuple[tuple[int | str, ...], str]] = []
        known = ", ".join(self.outcomes)
        for name in self.costs.outcomes if self.costs else []:
            if name not in self.outcomes:
                faults.append((("costs", "outcomes"), f"`{name}` is not among {known}"))
        named, site = {*self.columns.strata, *self.groups}, self.costs and self.costs.site
        if site:
            named.add(site)
            if site == self.columns.person:
                faults.append(
                    (("costs", "site"), "is columns.person, the key of persons, and no site")
                )
        for name in self.columns.titles:
            if name not in named:
                text = "is none of columns.blocks, columns.wave, groups and costs.site, which are: "
                text += ", ".join(sorted(named)) or "none"
                faults.append((("columns", "titles", name), text))
        names = [c.column for c in self.covariate_list]
        if doubles := sorted({n for n in names if names.count(n) > 1}):
            faults.append((("covariates",), f"{', '.join(doubles)} more than once"))
        for key, outcome in self.outcomes.items():
            if unknown := sorted(set(outcome.without) - set(names)):
                text = f"{', '.join(unknown)} not among the covariates"
                faults.append((("outcomes", key, "without"), text))
        faults += self._covariates_after_the_offer()
        faults += self._linked_outcomes()
        faults += self._competing_outcomes()
        faults += dose_faults(self)
        faults += account_faults(self)
        rule = self.assignment.rule
        if rule and isinstance(rule.share, dict) and len(self.cell_columns) != 1:
            text = "by cell, name one column in `within`; for several, a column of shares"
            faults.append((("assignment", "rule", "share"), text))
        faults += self._shares()
        faults += self._saturation()
        if self.analysis.slopes == "shared" and not self.columns.both_genders:
            text = "needs women and men in columns.gender"
            faults.append((("analysis", "slopes"), text))
        if faults:
            said = "; ".join(f"{'.'.join(map(str, loc))}: {text}" for loc, text in faults)
            raise PydanticCustomError("names", "{said}", {"said": said, "faults": faults})
        return self

    def _shares(self) -> list[tuple[tuple[str, ...], str]]:
        """Find shares and places that do not fit the arms, where the plan names these."""
        treatment = self.columns.treatment
        if treatment.arms is None:
            return []  # the data tell
        arms = [code_text(arm) for arm in (treatment.control, *treatment.arms)]
        said = self.assignment.arm_faults(arms)
        return [(("assignment", *key.split(".")), text) for key, text in said]

    def _saturation(self) -> list[tuple[tuple[str, ...], str]]:
        """Find what a draw in two levels cannot do without."""
        at = ("assignment", "saturation")
        if self.assignment.saturation is None:
            return []
        if self.columns.cluster is None:
            return [(at, "name columns.cluster, the clusters that a share was drawn for")]
        if len(self.columns.treatment.arms or []) > 1:
            return [(at, "one arm beside control is available, not several")]
        return []

    def _linked_outcomes(self) -> list[tuple[tuple[str, ...], str]]:
        """Find outcomes that a linked table must be there for, and days they are counted from."""
        faults: list[tuple[tuple[str, ...], str]] = []
        for key, outcome in self.outcomes.items():
            table = "spells" if outcome.spells is not None else "incomes"
            if outcome.is_linked and getattr(self.data, table) is None:
                faults.append((("outcomes", key, table), f"needs the table data.{table}"))
        return faults

    def _competing_outcomes(self) -> list[tuple[tuple[str, ...], str]]:
        """Find outcomes that cannot compete: of no first entry, or of other months."""
        faults: list[tuple[tuple[str, ...], str]] = []
        entries = {k: o.months for k, o in self.outcomes.items() if o.measure == "entered"}
        for key, outcome in self.outcomes.items():
            for name in outcome.competing:
                known = ", ".join(k for k in entries if k != key) or "none"
                text = ""
                if name == key or name not in entries:
                    text = f"`{name}` is no other outcome with measure: entered; these are: {known}"
                elif entries[name] != outcome.months:
                    text = f"`{name}` has other months; both need the same"
                if text:
                    faults.append((("outcomes", key, "competing"), text))
        return faults

    def _covariates_after_the_offer(self) -> list[tuple[tuple[str, ...], str]]:
        """Find covariates that are the offer, or what came of it."""
        names, columns = {c.column for c in self.covariate_list}, self.columns
        roles = {
            columns.treatment.column: "columns.treatment",
            columns.takeup.column if columns.takeup else None: "columns.takeup",
            columns.person: "columns.person",
            columns.cluster: "columns.cluster",
            columns.weight: "columns.weight",
            columns.started: "columns.started",
            columns.ended: "columns.ended",
            columns.accepted.column if columns.accepted else None: "columns.accepted",
        }
        faults: list[tuple[tuple[str, ...], str]] = [
            (("covariates",), f"`{name}` is {role}, not a covariate")
            for name, role in roles.items()
            if name in names
        ]
        for column in self.outcome_columns:
            own = column.source in names - set(self.outcomes[column.outcome].without)
            if own and self.outcomes[column.outcome].role == "placebo":
                text = f"its own column is among the covariates: `without: [{column.source}]`"
                faults.append((("outcomes", column.outcome), text))
            elif column.source in names and self.outcomes[column.outcome].role != "placebo":
                text = f"`{column.source}` is outcomes.{column.outcome}, measured after the offer"
                faults.append((("covariates",), text))
        return faults

    @property
    def covariate_list(self) -> tuple[Covariate, ...]:
        """The covariates, each with its kind."""
        return tuple(Covariate(column=c) if isinstance(c, str) else c for c in self.covariates)

    def covariate_titles(self, language: Literal["en", "sv"]) -> dict[str, str]:
        """Return names in the reports, of covariates by column, of levels by ``column=level``.

        Of blocks and groups too, where `columns.titles` names them.
        """
        stated = dict(self.columns.titles)
        stated |= {c.column: c.title for c in self.covariate_list if c.title}
        for c in self.covariate_list:
            stated |= {f"{c.column}={code_text(level)}": t for level, t in c.levels.items()}
        return {column: title[language] for column, title in stated.items() if language in title}

    @property
    def cell_columns(self) -> tuple[str, ...]:
        """The columns by which `assignment.rule` tells cells; the wave is one more."""
        rule = self.assignment.rule
        within = rule.within if rule else None
        return tuple(dict.fromkeys(self.columns.strata if within is None else within))

    @property
    def estimators(self) -> tuple[str, ...]:
        """The estimators in the plan's order, or those that follow from the design.

        By default Lin's regression where there are covariates; of clusters, whose numbers are
        small beside slopes in every arm, regressions with common slopes. What the blocks of
        persons can carry only the data tell, see `design.default_estimators`.
        """
        if self.analysis.estimators:
            return tuple(dict.fromkeys(self.analysis.estimators))
        if self._default:
            return self._default[0]
        if self.is_observational:
            return OBSERVATIONAL
        means = ("difference_in_means",)
        if not self.columns.clustered:
            return ("lin", *means) if self.covariates else means
        if self.covariates:
            return ("ancova", *means)
        return ("fixed_effects", *means) if self.columns.strata else means

    def covariate_set(self, outcome: str) -> str:
        """Return the name of the covariates that adjust an outcome: empty for the plan's own.

        Others are those of the first outcome with the same covariates left out, and the same
        measure before.
        """

        def own(key: str) -> tuple[object, ...]:
            stated = self.outcomes[key]
            return (key if stated.baseline is not None else "", sorted(set(stated.without)))

        if own(outcome) == ("", []):
            return ""
        return next(key for key in self.outcomes if own(key) == own(outcome))

    @property
    def is_observational(self) -> bool:
        """Whether nobody drew who was treated."""
        return self.design == "observational"

    def estimand_of(self, estimator: str) -> str:
        """Return what an estimator of the plan estimates: of a lottery, the effect of the offer."""
        if not self.is_observational:
            return "itt"
        return "regression_coefficient" if estimator == "regression" else self.analysis.estimand

    @property
    def lead_estimand(self) -> str:
        """What the lead estimator estimates."""
        return self.estimand_of(self.estimators[0])

    def with_default(self, estimators: tuple[str, ...], std_error: StdError = "HC2") -> Plan:
        """Return the same plan with other estimators, and errors of regressions, by default."""
        plan = self.model_copy()
        plan._default = (estimators, std_error)
        return plan

    def std_error_of(self, estimator: str) -> StdErrorKind:
        """Return the kind of standard error of an estimator; means of persons have Neyman's."""
        stated = self.analysis.std_error
        if self.is_observational and estimator in OWN_ERRORS:
            clustered = self.columns.clustered and estimator == "matching"
            return "influence" if clustered else OWN_ERRORS[estimator]
        if self.is_observational and estimator == "entropy_balancing":
            own: StdErrorKind = "influence" if self.columns.clustered else "HC3"
            return own if self.columns.clustered else stated or own
        if self.columns.clustered:
            return stated or "CR2"
        if estimator == "difference_in_means":
            return "neyman"
        usual = self._default[1] if self._default else "HC2"
        return usual if stated in (None, "neyman") else stated

    @property
    def outcome_columns(self) -> tuple[OutcomeColumn, ...]:
        """The columns of the outcomes table, in the plan's order.

        Incomes by year have the months that end a year after time zero: 12, 24 and so on.
        """
        incomes = self.data.incomes
        yearly = incomes is not None and incomes.per == "year"
        return tuple(
            c
            for name, o in self.outcomes.items()
            for c in o.expand(name)
            if not (yearly and o.incomes is not None) or (c.month or 0) % 12 == 0
        )
