"""Cleaning: each fault of the data is handled and counted, or named; all of them at once."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from data.extract import FILE, cleaned, people, plan, prepared, write
from evaluate.data.clean import clean, finish, prepare, read_tables
from evaluate.data.readers.read import read_table
from evaluate.errors import Problems
from evaluate.schemas import FLOW, OUTCOMES, PARTICIPANTS, QUARANTINE


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


def changed(row, n=16, **values):
    """Return people of whom one has other values."""
    rows = people(n)
    rows[row] |= values
    return rows


def count(study, step, reason=""):
    flow = study.flow
    return int(flow.loc[(flow["step"] == step) & (flow["reason"] == reason), "n"].sum())


def faults(path, rows, **sections):
    with pytest.raises(Problems) as error:
        cleaned(path, rows, **sections)
    where = f"{path}: column "
    return [problem.removeprefix(where) for problem in error.value.problems]


def test_a_clean_extract_passes_whole(path):
    study = cleaned(path, people())
    assert_array_equal(study.participants["source_row"], np.arange(1, 17))
    assert_array_equal(study.outcomes["earn"], 1000 + 37.5 * np.arange(16))
    assert study.outcomes["work"].sum() == 6
    assert study.quarantine.empty
    for table, schema in zip(
        (study.participants, study.outcomes, study.flow, study.quarantine),
        (PARTICIPANTS, OUTCOMES, FLOW, QUARANTINE),
        strict=True,
    ):
        schema.validate(table)


HANDLED = {
    "exact duplicate": (people() + people()[:2], {}, "excluded", "exact duplicate", 2, 16),
    "no key": (changed(3, id=""), {}, "excluded", "person key missing", 1, 15),
    "no keys": ([r | {"id": ""} if i < 3 else r for i, r in enumerate(people())], {},
                "excluded", "person key missing", 3, 13),
    "no key, repeated": (people() + [people()[0] | {"id": ""}] * 2, {},
                         "excluded", "person key missing", 2, 16),
    "no arm": (changed(3, arm="NA"), {}, "excluded", "arm missing", 1, 15),
    "no gender": (changed(3, kön=""), {}, "noted", "kön missing", 1, 16),
    "not eligible": (people(), {"eligibility": ["ålder >= 24"]},
                     "excluded", "not met: ålder >= 24", 4, 12),
    "eligible unknown": (changed(3, ålder=""), {"eligibility": ["ålder >= 0"]},
                         "excluded", "ålder >= 0: value missing", 1, 15),
    "no block": (people(ort="A")[:8] + people(ort="")[8:9] + people(ort="B")[9:],
                 {"columns": {"blocks": ["ort"]}}, "excluded", "ort missing", 1, 15),
    "no covariate, dropped": (changed(3, ålder=""),
                              {"analysis": {"missing_covariates": "drop"}},
                              "excluded", "ålder missing", 1, 15),
    "no covariate, imputed": (changed(3, ålder=""), {}, "excluded", "ålder missing", 0, 16),
    "infinite outcome": (changed(3, lön="inf"), {},
                         "noted", "lön infinite, taken as missing", 1, 16),
    "infinite covariate": (changed(3, ålder="-inf"), {},
                           "noted", "ålder infinite, taken as missing", 1, 16),
    "NaN outcome": (changed(3, lön="NaN"), {}, "analysed", "earn", 15, 16),
    "no take-up": ([*people(15, kom="1"), people(16, kom="")[15]],
                   {"columns": {"takeup": {"column": "kom", "taken": 1}}},
                   "noted", "kom missing", 1, 16),
    "constant month": ([r | {"e1": "0", "e2": str(i)} for i, r in enumerate(people())],
                       {"outcomes": {"e": {"columns": {1: "e1", 2: "e2"}, "unit": "x"}}},
                       "analysed", "e@1", 16, 16),
}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "sections", "step", "reason", "n", "included"), HANDLED.values(), ids=HANDLED
)
def test_what_is_handled_is_counted(path, rows, sections, step, reason, n, included):
    study = cleaned(path, rows, **sections)
    assert count(study, step, reason) == n
    assert count(study, "included") == included == len(study.participants)


NAMED = {
    "unexpected arm": (changed(3, arm="7"), {"columns": {"treatment": {
        "column": "arm", "control": 0, "arms": [1]}}},
        "arm (columns.treatment): 1 row with a value that is neither control nor an arm. "
        "The plan names 0, 1."),
    "arms left out": (changed(3, arm="7"), {},
                      "arm (columns.treatment): 2 different values beside control `0`"),
    "arm without persons": (people(), {"columns": {"treatment": {
        "column": "arm", "control": 0, "arms": [1, 2]}}}, "arm: nobody has arm `2` among the 16"),
    "one arm": (people(16, arm="0"), {}, "arm (columns.treatment): nobody has another value"),
    "no control": (people(16, arm="1"), {}, "arm (columns.treatment): nobody has the value of con"),
    "arm gone after eligibility": (people(4), {"eligibility": ["ålder < 22"]},
                                   "arm: nobody has arm `1` among the 2 rows"),
    "gender unknown": (changed(3, kön="X"), {},
                       "kön (columns.gender): 1 row with a value that is neither women (`K`) nor "
                       "men (`M`)"),
    "no women": ([r | {"kön": "M"} for r in people()], {},
                 "kön: no women among the 16 rows that the decisions of the plan leave. For a "
                 "programme with men only, write `gender: men`"),
    "men gone after eligibility": (people(), {"eligibility": ['kön == "K"']}, "kön: no men among"),
    "differing duplicates": ([*people(), people()[0] | {"lön": "1"}], {},
                             "id: 1 person has several rows that differ, 2 rows in all"),
    "constant outcome": (people(16, lön="5"), {},
                         "lön (outcomes.earn): the same value in all 16 rows"),
    "missing outcome": (people(16, lön=""), {},
                        "lön (outcomes.earn): no value in any of 16 rows"),
    "text in an outcome": (changed(3, lön="ej känt"), {}, "lön: 1 row with a text that is not a n"),
    "ambiguous comma": ([r | {"lön": f"{i},{i + 100}"} for i, r in enumerate(people(), 1)], {},
                        "lön: the comma may be a decimal mark or a mark of thousands"),
    "event of nobody": (people(), {"outcomes": {"work": {
        "column": "arbete", "event": "JA", "unit": "share"}}},
        "arbete: no row has `JA`, which the plan names as `event`"),
    "take-up of nobody": (people(16, kom="nej"), {"columns": {"takeup": {
        "column": "kom", "taken": "ja"}}}, "kom: no row has `ja`, which the plan names as `taken`"),
    "share above one": ([r | {"d": str(i)} for i, r in enumerate(people())],
                        {"outcomes": {"d": {"column": "d", "unit": "share"}}},
                        "d: 14 rows below 0 or above 1, but the unit is share"),
    "share below zero": ([r | {"d": "-1" if i else "1"} for i, r in enumerate(people())],
                         {"outcomes": {"d": {"column": "d", "unit": "share"}}},
                         "d: 15 rows below 0 or above 1"),
    "logarithm of zero": (changed(3, lön="0"), {"outcomes": {"earn": {
        "column": "lön", "unit": "log SEK", "transform": "log"}}},
        "lön: 1 row at or below 0, which has no logarithm"),
    "weight zero": ([*people(15, w="1"), people(16, w="0")[15]], {"columns": {"weight": "w"}},
                    "w: 1 row missing, or not above 0 and finite (columns.weight). Give every"),
    "weight missing": ([*people(15, w="1"), people(16, w="")[15]], {"columns": {"weight": "w"}},
                       "w: 1 row missing, or not above 0 and finite (columns.weight). Give"),
    "weight infinite": ([*people(15, w="1"), people(16, w="inf")[15]],
                        {"columns": {"weight": "w"}}, "w: 1 row missing, or not above 0 and fin"),
    "weight too large": ([*people(15, w="1"), people(16, w="1e200")[15]],
                         {"columns": {"weight": "w"}},
                         "w: 1 row with a number beyond 1e+150, too large to compute with "
                         "(columns.weight). Is it a code for missing? Leave these cells empty"),
    "covariate too large": ([*people(14, x="1"), *people(16, x="-9e150")[14:]],
                            {"covariates": ["x"]},
                            "x: 2 rows with a number beyond 1e+150, too large to compute with "
                            "(covariates). Is it a code for missing?"),
    "baseline too large": ([*people(15, x="1"), people(16, x="1e151")[15]],
                           {"outcomes": {"earn": {
                               "column": "lön", "baseline": "x", "unit": "SEK"}}},
                           "x: 1 row with a number beyond 1e+150, too large to compute with "
                           "(outcomes.earn.baseline)."),
    "cost too large": ([*people(15, x="1"), people(16, x="1e151")[15]],
                       {"costs": {"currency": "SEK", "price_year": 2020, "column": "x",
                                  "outcomes": ["earn"]}},
                       "x: 1 row with a number beyond 1e+150, too large to compute with (costs"),
    "weight a text": ([*people(15, w="1"), people(16, w="x")[15]], {"columns": {"weight": "w"}},
                      "w: 1 row with a text that is not a number"),
    "share offered of one": (people(16, p="1"), {"assignment": {"share": {"column": "p"}}},
                             "p: 16 rows missing, or not above 0 and below 1 (assignment)"),
    "share of no arm": (people(), {"assignment": {"share": {"9": 0.7}}},
                        "assignment.share: `9` is no arm (1); name the share of each arm."),
    "text as covariate": ([r | {"t": f"t{i}"} for i, r in enumerate(people(60))],
                         {"covariates": ["t"]}, "t: 60 different texts; a categori"),
    "text among numbers": (changed(3, ålder="okänd"), {},
                           "ålder: 1 row with a text, but most rows have a number. Mend the data, "
                           "or write `{column: ålder, kind: categorical}`"),
    "text in a numeric covariate": (changed(3, ålder="okänd"), {"covariates": [
        {"column": "ålder", "kind": "numeric"}]}, "ålder: 1 row with a text that is not a number"),
    "group of one": (people(16, g="1"), {"groups": ["g"]}, "g: 1 different values; groups need 2"),
    "group of thirteen": ([r | {"g": str(i % 13)} for i, r in enumerate(people(26))],
                          {"groups": ["g"]}, "g: 13 different values; groups need 2 to 12"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "sections", "said"), NAMED.values(), ids=NAMED)
def test_what_cannot_be_handled_is_named_once(path, rows, sections, said):
    (fault,) = faults(path, rows, **sections)
    assert fault.startswith(said)
    assert fault.endswith((".", "?"))


def test_twelve_groups_are_enough_and_allowed(path):
    rows = [r | {"g": str(i % 12)} for i, r in enumerate(people(24))]
    assert cleaned(path, rows, groups=["g"]).participants["group.g"].nunique() == 12


def test_faults_of_all_kinds_come_at_once(path):
    rows = [*people(w="0"), people(w="0")[5] | {"lön": "1"}]
    rows[0] |= {"arm": "9"}
    rows[1] |= {"kön": "?"}
    rows[2] |= {"ålder": "okänd"}
    found = faults(
        path,
        rows,
        columns={"weight": "w"},
        outcomes={"const": {"column": "w", "unit": "x"}, "text": {"column": "id", "unit": "x"}},
        groups=["w"],
    )
    named = [fault.split(":")[0].split()[0] for fault in found]
    assert sorted(named) == sorted(["arm", "kön", "id", "w", "w", "ålder", "id"])


def test_missing_columns_and_criteria_come_at_once(path):
    found = faults(
        path,
        people(),
        columns={"weight": "vikt", "blocks": ["ort"]},
        covariates=["alder", "ARM"],
        outcomes={"earn": {"columns": {1: "lon", 2: "lön2"}, "unit": "x", "baseline": "lön0"}},
        groups=["grupp"],
        eligibility=["inkomst > 0", "f(x)"],
        costs={"currency": "SEK", "price_year": 2020, "column": "kostnad", "outcomes": ["work"]},
    )
    text = "\n".join(found)
    for key in ("columns.blocks", "columns.weight", "eligibility", "covariates", "outcomes.earn",
                "outcomes.earn.baseline", "groups", "costs.column"):  # fmt: skip
        assert f"({key})" in text
    for near in ("ålder", "arm", "lön"):
        assert f"Did you mean `{near}`?" in text
    assert "`f(x)` goes beyond" in text


@pytest.mark.parametrize("wrong", ["header", "delimiter"])
def test_a_file_that_is_not_the_planned_one_gives_one_message(path, wrong):
    made = plan(path, file={"delimiter": "|"} if wrong == "delimiter" else {})
    write(path, people(), header=wrong != "header")
    with pytest.raises(Problems) as error:
        clean(read_table(made.data.participants), made)
    assert len(error.value.problems) == 1
    assert "Is it the right file, its first line the header, the delimiter right?" in str(
        error.value
    )


def test_a_header_in_capitals_is_recognised(path):
    rows = [{name.upper(): value for name, value in row.items()} for row in people()]
    with pytest.raises(Problems, match=r"no column `kön` .* Did you mean `KÖN`\?"):
        cleaned(path, rows)


def test_nobody_left_is_said_without_the_faults_that_follow(path):
    found = faults(path, people(16, g="1"), eligibility=["ålder > 200"], groups=["g"])
    assert all("among the 0 rows" in fault for fault in found)
    assert all("(excluded: not met: ålder > 200 (16 rows))" in fault for fault in found)


def test_gender_missing_is_kept_in_all_alone(path):
    study = cleaned(path, changed(3, kön=""))
    included = study.flow[study.flow["step"] == "included"].iloc[0]
    assert (included["n"], included["women"], included["men"]) == (16, 8, 7)
    assert study.participants["gender"].isna().sum() == 1


@pytest.mark.parametrize(("gender", "other"), [("women", "men"), ("men", "women")])
def test_a_programme_for_one_gender_has_no_column_of_the_other(path, gender, other):
    study = cleaned(path, people(), columns={"gender": gender})
    assert (study.participants["gender"] == gender).all()
    assert study.flow[other].isna().all()
    assert (study.flow[gender] == study.flow["n"]).all()


def test_without_gender_nobody_has_one(path):
    study = cleaned(path, people(), columns={"gender": None})
    assert study.participants["gender"].isna().all()
    assert study.flow[["women", "men"]].isna().all(axis=None)


def test_without_a_key_rows_are_persons(path):
    rows = people() + people()[:2]
    study = cleaned(path, rows, columns={"person": None})
    assert count(study, "included") == 18


@pytest.mark.parametrize(
    ("control", "no", "yes"), [("no", "no", "yes"), ("nej", "nej", "ja"), (0, "0.0", "1,0")]
)
def test_codes_are_met_as_the_data_spell_them(path, control, no, yes):
    rows = [r | {"arm": yes if r["arm"] == "1" else no} for r in people()]
    study = cleaned(path, rows, columns={"treatment": {"column": "arm", "control": control}})
    assert study.participants["arm"].value_counts().to_list() == [8, 8]


def test_an_extract_from_a_swedish_spreadsheet_is_read_as_it_is(path):
    lines = ["sep=;", '"Löpnr";Kön;Ålder vid start;"Lön\u00a0(kr/mån)";Beslut;Insats;;']
    for i in range(16):
        pay = f"{i + 1}\u00a0{200 + i},50" if i else "#SAKNAS!"
        day = f"2019-0{1 + i % 2}-31"
        lines.append(f"{i:03d};{'KM'[i % 2]};{20 + i};{pay};{day};{'ja' if i % 4 > 1 else 'nej'};;")
    lines += [";" * 7] * 3 + ["", ""]
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    made = plan(
        path,
        columns={
            "person": "Löpnr",
            "gender": {"column": "Kön", "women": "K", "men": "M"},
            "treatment": {"column": "Insats", "control": "nej"},
        },
        outcomes={
            "earn": {"column": "Lön (kr/mån)", "unit": "SEK"},
            "work": {"column": "Beslut", "event": "2019-01-31", "unit": "share"},
        },
        covariates=["Ålder vid start", "Kön"],
        eligibility=["`Ålder vid start` < 36"],
    )
    study = clean(read_table(made.data.participants), made)
    assert len(study.participants) == 16
    assert study.outcomes["earn"].to_list()[1:3] == [2201.5, 3202.5]
    assert study.outcomes["earn"].isna().sum() == 1
    assert study.outcomes["work"].sum() == 8
    assert study.participants["arm"].value_counts().to_dict() == {"nej": 8, "ja": 8}


def test_values_reach_their_columns(path):
    rows = [
        r | {"w": f"{i + 1}", "p": "0,5", "k": f"{i} 000,50", "ort": "AB"[i % 2], "lön0": str(i)}
        for i, r in enumerate(people())
    ]
    study = cleaned(
        path,
        rows,
        columns={"weight": "w", "blocks": ["ort", "kön"]},
        assignment={"share": {"column": "p"}},
        outcomes={"earn": {"column": "lön", "baseline": "lön0", "unit": "SEK"}},
        costs={"currency": "SEK", "price_year": 2020, "column": "k", "outcomes": ["work"]},
        groups=["ort"],
    )
    table = study.participants
    assert_array_equal(table["weight"], np.arange(1, 17))
    assert_array_equal(table["share"], 0.5)
    assert_array_equal(table["cost"], 1000 * np.arange(16) + 0.5)
    assert_array_equal(table["baseline.earn"], np.arange(16))
    assert table["block"][1] == "ort=B,kön=M"
    assert table["group.ort"].to_list() == ["A", "B"] * 8
    assert "id" not in table


REGISTERS = {
    "columns": {"offered": "dag"},
    "data": {"spells": {"path": "s.csv", "extract_date": "2022-12-31"},
             "incomes": {"path": "i.csv", "extract_date": "2022-12-31"}},
    "outcomes": {
        "hours": {"column": "h", "unit": "hours"},
        "pay": {"incomes": "lön", "months": [1, 2], "unit": "SEK"},
        "job": {"spells": [1], "months": [0, 2], "unit": "share", "role": "primary"},
    },
}  # fmt: skip
OFFERED = [r | {"dag": "2020-03-02", "h": str(i)} for i, r in enumerate(people())]
LINKED = ("pay@1", "pay@2", "job@0", "job@1", "job@2")


def linked(missing=()):
    """Return what registers might say of the 15 persons left; some columns are never observed."""
    found = {name: np.arange(15) / (15 if "job" in name else 1) for name in LINKED}
    found["job@2"][:3] = np.nan
    found["job@1"][4] = np.nan
    return found | {name: np.full(15, np.nan) for name in missing}


@pytest.mark.parametrize(
    ("primary", "followed", "n"), [({}, "job@2", 12), ({"primary_month": 1}, "job@1", 14)]
)
def test_outcomes_of_linked_tables_take_their_places(path, primary, followed, n):
    outcomes = REGISTERS["outcomes"] | {"job": REGISTERS["outcomes"]["job"] | primary}
    made = plan(write(path, [*OFFERED[:3], OFFERED[3] | {"arm": ""}, *OFFERED[4:]]),
                **{**REGISTERS, "outcomes": outcomes})  # fmt: skip
    people_kept = prepare(read_tables(made), made)
    assert list(people_kept.outcomes) == ["earn", "work", "hours"]
    before = people_kept.flow.table
    study = finish(people_kept, linked(), made)
    assert list(study.outcomes) == ["earn", "work", "hours", *LINKED]
    assert_array_equal(study.outcomes["hours"], [i for i in range(16) if i != 3])
    assert_array_equal(study.outcomes["pay@2"], np.arange(15))
    OUTCOMES.validate(study.outcomes)
    FLOW.validate(study.flow)
    assert count(study, "followed", followed) == count(study, "analysed", followed) == n
    assert (study.flow["step"] == "followed").sum() == 1
    assert count(study, "analysed", "pay@1") == 15
    assert people_kept.flow.table.equals(before)
    assert finish(people_kept, linked(), made).flow.equals(study.flow)


def test_an_outcome_that_is_never_observed_is_named(path):
    made = plan(write(path, OFFERED[:15]), **REGISTERS)
    people_kept = prepare(read_tables(made), made)
    finish(people_kept, linked(missing=["job@2", "job@1"]), made)  # one month is enough
    with pytest.raises(Problems, match=r"outcomes\.pay: none of its months is observed") as error:
        finish(people_kept, linked(missing=["pay@1", "pay@2"]), made)
    assert len(error.value.problems) == 1


def test_a_study_without_linked_outcomes_has_nobody_to_follow(path):
    assert "followed" not in set(cleaned(path, people()).flow["step"])


def test_persons_are_handed_on_as_they_were_received(path):
    rows = changed(3, arm="")
    rows[5] |= {"kön": ""}
    found = prepared(path, [*rows, rows[0]])
    assert_array_equal(found.people.source_row, np.arange(1, 18))
    assert_array_equal(found.people.kept, [i not in (3, 16) for i in range(17)])
    assert found.people.arm[2:5].tolist() == ["1", None, "0"]
    assert found.people.gender[4:7].tolist() == ["women", None, "women"]
    assert_array_equal(found.people.alias_text, [f"p{i}" for i in range(16)])
    assert_array_equal(found.people.alias_person, np.arange(16))
    assert found.key.to_list() == [f"p{i}" for i in [*range(16), 0]]
    assert found.participants["person"].isna().all()
    assert found.cleaning.empty


def test_all_files_that_cannot_be_read_are_named(path):
    made = plan(path, data={"assignment": {"path": str(path.parent / "a.csv")}})
    with pytest.raises(Problems) as error:
        read_tables(made)
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("value", ["1e149", "-1e149", "1e150"])
def test_a_covariate_whose_square_is_a_number_is_taken(path, value):
    rows = [r | {"x": value if i == 3 else str(i)} for i, r in enumerate(people())]
    assert len(cleaned(path, rows, covariates=["x"]).participants) == 16


def test_a_number_too_large_in_a_row_that_is_left_out_is_none_of_the_study(path):
    rows = [r | {"x": str(i)} for i, r in enumerate(people())]
    rows[3] |= {"x": "1e200", "ålder": "12"}
    study = cleaned(path, rows, covariates=["x"], eligibility=["ålder >= 18"])
    assert len(study.participants) == 15
