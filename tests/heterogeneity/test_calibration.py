"""Calibration: statsmodels on pooled folds, effects on the treated, what a study could find."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose

from evaluate.heterogeneity.aggregation import judged
from evaluate.heterogeneity.calibration import calibration, centred, detectable_spread
from heterogeneity.simulated import signals
from heterogeneity.test_aggregation import honest_of

RTOL = 1e-9  # two ways to the same least squares


def folds_of(case, seed=1, levels=0):
    return list(judged(honest_of(case, splits=1, seed=seed, levels=levels)))


def regression(case, folds):
    """Regress by statsmodels, with a constant for each fold."""
    rows = np.concatenate([f.rows for f in folds])
    fold = np.repeat(np.arange(len(folds)), [len(f.rows) for f in folds])
    x = np.column_stack([np.concatenate([f.effect for f in folds]), np.eye(len(folds))[fold]])
    fit = sm.WLS(case.signal[rows], x, weights=case.weight[rows])
    if case.cluster is None:
        return fit.fit(cov_type="HC0")
    groups = case.cluster[rows]
    return fit.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})


@pytest.mark.parametrize("weighted", [False, True])
def test_the_projection_is_that_of_weighted_least_squares(weighted):
    case = signals(300, 1, weighted=weighted)
    folds = folds_of(case)
    other = regression(case, folds)
    slope, variance = calibration(case, folds)
    assert_allclose(slope, other.params[0], rtol=RTOL)
    assert_allclose(np.sqrt(variance), other.bse[0], rtol=RTOL)


def test_errors_are_of_clusters():
    case = signals(300, 1, clusters=40, weighted=True)
    folds = folds_of(case)
    g = len(np.unique(case.cluster))  # of all persons of the case, as in every estimate
    slope, variance = calibration(case, folds)
    other = regression(case, folds)
    assert_allclose(slope, other.params[0], rtol=RTOL)
    assert_allclose(np.sqrt(variance), other.bse[0] * np.sqrt(g / (g - 1)), rtol=RTOL)


def test_on_the_treated_it_solves_the_moments_of_signal_and_share():
    case = signals(300, 1, weighted=True)
    case = replace(case, share=case.treated.astype(float))
    folds = folds_of(case)
    slope, _ = calibration(case, folds)
    p = [centred(case, f) for f in folds]
    moment = sum(
        (case.weight * (case.signal - slope * q_all * case.share))[f.rows] @ q
        for f, q in zip(folds, p, strict=True)
        for q_all in [_at(case.m, f.rows, q)]
    )
    assert_allclose(moment, 0, atol=1e-9)
    for f, q in zip(folds, p, strict=True):
        assert_allclose((case.weight * case.share)[f.rows] @ q, 0, atol=1e-9)


def _at(m, rows, values):
    found = np.zeros(m)
    found[rows] = values
    return found


def test_twice_the_predictions_are_half_as_well_calibrated():
    case = signals(300, 1)
    folds = folds_of(case)
    double = [replace(f, effect=2 * f.effect + 5) for f in folds]
    assert_allclose(calibration(case, folds)[0], 2 * calibration(case, double)[0])


def test_the_true_effects_are_calibrated():
    case = signals(20_000, 3, effect=lambda x: x[:, 0])
    folds = folds_of(case)
    true = [replace(f, effect=case.x[f.rows, 0]) for f in folds]
    slope, variance = calibration(case, true)
    assert abs(slope - 1) < 4 * np.sqrt(variance) < 0.15


def test_the_same_prediction_for_all_has_no_coefficient():
    case = signals(300, 1)
    assert np.isnan(calibration(case, folds_of(case, levels=1))).all()


def test_more_is_needed_with_more_covariates_and_with_larger_errors():
    spread = detectable_spread(0.1, 5, 5, 0.95)
    assert detectable_spread(0.1, 20, 5, 0.95) > spread
    assert_allclose(detectable_spread(0.2, 5, 5, 0.95), 2 * spread)
    assert detectable_spread(0.1, 5, 5, 0.99) > spread
