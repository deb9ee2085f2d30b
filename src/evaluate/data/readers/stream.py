"""Read a raw table of any size as text, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from evaluate.data.readers.content import Content
from evaluate.data.readers.read import open_source
from evaluate.data.readers.source import Source, missing_columns
from evaluate.errors import DataError, Problems
from evaluate.plan.sources import Table

SOURCE_ROW = "source_row"


@dataclass(frozen=True)
class Stream:
    """A raw table that is being read.

    Attributes
    ----------
    path : str
        The file, or what stands for a database, at the head of messages.
    header : list of str
        All its columns.
    how : str
        How it is read, for messages.
    batches : iterator of RecordBatch
        The wanted columns as text without spaces around, empty where a cell is, and
        ``source_row``, int64: 1 is the first row below the header. Faults of the file are
        raised when they are met, or at the end: nothing holds before it has ended.
    content : Content, optional
        What was read from a database so far, for `content.fingerprint`.
    """

    path: str
    header: list[str]
    how: str
    batches: Iterator[pa.RecordBatch]
    content: Content | None = None


def open_stream(
    table: Table, name: str, columns: Sequence[tuple[str, str]] | None = None
) -> Stream:
    """Open a table named in the plan.

    Parameters
    ----------
    table : Table
        A file, or a query to a database.
    name : str
        Its name under `data`, for messages.
    columns : sequence of (str, str), optional
        Keys of the plan, each with the column that it names; all columns by default.

    Raises
    ------
    DataError
        If the table cannot be opened.
    Problems
        If columns are not there.
    """
    source, content = open_source(table, name)
    if columns is not None and (
        absent := missing_columns(source.path, source.how, source.header, columns)
    ):
        raise Problems(absent)
    wanted = source.header if columns is None else dict.fromkeys(name for _, name in columns)
    if SOURCE_ROW in wanted:
        raise DataError(
            f"{source.path}: column `{SOURCE_ROW}`: the numbers of the rows are called so. "
            "Give the column another name."
        )
    return Stream(source.path, source.header, source.how, _numbered(source, list(wanted)), content)


def _numbered(source: Source, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    row = 1
    for batch in source.batches:
        numbers = pa.array(np.arange(row, row + len(batch), dtype=np.int64))
        row += len(batch)
        yield pa.RecordBatch.from_arrays(
            [*(batch[column] for column in wanted), numbers], names=[*wanted, SOURCE_ROW]
        )
