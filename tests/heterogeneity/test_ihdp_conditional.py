"""Known truth on real covariates: projections and group effects on Hill's response surfaces.

The children are the same in every draw; outcomes and who is treated are drawn anew, so that draws
are independent studies. Surface A has the same effect for all; on B it differs a lot.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evaluate.design.propensity import propensity
from evaluate.heterogeneity.joint_test import no_differences
from evaluate.heterogeneity.nuisances import Treatment, person_scores
from evaluate.heterogeneity.projection import best_linear_projection

from .gap_cases import case_of

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import ihdp

DRAWS = 200
SLACK = 3.5 * np.sqrt(0.05 * 0.95 / DRAWS)
FEATURES = slice(0, 6)  # those that are numbers: weight, head, weeks of birth and the like


def slopes(effect, share, z):
    """Return the projection of true effects on covariates, the constant first."""
    z = np.column_stack([np.ones(len(z)), z - share @ z / share.sum()])
    return np.linalg.solve((z.T * share) @ z, (z.T * share) @ effect)


def judged(surface, count, estimand="att", learner="linear"):
    """Return by draw whether the intervals hold the truth, and the p-value of the joint test."""
    held, p_values = [], []
    for seed in np.random.SeedSequence([ihdp.SEED, ord(surface)]).generate_state(count):
        y, treated, x, effect = ihdp.redrawn(surface, np.random.default_rng(seed))
        frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
        scores = propensity(frame, treated, "logit", folds=ihdp.FOLDS, seed=ihdp.SEED)
        given = Treatment(treated, scores.fold.T, scores.score.T, estimand, 0.01)
        found = person_scores(y, x, given, learner)[0]
        share, one = found["share"], np.ones(len(y))
        z, girls = x[:, FEATURES], x[:, ihdp.SEX] == 1
        projection = best_linear_projection(found["signal"], share, one, z, treated)
        inside = projection.covers(slopes(effect, share, z), 0.95)
        groups = []
        for among in (girls, ~girls):
            own = best_linear_projection(
                found["signal"][among], share[among], one[among],
                np.empty((among.sum(), 0)), treated[among],
            )  # fmt: skip
            groups.append(own.covers(np.average(effect[among], weights=share[among]), 0.95)[0])
        held.append([*inside, *groups])
        case = case_of(women=girls, estimand=estimand, treated=treated, y=y, **found)
        p_values.append(no_differences(case, z).p_value)
    return np.array(held), np.array(p_values)


@pytest.fixture(scope="module", params=ihdp.SURFACES)
def of_surface(request):
    return request.param, *judged(request.param, DRAWS)


def test_intervals_hold_the_true_projection_and_group_effects(of_surface):
    _, held, _ = of_surface
    assert held.mean() >= 0.93
    assert held.mean(axis=0).min() >= 0.95 - SLACK


def test_differences_are_found_where_there_are_any(of_surface):
    surface, _, p_values = of_surface
    found = (p_values < 0.05).mean()
    assert found > 0.8 if surface == "B" else found < 0.05 + SLACK
