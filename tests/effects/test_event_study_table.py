"""Difference-in-differences as a table: truth by gender, units, bad input, what rows rest on."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from studies import Files, script

from evaluate import schemas
from evaluate.effects.event_panel import calendar_panel, step_for
from evaluate.effects.event_study_table import FEWEST, event_study_table
from evaluate.effects.observational.did import group_time
from evaluate.effects.observational.event_path import pre_trend
from evaluate.effects.observational.event_study import event_study
from evaluate.io import write_parquet
from evaluate.notes import note

from .staggered import FIRST, MONTHS, gain, people, plan_of, study

GROUPS = ["all", "women", "men", "women-men"]


def table_of(participants, outcomes, plan=None, seed=1):
    plan = plan or plan_of()
    found = event_study_table(study(participants, outcomes, plan), participants, plan, seed)
    return schemas.EVENT_STUDY.validate(found)


def of(table, kind, group="all"):
    return table[(table["kind"] == kind) & (table["group"] == group)]


def truth(participants, group):
    """Return the true average on those who start, over the months observed from the start on."""
    own = participants[participants["started_month"].notna()]
    women = own["gender"] == "women"
    start = (own["started_month"] - FIRST).to_numpy(float)
    keep = np.full(len(own), True) if group == "all" else (own["gender"] == group).to_numpy()
    sizes = [gain(women.to_numpy()[keep], start[keep], e) for e in range(6)]
    return np.mean(sizes)


@pytest.mark.parametrize("own_zero", [True, False])
def test_finds_effects_that_differ_by_cohort_month_and_gender(own_zero):
    months = MONTHS if own_zero else range(-3, 11)
    participants, outcomes = people(1, n=4_000, own_zero=own_zero, months=months)
    table = table_of(participants, outcomes, plan_of(months))
    assert set(table["group"]) == set(GROUPS)
    if own_zero:
        true = {g: truth(participants, g) for g in GROUPS[:3]}
        true["women-men"] = true["women"] - true["men"]
        for group in GROUPS:
            (row,) = of(table, "overall", group).to_dict("records")
            assert abs(row["estimate"] - true[group]) < 4 * row["std_error"]
            assert row["std_error"] < 0.15
    for row in of(table, "group_time", "women").dropna(subset="estimate").to_dict("records"):
        start = row["cohort"] - 1  # the first cohort starts in the first month
        size = gain(1, start, row["month"] - row["cohort"])
        assert abs(row["estimate"] - size) < 4.5 * row["std_error"]
    assert (of(table, "pre_trend")["p_value"] > 0.001).all()


def test_two_way_fixed_effects_are_biased_where_these_are_not():
    participants, outcomes = people(2, n=6_000, own_zero=False, months=range(-3, 11), trend=0)
    plan = plan_of(range(-3, 11), covariates=[])
    treated = participants["started_month"].notna().to_numpy()
    participants, outcomes = participants[treated], outcomes[treated]  # all start in the end
    table = table_of(participants.assign(arm="1"), outcomes, plan)
    start = (participants["started_month"] - FIRST).to_numpy(float)
    calendar = np.array([m - 1 for m in range(-3, 11)])
    within = calendar < 4  # until the last cohort starts: later nobody is left to compare with
    on = (calendar[within] >= start[:, None]).astype(float)
    y = outcomes.to_numpy()[:, within]
    flat, moved = (a - a.mean(axis=1, keepdims=True) - a.mean(axis=0) + a.mean() for a in (on, y))
    two_way = (flat * moved).sum() / (flat**2).sum()
    women = (participants["gender"] == "women").to_numpy()
    since = calendar[within] - start[:, None]
    true = gain(women[:, None], start[:, None], since)
    by_cohort = [true[start == g][:, calendar[within] >= g].mean() for g in (0, 2)]
    size = [(start == g).sum() for g in (0, 2)]
    (row,) = of(table, "overall").to_dict("records")
    assert abs(row["estimate"] - np.average(by_cohort, weights=size)) < 4 * row["std_error"]
    assert abs(two_way - true[on == 1].mean()) > 0.4
    assert note("no_controls") in set(of(table, "group_time")["note"])


def test_the_path_is_that_of_the_estimator():
    participants, outcomes = people(3, n=300)
    table = table_of(participants, outcomes)
    y, months = outcomes.to_numpy(), np.array(MONTHS)
    zero = participants["time_zero_month"].to_numpy(float).astype(int)
    calendar = np.full((len(y), 16), np.nan)
    np.put_along_axis(calendar, zero[:, None] + months - 1 - (FIRST - 6), y, axis=1)
    started = participants["started_month"].to_numpy(float, na_value=FIRST - 7) - (FIRST - 7)
    men = (participants["gender"] == "men").to_numpy(float)
    x = np.column_stack([participants["covariate.age"], men])
    path = event_study(group_time(calendar, started.astype(int), x))
    got = of(table, "event")
    assert_allclose(got["month"].astype(int), path.at + 1)
    assert_allclose(got["estimate"], path.estimates.value, atol=1e-12)
    moves = path.estimates.variance > 0
    assert_allclose(got["std_error"][moves], path.estimates.std_error[moves])
    assert_allclose(of(table, "overall")["n_treated"], (started > 0).sum())
    test, (row,) = pre_trend(path.estimates, path.before, path.stratum), _records(table)
    assert_allclose([row["statistic"], row["df"], row["p_value"]], list(astuple(test)))
    assert abs(row["p_value"] - pre_trend(path.estimates, path.before).p_value) > 1e-6


def _records(table):
    return of(table, "pre_trend").to_dict("records")


def test_months_since_the_start_are_counted_as_everywhere():
    table = table_of(*people(4))
    event = of(table, "event")
    assert list(event["month"]) == list(MONTHS)
    base = event[event["month"] == 0].iloc[0]
    assert base["estimate"] == 0
    assert pd.isna(base["std_error"])
    assert base["note"] == note("base_month")
    assert (event.loc[event["month"] > 1, "conf_low"] > 0).all()
    assert list(of(table, "cohort")["cohort"]) == [1, 3, 5]
    assert list(of(table, "calendar")["month"]) == list(range(1, 11))


def test_the_band_is_wider_than_the_intervals_and_the_same_in_every_run():
    participants, outcomes = people(5, n=500)
    one, other = (table_of(participants, outcomes) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)
    event = of(one, "event", "women-men").dropna(subset="std_error")
    assert (event["band_low"] < event["conf_low"]).all()
    assert (event["band_high"] > event["conf_high"]).all()
    assert_allclose((event["estimate"] - event["band_low"]) / event["std_error"], event["critical"])
    elsewhere = table_of(participants, outcomes, seed=2)
    assert (of(elsewhere, "event", "women-men")["critical"] != event["critical"].iloc[0]).any()


def test_the_gap_is_women_less_men():
    table = table_of(*people(6))
    for kind in ("event", "cohort", "calendar", "overall"):
        women, men, gap = (of(table, kind, g).reset_index() for g in GROUPS[1:])
        assert_allclose(gap["estimate"], women["estimate"] - men["estimate"], atol=1e-12)
        variance = women["std_error"] ** 2 + men["std_error"] ** 2
        assert_allclose(gap["std_error"] ** 2, variance)
        for count in ("n", "n_treated", "n_control"):
            assert (gap[count] == women[count] + men[count]).all()


def test_levels_of_persons_and_shocks_of_months_do_not_matter():
    participants, outcomes = people(7, n=400)
    rng = np.random.default_rng(7)
    calendar = participants["time_zero_month"].to_numpy(float)[:, None] + np.array(MONTHS)
    shock = rng.normal(size=40)[(calendar - calendar.min()).astype(int)]
    moved = outcomes + rng.normal(0, 5, (len(outcomes), 1)) + shock
    one, other = table_of(participants, outcomes), table_of(participants, moved)
    for column in ("estimate", "std_error", "band_low", "p_value"):
        assert_allclose(one[column], other[column], rtol=1e-6, atol=1e-9)


def test_trends_that_move_apart_before_the_start_are_found():
    parallel, leaning = (table_of(*people(8, leaning=size)) for size in (0, 0.3))
    assert (of(parallel, "pre_trend")["p_value"] > 0.01).all()
    assert (of(leaning, "pre_trend")["p_value"] < 1e-6).all()
    assert of(leaning, "pre_trend")["df"].iloc[0] == 5  # months -5 to -1, less the base 0


def test_months_in_which_nobody_of_a_cohort_is_followed_have_no_rows():
    participants, outcomes = people(9)
    cells = of(table_of(participants, outcomes), "group_time")
    for cohort, own in cells.groupby("cohort"):
        assert own["month"].min() == cohort + MONTHS[0] - 1
        assert own["month"].max() == cohort + MONTHS[-1] - 1
    late = participants["started_month"].notna() | (participants["time_zero_month"] < FIRST + 4)
    parts = (frame[late].reset_index(drop=True) for frame in (participants, outcomes))
    told = of(table_of(*parts), "group_time")
    empty = told[told["estimate"].isna()]  # the last are followed when nobody else is
    assert set(empty["cohort"]) == {5}
    assert set(empty["month"]) == {9, 10}


def test_months_that_many_lack_count_who_has_them():
    participants, outcomes = people(9)
    gone = np.random.default_rng(9).random(outcomes.shape) < 0.1
    table = table_of(participants, outcomes.mask(gone))
    cells = of(table, "group_time").dropna(subset="estimate")
    assert (cells["n"] == cells["n_treated"] + cells["n_control"]).all()
    start = participants["started_month"].astype(float) - FIRST
    known = ~gone
    row = cells[(cells["cohort"] == 1) & (cells["month"] == 1)].iloc[0]
    at = {m: i for i, m in enumerate(MONTHS)}
    assert row["n_treated"] == ((start == 0) & known[:, at[0]] & known[:, at[1]]).sum()


def test_small_cohorts_are_left_out_and_counted():
    participants, outcomes = people(10, n=700)
    start = (participants["started_month"].astype(float) - FIRST).to_numpy()
    few = np.flatnonzero(start == 4)[FEWEST - 1 :]
    participants = participants.drop(index=few).reset_index(drop=True)
    outcomes = outcomes.drop(index=few).reset_index(drop=True)
    table = table_of(participants, outcomes)
    (row,) = of(table, "group_time")[of(table, "group_time")["month"].isna()].to_dict("records")
    assert (row["cohort"], row["note"]) == (5, note("small_cohort", n=FEWEST))
    assert pd.isna(row["n"])
    assert note("small_cohorts", n=FEWEST - 1) in of(table, "overall")["note"].iloc[0]
    counts = table[["n_treated", "n_control"]].dropna()
    assert counts.to_numpy().min() >= FEWEST


def test_many_small_months_of_start_are_joined_to_quarters():
    months = range(-11, 13)
    participants, outcomes = people(11, n=480, starts=range(18), months=months, trend=0)
    plan = plan_of(months, covariates=["age"])
    table = table_of(participants, outcomes, plan)
    assert note("quarters") in of(table, "overall")["note"].iloc[0]
    event = of(table, "event")
    assert set(np.diff(event["month"].astype(int))) == {3}
    assert event.loc[event["estimate"] == 0, "month"].item() == -2  # the quarter before
    assert set((of(table, "cohort")["cohort"] - 1) % 3) == {0}
    after = event[event["month"] >= 4]
    assert (after["band_low"] > 0).any()


def test_quarters_are_those_of_the_calendar():
    zero = np.full(2, 2020 * 12 + 2)  # March
    panel = calendar_panel(
        np.array([[1.0, 2, 3, 4], [1, np.nan, 3, 4]]), [0, 1, 2, 3], zero,
        np.array([2020 * 12 + 4.0, np.nan]), step=3,
    )  # fmt: skip
    assert_allclose(panel.y, [[1.5, 3.5], [np.nan, 3.5]])  # of March two months: half is no mean
    assert list(panel.when) == [1, 4]
    assert list(panel.cohort) == [4, 0]


@pytest.mark.parametrize(
    ("sizes", "step"),
    [([30, 30, 30], 1), ([10, 10, 10], 3), ([4, 4, 4], 1), ([60, 10, 5], 1), ([30, 15, 15], 3)],
)
def test_quarters_are_for_small_months_that_they_help(sizes, step):
    started = np.append(np.repeat(FIRST + np.arange(3.0), sizes), [np.nan, np.nan])
    assert step_for(started, [np.ones(len(started), dtype=bool)], 20) == step


def test_clusters_have_the_errors_of_their_sums():
    participants, outcomes = people(12, n=600)
    plain = table_of(participants, outcomes)
    participants["cluster"] = (np.arange(600) % 300).astype(str)
    plan = plan_of(columns={"cluster": "village"})
    table = table_of(participants, outcomes, plan)
    both = [of(t, "overall")["std_error"].iloc[0] for t in (plain, table)]
    assert both[0] != both[1]
    assert_allclose(both[0], both[1], rtol=0.15)
    twice = [pd.concat([f, f], ignore_index=True) for f in (participants, outcomes)]
    doubled = table_of(*twice, plan)
    for kind in ("group_time", "event", "overall"):
        errors = [of(t, kind)["std_error"].dropna() for t in (table, doubled)]
        assert_allclose(*errors, rtol=0.1)  # a copy is no new person


def test_weights_that_do_not_vary_change_nothing():
    participants, outcomes = people(13, n=400)
    plan = plan_of(columns={"weight": "w"})
    weighted = table_of(participants.assign(weight=3.0), outcomes, plan)
    plain = table_of(participants, outcomes)
    assert_allclose(weighted["estimate"], plain["estimate"], rtol=1e-9, atol=1e-12)
    assert_allclose(weighted["std_error"], plain["std_error"], rtol=1e-9)


def test_of_several_arms_who_is_in_control_is_compared_until_the_start():
    participants, outcomes = people(14, n=1_200)
    arms = participants["arm"].to_numpy(object)
    arms[(arms == "1") & (np.arange(1_200) % 2 == 0)] = "2"
    later = np.flatnonzero(arms == "0")[:100]
    participants["arm"] = arms
    participants.loc[later, "started_month"] = participants.loc[later, "time_zero_month"] + 3
    outcomes.loc[later, [f"work@{m}" for m in range(4, 7)]] += 100  # from the start on
    plan = plan_of(arms=[1, 2])
    table = table_of(participants, outcomes, plan)
    assert set(table["arm"]) == {"1", "2"}
    gone = outcomes.copy()
    gone.loc[later, [f"work@{m}" for m in range(4, 7)]] = np.nan
    pd.testing.assert_frame_equal(table, table_of(participants, gone, plan))
    for arm in ("1", "2"):
        one = table[table["arm"] == arm]
        own = participants["arm"] == arm
        assert of(one, "overall")["n_treated"].iloc[0] == own.sum()


def test_one_gender_has_no_gap():
    participants, outcomes = people(15, n=400)
    participants["gender"] = "women"
    plan = plan_of(columns={"gender": "women"}, gender=False)
    table = table_of(participants, outcomes, plan)
    assert set(table["group"]) == {"all", "women"}
    both = [of(table, "overall", group)["estimate"] for group in ("all", "women")]
    assert_allclose(*both)


def test_who_has_no_start_in_the_arm_is_left_out_and_counted():
    participants, outcomes = people(16, n=500)
    lost = participants.index[participants["arm"] == "1"][:7]
    participants.loc[lost, "started_month"] = pd.NA
    table = table_of(participants, outcomes)
    assert note("no_start", n=7) in of(table, "overall")["note"].iloc[0]
    assert of(table, "overall")["n_treated"].iloc[0] == participants["started_month"].notna().sum()


def test_missing_covariates_are_means_and_counted():
    participants, outcomes = people(17, n=400)
    participants.loc[::10, "covariate.age"] = np.nan
    table = table_of(participants, outcomes)
    assert note("imputed", n=40) in of(table, "overall")["note"].iloc[0]


def test_without_did_in_the_plan_there_are_no_rows():
    participants, outcomes = people(18, n=100)
    plan = plan_of(analysis={"estimators": ["aipw"]})
    assert len(table_of(participants, outcomes, plan)) == 0


def only(table, group="all"):
    """Return the note of the one row that a group has."""
    (row,) = table[table["group"] == group].to_dict("records")
    assert row["kind"] == "overall"
    assert pd.isna(row["estimate"])
    return row["note"]


def test_months_after_the_start_alone_are_told():
    months = range(1, 7)
    participants, outcomes = people(19, n=300, months=months)
    assert only(table_of(participants, outcomes, plan_of(months))) == note("no_months")


def test_months_of_start_that_are_not_known_are_told():
    participants, outcomes = people(20, n=300)
    table = table_of(participants.drop(columns="started_month"), outcomes)
    assert only(table) == note("no_time_zero")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("all at once", "nobody is left who has not started"),
        ("before the panel", "no month before the start"),
        ("few", "fewer than 20 persons start"),
        ("nobody", "nobody starts within the months observed"),
        ("apart", "nobody comparable"),
        ("no outcome", "nobody has the outcome"),
    ],
)
def test_what_cannot_be_compared_has_a_row_with_its_reason(change, reason):
    participants, outcomes = people(21, n=300, starts=(2,), months=range(-3, 7))
    treated = (participants["arm"] == "1").to_numpy()
    if change == "all at once":
        participants, outcomes = participants[treated], outcomes[treated]
    elif change == "before the panel":
        participants.loc[treated, "started_month"] -= 30
    elif change == "few":
        gone = participants.index[treated][15:]
        participants, outcomes = participants.drop(index=gone), outcomes.drop(index=gone)
    elif change == "nobody":
        participants.loc[treated, "started_month"] += 30
    elif change == "apart":
        participants["covariate.age"] = treated * 1.0
    else:
        outcomes[:] = np.nan
    table = table_of(
        participants.reset_index(drop=True), outcomes.reset_index(drop=True), plan_of(range(-3, 7))
    )
    assert reason in only(table)
    assert only(table, "women-men") == note("no_gap")


def test_one_month_before_the_start_tests_no_trend():
    months = range(0, 7)
    participants, outcomes = people(22, n=400, months=months)
    table = table_of(participants, outcomes, plan_of(months))
    (row,) = of(table, "pre_trend").to_dict("records")
    assert row["note"] == note("no_pre_trend")
    assert pd.isna(row["p_value"])
    assert of(table, "overall")["estimate"].notna().all()


def test_waves_with_gaps_are_compared_with_the_last_before_the_start():
    months = [-12, 0, 6, 12, 24]
    design = {"starts": (2, 8), "months": months, "own_zero": False, "trend": 0}
    participants, outcomes = people(23, n=900, **design)
    table = table_of(participants, outcomes, plan_of(months))
    cells = of(table, "group_time")
    assert set(cells["cohort"].astype(int)) == {1, 7}
    # month 6 began four months after the first start, and two before the second
    for row in cells.dropna(subset="estimate").to_dict("records"):
        start = {1: 2, 7: 8}[row["cohort"]]
        since = row["month"] - row["cohort"]
        size = gain(np.array([0, 1]), start, since).mean()
        assert abs(row["estimate"] - size) < 5 * row["std_error"] + 0.2 * size


def test_the_script_writes_the_table(tmp_path, monkeypatch):
    main = script("event_study")
    participants, outcomes = people(24, n=300)
    participants.insert(0, "source_row", np.arange(1, 301))
    participants.insert(1, "person", None)
    plan = plan_of()
    monkeypatch.setitem(main.__globals__, "load_plan", lambda path: plan)
    paths = {name: str(tmp_path / f"{name}.parquet") for name in ("participants", "outcomes")}
    files = Files({"plan": "p.yaml"} | paths)
    write_parquet(participants, files.participants, schemas.PARTICIPANTS)
    write_parquet(outcomes, files.outcomes, schemas.OUTCOMES)
    main(files, str(tmp_path / "e.parquet"), 1)
    got = pd.read_parquet(tmp_path / "e.parquet")
    assert set(got["kind"]) == {"group_time", "event", "cohort", "calendar", "overall", "pre_trend"}
