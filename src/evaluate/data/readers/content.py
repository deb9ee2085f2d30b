"""What was read from a database: how much, and a hash by which it can be known again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.data.readers.source import Source
from evaluate.plan.sources import Table


class Content:
    """What was read from a database so far: rows, and a hash over names and cells in order."""

    def __init__(self) -> None:
        self.rows = 0
        self._names: list[str] = []
        self._hashes: list[Any] = []

    def of(self, source: Source) -> Source:
        """Return the table such that what is read of it counts here."""
        self._names = source.header
        self._hashes = [hashlib.sha256() for _ in source.header]

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in source.batches:
                self._add(batch)
                yield batch

        return replace(source, batches=batches())

    def _add(self, batch: pa.RecordBatch) -> None:
        self.rows += len(batch)
        for total, column in zip(self._hashes, batch.columns, strict=True):
            # Each cell ends in a character that no text of a database holds.
            ended = pc.binary_join_element_wise(column, "", "\0")
            ends = np.frombuffer(ended.buffers()[1], dtype=np.int32)
            total.update(ended.buffers()[2][: ends[len(ended)]])

    @property
    def sha256(self) -> str:
        """The hash over what was read so far."""
        total = hashlib.sha256("\0".join(self._names).encode())
        for column in self._hashes:
            total.update(column.digest())
        return total.hexdigest()


def fingerprint(table: Table, content: Content) -> dict[str, Any]:
    """Return what provenance tells of a query: never the address, nor the query's own words.

    Parameters
    ----------
    table : Table
        Of the plan.
    content : Content
        Of a `RawTable`, or of a `Stream` that was read to its end.
    """
    return {
        "url_env": table.url_env,
        "query_sha256": hashlib.sha256((table.query or "").encode()).hexdigest(),
        "rows": content.rows,
        "sha256": content.sha256,
    }
