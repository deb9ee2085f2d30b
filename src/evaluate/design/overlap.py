"""Do treated and compared persons have likes? Support, trimming, effective numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.covariates import Covariates
from evaluate.errors import DesignError

Groups = dict[str, np.ndarray]
BINS = 20  # of width 0.05
ARMS = ("treated", "control")


@dataclass(frozen=True)
class Trim:
    """Who is kept.

    Attributes
    ----------
    keep : ndarray of bool, shape (n,)
        Those whose score is from ``low`` to ``high``, both included.
    low, high : float
        0 and 1 where nobody is trimmed on that side.
    """

    keep: np.ndarray
    low: float
    high: float


def common_support(score: np.ndarray, treated: np.ndarray) -> tuple[float, float]:
    """Return the lowest and the highest score between which both arms have persons.

    Raises
    ------
    DesignError
        If there is no such range.
    """
    _refuse_empty(treated, np.ones(len(treated), dtype=bool), "one arm is empty")
    low = max(score[treated].min(), score[~treated].min())
    high = min(score[treated].max(), score[~treated].max())
    if low > high:
        raise DesignError(
            f"no overlap: the {int(treated.sum()):,} treated and {int((~treated).sum()):,} "
            "compared persons share no range of the probability of treatment. Choose other "
            "persons to compare, or fewer covariates."
        )
    return float(low), float(high)


def trim(
    score: np.ndarray,
    treated: np.ndarray,
    rule: str | tuple[float, float] = "crump",
    estimand: str = "att",
    weight: np.ndarray | None = None,
) -> Trim:
    """Choose who is kept by the probability of treatment.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Probability of treatment, from 0 to 1.
    treated : ndarray of bool, shape (n,)
        Who is treated.
    rule : {"none", "crump"} or (float, float)
        ``crump`` keeps those among whom the effect is estimated most precisely if errors have
        one variance: scores from alpha to 1 - alpha for the ATE, up to 1 - alpha for the ATT.
        Two numbers are bounds.
    estimand : {"att", "ate"}
        What is estimated.
    weight : ndarray, shape (n,), optional
        Weights above zero.

    Returns
    -------
    Trim
        The estimand is then that of those kept, which must be said.

    Raises
    ------
    DesignError
        If nobody of an arm is left.

    References
    ----------
    Crump, Hotz, Imbens and Mitnik (2009), Dealing with limited overlap in estimation of
    average treatment effects, Biometrika 96(1); for the ATT Crump, Hotz, Imbens and Mitnik
    (2006), Moving the goalposts, NBER Technical Working Paper 330.
    """
    if rule == "none":
        low, high = 0.0, 1.0
    elif rule == "crump":
        alpha = crump_alpha(score, treated, estimand, weight)
        low, high = (0.0 if estimand == "att" else alpha), 1 - alpha
    else:
        low, high = float(rule[0]), float(rule[1])
    keep = (score >= low) & (score <= high)
    _refuse_empty(treated, keep, f"trimming to {low:.3g}-{high:.3g} leaves an arm empty")
    return Trim(keep, low, high)


def crump_alpha(
    score: np.ndarray,
    treated: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
) -> float:
    """Return the optimal alpha of Crump et al.; 0 where everybody is kept.

    For the ATE, the least variance bound of all sets ``1 / (e (1 - e)) <= c`` is at
    ``c = 2 mean(1 / (e (1 - e)))`` over the set, and ``c = 1 / (alpha (1 - alpha))``; for the
    ATT, with ``1 / (1 - e)`` and means over the treated, ``c = 1 / alpha``.
    """
    w = np.ones(len(score)) if weight is None else weight
    with np.errstate(divide="ignore"):
        if estimand == "ate":
            cost = 1 / (score * (1 - score))
        else:
            cost, w = 1 / (1 - score[treated]), w[treated]
    order = np.argsort(cost, kind="stable")
    size = np.cumsum(w[order])
    total = np.cumsum((w * np.where(np.isfinite(cost), cost, np.inf))[order])
    best = int(np.argmin(total / size**2))
    if not np.isfinite(total[best]):
        raise DesignError(
            "no overlap: every probability of treatment is 0 or 1. Choose other persons to "
            "compare, or fewer covariates."
        )
    if best == len(cost) - 1:
        return 0.0
    bound = 2 * total[best] / size[best]
    if estimand == "att":
        return float(1 / bound)
    return float((1 - np.sqrt(1 - 4 / bound)) / 2)


def inverse_weights(
    score: np.ndarray,
    treated: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
    keep: np.ndarray | None = None,
) -> np.ndarray:
    """Return weights inverse to the probability of one's own arm, never clipped.

    Parameters
    ----------
    score, treated : ndarray, shape (n,)
        Probability of treatment, and who is treated.
    estimand : {"att", "ate"}
        For the ATT the treated have weight 1, the others ``e / (1 - e)``.
    weight : ndarray, shape (n,), optional
        Weights that multiply them.
    keep : ndarray of bool, shape (n,), optional
        Those not kept have weight 0.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    DesignError
        If somebody kept could not have been in their arm.

    References
    ----------
    Hirano, Imbens and Ridder (2003), Efficient estimation of average treatment effects using
    the estimated propensity score, Econometrica 71(4).
    """
    keep = np.ones(len(score), dtype=bool) if keep is None else keep
    chance = np.where(treated, score if estimand == "ate" else 1.0, 1 - score)
    never = int((keep & (chance <= 0)).sum())
    if never:
        raise DesignError(
            f"no overlap: the probability of the arm they are in is 0 for {never:,} of "
            f"{int(keep.sum()):,} persons. Trim, or name fewer covariates."
        )
    own = np.where(treated | (estimand == "ate"), 1.0, score)
    found = np.where(keep, own / np.where(keep, chance, 1), 0)
    return found if weight is None else found * weight


def lost(
    keep: np.ndarray, treated: np.ndarray, groups: Groups, inside: np.ndarray | None = None
) -> pd.DataFrame:
    """Count who is trimmed, by arm and group.

    Returns
    -------
    DataFrame
        ``group, arm, n, kept, lost`` and, with ``inside`` of shape (n,), ``outside``: those
        before trimming who are not within the common support.
    """
    rows = []
    for group, members in groups.items():
        for arm, here in _arms(treated, members):
            n, kept = int(here.sum()), int((here & keep).sum())
            row: dict[str, object] = {
                "group": group, "arm": arm, "n": n, "kept": kept, "lost": n - kept,
            }  # fmt: skip
            if inside is not None:
                row["outside"] = int((here & ~inside).sum())
            rows.append(row)
    return pd.DataFrame(rows)


def moved_population(
    covariates: Covariates,
    keep: np.ndarray,
    treated: np.ndarray,
    groups: Groups,
    estimand: str,
    weight: np.ndarray | None = None,
) -> pd.DataFrame:
    """Tell how trimming changes the persons that the effect is about.

    Returns
    -------
    DataFrame
        ``covariate, group, mean_before, mean_after, difference``: means among the treated for
        the ATT, among all for the ATE; the difference is in standard deviations before.
    """
    w = np.ones(len(keep)) if weight is None else weight
    target = treated if estimand == "att" else np.ones(len(keep), dtype=bool)
    tables = []
    for group, members in groups.items():
        rows = members & target
        x = covariates.values[rows]
        known = ~np.isnan(x)
        filled = np.where(known, x, 0)

        def mean(z: np.ndarray, on: np.ndarray, known: np.ndarray = known) -> np.ndarray:
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray(on @ z / (on @ known))

        before, after = mean(filled, w[rows]), mean(filled, (w * keep)[rows])
        spread = np.sqrt(mean(np.where(known, x - before, 0) ** 2, w[rows]))
        with np.errstate(invalid="ignore", divide="ignore"):
            difference = np.where(spread > 0, (after - before) / spread, np.nan)
        tables.append(
            pd.DataFrame(
                {
                    "covariate": covariates.names,
                    "group": group,
                    "mean_before": before,
                    "mean_after": after,
                    "difference": difference,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def effective_sizes(weight: np.ndarray, treated: np.ndarray, groups: Groups) -> pd.DataFrame:
    """Return how many equally weighted persons the weights are worth.

    Parameters
    ----------
    weight : ndarray, shape (n,)
        Weights of an estimate, zero for those it does not use.
    treated : ndarray of bool, shape (n,)
        Who is treated.
    groups : dict of str to ndarray of bool, shape (n,)
        Groups.

    Returns
    -------
    DataFrame
        ``group, arm, n, effective, largest``: persons with a weight, the squared sum over the
        sum of squares, and the largest person's share of the sum.

    References
    ----------
    Kish (1965), Survey Sampling, section 8.2.
    """
    rows = []
    for group, members in groups.items():
        for arm, here in _arms(treated, members):
            w = weight[here]
            total, square = w.sum(), (w**2).sum()
            rows.append(
                {
                    "group": group,
                    "arm": arm,
                    "n": int((w > 0).sum()),
                    "effective": total**2 / square if square > 0 else 0.0,
                    "largest": w.max() / total if total > 0 else np.nan,
                }
            )
    return pd.DataFrame(rows)


def histogram(score: np.ndarray, treated: np.ndarray, groups: Groups) -> pd.DataFrame:
    """Count persons by score in bins of width 0.05, by arm and group.

    Returns
    -------
    DataFrame
        ``group, arm, low, high, n``: from ``low`` to below ``high``, the last with 1; persons,
        not weights, and empty bins too, so that a gate can judge the cells.
    """
    edges = np.arange(BINS + 1) / BINS
    place = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, BINS - 1)
    tables = []
    for group, members in groups.items():
        for arm, here in _arms(treated, members):
            n = np.bincount(place[here], minlength=BINS)
            bins = {"group": group, "arm": arm, "low": edges[:-1], "high": edges[1:], "n": n}
            tables.append(pd.DataFrame(bins))
    return pd.concat(tables, ignore_index=True)


def _arms(treated: np.ndarray, members: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return [(ARMS[0], members & treated), (ARMS[1], members & ~treated)]


def _refuse_empty(treated: np.ndarray, keep: np.ndarray, what: str) -> None:
    left = int((treated & keep).sum()), int((~treated & keep).sum())
    if min(left) == 0:
        raise DesignError(
            f"{what}: {left[0]:,} of {int(treated.sum()):,} treated and {left[1]:,} of "
            f"{int((~treated).sum()):,} compared persons. Choose wider bounds, or other "
            "persons to compare."
        )
