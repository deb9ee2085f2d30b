"""Rows of the table of checks, and which of them need an explanation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

# p-values below which a check warns; of several tests of a kind each has its part of it.
WARN = {
    "sample_ratio": 0.01,
    "places": 0.01,
    "share_by_gender": 0.05,
    "balance": 0.05,
    "placebo": 0.05,
    "offer_day": 0.01,
    "start_before_offer": 0.05,
    "attrition": 0.05,
}


def row(
    check: str,
    group: str,
    statistic: float | None,
    p: float | None,
    text: str,
    *,
    tests: int = 1,
    verdict: str | None = None,
    least: int | None = None,
) -> dict[str, object]:
    """Return a check.

    Parameters
    ----------
    check, group : str
        What is checked, such as ``attrition:work``, and of whom.
    statistic, p : float or None
        As the text says; the p-value of a test.
    text : str
        From `evaluate.notes.finding`.
    tests : int
        Tests of one kind, of which each is judged by its share of the level.
    verdict : str, optional
        Where no test decides.
    least : int, optional
        The smallest number of persons, above zero, that the text tells or gives away.
    """
    if verdict is None:
        verdict = "not assessed"
        if p is not None and not np.isnan(p):
            verdict = "warn" if p < WARN[check.split(":")[0]] / tests else "pass"
    return {
        "check": check,
        "group": group,
        "statistic": statistic,
        "p_value": p,
        "verdict": verdict,
        "text": text,
        "least": least,
    }


def by_arm(values: Iterable[float], arms: Iterable[str]) -> str:
    """Return a number for each arm as the texts write it: ``0.412 in arm 0, 0.405 in arm 1``."""
    return ", ".join(f"{number(v)} in arm {a}" for v, a in zip(values, arms, strict=True))


def number(value: float) -> str:
    """Return a number with decimals that go with its size."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.2f}" if size >= 10 else f"{value:.3f}"


def smallest(counts: np.ndarray) -> int | None:
    """Return the smallest count above zero, None where there is none."""
    positive = counts[counts > 0]
    return int(positive.min()) if len(positive) else None
