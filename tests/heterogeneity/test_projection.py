"""Best linear projections: against R, against deletion, and the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.errors import DesignError
from evaluate.heterogeneity.projection import best_linear_projection

from .simulated import signals

REFERENCE = Path(__file__).parents[1] / "reference"
RTOL = 1e-8  # R factors the design, and solves anew for each unit left out
TERMS = ["age", "before", "men"]
TRIALS = 400
SLACK = 4 * np.sqrt(0.05 * 0.95 / TRIALS)  # 4 sd of Binomial(TRIALS, 0.05) / TRIALS


def persons():
    return pd.read_csv(REFERENCE / "projection_persons.csv")


def reference(case):
    table = pd.read_csv(REFERENCE / "projection.csv").set_index(["case", "term"])
    return table.loc[case].loc[TERMS]


def projection_of(case, **settings):
    d = persons()
    is_att, clustered = case.startswith("ATT"), "CR" in case
    weight = d["weight"] if "weighted" in case else pd.Series(np.ones(len(d)))
    return best_linear_projection(
        d["att" if is_att else "ate"].to_numpy(),
        d["treated"].to_numpy(dtype=float) if is_att else np.ones(len(d)),
        weight.to_numpy(),
        d[TERMS].to_numpy(dtype=float),
        d["treated"].to_numpy() == 1,
        d["cluster"].to_numpy() if clustered else None,
        int(d["cluster"].max()) + 1 if clustered else 0,
        corrected="3" in case,
        **settings,
    )


@pytest.mark.parametrize("weighted", ["", " weighted"])
@pytest.mark.parametrize("kind", ["HC0", "HC3", "CR1", "CR3"])
@pytest.mark.parametrize("estimand", ["", "ATT "])
def test_slopes_and_errors_are_those_of_r(estimand, kind, weighted):
    case = f"{estimand}{kind}{weighted}"
    found, expected = projection_of(case), reference(case)
    assert_allclose(found.value[1:], expected["estimate"], rtol=RTOL)
    assert_allclose(found.std_error[1:], expected["std_error"], rtol=RTOL)


def test_clubsandwichs_jackknife_lacks_the_factor_of_the_clusters():
    found, expected = projection_of("CR3"), reference("CR3 clubSandwich")
    g = len(np.unique(persons()["cluster"]))
    assert_allclose(found.std_error[1:] * np.sqrt(g / (g - 1)), expected["std_error"], rtol=RTOL)


def test_many_small_clusters_are_corrected_by_the_series_as_by_deletion():
    case = signals(600, 1, clusters=300, weighted=True, p=4)
    x, w, g = case.x, case.weight, len(np.unique(case.cluster))
    found = best_linear_projection(
        case.signal, case.share, w, x, case.treated, case.cluster, case.units
    )
    z = np.column_stack([np.ones(case.m), x])

    def slopes(rows):
        return np.linalg.solve(
            (z[rows].T * w[rows]) @ z[rows], (z[rows].T * w[rows]) @ case.signal[rows]
        )

    whole = slopes(np.ones(case.m, dtype=bool))
    without = np.array([slopes(case.cluster != c) - whole for c in np.unique(case.cluster)])
    error = np.sqrt((g - 1) / g * (without**2).sum(axis=0))
    assert_allclose(found.value[1:], whole[1:], rtol=1e-9)
    assert_allclose(found.std_error[1:], error[1:], rtol=1e-9)


@pytest.mark.parametrize("clusters", [0, 40])
@pytest.mark.parametrize("att", [False, True])
def test_the_constant_is_the_average_effect_with_its_error(att, clusters):
    case = signals(400, 2, lambda x: x[:, 0], clusters=clusters, weighted=True)
    share = case.treated.astype(float) if att else case.share
    found = best_linear_projection(
        case.signal, share, case.weight, case.x, case.treated, case.cluster, case.units
    )
    other = case.__class__(**(vars(case) | {"share": share})).average()
    assert_allclose(found.value[0], other.value[0], rtol=1e-12)
    assert_allclose(found.std_error[0], other.std_error[0], rtol=1e-12)


@given(
    shift=st.floats(-1e4, 1e4), scale=st.floats(1e-3, 1e3), unit=st.floats(1e-3, 1e6),
    seed=st.integers(0, 50),
)  # fmt: skip
def test_slopes_go_with_the_units_of_outcome_and_covariate(shift, scale, unit, seed):
    case = signals(120, seed, p=3)
    settings = (case.share, case.weight)
    found = best_linear_projection(case.signal, *settings, case.x, case.treated)
    moved = case.x.copy()
    moved[:, 0] = shift + scale * moved[:, 0]
    other = best_linear_projection(unit * case.signal, *settings, moved, case.treated)
    assert_allclose(other.value[1] * scale / unit, found.value[1], rtol=1e-5, atol=1e-9)
    assert_allclose(other.std_error[1] * scale / unit, found.std_error[1], rtol=1e-5)
    assert_allclose(other.value[2] / unit, found.value[2], rtol=1e-5, atol=1e-9)


def test_a_covariate_that_tells_one_unit_has_no_error():
    case = signals(60, 1, p=2)
    x = np.column_stack([case.x, np.arange(60) == 0]).astype(float)
    with pytest.raises(DesignError, match="one person from all others"):
        best_linear_projection(case.signal, case.share, case.weight, x, case.treated)
    clustered = signals(60, 1, p=2, clusters=8)
    x = np.column_stack([clustered.x, clustered.cluster == 0]).astype(float)
    with pytest.raises(DesignError, match="one cluster from all others"):
        best_linear_projection(
            clustered.signal, clustered.share, clustered.weight, x, clustered.treated,
            clustered.cluster, 8,
        )  # fmt: skip
    twice, few = np.column_stack([case.x, case.x]), slice(0, 5)
    with pytest.raises(DesignError, match="explain each other"):
        best_linear_projection(case.signal, case.share, case.weight, twice, case.treated)
    with pytest.raises(DesignError, match="more than the persons"):
        best_linear_projection(
            case.signal[few], case.share[few], case.weight[few],
            np.eye(5)[:, :4], case.treated[few],
        )  # fmt: skip


def effect(x):
    return 0.5 + 0.3 * x[:, 0] + 0.4 * x[:, -1]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("n", "share", "clusters"), [(100, 0.5, 0), (200, 0.15, 0), (240, 0.5, 20)]
)
def test_intervals_hold_the_true_slopes(n, share, clusters, weighted):
    held = []
    for seed in range(TRIALS):
        case = signals(n, seed, effect, 3, share, clusters, weighted)
        found = best_linear_projection(
            case.signal, case.share, case.weight, case.x, case.treated, case.cluster, case.units
        )
        held.append(found.covers(np.array([0.7, 0.3, 0, 0.4]), 0.95))
    assert np.abs(np.mean(held, axis=0) - 0.95).max() < SLACK
