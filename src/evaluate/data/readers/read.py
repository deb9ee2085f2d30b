"""Read a raw table as text, whatever made the file; nothing is guessed silently."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from evaluate.data.readers.content import Content
from evaluate.data.readers.database import read_database
from evaluate.data.readers.delimited import read_delimited
from evaluate.data.readers.excel import read_excel
from evaluate.data.readers.parquet import read_parquet
from evaluate.data.readers.source import Source, checked, missing_columns
from evaluate.data.readers.statistical import read_statistical
from evaluate.errors import DataError
from evaluate.plan.sources import Table

READERS: dict[str, Callable[[Path, Table, str], Source]] = {
    ".parquet": read_parquet,
    ".xlsx": read_excel,
    ".dta": read_statistical,
    ".sav": read_statistical,
    ".zsav": read_statistical,
    ".sas7bdat": read_statistical,
}
MAGIC = {
    b"PK\x03\x04": (".xlsx", "an Excel file"),
    b"PAR1": (".parquet", "a Parquet file"),
    b"\xd0\xcf\x11\xe0": (".xls", "an old Excel file, or an encrypted one"),
    b"<sta": (".dta", "a Stata file"),
    b"$FL2": (".sav", "an SPSS file"),
    b"$FL3": (".zsav", "an SPSS file"),
}


@dataclass(frozen=True)
class RawTable:
    """A raw table: its cells as text, and how the file was read.

    Attributes
    ----------
    path : str
        Where the file lies, as the plan says.
    cells : DataFrame of str
        One row per row of the file, in its order; an empty text where a cell is empty.
    how : str
        How the file was read, for messages: "UTF-8, semicolon".
    content : Content, optional
        What was read from a database, for `content.fingerprint`.
    """

    path: str
    cells: pd.DataFrame
    how: str
    content: Content | None = None

    def missing_columns(self, wanted: Sequence[tuple[str, str]]) -> list[DataError]:
        """Say which columns are not there, see `source.missing_columns`."""
        return missing_columns(self.path, self.how, list(self.cells.columns), wanted)


def read_table(table: Table, name: str = "participants") -> RawTable:
    """Read a table named in the plan, whole.

    Columns without a name and rows at the end that hold nothing, as spreadsheets leave
    them, are not part of the table; names have single spaces.

    Parameters
    ----------
    table : Table
        A file, or a query to a database.
    name : str
        Its name under `data`, for messages.

    Raises
    ------
    DataError
        If the file is missing, empty, has no rows, does not have the declared encoding,
        or has rows with another number of fields than its header.
    """
    source, content = open_source(table, name)
    schema = pa.schema([(column, pa.string()) for column in source.header])
    cells = pa.Table.from_batches(source.batches, schema).to_pandas()
    return RawTable(source.path, cells, source.how, content)


def open_source(table: Table, name: str) -> tuple[Source, Content | None]:
    """Open a table, and where it is a database, what keeps count of its content.

    Raises
    ------
    DataError
        If it cannot be opened or its header is not one.
    """
    if table.url_env is not None:
        content = Content()
        source = checked(read_database(table, name))
        return content.of(source), content
    path = Path(str(table.path))
    suffix = path.suffix.lower()
    _check_file(path, suffix, name)
    return checked(READERS.get(suffix, read_delimited)(path, table, name)), None


def _check_file(path: Path, suffix: str, name: str) -> None:
    """Check that a file is there, can be opened, is not empty and is what its name says."""
    if path.is_dir():
        raise DataError(f"{path}: a folder, not a file. Mend data.{name}.path.")
    if not path.is_file():
        slash = " Write / between folders." if "\\" in str(path) else ""
        raise DataError(f"{path}: no such file. Put it there, or mend data.{name}.path.{slash}")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read: {error.strerror}. Is it open elsewhere?"
        ) from None
    if not start:
        raise DataError(f"{path}: the file is empty (0 bytes). Ask for a new delivery.")
    true_suffix, kind = MAGIC.get(start, (suffix, ""))
    if true_suffix == ".xls":
        raise DataError(f"{path}: {kind}. Save it as .xlsx without a password, or as CSV UTF-8.")
    if true_suffix != suffix and {true_suffix, suffix} != {".sav", ".zsav"}:
        raise DataError(f"{path}: {kind} by its content. Name it {path.stem}{true_suffix}.")
