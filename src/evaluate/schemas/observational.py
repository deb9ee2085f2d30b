"""Files of observational studies, without rows where a lottery decided who was treated."""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import SHARE, count, month_column, real, table, text

GENDERS = ("all", "women", "men", "women-men")
SIDES = ("treated", "control")
FLAG = pa.Column("boolean", coerce=True, nullable=True)

# One row per set of covariates, contrast, split and person; `person` is the row among the
# participants, `kept` whether trimming keeps it. `covariates` is empty for the plan's own, else
# the outcome whose set it is.
PROPENSITY = table(
    "propensity",
    covariates=text(empty=True),
    arm=text(),
    split=count(empty=False),
    person=count(empty=False),
    fold=count(empty=False),
    score=real(SHARE),
    kept=pa.Column(bool, coerce=True),
    model=text("logit", "boosting", empty=True),  # what gave the scores
)

PROPENSITY_MODELS = table(
    "propensity_models",
    covariates=text(empty=True),
    arm=text(),
    model=text("logit", "boosting"),
    group=text("all", "women", "men"),
    log_loss=real(pa.Check.ge(0)),
    brier=real(SHARE),
    calibration_intercept=real(),
    calibration_slope=real(),
    auc=real(SHARE),
    chosen=FLAG,
    note=text(empty=True),
)

# How many persons of each arm have likes in the other, are trimmed, and count for.
OVERLAP = table(
    "overlap",
    arm=text(),
    group=text("all", "women", "men"),
    side=text(*SIDES),
    n=count(),
    outside=count(),  # outside the common support, before trimming
    kept=count(),
    trimmed=count(),
    clipped=count(),
    low=real(SHARE),  # the bounds of trimming
    high=real(SHARE),
    effective=real(pa.Check.ge(0)),  # persons that the weights of the kept are worth
    largest=real(SHARE),  # part of the weight that one person has
    note=text(empty=True),
)

PROPENSITY_HISTOGRAM = table(
    "propensity_histogram",
    arm=text(),
    group=text("all", "women", "men"),
    side=text(*SIDES),
    low=real(SHARE),
    high=real(SHARE),
    n=count(),
    share=real(SHARE),
)

# How trimming changes the persons whose effect is estimated.
POPULATION = table(
    "population",
    arm=text(),
    covariate=text(),
    group=text("all", "women", "men"),
    mean_before=real(),
    mean_after=real(),
    difference=real(),  # in standard deviations before
)

# What the graph of the plan says, and what the data say of it. Statements hold names of nodes:
# `treatment -> work | age, gender` (the set to adjust for), `treatment <- age -> work` (a path),
# `age _||_ gender | education` (an independence, its p-value adjusted after Holm).
GRAPH = table(
    "graph",
    kind=text("adjustment_set", "path", "independence", "falsification"),
    statement=text(),
    statistic=real(),
    p_value=real(SHARE),
    verdict=text("pass", "warn", "not assessed"),
    note=text(empty=True),
)

SENSITIVITY = table(
    "sensitivity",
    outcome=text(),
    month=month_column(),
    arm=text(),
    estimator=text(),
    group=text(*GENDERS),
    method=text(
        "e_value", "robustness_value", "benchmark", "rosenbaum", "long_story_short",
        "long_story_short_benchmark",
    ),
    benchmark=text(empty=True),  # the covariate that a hidden factor is compared with
    strength=real(),  # e.g. 0.05: a share explained; gamma; times as strong as the benchmark
    value=real(),  # strength that takes the estimate to none
    value_interval=real(),  # strength that takes the interval to none
    low=real(),  # estimate, or interval, under `strength`
    high=real(),
    r2_treatment=real(SHARE),
    r2_outcome=real(SHARE),
    unit=text(),
    note=text(empty=True),
)  # fmt: skip

REFUTATIONS = table(
    "refutations",
    outcome=text(),
    month=month_column(),
    arm=text(),
    estimator=text(),
    group=text(*GENDERS),
    refuter=text(
        "random_common_cause", "placebo_treatment", "data_subset", "placebo_outcome",
        "negative_control_group",
    ),
    expected=real(),
    mean=real(),
    sd=real(pa.Check.ge(0)),
    p_value=real(SHARE),
    draws=count(),
    failed=count(),
    verdict=text("pass", "warn", "not assessed"),
    unit=text(),
    note=text(empty=True),
)  # fmt: skip

# One outcome by all reasonable analyses.
SPECIFICATIONS = table(
    "specifications",
    outcome=text(),
    month=month_column(),
    arm=text(),
    group=text(*GENDERS),
    role=text("primary", "placebo"),
    estimand=text("att", "ate", "regression_coefficient"),
    estimator=text(),
    trim=text(),  # none, crump, or bounds such as 0.1-0.9
    propensity=text("logit", "boosting", empty=True),
    covariates=text(),  # all, none, or `without NAME`
    lead=FLAG,
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    p_value=real(SHARE),
    level=real(SHARE),
    n=count(),
    n_treated=count(),
    n_control=count(),
    unit=text(),
    note=text(empty=True),
)

VERDICT = table(
    "verdict",
    outcome=text(),
    month=month_column(),
    arm=text(),
    group=text(*GENDERS),
    verdict=text("robust", "fragile", "not assessed"),
    reason=text(),  # from evaluate.notes, joined by "; "
)

# Difference-in-differences where starts are staggered.
EVENT_STUDY = table(
    "event_study",
    outcome=text(),
    arm=text(),
    group=text(*GENDERS),
    kind=text("group_time", "event", "cohort", "calendar", "overall", "pre_trend"),
    cohort=count(),  # months since the first start, from 1
    month=month_column(),  # calendar month since the same; by `event` month 1 begins with the start
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    band_low=real(),
    band_high=real(),
    critical=real(pa.Check.gt(0)),
    statistic=real(pa.Check.ge(0)),
    df=real(pa.Check.gt(0)),
    p_value=real(SHARE),
    level=real(SHARE),
    n=count(),
    n_treated=count(),
    n_control=count(),
    unit=text(),
    note=text(empty=True),
)
