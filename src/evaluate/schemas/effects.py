"""Files of the stage `effects` and of the comparison of groups."""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import GROUP, SHARE, behind, count, month_column, real, table, text

EFFECTS = table(
    "effects",
    outcome=text(),
    month=month_column(),
    arm=text(),
    role=text("primary", "secondary", "placebo", "exploratory"),
    estimand=text("itt", "late", "att", "ate", "regression_coefficient"),
    estimator=text(
        "difference_in_means", "fixed_effects", "ancova", "lin", "tsls", "regression", "ipw",
        "entropy_balancing", "matching", "aipw", "did", "lee_lower", "lee_upper",
        "manski_lower", "manski_upper",
    ),
    group=pa.Column(str, GROUP, coerce=True),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    p_value=real(SHARE),
    p_value_randomisation=real(SHARE),
    p_value_adjusted=real(SHARE),
    df=real(pa.Check.gt(0)),
    level=real(SHARE),
    std_error_kind=text(
        "neyman", "classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2",
        "abadie_imbens", "influence",
    ),
    n=count(),
    n_treated=count(),
    n_control=count(),
    n_clusters=count(),
    mean_treated=real(),
    mean_control=real(),
    unit=text(),
    prespecified=pa.Column("boolean", coerce=True, nullable=True),
    note=text(empty=True),
)  # fmt: skip

COVARIANCES = table(
    "covariances",
    row=count(empty=False),
    other=count(empty=False),
    covariance=real(),
)

PARTICIPATION = table(
    "participation",
    outcome=text(),
    month=month_column(),
    arm=text(),
    group=pa.Column(str, GROUP, coerce=True),
    estimator=text(),
    takeup_treated=real(SHARE),
    takeup_control=real(SHARE),
    compliers=real(),
    compliers_se=real(pa.Check.ge(0)),
    df=real(pa.Check.gt(0)),
    f=real(pa.Check.ge(0)),
    effect=real(),
    conf_low=real(),
    conf_high=real(),
    ar_low=real(),
    ar_high=real(),
    ar_set=text("interval", "unbounded", "whole line", empty=True),
    level=real(SHARE),
    n=count(),
    n_treated=count(),
    n_control=count(),
    unit=text(),
    note=text(empty=True),
    # persons who took part: before the gate only, which judges shares by them
    takers_treated=behind(),
    takers_control=behind(),
)

COMPLIERS = table(
    "compliers",
    covariate=text(),
    arm=text(),
    group=pa.Column(str, GROUP, coerce=True),
    mean_all=real(),
    mean_compliers=real(),
    std_error=real(pa.Check.ge(0)),
    n=count(),
    note=text(empty=True),
    # by arm the persons, those who took part, those with the greater of two values, and who are
    # both: before the gate only, which judges means by them
    **{
        f"{who}_{side}": behind()
        for who in ("n", "takers", "ones", "both")
        for side in ("treated", "control")
    },
)

BOUNDS = table(
    "bounds",
    outcome=text(),
    month=month_column(),
    arm=text(),
    role=text("primary", "secondary", "placebo"),
    group=text("all", "women", "men", "women-men"),
    method=text("lee", "lee_tightened", "manski", "ipw"),
    lower=real(),
    upper=real(),
    lower_se=real(pa.Check.ge(0)),
    upper_se=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    level=real(SHARE),
    response_treated=real(pa.Check.in_range(-1, 1)),
    response_control=real(pa.Check.in_range(-1, 1)),
    response_difference=real(pa.Check.in_range(-2, 2)),
    response_p_value=real(SHARE),
    trimmed_share=real(SHARE),
    population=text("always observed", "all"),
    n=count(),
    n_treated=count(),
    n_control=count(),
    # persons without the outcome: before the gate only, which judges rows by them
    missing_treated=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
    missing_control=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
    unit=text(),
    note=text(empty=True),
)

PATHS = table(
    "paths",
    outcome=text(),
    month=month_column(),
    arm=text(),
    group=text("all", "women", "men", "women-men"),
    kind=text(
        "effect", "level_treated", "level_control", "cumulated", "cumulated_treated",
        "cumulated_control", "cumulated_observed", "area", "first_above", "last_above",
        "first_below", "last_below",
    ),
    estimator=text(empty=True),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    band_low=real(),
    band_high=real(),
    critical=real(pa.Check.gt(0)),
    level=real(SHARE),
    n=count(),
    unit=text(),
    note=text(empty=True),
    # the smallest of the arms and genders behind a row: before the gate only
    n_least=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
)  # fmt: skip

INCIDENCE = table(
    "incidence",
    outcome=text(),
    month=month_column(empty=False),
    arm=text(),
    group=text("all", "women", "men", "women-men"),
    kind=text(
        "incidence_treated", "incidence_control", "difference", "competing_treated",
        "competing_control", "competing_difference", "restricted_mean_treated",
        "restricted_mean_control", "restricted_mean_difference", "time_lost_treated",
        "time_lost_control", "time_lost_difference",
    ),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    band_low=real(),
    band_high=real(),
    critical=real(pa.Check.gt(0)),
    level=real(SHARE),
    at_risk=count(),
    n=count(),
    unit=text(),
    note=text(empty=True),
    # persons by then: before the gate only, which judges their increments
    n_entered=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
    n_competing=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
)  # fmt: skip

SPILLOVERS = table(
    "spillovers",
    outcome=text(),
    month=month_column(),
    arm=text(),
    role=text("primary", "secondary", "placebo"),
    estimator=text(),
    saturation=text(),  # a share, or `all`
    effect=text("direct", "displacement", "total", "overall"),
    group=text("all", "women", "men", "women-men"),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    p_value=real(SHARE),
    df=real(pa.Check.gt(0)),
    level=real(SHARE),
    n=count(),
    n_treated=count(),
    n_control=count(),
    n_clusters=count(),
    unit=text(),
    note=text(empty=True),
    # the fewest with or without an outcome given as a share: before the gate only
    least=behind(),
)

NET_EFFECTS = table(
    "net_effects",
    outcome=text(),
    month=month_column(),
    arm=text(),
    group=text("all", "women", "men"),
    displacement=real(SHARE),
    effect=real(),
    conf_low=real(),
    conf_high=real(),
    jobs=real(),
    jobs_low=real(),
    jobs_high=real(),
    unit=text(),
    note=text(empty=True),
)

HETEROGENEITY = table(
    "heterogeneity",
    outcome=text(),
    month=month_column(),
    arm=text(),
    estimator=text(),
    dimension=text(),
    levels=text(),
    statistic=real(pa.Check.ge(0)),
    df=real(pa.Check.gt(0)),
    df_error=real(pa.Check.gt(0)),
    p_value=real(SHARE),
    detectable=real(pa.Check.ge(0)),
    unit=text(),
    prespecified=pa.Column("boolean", coerce=True, nullable=True),
    note=text(empty=True),
)
