"""Read a delimited text file, in the ways that spreadsheets and agencies write them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from evaluate.data.readers.sheet import Sheet
from evaluate.errors import DataError, rows
from evaluate.plan.sources import Table

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SNIFFED_LINES = 50
SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s]|\t)"?[^\n]*\n', re.IGNORECASE)  # for Excel only


def read_delimited(path: Path, table: Table) -> Sheet:
    """Read a text file with one row per line.

    Raises
    ------
    DataError
        If the file is not in its encoding, is empty, has quotation marks that do not
        match, or rows with another number of fields than its header.
    """
    text, encoding = _decode(path, table.encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.lstrip("\ufeff \n").rstrip(" \x1a\n") + "\n"
    delimiter = table.delimiter
    if separator := SEPARATOR_LINE.match(text):
        text = text[separator.end() :]
        delimiter = separator[1] if delimiter == "auto" else delimiter
    if not text.strip():
        raise DataError(f"{path}: the file is empty. Ask for a new delivery.")
    if delimiter == "auto":
        delimiter = _delimiter(text)
    how = f"{encoding}, {DELIMITERS.get(delimiter, delimiter)}"
    header, first = _first_lines(path, text, delimiter, how)
    names = [str(i) for i in range(_width(header, first))]
    uneven: list[int] = []

    def count(row: pa_csv.InvalidRow) -> str:
        uneven.append(row.number or 0)
        return "skip"

    try:
        cells = pa_csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=pa_csv.ReadOptions(
                column_names=names, skip_rows_after_names=1, use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=count
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        ).to_pandas()
    except pa.ArrowException:
        raise _unreadable(path, how) from None
    if uneven:
        why = "The file may be cut off, or a text may hold the delimiter without quotation marks."
        raise DataError(
            f"{path}: {rows(len(uneven))} with another number of fields than the header's "
            f"{len(names)} (read as {how}), the first in row {min(uneven)} of the file. "
            f"{why if len(names) > 1 else 'Is the delimiter right?'}"
        )
    return Sheet(header, cells.apply(lambda column: column.str.strip()), how)


def _unreadable(path: Path, how: str) -> DataError:
    return DataError(
        f"{path}: cannot be read as a table ({how}). "
        "Check the quotation marks, or declare delimiter and encoding in the plan."
    )


def _decode(path: Path, declared: str) -> tuple[str, str]:
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        candidates = ["utf-16"]
    elif declared != "auto":
        candidates = ["utf-8-sig" if declared.lower() in ("utf-8", "utf8") else declared]
    else:
        candidates = ["utf-8-sig", "cp1252"]
    for encoding in candidates:
        try:
            text = content.decode(encoding)
        except UnicodeError:
            continue
        except LookupError:
            raise DataError(
                f"{path}: encoding `{declared}` is unknown. Use auto, utf-8 or cp1252."
            ) from None
        if "\x00" in text:
            raise DataError(
                f"{path}: holds NUL characters: cut off, not a text file, or UTF-16 without its "
                "mark, then declare `encoding: utf-16-le`."
            )
        if encoding == "cp1252" and declared == "auto" and re.search(rb"\xc3[\x80-\xbf]", content):
            raise DataError(
                f"{path}: some letters beyond ASCII are UTF-8 and others are not. The file may be "
                "cut off, or put together from two. Ask for a new delivery."
            )
        if declared != "auto" and not encoding.startswith("utf") and _is_utf8(content):
            raise DataError(
                f"{path}: declared as {declared}, but its letters beyond ASCII are UTF-8. "
                "Write `encoding: auto` or `encoding: utf-8`."
            )
        return text, encoding.removesuffix("-sig").upper()
    raise DataError(
        f"{path}: not {' or '.join(c.removesuffix('-sig') for c in candidates)}. "
        "Declare the encoding under data.participants, or ask for a new delivery."
    )


def _is_utf8(content: bytes) -> bool:
    try:
        return not content.isascii() and bool(content.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _delimiter(text: str) -> str:
    """Choose the delimiter that splits most of the first lines as it splits the header."""
    sample = io.StringIO(text[:200_000]).readlines()[:SNIFFED_LINES]

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(fields) for fields in csv.reader(sample, delimiter=delimiter) if fields]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(w == widths[0] for w in widths) / len(widths), widths[0]

    return max(DELIMITERS, key=fit)


def _first_lines(path: Path, text: str, delimiter: str, how: str) -> tuple[list[str], list[str]]:
    """Return header and first row, once the quotation marks of the file are known to match."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(lines)
        first = next((fields for fields in lines if fields), [])
        if '"' in text:
            for _ in lines:
                pass
    except csv.Error:
        raise DataError(
            f"{path}: a quotation mark is opened and not closed where its text ends, near line "
            f"{lines.line_num} (read as {how}). The file may be cut off, or the delimiter wrong."
        ) from None
    return header, first


def _width(header: list[str], first: list[str]) -> int:
    """Return how many fields a row has, where lines end in delimiters or only the header does."""
    named, filled = (
        max((i for i, field in enumerate(row, 1) if field.strip()), default=0)
        for row in (header, first)
    )
    return len(first) if filled <= named <= len(first) else len(header)
