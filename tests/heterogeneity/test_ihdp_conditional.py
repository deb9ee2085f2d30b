"""Known truth on real covariates: projections and group effects on Hill's response surfaces.

The children and who was treated are the same in every draw, so that the draws of an estimator err
together: bounds are wide. Surface A has the same effect for all; on B it differs a lot.
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

DRAWS = 60
FEATURES = slice(0, 6)  # those that are numbers: weight, head, weeks of birth and the like
SEX = 6  # column of an indicator with enough children of either value


def draws(surface, count, seed=ihdp.SEED):
    """Yield outcome, treatment, covariates and every child's effect."""
    from econml.data.dgps import ihdp_surface_A, ihdp_surface_B

    of = {"A": ihdp_surface_A, "B": ihdp_surface_B}[surface]
    states = np.random.SeedSequence([seed, ihdp.SURFACES.index(surface)]).generate_state(count)
    for state in states:
        y, treated, x, effect = of(int(state))
        yield y, treated == 1, x[:, 1:], effect


def slopes(effect, share, z):
    """Return the projection of true effects on covariates, the constant first."""
    z = np.column_stack([np.ones(len(z)), z - share @ z / share.sum()])
    return np.linalg.solve((z.T * share) @ z, (z.T * share) @ effect)


def judged(surface, count, estimand="att", learner="linear"):
    """Return by draw whether the intervals hold the truth, and the p-value of the joint test."""
    held, p_values, scores = [], [], None
    for y, treated, x, effect in draws(surface, count):
        if scores is None:
            frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
            scores = propensity(frame, treated, "logit", folds=ihdp.FOLDS, seed=ihdp.SEED)
        given = Treatment(treated, scores.fold.T, scores.score.T, estimand, 0.01)
        found = person_scores(y, x, given, learner)[0]
        share, one = found["share"], np.ones(len(y))
        z = x[:, FEATURES]
        projection = best_linear_projection(found["signal"], share, one, z, treated)
        inside = projection.covers(slopes(effect, share, z), 0.95)
        groups = []
        for value in (0, 1):
            among = x[:, SEX] == value
            own = best_linear_projection(
                found["signal"][among], share[among], one[among],
                np.empty((among.sum(), 0)), treated[among],
            )  # fmt: skip
            groups.append(own.covers(np.average(effect[among], weights=share[among]), 0.95)[0])
        held.append([*inside, *groups])
        case = case_of(women=x[:, SEX] == 1, estimand=estimand, treated=treated, y=y, **found)
        p_values.append(no_differences(case, z).p_value)
    return np.array(held), np.array(p_values)


@pytest.fixture(scope="module", params=ihdp.SURFACES)
def of_surface(request):
    return request.param, *judged(request.param, DRAWS)


def test_intervals_hold_the_true_projection_and_group_effects(of_surface):
    _, held, _ = of_surface
    assert held.mean() >= 0.92
    assert held.mean(axis=0).min() >= 0.85  # 60 draws of 0.95: 0.85 is 3.5 sd below


def test_differences_are_found_where_there_are_any(of_surface):
    surface, _, p_values = of_surface
    found = (p_values < 0.05).mean()
    assert found > 0.8 if surface == "B" else found < 0.17  # 3.5 sd above 0.05
