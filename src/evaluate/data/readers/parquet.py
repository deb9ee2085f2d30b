"""Read a Parquet file, some rows at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from evaluate.data.readers.cells import as_text
from evaluate.data.readers.source import Source
from evaluate.errors import DataError
from evaluate.plan.sources import Table

BATCH = 500_000
ROW_LABELS = re.compile(r"__index_level_\d+__")  # left by pandas, no column of the table


def read_parquet(path: Path, _: Table, __: str) -> Source:
    """Open a Parquet file.

    Raises
    ------
    DataError
        If it is not a whole Parquet file; from the batches, if a part of it is damaged.
    """
    broken = DataError(f"{path}: not a whole Parquet file. Ask for a new delivery.")
    try:
        file = pq.ParquetFile(path)
        header = [n for n in file.schema_arrow.names if not ROW_LABELS.fullmatch(n)]
    except (pa.ArrowException, OSError, ValueError):
        raise broken from None

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for batch in file.iter_batches(BATCH):
                columns = [
                    as_text(column, f"{path}: column {i}")
                    for i, (name, column) in enumerate(
                        zip(batch.schema.names, batch.columns, strict=True), 1
                    )
                    if not ROW_LABELS.fullmatch(name)
                ]
                yield pa.RecordBatch.from_arrays(
                    columns, names=[str(i) for i in range(len(header))]
                )
        except (pa.ArrowException, OSError, ValueError):
            raise broken from None

    return Source(str(path), header, "Parquet", batches())
