"""What every reader gives: a header and batches of text; what must hold of any of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from evaluate.errors import DataError


@dataclass(frozen=True)
class Source:
    """A raw table that is being read.

    Attributes
    ----------
    path : str
        The file, or what stands for a database, at the head of messages.
    header : list of str
        The first line of the file, as wide as its rows; empty where a column has no name.
    how : str
        How it is read, for messages: "UTF-8, semicolon".
    batches : iterator of RecordBatch
        The rows below in their order; cells as text without spaces around, columns by position.
        Faults that come to light on the way are raised by it.
    where_none : str
        What to do where there are no rows.
    """

    path: str
    header: list[str]
    how: str
    batches: Iterator[pa.RecordBatch]
    where_none: str = "Ask for a new delivery."


def checked(source: Source) -> Source:
    """Return the table with sound names and without what spreadsheets leave around one.

    Columns at the end without a name and rows at the end, in which nothing is, are not part
    of the table; names have single spaces.

    Raises
    ------
    DataError
        If a column has no name, or two share one, by position, for the first line may be a
        person's; from the batches, if there are no rows.
    """
    header = [" ".join(name.split()) for name in source.header]
    width = max((i for i, name in enumerate(header, 1) if name), default=0)
    names = header[:width]
    if "" in names or not names:
        raise _nameless(source, header)
    doubles = [str(i) for i, name in enumerate(names, 1) if names.count(name) > 1]
    if doubles:
        raise DataError(
            f"{source.path}: columns {', '.join(doubles)} of the header share a name. "
            "Is the first line the header?"
        )

    def batches() -> Iterator[pa.RecordBatch]:
        read = 0
        for batch in _without_empty_end(source.batches):
            if any(_is_filled(column) for column in batch.columns[width:]):
                raise _nameless(source, header)
            read += len(batch)
            yield pa.RecordBatch.from_arrays(batch.columns[:width], names=names)
        if not read:
            raise DataError(
                f"{source.path}: a header with {width} columns and 0 rows. {source.where_none}"
            )

    return replace(source, header=names, batches=batches())


def _nameless(source: Source, header: Sequence[str]) -> DataError:
    return DataError(
        f"{source.path}: {header.count('')} of {len(header)} columns have no name in "
        f"the header (read as {source.how}). Is the first line the header?"
    )


def _is_filled(column: pa.Array) -> bool:
    return bool(pc.any(pc.greater(pc.binary_length(column), 0)).as_py())


def _without_empty_end(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give the rows up to the last one that holds something."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        end = _end(batch)
        if end:
            yield from held
            yield batch[:end]
            held = []
        if end < len(batch):
            held.append(batch[end:])


def _end(batch: pa.RecordBatch) -> int:
    """Return how many rows there are up to the last one that holds something."""
    if not len(batch) or any(column[-1].as_py() for column in batch.columns):
        return len(batch)
    longest = pc.binary_length(batch.columns[0])
    for column in batch.columns[1:]:
        longest = pc.max_element_wise(longest, pc.binary_length(column))
    filled = pc.indices_nonzero(longest)
    return filled[-1].as_py() + 1 if len(filled) else 0


def missing_columns(
    path: str, how: str, names: Sequence[str], wanted: Sequence[tuple[str, str]]
) -> list[DataError]:
    """Say which columns are not there, which one is nearest, what may be the reason.

    Where none is there the first line may be a person's, so no name of it is shown.

    Parameters
    ----------
    path, how : str
        The table, and how it was read.
    names : sequence of str
        Its columns.
    wanted : sequence of (str, str)
        Keys of the plan, each with the column that it names.
    """
    missing = [(key, name) for key, name in wanted if name not in names]
    among = f"the {len(names)} column{'s' if len(names) > 1 else ''} (read as {how})"
    if missing and len(missing) == len(wanted):
        folded = {name.casefold() for name in names}
        if not any(name.casefold() in folded for _, name in missing):
            return [
                DataError(
                    f"{path}: none of the columns that the plan names is among {among}. "
                    "Is it the right file, its first line the header, the delimiter right?"
                )
            ]
    return [
        DataError(f"{path}: no column `{name}` ({key}) among {among}.{_near(name, names)}")
        for key, name in missing
    ]


def _near(name: str, names: Sequence[str]) -> str:
    folded = {n.casefold(): n for n in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.7)
    return f" Did you mean `{folded[near[0]]}`?" if near else ""
