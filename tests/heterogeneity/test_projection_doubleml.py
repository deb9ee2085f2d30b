"""Projections and averages by group beside DoubleML itself: equal folds and learners."""

import doubleml
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.linear_model import LinearRegression, LogisticRegression

from evaluate.effects.observational.folds import draw_folds
from evaluate.effects.observational.nuisance import cross_fit
from evaluate.heterogeneity.nuisances import Treatment, person_scores
from evaluate.heterogeneity.projection import best_linear_projection

RTOL = 1e-6  # 1e-8 is seen, from the ridge of 1e-9 in the logistic regressions
N, FOLDS, CLIP = 500, 4, 0.01


def draw(seed):
    """Draw an outcome, treatment by choice, covariates with gender, and folds."""
    rng = np.random.default_rng(seed)
    women = rng.random(N) < 0.5
    x = np.column_stack([rng.normal(size=(N, 3)), women])
    treated = rng.random(N) < expit(0.5 * x[:, 0] - 0.3 * x[:, 1] + 0.4 * women - 0.4)
    y = x @ [1.0, 0.5, -0.5, 0.3] + treated * (1 + women + x[:, 2]) + rng.normal(size=N)
    return y, treated, x, women, draw_folds(treated, FOLDS, 1, rng)


def irm(y, treated, x, fold):
    data = doubleml.DoubleMLData.from_arrays(x, y, treated.astype(float))
    model = doubleml.DoubleMLIRM(
        data,
        LinearRegression(),
        LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=500),
        n_folds=FOLDS,
        draw_sample_splitting=False,
        ps_processor_config=doubleml.utils.PSProcessorConfig(clipping_threshold=CLIP),
    )
    everyone = np.arange(N)
    model.set_sample_splitting([[(everyone[fold != f], everyone[fold == f]) for f in range(FOLDS)]])
    return model.fit()


def mine(y, treated, x, fold):
    target = treated[:, None].astype(float)
    score = np.stack([cross_fit(target, x, split, "logistic")[:, 0] for split in fold])
    treatment = Treatment(treated, fold, score, "ate", CLIP)
    return person_scores(y, x, treatment, "linear")[0]


@pytest.mark.parametrize("seed", [1, 2])
def test_slopes_are_those_of_doubleml(seed):
    y, treated, x, _, fold = draw(seed)
    found = mine(y, treated, x, fold)
    projection = best_linear_projection(
        found["signal"], found["share"], np.ones(N), x, treated, corrected=False
    )
    basis = pd.DataFrame(np.column_stack([np.ones(N), x]))
    other = irm(y, treated, x, fold[0]).cate(basis).blp_model[0]
    assert_allclose(projection.value[1:], other.params[1:], rtol=RTOL)
    assert_allclose(projection.std_error[1:], other.bse[1:], rtol=RTOL)


@pytest.mark.parametrize("seed", [1, 2])
def test_averages_by_group_are_those_of_doubleml(seed):
    y, treated, x, women, fold = draw(seed)
    signal = mine(y, treated, x, fold)["signal"]
    gate = irm(y, treated, x, fold[0]).gate(pd.DataFrame({"women": women, "men": ~women}))
    assert_allclose([signal[women].mean(), signal[~women].mean()], gate.coef, rtol=RTOL)
