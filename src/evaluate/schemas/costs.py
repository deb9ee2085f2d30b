"""Files of the stage `costs`."""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import BASES, GROUP, PAYERS, count, month_column, real, table, text

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
)
