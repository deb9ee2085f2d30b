"""Means of activities per person and month, against sums person by person."""

import datetime

import numpy as np
import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from data.registers.people import COVERAGE, EXTRACT, people, plan_with
from data.registers.test_activities import KINDS, run

MONTHS = 4
PLAN = plan_with(activities={"path": "a.csv", "kinds": KINDS, "months": MONTHS})
NUMBERS = ["n", "mean", "std_error", "conf_low", "conf_high", "share_any", "n_any"]
TOLERANCE = 1e-10  # sums of some tens of numbers, in another order


def window(zero, month):
    """Return the first day of a month and the day after its last."""
    return zero + relativedelta(months=month - 1), zero + relativedelta(months=month)


def is_observed(zero, month):
    if zero is None:
        return False
    if month == 0:
        return all(is_observed(zero, m) for m in range(1, MONTHS + 1))
    first, after = window(zero, month)
    return first >= COVERAGE and after - datetime.timedelta(days=1) <= EXTRACT


def count(rows, i, zero, kind, month):
    """Count the activities of a person in a month, one by one."""
    codes = {"meeting": ["1", "2"], "referral": ["R"], "other": ["9"]}
    months = range(1, MONTHS + 1) if month == 0 else [month]
    return sum(
        key == f"p{i}"
        and (kind == "all" or code in codes[kind])
        and any(window(zero, m)[0] <= day < window(zero, m)[1] for m in months)
        for key, day, code, _ in rows
    )


def expected(rows, who, zeros, weight=None):
    """Make the table with a loop over kinds, months, arms, groups and persons."""
    w = np.ones(len(zeros)) if weight is None else weight
    table = []
    kinds = ["meeting", "referral"] + ["other"] * any(code == "9" for *_, code, _ in rows)
    for kind in [*kinds, "all"]:
        for month in range(MONTHS + 1):
            for arm in ("0", "1"):
                cells = {}
                for group in ("all", "women", "men"):
                    chosen = [
                        i
                        for i, zero in enumerate(zeros)
                        if is_observed(zero, month)
                        and who.arm[i] == arm
                        and group in ("all", who.gender[i])
                    ]
                    c = np.array([count(rows, i, zeros[i], kind, month) for i in chosen], float)
                    cells[group] = cell(c, w[chosen])
                    table.append((kind, month, arm, group, *cells[group]))
                women, men = cells["women"], cells["men"]
                table.append((kind, month, arm, "women-men", *gap(women, men)))
    return pd.DataFrame(table, columns=["kind", "month", "arm", "group", *NUMBERS])


def cell(c, w):
    n = len(c)
    if n == 0:
        return (0, *[np.nan] * 5, 0)
    mean, share = np.average(c, weights=w), np.average(c > 0, weights=w)
    if n == 1:
        return (1, mean, np.nan, np.nan, np.nan, share, (c > 0).sum())
    error = np.sqrt(n / (n - 1) * sum((w * (c - mean)) ** 2)) / sum(w)
    margin = stats.t.ppf(0.975, n - 1) * error
    return (n, mean, error, mean - margin, mean + margin, share, (c > 0).sum())


def gap(women, men):
    n, mean, share = women[0] + men[0], women[1] - men[1], women[5] - men[5]
    v, u = women[2] ** 2, men[2] ** 2
    error = np.sqrt(v + u)
    margin = np.nan
    if error == 0:
        margin = 0.0
    elif not np.isnan(error):
        df = (v + u) ** 2 / (v**2 / (women[0] - 1) + u**2 / (men[0] - 1))
        margin = stats.t.ppf(0.975, df) * error
    return (n, mean, error, mean - margin, mean + margin, share, np.nan)


DAY = st.integers(0, 500).map(lambda days: COVERAGE + datetime.timedelta(days=days))
ZEROS = st.sampled_from(
    [None, datetime.date(2019, 1, 31), datetime.date(2019, 10, 31), datetime.date(2019, 11, 30),
     datetime.date(2018, 12, 31), datetime.date(2019, 12, 1), datetime.date(2020, 2, 29)]
)  # fmt: skip


@settings(max_examples=40)
@given(
    zeros=st.lists(ZEROS, min_size=8, max_size=14),
    some=st.lists(
        st.tuples(st.integers(0, 13), DAY, st.sampled_from(["1", "2", "R", "9"])), max_size=80
    ),
    weighted=st.booleans(),
)
def test_the_table_is_that_of_a_loop_over_persons(tmp_path_factory, zeros, some, weighted):
    who = people(zeros)
    rows = [  # each at another time, so that none is a duplicate
        (f"p{i}", day, code, str(time))
        for time, (i, day, code) in enumerate(some)
        if i < len(zeros) and zeros[i] and zeros[i] <= day <= EXTRACT
    ]
    rows.append(("p0", "2019-01-01", "1", ""))  # before the offer, or of somebody without one
    weight = np.random.default_rng(len(some)).uniform(0.5, 3, len(zeros)) if weighted else None
    found = run(tmp_path_factory.mktemp("d"), rows, who, PLAN, weight=weight).table
    wanted = expected(rows[:-1], who, zeros, weight)
    keys = ["kind", "month", "arm", "group"]
    pd.testing.assert_frame_equal(found[keys], wanted[keys], check_dtype=False)
    assert_allclose(found[NUMBERS].to_numpy(float), wanted[NUMBERS].to_numpy(float), atol=TOLERANCE)
    assert set(found["unit"]) == {"activities"}


