"""Read a raw table as text, whatever made the file; nothing is guessed silently."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from evaluate.data.readers.delimited import read_delimited
from evaluate.data.readers.sheet import Sheet
from evaluate.errors import DataError
from evaluate.plan.sources import Table

MAGIC = {
    b"PK\x03\x04": (".xlsx", "an Excel file"),
    b"PAR1": (".parquet", "a Parquet file"),
    b"\xd0\xcf\x11\xe0": (".xls", "an old Excel file, or an encrypted one"),
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
    """

    path: str
    cells: pd.DataFrame
    how: str

    def missing_columns(self, wanted: Sequence[tuple[str, str]]) -> list[DataError]:
        """Say which columns are not there, which one is nearest, what may be the reason.

        Where none is there the first line may be a person's, so no name of it is shown.

        Parameters
        ----------
        wanted : sequence of (str, str)
            Keys of the plan, each with the column that it names.
        """
        names = list(self.cells.columns)
        missing = [(key, name) for key, name in wanted if name not in names]
        among = f"the {len(names)} column{'s' if len(names) > 1 else ''} (read as {self.how})"
        if missing and len(missing) == len(wanted):
            folded = {name.casefold() for name in names}
            if not any(name.casefold() in folded for _, name in missing):
                return [
                    DataError(
                        f"{self.path}: none of the columns that the plan names is among {among}. "
                        "Is it the right file, its first line the header, the delimiter right?"
                    )
                ]
        return [
            DataError(f"{self.path}: no column `{name}` ({key}) among {among}.{_near(name, names)}")
            for key, name in missing
        ]


def _near(name: str, names: list[str]) -> str:
    folded = {n.casefold(): n for n in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.7)
    return f" Did you mean `{folded[near[0]]}`?" if near else ""


def read_table(table: Table) -> RawTable:
    """Read a file named in the plan.

    Columns without a name and rows at the end that hold nothing, as spreadsheets leave
    them, are not part of the table; names have single spaces.

    Raises
    ------
    DataError
        If the file is missing, empty, has no rows, does not have the declared encoding,
        or has rows with another number of fields than its header.
    """
    path = Path(str(table.path))
    suffix = path.suffix.lower()
    _check_file(path, suffix)
    reader = {".parquet": _parquet, ".xlsx": _excel}.get(suffix, read_delimited)
    sheet = reader(path, table).trimmed()
    names = sheet.names(path)
    if sheet.cells.empty:
        raise DataError(
            f"{path}: a header with {len(names)} columns and 0 rows. Ask for a new delivery."
        )
    return RawTable(str(path), sheet.cells.set_axis(names, axis=1), sheet.how)


def _check_file(path: Path, suffix: str) -> None:
    """Check that a file is there, can be opened, is not empty and is what its name says."""
    if path.is_dir():
        raise DataError(f"{path}: a folder, not a file. Mend data.participants.path.")
    if not path.is_file():
        slash = " Write / between folders." if "\\" in str(path) else ""
        raise DataError(
            f"{path}: no such file. Put it there, or mend data.participants.path.{slash}"
        )
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
    if true_suffix != suffix:
        raise DataError(f"{path}: {kind} by its content. Name it {path.stem}{true_suffix}.")


def _parquet(path: Path, _: Table) -> Sheet:
    try:
        frame = pd.read_parquet(path)
    except (pa.ArrowException, OSError, ValueError, KeyError):
        raise DataError(f"{path}: not a whole Parquet file. Ask for a new delivery.") from None
    header = [str(name) for name in frame.columns]
    frame = frame.set_axis(range(len(header)), axis=1).reset_index(drop=True)
    return Sheet(header, frame.apply(_as_text), "Parquet")


def _excel(path: Path, table: Table) -> Sheet:
    import zipfile

    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = [str(name) for name in book.sheet_names]
            sheet = table.sheet
            if isinstance(sheet, str) and sheet not in sheets:
                hint = difflib.get_close_matches(sheet, sheets, n=1)
                near = f" Did you mean `{hint[0]}`?" if hint else ""
                raise DataError(f"{path}: no sheet `{sheet}` among {len(sheets)}.{near}")
            if isinstance(sheet, int) and sheet > len(sheets):
                raise DataError(f"{path}: no sheet number {sheet}; there are {len(sheets)}.")
            chosen = sheet if isinstance(sheet, str) else sheets[(sheet or 1) - 1]
            frame = pd.read_excel(
                book, sheet_name=chosen, header=None, dtype=object, na_filter=False
            )
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, IndexError, TypeError):
        raise DataError(f"{path}: not a whole Excel file (.xlsx). Save it anew.") from None
    cells = frame.apply(_as_text)
    filled = np.flatnonzero((cells != "").any(axis=1))
    if not len(filled):
        raise DataError(f"{path}: the sheet `{chosen}` is empty. Mend data.participants.sheet.")
    header, body = cells.iloc[filled[0]], cells.iloc[filled[0] + 1 :]
    return Sheet(list(header), body.reset_index(drop=True), "Excel")


def _as_text(column: pd.Series) -> pd.Series:
    present = column.astype(object).where(column.notna(), "")
    return present.map(_cell).astype("str").str.strip()


def _cell(value: object) -> str:
    """Return a cell as a text file would spell it: a day without a time is 2019-01-31."""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)
