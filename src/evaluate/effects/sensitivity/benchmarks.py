"""Hidden variables measured by observed covariates: "three times as strong as education"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluate.covariates import independent
from evaluate.effects.sensitivity.omitted_variable import Coefficient, adjusted
from evaluate.errors import DesignError

HALVINGS = 60  # of the range in which a multiple lies
ROUNDING = 1e-12  # a share that is zero but for rounding


@dataclass(frozen=True)
class Observed:
    """How strong the observed covariates are, each with all its columns.

    Attributes
    ----------
    found : Coefficient
        The coefficients of treatment given all covariates.
    names : tuple of str
        The covariates, b of them.
    r2_yx : ndarray, shape (b, k)
        Share of the outcome's variance left by treatment and the others that each explains.
    r2_dx : ndarray, shape (b,)
        Share of treatment's variance left by the others.
    """

    found: Coefficient
    names: tuple[str, ...]
    r2_yx: np.ndarray
    r2_dx: np.ndarray


@dataclass(frozen=True)
class Multiple:
    """Facts of one sentence: how many times as strong as what.

    Attributes
    ----------
    benchmark : str or None
        The covariate nearest to explaining the estimate away; None where none could.
    estimate : float
        How many times as strong a hidden variable must be to bring the estimate to zero.
    significance : float
        The same to make it insignificant; zero where it is so already.
    """

    benchmark: str | None
    estimate: float
    significance: float


def observed(
    y: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    sources: Sequence[str],
    weight: np.ndarray | None = None,
) -> Observed:
    """Regress outcomes on treatment and covariates, and leave out each covariate.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        Covariates; columns that others explain add nothing.
    sources : sequence of str, length p
        The covariate each column comes from: the columns of one are left out together.
    weight : ndarray, shape (n,), optional
        Weights above zero.

    Returns
    -------
    Observed
        Covariates in the order in which they first come.

    Raises
    ------
    DesignError
        If an arm is empty, covariates tell who was treated, or parameters are as many as persons.
    """
    n = len(treated)
    if treated.all() or not treated.any():
        raise DesignError(f"one arm is empty: {int(treated.sum())} of {n} persons are treated.")
    root = np.ones(n) if weight is None else np.sqrt(weight / weight.mean())
    one = root / np.linalg.norm(root)

    def within(z: np.ndarray) -> np.ndarray:
        z = root[:, None] * z
        return z - np.outer(one, one @ z)

    design = within(np.column_stack([x, treated]).astype(float))
    keep = independent(design, constant=False)
    parameters = 1 + int(keep.sum())
    if not keep[-1]:
        raise DesignError("covariates tell who was treated: name fewer covariates.")
    if n <= parameters:
        raise DesignError(f"as many parameters as persons ({n}): name fewer covariates.")
    # Inner products are all that the smaller regressions need, and q keeps them.
    q, _ = np.linalg.qr(design[:, keep])
    r = q.T @ design
    z = within(y)
    fitted = q.T @ z
    rest = np.maximum((z**2).sum(axis=0) - (fitted**2).sum(axis=0), 0)
    d = r[:, -1:]
    own = _left(d, r[:, :-1])
    df, size = n - parameters, (own**2).sum()
    found = Coefficient((own.T @ fitted)[0] / size, np.sqrt(rest / df / size), df)
    names = tuple(dict.fromkeys(sources))
    r2_yx, r2_dx = np.zeros((len(names), y.shape[1])), np.zeros(len(names))
    for i, name in enumerate(names):
        others = np.array([s != name for s in sources], dtype=bool)
        without_y = (_left(fitted, r[:, np.append(others, True)]) ** 2).sum(axis=0)
        without_d = (_left(d, r[:, :-1][:, others]) ** 2).sum()
        r2_dx[i] = 1 - size / without_d
        with np.errstate(invalid="ignore"):
            r2_yx[i] = without_y / (without_y + rest)
    shares = (np.where(share > ROUNDING, share, 0) for share in (r2_yx, r2_dx))
    return Observed(found, names, *shares)


def _left(target: np.ndarray, regressors: np.ndarray) -> np.ndarray:
    keep = independent(regressors, constant=False)
    q, _ = np.linalg.qr(regressors[:, keep])
    return target - q @ (q.T @ target)


def bounds(
    seen: Observed, kd: np.ndarray | float = 1.0, ky: np.ndarray | float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Bound the shares explained by a hidden variable some times as strong as each covariate.

    Parameters
    ----------
    seen : Observed
        b covariates.
    kd : float or ndarray, broadcast with shape (b, k)
        How many times as much as the covariate it explains of treatment.
    ky : float or ndarray, optional
        How many times as much of the outcome; as ``kd`` where not given.

    Returns
    -------
    r2_yz, r2_dz : ndarray, shape (b, k)
        At most 1 for the outcome; NaN where no variable can be that strong with treatment.

    References
    ----------
    Cinelli and Hazlett (2020), Making sense of sensitivity: Extending omitted variable bias,
    Journal of the Royal Statistical Society B 82(1), section 4.4.
    """
    ky = kd if ky is None else ky
    r2_dx = seen.r2_dx[:, None]
    r2_dz = kd * r2_dx / (1 - r2_dx) + np.zeros_like(seen.r2_yx)
    r2_dz = np.where(r2_dz < 1, r2_dz, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = kd * r2_dx**2 / ((1 - kd * r2_dx) * (1 - r2_dx))
        larger = (np.sqrt(ky) + np.sqrt(shared)) ** 2 / (1 - shared)
        r2_yz = larger * seen.r2_yx / (1 - seen.r2_yx)
    return np.where(np.isnan(r2_dz), np.nan, np.minimum(r2_yz, 1)), r2_dz


def multiples(seen: Observed, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how many times as strong as each covariate a hidden variable must be.

    Parameters
    ----------
    seen : Observed
        b covariates.
    level : float
        Such as 0.95.

    Returns
    -------
    estimate, significance : ndarray, shape (b, k)
        Multiples, of the strength with treatment and with outcome alike, at which the estimate
        is zero, and at which some variable up to that strong makes it insignificant; infinite
        for a covariate that explains nothing of the one or the other.
    """
    critical = stats.t.ppf((1 + level) / 2, seen.found.df - 1)
    sign = np.where(seen.found.value < 0, -1.0, 1.0)
    f2 = seen.found.t**2 / seen.found.df

    def stands(times: np.ndarray, against: float) -> np.ndarray:
        r2_yz, r2_dz = bounds(seen, times)
        with np.errstate(divide="ignore", invalid="ignore"):
            if against:  # t is least where the hidden variable does not explain more than this
                r2_yz = np.fmin(r2_yz, r2_dz / (1 - r2_dz) / f2)
            moved = adjusted(seen.found, r2_yz, r2_dz)
            return sign * moved.value > against * moved.std_error

    with np.errstate(divide="ignore"):
        most = np.where(seen.r2_dx > 0, 1 / seen.r2_dx - 1, np.inf)[:, None]
    never = ~np.isfinite(most) | (seen.r2_yx == 0)
    most = np.where(never, 1.0, most)
    found = []
    for against in (0.0, float(critical)):
        low, high = np.zeros_like(most), most.copy()
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            up = stands(middle, against)
            low, high = np.where(up, middle, low), np.where(up, high, middle)
        already = ~stands(np.zeros_like(most), against)
        found.append(np.where(already, 0.0, np.where(never, np.inf, low)))
    return found[0], found[1]


def nearest(names: Sequence[str], estimate: np.ndarray, significance: np.ndarray) -> list[Multiple]:
    """Pick for each outcome the covariate that comes nearest to explaining the estimate away.

    Parameters
    ----------
    names : sequence of str, length b
        The covariates.
    estimate, significance : ndarray, shape (b, k)
        Multiples, from here or from the long story short.

    Returns
    -------
    list of Multiple
        k of them.
    """
    facts = []
    for e, s in zip(estimate.T, significance.T, strict=True):
        i = int(np.argmin(np.where(np.isnan(e), np.inf, e))) if len(names) else -1
        if i < 0 or not np.isfinite(e[i]):
            facts.append(Multiple(None, np.inf, np.inf))
        else:
            facts.append(Multiple(names[i], float(e[i]), float(s[i])))
    return facts
