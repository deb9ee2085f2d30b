"""Do the numbers assigned to each arm agree with the shares that the plan states?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluate.plan.assignment import Assignment, ShareColumn
from evaluate.plan.closed import code_text


@dataclass(frozen=True)
class RatioTest:
    """A test of the shares assigned.

    Attributes
    ----------
    statistic : float
        Share assigned to treatment, or with several arms Pearson's chi-squared.
    p_value : float
        Two-sided.
    """

    statistic: float
    p_value: float


def expected_shares(assignment: Assignment, arms: Sequence[str]) -> np.ndarray | None:
    """Return the share of each arm that the plan states, control first; None if it does not."""
    share = assignment.share
    if share is None or isinstance(share, ShareColumn):
        return None
    if isinstance(share, float):
        return np.array([1 - share, share])
    named = {code_text(arm): s for arm, s in share.items()}
    treated = [named.get(arm, np.nan) for arm in arms[1:]]
    return np.array([named.get(arms[0], 1 - sum(treated)), *treated])


def ratio_test(counts: np.ndarray, shares: np.ndarray) -> RatioTest:
    """Test counts by arm against stated shares.

    Parameters
    ----------
    counts : ndarray of int, shape (arms,)
        Persons in each arm, control first; arms are pooled where one share covers them.
    shares : ndarray, shape (arms,) or (2,)
        Stated shares, which sum to one.

    Returns
    -------
    RatioTest
        Exact binomial with two arms, Pearson's chi-squared with more.
    """
    if len(shares) == 2:
        treated, n = int(counts[1:].sum()), int(counts.sum())
        p = stats.binomtest(treated, n, shares[1]).pvalue
        return RatioTest(treated / n, min(float(p), 1.0))
    test = stats.chisquare(counts, counts.sum() * shares / shares.sum())
    return RatioTest(float(test.statistic), float(test.pvalue))


def probability_test(treated: np.ndarray, probability: np.ndarray) -> RatioTest:
    """Test the number treated against each person's stated probability, both shape (n,)."""
    spread = np.sqrt((probability * (1 - probability)).sum())
    z = (treated.sum() - probability.sum()) / spread
    return RatioTest(float(treated.mean()), float(2 * stats.norm.sf(abs(z))))
