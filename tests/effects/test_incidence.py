"""Cumulative incidence: R's survival, statsmodels, and what must hold of any estimate."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import study_from
from simulate_paths import draws_of, entry_trial, plan_by_month
from statsmodels.duration.survfunc import CumIncidenceRight

from evaluate import schemas
from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.arm_means import Arm, two_arms
from evaluate.effects.incidence import Durations, aalen_johansen, area, durations
from evaluate.effects.incidence_table import incidence_table
from evaluate.notes import note
from evaluate.study import GAP

REFERENCE = Path(__file__).parents[1] / "reference"
PARITY = 1e-8  # relative, with R
EXACT = 1e-10
MONTHS = 12


def arm_of(n, weight=None, unit=None):
    weight = np.ones(n) if weight is None else weight
    unit = np.arange(n) if unit is None else unit
    return Arm(np.arange(n), weight / weight.sum(), np.zeros(n, dtype=int), unit, unit.max() + 1)


def drawn(seed, n=80, months=MONTHS):
    """Draw when persons enter, leave and are last observed, in months from 1."""
    rng = np.random.default_rng(seed)
    entered, left = rng.geometric(0.09, n), rng.geometric(0.05, n)
    return entered, left, rng.integers(1, months + 6, n)


def by_month(at, last, months=MONTHS):
    month = np.arange(1, months + 1)
    return np.where(month <= last[:, None], (month >= at[:, None]).astype(float), np.nan)


def found_of(seed, n=80):
    entered, left, last = drawn(seed, n)
    return durations(by_month(entered, last), [by_month(left, last)])


class TestAgainstR:
    """`durations.R`: survfit for several states, infinitesimal jackknife, no correction."""

    @staticmethod
    @cache
    def reference():
        table = pd.read_csv(REFERENCE / "durations_reference.csv")
        return table.set_index(["case", "term", "month"]).sort_index()

    @staticmethod
    @cache
    def cells(weighted, clustered):
        d = pd.read_csv(REFERENCE / "durations.csv")
        own = Durations(d["month"].to_numpy() - 1, d["event"].to_numpy())
        study = study_from(
            np.zeros((len(d), 1)), d["arm"].to_numpy(), (d["sex"] == "F").to_numpy(),
            weight=d["w"].to_numpy() if weighted else None,
            cluster=d["cluster"].to_numpy() - 1 if clustered else None,
        )  # fmt: skip
        found = {}
        for group in ("all", "women", "men"):
            sides, _ = two_arms(study, study.groups[group], (1, 0))
            for name, side in zip("10", sides, strict=True):
                one = Durations(own.at[side.persons], own.cause[side.persons])
                arm = aalen_johansen(side, one, MONTHS)
                found[name, group] = [
                    uncorrected(e, side) for e in (arm.entered, arm.left)
                ]  # fmt: skip
            found["1-0", group] = less(found["1", group], found["0", group])
        for name in ("1", "0", "1-0"):
            found[name, GAP] = less(found[name, "women"], found[name, "men"])
        return found

    @pytest.mark.parametrize("clustered", [False, True], ids=["persons", "clusters"])
    @pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
    @pytest.mark.parametrize("name", ["1", "0", "1-0"])
    @pytest.mark.parametrize("group", ["all", "women", "men", GAP])
    def test_incidence_and_restricted_mean(self, weighted, clustered, name, group):
        words = [w for w, said in (("weighted", weighted), ("clustered", clustered)) if said]
        cell = self.cells(weighted, clustered)[name, group]
        time = area(cell[0], range(1, MONTHS + 1), MONTHS - 1)
        whole = 0 if name == "1-0" or group == GAP else MONTHS
        of_state = {"job": cell[0], "exit": cell[1]}
        for case, found in of_state.items():
            key = (" ".join([case, *words]), f"{name} {group}")
            expected = self.reference().loc[key]
            assert found.value == pytest.approx(expected["estimate"].to_numpy(), rel=PARITY)
            assert found.std_error == pytest.approx(expected["std_error"].to_numpy(), rel=PARITY)
        key = (" ".join(["restricted mean", *words]), f"{name} {group}")
        expected = self.reference().loc[key].iloc[0]
        assert whole - time.value[0] == pytest.approx(expected["estimate"], rel=PARITY)
        assert time.std_error[0] == pytest.approx(expected["std_error"], rel=PARITY)


def uncorrected(estimates, side):
    """Take the small-sample correction out of the scores."""
    if len(np.unique(side.unit)) < len(side.unit):
        n = len(np.unique(side.unit))
        return replace(estimates, scores=estimates.scores * np.sqrt(1 - 1 / n))
    room = np.zeros(side.units)
    room[side.unit] = np.sqrt(1 - side.weight)
    return replace(estimates, scores=estimates.scores * room[:, None])


def less(one, other):
    return [a - b for a, b in zip(one, other, strict=True)]


@pytest.mark.parametrize("seed", range(5))
def test_statsmodels_has_the_same_incidence_and_error(seed):
    found = found_of(seed, n=150)
    arm = aalen_johansen(arm_of(150), found, MONTHS)
    other = CumIncidenceRight(found.at + 1, found.cause)
    at = np.searchsorted(other.times, np.arange(1, MONTHS + 1), side="right") - 1
    root = np.sqrt(1 - 1 / 150)
    for own, i in ((arm.entered, 0), (arm.left, 1)):
        assert own.value == pytest.approx(other.cinc[i][at], rel=1e-9)
        assert own.std_error * root == pytest.approx(other.cinc_se[i][at], rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_scores_are_the_derivatives_by_the_weights(seed):
    found, weight = found_of(seed, 30), np.random.default_rng(seed).uniform(0.5, 2, 30)
    arm = aalen_johansen(arm_of(30, weight), found, MONTHS)
    w, step = weight / weight.sum(), 1e-6
    for k, own in ((1, arm.entered), (2, arm.left)):
        moved = [
            (brute_force(found, w + step * e, k) - brute_force(found, w - step * e, k)) / (2 * step)
            for e in np.eye(30)
        ]
        expected = w[:, None] * np.array(moved) / np.sqrt(1 - w)[:, None]
        assert np.allclose(own.scores, expected, atol=1e-7)
        told = ~np.isnan(own.value)
        assert np.allclose(own.value[told], brute_force(found, w, k)[told], atol=EXACT)


def brute_force(found, w, cause):
    stay, total, told = 1.0, 0.0, []
    for j in range(MONTHS):
        here = found.at >= j
        if not here.any():
            told.append(total)
            continue
        at_risk = w[here].sum()
        total += stay * w[(found.at == j) & (found.cause == cause)].sum() / at_risk
        stay *= 1 - w[(found.at == j) & (found.cause > 0)].sum() / at_risk
        told.append(total)
    return np.array(told)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), blocked=st.booleans(), weighted=st.booleans())
def test_without_losses_it_is_the_mean_of_those_who_have_entered(seed, blocked, weighted):
    rng = np.random.default_rng(seed)
    n, entered, left = 90, *drawn(seed, 90)[:2]
    last = np.full(n, MONTHS)
    arm, block = rng.permutation(np.arange(n) % 2), np.arange(n) // 2 % 3
    for b in range(3):  # two of each arm in every block
        arm[np.flatnonzero(block == b)[:4]] = [0, 0, 1, 1]
    weight = rng.uniform(0.5, 2, n) if weighted else None
    y = [by_month(at, last) for at in (entered, left)]
    first = np.where((entered <= left)[:, None], y[0], 0)  # an exit before it: never
    study = study_from(np.hstack(y), arm, block=block if blocked else None, weight=weight)
    plan = plan_by_month(MONTHS, entries=True, columns={"gender": "women"})
    table = incidence_table(study, plan, draws_of)
    rows = table[table["kind"] == "difference"]
    means = difference_in_means(first, arm, (1, 0), study.block, weight)
    assert np.allclose(rows["estimate"].astype(float), means.value, atol=EXACT)
    assert np.allclose(rows["std_error"].astype(float), means.std_error, atol=EXACT)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 60))
def test_shares_rise_and_add_up_to_no_more_than_one(seed, n):
    found = found_of(seed, n)
    arm = aalen_johansen(arm_of(n), found, MONTHS)
    for own in (arm.entered.value, arm.left.value):
        known = own[~np.isnan(own)]
        assert (np.diff(known) >= -EXACT).all()
    both = arm.entered.value + arm.left.value
    assert (both[~np.isnan(both)] <= 1 + EXACT).all()
    assert (np.diff(arm.at_risk) <= 0).all()
    done = arm.n_entered + arm.n_left
    lost = np.array([((found.cause == 0) & (found.at < j)).sum() for j in range(MONTHS)])
    assert (arm.at_risk == n - lost - np.append(0, done[:-1])).all()
    assert np.allclose(arm.entered.scores.sum(axis=0), 0, atol=1e-9)


def test_one_cause_without_exits_is_greenwood_s_variance():
    entered, _, last = drawn(1, 100)
    found = durations(by_month(entered, last))
    arm = aalen_johansen(arm_of(100), found, MONTHS)
    stay, total = 1.0, 0.0
    for j in range(MONTHS):
        d, n = ((found.at == j) & (found.cause == 1)).sum(), (found.at >= j).sum()
        stay, total = stay * (1 - d / n), total + d / (n * (n - d))
        assert arm.entered.value[j] == pytest.approx(1 - stay)
        assert arm.entered.variance[j] == pytest.approx(stay**2 * total * 100 / 99)


def test_what_comes_first_counts_and_an_entry_wins_a_shared_month():
    months = 4
    entered = np.array(
        [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, np.nan, np.nan]]
    )
    left = np.array(
        [[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, np.nan, np.nan]]
    )
    found = durations(entered, [left])
    assert found.at.tolist() == [1, 1, 3, 3, 1]
    assert found.cause.tolist() == [1, 2, 1, 0, 0]
    alone = durations(entered)
    assert alone.at.tolist() == [1, 2, 3, months - 1, 1]
    assert alone.cause.tolist() == [1, 1, 1, 0, 0]
    never = durations(np.full((1, 4), np.nan))
    assert (never.at[0], never.cause[0]) == (-1, 0)


def test_of_several_exits_the_first_counts():
    stay = np.zeros((1, 3))
    early, late = np.array([[0.0, 1, 1]]), np.array([[0.0, 0, 1]])
    found = durations(np.array([[0.0, 0, 1]]), [late, early])
    assert (found.at[0], found.cause[0]) == (1, 2)
    assert durations(stay, [stay, stay]).cause[0] == 0


def test_after_the_last_at_risk_nothing_is_told_unless_all_is_over():
    found = Durations(np.array([0, 0, 1]), np.array([1, 0, 0]))
    arm = aalen_johansen(arm_of(3), found, 4)
    assert np.isnan(arm.entered.value).tolist() == [False, False, True, True]
    over = Durations(np.array([0, 0, 1]), np.array([1, 2, 1]))
    arm = aalen_johansen(arm_of(3), over, 4)
    assert arm.entered.value == pytest.approx([1 / 3, 2 / 3, 2 / 3, 2 / 3])


def of(table, kind, group="all"):
    return table[(table["kind"] == kind) & (table["group"] == group)]


@cache
def table_of(**design):
    study, plan, _ = entry_trial(np.random.default_rng(3), **design)
    return study, plan, incidence_table(study, plan, draws_of)


def test_the_table_has_every_kind_group_and_month():
    _, _, table = table_of()
    schemas.INCIDENCE.validate(table)
    assert set(table["outcome"]) == {"job"}  # the exit is told with it
    kinds = [f"{k}_{s}" for k in ("incidence", "competing") for s in ("treated", "control")]
    for group in ("all", "women", "men", GAP):
        for kind in [*kinds, "difference", "competing_difference"]:
            assert of(table, kind, group)["month"].tolist() == list(range(1, 13))
        assert len(of(table, "time_lost_difference", group)) == 1
    assert not table["kind"].str.startswith("restricted").any()


def test_differences_gaps_and_bands_fit_together():
    _, _, table = table_of()
    index = ["kind", "group", "month"]
    value = table.set_index(index).sort_index()["estimate"].astype(float)
    for group in ("all", "women", "men", GAP):
        levels = value["incidence_treated", group] - value["incidence_control", group]
        assert np.allclose(value["difference", group], levels)
        rows = of(table, "difference", group)
        assert (rows["critical"].nunique(), rows["critical"].isna().sum()) == (1, 0)
        assert (rows["band_low"] < rows["conf_low"]).all()
    gap = value["difference", "women"] - value["difference", "men"]
    assert np.allclose(value["difference", GAP], gap)


def test_time_lost_is_the_area_under_the_steps():
    _, _, table = table_of()
    for side in ("treated", "control"):
        rows, time = of(table, f"incidence_{side}"), of(table, f"time_lost_{side}").iloc[0]
        assert time["estimate"] == pytest.approx(rows["estimate"].iloc[:-1].sum())
        assert time["month"] == 12
        assert time["unit"] == "months"


def test_without_exits_it_is_the_restricted_mean_before_the_entry():
    study, _, _ = table_of()
    job = {"spells": [1], "months": [1, 12], "measure": "entered", "unit": "share"}
    alone = plan_by_month(12, outcomes={"job": job})
    table = incidence_table(replace(study, y=study.y[:, :12]), alone, draws_of)
    assert not table["kind"].str.startswith(("competing", "time_lost")).any()
    time = of(table, "restricted_mean_treated").iloc[0]
    entered = of(table, "incidence_treated")["estimate"].iloc[:-1].sum()
    assert time["estimate"] == pytest.approx(12 - entered)
    difference = of(table, "restricted_mean_difference").iloc[0]
    both = [of(table, f"restricted_mean_{s}").iloc[0]["estimate"] for s in ("treated", "control")]
    assert difference["estimate"] == pytest.approx(both[0] - both[1])


def test_shares_stay_within_zero_and_one_and_say_when_they_have_no_interval():
    entered = np.full(40, 99)
    entered[:6] = 3
    y = np.hstack([by_month(entered, np.full(40, 12)), by_month(np.full(40, 99), np.full(40, 12))])
    study = study_from(y, np.arange(40) % 2)
    plan = plan_by_month(12, entries=True, columns={"gender": "women"})
    table = incidence_table(study, plan, draws_of)
    early = of(table, "incidence_treated").iloc[0]
    assert early["estimate"] == 0
    assert np.isnan(early["conf_low"])
    assert early["note"] == note("no_interval")
    difference = of(table, "difference")
    assert difference["estimate"].isna().tolist() == [True] * 2 + [False] * 10
    assert difference["note"].iloc[0] == note("constant")
    assert (of(table, "incidence_treated")["conf_low"].dropna() >= 0).all()
    assert of(table, "competing_difference")["estimate"].isna().all()


def test_a_group_without_both_arms_has_empty_rows_that_say_so():
    study, plan, _ = entry_trial(np.random.default_rng(4))
    study.y[study.groups["women"] & (study.arm == 1)] = np.nan
    table = incidence_table(study, plan, draws_of)
    rows = of(table, "difference", "women")
    assert rows["estimate"].isna().all()
    assert set(rows["note"]) == {note("few")}
    assert set(of(table, "difference", GAP)["note"]) == {note("no_gap")}
    assert of(table, "difference", "men")["estimate"].notna().all()


def test_the_horizon_is_the_last_month_that_all_groups_and_arms_are_told():
    study, plan, _ = entry_trial(np.random.default_rng(5), censored=False)
    men = study.groups["men"] & (study.arm == 0)
    study.y[np.ix_(men, [*range(7, 12), *range(19, 24)])] = np.nan
    table = incidence_table(study, plan, draws_of)
    assert set(table.loc[table["kind"].str.startswith("time_lost"), "month"]) == {7}
    rows = of(table, "incidence_control", "men")
    assert rows["note"].iloc[-1] == note("nobody_at_risk")
    assert rows["estimate"].isna().tolist() == [False] * 7 + [True] * 5


@pytest.mark.parametrize("censored", [False, True])
def test_counts_for_the_gate_are_of_all_who_entered_left_or_still_wait(censored):
    study, plan, _ = entry_trial(np.random.default_rng(6), censored=censored)
    table = incidence_table(study, plan, draws_of)
    rows = of(table, "incidence_treated").set_index("month")
    found = durations(study.y[study.arm == 1, :12], [study.y[study.arm == 1, 12:]])
    for month, row in rows.iterrows():
        done, lost = found.at < month, (found.at < month - 1) & (found.cause == 0)
        assert row["n_entered"] == (done & (found.cause == 1)).sum()
        assert row["n_competing"] == (done & (found.cause == 2)).sum()
        assert row["at_risk"] == row["n"] - row["n_entered"] - row["n_competing"] - lost.sum()
