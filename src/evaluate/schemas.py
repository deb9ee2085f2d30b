"""One schema per file in the flow: its columns, their types, units and bounds.

Columns that a plan names carry its names behind a prefix: ``covariate.age``,
``baseline.hours``, ``group.education``; outcomes are ``hours`` or ``earnings@12``.
"""

from __future__ import annotations

import pandera.pandas as pa

SHARE = pa.Check.in_range(0, 1)
GROUP = pa.Check.str_matches(r"^(all|women|men|women-men|.+=.+)$")
PAYERS = ("public", "municipality", "eu_fund", "employer", "participant")
BASES = ("budget", "unit_cost", "economic")


def _text(*allowed: str, empty: bool = False) -> pa.Column:
    checks = [pa.Check.isin(allowed)] if allowed else []
    return pa.Column(str, checks, nullable=empty, coerce=True)


def _float(*checks: pa.Check, regex: bool = False, required: bool = True) -> pa.Column:
    return pa.Column(
        float, list(checks), nullable=True, coerce=True, regex=regex, required=required
    )


def _count(empty: bool = True) -> pa.Column:
    return pa.Column("Int64", pa.Check.ge(0), nullable=empty, coerce=True)


def _behind() -> pa.Column:
    """Give a count behind a number, which the gate alone may see."""
    return pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False)


def _month(empty: bool = True) -> pa.Column:
    """Give a month: whole, below 1 before time zero."""
    return pa.Column("Int64", nullable=empty, coerce=True)


def _table(name: str, **columns: pa.Column) -> pa.DataFrameSchema:
    return pa.DataFrameSchema(columns, name=name, strict=True, ordered=True)


PARTICIPANTS = pa.DataFrameSchema(
    {
        "source_row": pa.Column("int64", pa.Check.ge(1), unique=True),
        "person": pa.Column(str, coerce=True, nullable=True),  # a pseudonym
        "arm": pa.Column(str, coerce=True),
        "gender": pa.Column(str, pa.Check.isin(["women", "men"]), coerce=True, nullable=True),
        "takeup": _float(pa.Check.isin([0, 1])),
        "block": pa.Column(str, coerce=True, nullable=True),
        "cluster": pa.Column(str, coerce=True, nullable=True, required=False),
        "weight": _float(pa.Check.gt(0)),
        "share": _float(SHARE),
        "saturation": pa.Column(float, SHARE, coerce=True, nullable=True, required=False),
        "cost": _float(),
        r"^lottery\.": pa.Column(nullable=True, regex=True, required=False),
        r"^covariate\.": pa.Column(nullable=True, regex=True, required=False),
        r"^baseline\.": _float(regex=True, required=False),
        r"^group\.": pa.Column(str, coerce=True, nullable=True, regex=True, required=False),
    },
    name="participants",
    strict=True,
)

OUTCOMES = pa.DataFrameSchema(
    {"^.+$": _float(regex=True, required=True)}, name="outcomes", strict=True
)

QUARANTINE = _table(
    "quarantine",
    table=_text(),
    source_row=pa.Column("int64", pa.Check.ge(1), coerce=True),
    reason=_text(),
)

FLOW = pa.DataFrameSchema(
    {
        "step": _text(
            "received", "excluded", "noted", "included", "accepted", "started", "took_part",
            "followed", "analysed",
        ),
        "reason": _text(empty=True),
        "n": _count(),
        "women": _count(),
        "men": _count(),
        r"^arm=": pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, regex=True),
    },
    name="flow",
    strict=True,
)  # fmt: skip

CLEANING = _table(
    "cleaning",
    table=_text(),
    step=_text("received", "excluded", "noted", "kept"),
    reason=_text(empty=True),
    n=_count(),
    women=_count(),
    men=_count(),
    # distinct persons behind the rows: before the gate only, which judges rows by them
    persons=_count(empty=False),
    women_persons=_count(empty=False),
    men_persons=_count(empty=False),
)

