"""Sections `protocol` and `graph`: what an observational study imitates, and who causes what."""

from __future__ import annotations

from evaluate.plan.closed import Closed


class Protocol(Closed):
    """The target trial that an observational study imitates."""

    eligibility: str
    strategies: str
    assignment: str
    time_zero: str
    follow_up: str
    outcome: str
    contrast: str
    analysis: str


class Graph(Closed):
    """A causal graph: who causes what, as pairs."""

    edges: list[tuple[str, str]]
