"""Keys of persons that changed: each old key followed to the one that came last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.data.flow import RowDecisions
from evaluate.data.readers.convert import missing
from evaluate.data.readers.read import RawTable
from evaluate.errors import Problems
from evaluate.notes import reason
from evaluate.plan.model import Plan


@dataclass(frozen=True)
class KeyMap:
    """Which key came last for each key that changed.

    Attributes
    ----------
    path : str
        Where the key table lies.
    old, last : StringArray, shape (k,)
        Keys that changed, each once; the key that each of them leads to in the end.
    unclear : StringArray
        Keys that lead to several others or back to themselves: they denote nobody.
    decisions : RowDecisions
        What was decided on the rows of the key table.
    leads_to : Series of str, shape (rows,)
        The last key of each row of the key table, to find its person by.
    """

    path: str
    old: pa.StringArray
    last: pa.StringArray
    unclear: pa.StringArray
    decisions: RowDecisions
    leads_to: pd.Series

    def follow(self, keys: pd.Series) -> pd.Series:
        """Return the last key of each key, itself where it did not change, shape (n,)."""
        place = place_in(keys, self.old)
        changed = np.flatnonzero(place >= 0)
        followed = keys.copy()
        followed.iloc[changed] = self.last.take(pa.array(place[changed])).to_pandas()
        return followed

    def is_unclear(self, keys: pd.Series) -> np.ndarray:
        """Return which keys denote nobody because the key table contradicts itself."""
        return place_in(keys, self.unclear) >= 0


def place_in(keys: pd.Series, listed: pa.StringArray) -> np.ndarray:
    """Return the position of each key in a list, -1 where it is not there, shape (n,)."""
    found = pc.index_in(_arrow(keys), value_set=listed)
    return found.fill_null(-1).to_numpy().astype(np.int64)


def no_key_map() -> KeyMap:
    """Return the key map of a study without a key table."""
    none = pa.array([], pa.string())
    return KeyMap("", none, none, none, RowDecisions.of("keys", 0), pd.Series([], dtype="str"))


def key_map(keys: RawTable, plan: Plan) -> KeyMap:
    """Judge the rows of the key table and follow every old key to its end.

    The decisions, in their order: a pair of keys that an earlier row has (`duplicate`); an
    empty key (`no_key`); an old key that is its own new one (`key_same`); keys that lead back
    to themselves, and what leads to such (`key_circle`); an old key that leads to several
    last ones (`key_conflict`). Several ways to one last key are no conflict: tables that name
    the last key for each of the earlier ones are common.

    Parameters
    ----------
    keys : RawTable
        The key table as received.
    plan : Plan
        The programme file, which names its columns.

    Raises
    ------
    Problems
        If a column is not there.
    """
    table = plan.data.keys
    assert table is not None
    wanted = [("data.keys.old", table.old), ("data.keys.new", table.new)]
    if absent := keys.missing_columns(wanted):
        raise Problems(absent)
    old, new = keys.cells[table.old], keys.cells[table.new]
    texts = pa.concat_arrays([_arrow(old), _arrow(new)]).dictionary_encode()
    codes = texts.indices.to_numpy().astype(np.int64)
    source, target = codes[: len(old)], codes[len(old) :]
    size = len(texts.dictionary)

    decisions = RowDecisions.of("keys", len(old))
    repeated = pd.Series(source * size + target).duplicated().to_numpy()
    absent_key = missing(old) | missing(new)
    decisions.exclude(repeated & ~absent_key, reason("duplicate"))
    decisions.exclude(absent_key, reason("no_key"))
    decisions.exclude(source == target, reason("key_same"))
    end, in_circle, several = last_keys(source[decisions.kept], target[decisions.kept], size)
    decisions.exclude(in_circle[source], reason("key_circle"))
    decisions.exclude(several[source], reason("key_conflict"))

    changed = np.unique(source[decisions.kept])
    contested = np.flatnonzero(in_circle | several)
    names = texts.dictionary
    return KeyMap(
        path=keys.path,
        old=names.take(pa.array(changed)),
        last=names.take(pa.array(end[changed])),
        unclear=names.take(pa.array(contested)),
        decisions=decisions,
        leads_to=pd.Series(names.take(pa.array(end[target])).to_pandas(), dtype="str"),
    )


def repeats(raw: RawTable, number: np.ndarray, key: pd.Series, key_column: str) -> np.ndarray:
    """Return which rows repeat an earlier row whole, under the key that came last, shape (n,).

    Parameters
    ----------
    raw : RawTable
        The table.
    number : ndarray of int, shape (n,)
        The same for rows with the same key, and for no others.
    key : Series of str, shape (n,)
        Key of each row that stands for the one in the column.
    key_column : str
        That column.
    """
    repeated = (np.bincount(number) > 1)[number]  # most keys stand alone
    at = np.flatnonzero(repeated)
    alike = raw.cells.iloc[at].assign(**{key_column: key.iloc[at]})
    repeated[at] = alike.duplicated().to_numpy()
    return repeated


def last_keys(
    old: np.ndarray, new: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Follow keys to their ends.

    Parameters
    ----------
    old, new : ndarray of int, shape (rows,)
        Keys by number; none is its own new one.
    size : int
        How many keys there are.

    Returns
    -------
    end : ndarray of int, shape (size,)
        The last key of each, itself where it did not change.
    in_circle, several : ndarray of bool, shape (size,)
        Keys that lead into a circle; others that lead to several ends.
    """
    circle = _circles(old, new, size)
    following = np.arange(size)
    following[old] = new  # one of them, where there are several
    following[circle] = np.flatnonzero(circle)
    end = _at_the_end(following)
    several = np.zeros(size, dtype=bool)
    several[old[end[new] != end[old]]] = True
    in_circle = _leading_to(circle, old, new, following)
    return end, in_circle, _leading_to(several, old, new, following) & ~in_circle


def _circles(old: np.ndarray, new: np.ndarray, size: int) -> np.ndarray:
    """Return which keys lead back to themselves, shape (size,)."""
    circle = np.zeros(size, dtype=bool)
    is_old, is_new = np.zeros((2, size), dtype=bool)
    is_old[old], is_new[new] = True, True
    inner = is_new[old] & is_old[new]
    if inner.any():
        from scipy.sparse import coo_array  # slow to import, and seldom needed
        from scipy.sparse.csgraph import connected_components

        met, position = np.unique([old[inner], new[inner]], return_inverse=True)
        pairs = (np.ones(inner.sum(), dtype=np.int8), tuple(position.reshape(2, -1)))
        graph = coo_array(pairs, shape=(len(met), len(met))).tocsr()
        _, label = connected_components(graph, directed=True, connection="strong")
        circle[met] = np.bincount(label)[label] > 1
    return circle


def _at_the_end(following: np.ndarray) -> np.ndarray:
    """Follow each key to the one that follows itself, in steps that double."""
    while not np.array_equal(further := following[following], following):
        following = further
    return following


def _leading_to(
    marked: np.ndarray, old: np.ndarray, new: np.ndarray, following: np.ndarray
) -> np.ndarray:
    """Return which keys are marked or lead to one that is, shape (size,)."""
    marked = marked.copy()
    while marked.any():
        step = following
        while not np.array_equal(further := step[step], step):
            marked |= marked[step]
            step = further
        marked |= marked[step]
        grown = old[marked[new] & ~marked[old]]
        if not len(grown):
            break
        marked[grown] = True
    return marked


def _arrow(keys: pd.Series) -> pa.StringArray:
    found = pa.array(keys.array, pa.string())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