STATES = _table(
    "states",
    state=_text(),
    month=_month(empty=False),
    arm=_text(),
    group=_text("all", "women", "men", "women-men"),
    n=_count(),
    share=_float(pa.Check.in_range(-1, 1)),
)

DESIGN_CHECKS = _table(
    "design_checks",
    check=_text(),
    group=_text(),
    statistic=_float(),
    p_value=_float(SHARE),
    verdict=_text("pass", "warn", "not assessed"),
    text=_text(),
    # the smallest number of persons that the text gives away: before the gate only
    least=pa.Column("Int64", pa.Check.ge(1), nullable=True, coerce=True, required=False),
)

BALANCE = _table(
    "balance",
    covariate=_text(),
    group=_text(),
    mean_treated=_float(),
    mean_control=_float(),
    smd=_float(),
    variance_ratio=_float(pa.Check.ge(0)),
    adjusted=pa.Column("boolean", coerce=True, nullable=True),
    arm=_text(),
)

EFFECTS = _table(
    "effects",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    role=_text("primary", "secondary", "placebo", "exploratory"),
    estimand=_text("itt", "late", "att", "ate", "regression_coefficient"),
    estimator=_text(
        "difference_in_means", "fixed_effects", "ancova", "lin", "tsls", "regression", "ipw",
        "entropy_balancing", "matching", "aipw", "did", "lee_lower", "lee_upper",
        "manski_lower", "manski_upper",
    ),
    group=pa.Column(str, GROUP, coerce=True),
    estimate=_float(),
    std_error=_float(pa.Check.ge(0)),
    conf_low=_float(),
    conf_high=_float(),
    p_value=_float(SHARE),
    p_value_randomisation=_float(SHARE),
    p_value_adjusted=_float(SHARE),
    df=_float(pa.Check.gt(0)),
    level=_float(SHARE),
    std_error_kind=_text(
        "neyman", "classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2",
        "abadie_imbens", "influence",
    ),
    n=_count(),
    n_treated=_count(),
    n_control=_count(),
    n_clusters=_count(),
    mean_treated=_float(),
    mean_control=_float(),
    unit=_text(),
    prespecified=pa.Column("boolean", coerce=True, nullable=True),
    note=_text(empty=True),
)  # fmt: skip

COVARIANCES = _table(
    "covariances",
    row=_count(empty=False),
    other=_count(empty=False),
    covariance=_float(),
)

PARTICIPATION = _table(
    "participation",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    group=pa.Column(str, GROUP, coerce=True),
    estimator=_text(),
    takeup_treated=_float(SHARE),
    takeup_control=_float(SHARE),
    compliers=_float(),
    compliers_se=_float(pa.Check.ge(0)),
    df=_float(pa.Check.gt(0)),
    f=_float(pa.Check.ge(0)),
    effect=_float(),
    conf_low=_float(),
    conf_high=_float(),
    ar_low=_float(),
    ar_high=_float(),
    ar_set=_text("interval", "unbounded", "whole line", empty=True),
    level=_float(SHARE),
    n=_count(),
    n_treated=_count(),
    n_control=_count(),
    unit=_text(),
    note=_text(empty=True),
    # persons who took part: before the gate only, which judges shares by them
    takers_treated=_behind(),
    takers_control=_behind(),
)

COMPLIERS = _table(
    "compliers",
    covariate=_text(),
    arm=_text(),
    group=pa.Column(str, GROUP, coerce=True),
    mean_all=_float(),
    mean_compliers=_float(),
    std_error=_float(pa.Check.ge(0)),
    n=_count(),
    note=_text(empty=True),
    # by arm the persons, those who took part, those with the greater of two values, and who are
    # both: before the gate only, which judges means by them
    **{
        f"{who}_{side}": _behind()
        for who in ("n", "takers", "ones", "both")
        for side in ("treated", "control")
    },
)

