"""Time zero in the data: who is eligible on it, what was measured after it, whose months count."""

import contextlib

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from data.extract import FILE, cleaned, people, plan, prepared, write
from evaluate import schemas
from evaluate.data.clean import clean, read_tables
from evaluate.data.stage import run_stage
from evaluate.errors import Problems

PROTOCOL = dict.fromkeys(
    ("eligibility", "strategies", "assignment", "time_zero", "follow_up", "outcome", "contrast",
     "analysis"), "as stated",
)  # fmt: skip
STUDY = {"design": "observational", "protocol": PROTOCOL}
SETS = {
    "columns": {"started": "start", "time_zero": "started", "born": "född"},
    "risk_sets": {"registered": "in", "until": "ut", "per_treated": 2},
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


def decisions(study, step):
    flow = study.flow[(study.flow["step"] == step) & (study.flow["n"] > 0)]
    return dict(zip(flow["reason"], flow["n"], strict=True))


def registered(n: int = 48) -> list[dict[str, str]]:
    """Return persons registered from January on; every fourth starts, in March, April or May."""
    return [
        {
            "id": f"p{i:02d}",
            "kön": "KM"[i // 2 % 2],
            "arm": "1" if i % 4 == 0 else "0",
            "in": f"2020-0{1 + i % 2}-{1 + i % 20:02d}",
            "ut": "" if i % 3 else "2020-11-30",
            "start": f"2020-0{3 + i // 4 % 3}-1{i % 8}" if i % 4 == 0 else "",
            "född": str(1960 + i),
            "lön": str(1000 + 7 * i),
            "arbete": "nej" if i % 5 else "ja",
            "ålder": str(20 + i),
        }
        for i in range(n)
    ]


def reconciles(study) -> None:
    flow = study.flow
    for column in ("n", "women", "men", "arm=0", "arm=1"):
        n = flow.groupby("step")[column].sum()
        more = n.get("added", 0)
        assert n["received"] + more == n["excluded"] + n["included"], column
    assert decisions(study, "included")[""] == len(study.participants)


def test_every_treated_row_stays_and_each_comparison_row_has_the_day_of_a_treated(path):
    rows = registered()
    found = prepared(path, rows, **STUDY, **SETS)
    table, zero = found.participants, found.people.day_zero[found.people.kept]
    schemas.PARTICIPANTS.validate(table)
    raw = pd.DataFrame(rows).iloc[table["source_row"] - 1].reset_index(drop=True)
    treated = (table["arm"] == "1").to_numpy()
    assert sorted(table.loc[treated, "source_row"]) == list(range(1, 48, 4))
    start = pd.to_datetime(raw["start"]).to_numpy().astype("datetime64[D]")
    assert_array_equal(zero[treated], start[treated])
    assert np.isin(zero[~treated], zero[treated]).all()
    assert (np.isnat(start[~treated]) | (start[~treated] > zero[~treated])).all()
    assert (pd.to_datetime(raw["in"]).to_numpy() <= zero).all()
    assert (table["arm"] == "0").sum() == 24
    assert table["cluster"].equals(table["person"])
    month = zero.astype("datetime64[M]").astype(int) + 12 * 1970
    assert_array_equal(table["time_zero_month"].to_numpy(dtype=int), month)
    has_started = pd.Series(start).notna()
    assert (table["started_month"].notna() == has_started).all()
    assert not any(c.startswith("lottery") for c in table)


def test_the_flow_reconciles_and_tells_of_the_drawing(path):
    study = cleaned(path, registered(), **STUDY, **SETS)
    reconciles(study)
    noted = decisions(study, "noted")
    later = noted["comparison, starts later (start)"]
    treated = study.participants["started_month"].notna() & (study.participants["arm"] == "0")
    assert later == treated.sum() > 0
    never = "comparison, registered on a day when others start, but not drawn"
    added = decisions(study, "added")["drawn as comparison in one more month"]
    out = decisions(study, "excluded")
    assert set(out) == {never}
    assert len(study.participants) == 48 - out[never] + added
    compared = study.participants[study.participants["arm"] == "0"]
    others = compared[compared["started_month"].isna()]["source_row"].nunique()
    assert others == 36 - out[never]


def test_the_same_seed_draws_the_same_persons_from_a_file_in_another_order(path):
    def who(rows, seed):
        made = plan(write(path, rows), **STUDY, **SETS)
        table = clean(read_tables(made), made, seed).participants
        ids = pd.Series([r["id"] for r in rows]).iloc[table["source_row"] - 1].to_numpy()
        return sorted(zip(ids, table["arm"], table["time_zero_month"], strict=True))

    rows = registered()
    assert who(rows, 1) == who(rows[::-1], 1)
    assert who(rows, 1) != who(rows, 2)


def test_days_that_cannot_be_are_excluded_with_the_reason(path):
    rows = registered()
    rows[0]["start"] = ""
    rows[4]["start"] = "2020-02-30"
    rows[8]["in"] = "2020-12-01"
    rows[12]["ut"] = "2020-02-01"
    rows[1]["start"] = "2020-04-01"
    rows[2]["in"] = ""
    rows[3]["ut"] = "2019-01-01"
    rows[16]["start"] = "2021-04-01"
    rows[20]["start"] = "2019-04-01"
    data = {"extract_date": "2020-12-31", "coverage": "2019-06-30"}
    study = cleaned(path, rows, data=data, **STUDY, **SETS)
    reconciles(study)
    out = decisions(study, "excluded")
    out.pop("comparison, registered on a day when others start, but not drawn", None)
    assert out == {
        "start missing": 1,
        "start not a date": 1,
        "control, but with a day in start": 1,
        "start before what the register covers": 1,
        "start after the extract date": 1,
        "in missing": 1,
        "ut before in": 1,
        "not registered on the day of the start (start)": 2,
    }
    quarantine = study.quarantine
    assert quarantine[quarantine["reason"] == "ut before in"]["source_row"].tolist() == [4]


def test_a_month_without_anybody_at_risk_leaves_its_treated_out(path):
    rows = registered()
    for row in rows:
        row["ut"] = row["ut"] or "2020-11-30"
    rows.append(rows[0] | {"id": "late", "in": "2020-12-01", "ut": "", "start": "2020-12-10"})
    study = cleaned(path, rows, **STUDY, **SETS)
    reconciles(study)
    why = "nobody to compare with in the calendar month of the start"
    assert decisions(study, "excluded")[why] == 1


def test_months_with_fewer_comparison_rows_are_weighted(path):
    rows = registered()
    for i, row in enumerate(rows):
        if i % 4 and i > 9:
            row["ut"] = "2020-04-01"  # few are left in April and May
    table = cleaned(path, rows, **STUDY, **SETS).participants
    month, treated = table["time_zero_month"], table["arm"] == "1"
    assert table["weight"].notna().all()
    assert (table.loc[treated, "weight"] == 1).all()
    share = table.loc[~treated].groupby(month)["weight"].sum() / treated.groupby(month).sum()
    assert share.max() - share.min() < 1e-12
    assert cleaned(path, registered(), **STUDY, **SETS).participants["weight"].isna().all()


def test_criteria_and_covariates_hold_at_each_rows_own_time_zero(path):
    sections = (
        STUDY
        | SETS
        | {
            "eligibility": [
                "age_at_time_zero >= 16",
                "days_registered < 75",
                "time_zero >= '2020-03-11'",
            ],
            "covariates": ["ålder", "days_registered", "age_at_time_zero"],
        }
    )
    study = cleaned(path, registered(), **sections)
    found = prepared(path, registered(), **sections)
    reconciles(study)
    table = study.participants
    zero = found.people.day_zero[found.people.kept]
    raw = pd.DataFrame(registered()).iloc[table["source_row"] - 1]
    days = (zero - raw["in"].to_numpy(dtype="datetime64[D]")).astype(int)
    assert_array_equal(table["covariate.days_registered"], days)
    assert days.max() < 75
    age = 2020 - raw["född"].astype(int).to_numpy()
    assert_array_equal(table["covariate.age_at_time_zero"], age)
    assert zero.min() >= np.datetime64("2020-03-11")
    out = decisions(study, "excluded")
    assert {"not met: days_registered < 75", "not met: time_zero >= '2020-03-11'"} <= set(out)


def test_a_criterion_on_the_start_would_leave_out_all_comparison_persons(path):
    with pytest.raises(Problems, match=r"have no day in start and would all .* Write time_zero"):
        cleaned(path, registered(), eligibility=["start >= '2020-03-01'"], **STUDY, **SETS)


def test_registers_are_read_from_each_rows_own_time_zero(path, tmp_path):
    rows = registered()
    months = [f"2020-{m:02d}" for m in range(1, 13)]
    lines = [f"{r['id']};{m};{100 * int(r['id'][1:]) + int(m[5:])}" for r in rows for m in months]
    incomes = tmp_path / "i.csv"
    incomes.write_text("\n".join(["id;månad;belopp", *lines]) + "\n", encoding="utf-8")
    made = plan(
        write(path, rows),
        data={
            "extract_date": "2020-12-31",
            "coverage": "2020-01-01",
            "incomes": {"path": str(incomes), "period": "månad"},
        },
        outcomes={
            "income": {"incomes": "belopp", "months": [1, 3], "unit": "SEK"},
            "before": {"incomes": "belopp", "months": [-1, 0], "unit": "SEK", "role": "placebo"},
        },
        **STUDY,
        **SETS,
    )
    with contextlib.chdir(tmp_path):
        stage = run_stage(made, "engine", seed=5)
    table, outcomes = stage.tables["participants"], stage.outcomes.to_pandas()
    month = table["time_zero_month"].to_numpy(dtype=int) % 12 + 1
    person = table["source_row"].to_numpy() - 1
    several = table.groupby("source_row")["time_zero_month"].nunique()
    assert (several > 1).any()  # else nothing is shown
    for m in (1, 2, 3):
        assert_array_equal(outcomes[f"income@{m}"], 100 * person + month + m)
    assert_array_equal(outcomes["before@0"], 100 * person + month)


# Days as they are given


def given(**days):
    """Return 16 persons with a day of time zero, who start, if at all, on that day."""
    rows = [r | {"noll": "2020-03-02", "start": ""} for r in people(**days)]
    return [r | {"start": "2020-03-02"} if r["arm"] == "1" else r for r in rows]


GIVEN = {"columns": {"offered": "noll", "started": "start"}}


def test_starts_before_time_zero_are_out_and_later_ones_are_counted(path):
    rows = given()
    rows[2]["start"] = "2020-02-01"  # treated before time zero
    rows[3]["start"] = "2020-05-01"  # treated later: had to stay as it was until then
    rows[0]["start"] = "2020-03-02"  # control that had started
    rows[1]["start"] = "2020-06-01"  # control that starts later
    study = cleaned(path, rows, **STUDY, **GIVEN)
    reconciles(study)
    assert decisions(study, "excluded") == {
        "start before noll": 1,
        "had started by time zero (start)": 1,
    }
    assert decisions(study, "noted") == {
        "treated, but starts after time zero (start)": 1,
        "comparison, starts later (start)": 1,
    }
    table = study.participants
    assert set(table["time_zero_month"]) == {12 * 2020 + 2}
    months = dict(zip(table["source_row"], table["started_month"], strict=True))
    # in the months from time zero: 1 May is in the second that begins on 2 March
    assert months[4] == 12 * 2020 + 3
    assert months[2] == 12 * 2020 + 4
    assert pd.isna(months[5])


def test_a_time_zero_that_is_the_day_of_the_start_is_required_of_all(path):
    rows = given()
    columns = {"started": "noll", "time_zero": "started"}
    rows[0]["noll"], rows[1]["noll"] = "", "2020-13-01"
    study = cleaned(path, rows, columns=columns, **STUDY)
    assert decisions(study, "excluded") == {"noll missing": 1, "noll not a date": 1}
    table = study.participants
    assert (table["started_month"].notna() == (table["arm"] == "1")).all()


def test_the_flow_of_a_study_without_days_has_no_months(path):
    table = cleaned(path, people(), **STUDY).participants
    assert not {"time_zero_month", "started_month"} & set(table)


# Covariates measured after time zero


@pytest.mark.parametrize("measured", ["2020-03-03", "mätt"])
def test_a_covariate_measured_after_time_zero_stops_the_run(path, measured):
    rows = given(mätt="2020-03-03")
    covariates = [{"column": "ålder", "measured": measured}]
    with pytest.raises(Problems) as error:
        cleaned(path, rows, covariates=covariates, **STUDY, **GIVEN)
    (said,) = error.value.problems
    assert "column ålder (covariates.ålder.measured): 16 rows of 16 measured after time" in said
    assert "`measured_late: missing`" in said
    assert "2020-03" not in said


@pytest.mark.parametrize("measured", ["2020-03-02", "2019-12-31", "mätt"])
def test_a_covariate_measured_by_time_zero_is_as_it_is(path, measured):
    rows = given(mätt="2020-03-02")
    covariates = [{"column": "ålder", "measured": measured, "measured_late": "missing"}]
    study = cleaned(path, rows, covariates=covariates, **STUDY, **GIVEN)
    assert study.participants["covariate.ålder"].notna().all()
    assert decisions(study, "noted") == {}


def test_late_values_may_be_taken_as_missing_and_are_counted(path):
    rows = given(mätt="2020-03-01")
    for i in (1, 5, 6):
        rows[i]["mätt"] = "2020-04-01"
    rows[7]["mätt"] = ""
    covariates = [{"column": "ålder", "measured": "mätt", "measured_late": "missing"}]
    study = cleaned(path, rows, covariates=covariates, **STUDY, **GIVEN)
    absent = study.participants["covariate.ålder"].isna()
    assert study.participants.loc[absent, "source_row"].tolist() == [2, 6, 7]
    assert decisions(study, "noted") == {
        "mätt missing": 1,
        "ålder measured after time zero, taken as missing": 3,
    }
    dropped = cleaned(
        path, rows, covariates=covariates, analysis={"missing_covariates": "drop"}, **STUDY, **GIVEN
    )
    assert decisions(dropped, "excluded") == {"ålder missing": 3}


def test_a_text_measured_too_late_is_missing_too(path):
    rows = [r | {"ort": "AB"[i % 2]} for i, r in enumerate(given(mätt="2020-03-01"))]
    rows[3]["mätt"] = "2020-03-09"
    covariates = ["ålder", {"column": "ort", "measured": "mätt", "measured_late": "missing"}]
    table = cleaned(path, rows, covariates=covariates, **STUDY, **GIVEN).participants
    assert table["covariate.ort"].isna().tolist() == [i == 3 for i in range(16)]


def test_a_person_may_be_measured_too_late_for_one_of_its_rows_only(path):
    rows = [r | {"mätt": "2020-03-31"} for r in registered()]
    covariates = [{"column": "ålder", "measured": "mätt", "measured_late": "missing"}]
    table = cleaned(path, rows, covariates=covariates, **STUDY, **SETS).participants
    in_march = table["time_zero_month"] == 12 * 2020 + 2
    assert (table["covariate.ålder"].isna() == in_march).all()
    assert in_march.any()
    assert not in_march.all()


def test_a_covariate_that_most_lack_is_counted(path):
    rows = given()
    for row in rows[:9]:
        row["ålder"] = ""
    study = cleaned(path, rows, **STUDY, **GIVEN)
    assert decisions(study, "noted") == {"ålder missing for most": 9}
    rows[0]["ålder"] = "40"
    assert decisions(cleaned(path, rows, **STUDY, **GIVEN), "noted") == {}


def test_drawing_by_lottery_is_left_as_it_was(path):
    """A covariate's day is compared with the offer of a lottery, too; nothing else changes."""
    study = cleaned(path, given(), **GIVEN)
    assert decisions(study, "noted") == {}
    assert "lottery.offered" in study.participants
    late = [{"column": "ålder", "measured": "2021-01-01"}]
    with pytest.raises(Problems, match="measured after time zero"):
        cleaned(path, given(), covariates=late, **GIVEN)


def test_each_comparison_person_is_followed_from_a_day_on_which_it_was_registered(path):
    """Some leave by the end of March, others come in April: a day of another would be wrong."""
    rows = registered()
    for row in rows[1::4]:
        row["ut"] = "2020-03-31"
    for row in rows[2::4]:
        row["in"] = "2020-04-01"
    found = prepared(path, rows, **STUDY, **SETS)
    zero = found.people.day_zero[found.people.kept]
    raw = pd.DataFrame(rows).iloc[found.participants["source_row"] - 1]
    last = raw["ut"].replace("", "2099-12-31").to_numpy(dtype="datetime64[D]")
    assert (raw["in"].to_numpy(dtype="datetime64[D]") <= zero).all()
    assert (zero <= last).all()
    kinds = (found.participants["source_row"] - 1) % 4
    assert {1, 2} <= set(kinds)


def test_a_row_that_is_left_out_once_drawn_is_known_by_its_row_in_the_file(path):
    rows = registered()
    for i in (6, 31):
        rows[i]["in"] = "2018-01-01"
    study = cleaned(path, rows, eligibility=["days_registered < 400"], **STUDY, **SETS)
    reconciles(study)
    out = study.quarantine[study.quarantine["reason"] == "not met: days_registered < 400"]
    assert len(out) > 0
    assert set(out["source_row"]) <= {7, 32}
