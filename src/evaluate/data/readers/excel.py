"""Read a sheet of an Excel file (.xlsx)."""

from __future__ import annotations

import difflib
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa

from evaluate.data.readers.cells import objects_as_text
from evaluate.data.readers.header import header_again, put_together
from evaluate.data.readers.source import Source
from evaluate.errors import DataError
from evaluate.plan.sources import Table


def read_excel(path: Path, table: Table, name: str) -> Source:
    """Open a sheet: its first row that holds something is the header.

    Raises
    ------
    DataError
        If it is not a whole Excel file, has no such sheet, an empty one, or its header again.
    """
    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheet = _sheet(path, [str(n) for n in book.sheet_names], table.sheet)
            frame = pd.read_excel(
                book, sheet_name=sheet, header=None, dtype=object, na_filter=False
            )
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, IndexError, TypeError):
        raise DataError(f"{path}: not a whole Excel file (.xlsx). Save it anew.") from None
    cells = pa.RecordBatch.from_arrays(
        [
            objects_as_text(frame.iloc[:, i].tolist(), f"{path}: column {i + 1}")
            for i in range(frame.shape[1])
        ],
        names=[str(i) for i in range(frame.shape[1])],
    )
    rows = (i for i in range(len(cells)) if any(column[i].as_py() for column in cells.columns))
    first = next(rows, None)
    if first is None:
        raise DataError(f"{path}: the sheet `{sheet}` is empty. Mend data.{name}.sheet.")
    header = [column[first].as_py() for column in cells.columns]
    body = cells[first + 1 :]
    again = header_again(body, header)
    if again is not None:
        raise put_together(str(path), first + again + 2, "Excel")
    return Source(str(path), header, "Excel", iter([body]))


def _sheet(path: Path, sheets: list[str], declared: str | int | None) -> str:
    if isinstance(declared, str):
        if declared in sheets:
            return declared
        hint = difflib.get_close_matches(declared, sheets, n=1)
        near = f" Did you mean `{hint[0]}`?" if hint else ""
        raise DataError(f"{path}: no sheet `{declared}` among {len(sheets)}.{near}")
    if declared is not None and declared > len(sheets):
        raise DataError(f"{path}: no sheet number {declared}; there are {len(sheets)}.")
    return sheets[(declared or 1) - 1]
