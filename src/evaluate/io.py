"""Read and write the files between the stages: whole or not at all, the same bytes each time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.parquet

from evaluate.errors import ReleaseError


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path that becomes ``path`` only if nothing fails before the end.

    Raises
    ------
    ReleaseError
        If the file cannot be written; what was there before is then untouched.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        os.replace(draft, path)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "the disk may be full"
        raise ReleaseError(
            f"{path}: cannot be written: {why}. Nothing is left half written."
        ) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def checked(frame: pd.DataFrame, schema: pa.DataFrameSchema, path: str | Path) -> pd.DataFrame:
    """Return ``frame`` in the types of ``schema``.

    Raises
    ------
    ReleaseError
        With the columns and rules that are broken, and in how many rows.
    """
    try:
        return schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        broken = error.failure_cases.groupby(["column", "check"], dropna=False).size()
        what = "; ".join(f"{column}: {check} ({n} rows)" for (column, check), n in broken.items())
        raise ReleaseError(f"{path}: not a {schema.name} table: {what}.") from None


def read_parquet(path: str | Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a Parquet file between stages and check it against its schema."""
    return checked(pd.read_parquet(path), schema, path)


def write_parquet(frame: pd.DataFrame, path: str | Path, schema: pa.DataFrameSchema) -> None:
    """Check a table against its schema and write it as Parquet."""
    frame = checked(frame, schema, path)
    with whole(path) as draft:
        frame.to_parquet(draft, index=False)


def write_table(table: pyarrow.Table, path: str | Path) -> None:
    """Write a table of any size as Parquet; its maker has seen to its columns."""
    with whole(path) as draft:
        pyarrow.parquet.write_table(table.replace_schema_metadata(None), draft)


def read_csv(path: str | Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a released table and check it against its schema."""
    text = {n: str for n, c in schema.columns.items() if str(c.dtype).startswith(("str", "object"))}
    frame = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])
    return checked(frame, schema, path)


def write_csv(frame: pd.DataFrame, path: str | Path, schema: pa.DataFrameSchema) -> None:
    """Check a table against its schema and write it as CSV, UTF-8, empty where missing."""
    frame = checked(frame, schema, path)
    with whole(path) as draft:
        frame.to_csv(draft, index=False, lineterminator="\n", encoding="utf-8")


def write_json(content: Any, path: str | Path) -> None:
    """Write JSON with sorted keys."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(text + "\n", path)


def write_text(text: str, path: str | Path) -> None:
    """Write a text as UTF-8 with plain line ends."""
    with whole(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")
