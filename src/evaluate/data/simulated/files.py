"""Write the raw tables as files, part by part, with the faults that are not in rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from evaluate.data.simulated.tables import Layout
from evaluate.errors import PlanError
from evaluate.io import whole

FORMATS = ("csv", "parquet", "xlsx")
MOST_ROWS = 1_048_575  # of a sheet, without its header
DELIMITER = b";"
CUT = 3  # bytes that are left of the row in which a truncated file ends
Write = Callable[[pa.Table], None]


@contextmanager
def open_table(
    path: Path, layout: Layout, columns: Sequence[str], faults: Sequence[str] = ()
) -> Iterator[Write]:
    """Give a function that adds rows to a file; the file is there when all are written.

    Parameters
    ----------
    path : Path
        The file; its suffix says the format.
    layout : Layout
        Encoding and line ends of CSV.
    columns : sequence of str
        The columns.
    faults : sequence of str
        Of `faults.IN_FILES`, for CSV.
    """
    with whole(path) as draft:
        if path.suffix == ".csv":
            with draft.open("wb") as file:
                yield _csv_writer(file, layout, list(columns), faults)
                if "truncated" in faults:
                    _truncate(file, draft)
        elif path.suffix == ".parquet":
            schema = pa.schema([(name, pa.string()) for name in columns])
            with pq.ParquetWriter(draft, schema) as parquet:
                yield parquet.write_table
        else:
            parts: list[pa.Table] = []
            yield parts.append
            _write_sheet(pa.concat_tables(parts), path, draft)


def _write_sheet(table: pa.Table, path: Path, draft: Path) -> None:
    if len(table) > MOST_ROWS:
        raise PlanError(
            f"{path}: {len(table):,} rows; a sheet holds {MOST_ROWS:,}. Choose the format csv or "
            "parquet, or fewer persons."
        )
    with draft.open("wb") as file:
        table.to_pandas().astype(object).to_excel(file, index=False, engine="openpyxl")


def _csv_writer(file: BinaryIO, layout: Layout, columns: list[str], faults: Sequence[str]) -> Write:
    """Return a function that writes rows as CSV; faults begin in the middle of the first part."""
    end = layout.line_end.encode("ascii")
    swapped = [*columns[:-2], columns[-1], columns[-2]]
    other = "cp1252" if layout.encoding.startswith("utf") else "utf-8"
    parts_written = 0

    def header(names: list[str]) -> bytes:
        return DELIMITER.join(name.encode("ascii") for name in names) + end

    def lines(table: pa.Table, encoding: str) -> bytes:
        sink = pa.BufferOutputStream()
        options = pa_csv.WriteOptions(
            include_header=False, delimiter=DELIMITER.decode(), quoting_style="none"
        )
        pa_csv.write_csv(table, sink, options)
        content = sink.getvalue().to_pybytes()
        if encoding == "cp1252":
            content = content.decode("utf-8").encode("cp1252")
        return content.replace(b"\n", end) if end != b"\n" else content

    def write(table: pa.Table) -> None:
        nonlocal parts_written
        is_first, parts_written = parts_written == 0, parts_written + 1
        encoding = layout.encoding.removesuffix("-sig")
        if is_first:
            file.write(b"\xef\xbb\xbf" if layout.encoding.endswith("-sig") else b"")
            file.write(header(columns))
        half = len(table) // 2 if is_first else 0
        before, after = lines(table[:half], encoding), table[half:]
        if "uneven_rows" in faults and is_first:
            before = _uneven(before, end)
        file.write(before)
        if "new_header" in faults:
            after = after.select(swapped)
            file.write(header(swapped) if is_first else b"")
        file.write(lines(after, other if "mixed_encoding" in faults else encoding))

    return write


def _uneven(content: bytes, end: bytes) -> bytes:
    """Give the last line a field more, and take one from the line before it."""
    *rest, short, long, _ = content.split(end)
    short = short[: short.rindex(DELIMITER)]
    return end.join([*rest, short, long + DELIMITER + b"1", b""])


def _truncate(file: BinaryIO, draft: Path) -> None:
    """Cut a file off shortly after the beginning of its last row."""
    file.flush()
    size = draft.stat().st_size
    tail = min(size, 1 << 16)
    with draft.open("rb") as written:
        written.seek(size - tail)
        last = written.read(tail)
    begins = last.rindex(b"\n", 0, len(last) - 1) + 1
    file.truncate(size - tail + begins + CUT)
