"""Section `analysis`: the choices of estimators, errors, and models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evaluate.plan.closed import Closed, Flag

Estimator = Literal[
    "difference_in_means", "fixed_effects", "ancova", "lin",
    "regression", "ipw", "entropy_balancing", "matching", "aipw", "did",
]  # fmt: skip
StdError = Literal["neyman", "classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2"]
StdErrorKind = StdError | Literal["abadie_imbens", "influence"]


class Propensity(Closed):
    """How the probability of treatment is modelled in an observational study."""

    model: Literal["logit", "boosting", "selected"] = Field(
        "selected", description="selected: the one with the lower log loss out of fold."
    )
    within_gender: Flag = Field(False, description="Models of women and men of their own.")
    trim: Literal["none", "crump"] | tuple[float, float] = "crump"
    clip: Annotated[float, Field(ge=0, lt=0.5)] = Field(
        0.01, description="Probabilities nearer to 0 or 1 are held here, and counted."
    )


class CrossFitting(Closed):
    """How nuisance models are fitted to other persons than those they predict for."""

    folds: Annotated[int, Field(ge=2, le=50)] = 5
    splits: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="Times that persons are split anew; the median is reported."
    )
    learner: Literal["linear", "boosting", "selected"] = Field(
        "selected", description="Of outcomes; selected: the one with the lower loss out of fold."
    )


class Matching(Closed):
    """How comparison persons are matched in an observational study."""

    distance: Literal["propensity", "mahalanobis", "inverse_variance"] = "propensity"
    neighbours: Annotated[int, Field(ge=1)] = 1
    replace: Flag = True
    caliper: float | None = None
    exact: list[str] = []
    bias_correction: Flag = True
    weights: Literal["uniform", "inverse_distance"] = "uniform"


class Heterogeneity(Closed):
    """How effects are asked to differ between persons; explored beside gender, not planned."""

    outcomes: list[str] | None = Field(None, description="By default the primary ones.")
    covariates: list[str] | None = Field(
        None,
        description="Of the best linear projection: covariates, or `gender`. By default all.",
    )
    composition: list[str] | None = Field(
        None,
        description="What women and men are given alike when their gap is explained: covariates, "
        "blocks or groups. By default all covariates and blocks.",
    )
    learner: Literal["linear", "boosting", "forest"] = Field(
        "linear", description="What sorted groups and targeting rest on; all three are tried."
    )
    groups: Annotated[int, Field(ge=2, le=10)] = Field(5, description="Sorted groups, equal.")
    folds: Annotated[int, Field(ge=3, le=20)] = 5
    splits: Annotated[int, Field(ge=1, le=200)] = Field(
        20, description="Times that persons are put anew in those learned from and those judged."
    )
    trees: Annotated[int, Field(ge=20, le=5_000)] = Field(100, description="Of the causal forest.")
    forest_persons: Annotated[int, Field(ge=1_000)] = Field(
        20_000, description="Persons drawn for the forest where there are more."
    )


class Targeting(Closed):
    """Rules of who gets a place, and what they are worth."""

    capacity: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Share of the persons there are places for; by default the present one."
    )
    value: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {}, description="By outcome, what one more unit is worth, in the currency of the costs."
    )
    covariates: list[str] | None = Field(
        None, description="What a rule may go by: covariates. By default all."
    )
    depth: Annotated[int, Field(ge=1, le=3)] = Field(2, description="Of the policy tree.")


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
    cross_fitting: CrossFitting = CrossFitting()
    matching: Matching = Matching()
    heterogeneity: Heterogeneity = Heterogeneity()
    targeting: Targeting = Targeting()
