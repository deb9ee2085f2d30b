"""Files of the stage `data`: persons, outcomes, decisions, states, activities, cost records."""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import SHARE, count, month_column, real, table, text

PARTICIPANTS = pa.DataFrameSchema(
    {
        "source_row": pa.Column("int64", pa.Check.ge(1)),  # several rows of one in risk sets
        "person": pa.Column(str, coerce=True, nullable=True),  # a pseudonym
        "arm": pa.Column(str, coerce=True),
        "gender": pa.Column(str, pa.Check.isin(["women", "men"]), coerce=True, nullable=True),
        "takeup": real(pa.Check.isin([0, 1])),
        "block": pa.Column(str, coerce=True, nullable=True),
        "cluster": pa.Column(str, coerce=True, nullable=True, required=False),
        "weight": real(pa.Check.gt(0)),
        "share": real(SHARE),
        "saturation": pa.Column(float, SHARE, coerce=True, nullable=True, required=False),
        "cost": real(),
        "site": pa.Column(str, coerce=True, nullable=True, required=False),
        # Calendar months, counted from the year 0: of time zero, and of the first start.
        "time_zero_month": pa.Column("Int64", coerce=True, nullable=True, required=False),
        "started_month": pa.Column("Int64", coerce=True, nullable=True, required=False),
        r"^lottery\.": pa.Column(nullable=True, regex=True, required=False),
        r"^covariate\.": pa.Column(nullable=True, regex=True, required=False),
        r"^baseline\.": real(regex=True, required=False),
        r"^dose\.": real(pa.Check.ge(0), regex=True, required=False),
        r"^group\.": pa.Column(str, coerce=True, nullable=True, regex=True, required=False),
    },
    name="participants",
    strict=True,
)

OUTCOMES = pa.DataFrameSchema(
    {"^.+$": real(regex=True, required=True)}, name="outcomes", strict=True
)

QUARANTINE = table(
    "quarantine",
    table=text(),
    source_row=pa.Column("int64", pa.Check.ge(1), coerce=True),
    reason=text(),
)

FLOW = pa.DataFrameSchema(
    {
        "step": text(
            "received", "excluded", "noted", "added", "included", "accepted", "started",
            "took_part", "followed", "analysed",
        ),
        "reason": text(empty=True),
        "n": count(),
        "women": count(),
        "men": count(),
        r"^arm=": pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, regex=True),
    },
    name="flow",
    strict=True,
)  # fmt: skip

CLEANING = table(
    "cleaning",
    table=text(),
    step=text("received", "excluded", "noted", "kept"),
    reason=text(empty=True),
    n=count(),
    women=count(),
    men=count(),
    # distinct persons behind the rows: before the gate only, which judges rows by them
    persons=count(empty=False),
    women_persons=count(empty=False),
    men_persons=count(empty=False),
)

STATES = table(
    "states",
    state=text(),
    month=month_column(empty=False),
    arm=text(),
    group=text("all", "women", "men", "women-men"),
    n=count(),
    share=real(pa.Check.in_range(-1, 1)),
)

DOSE = table(
    "dose",
    kind=text(),
    month=count(empty=False),
    arm=text(),
    group=text("all", "women", "men", "women-men"),
    n=count(),
    mean=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    share_any=real(pa.Check.in_range(-1, 1)),
    unit=text(),
    # persons with any activity: before the gate only, which judges shares by it
    n_any=pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False),
)
