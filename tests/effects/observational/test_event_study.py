"""Averages of effects by cohort and month: oracle, properties, errors, bands that cover."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.effects.bands import band, critical_value
from evaluate.effects.observational.did import group_time
from evaluate.effects.observational.event_path import among, joint_test, pre_trend
from evaluate.effects.observational.event_study import by_cohort, by_month, event_study, overall
from evaluate.effects.observational.few_persons import degrees, hotelling
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

from .test_did import CASES, effect, reference, run, simulated

RTOL = 1e-8  # as in test_did: equal formulas, logits fitted by another algorithm


@pytest.mark.parametrize("case", CASES)
def test_matches_r(case):
    cells, table = run(case), reference().loc[case]
    paths = {"event": event_study(cells), "cohort": by_cohort(cells), "month": by_month(cells)}
    found = {"overall": overall(cells)}
    for label, path in paths.items():
        found[f"{label} overall"] = path.overall
        for i in np.flatnonzero(path.estimates.variance > 0):
            found[f"{label} {path.at[i]}"] = path.estimates.pick([i])
    named = table[~table.index.str.startswith("cell") & (table.index != "wald")]
    assert set(found) == set(named.index)
    for term, one in found.items():
        assert_allclose(one.value[0], named.loc[term, "estimate"], RTOL)
        assert_allclose(one.std_error[0], named.loc[term, "std_error"], RTOL)
    test = pre_trend(cells.estimates, cells.before)
    assert_allclose(test.statistic, table.loc["wald", "estimate"], rtol=1e-7)
    assert test.df == table.loc["wald", "std_error"]
    assert 0 <= test.p_value - stats.chi2.sf(test.statistic, test.df) < 0.05


def test_the_base_is_zero_and_no_placebo():
    path = event_study(group_time(*simulated(1)))
    base = path.at == -1
    assert path.estimates.value[base] == 0
    assert not path.estimates.scores[:, base].any()
    assert path.before[path.at < -1].all()
    assert not path.before[path.at >= -1].any()


def test_months_of_anticipation_are_no_placebo():
    path = event_study(group_time(*simulated(1), anticipation=1))
    assert path.at[path.before].max() == -3
    assert path.estimates.value[path.at == -2] == 0


def test_counts_are_of_the_cohorts_averaged():
    y, cohort, x = simulated(2)
    path = event_study(group_time(y, cohort, x))
    assert list(path.n_cohorts[path.at >= 0]) == [3, 2, 2, 1]
    assert path.n_treated[path.at == 1] == np.isin(cohort, [3, 4]).sum()


def test_a_balanced_path_keeps_its_cohorts():
    path = event_study(group_time(*simulated(2)), balance=2)
    assert path.at.max() == 2
    assert set(path.n_cohorts[path.at >= -2]) == {2}
    with pytest.raises(DesignError, match="followed for 9 months"):
        event_study(group_time(*simulated(2)), balance=9)


def test_shares_of_cohorts_are_estimated_too():
    y, cohort, x = simulated(3)
    cells = group_time(y, cohort, x)
    at = np.flatnonzero(cells.month - cells.cohort == 0)
    size = np.array([(cohort == g).sum() for g in cells.cohort[at]])
    known = cells.estimates.pick(at).scores @ (size / size.sum())
    path = event_study(cells)
    ours = path.estimates.scores[:, np.flatnonzero(path.at == 0)[0]]
    assert ours @ ours > known @ known
    # cohorts alike in effect have shares that do not matter
    alike = by_cohort(cells)
    after = cells.month >= cells.cohort
    first = after & (cells.cohort == 3)
    mean = cells.estimates.scores[:, first].mean(axis=1)
    assert_allclose(alike.estimates.scores[:, 0], mean, rtol=1e-12, atol=1e-15)


def test_the_gap_of_women_and_men_rests_on_both():
    y, cohort, x = simulated(4, n=600)
    women = np.arange(len(y)) % 3 == 0
    y[women] += 0.5 * (effect(cohort[women, None], np.arange(1, 7)))
    paths = {
        name: event_study(group_time(y[rows], cohort[rows], x[rows])).among(rows)
        for name, rows in (("women", women), ("men", ~women))
    }
    gap = paths["women"] - paths["men"]
    value = [p.estimates.value for p in paths.values()]
    assert_allclose(gap.estimates.value, value[0] - value[1])
    variance = sum(p.estimates.variance for p in paths.values())
    assert_allclose(gap.estimates.variance, variance, rtol=1e-9, atol=1e-15)
    assert gap.estimates.scores.shape == (len(y), len(gap.at))
    assert_allclose(gap.overall.variance, sum(p.overall.variance for p in paths.values()))


def test_a_gap_is_over_the_months_that_both_have():
    y, cohort, x = simulated(5, n=600)
    women = (np.arange(len(y)) % 2 == 0) & (cohort != 3)
    paths = [
        event_study(group_time(y[rows], cohort[rows], x[rows])).among(rows)
        for rows in (women, ~women)
    ]
    gap = paths[0] - paths[1]
    assert set(gap.at) == set(paths[0].at) & set(paths[1].at)
    assert gap.at.max() == 2


def test_clusters_are_sums_of_persons():
    y, cohort, x = simulated(6)
    person = np.repeat(np.arange(len(y)), 2)
    cells = group_time(y[person], cohort[person], x[person], small_sample=False)
    everybody, n = np.ones(len(person), dtype=bool), len(y)
    twice = event_study(cells).among(everybody, person, n)
    once = event_study(group_time(y, cohort, x, small_sample=False))
    factor = np.sqrt(n / (n - 1))
    assert_allclose(twice.estimates.scores, factor * once.estimates.scores, 1e-6, 1e-12)
    assert_allclose(twice.overall.scores, factor * once.overall.scores, 1e-6, 1e-12)
    assert set(twice.estimates.df) == {n - 1}


def test_clusters_that_start_as_one_have_the_degrees_of_freedom_of_their_cohorts():
    y, cohort, x = simulated(6)
    everybody, order = np.ones(len(y), dtype=bool), np.argsort(cohort, kind="stable")
    one_by_one = event_study(group_time(y, cohort, x))
    cluster = np.empty(len(y), dtype=int)
    cluster[order] = np.arange(len(y))
    alone = one_by_one.among(everybody, cluster, len(y))
    assert_allclose(alone.estimates.df, one_by_one.estimates.df)
    cluster = cohort * 10 + np.arange(len(y)) % 10  # ten in each cohort
    _, cluster = np.unique(cluster, return_inverse=True)
    path = one_by_one.among(everybody, cluster, 40)
    assert path.overall.df[0] < one_by_one.overall.df[0] / 2
    cluster[order] = np.arange(len(y)) % 20
    mixed = one_by_one.among(everybody, cluster, 20)  # each holds all cohorts
    assert_allclose(mixed.overall.df, 19)


def test_among_spreads_scores():
    rows = np.array([True, False, True])
    one = among(Estimates(np.array([1.0]), np.array([[1.0], [2.0]]), np.array([9.0])), rows)
    assert_allclose(one.scores[:, 0], [1, 0, 2])


def test_joint_test_is_hotellings():
    rng = np.random.default_rng(7)
    z = rng.normal(size=(12, 3))
    scores = (z - z.mean(axis=0)) / np.sqrt(12 * 11)
    one = Estimates(z.mean(axis=0), scores, np.full(3, 11.0))
    got = joint_test(one)
    t2 = 12 * z.mean(axis=0) @ np.linalg.solve(np.cov(z.T), z.mean(axis=0))
    assert_allclose(got.statistic, t2)
    assert_allclose(got.p_value, stats.f.sf(t2 * 9 / 33, 3, 9))
    again = joint_test(one.pick([0, 1, 2, 0]))
    assert again.df == 3
    assert_allclose(again.statistic, t2)
    assert np.isnan(joint_test(Estimates(one.value, scores, np.full(3, 2.0))).p_value)


def test_few_persons_a_cohort_have_their_own_degrees_of_freedom():
    y, cohort, x = simulated(8, n=200)
    cells = group_time(y, cohort, x)
    path = event_study(cells)
    last = path.at == path.at.max()  # of one cohort
    size = (cohort == 3).sum()
    assert size - 2 < path.estimates.df[last][0] < 2 * size
    assert path.overall.df[0] > path.estimates.df[last][0]
    assert_allclose(path.overall.df, degrees(path.overall.scores, cohort))


def test_persons_without_a_part_in_an_estimate_give_it_no_degrees_of_freedom():
    scores = np.zeros((50, 2))
    scores[:10, 0], scores[:, 1] = 1.0, 1.0
    assert_allclose(degrees(scores, np.zeros(50, dtype=int)), [9, 49])
    two = degrees(scores, np.repeat([0, 1], [25, 25]))
    assert_allclose(two, [9, 48])
    assert_allclose(degrees(np.zeros((5, 1)), np.zeros(5, dtype=int)), 4)


def test_one_cohort_of_few_has_hotellings_test():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(12, 3)), rng.normal(size=(5000, 3))
    scores = np.vstack([(z - z.mean(axis=0)) / np.sqrt(len(z) * (len(z) - 1)) for z in (a, b)])
    stratum = np.repeat([0, 1], [12, 5000])
    value = a.mean(axis=0) - b.mean(axis=0)
    statistic, rank, df, p = hotelling(value, scores, stratum)
    assert rank == 3
    assert 11 < df < 11.5  # nearly all of the variance is that of twelve persons
    room = df - 2
    assert_allclose(p, stats.f.sf(statistic * room / (3 * df), 3, room))
    one = hotelling(a.mean(axis=0), scores[:12], stratum[:12])
    assert_allclose(one[2], 11)
    same = Estimates(a.mean(axis=0), scores[:12], np.full(3, 11.0))
    assert_allclose(one[3], joint_test(same).p_value)


def test_counts_are_of_distinct_persons():
    y, cohort, x = simulated(2)
    y[:20, 4] = np.nan
    path = by_month(group_time(y, cohort, x))
    at = path.at == 5
    there = ~np.isnan(y[:, 4])
    assert path.n_treated[at] == (there & np.isin(cohort, [3, 4])).sum()
    assert path.n_control[at] == (there & np.isin(cohort, [0, 6])).sum()
    assert path.n[at] == there.sum()
    treated = np.isin(cohort, [3, 4]) | (there & (cohort == 6))  # whose base is month 5
    assert path.sizes == (treated.sum(), np.isin(cohort, [0, 4, 6]).sum(), len(y))


def test_one_month_before_the_start_is_no_trend():
    y, cohort, x = simulated(8)
    late = cohort != 6
    cells = group_time(y[late, 1:3], np.where(cohort == 4, 0, cohort)[late] // 3 * 2, x[late])
    with pytest.raises(DesignError, match="cannot be tested"):
        pre_trend(cells.estimates, cells.before)


def test_a_trend_of_its_own_before_the_start_is_seen():
    found, sound = [], []
    for seed in range(50):
        y, cohort, x = simulated(seed, n=500)
        leaning = y + 0.25 * (cohort[:, None] > 0) * np.arange(1, 7)
        for into, outcome in ((sound, y), (found, leaning)):
            path = event_study(group_time(outcome, cohort, x))
            into.append(pre_trend(path.estimates, path.before, path.stratum).p_value < 0.05)
    assert np.mean(found) > 0.9
    assert np.mean(sound) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 50)


def truth_by_event(cohort, at):
    """Return the true averages by months since the start, at the expected shares."""
    g = cohort[cohort > 0]
    size = {int(v): (g == v).mean() for v in np.unique(g)}
    value = []
    for e in at:
        of = [v for v in size if 1 <= v + e <= 6]
        value.append(np.average([effect(v, v + e) for v in of], weights=[size[v] for v in of]))
    return np.array(value)


def test_bands_cover_paths_that_differ_by_cohort():
    trials, hits, whole = 300, 0, 0
    at = np.arange(-5, 4)
    truth = truth_by_event(simulated(10**6, n=400_000)[1], at)
    rng = np.random.default_rng(9)
    for seed in range(trials):
        path = event_study(group_time(*simulated(seed, n=300)))  # some 50 in a cohort
        assert (path.at == at).all()
        low, high = band(path.estimates, critical_value(path.estimates, 0.95, rng, draws=4_096))
        whole += ((low <= truth) & (truth <= high)).all()
        hits = hits + path.estimates.covers(truth, 0.95)
    share = hits[at != -1] / trials
    assert np.abs(share - 0.95).max() < 0.050  # 4 sd of Binomial(300, 0.95) / 300
    assert abs(share.mean() - 0.95) < 0.025  # months go together
    assert abs(whole / trials - 0.95) < 0.050


def test_two_way_fixed_effects_miss_what_the_cohorts_have():
    y, cohort, x = simulated(10, n=4_000, trend=0)
    on = ((cohort[:, None] > 0) & (np.arange(1, 7) >= cohort[:, None])).astype(float)
    flat, changed = (a - a.mean(axis=1, keepdims=True) - a.mean(axis=0) for a in (on, y))
    flat += on.mean()
    two_way = (flat * changed).sum() / (flat**2).sum()
    got = overall(group_time(y, cohort, x))
    t = np.arange(1, 7)
    truth = effect(cohort[:, None], t)[on == 1].mean()
    assert abs(two_way - truth) > 0.2
    assert abs(got.value[0] - truth) < 4 * got.std_error[0]
    assert got.std_error[0] < 0.05