BOUNDS = _table(
    "bounds",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    role=_text("primary", "secondary", "placebo"),
    group=_text("all", "women", "men", "women-men"),
    method=_text("lee", "lee_tightened", "manski", "ipw"),
    lower=_float(),
    upper=_float(),
    lower_se=_float(pa.Check.ge(0)),
    upper_se=_float(pa.Check.ge(0)),
    conf_low=_float(),
    conf_high=_float(),
    level=_float(SHARE),
    response_treated=_float(pa.Check.in_range(-1, 1)),
    response_control=_float(pa.Check.in_range(-1, 1)),
    response_difference=_float(pa.Check.in_range(-2, 2)),
    response_p_value=_float(SHARE),
    trimmed_share=_float(SHARE),
    population=_text("always observed", "all"),
    n=_count(),
    n_treated=_count(),
    n_control=_count(),
    # persons without the outcome: before the gate only, which judges rows by them
    missing_treated=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
    missing_control=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
    unit=_text(),
    note=_text(empty=True),
)

HETEROGENEITY = _table(
    "heterogeneity",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    estimator=_text(),
    dimension=_text(),
    levels=_text(),
    statistic=_float(pa.Check.ge(0)),
    df=_float(pa.Check.gt(0)),
    df_error=_float(pa.Check.gt(0)),
    p_value=_float(SHARE),
    detectable=_float(pa.Check.ge(0)),
    unit=_text(),
    prespecified=pa.Column("boolean", coerce=True, nullable=True),
    note=_text(empty=True),
)

POWER = _table(
    "power",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    estimator=_text(),
    group=_text("all", "women", "men", "women-men"),
    estimate=_float(),
    std_error=_float(pa.Check.ge(0)),
    p_value=_float(SHARE),
    df=_float(pa.Check.gt(0)),
    level=_float(SHARE),
    power=_float(SHARE),
    detectable=_float(pa.Check.ge(0)),
    relative=_float(pa.Check.ge(0)),
    ratio_to_all=_float(pa.Check.ge(0)),
    n=_count(),
    n_treated=_count(),
    n_control=_count(),
    share_treated=_float(SHARE),
    unit=_text(),
    note=_text(empty=True),
)

SPILLOVERS = _table(
    "spillovers",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    role=_text("primary", "secondary", "placebo"),
    estimator=_text(),
    saturation=_text(),  # a share, or `all`
    effect=_text("direct", "displacement", "total", "overall"),
    group=_text("all", "women", "men", "women-men"),
    estimate=_float(),
    std_error=_float(pa.Check.ge(0)),
    conf_low=_float(),
    conf_high=_float(),
    p_value=_float(SHARE),
    df=_float(pa.Check.gt(0)),
    level=_float(SHARE),
    n=_count(),
    n_treated=_count(),
    n_control=_count(),
    n_clusters=_count(),
    unit=_text(),
    note=_text(empty=True),
    # the fewest with or without an outcome given as a share: before the gate only
    least=_behind(),
)

NET_EFFECTS = _table(
    "net_effects",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    group=_text("all", "women", "men"),
    displacement=_float(SHARE),
    effect=_float(),
    conf_low=_float(),
    conf_high=_float(),
    jobs=_float(),
    jobs_low=_float(),
    jobs_high=_float(),
    unit=_text(),
    note=_text(empty=True),
)

PATHS = _table(
    "paths",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    group=_text("all", "women", "men", "women-men"),
    kind=_text(
        "effect", "level_treated", "level_control", "cumulated", "cumulated_treated",
        "cumulated_control", "cumulated_observed", "area", "first_above", "last_above",
        "first_below", "last_below",
    ),
    estimator=_text(empty=True),
    estimate=_float(),
    std_error=_float(pa.Check.ge(0)),
    conf_low=_float(),
    conf_high=_float(),
    band_low=_float(),
    band_high=_float(),
    critical=_float(pa.Check.gt(0)),
    level=_float(SHARE),
    n=_count(),
    unit=_text(),
    note=_text(empty=True),
    # the smallest of the arms and genders behind a row: before the gate only
    n_least=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
)  # fmt: skip

