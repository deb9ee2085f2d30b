"""The cleaning finds what was planted: each decision counts the rows, and the truth comes out."""

import contextlib

import numpy as np
import pytest

from data.simulated.raw import text
from evaluate.data.clean import prepare, read_tables
from evaluate.data.codebook import load_codebook
from evaluate.data.identity_numbers import identity_like
from evaluate.data.readers.stream import open_stream
from evaluate.data.registers.activities import activity_dose
from evaluate.data.registers.decisions import people_table
from evaluate.data.registers.engine import engine
from evaluate.data.registers.incomes import income_months
from evaluate.data.registers.spells import spell_months
from evaluate.data.simulated.study import study
from evaluate.errors import EvaluateError
from evaluate.notes import reason
from evaluate.plan.load import load_plan

PERSONS, SEED = 3_625, 7
BOOKS = {"spells": "simulated_states", "activities": "simulated_activities"}


def run(made):
    """Clean the tables of a study: the persons, and what came of each linked table."""
    with contextlib.chdir(made.directory):
        plan = load_plan(made.plan.relative_to(made.directory))
        persons = prepare(read_tables(plan), plan)
        found = {}
        with engine("engine") as connection:
            people_table(connection, persons.people)
            for name, clean in (("spells", spell_months), ("activities", activity_dose)):
                stream = open_stream(plan.data.tables[name], name)
                book = load_codebook(BOOKS[name])
                found[name] = clean(connection, stream.batches, plan, persons.people, book)
            stream = open_stream(plan.data.incomes, "incomes")
            found["incomes"] = income_months(connection, stream.batches, plan, persons.people)
    return persons, found


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Give a study without faults, cleaned."""
    made = study(tmp_path_factory.mktemp("sound"), PERSONS, SEED)
    return made, *run(made)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Give the same study with every fault that is counted, cleaned."""
    made = study(tmp_path_factory.mktemp("faulty"), PERSONS, SEED, "counted")
    return made, *run(made)


def counts(persons, found, table):
    """Return rows by reason."""
    if table == "persons":
        rows = persons.flow.table
        return dict(zip(rows["reason"], rows["n"], strict=True))
    tables = {name: result.tally.cleaning for name, result in found.items()}
    rows = tables.get(table, persons.cleaning[persons.cleaning["table"] == table])
    return dict(zip(rows["reason"], rows["n"], strict=True))


UNREADABLE = {"persons": reason("no_day_missing", column="born"),
              "incomes": reason("unreadable_period")}  # fmt: skip
FIRST, LAST = reason("before_coverage"), reason("after_extract")
REASONS = {
    "duplicates": lambda table: reason("duplicate"),
    "overlaps": lambda table: reason("covered"),
    "negative_lengths": lambda table: reason("negative"),
    "open_ends": lambda table: reason("closed_next"),
    "before_coverage": lambda table: reason("first_period") if table == "incomes" else FIRST,
    "after_extract": lambda table: reason("last_period") if table == "incomes" else LAST,
    "impossible_ages": lambda table: reason("age", low=16, high=100),
    "two_arms": lambda table: reason("several_arms"),
    "later_offers": lambda table: reason("later_offer"),
    "early_activities": lambda table: reason("before_offer"),
    "unknown_codes": lambda table: reason("code_unknown", column="education",
                                          book="education_sun2000")
    if table == "persons" else reason("unknown_code", book=BOOKS[table]),
    "expired_codes": lambda table: reason("outside_period", book=BOOKS[table]),
    "unknown_persons": lambda table: reason("not_participant"),
    "missing_keys": lambda table: reason("no_key"),
    "unreadable_dates": lambda table: UNREADABLE.get(table, reason("unreadable_day")),
    "key_conflicts": lambda table: reason("key_conflict"),
    "key_cycles": lambda table: reason("key_circle"),
    "missing_gender": lambda table: reason("missing", column="sex"),
    "unreadable_amounts": lambda table: reason("not_number", column="amount"),
}  # fmt: skip


def test_every_fault_is_counted_as_often_as_it_was_planted(sound, faulty):
    made, persons, found = faulty
    planted = made.extract.truth.planted
    assert len(planted) == 45
    wrong = {}
    for site, number in planted.items():
        kind, table = site.split(":")
        why = REASONS[kind](table)
        before = counts(*sound[1:], table).get(why, 0)
        counted = counts(persons, found, table).get(why, 0) - before
        assert number > 0
        if counted != number:
            wrong[site] = (number, counted)
    assert wrong == {}


