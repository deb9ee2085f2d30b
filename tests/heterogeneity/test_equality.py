"""Equal effects across groups: against the gap, statsmodels, and simulated trials."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose
from scipy import stats
from simulate import arrays, plan_of, study_from

from evaluate import schemas
from evaluate.effects.table import effects
from evaluate.estimates import Estimates
from evaluate.heterogeneity.equality import equality_table, equality_test
from evaluate.io import checked

RTOL = 1e-9  # two ways to the same least squares
TRIALS = 1_000
LEVEL = 0.1
SLACK = 4 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)  # 4 sd of Binomial(TRIALS, LEVEL) / TRIALS


def trial(seed, n=240, sites=3, arms=2, gain=0.0):
    """Draw a trial whose outcome varies more from site to site; sites are no blocks."""
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % arms)
    site, women = np.arange(n) // arms % sites, rng.random(n) < 0.4
    y = gain * arm * site + (1 + site) * rng.normal(size=n)
    return {"y": y[:, None], "arm": arm, "women": women}, site


def equality_of(parts, site, **sections):
    """Return the tests of a study with women, men and the group `site`."""
    study = study_from(**parts)
    study.groups.update({f"site={s}": site == s for s in np.unique(site)})
    plan = plan_of(parts["y"], groups=["site"], **sections)
    found = effects(study, plan)
    table = equality_table(found.table, found.covariances, plan)
    return found.table, checked(table, schemas.HETEROGENEITY, "tests").set_index("dimension")


def test_with_two_groups_f_is_the_gaps_t_squared():
    table, tests = equality_of(*trial(1))
    gap = table[table["group"] == "women-men"].iloc[0]
    gender = tests.loc["gender"]
    assert_allclose(gender["statistic"], (gap["estimate"] / gap["std_error"]) ** 2, rtol=RTOL)
    assert_allclose(gender["p_value"], gap["p_value"], rtol=RTOL)
    assert (gender["df"], gender["df_error"]) == (1, pytest.approx(gap["df"]))


def test_a_detectable_gap_is_found_with_a_probability_of_80_per_cent():
    table, tests = equality_of(*trial(1))
    gap, gender = table[table["group"] == "women-men"].iloc[0], tests.loc["gender"]
    critical = stats.t.ppf(0.975, gap["df"])
    shift = gender["detectable"] / gap["std_error"]
    assert_allclose(stats.t.sf(critical - shift, gap["df"]), 0.8)


def test_three_groups_agree_with_the_wald_test_of_statsmodels():
    parts, site = trial(2)
    _, tests = equality_of(parts, site)
    frame = pd.DataFrame({"y": parts["y"][:, 0], "arm": parts["arm"], "site": site})
    fit = smf.ols("y ~ 0 + C(site) + C(site):arm", frame).fit(cov_type="HC2")
    names = [name for name in fit.params.index if name.endswith(":arm")]
    oracle = fit.wald_test(f"{names[0]} = {names[1]}, {names[0]} = {names[2]}", scalar=True)
    row = tests.loc["site"]
    assert_allclose(row["statistic"], oracle.statistic / 2, rtol=RTOL)  # chi-squared over df
    assert row["df"] == 2
    assert_allclose(row["p_value"], stats.f.sf(row["statistic"], 2, row["df_error"]), rtol=RTOL)
    assert row["levels"] == "0, 1, 2"
    assert pd.isna(row["detectable"])


def test_the_order_of_the_groups_changes_nothing():
    parts, site = trial(3)
    one, other = (equality_of(parts, s)[1].loc["site"] for s in (site, 2 - site))
    for number in ("statistic", "p_value", "df_error"):
        assert_allclose(one[number], other[number])


def test_every_contrast_has_its_tests_and_gender_alone_is_prespecified():
    _, tests = equality_of(*trial(4, arms=3))
    assert tests["arm"].tolist() == ["1", "1", "2", "2", "1-2", "1-2"]
    assert (tests["prespecified"] == (tests.index == "gender")).all()


def test_a_group_without_an_estimate_has_a_note_and_no_test():
    parts, site = trial(5)
    site[(site == 2) & (parts["arm"] == 1)] = 0
    _, tests = equality_of(parts, site)
    assert pd.isna(tests.loc["site", "p_value"])
    assert tests.loc["site", "note"].startswith("not tested")
    assert pd.notna(tests.loc["gender", "p_value"])


def test_no_groups_give_an_empty_table():
    parts, _ = trial(6)
    study = study_from(parts["y"], parts["arm"])
    plan = plan_of(parts["y"], columns={"gender": None})
    found = effects(study, plan)
    table = equality_table(found.table, found.covariances, plan)
    assert checked(table, schemas.HETEROGENEITY, "").empty


def rejections(gain):
    """Return how often equality over three sites is rejected, and over two."""
    found = []
    for seed in range(TRIALS):
        parts, site = trial(seed, gain=gain)
        estimates = levels_of(parts, site)
        found.append([equality_test(estimates.pick(k))[3] for k in ([0, 1, 2], [0, 1])])
    return (np.array(found) < LEVEL).mean(axis=0)


def levels_of(parts, site):
    """Return the differences in means by site with their scores."""
    y, arm = parts["y"][:, 0], parts["arm"]
    value, scores, df = [], np.zeros((len(y), 3)), []
    for s in range(3):
        variances, means = [], []
        for a, sign in ((1, 1), (0, -1)):
            rows = (site == s) & (arm == a)
            n, mean = rows.sum(), y[rows].mean()
            scores[rows, s] = sign * (y[rows] - mean) / np.sqrt(n * (n - 1))
            means.append(mean)
            variances.append((np.var(y[rows], ddof=1) / n, n - 1))
        value.append(means[0] - means[1])
        total = sum(v for v, _ in variances)
        df.append(total**2 / sum(v**2 / d for v, d in variances))
    return Estimates(np.array(value), scores, np.array(df))


def test_equal_effects_are_rejected_as_often_as_the_level_says():
    sizes = rejections(gain=0.0)
    assert (np.abs(sizes - LEVEL) < SLACK).all(), sizes


def test_unequal_effects_are_rejected():
    parts, site = trial(7, n=2400, gain=1.0)
    assert equality_test(levels_of(parts, site))[3] < 0.001


def test_a_shared_regression_gives_the_gap_and_its_test_the_same_p_value():
    parts = arrays(5)
    study = study_from(**(parts | {"weight": None, "block": None}))
    plan = plan_of(study.y, analysis={"estimators": ["lin"], "slopes": "shared"})
    found = effects(study, plan)
    gap = found.table.query("group == 'women-men' and estimand == 'itt'")
    test = equality_table(found.table, found.covariances, plan).query("dimension == 'gender'")
    assert_allclose(test["df_error"].to_numpy(float), gap["df"].to_numpy(float))
    assert_allclose(test["p_value"].to_numpy(float), gap["p_value"].to_numpy(float), rtol=1e-9)
