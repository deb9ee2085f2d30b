"""Bands, sums and time lost hold what is true as often as they say; few trials, seeded."""

from functools import partial

import pytest
from scipy import stats
from simulate_paths import held

from evaluate.effects import incidence_table, path_tables
from evaluate.effects.bands import critical_value

TRIALS = 40
LEAST = stats.binom.ppf(1e-4, TRIALS, 0.95) / TRIALS  # of one share; there are 36


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Draw less for a band: its critical value is then off by one per cent."""
    for module in (path_tables, incidence_table):
        monkeypatch.setattr(module, "critical_value", partial(critical_value, draws=4_000))


@pytest.mark.parametrize(
    ("kind", "design"),
    [
        ("path", {"n": 100, "months": 8, "lost": 0.3}),
        ("path", {"n": 120, "months": 6, "clusters": 20}),
        ("entry", {"n": 240, "months": 8}),
    ],
    ids=["persons", "clusters", "entries"],
)
def test_intervals_and_bands_hold_the_truth(kind, design):
    found = held(kind, TRIALS, 11, **design)
    assert len(found) == 12
    for what, share in found.items():
        assert share >= LEAST, what


def test_intervals_of_the_months_do_not_hold_all_months_at_once(monkeypatch):
    """Were the band as wide as the intervals, it would miss too often: the test can tell."""
    t = stats.t.ppf(0.975, 50)
    monkeypatch.setattr(path_tables, "critical_value", lambda *_: t)
    found = held("path", TRIALS, 12, n=100, months=12)
    assert min(found["band", g] for g in ("all", "women", "men")) < LEAST
