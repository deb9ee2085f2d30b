"""Read a delimited text file, in the ways that spreadsheets and agencies write them."""

from __future__ import annotations

import csv
import io
import re
from itertools import chain
from pathlib import Path

from evaluate.data.readers.encoding import text_blocks
from evaluate.data.readers.rows import Layout, row_batches, unclosed
from evaluate.data.readers.source import Source
from evaluate.errors import DataError
from evaluate.plan.sources import Table

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SNIFFED_LINES = 50
SAMPLE = 200_000  # bytes
SEPARATOR_LINE = re.compile(rb'"?sep=([^\w\s]|\t)"?[^\n]*\n', re.IGNORECASE)  # for Excel only


def read_delimited(path: Path, table: Table, name: str) -> Source:
    """Open a text file with one row per line; blank lines are skipped.

    Raises
    ------
    DataError
        If the file is empty, or its first lines do not show a header; from the batches, if
        the file is not in its encoding, has quotation marks that do not match, rows with
        another number of fields than its header, or its header again.
    """
    blocks = text_blocks(path, table.encoding, name)
    encoding, text = next(blocks, ("", b""))
    while text.count(b'"') % 2 and len(text) < SAMPLE and (more := next(blocks, None)):
        text += more[1]  # the first row may go on
    delimiter = table.delimiter
    if separator := SEPARATOR_LINE.match(text):
        text = text[separator.end() :].lstrip(b" \n")
        delimiter = separator[1].decode() if delimiter == "auto" else delimiter
    if not text:
        raise DataError(f"{path}: the file is empty. Ask for a new delivery.")
    if delimiter == "auto":
        delimiter = _delimiter(text)
    how = f"{encoding}, {DELIMITERS.get(delimiter, delimiter)}"
    header, first, lines = _first_rows(path, text, delimiter, how)
    width = _width(header, first)
    header = header[:width] + [""] * (width - len(header))
    layout = Layout(str(path), header, delimiter, how, lines)
    body = chain([_after(text, lines)], (block for _, block in blocks))
    return Source(str(path), header, how, row_batches(body, layout))


def _delimiter(text: bytes) -> str:
    """Choose the delimiter that splits most of the first lines as it splits the header."""
    sample = text[:SAMPLE].decode(errors="ignore").split("\n")[:SNIFFED_LINES]

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(fields) for fields in csv.reader(sample, delimiter=delimiter) if fields]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(w == widths[0] for w in widths) / len(widths), widths[0]

    return max(DELIMITERS, key=fit)


def _first_rows(
    path: Path, text: bytes, delimiter: str, how: str
) -> tuple[list[str], list[str], int]:
    """Return the header, the first row, and how many lines the header is long."""
    decoded = io.TextIOWrapper(io.BytesIO(text), encoding="utf-8", newline="\n")
    lines = csv.reader(decoded, delimiter=delimiter, strict=True)
    try:
        header = next(lines)
        count = lines.line_num
        return header, next((fields for fields in lines if fields), []), count
    except csv.Error:
        raise unclosed(str(path), lines.line_num, how) from None


def _after(text: bytes, lines: int) -> bytes:
    """Return the text after some lines."""
    start = 0
    for _ in range(lines):
        start = text.find(b"\n", start) + 1 or len(text)
    return text[start:]


def _width(header: list[str], first: list[str]) -> int:
    """Return how many fields a row has, where lines end in delimiters or only the header does."""
    named, filled = (
        max((i for i, field in enumerate(row, 1) if field.strip()), default=0)
        for row in (header, first)
    )
    return len(first) if filled <= named <= len(first) else len(header)
