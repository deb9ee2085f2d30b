"""The different cells of a column, so that what many rows share is read once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

MOST = 0.5  # of the rows; with more different cells there is nothing to gain


class Distinct(NamedTuple):
    """The different cells of a column, and which of them each row has.

    Attributes
    ----------
    text : Series of str, shape (k,)
        The different cells; or all of them, where most differ.
    place : ndarray of int, shape (n,), or slice
        What was read of ``text`` stands at ``[place]`` for each row.
    """

    text: pd.Series
    place: np.ndarray | slice


def distinct(text: pd.Series) -> Distinct:
    """Find the different cells of a column."""
    found = pa.array(text.array, pa.string())
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    found = found.dictionary_encode()
    if len(found.dictionary) > MOST * len(text):
        return Distinct(text, slice(None))
    return Distinct(
        pd.Series(found.dictionary.to_pandas(), dtype="str"),
        found.indices.to_numpy(),
    )
