"""Columns of a linked table as they arrive: texts to codes and days, each text read once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.data.readers.convert import codes, missing
from evaluate.data.readers.dates import dates


def by_text(
    column: pa.Array, read: Callable[[pd.Series], tuple[np.ndarray, ...]]
) -> tuple[np.ndarray, ...]:
    """Read each different text of a column once, and return what that gives for every row."""
    encoded = pc.dictionary_encode(column)
    found = read(encoded.dictionary.to_pandas().astype("str"))
    which = encoded.indices.to_numpy(zero_copy_only=False)
    return tuple(values[which] for values in found)


@dataclass
class CodeColumn:
    """Codes numbered as they arrive.

    Attributes
    ----------
    texts : list of str
        The code with each number, in its one spelling.
    """

    texts: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, code: str) -> int:
        """Return the number of a code, a new one where it has none."""
        if code not in self._numbers:
            self._numbers[code] = len(self.texts)
            self.texts.append(code)
        return self._numbers[code]

    def read(self, column: pa.Array) -> np.ndarray:
        """Return the number of each code, -1 where it is missing, shape (n,)."""

        def numbered(texts: pd.Series) -> tuple[np.ndarray, ...]:
            found = [-1 if c is None else self.number(c) for c in codes(texts)]
            return (np.array(found, dtype=np.int32),)

        return by_text(column, numbered)[0]


@dataclass
class DayColumn:
    """Days in the one form that the column is written in.

    Attributes
    ----------
    declared : str
        The form that the plan declares, or auto: then the first rows show it.
    none : sequence of str
        Texts that stand for no day, beside those for missing.
    """

    declared: str = "auto"
    none: Sequence[str] = ()

    def read(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return days since 1970-01-01, which are missing, which are no days; shape (n,)."""
        if self.declared == "auto":
            cells = column.to_pandas().astype("str")
            known = cells[~missing(cells) & ~cells.isin(self.none).to_numpy()]
            if len(known):  # each row counts, not each different text
                self.declared = dates(known, "auto").form

        def days(texts: pd.Series) -> tuple[np.ndarray, ...]:
            absent = missing(texts) | texts.isin(self.none).to_numpy()
            read = dates(texts.where(~absent, ""), self.declared)
            absent |= np.isin(read.values, self._none_days())
            known = ~np.isnat(read.values)
            day = np.where(known, read.values.astype(np.int64), 0).astype(np.int32)
            return day, absent, ~known & ~absent

        day, absent, wrong = by_text(column, days)
        return day, absent, wrong

    def _none_days(self) -> np.ndarray:
        """Return the texts for no day that are days themselves, such as 9999-12-31."""
        found = []
        for text in self.none:
            with suppress(ValueError):
                found.append(np.datetime64(text, "D"))
        return np.array(found, dtype="datetime64[D]")
