"""Read the answer of a database to a query; its address is nowhere told.

A driver's own words may quote the address or the data, so none of them is passed on: what is
told is the table, the name of the environment variable and the kind of fault.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from evaluate.data.readers.cells import as_text, objects_as_text
from evaluate.data.readers.source import Source
from evaluate.errors import DataError, EvaluateError
from evaluate.plan.sources import Table

if TYPE_CHECKING:
    import sqlalchemy as sa

ROWS = 100_000
POSTGRESQL = re.compile(r"postgres(ql)?://")
CONNECT = "cannot connect to the database. Is the address right, and the database running?"
ZONE = "its time zone is not known here. Set a zone such as UTC in the database."
REFUSED = "the database refuses the query{state}. Try the query in the database's own client."
ENDLESS = {  # PostgreSQL's days and moments without end, as they come through Arrow
    b"date": {-2147472692: "infinity", -2147472691: "-infinity"},
    b"timestamp": {-9222425352054775809: "infinity", -9222425352054775808: "-infinity"},
}
ENDLESS[b"timestamptz"] = ENDLESS[b"timestamp"]
READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}
Answer = TypeVar("Answer")


def read_database(table: Table, name: str) -> Source:
    """Open the answer to a query.

    Addresses that begin with ``postgresql://`` go through ADBC, any other through SQLAlchemy.
    Nothing is written: where the database can, the transaction is read-only, and it is never
    committed.

    Raises
    ------
    DataError
        If the variable is not set, the database cannot be reached or refuses the query, or a
        column holds neither texts, numbers nor days. None of it tells the address.
    """
    where = f"data.{name} (database in {table.url_env})"
    address, query = os.environ.get(table.url_env or "", "").strip(), table.query or ""
    if not address:
        raise DataError(
            f"{where}: the environment variable {table.url_env} is not set. Set it to the "
            "address of the database, and to nothing that is kept with the study."
        )
    read = _postgresql if POSTGRESQL.match(address) else _sqlalchemy
    answer = read(address, f"{query.strip().removesuffix(';')}\n", where)
    header = next(answer)
    if not header:
        raise DataError(f"{where}: the query gives no table. Write one that begins with select.")
    return Source(where, header, "a database", answer, "Is the condition of the query right?")


def _attempt(where: str, what: str, step: Callable[[], Answer]) -> Answer:
    """Take a step of a driver; where it fails, say what failed, and nothing of its words."""
    try:
        return step()
    except EvaluateError:
        raise
    except Exception as error:
        fault = what.format(state=_state(error))
        if isinstance(error, ImportError) and error.name:
            fault = f"the package {error.name}, which the address needs, is not installed."
    raise DataError(f"{where}: {fault}")  # outside, so that the driver's error is no part of it


def _state(error: Exception) -> str:
    """Return the SQLSTATE, which classes a fault, if there is one."""
    for told in (error, getattr(error, "orig", None)):
        state = getattr(told, "sqlstate", None) or getattr(told, "pgcode", None)
        if state and re.fullmatch("[0-9A-Z]{5}", str(state)):
            return f" (SQLSTATE {state})"
    return ""


def _postgresql(address: str, query: str, where: str) -> Iterator[Any]:
    """Give the header, then batches, through ADBC."""
    from adbc_driver_postgresql import dbapi

    connection = _attempt(where, CONNECT, lambda: dbapi.connect(address))
    cursor = connection.cursor()
    try:
        zone = _attempt(where, CONNECT, lambda: _prepared(cursor))
        reader = _attempt(where, REFUSED, lambda: _executed(cursor, query))
        yield reader.schema.names
        while (batch := _attempt(where, REFUSED, lambda: next(reader, None))) is not None:
            columns = []
            for i, (column, field) in enumerate(zip(batch.columns, batch.schema, strict=True), 1):
                spell = partial(_spelled, column, field, zone, f"{where}: column {i}")
                columns.append(_attempt(where, ZONE, spell))
            yield pa.RecordBatch.from_arrays(columns, names=_positions(columns))
    finally:
        with suppress(Exception):
            cursor.close()
        with suppress(Exception):
            connection.close()  # uncommitted


def _prepared(cursor: Any) -> str:
    """Make the transaction read-only and silent, and return the zone it tells moments in."""
    cursor.execute(READ_ONLY["postgresql"])
    cursor.execute("SET client_min_messages TO error")  # notices would go to the log
    cursor.execute("SELECT current_setting('TimeZone')")
    return str(cursor.fetchone()[0])


def _executed(cursor: Any, query: str) -> pa.RecordBatchReader:
    cursor.execute(query)
    return cursor.fetch_record_batch()


def _spelled(column: pa.Array, field: pa.Field, zone: str, where: str) -> pa.Array:
    """Spell a column as PostgreSQL would: moments in the session's zone, days without end."""
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"")
    if kind == b"money":
        raise DataError(f"{where} holds money, of no known unit. Write `::numeric` behind it.")
    endless = None
    if kind in ENDLESS:
        days = column.cast(pa.int32() if kind == b"date" else pa.int64())
        place = pc.index_in(days, pa.array(list(ENDLESS[kind]), days.type))
        endless = pa.array(ENDLESS[kind].values()).take(place)
        column = pc.if_else(endless.is_valid(), None, column)
    if kind == b"timestamptz":
        column = column.cast(pa.timestamp("us", zone))
    text = as_text(column, where)
    return text if endless is None else pc.coalesce(endless, text)


def _sqlalchemy(address: str, query: str, where: str) -> Iterator[Any]:
    """Give the header, then batches, through SQLAlchemy."""
    engine = _attempt(where, CONNECT, lambda: _engine(address))
    connection = _attempt(where, CONNECT, engine.connect)
    try:
        if read_only := READ_ONLY.get(engine.dialect.name):
            _attempt(where, CONNECT, lambda: connection.exec_driver_sql(read_only))
        answer = connection.execution_options(
            stream_results=True, yield_per=ROWS, no_parameters=True
        )
        result = _attempt(where, REFUSED, lambda: answer.exec_driver_sql(query))
        yield _attempt(where, REFUSED, lambda: list(result.keys()))
        parts = result.partitions(ROWS)
        while rows := _attempt(where, REFUSED, lambda: next(parts, None)):
            columns = [
                objects_as_text(values, f"{where}: column {i}")
                for i, values in enumerate(zip(*rows, strict=True), 1)
            ]
            yield pa.RecordBatch.from_arrays(columns, names=_positions(columns))
    finally:
        with suppress(Exception):
            connection.close()  # uncommitted
        with suppress(Exception):
            engine.dispose()


def _engine(address: str) -> sa.Engine:
    import sqlalchemy as sa

    url = sa.make_url(address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise FileNotFoundError  # SQLite would make an empty one
    return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)


def _positions(columns: Sequence[pa.Array]) -> list[str]:
    return [str(i) for i in range(len(columns))]
