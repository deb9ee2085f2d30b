"""From blocks of lines to rows: fast where quotation marks are regular, exact where not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from evaluate.data.readers.header import header_again, is_header, may_hold_header, put_together
from evaluate.errors import DataError, rows

CHUNK = 1 << 20  # bytes that one thread parses at a time
MOST_LINES = 10_000  # of one text within quotation marks
SLOW_ROWS = 100_000
QUOTE, NEWLINE = ord('"'), ord("\n")


@dataclass(frozen=True)
class Layout:
    """How the lines of a file are rows.

    Attributes
    ----------
    path, how : str
        The file, and how it is read, for messages.
    header : list of str
        As wide as the rows.
    delimiter : str
        One character.
    lines : int
        How many lines come before the first row.
    """

    path: str
    header: list[str]
    delimiter: str
    how: str
    lines: int


@dataclass
class _Part:
    """Some rows of the file; rows count from 1 within the part, uneven ones too."""

    batch: pa.RecordBatch
    uneven: list[int] = field(default_factory=list)
    header: int | None = None


def row_batches(blocks: Iterable[bytes], layout: Layout) -> Iterator[pa.RecordBatch]:
    """Give the rows as text without spaces around.

    Parameters
    ----------
    blocks : iterable of bytes
        Whole lines in UTF-8 below the header.
    layout : Layout
        How they are rows.

    Raises
    ------
    DataError
        If a quotation mark is not closed, if a row is a header again, or, at the end, if rows
        have another number of fields than the header.
    """
    before, uneven, first = 1, 0, 0  # the header is row 1
    for part in _parts(iter(blocks), layout):
        if part.header is not None:
            raise put_together(layout.path, before + part.header, layout.how)
        if part.uneven:
            first = first or before + part.uneven[0]
            uneven += len(part.uneven)
        before += len(part.batch) + len(part.uneven)
        yield part.batch
    if uneven:
        width = len(layout.header)
        why = "The file may be cut off, or a text may hold the delimiter without quotation marks."
        raise DataError(
            f"{layout.path}: {rows(uneven)} with another number of fields than the header's "
            f"{width} (read as {layout.how}), the first in row {first:,} of the file. "
            f"{why if width > 1 else 'Is the delimiter right?'}"
        )


def unclosed(path: str, line: int, how: str) -> DataError:
    """Return the error of quotation marks that do not match."""
    return DataError(
        f"{path}: a quotation mark is opened and not closed where its text ends, near line "
        f"{line:,} (read as {how}). The file may be cut off, or the delimiter wrong."
    )


def _parts(blocks: Iterator[bytes], layout: Layout) -> Iterator[_Part]:
    """Split blocks where rows end; go slowly from where quotation marks are not regular."""
    rest, lines = b"", layout.lines
    for block in blocks:
        block = rest + block if rest else block
        end = len(block)
        if b'"' in block:
            end = _regular(block, layout.delimiter)
            if len(block) - end > CHUNK:
                yield from _slow(chain([block], blocks), layout, lines)
                return
        rest = block[end:]
        if end:
            yield _fast(block[:end], layout)
            lines += block.count(b"\n", 0, end)
    if rest:
        yield from _slow(iter([rest]), layout, lines)


def _regular(block: bytes, delimiter: str) -> int:
    """Return where the last whole row ends, 0 where a quotation mark stands within a text.

    A mark opens a text after a delimiter or at the start of a line, closes it before one or
    at the end of a line, or is doubled: then rows end at line ends with an even number of
    marks before them. Any other mark needs the csv module's judgement.
    """
    characters = np.frombuffer(block, dtype=np.uint8)
    marks = np.flatnonzero(characters == QUOTE)
    end = len(block)
    for _ in range(MOST_LINES):
        if not end or np.searchsorted(marks, end) % 2 == 0:
            break
        end = block.rfind(b"\n", 0, end - 1) + 1
    else:
        return 0
    marks = marks[: np.searchsorted(marks, end)]
    opening, closing = marks[::2], marks[1::2]
    beside = [ord(delimiter), NEWLINE, QUOTE]
    starts = np.isin(characters[opening - 1], beside)  # before the first: the last line end
    ends = np.isin(characters[closing + 1], beside)
    short = closing - opening < csv.field_size_limit()
    return end if (starts & ends & short).all() else 0


def _fast(block: bytes, layout: Layout) -> _Part:
    """Split regular rows into fields with Arrow."""
    uneven: list[pa_csv.InvalidRow] = []

    def note(row: pa_csv.InvalidRow) -> str:
        uneven.append(row)
        return "skip"

    names = [str(i) for i in range(len(layout.header))]

    def read(threads: bool) -> pa.Table:
        return pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(
                column_names=names, block_size=CHUNK, use_threads=threads
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=layout.delimiter,
                newlines_in_values=b'"' in block,
                invalid_row_handler=note,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )

    try:
        table = read(threads=True)
        if uneven:  # again, for threads do not count rows
            uneven.clear()
            table = read(threads=False)
    except pa.ArrowException:
        raise DataError(
            f"{layout.path}: cannot be read as a table ({layout.how}). "
            "Check the quotation marks, or declare delimiter and encoding in the plan."
        ) from None
    columns = [pc.utf8_trim_whitespace(column).combine_chunks() for column in table.columns]
    part = _Part(pa.RecordBatch.from_arrays(columns, names=names), [r.number or 0 for r in uneven])
    fields = (next(csv.reader([r.text], delimiter=layout.delimiter)) for r in uneven)
    return _with_header(part, fields, layout, may_hold_header(block, layout.header))


def _slow(blocks: Iterator[bytes], layout: Layout, line: int) -> Iterator[_Part]:
    """Split the rest of the rows with the csv module."""
    texts = (io.StringIO(block.decode(), newline="\n") for block in blocks)
    reader = csv.reader(chain.from_iterable(texts), delimiter=layout.delimiter, strict=True)
    width = len(layout.header)
    while True:
        try:
            read = list(islice(reader, SLOW_ROWS))
        except csv.Error:
            raise unclosed(layout.path, line + reader.line_num, layout.how) from None
        if not read:
            return
        read = [fields for fields in read if fields]
        even = [fields for fields in read if len(fields) == width]
        uneven = {i: fields for i, fields in enumerate(read, 1) if len(fields) != width}
        columns = zip(*even, strict=True) if even else [()] * width
        batch = pa.RecordBatch.from_arrays(
            [pc.utf8_trim_whitespace(pa.array(column, pa.string())) for column in columns],
            names=[str(i) for i in range(width)],
        )
        yield _with_header(_Part(batch, list(uneven)), uneven.values(), layout)


def _with_header(
    part: _Part, uneven: Iterable[list[str]], layout: Layout, is_possible: bool = True
) -> _Part:
    """Find the first row that is a header again, also among those of another width."""
    found = [
        row
        for row, fields in zip(part.uneven, uneven, strict=True)
        if is_header(fields, layout.header)
    ]
    even = header_again(part.batch, layout.header) if is_possible else None
    if even is not None:
        row = even + 1
        for other in part.uneven:
            row += other <= row
        found.append(row)
    part.header = min(found, default=None)
    return part