INCIDENCE = _table(
    "incidence",
    outcome=_text(),
    month=_month(empty=False),
    arm=_text(),
    group=_text("all", "women", "men", "women-men"),
    kind=_text(
        "incidence_treated", "incidence_control", "difference", "competing_treated",
        "competing_control", "competing_difference", "restricted_mean_treated",
        "restricted_mean_control", "restricted_mean_difference", "time_lost_treated",
        "time_lost_control", "time_lost_difference",
    ),
    estimate=_float(),
    std_error=_float(pa.Check.ge(0)),
    conf_low=_float(),
    conf_high=_float(),
    band_low=_float(),
    band_high=_float(),
    critical=_float(pa.Check.gt(0)),
    level=_float(SHARE),
    at_risk=_count(),
    n=_count(),
    unit=_text(),
    note=_text(empty=True),
    # persons by then: before the gate only, which judges their increments
    n_entered=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
    n_competing=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
)  # fmt: skip

DOSE = _table(
    "dose",
    kind=_text(),
    month=_count(empty=False),
    arm=_text(),
    group=_text("all", "women", "men", "women-men"),
    n=_count(),
    mean=_float(),
    std_error=_float(pa.Check.ge(0)),
    conf_low=_float(),
    conf_high=_float(),
    share_any=_float(pa.Check.in_range(-1, 1)),
    unit=_text(),
    # persons with any activity: before the gate only, which judges shares by it
    n_any=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
)

COST_RECORDS = _table(
    "cost_records",
    item=_text(),
    arm=_text(empty=True),
    site=_text(empty=True),
    payer=_text(*PAYERS),
    basis=_text(*BASES),
    quantity=_float(),
    unit=_text(empty=True),
    unit_price=_float(pa.Check.ge(0)),
    currency=_text(),
    price_year=_count(empty=False),
    fixed=pa.Column("boolean", coerce=True, nullable=True),
)

COSTS = _table(
    "costs",
    item=_text(),
    arm=_text(),
    payer=_text(*PAYERS),
    basis=_text(*BASES),
    amount=_float(pa.Check.ge(0)),
    per_offer=_float(),
    per_participant=_float(),
    currency=_text(),
    price_year=_count(),
)

COST_EFFECTIVENESS = _table(
    "cost_effectiveness",
    outcome=_text(),
    month=_month(),
    arm=_text(),
    group=pa.Column(str, GROUP, coerce=True),
    perspective=_text("public"),
    basis=_text(*BASES),
    incremental_cost=_float(),
    incremental_cost_se=_float(pa.Check.ge(0)),
    effect=_float(),
    effect_se=_float(pa.Check.ge(0)),
    denominator=_text("offer", "participant"),
    icer=_float(),
    icer_low=_float(),
    icer_high=_float(),
    icer_set=_text("interval", "unbounded", "whole line", empty=True),
)

BUILD_ONLY = {
    "cleaning": ("persons", "women_persons", "men_persons"),
    "dose": ("n_any",),
    "design_checks": ("least",),
    "paths": ("n_least",),
    "incidence": ("n_entered", "n_competing"),
    "bounds": ("missing_treated", "missing_control"),
    "participation": ("takers_treated", "takers_control"),
    "compliers": tuple(c for c in COMPLIERS.columns if c.endswith(("_treated", "_control"))),
    "spillovers": ("least",),
}


def released(name: str) -> pa.DataFrameSchema:
    """Return the schema of a table of `results/`: without what the gate alone may see."""
    schema: pa.DataFrameSchema = globals()[name.upper()]
    return schema.remove_columns([c for c in BUILD_ONLY.get(name, ()) if c in schema.columns])
