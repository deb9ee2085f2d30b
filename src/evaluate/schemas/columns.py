"""Kinds of columns that the files of the flow share."""

from __future__ import annotations

import pandera.pandas as pa

SHARE = pa.Check.in_range(0, 1)
GROUP = pa.Check.str_matches(r"^(all|women|men|women-men|.+=.+)$")
PAYERS = ("public", "municipality", "eu_fund", "employer", "participant")
BASES = ("budget", "unit_cost", "economic")


def text(*allowed: str, empty: bool = False) -> pa.Column:
    """Give a text, one of those allowed."""
    checks = [pa.Check.isin(allowed)] if allowed else []
    return pa.Column(str, checks, nullable=empty, coerce=True)


def real(*checks: pa.Check, regex: bool = False, required: bool = True) -> pa.Column:
    """Give a number that may be missing."""
    return pa.Column(
        float, list(checks), nullable=True, coerce=True, regex=regex, required=required
    )


def count(empty: bool = True) -> pa.Column:
    """Give a count."""
    return pa.Column("Int64", pa.Check.ge(0), nullable=empty, coerce=True)


def behind() -> pa.Column:
    """Give a count behind a number, which the gate alone may see."""
    return pa.Column("Int64", pa.Check.ge(0), nullable=True, coerce=True, required=False)


def month_column(empty: bool = True) -> pa.Column:
    """Give a month: whole, below 1 before time zero."""
    return pa.Column("Int64", nullable=empty, coerce=True)


def table(name: str, /, **columns: pa.Column) -> pa.DataFrameSchema:
    """Give a table with these columns in this order, and no others."""
    return pa.DataFrameSchema(columns, name=name, strict=True, ordered=True)
