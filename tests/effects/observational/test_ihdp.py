"""Known truth on real covariates: Hill's response surfaces, as econml has them.

The children and who was treated are the same in every draw, so that the draws of an estimator err
together: bounds are wide. The page of validation has the table.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
import ihdp

DRAWS, TREES = 60, 6
ADJUSTED = ("aipw linear", "ipw", "entropy_balancing", "matching", "lin")


@pytest.fixture(scope="module", params=ihdp.SURFACES)
def surface(request):
    return request.param


@pytest.fixture(scope="module")
def of_surface(surface):
    data = ihdp.draw(surface, DRAWS)
    found = ihdp.estimates(data, "att", boosted=TREES)
    return {name: ihdp.judged(data, "att", one) for name, one in found.items()}


def test_the_children_are_hills(surface):
    data = ihdp.draw(surface, 2)
    assert (data.treated.sum(), (~data.treated).sum()) == (139, 608)
    assert data.x.shape == (747, 25)
    assert data.truth["att"] == pytest.approx([4, 4])
    assert not (data.y[:, 0] == data.y[:, 1]).all()


def test_intervals_of_adjusted_estimates_hold_the_effect(of_surface):
    for name in ADJUSTED:
        assert of_surface[name]["held"] >= 0.85, name  # 60 draws of 0.95: 0.85 is 3.5 sd below


def test_adjusted_estimates_err_little_where_raw_ones_err_much(surface, of_surface):
    """On A all models are right, on B those of outcomes are linear and wrong."""
    bias = {"A": 0.1, "B": 0.3}[surface]
    raw = of_surface["difference_in_means"]
    assert raw["rmse"] > 0.8
    assert raw["held"] < 0.7
    for name in ADJUSTED:
        assert abs(of_surface[name]["bias"]) < bias, name
        assert of_surface[name]["rmse"] < 0.5 * raw["rmse"], name


def test_trees_find_the_effect_on_a_bent_surface(of_surface):
    found = of_surface["aipw boosting"]
    assert abs(found["bias"]) < 0.3
    assert found["held"] >= 5 / TREES


def test_a_right_regression_is_exact_on_the_linear_surface():
    data = ihdp.draw("A", DRAWS)
    found = ihdp.estimates(data, "ate", boosted=0)
    for name in ("lin", "regression"):
        judged = ihdp.judged(data, "ate", found[name])
        assert abs(judged["bias"]) < 0.05
        assert judged["rmse"] < 0.2
