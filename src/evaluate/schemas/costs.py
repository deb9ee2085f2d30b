"""Files of the stage `costs`."""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import (
    BASES,
    GROUP,
    PAYERS,
    SHARE,
    count,
    month_column,
    real,
    table,
    text,
)

NO_SITE = "(none)"  # of records without a site, and of persons whose site is not known

COST_RECORDS = table(
    "cost_records",
    item=text(),
    arm=text(empty=True),
    site=text(empty=True),
    payer=text(*PAYERS),
    basis=text(*BASES),
    quantity=real(),
    unit=text(empty=True),
    unit_price=real(pa.Check.ge(0)),
    currency=text(),
    price_year=count(empty=False),
    fixed=pa.Column("boolean", coerce=True, nullable=True),
    stated=text(empty=True),
)

COSTS = table(
    "costs",
    item=text(),
    arm=text(),
    payer=text(*PAYERS),
    basis=text(*BASES),
    amount=real(pa.Check.ge(0)),
    per_offer=real(),
    per_participant=real(),
    currency=text(),
    price_year=count(),
    stated=text(empty=True),
    source=text("plan", "persons", "records", "person_months"),
)

STAFF_HOURS = table(
    "staff_hours",
    role=text(),
    arm=text(empty=True),
    payer=text(*PAYERS),
    year=count(empty=False),
    hours_reported=real(pa.Check.ge(0)),
    hours_claimed=real(pa.Check.ge(0)),
    hours_above_month=real(pa.Check.ge(0)),
    hours_above_year=real(pa.Check.ge(0)),
)

COSTS_BY_SITE = table(
    "costs_by_site",
    site=text(),
    arm=text(),
    payers=text("public", "all"),
    basis=text(*BASES),
    amount=real(),
    share=real(),
    n=count(),
    n_participants=count(),
    per_offer=real(),
    per_participant=real(),
    currency=text(),
    price_year=count(),
)

# What the amounts by site are made of, for the gate alone: items, or persons without a name.
COST_PARTS = table(
    "cost_parts",
    site=text(),
    arm=text(),
    payers=text("public", "other"),
    basis=text(*BASES),
    part=text(),
    amount=real(),
    common=real(),
    currency=text(),
    price_year=count(),
)

COST_EFFECTIVENESS = table(
    "cost_effectiveness",
    outcome=text(),
    month=month_column(),
    arm=text(),
    group=pa.Column(str, GROUP, coerce=True),
    perspective=text("public"),
    basis=text(*BASES),
    incremental_cost=real(),
    incremental_cost_se=real(pa.Check.ge(0)),
    effect=real(),
    effect_se=real(pa.Check.ge(0)),
    denominator=text("offer", "participant"),
    icer=real(),
    icer_low=real(),
    icer_high=real(),
    icer_set=text("interval", "unbounded", "whole line", empty=True),
    icer_low_drawn=real(),
    icer_high_drawn=real(),
    correlation=real(pa.Check.in_range(-1.000001, 1.000001)),
    quadrant_ne=real(pa.Check.in_range(0, 1)),
    quadrant_nw=real(pa.Check.in_range(0, 1)),
    quadrant_se=real(pa.Check.in_range(0, 1)),
    quadrant_sw=real(pa.Check.in_range(0, 1)),
)

ACCEPTABILITY = table(
    "acceptability",
    outcome=text(),
    month=month_column(),
    arm=text(),
    group=pa.Column(str, GROUP, coerce=True),
    perspective=text("public"),
    basis=text(*BASES),
    threshold=real(),
    net_benefit=real(),
    conf_low=real(),
    conf_high=real(),
    probability=real(pa.Check.in_range(0, 1)),
    is_best=pa.Column("boolean", coerce=True, nullable=True),
    perfect_information=real(pa.Check.ge(0)),
)

CHEERS = table(
    "cheers",
    item=pa.Column("Int64", pa.Check.in_range(1, 28), unique=True, coerce=True),
    name=text(),
    status=text("answered", "absent", "missing"),
    where=text(empty=True),
    answer=text(),
)

PERSPECTIVES = ("participant", "public", "employer", "others", "society")
PERSISTENCE = ("none", "constant", "decaying")

COST_BENEFIT = table(
    "cost_benefit",
    outcome=text(),
    arm=text(),
    group=pa.Column(str, GROUP, coerce=True),
    perspective=text(*PERSPECTIVES),
    persistence=text(*PERSISTENCE),
    horizon_years=real(pa.Check.gt(0)),
    discount_rate=real(pa.Check.ge(0)),
    denominator=text("offer", "participant"),
    benefit_pv=real(),
    cost_pv=real(),
    net_pv=real(),
    net_pv_se=real(pa.Check.ge(0)),
    net_pv_low=real(),
    net_pv_high=real(),
    irr=real(pa.Check.gt(-1)),
    break_even_month=real(pa.Check.ge(1)),
    mvpf=real(),
    mvpf_low=real(),
    mvpf_high=real(),
    probability_pays_back=real(SHARE),
    note=text(empty=True),
)

ACCOUNTS = table(
    "accounts",
    perspective=text(*PERSPECTIVES),
    line=text(),
    arm=text(),
    group=pa.Column(str, GROUP, coerce=True),
    persistence=text(*PERSISTENCE),
    horizon_years=real(pa.Check.gt(0)),
    discount_rate=real(pa.Check.ge(0)),
    denominator=text("offer", "participant"),
    giver=text(*PERSPECTIVES[:-1], empty=True),
    taker=text(*PERSPECTIVES[:-1], empty=True),
    amount=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
)

COST_SENSITIVITY = table(
    "cost_sensitivity",
    analysis=text("one_way", "probabilistic"),
    outcome=text(),
    arm=text(),
    group=pa.Column(str, GROUP, coerce=True),
    perspective=text(*PERSPECTIVES),
    persistence=text(*PERSISTENCE),
    horizon_years=real(pa.Check.gt(0)),
    denominator=text("offer", "participant"),
    parameter=text(),
    distribution=text(empty=True),
    low=real(),
    high=real(),
    net_pv_low=real(),
    net_pv_high=real(),
    net_pv=real(),
    probability=real(SHARE),
)
