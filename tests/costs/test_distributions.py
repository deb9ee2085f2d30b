"""Distributions have the points that were named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.costs.distributions import distribution
from evaluate.plan.accounts import Range


@given(st.floats(0.01, 0.6), st.floats(0.01, 0.39))
@pytest.mark.parametrize("kind", ["beta", "gamma", "normal", "lognormal"])
def test_low_and_high_are_the_outer_points(kind, low, width):
    found = distribution(Range(low=low, high=low + width, distribution=kind), low)
    assert_allclose(found.ppf([0.025, 0.975]), [low, low + width], rtol=1e-4)


@pytest.mark.parametrize("kind", ["uniform", "triangular"])
def test_low_and_high_are_bounds(kind):
    found = distribution(Range(low=2, high=5, distribution=kind), 4)
    assert_allclose(found.ppf([0, 1]), [2, 5])


def test_a_triangular_one_has_the_plans_figure_as_its_mode():
    found = distribution(Range(low=2, high=5, distribution="triangular"), 4)
    x = np.linspace(2, 5, 301)
    assert_allclose(x[np.argmax(found.pdf(x))], 4)
