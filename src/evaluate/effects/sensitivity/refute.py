"""Refuters: what an estimator says where the answer is known, or should not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from evaluate.effects.sensitivity.projected import Projected, projected
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

# Takes y, treated, x and weight, and fits all its models anew.
Estimator = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None], Estimates]

CELLS = 10_000_000  # numbers drawn and held at a time


@dataclass(frozen=True)
class Sample:
    """The persons of one contrast.

    Attributes
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        Covariates.
    weight : ndarray, shape (n,), or None
        Weights above zero.
    """

    y: np.ndarray
    treated: np.ndarray
    x: np.ndarray
    weight: np.ndarray | None = None

    def rows(self, rows: np.ndarray) -> Sample:
        """Return some of the persons, by a mask or by their places."""
        weight = None if self.weight is None else self.weight[rows]
        return Sample(self.y[rows], self.treated[rows], self.x[rows], weight)


@dataclass(frozen=True)
class Refutation:
    """What the draws of one refuter gave, for k outcomes.

    Attributes
    ----------
    refuter : str
        Its name.
    expected : ndarray, shape (k,)
        What a sound estimator gives: the estimate itself, or zero.
    mean, sd : ndarray, shape (k,)
        Of the draws.
    p_value : ndarray, shape (k,)
        Two-sided, of ``expected`` among the draws; at least ``2 / (draws + 1)``.
    draws : int
        Draws that gave a number.
    failed : int
        Draws in which the design could not carry the estimate.
    """

    refuter: str
    expected: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    p_value: np.ndarray
    draws: int
    failed: int


def random_common_cause(
    sample: Sample, draws: int, seed: int, estimator: Estimator | None = None
) -> Refutation:
    """Add a covariate of noise: the estimate should stay.

    Parameters
    ----------
    sample : Sample
        The persons.
    draws : int
        How many.
    seed : int
        The same seed gives the same draws, whatever the estimator.
    estimator : Estimator, optional
        The regression on treatment and covariates where not given, all draws of it at once.

    Returns
    -------
    Refutation

    Raises
    ------
    DesignError
        If the estimate cannot be made, or not in half of the draws.
    """
    n = len(sample.treated)
    base = _base(sample, estimator)

    def noise(rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal(n)

    def added(z: np.ndarray) -> Sample:
        return replace(sample, x=np.column_stack([sample.x, z]))

    def at_once(batch: list[np.ndarray]) -> np.ndarray:
        assert base is not None
        return base.with_covariate(np.stack(batch, axis=1))

    values = _values(estimator, _drawn(noise, draws, seed, n), added, at_once)
    return _refutation("random_common_cause", _estimate(estimator, sample, base), values)


def placebo_treatment(
    sample: Sample, draws: int, seed: int, estimator: Estimator | None = None
) -> Refutation:
    """Shuffle who was treated: the estimate should vanish.

    The estimator fits its propensity model to the shuffled treatment; one that keeps the
    propensities of the true treatment weights persons by a selection that is no longer there.

    Parameters
    ----------
    sample, draws, seed, estimator
        As for `random_common_cause`.

    Returns
    -------
    Refutation

    Raises
    ------
    DesignError
        If the estimate cannot be made in half of the draws.
    """
    n, k = sample.y.shape
    base = _base(sample, estimator)

    def shuffled(rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(sample.treated)

    def exchanged(d: np.ndarray) -> Sample:
        return replace(sample, treated=d)

    def at_once(batch: list[np.ndarray]) -> np.ndarray:
        assert base is not None
        return base.of_treatment(np.stack(batch, axis=1))

    values = _values(estimator, _drawn(shuffled, draws, seed, n), exchanged, at_once)
    return _refutation("placebo_treatment", np.zeros(k), values)


def data_subset(
    sample: Sample,
    draws: int,
    seed: int,
    estimator: Estimator | None = None,
    fraction: float = 0.8,
) -> Refutation:
    """Keep part of the persons: the estimate should stay.

    Parameters
    ----------
    sample, draws, seed, estimator
        As for `random_common_cause`.
    fraction : float
        Share of persons kept.

    Returns
    -------
    Refutation

    Raises
    ------
    DesignError
        If the estimate cannot be made, or not in half of the draws.
    """
    n = len(sample.treated)
    base = _base(sample, estimator)

    def kept(rng: np.random.Generator) -> np.ndarray:
        return np.sort(rng.choice(n, size=round(fraction * n), replace=False, shuffle=False))

    def at_once(batch: list[np.ndarray]) -> np.ndarray:
        assert base is not None
        return np.array([base.of_rows(rows) for rows in batch])

    values = _values(estimator, _drawn(kept, draws, seed, n), sample.rows, at_once)
    return _refutation("data_subset", _estimate(estimator, sample, base), values)


def placebo_outcome(
    sample: Sample, draws: int, seed: int, estimator: Estimator | None = None
) -> Refutation:
    """Replace the outcomes by such as treatment cannot have moved: the estimate should vanish.

    A drawn outcome is what the covariates foretell, by a regression among the untreated, plus
    the residual of an untreated person drawn at random. So it comes with the selection on
    covariates that the data have, and a comparison that adjusts too little does not give zero.

    Parameters
    ----------
    sample, draws, seed, estimator
        As for `random_common_cause`; the estimator gets several draws at once, as columns.

    Returns
    -------
    Refutation

    Raises
    ------
    DesignError
        If the estimate cannot be made, or nobody is untreated.
    """
    n, k = sample.y.shape
    control = ~sample.treated
    if not control.any():
        raise DesignError(f"one arm is empty: all {n} persons are treated.")
    root = np.ones(n) if sample.weight is None else np.sqrt(sample.weight)
    design = np.column_stack([np.ones(n), sample.x])
    beta = np.linalg.lstsq(
        root[control, None] * design[control], root[control, None] * sample.y[control], rcond=None
    )[0]
    fitted = design @ beta
    residual = sample.y[control] - fitted[control]
    share = None if sample.weight is None else sample.weight[control] / sample.weight[control].sum()

    def outcomes(rng: np.random.Generator) -> np.ndarray:
        return fitted + residual[rng.choice(len(residual), size=n, p=share)]

    base = _base(sample, estimator)
    values = []
    for batch in _drawn(outcomes, draws, seed, n * k):
        changed = replace(sample, y=np.concatenate(batch, axis=1))
        value = base.of_outcomes(changed.y) if base else _estimate(estimator, changed, None)
        values.append(value.reshape(len(batch), k))
    return _refutation("placebo_outcome", np.zeros(k), np.concatenate(values))


def _drawn(
    draw: Callable[[np.random.Generator], np.ndarray], draws: int, seed: int, cells: int
) -> Iterator[list[np.ndarray]]:
    """Draw in batches that memory holds, each draw from a stream of its own."""
    streams = np.random.default_rng(seed).spawn(draws)
    size = max(1, CELLS // max(cells, 1))
    for start in range(0, draws, size):
        yield [draw(rng) for rng in streams[start : start + size]]


def _base(sample: Sample, estimator: Estimator | None) -> Projected | None:
    """Return the regression, where no other estimator is asked for."""
    if estimator is not None:
        return None
    return projected(sample.y, sample.treated, sample.x, sample.weight)


def _estimate(estimator: Estimator | None, sample: Sample, base: Projected | None) -> np.ndarray:
    if base is not None:
        return base.value
    assert estimator is not None
    return estimator(sample.y, sample.treated, sample.x, sample.weight).value


def _values(
    estimator: Estimator | None,
    batches: Iterator[list[np.ndarray]],
    changed: Callable[[np.ndarray], Sample],
    at_once: Callable[[list[np.ndarray]], np.ndarray],
) -> np.ndarray:
    """Return what the draws give, (draws, k): NaN where the design cannot carry the estimate."""
    if estimator is None:
        return np.concatenate([at_once(batch) for batch in batches])
    values = []
    for batch in batches:
        for draw in batch:
            sample = changed(draw)
            try:
                values.append(_estimate(estimator, sample, None))
            except DesignError:
                values.append(np.full(sample.y.shape[1], np.nan))
    return np.array(values)


def _refutation(name: str, expected: np.ndarray, values: np.ndarray) -> Refutation:
    """Summarise draws of shape (draws, k)."""
    known = np.isfinite(values).all(axis=1)
    draws, failed = int(known.sum()), int((~known).sum())
    if draws < 2 or failed > draws:
        raise DesignError(
            f"{name}: {failed} of {len(values)} draws gave no estimate, for want of overlap or "
            "of persons."
        )
    values = values[known]
    tail = 1 + np.minimum((values <= expected).sum(axis=0), (values >= expected).sum(axis=0))
    p_value = np.minimum(2 * tail / (draws + 1), 1)
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    return Refutation(name, expected, mean, sd, p_value, draws, failed)
