"""The kept rows of a staged table in order, whole persons at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import numpy as np
import pyarrow as pa

Rows = dict[str, np.ndarray]
CHUNK = 1_000_000  # rows at a time


def whole_persons(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]
) -> Iterator[Rows]:
    """Give the kept rows sorted by place and then by the other columns.

    Nobody's rows are split, and the order is the same in every run, so that sums are, too.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Nothing else may be asked of it before the last rows are given.
    table : str
        The name of a staged table, see `decisions.stage`.
    columns : sequence of str
        Expressions in SQL to sort by after the place, such as ``coalesce(code, -1) AS code``.

    Yields
    ------
    dict of str to ndarray, shape (n,)
        ``place``, the columns by their names, ``gender`` and ``source_row``.
    """
    relation = connection.sql(
        f"SELECT place, {', '.join(columns)}, gender, source_row FROM {table} "
        "WHERE decision = 0 ORDER BY ALL"
    )
    waiting: list[Rows] = []
    for batch in relation.to_arrow_reader(CHUNK):
        rows = {name: np.asarray(batch[name]) for name in batch.schema.names}
        place = rows["place"]
        if not len(place):
            continue
        cut = int(np.searchsorted(place, place[-1]))
        if cut:  # a person begins within the batch: what came before is whole
            yield _joined([*waiting, where(rows, np.s_[:cut])])
            waiting = []
        waiting.append(where(rows, np.s_[cut:]))
    if waiting:
        yield _joined(waiting)


def where(rows: Mapping[str, np.ndarray], chosen: np.ndarray | slice) -> Rows:
    """Return the chosen rows."""
    return {name: values[chosen] for name, values in rows.items()}


def repeats(rows: Mapping[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """Return which rows are the same as the row before in all the named columns, shape (n,)."""
    again = np.zeros(len(rows["place"]), dtype=bool)
    if len(again):
        again[1:] = np.logical_and.reduce([_same(rows[name]) for name in names])
    return again


def rest_of(batch: pa.RecordBatch, used: Sequence[str]) -> pa.Array:
    """Return what is in the columns that are not used, as one column, shape (n,).

    Two rows are exact duplicates only where these are the same, too; its hash is enough.
    """
    others = [name for name in batch.schema.names if name not in (*used, "source_row")]
    if not others:
        return pa.array(np.zeros(batch.num_rows, dtype=np.int8))
    names = [f"rest_{i}" for i in range(len(others))]
    return pa.StructArray.from_arrays([batch[name] for name in others], names)


def _same(values: np.ndarray) -> np.ndarray:
    same = values[1:] == values[:-1]
    if values.dtype.kind == "f":
        same |= np.isnan(values[1:]) & np.isnan(values[:-1])
    return same


def _joined(parts: Sequence[Rows]) -> Rows:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
