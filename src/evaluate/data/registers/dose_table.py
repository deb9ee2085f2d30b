"""Activities per person and month: means by kind, month, arm and gender, with their errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.data.registers.dose import ALL, DoseCounts
from evaluate.data.registers.dose_clusters import by_cluster
from evaluate.study import GAP

GENDERS = ("women", "men")
UNIT = "activities"
DUST = 1e-12  # of the sum of squares, below which what is left of a variance is rounding


def dose_table(counts: DoseCounts, genders: Sequence[str], level: float) -> pd.DataFrame:
    """Return the means as `schemas.DOSE`, with ``n_any``.

    The mean is that of the persons observed, weighted where there are weights. Its variance is
    the linearised one of a ratio of two weighted sums, n/(n-1) sum w² (c - mean)² / (sum w)²,
    which for equal weights is s²/n. Intervals are from t with n - 1 degrees of freedom; women
    and men share no person, so the variances add up, with Welch's degrees of freedom.

    Where persons are in clusters, these take their place: w (c - mean) is summed by cluster
    before it is squared, n is the number of clusters with persons observed, and the variance
    of the gap is that of the difference of women's and men's sums, see
    `dose_clusters.by_cluster`. Its degrees of freedom are those of the group in fewer clusters,
    and Welch's where no cluster has both, such as persons in several waves.

    Parameters
    ----------
    counts : DoseCounts
        All activities counted.
    genders : sequence of str
        The genders of the programme.
    level : float
        Of the intervals.

    References
    ----------
    Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, chapter 5;
    Welch (1947).
    """
    groups: dict[str, list[int]] = {ALL: [0, 1, 2]}
    groups |= {g: [GENDERS.index(g) + 1] for g in genders}

    def by_group(values: np.ndarray) -> np.ndarray:
        return np.stack([values[..., c].sum(axis=-1) for c in groups.values()], axis=-1)

    shape = (*counts.some.shape[:3], len(groups))
    n, n_any = np.broadcast_to(by_group(counts.persons), shape).astype(float), by_group(counts.some)
    w, w2 = by_group(counts.weights)
    w_some, wc, w2c, w2c2 = by_group(counts.sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = wc / w
        # Two sums of the same weights may differ in their last digit.
        share = np.where((n_any == n) & (n > 0), 1.0, np.minimum(w_some / w, 1.0))
        squares = w2c2 - 2 * mean * w2c + mean**2 * w2
        squares = np.where(squares > DUST * w2c2, squares, 0.0)
        variance = np.where(n > 1, n / (n - 1) * squares / w**2, np.nan)
    clusters, free = None, n - 1
    if counts.clusters is not None:
        clusters = by_cluster(counts.clusters, mean, list(groups.values()))
        variance, free = clusters.variance, np.broadcast_to(clusters.clusters - 1.0, shape)
    columns = [n, mean, variance, free, share, n_any.astype(float)]
    if set(GENDERS) <= set(groups):
        gap = _gap(columns)
        if clusters is not None:
            fewer = free[..., -2:].min(axis=-1, keepdims=True)
            gap[2:4] = clusters.gap, np.where(clusters.shared, fewer, gap[3])
        columns = [np.concatenate([c, g], axis=-1) for c, g in zip(columns, gap, strict=True)]
        groups[GAP] = []
    n, mean, variance, df, share, n_any = columns
    error = np.sqrt(variance)
    with np.errstate(invalid="ignore"):
        margin = stats.t.ppf((1 + level) / 2, np.where(df > 0, df, np.nan)) * error
    margin = np.where(error == 0, 0.0, margin)
    index = pd.MultiIndex.from_product(
        [counts.kinds, range(counts.months.stop), counts.arms, groups],
        names=["kind", "month", "arm", "group"],
    )
    numbers = {
        "n": n, "mean": mean, "std_error": error, "conf_low": mean - margin,
        "conf_high": mean + margin, "share_any": share, "unit": None, "n_any": n_any,
    }  # fmt: skip
    flat = {name: UNIT if v is None else v.ravel() for name, v in numbers.items()}
    return pd.DataFrame(flat, index=index).reset_index()


def _gap(columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return women less men in each of the columns, shapes (..., 1); the last are women, men."""
    n, mean, variance, df, share, _ = columns
    women, men = variance[..., -2:-1], variance[..., -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        both = women + men
        welch = both**2 / (women**2 / df[..., -2:-1] + men**2 / df[..., -1:])
    difference = [values[..., -2:-1] - values[..., -1:] for values in (mean, share)]
    people = n[..., -2:-1] + n[..., -1:]
    nothing = np.full_like(people, np.nan)
    return [people, difference[0], both, welch, difference[1], nothing]
