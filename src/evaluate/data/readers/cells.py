"""From typed cells, as files and databases hold them, to the text that a CSV would have."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from evaluate.errors import DataError

EXACT = 2.0**53  # whole numbers below it are exact as floats


def as_text(column: pa.Array | pa.ChunkedArray, where: str) -> pa.Array:
    """Spell a typed column: 1 not 1.0, a day as 2019-01-31, nothing where missing.

    Parameters
    ----------
    column : Array or ChunkedArray, shape (n,)
        Texts, numbers, truth values, days, times, or moments, which are told in their zone.
    where : str
        File and column, for the message.

    Raises
    ------
    DataError
        If the column holds anything else.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ExtensionArray):
        if isinstance(column.type, pa.UuidType):
            return pa.array([str(value or "") for value in column.to_pylist()], pa.string())
        column = column.storage
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if kinds.is_floating(kind):
        column = _floats(column)
    elif kinds.is_boolean(kind):
        column = pc.if_else(column, "True", "False")
    elif kinds.is_timestamp(kind):
        column = _moments(column)
    elif kinds.is_date64(kind):
        column = column.cast(pa.date32())
    elif kinds.is_time(kind):
        column = pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    elif not any(is_kind(kind) for is_kind in PLAIN):
        raise DataError(
            f"{where} holds {str(kind).split('<')[0].split('[')[0]}, not texts, numbers or days. "
            "Give it as text, or leave it out."
        )
    return pc.utf8_trim_whitespace(column.cast(pa.string()).fill_null(""))


PLAIN = (
    kinds.is_string, kinds.is_large_string, kinds.is_string_view, kinds.is_null,
    kinds.is_integer, kinds.is_decimal, kinds.is_date32,
)  # fmt: skip


def _floats(column: pa.Array) -> pa.Array:
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), EXACT))
    integers = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
    texts = column.cast(pa.string())
    spelled_out = pc.and_(pc.match_substring(texts, "e"), pc.invert(whole))
    if pc.any(spelled_out).as_py():  # 1.5e+10
        some = column.filter(spelled_out).to_numpy(zero_copy_only=False)
        plain = [np.format_float_positional(value, trim="-") for value in some]
        texts = pc.replace_with_mask(texts, spelled_out.fill_null(False), pa.array(plain))
    texts = pc.if_else(pc.is_nan(column), None, texts)
    return pc.coalesce(integers, texts)


def _moments(column: pa.Array) -> pa.Array:
    """Spell moments as days where it is midnight, and without fractions of 0 seconds."""
    zone = column.type.tz
    column = column.cast(pa.timestamp("us", zone), safe=False)
    if zone:
        column = pc.local_timestamp(column)
    texts = column.cast(pa.string())  # 2019-01-31 08:00:00.000000
    return pc.replace_substring_regex(
        pc.replace_substring(texts, ".000000", ""), "^(.{10}) 00:00:00$", r"\1"
    )


def objects_as_text(values: Sequence[object], where: str) -> pa.Array:
    """Spell cells that are Python's objects, each by itself.

    Raises
    ------
    DataError
        If one of them is bytes, which are no text.
    """
    if not all(isinstance(value, str | None) for value in values):
        if any(isinstance(value, bytes | memoryview) for value in values):
            raise DataError(
                f"{where} holds bytes, not texts, numbers or days. Give it as text, or leave it "
                "out."
            )
        values = [_cell(value) for value in values]
    return pc.utf8_trim_whitespace(pa.array(values, pa.string()).fill_null(""))


def _cell(value: object) -> str:
    if value is None or value != value:  # NaN and NaT are not themselves
        return ""
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=None)
        return str(value.date() if value.time() == datetime.time() else value)
    if isinstance(value, float):
        return (
            str(int(value)) if value.is_integer() else np.format_float_positional(value, trim="-")
        )
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    return str(value)
