"""What was assigned: standard errors of its units, waves, and the rule of the lottery."""

import pytest
from data.extract import plan
from pydantic import ValidationError

from evaluate.plan.assignment import Assignment
from evaluate.plan.support import OF_CLUSTERS, OF_PERSONS, unsupported

CLUSTER, WAVE = {"cluster": "skola"}, {"wave": "omgång"}


def said(**sections):
    return [str(fault) for fault in unsupported(plan(**sections))]


@pytest.mark.parametrize("kind", OF_PERSONS)
@pytest.mark.parametrize("columns", [CLUSTER, WAVE])
def test_clusters_have_no_standard_errors_of_persons(kind, columns):
    (fault,) = said(columns=columns, analysis={"std_error": kind})
    assert fault.startswith(f"analysis.std_error: {kind} takes persons as assigned one by one")
    assert fault.endswith("or leave it out: CR2.")


@pytest.mark.parametrize("kind", OF_CLUSTERS)
def test_persons_have_no_standard_errors_of_clusters(kind):
    (fault,) = said(analysis={"std_error": kind})
    assert fault.startswith(f"analysis.std_error: {kind} is for clusters")


@pytest.mark.parametrize(
    ("columns", "kinds"), [({}, OF_PERSONS), (CLUSTER, OF_CLUSTERS), (WAVE, OF_CLUSTERS)]
)
def test_every_kind_goes_with_its_units(columns, kinds):
    for kind in (None, *kinds):
        assert said(columns=columns, analysis={"std_error": kind}) == []


def test_a_wave_is_a_block_and_its_persons_share_scores():
    columns = plan(columns=WAVE | {"blocks": ["ort"]}).columns
    assert columns.strata == ["ort", "omgång"]
    assert columns.clustered
    assert plan(columns=WAVE | {"blocks": ["omgång"]}).columns.strata == ["omgång"]


def test_waves_need_the_key_of_persons():
    with pytest.raises(ValidationError, match=r"wave: name columns\.person"):
        plan(columns=WAVE | {"person": None})


def test_a_person_is_no_cluster():
    with pytest.raises(ValidationError, match="cluster: persons are assigned one by one"):
        plan(columns={"cluster": "id"})


def test_offers_by_wave_stand_with_the_persons():
    (fault,) = said(columns=WAVE, data={"assignment": {"path": "a.csv"}})
    assert fault.startswith("data.assignment: with columns.wave")


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ({}, "name either places or share"),
        ({"places": "n", "share": "p"}, "name either places or share"),
        ({"share": "p", "eligible": "m"}, "eligible goes with places"),
        ({"places": 0}, "greater than or equal to 1"),
        ({"share": {"A": 1.2}}, "less than or equal to 1"),
    ],
)
def test_a_rule_says_one_thing(rule, wrong):
    with pytest.raises(ValidationError, match=wrong):
        Assignment.model_validate({"rule": rule})


def test_a_share_for_all_contradicts_a_rule():
    with pytest.raises(ValidationError, match="share and rule exclude each other"):
        Assignment.model_validate({"share": 0.5, "rule": {"places": "n"}})
    assert Assignment.model_validate({"column": "p", "rule": {"places": "n"}}).by_person


def test_shares_by_cell_need_one_column():
    rule = {"share": {"A": 0.5, "B": 0.2}}
    with pytest.raises(ValidationError, match=r"assignment.rule.share: by cell, name one column"):
        plan(assignment={"rule": rule})
    assert plan(assignment={"rule": rule}, columns={"blocks": ["ort"]}).cell_columns == ("ort",)
    of_two = rule | {"within": ["ort", "år"]}
    with pytest.raises(ValidationError, match="by cell, name one column"):
        plan(assignment={"rule": of_two}, columns={"blocks": ["ort"]})


def test_a_rule_names_the_columns_it_reads():
    stated = {"within": ["ort"], "places": {1: "a", 2: "b"}, "eligible": "m"}
    rule = Assignment.model_validate({"rule": stated}).rule
    assert rule.columns == ["ort", "a", "b", "m"]
    assert Assignment.model_validate({"rule": {"places": 30}}).rule.columns == []
