"""Spells to outcomes by month, against a count day by day; decisions that reconcile."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.data.people import People
from evaluate.data.registers.decisions import people_table
from evaluate.data.registers.engine import engine
from evaluate.data.registers.spells import spell_months
from evaluate.errors import DataError, Problems
from evaluate.plan.model import Plan

COVERAGE, EXTRACT = datetime.date(2019, 1, 1), datetime.date(2019, 12, 31)
STATES = {"work": [31], "subsidised": [41, 42], "registered": [11]}
MEASURES = {
    "at": ("at", "share", [-2, 8]),
    "days": ("days", "days", [1, 8]),
    "days_before": ("days", "days", [-2, 0]),
    "months": ("cumulated", "months", [1, 8]),
    "entered": ("entered", "share", [1, 8]),
    "wait": ("wait", "days", [1, 8]),
}


def plan(**spells: object) -> Plan:
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerat"},
            "design": "randomised",
            "data": {
                "participants": {"path": "p.csv"},
                "coverage": str(COVERAGE),
                "extract_date": str(EXTRACT),
                "spells": {"path": "s.csv", "states": STATES} | spells,
            },
            "columns": {
                "person": "person",
                "gender": {"column": "sex", "women": 2, "men": 1},
                "treatment": {"column": "arm", "control": 0},
                "offered": "offered",
            },
            "outcomes": {
                name: {"spells": ["work"], "measure": measure, "unit": unit, "months": months}
                for name, (measure, unit, months) in MEASURES.items()
            },
        }
    )


def people(zeros: list[datetime.date | None], kept: list[bool] | None = None) -> People:
    n = len(zeros)
    return People(
        source_row=np.arange(1, n + 1),
        gender=np.array([["women", "men", None][i % 3] for i in range(n)], dtype=object),
        arm=np.array([str(i % 2) for i in range(n)], dtype=object),
        kept=np.array(kept or [True] * n),
        day_zero=np.array(zeros, dtype="datetime64[D]"),
        alias_text=np.array([f"p{i}" for i in range(n)] + ["old0"], dtype=object),
        alias_person=np.append(np.arange(n), 0),
    )


def run(tmp_path, rows, who: People, made: Plan | None = None, weight=None):
    """Put rows of (person, start, end, state) through the cleaning."""
    text = [[str("" if cell is None else cell) for cell in row] for row in rows]
    columns = list(zip(*text, strict=True)) or [[]] * 4
    names = ("person", "start", "end", "state")
    batch = pa.record_batch(
        {name: pa.array(list(c), pa.string()) for name, c in zip(names, columns, strict=True)}
        | {"source_row": pa.array(np.arange(1, len(rows) + 1))}
    )
    cut = len(rows) // 2
    with engine(tmp_path / "engine") as connection:
        people_table(connection, who)
        batches = iter([batch.slice(0, cut), batch.slice(cut)])
        return spell_months(connection, batches, made or plan(), who, weight=weight)


def table(result) -> dict[str, list]:
    return {name: values.to_pylist() for name, values in result.columns.items()}


# --- the oracle: one day after another ------------------------------------------------------


def oracle_days(rows, who: People, made: Plan) -> list[dict[datetime.date, str]]:
    """Return each kept person's state on each day, by the rules as the guide tells them."""
    section = made.data.spells
    rank = {str(c): i for i, codes in enumerate(STATES.values()) for c in codes}
    person_of = dict(zip(who.alias_text, who.alias_person, strict=True))
    spells: dict[int, dict[tuple, int]] = {}
    for number, (key, start, end, state) in enumerate(rows, 1):
        person = person_of.get(key)
        if person is None or not who.kept[person] or start is None or state is None:
            continue
        if end is not None and section.end_is == "day_after":
            end = end - datetime.timedelta(1)
        if (end is not None and (end < start or end < COVERAGE)) or start > EXTRACT:
            continue
        start = max(start, COVERAGE)
        end = None if end is None else min(end, EXTRACT)
        spells.setdefault(person, {}).setdefault((start, end, str(state)), number)
    found = []
    for person in np.flatnonzero(who.kept):
        mine = [(*spell, row) for spell, row in spells.get(person, {}).items()]
        starts = sorted({spell[0] for spell in mine})
        days: dict[datetime.date, tuple] = {}
        for start, end, state, row in mine:
            if end is None:
                later = [s for s in starts if s > start]
                at_next = section.open_end == "next" and later
                end = later[0] - datetime.timedelta(1) if at_next else EXTRACT
            day = start
            while day <= end:
                # Lowest rank first, then the spell that began later, then the later row.
                claim = (rank.get(state, 99), -start.toordinal(), -row)
                if day not in days or claim < days[day][0]:
                    days[day] = (claim, state)
                day += datetime.timedelta(1)
        found.append({day: state for day, (_, state) in days.items()})
    return found


