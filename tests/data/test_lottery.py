"""The recorded rule of the lottery: probabilities recomputed, and who was in no lottery."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from data.extract import FILE, cleaned, people
from evaluate.errors import Problems
from evaluate.schemas import PARTICIPANTS

NONE = "no lottery: the probability of the offer is 0 or 1"
BLOCKS = {"columns": {"blocks": ["ort"]}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


def towns(sizes=(6, 10), **values):
    """Return persons of two towns, the first of ``sizes`` in A; half of each have the offer."""
    town = ["A"] * sizes[0] + ["B"] * sizes[1]
    return [
        r | {"ort": t, **{k: v[t] if isinstance(v, dict) else v for k, v in values.items()}}
        for r, t in zip(people(sum(sizes)), town, strict=True)
    ]


def with_rule(path, rows, rule, blocks=True, **sections):
    columns = sections.pop("columns", {}) | ({"blocks": ["ort"]} if blocks else {})
    assignment = {"rule": rule} | sections.pop("assignment", {})
    return cleaned(path, rows, columns=columns, assignment=assignment, **sections)


def problems(path, rows, rule, **sections):
    with pytest.raises(Problems) as error:
        with_rule(path, rows, rule, **sections)
    return error.value.problems


def test_places_among_those_in_the_cell_give_the_probability(path):
    study = with_rule(path, towns(n={"A": "2", "B": "5"}), {"places": "n"})
    table = study.participants
    assert_allclose(table["share"], [2 / 6] * 6 + [5 / 10] * 10)
    assert_allclose(table["lottery.probability"], table["share"])
    assert_allclose(table["lottery.eligible"], [6] * 6 + [10] * 10)
    assert table["lottery.cell"].tolist() == ["ort=A"] * 6 + ["ort=B"] * 10
    PARTICIPANTS.validate(table)


def test_one_number_of_places_holds_in_every_cell(path):
    assert_allclose(
        with_rule(path, towns(), {"places": 3}).participants["share"], [3 / 6] * 6 + [3 / 10] * 10
    )
    whole = with_rule(path, towns(), {"places": 4}, blocks=False)
    assert_allclose(whole.participants["share"], 4 / 16)


def test_places_of_several_arms_add_up(path):
    rows = [r | {"arm": str(i % 3)} for i, r in enumerate(towns(a="2", b="1"))]
    treatment = {"column": "arm", "control": 0, "arms": [1, 2]}
    study = with_rule(path, rows, {"places": {1: "a", 2: "b"}}, columns={"treatment": treatment})
    assert_allclose(study.participants["share"], [3 / 6] * 6 + [3 / 10] * 10)


def test_those_left_out_before_the_lottery_are_not_counted_and_those_after_are(path):
    rows = towns()
    rows[0]["ålder"], rows[9]["lön"] = "12", ""
    rows[15]["ålder"] = ""
    analysis = {"missing_covariates": "drop"}
    study = with_rule(path, rows, {"places": 2}, analysis=analysis,
                      eligibility=["arm in [0, 1]", "id != 'p0'"])  # fmt: skip
    assert len(study.participants) == 14
    assert_allclose(study.participants["share"], [2 / 5] * 5 + [2 / 10] * 9)


def test_a_recorded_number_in_the_lottery_goes_before_a_count(path):
    rows = towns(n="2", m={"A": "8", "B": "40"})
    study = with_rule(path, rows, {"places": "n", "eligible": "m"})
    assert_allclose(study.participants["share"], [2 / 8] * 6 + [2 / 40] * 10)


@pytest.mark.parametrize("share", [{"A": 0.4, "B": 0.25}, "p"])
def test_shares_by_cell(path, share):
    study = with_rule(path, towns(p={"A": "0,4", "B": "0,25"}), {"share": share})
    assert_allclose(study.participants["share"], [0.4] * 6 + [0.25] * 10)
    assert study.participants["lottery.places"].isna().all()


def test_clusters_are_counted_where_they_were_drawn(path):
    rows = [r | {"skola": f"s{i // 2}"} for i, r in enumerate(towns((8, 8)))]
    study = with_rule(path, rows, {"places": 1}, columns={"cluster": "skola"})
    assert_allclose(study.participants["share"], 1 / 4)


def test_each_wave_is_a_lottery_of_its_own(path):
    rows = [r | {"omgång": "1" if i < 6 else "2"} for i, r in enumerate(people())]
    columns = {"wave": "omgång"}
    study = with_rule(path, rows, {"places": 2}, blocks=False, columns=columns)
    assert_allclose(study.participants["share"], [2 / 6] * 6 + [2 / 10] * 10)
    within = with_rule(path, towns(omgång="1"), {"within": [], "places": 2}, columns=columns)
    assert set(within.participants["lottery.cell"]) == {"omgång=1"}


def test_a_cell_with_places_for_all_or_none_is_no_lottery(path):
    """In town A all have the offer for sure: two of them are in control all the same."""
    rows = towns(n={"A": "6", "B": "5"})
    study = with_rule(path, rows, {"places": "n"})
    assert study.quarantine["reason"].to_list() == [NONE] * 6
    flow = study.flow[study.flow["step"] == "noted"]
    control = sum(r["arm"] == "0" for r in rows[:6])
    assert flow[["reason", "n"]].values.tolist() == [
        ["another arm than a probability of 0 or 1 gives", control]
    ]
    assert len(study.participants) == 10


def test_a_stated_probability_of_0_or_1_is_no_lottery(path):
    rows = towns(p={"A": "0,5", "B": "0,25"})
    rows[2]["p"], rows[9]["p"] = "1", "0"
    study = cleaned(path, rows, assignment={"column": "p"}, **BLOCKS)
    assert study.quarantine["reason"].to_list() == [NONE] * 2
    assert study.quarantine["source_row"].to_list() == [3, 10]


def test_a_rule_by_which_nothing_is_drawn_is_refused(path):
    (fault,) = problems(path, towns(), {"places": 40})
    said = (
        "column ort (assignment.rule): by it the probability of the offer is 0 or 1 for everybody"
    )
    assert fault.startswith(f"{path}: {said}")
    (fault,) = problems(path, towns(n="40"), {"places": "n"}, blocks=False)
    assert fault.startswith(f"{path}: column n (assignment.rule): by it")
    (fault,) = problems(path, towns(), {"places": 16}, blocks=False)
    assert fault.startswith(f"{path}: column arm (assignment.rule): by it")


def test_a_stated_probability_that_is_certain_is_said_of_its_column_alone(path):
    (fault,) = problems(path, towns(p="1"), {"places": 3}, assignment={"column": "p"})
    assert fault.startswith(f"{path}: column p: 16 rows missing, or not above 0 and below 1")


def test_places_of_no_arm_are_told_where_the_data_tell_the_arms(path):
    (fault,) = problems(path, towns(n="2"), {"places": {"ja": "n"}})
    assert fault == (
        "assignment.rule.places: `ja` is no arm (1); name the column with the places of each arm."
    )


def test_a_stated_probability_and_the_rule_stand_beside_each_other(path):
    rows = towns(p={"A": "0,4", "B": "0,5"})
    table = with_rule(path, rows, {"places": 3}, assignment={"column": "p"}).participants
    assert_allclose(table["share"], [0.4] * 6 + [0.5] * 10)
    assert_allclose(table["lottery.probability"], [3 / 6] * 6 + [3 / 10] * 10)


VARIES = "(assignment): the probability of the offer has 2 different values, and columns.blocks"


def test_unequal_probabilities_are_never_pooled_by_accident(path):
    rows = towns(p={"A": "0,4", "B": "0,5"}, w="1,5")
    with pytest.raises(Problems) as error:
        cleaned(path, rows, assignment={"column": "p"})
    (fault,) = error.value.problems
    assert fault.startswith(f"{path}: column p {VARIES}")
    assert "Write the columns of the lottery's cells under columns" in fault
    (fault,) = problems(path, rows, {"within": ["ort"], "places": 3}, blocks=False)
    assert fault.startswith(f"{path}: column ort {VARIES}")
    assert "Write `blocks: [ort]` under columns" in fault
    for columns in ({"blocks": ["ort"]}, {"weight": "w"}):
        assert len(cleaned(path, rows, assignment={"column": "p"}, columns=columns).participants)


def test_equal_probabilities_need_no_blocks(path):
    study = with_rule(path, towns((8, 8)), {"within": ["ort"], "places": 4}, blocks=False)
    assert np.ptp(study.participants["share"]) == 0


WRONG = {
    "places differ in a cell": (
        lambda rows: rows[1].update(n="3"), {"places": "n"},
        "n: 1 of 2 cells of the lottery have several values, and a cell has one. Are the columns "
        "in assignment.rule.within those of the cells."),
    "places missing": (lambda rows: rows[1].update(n=""), {"places": "n"},
                       "n: 1 row missing, and assignment.rule needs it."),
    "places a fraction": (lambda rows: [r.update(n="2,5") for r in rows], {"places": "n"},
                          "n: 16 rows not a whole number, or below 0."),
    "places a text": (lambda rows: [r.update(n="två") for r in rows[:6]], {"places": "n"},
                      "n: 6 rows with a text that is not a number. Mend the data, declare "
                      "`decimal`, or for an outcome name the `event` that counts as 1."),
    "places a text and a fraction": (
        lambda rows: [r.update(n=n) for r, n in zip(rows, ["x", "2,5", ""], strict=False)],
        {"places": "n"},
        "n: 1 row with a text that is not a number. Mend the data, declare `decimal`, or for an "
        "outcome name the `event` that counts as 1."),
    "eligible a text": (lambda rows: [r.update(m="x") for r in rows],
                        {"places": "n", "eligible": "m"},
                        "m: 16 rows with a text that is not a number. Mend the data, declare "
                        "`decimal`, or for an outcome name the `event` that counts as 1."),
    "a share above one": (lambda rows: [r.update(n="2") for r in rows], {"share": "n"},
                          "n: 16 rows below 0 or above 1."),
    "a town without a share": (
        lambda rows: None, {"share": {"A": 0.5}},
        "ort: 1 of its values, in 10 rows, has no share in assignment.rule.share. Name the "
        "share of each."),
}  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "said"), WRONG.values(), ids=WRONG)
def test_a_rule_that_the_data_break_is_said_once(path, change, rule, said):
    rows = towns(n="2")
    change(rows)
    assert problems(path, rows, rule) == [f"{path}: column {said}"]


def test_a_person_without_a_cell_is_excluded(path):
    rows = towns()
    rows[3]["ort"] = ""
    study = with_rule(path, rows, {"within": ["ort"], "share": {"A": 0.5, "B": 0.5}}, blocks=False)
    assert study.quarantine["reason"].to_list() == ["ort missing"]


def test_the_days_of_offer_and_start_are_kept_for_the_checks(path):
    rows = towns(dag="2020-03-02", start="2020-04-01")
    table = cleaned(path, rows, columns={"offered": "dag", "started": "start"}).participants
    assert (table["lottery.started"] - table["lottery.offered"]).dt.days.tolist() == [30] * 16
