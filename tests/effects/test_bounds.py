"""Lee's and Manski's bounds: by hand, their properties, and how often intervals hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.bounds import Bounds, lee, manski
from evaluate.effects.comparison import compare
from evaluate.effects.imbens_manski import imbens_manski
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

RTOL = 1e-9  # two ways to the same sums
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=25, deadline=None)
TRIALS = 600
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 sd of Binomial(TRIALS, 0.95) / TRIALS


def close(got, want, atol=1e-9):
    assert_allclose(got, want, rtol=RTOL, atol=atol)


def drawn(seed, n=80, binary=False, blocks=3, k=2):
    """Draw a small trial with ties in the outcomes, and who has them, by arm."""
    rng = np.random.default_rng(seed)
    cell = rng.permutation(np.arange(n) % (2 * blocks))
    arm, block = cell % 2, cell // 2
    y = (rng.normal(size=(n, k)) + arm[:, None] + block[:, None]).round(1)
    if binary:
        y = (y > 1).astype(float)
    shares = rng.uniform(0.3, 0.95, 2)
    observed = rng.random(n) < shares[arm]
    observed[np.flatnonzero(arm == 0)[:2]] = observed[np.flatnonzero(arm == 1)[:2]] = True
    return {"y": y, "arm": arm, "block": block, "observed": observed,
            "weight": rng.uniform(0.5, 3, n)}  # fmt: skip


def bounds_of(parts, blocked=False, weighted=False, method=lee, **more):
    sample = compare(
        parts["arm"],
        (1, 0),
        parts["block"] if blocked else None,
        parts["weight"] if weighted else None,
        parts.get("unit"),
    )
    return method(parts["y"], parts["observed"], sample, **more)


def each(found: Bounds):
    return (found.lower, found.upper)


# by hand


def test_a_fourth_of_the_offered_is_trimmed_by_hand():
    y = np.array([1.0, 2, 3, 9, 2, 4, 6, 0])[:, None]
    arm = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    observed = np.array([True] * 7 + [False])
    found = lee(y, observed, compare(arm, (1, 0)))
    close(found.trimmed, 1 / 4)
    close(found.lower.value, (1 + 2 + 3) / 3 - 4)
    close(found.upper.value, (2 + 3 + 9) / 3 - 4)
    assert found.directions == (1,)


def test_a_person_at_the_cut_counts_in_part():
    # of control 3 in 5 are observed, of the offered 4 in 5: 1 in 4 goes, of values 5 and 7
    y = np.array([5.0, 5, 7, 7, 0, 1, 2, 3, 0, 0])[:, None]
    arm = np.repeat([1, 0], 5)
    observed = np.array([True] * 4 + [False] + [True] * 3 + [False] * 2)
    found = lee(y, observed, compare(arm, (1, 0)))
    close(found.trimmed, 1 / 4)
    close(found.lower.value, (5 + 5 + 7) / 3 - 2)
    close(found.upper.value, (5 + 7 + 7) / 3 - 2)
    weighted = lee(y, observed, compare(arm, (1, 0), weight=np.r_[np.ones(5), 3, 3, 1, 1, 2]))
    keep = 4 * (7 / 10) / (4 / 5)  # of the weight of four persons
    low, high = (5 + 5 + 7 * (keep - 2)) / keep, (7 + 7 + 5 * (keep - 2)) / keep
    close(weighted.lower.value, low - (3 * 1 + 3 * 2 + 3) / 7)
    close(weighted.upper.value, high - (3 * 1 + 3 * 2 + 3) / 7)


def test_bounds_of_a_share_are_what_ones_and_zeros_allow():
    # 90 of 100 observed, half of them 1; of control 60 of 100, a third of them 1
    y = np.repeat([1.0, 0, 0, 1, 0, 0], [45, 45, 10, 20, 40, 40])[:, None]
    arm = np.repeat([1, 0], 100)
    observed = np.repeat([True, True, False, True, True, False], [45, 45, 10, 20, 40, 40])
    found = lee(y, observed, compare(arm, (1, 0)))
    close(found.lower.value, 15 / 60 - 1 / 3)  # of the 60 who would be there anyway, 15 to 45
    close(found.upper.value, 45 / 60 - 1 / 3)


def test_where_fewer_of_the_offered_are_observed_control_is_trimmed():
    y = np.array([2.0, 4, 6, 0, 1, 2, 3, 9])[:, None]
    arm = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    observed = np.array([True, True, True, False, True, True, True, True])
    found = lee(y, observed, compare(arm, (1, 0)))
    close(found.lower.value, 4 - (2 + 3 + 9) / 3)
    close(found.upper.value, 4 - (1 + 2 + 3) / 3)
    assert found.directions == (0,)


def test_cells_may_differ_in_who_is_trimmed():
    y = np.array([1.0, 2, 3, 9, 2, 4, 6, 0, 10, 10, 10, 0, 7, 8, 9, 12])[:, None]
    arm = np.tile(np.repeat([1, 0], 4), 2)
    observed = np.array([True] * 7 + [False] + [True] * 3 + [False] + [True] * 4)
    cell = np.repeat([0, 1], 8)
    found = lee(y, observed, compare(arm, (1, 0)), cell)
    first, second = np.array([2.0, 14 / 3]) - 4, 10 - np.array([29 / 3, 8.0])
    close(found.lower.value[0], (first[0] + second[0]) / 2)
    close(found.upper.value[0], (first[1] + second[1]) / 2)
    assert found.directions == (0, 1)
    close(found.trimmed, 1 / 4)


def test_unlike_blocks_are_weighted_so_that_the_arms_compare():
    # blocks of one size at levels 0 and 10, a fourth offered in one and three fourths in the
    # other, no effect, all observed
    y = np.repeat([0.0, 10], 40)[:, None] + np.tile([-1.0, 1], 40)[:, None]
    arm = np.repeat([0, 1, 0, 1], [30, 10, 10, 30])
    block = np.repeat([0, 1], 40)
    observed = np.ones(80, dtype=bool)
    found = lee(y, observed, compare(arm, (1, 0), block))
    close(found.lower.value, 0)
    close(found.upper.value, 0)
    pooled = lee(y, observed, compare(arm, (1, 0)))
    close(pooled.lower.value, 5)


# properties


@pytest.mark.parametrize(("blocked", "weighted"), [(False, False), (True, True)])
@given(seed=SEEDS)
@draws
def test_without_missing_outcomes_both_bounds_are_the_difference_in_means(blocked, weighted, seed):
    parts = drawn(seed)
    parts["observed"][:] = True
    block, weight = (
        parts[k] if on else None for k, on in (("block", blocked), ("weight", weighted))
    )
    want = difference_in_means(parts["y"], parts["arm"], (1, 0), block, weight)
    for method in (lee, manski):
        for end in each(bounds_of(parts, blocked, weighted, method)):
            close(end.value, want.value)
            close(end.scores, want.scores)
            if not blocked:
                close(end.df, want.df)


@given(seed=SEEDS)
@draws
def test_where_equal_shares_are_observed_both_bounds_are_the_difference_in_means(seed):
    parts = drawn(seed)
    for a in (0, 1):
        parts["observed"][parts["arm"] == a] = np.arange((parts["arm"] == a).sum()) % 4 > 0
    here = parts["observed"]
    want = difference_in_means(parts["y"][here], parts["arm"][here], (1, 0))
    found = bounds_of(parts)
    assert found.trimmed == 0
    assert found.directions == ()
    for end in each(found):
        close(end.value, want.value)


@pytest.mark.parametrize("binary", [False, True])
@given(seed=SEEDS)
@draws
def test_bounds_are_in_order_and_hold_the_difference_of_those_observed(binary, seed):
    parts = drawn(seed, binary=binary)
    found = bounds_of(parts, blocked=True, weighted=True)
    sample = compare(parts["arm"], (1, 0), parts["block"], parts["weight"])
    here = parts["observed"]
    means = [
        np.average(parts["y"][rows], axis=0, weights=sample.share[rows])
        for rows in (here & (parts["arm"] == a) for a in (0, 1))
    ]
    naive = means[1] - means[0]
    assert (found.lower.value <= naive + 1e-12).all()
    assert (naive <= found.upper.value + 1e-12).all()
    assert 0 <= found.trimmed < 1


@given(seed=SEEDS)
@draws
def test_the_other_way_round_bounds_change_sign_and_place(seed):
    parts = drawn(seed)
    there = bounds_of(parts, blocked=True, weighted=True)
    back = bounds_of(parts | {"arm": 1 - parts["arm"]}, blocked=True, weighted=True)
    close(back.lower.value, -there.upper.value)
    close(back.upper.value, -there.lower.value)
    close(back.lower.scores, -there.upper.scores)
    close(back.trimmed, there.trimmed)


@given(seed=SEEDS, unit=st.floats(0.01, 100), shift=st.floats(-100, 100))
@draws
def test_bounds_have_the_unit_of_the_outcome_and_no_origin(seed, unit, shift):
    parts = drawn(seed)
    base = bounds_of(parts, blocked=True)
    moved = bounds_of(parts | {"y": unit * parts["y"] + shift}, blocked=True)
    for one, other in zip(each(base), each(moved), strict=True):
        assert_allclose(other.value, unit * one.value, rtol=1e-7, atol=1e-8)
        assert_allclose(other.std_error, unit * one.std_error, rtol=1e-6, atol=1e-8)


@given(seed=SEEDS)
@draws
def test_what_stands_where_nothing_was_observed_does_not_matter(seed):
    parts = drawn(seed, binary=True)
    other = np.where(parts["observed"][:, None], parts["y"], 1e6)
    for method in (lee, manski):
        base, got = (bounds_of(p, method=method) for p in (parts, parts | {"y": other}))
        for one, two in zip(each(base), each(got), strict=True):
            close(two.value, one.value)
            close(two.scores, one.scores)


@given(seed=SEEDS)
@draws
def test_outcomes_at_once_are_one_at_a_time(seed):
    parts = drawn(seed, k=3)
    parts["y"][:, 2] = parts["y"][:, 2] > 1
    cell = np.arange(80) % 2
    found = bounds_of(parts, blocked=True, cell=cell)
    for i in range(3):
        alone = bounds_of(parts | {"y": parts["y"][:, [i]]}, blocked=True, cell=cell)
        for one, two in zip(each(found), each(alone), strict=True):
            close(two.value[0], one.value[i])
            close(two.scores[:, 0], one.scores[:, i])
            close(two.df[0], one.df[i])


@given(seed=SEEDS)
@draws
def test_whole_weights_are_so_many_persons(seed):
    parts = drawn(seed, blocks=1)
    weight = np.random.default_rng(seed).integers(1, 4, 80)
    many = np.repeat(np.arange(80), weight)
    found = bounds_of(parts | {"weight": weight.astype(float)}, weighted=True)
    copies = bounds_of({k: parts[k][many] for k in ("y", "arm", "observed")})
    for one, two in zip(each(found), each(copies), strict=True):
        close(one.value, two.value)
    close(found.trimmed, copies.trimmed)


@given(seed=SEEDS)
@draws
def test_clusters_of_one_person_are_persons(seed):
    parts = drawn(seed)
    order = np.random.default_rng(seed).permutation(80)
    base, got = bounds_of(parts, True, True), bounds_of(parts | {"unit": order}, True, True)
    for one, two in zip(each(base), each(got), strict=True):
        close(two.scores[order], one.scores)
        close(two.df, one.df)


@given(seed=SEEDS)
@draws
def test_persons_copied_within_clusters_have_the_errors_of_one(seed):
    parts = drawn(seed, blocks=2)
    twice = np.repeat(np.arange(80), 2)
    base = bounds_of(parts, blocked=True)
    copies = {k: parts[k][twice] for k in ("y", "arm", "observed", "block")} | {"unit": twice}
    got = bounds_of(copies, blocked=True)
    for one, two in zip(each(base), each(got), strict=True):
        close(two.value, one.value)
        close(two.scores, one.scores)
        close(two.df, one.df)


@given(seed=SEEDS)
@draws
def test_manskis_bounds_hold_whatever_the_missing_outcomes_are(seed):
    parts = drawn(seed, binary=True)
    rng = np.random.default_rng(seed)
    found = bounds_of(parts, method=manski)
    full = np.where(parts["observed"][:, None], parts["y"], rng.integers(0, 2, parts["y"].shape))
    true = difference_in_means(full, parts["arm"], (1, 0)).value
    assert (found.lower.value <= true + 1e-12).all()
    assert (true <= found.upper.value + 1e-12).all()
    missing = [(~parts["observed"])[parts["arm"] == a].mean() for a in (0, 1)]
    close(found.upper.value - found.lower.value, sum(missing))


@given(seed=SEEDS)
@draws
def test_a_score_is_what_a_persons_weight_moves(seed):
    parts = drawn(seed, k=1, blocks=1)
    found = bounds_of(parts, weighted=True)
    sample = compare(parts["arm"], (1, 0), weight=parts["weight"])
    person, step = int(np.random.default_rng(seed).integers(80)), 1e-6
    for i, end in enumerate(each(found)):
        ends = []
        for sign in (1, -1):
            w = parts["weight"].copy()
            w[person] *= 1 + sign * step
            ends.append(each(bounds_of(parts | {"weight": w}, weighted=True))[i].value[0])
        moved = (ends[0] - ends[1]) / (2 * step)
        want = moved / np.sqrt(1 - sample.share[person])
        assert_allclose(end.scores[person, 0], want, rtol=1e-4, atol=1e-7)


def test_cells_that_tell_outcomes_narrow_the_bounds():
    rng = np.random.default_rng(5)
    n = 40_000
    arm, cell = rng.permutation(np.arange(n) % 2), rng.integers(0, 4, n)
    y = (2 * cell + rng.normal(size=n))[:, None]
    observed = rng.random(n) < np.where(arm == 1, 0.9, 0.7)
    plain, within = (lee(y, observed, compare(arm, (1, 0)), c) for c in (None, cell))
    assert plain.lower.value[0] < within.lower.value[0] < within.upper.value[0]
    assert within.upper.value[0] < plain.upper.value[0]
    width = [b.upper.value[0] - b.lower.value[0] for b in (plain, within)]
    assert width[1] < 0.6 * width[0]
    close(within.trimmed, plain.trimmed, atol=0.01)


# errors


def test_nobody_observed_in_an_arm_is_an_error():
    parts = drawn(3)
    parts["observed"][parts["arm"] == 1] = False
    with pytest.raises(DesignError, match="nobody in one of the arms"):
        bounds_of(parts)


@pytest.mark.parametrize(("arm", "where"), [(1, "the arm"), (0, "control")])
def test_an_arm_of_one_cluster_has_no_variance(arm, where):
    parts = drawn(3)
    unit = np.arange(80)
    unit[parts["arm"] == arm] = 0
    with pytest.raises(DesignError, match=f"fewer than two clusters in {where}"):
        bounds_of(parts | {"unit": unit})


def test_a_block_with_one_arm_is_an_error():
    with pytest.raises(DesignError, match="one arm only"):
        compare(np.array([0, 1, 0, 0]), (1, 0), np.array([0, 0, 1, 1]))


def test_persons_alone_in_their_cells_are_compared_with_each_other():
    # pairs: the variance within arms, which is above that of the pairs' differences
    rng = np.random.default_rng(1)
    block, arm = np.repeat(np.arange(30), 2), np.tile([0, 1], 30)
    y = (0.1 * block + rng.normal(size=60))[:, None]
    sample = compare(arm, (1, 0), block)
    assert sample.alone == 60
    got, plain = sample.difference(y), difference_in_means(y, arm, (1, 0))
    close(got.value, plain.value)
    close(got.std_error, plain.std_error)
    one = np.r_[np.zeros(58, dtype=int), 1, 1]  # a single pair beside a large block
    alone = compare(arm, (1, 0), one)
    assert alone.alone == 2
    assert np.isfinite(alone.difference(y).std_error).all()


# intervals


def point(value, error, df=1e6):
    return Estimates(np.array([value]), np.array([[error]]), np.array([df]))


@given(level=st.floats(0.6, 0.99), df=st.floats(2, 200))
@draws
def test_an_interval_is_the_ordinary_one_without_width_and_one_sided_with_much(level, df):
    one = point(1.0, 0.5, df)
    close(imbens_manski(one, one, level), one.interval(level))
    low, high = imbens_manski(one, point(1e5, 0.2, df), level)
    close(low, one.interval(2 * level - 1)[0])
    close(high, point(1e5, 0.2, df).interval(2 * level - 1)[1])


@given(width=st.floats(0, 5), step=st.floats(0.001, 1))
@draws
def test_an_interval_reaches_less_beyond_wider_bounds(width, step):
    ends = [imbens_manski(point(0, 1.0), point(w, 0.7), 0.95) for w in (width, width + step)]
    assert ends[1][0][0] >= ends[0][0][0] - 1e-9
    assert ends[0][0][0] < 0 <= width < ends[0][1][0]


def test_bounds_without_error_are_their_own_interval():
    low, high = imbens_manski(point(0.0, 0.0), point(1.0, 0.0), 0.95)
    assert (low[0], high[0]) == (0.0, 1.0)


@pytest.mark.parametrize("binary", [False, True])
def test_the_interval_holds_the_effect_on_those_always_observed(binary):
    # more are observed if offered, those who are added have the highest outcomes: the lower
    # bound is the truth
    held = []
    for sequence in np.random.SeedSequence(3).spawn(TRIALS):
        rng = np.random.default_rng(sequence)
        n = 300
        arm = rng.permutation(np.arange(n) % 2)
        level = rng.normal(size=n)
        y = np.stack([level, level + 1]) if not binary else np.stack([level > 0.2, level > -0.2])
        always, if_offered = level < 0.6, level < 1.3
        observed = np.where(arm == 1, if_offered, always)
        truth = (y[1].astype(float) - y[0])[always].mean()
        found = lee(np.where(arm == 1, y[1], y[0])[:, None], observed, compare(arm, (1, 0)))
        low, high = imbens_manski(found.lower, found.upper, 0.95)
        held.append(low[0] <= truth <= high[0])
    assert abs(np.mean(held) - 0.95) < SLACK