def oracle(rows, who: People, made: Plan) -> dict[str, list]:
    out: dict[str, list] = {c.name: [] for c in made.outcome_columns}
    one = datetime.timedelta(1)
    for states, zero in zip(
        oracle_days(rows, who, made), who.day_zero[who.kept].tolist(), strict=True
    ):
        for column in made.outcome_columns:
            measure, m = MEASURES[column.outcome][0], column.month
            if zero is None:
                out[column.name].append(None)
                continue
            first = zero + relativedelta(months=m - 1)
            last = zero + relativedelta(months=m) - one
            value = None
            if measure == "at":
                if COVERAGE <= last <= EXTRACT:
                    value = int(states.get(last) == "31")
            elif measure == "days":
                if first >= COVERAGE and last <= EXTRACT:
                    span = [first + one * i for i in range((last - first).days + 1)]
                    value = sum(states.get(day) == "31" for day in span)
            elif zero >= COVERAGE and last <= EXTRACT:
                ends = [zero + relativedelta(months=k) - one for k in range(1, m + 1)]
                since = [d for d in sorted(states) if d >= zero and states[d] == "31"]
                entry = since[0] if since else None
                if measure == "cumulated":
                    value = sum(states.get(day) == "31" for day in ends)
                elif measure == "entered":
                    value = int(entry is not None and entry <= last)
                else:
                    value = ((min(entry, last + one) if entry else last + one) - zero).days
            out[column.name].append(value)
    return out


DAY = st.dates(datetime.date(2018, 10, 1), datetime.date(2020, 3, 1))
ROW = st.tuples(
    st.sampled_from(["p0", "p1", "p2", "old0", "stranger", ""]),
    st.one_of(DAY, DAY, DAY, st.none()),
    st.one_of(DAY, DAY, st.none()),
    st.sampled_from(["31", "41", "11", "99", None]),
)
ZERO = st.one_of(st.dates(datetime.date(2018, 11, 1), datetime.date(2020, 1, 31)), st.none())


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(ROW, min_size=1, max_size=14),
    zeros=st.lists(ZERO, min_size=3, max_size=3),
    kept=st.lists(st.booleans(), min_size=3, max_size=3),
    open_end=st.sampled_from(["next", "extract"]),
    end_is=st.sampled_from(["last_day", "day_after"]),
)
def test_outcomes_are_what_a_count_day_by_day_gives(
    tmp_path_factory, rows, zeros, kept, open_end, end_is
):
    kept[0] = True
    made, who = plan(open_end=open_end, end_is=end_is), people(zeros, kept)
    rows = [*rows, ("p0", COVERAGE, COVERAGE + datetime.timedelta(1), "31")]
    result = run(tmp_path_factory.mktemp("s"), rows, who, made)
    assert table(result) == oracle(rows, who, made)
    reconciles(result, rows, who)


def reconciles(result, rows, who: People) -> None:
    """Check that every row is kept or in the quarantine, once, for all and by gender."""
    told, rejected = result.tally.cleaning, result.tally.quarantine
    by_step = told.groupby("step")[["n", "women", "men"]].sum()
    by_step = by_step.reindex(["received", "excluded", "kept"], fill_value=0)
    assert (by_step.loc["received"] == by_step.loc["excluded"] + by_step.loc["kept"]).all()
    assert by_step.loc["received", "n"] == len(rows)
    numbers = rejected["source_row"].to_pylist()
    assert len(set(numbers)) == len(numbers) == by_step.loc["excluded", "n"]
    by_reason = told[told["step"] == "excluded"].set_index("reason")["n"].to_dict()
    reasons = rejected["reason"].to_pylist()
    assert by_reason == {why: reasons.count(why) for why in set(reasons)}
    person_of = dict(zip(who.alias_text, who.alias_person, strict=True))
    genders = [who.gender[person_of[r[0]]] if r[0] in person_of else None for r in rows]
    assert by_step.loc["received", "women"] == genders.count("women")
    taken = [genders[i - 1] for i in numbers]
    assert by_step.loc["excluded", "men"] == taken.count("men")


ZERO_DAY = datetime.date(2019, 3, 1)


