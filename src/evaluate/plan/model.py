"""The programme file, `config/programmes/NAME.yaml`, as typed and closed models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator
from pydantic_core import PydanticCustomError

from evaluate.plan.assignment import Assignment
from evaluate.plan.closed import Closed, Flag, Text, code_text
from evaluate.plan.columns import Columns
from evaluate.plan.costs import Costs
from evaluate.plan.outcomes import Outcome, OutcomeColumn
from evaluate.plan.sources import Data

Estimator = Literal[
    "difference_in_means", "fixed_effects", "ancova", "lin",
    "regression", "ipw", "entropy_balancing", "matching", "aipw", "did",
]  # fmt: skip
StdError = Literal["neyman", "classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2"]


class Source(Text):
    """Where the data come from, printed in the report."""

    licence: str = Field("", description="Left empty, the report says it is not stated.")


class Covariate(Closed):
    """A characteristic measured before assignment."""

    column: str
    kind: Literal["auto", "numeric", "categorical"] = "auto"


class Propensity(Closed):
    """How the probability of treatment is modelled in an observational study."""

    model: Literal["logit", "boosting", "selected"] = "selected"
    trim: Literal["none", "crump"] | tuple[float, float] = "crump"


class Matching(Closed):
    """How comparison persons are matched in an observational study."""

    distance: Literal["propensity", "mahalanobis", "inverse_variance"] = "propensity"
    neighbours: Annotated[int, Field(ge=1)] = 1
    replace: Flag = True
    caliper: float | None = None
    exact: list[str] = []
    bias_correction: Flag = True
    weights: Literal["uniform", "inverse_distance"] = "uniform"


class Analysis(Closed):
    """Choices of the analysis; what is left out follows from the design."""

    estimators: Annotated[list[Estimator], Field(min_length=1)] | None = Field(
        None, description="The first one leads: take-up, costs and the summary rest on it."
    )
    std_error: StdError | None = Field(
        None, description="By default HC2; CR2 where clusters were assigned."
    )
    interval: Literal["t", "wild_bootstrap"] = Field(
        "t", description="wild_bootstrap: for few clusters, in place of t."
    )
    estimand: Literal["att", "ate"] = "att"
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    multiplicity: Literal["westfall_young", "romano_wolf", "holm", "benjamini_hochberg", "none"] = (
        Field("westfall_young", description="How p-values of primary outcomes are adjusted.")
    )
    permutations: Annotated[int, Field(ge=99, le=1_000_000)] = 10_000
    slopes: Literal["apart", "shared"] = "apart"
    missing_covariates: Literal["impute", "drop"] = "impute"
    displacement: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = Field(
        [0.0, 0.1, 0.25, 0.5],
        description="Shares of the extra jobs that are taken to be others' loss, for net jobs.",
    )
    propensity: Propensity = Propensity()
    matching: Matching = Matching()


class Protocol(Closed):
    """The target trial that an observational study imitates."""

    eligibility: str
    strategies: str
    assignment: str
    time_zero: str
    follow_up: str
    outcome: str
    contrast: str
    analysis: str


class Graph(Closed):
    """A causal graph: who causes what, as pairs."""

    edges: list[tuple[str, str]]


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
    analysis: Analysis = Analysis()
    protocol: Protocol | None = None
    graph: Graph | None = None
    costs: Costs | None = None
    _default: tuple[tuple[str, ...], StdError] | None = PrivateAttr(None)  # `with_default`

    @model_validator(mode="after")
    def _names_agree(self) -> Plan:
        faults: list[tuple[tuple[str, ...], str]] = []
        known = ", ".join(self.outcomes)
        for name in self.costs.outcomes if self.costs else []:
            if name not in self.outcomes:
                faults.append((("costs", "outcomes"), f"`{name}` is not among {known}"))
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
            said = "; ".join(f"{'.'.join(loc)}: {text}" for loc, text in faults)
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
        means = ("difference_in_means",)
        if not self.columns.clustered:
            return ("lin", *means) if self.covariates else means
        if self.covariates:
            return ("ancova", *means)
        return ("fixed_effects", *means) if self.columns.strata else means

    def with_default(self, estimators: tuple[str, ...], std_error: StdError = "HC2") -> Plan:
        """Return the same plan with other estimators, and errors of regressions, by default."""
        plan = self.model_copy()
        plan._default = (estimators, std_error)
        return plan

    def std_error_of(self, estimator: str) -> StdError:
        """Return the kind of standard error of an estimator; means of persons have Neyman's."""
        stated = self.analysis.std_error
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