def test_without_faults_nothing_is_decided_but_what_the_plan_excludes(sound):
    made, persons, found = sound
    kept = int(persons.flow.kept.sum())
    assert kept == made.extract.truth.counted
    assert set(counts(persons, found, "keys")) == {""}
    assert set(counts(persons, found, "assignment")) == {""}
    left_out = {"", reason("person_excluded")}
    assert set(counts(persons, found, "spells")) == left_out | {reason("closed_extract")}
    assert set(counts(persons, found, "activities")) == left_out
    assert set(counts(persons, found, "incomes")) == left_out | {reason("missing", column="amount")}


@pytest.mark.parametrize("name", ["sound", "faulty"])
def test_rows_received_are_those_excluded_and_those_kept(name, request):
    made, _, found = request.getfixturevalue(name)
    for table, result in found.items():
        rows = result.tally.cleaning
        of = {step: int(rows.loc[rows["step"] == step, "n"].sum()) for step in rows["step"]}
        assert of["received"] == made.extract.rows[table]
        assert of["received"] == of.get("excluded", 0) + of["kept"]
        assert len(result.tally.quarantine) == of.get("excluded", 0)


@pytest.mark.parametrize("month", [1, 6, 12, 18])
@pytest.mark.parametrize(("outcome", "measure"), [
    ("work", "work"), ("registered", "registered"), ("work_months", "work_months"),
    ("entered", "entered"), ("income", "income"),
])  # fmt: skip
def test_the_means_are_those_of_the_potential_outcomes(sound, outcome, measure, month):
    """The mean of each arm estimates the mean of one of both paths over everyone observed."""
    made, persons, found = sound
    results = found["incomes" if outcome == "income" else "spells"]
    values = results.columns[f"{outcome}@{month}"]
    values = np.asarray(values if outcome == "income" else values.to_pandas(), dtype=float)
    arm = persons.people.arm[persons.people.kept]
    seen = ~np.isnan(values)
    truth = made.extract.truth.effects.set_index(["outcome", "month", "group"])
    row = truth.loc[(measure, month, "all")]
    if outcome != "income":  # an amount may be missing beside the months not observed
        assert seen.sum() == row["n"]
    for code, mean in (("0", row["without"]), ("1", row["without"] + row["effect"])):
        of_arm = values[seen & (arm == code)]
        error = of_arm.std() / np.sqrt(len(of_arm))
        assert of_arm.mean() == pytest.approx(mean, abs=4 * error + 1e-9)


def test_the_dose_is_that_of_the_rates(sound):
    made, _, found = sound
    known = made.extract.truth.dose.set_index(["kind", "month", "arm", "group"])["mean"]
    rows = found["activities"].table
    rows = rows[rows["kind"] != "all"]
    for row in rows.itertuples():
        mean = known[(row.kind, row.month, row.arm, row.group)]
        assert row.mean == pytest.approx(mean, abs=4.5 * row.std_error + 0.02)


STOPPING = [
    "truncated:persons", "truncated:assignment", "truncated:spells", "truncated:activities",
    "truncated:incomes", "new_header:persons", "new_header:assignment", "new_header:spells",
    "new_header:activities", "new_header:incomes", "mixed_encoding:persons",
    "mixed_encoding:assignment", "uneven_rows:persons", "uneven_rows:assignment",
    "uneven_rows:spells", "uneven_rows:activities", "uneven_rows:incomes",
]  # fmt: skip


@pytest.mark.parametrize("fault", STOPPING)
def test_a_fault_that_must_stop_a_run_does(tmp_path, fault):
    made = study(tmp_path, 400, faults=(fault,))
    with pytest.raises(EvaluateError) as told:
        run(made)
    assert f"{fault.split(':')[1]}.csv" in str(told.value)
    assert not [word for word in ("SIM0", "TMP0") if word in str(told.value)]


def test_the_planted_identity_numbers_are_known_for_what_they_are(tmp_path):
    made = study(tmp_path, 400, faults=("identity_numbers",))
    remarks = text(made.raw, "persons")["remark"]
    assert identity_like(remarks).sum() == made.extract.truth.planted["identity_numbers:persons"]