@pytest.mark.parametrize(
    ("rows", "step", "reason"),
    [
        ([("p0", "2019-02-01", "2019-01-01", "31")], "excluded", "ends before it starts"),
        ([("p0", "2020-02-01", "", "31")], "excluded", "after the extract date"),
        (
            [("p0", "2018-02-01", "2018-03-01", "31")],
            "excluded",
            "before what the register covers",
        ),
        ([("p0", "2019-02-30", "", "31")], "excluded", "unreadable date"),
        ([("p0", "2019-02-01", "soon", "31")], "excluded", "unreadable date"),
        ([("p0", "", "2019-02-01", "31")], "excluded", "start missing"),
        ([("p0", "2019-02-01", "", ".")], "excluded", "state missing"),
        ([("", "2019-02-01", "", "31")], "excluded", "person key missing"),
        ([("x", "2019-02-01", "", "31")], "excluded", "person not among the participants"),
        ([("p1", "2019-02-01", "", "31")], "excluded", "person excluded from the study"),
        ([("p0", "2019-02-01", "2019-03-01", "31")] * 2, "excluded", "exact duplicate"),
        (
            [("p0", "2019-02-01", "2019-03-01", "31"), ("p0", "2019-02-05", "2019-02-09", "11")],
            "excluded",
            "all days in spells that take precedence",
        ),
        (
            [("p0", "2019-02-01", "2019-03-01", "31"), ("p0", "2019-02-05", "2019-03-09", "11")],
            "noted",
            "overlaps a spell that takes precedence: shortened",
        ),
        ([("p0", "2018-02-01", "2019-03-01", "31")], "noted",
         "begins before what the register covers: cut"),
        ([("p0", "2019-02-01", "2020-03-01", "31")], "noted",
         "ends after the extract date: cut"),
        ([("p0", "2019-02-01", "", "31")], "noted", "no end: closed at the extract date"),
        ([("p0", "2019-02-01", "9999-12-31", "31")], "noted",
         "no end: closed at the extract date"),
        ([("p0", "2019-02-01", "", "31"), ("p0", "2019-05-01", "2019-06-01", "11")], "noted",
         "no end: closed at the next entry"),
        ([("p0", "2019-02-01", "2019-03-01", "77")], "noted", "code in no named state"),
    ],
)  # fmt: skip
def test_each_fault_alone_is_counted_once(tmp_path, rows, step, reason):
    rows = [*rows, ("p2", "2019-03-01", "2019-04-01", "31")]
    who = people([ZERO_DAY] * 3, [True, False, True])
    result = run(tmp_path, rows, who)
    told = result.tally.cleaning
    found = told[told["step"].isin(["excluded", "noted"])]
    assert found[["step", "reason", "n"]].to_numpy().tolist() == [[step, reason, 1]]
    reconciles(result, rows, who)


def test_spells_of_which_nothing_can_be_said_stop_the_run(tmp_path):
    nobody = [("", "2019-02-01", "", "31"), ("x", "2019-02-01", "2019-03-01", "31")]
    with pytest.raises(DataError, match=r"none of 2 rows can be used: 1 row person key missing; "):
        run(tmp_path, nobody, people([ZERO_DAY]))
    with pytest.raises(Problems, match=r"no usable row has a code of outcomes.at \(31\)"):
        run(tmp_path, [("p0", "2019-02-01", "2019-03-01", "11")], people([ZERO_DAY]))
    many = [("p0", f"{i} February", "2019-03-01", "31") for i in range(9)]
    with pytest.raises(DataError, match=r"9 rows of 11 with unreadable date. Declare"):
        run(
            tmp_path,
            [("p0", "2019-02-01", "2019-03-01", "31"), *many, ("p0", "2019-04-01", "", "31")],
            people([ZERO_DAY]),
        )


def test_weights_make_the_shares_and_not_the_counts(tmp_path):
    rows = [("p0", "2019-03-01", "2019-06-01", "31"), ("p2", "2019-03-01", "2019-06-01", "11")]
    states = run(tmp_path, rows, people([ZERO_DAY] * 3), weight=np.array([3.0, 5.0, 1.0])).states
    found = states[(states["month"] == 1) & (states["arm"] == "0") & (states["group"] == "all")]
    assert found.set_index("state")["share"]["work"] == pytest.approx(0.75)
    assert (found["n"] == 2).all()


def test_months_after_the_extract_date_are_missing_and_not_zero(tmp_path):
    late = datetime.date(2019, 10, 15)
    result = table(run(tmp_path, [("p0", "2019-10-20", "", "31")], people([late])))
    assert [result[f"at@{m}"] for m in (0, 1, 2, 3)] == [[0], [1], [1], [None]]
    assert [result[f"wait@{m}"] for m in (1, 3)] == [[5], [None]]


def test_shares_of_states_add_up_to_one_and_the_gap_to_nought(tmp_path):
    rows = [
        ("p0", "2019-03-01", "2019-06-01", "31"),
        ("p1", "2019-03-01", "2019-06-01", "41"),
        ("p3", "2019-03-01", "2019-08-01", "77"),
        ("p3", "2019-04-01", "2019-05-01", "11"),
    ]
    states = run(tmp_path, rows, people([ZERO_DAY] * 6)).states
    states = states[states["n"] > 0]
    sums = states.groupby(["month", "arm", "group"])["share"].sum()
    gap = sums.index.get_level_values("group") == "women-men"
    assert np.allclose(sums[~gap], 1)
    assert np.allclose(sums[gap], 0)
    month = states[(states["month"] == 3) & (states["group"] == "all")].set_index(["arm", "state"])[
        "share"
    ]
    assert month["0", "work"] == pytest.approx(1 / 3)
    assert month["1", "subsidised"] == pytest.approx(1 / 3)
    assert month["1", "other"] == pytest.approx(1 / 3)
    assert month["1", "none"] == pytest.approx(1 / 3)
