"""What the lottery drew: blocks, clusters, and whether a cluster is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluate.data.values import Values
from evaluate.plan.columns import Columns


def crossed(values: Values, columns: Sequence[str]) -> np.ndarray:
    """Return the combination of columns of each person, shape (n,): ``site=north,wave=2``."""
    block, names = np.zeros(len(values), dtype=np.int64), [""]
    for column in columns:
        number, texts = pd.factorize(values.code(column), use_na_sentinel=False)
        block, pairs = pd.factorize(block * len(texts) + number)
        parts = [divmod(int(pair), len(texts)) for pair in pairs]
        names = [f"{names[first]},{column}={texts[last]}" for first, last in parts]
    return np.array([name[1:] for name in names], dtype=object)[block]


def drawn_units(values: Values, columns: Columns) -> np.ndarray:
    """Return the unit that the lottery drew for each row, by number, shape (n,).

    It is the row of a person in a wave, or the cluster in a wave.
    """
    if columns.cluster is None:
        return np.arange(len(values))
    return _numbers(values, [columns.cluster], columns)


def unit_faults(values: Values, columns: Columns, kept: np.ndarray, arm: np.ndarray) -> list[str]:
    """Say where a cluster, in its wave, holds several arms or lies in several blocks.

    Parameters
    ----------
    values : Values
        The columns of the persons.
    columns : Columns
        Of the plan.
    kept : ndarray of bool, shape (n,)
        The persons in the study.
    arm : ndarray of str, shape (n,)
        Their arms.
    """
    cluster = columns.cluster
    if cluster is None or not kept.any():
        return []
    where = f"{values.tables.path(cluster)}: column {cluster} (columns.cluster)"
    unit = pd.Series(drawn_units(values, columns)[kept])
    several = pd.Series(arm[kept]).groupby(unit.to_numpy()).nunique()
    what = "clusters" if columns.wave is None else "clusters in their waves"
    faults = []
    if (mixed := int((several > 1).sum())) > 0:
        faults.append(
            f"{where}: {mixed:,} of {len(several):,} {what} hold more than one arm. A cluster is "
            "the unit that was assigned, so that all its persons have its arm: is the arm the one "
            "assigned, and the cluster that at the assignment? If persons were assigned within "
            f"{cluster}, write `blocks: [{cluster}]` and leave `cluster` out."
        )
    if columns.blocks:
        block = pd.Series(crossed(values, columns.blocks)[kept])
        several = block.groupby(unit.to_numpy()).nunique()
        if (split := int((several > 1).sum())) > 0:
            faults.append(
                f"{where}: {split:,} of {len(several):,} {what} lie in several blocks "
                f"({', '.join(columns.blocks)}). A cluster is drawn in one block: where clusters "
                "of several blocks have one name, give each its own, such as site and number."
            )
    return faults


def _numbers(values: Values, named: list[str], columns: Columns) -> np.ndarray:
    wave = [columns.wave] if columns.wave else []
    return np.asarray(pd.factorize(crossed(values, [*named, *wave]))[0])