def test_months_begin_on_the_day_zero_and_end_before_it_in_the_next(tmp_path):
    zero = datetime.date(2019, 1, 31)
    who = people([zero, zero])
    days = {
        "2019-01-31": 1, "2019-02-27": 1, "2019-02-28": 2, "2019-03-30": 2, "2019-03-31": 3,
        "2019-04-29": 3, "2019-04-30": 4, "2019-05-30": 4,
    }  # fmt: skip
    for day, month in days.items():
        table = run(tmp_path, [("p0", day, "1", "")], who, PLAN).table
        chosen = table[(table["kind"] == "all") & (table["arm"] == "0") & (table["mean"] == 1)]
        assert sorted(set(chosen["month"])) == [0, month], day
    table = run(tmp_path, [("p0", "2019-05-31", "1", "")], who, PLAN).table
    assert (table["mean"].dropna() == 0).all()


def test_a_leap_day_is_the_last_of_its_month(tmp_path):
    zero = datetime.date(2019, 11, 30)
    table = run(tmp_path, [("p0", "2020-02-29", "1", "")], people([zero, zero]), PLAN).table
    chosen = table[(table["kind"] == "all") & (table["arm"] == "0") & (table["mean"] == 1)]
    assert sorted(set(chosen["month"])) == [0, 4]


def test_a_month_is_observed_only_when_its_last_day_is_covered(tmp_path):
    # month 4 of the first ends on the extract date, of the second a day after it
    zeros = [datetime.date(2019, 12, 1), None, datetime.date(2019, 12, 2), None]
    rows = [("p2", "2020-03-05", "1", ""), ("p2", "2020-03-01", "1", "")]
    found = run(tmp_path, rows, people(zeros), PLAN)
    table = found.table[(found.table["kind"] == "all") & (found.table["arm"] == "0")]
    persons = table[table["group"] == "all"].set_index("month")["n"]
    assert persons.to_dict() == {0: 1, 1: 2, 2: 2, 3: 2, 4: 1}
    noted = found.tally.cleaning.set_index("reason")["n"]
    assert noted["in a month that is not observed whole: not counted"] == 1
    means = table[table["group"] == "all"].set_index("month")["mean"]
    assert means.to_dict() == {0: 0, 1: 0, 2: 0, 3: 0.5, 4: 0}


@pytest.mark.parametrize("gender", ["women", None])
def test_without_both_genders_there_is_no_gap(tmp_path, gender):
    columns = {"gender": gender}
    plan = plan_with(activities={"path": "a.csv", "months": 2}, columns=columns)
    zero = datetime.date(2019, 1, 31)
    table = run(tmp_path, [("p0", zero, "1", "")], people([zero, zero]), plan).table
    assert list(dict.fromkeys(table["group"])) == ["all"] + [gender] * (gender is not None)


def test_the_gap_has_the_interval_of_welch(tmp_path):
    rng = np.random.default_rng(1)
    zero = datetime.date(2019, 1, 31)
    who = people([zero] * 60)
    often = np.where(who.gender == "women", 6, 2)
    women = np.flatnonzero((who.gender == "women") & (who.arm == "1"))[:4]
    men = np.flatnonzero((who.gender == "men") & (who.arm == "1"))
    who.kept[:] = np.isin(np.arange(60), [0, 4, *women, *men])
    number = rng.poisson(often) * who.kept
    rows = [(f"p{i}", zero, "1", str(j)) for i in range(60) for j in range(number[i])]
    table = run(tmp_path, rows, who, PLAN).table.set_index(["kind", "month", "arm", "group"])
    gap = table.loc[("all", 1, "1", "women-men")]
    told = stats.ttest_ind(number[women], number[men], equal_var=False).confidence_interval(0.95)
    assert_allclose(gap[["conf_low", "conf_high"]].astype(float), told, rtol=TOLERANCE)
    assert gap["n"] == 4 + len(men)


def test_equal_weights_are_none(tmp_path):
    zero = datetime.date(2019, 1, 31)
    who = people([zero] * 12)
    rows = [(f"p{i % 9}", zero, "1", str(i)) for i in range(40)]
    plain = run(tmp_path, rows, who, PLAN).table
    weighted = run(tmp_path, rows, who, PLAN, weight=np.full(12, 3.7)).table
    assert_allclose(
        weighted[NUMBERS].to_numpy(float), plain[NUMBERS].to_numpy(float), atol=TOLERANCE
    )


def test_persons_who_all_had_the_same_have_no_error_whatever_their_weights(tmp_path):
    zero = datetime.date(2019, 1, 31)
    rows = [(f"p{i}", zero, "1", str(j)) for i in range(12) for j in range(3)]
    weight = np.random.default_rng(1).uniform(0.1, 9, 12)
    table = run(tmp_path, rows, people([zero] * 12), PLAN, weight=weight).table
    first = table[(table["month"] == 1) & (table["kind"] == "all")]
    assert (first["std_error"] == 0).all()
    assert_allclose(first.loc[first["group"] != "women-men", "mean"], 3)


def test_the_bytes_are_the_same_in_every_run_and_chunk(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    zero = datetime.date(2019, 1, 31)
    who = people([zero] * 300)
    day = [zero + datetime.timedelta(days=int(d)) for d in rng.integers(0, 150, 9000)]
    rows = [(f"p{rng.integers(300)}", d, "12R"[i % 3], str(i)) for i, d in enumerate(day)]
    weight = rng.uniform(0.5, 3, 300)
    first = run(tmp_path, rows, who, PLAN, weight=weight).table
    again = run(tmp_path, rows, who, PLAN, weight=weight).table
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    monkeypatch.setattr("evaluate.data.registers.ordered.CHUNK", 2_048)
    small = run(tmp_path, rows, who, PLAN, weight=weight).table
    assert_allclose(first[NUMBERS].to_numpy(float), small[NUMBERS].to_numpy(float), rtol=1e-12)
