"""A header that comes again among the rows: two files put together."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from evaluate.errors import DataError


def words(header: Sequence[str]) -> list[str]:
    """Return the names that tell a header from a row: a number may as well be a cell."""
    return list({name.strip() for name in header if any(c.isalpha() for c in name)})


def threshold(width: int) -> int:
    """Return how many cells of a row must be names for it to be a header."""
    return max(2, (width + 1) // 2)


def is_header(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Return whether a row is a header, the same or a changed one, in any order."""
    cells = [cell.strip() for cell in cells]
    if cells == [name.strip() for name in header]:
        return True
    return len(set(cells) & set(words(header))) >= threshold(len(cells))


def may_hold_header(block: bytes, header: Sequence[str]) -> bool:
    """Return whether enough names are anywhere in a block of rows: a search, and quick."""
    names = sorted({name.strip() for name in header}, key=len, reverse=True)
    may_lack = len(names) - min(len(names), threshold(len(header)))
    for name in names:
        may_lack -= name.encode() not in block
        if may_lack < 0:
            return False
    return True


def header_again(batch: pa.RecordBatch, header: Sequence[str]) -> int | None:
    """Return the position of the first row that is a header, or None."""
    names = pa.array([name.strip() for name in header], pa.string())
    listed = pa.array(words(header), pa.string())
    width, count, same = batch.num_columns, None, None
    for column, name in zip(batch.columns, names, strict=True):
        is_name = pc.is_in(column, value_set=listed).cast(pa.int16())
        count = is_name if count is None else pc.add(count, is_name)
        is_own = pc.equal(column, name)
        same = is_own if same is None else pc.and_(same, is_own)
    found = pc.or_(same, pc.greater_equal(count, threshold(width)))
    for row in pc.indices_nonzero(found).to_pylist():
        cells = [column[row].as_py() for column in batch.columns]
        if is_header(cells, header):  # each name counts once
            return int(row)
    return None


def put_together(path: str, row: int, how: str) -> DataError:
    """Return the error of a header in a row of the file; the first row is 1."""
    return DataError(
        f"{path}: row {row:,} of the file is a header again (read as {how}): the file is put "
        "together of two, whose columns may differ. Ask for one file with one header, or for two."
    )
