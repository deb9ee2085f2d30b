"""Shares by arm: of the arms that there are, of all of them, with some left for control."""

import pytest
from data.extract import plan
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

ARMS = {"treatment": {"column": "arm", "control": 0, "arms": [1, 2]}}


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ({"1": 0.3, "9": 0.7}, "`9` is no arm (1, 2); name the share of each arm"),
        ({1: 0.3}, "arm `2` has no share"),
        ({1: 0.5, 2: 0.5}, "the shares sum to 1; they must leave a share for control `0`"),
        ({0: 0.3, 1: 0.3, 2: 0.3}, "the shares sum to 0.9; with that of control `0`, to 1"),
    ],
)
def test_shares_that_do_not_fit_the_arms_are_refused(share, message):
    with pytest.raises(ValidationError) as error:
        plan(columns=ARMS, assignment={"share": share})
    assert message in str(error.value)


@pytest.mark.parametrize("share", [0.6, {1: 0.3, 2: 0.3}, dict.fromkeys((0, 1, 2), 0.333)])
def test_shares_of_all_arms_are_taken(share):
    assert plan(columns=ARMS, assignment={"share": share}).assignment.share == share


OFFICES = {"treatment": {"column": "arm", "control": 0, "arms": [1, 2]}}


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({1: "a", 9: "b"}, "`9` is no arm (1, 2); name the column with the places of each arm"),
        ({0: "a", 1: "b", 2: "c"}, "`0` is control, which has no offers; name the arms with an"),
        ({1: "a"}, "arm `2` has no places; name its column, too"),
    ],
)
def test_places_that_do_not_fit_the_arms_are_refused(places, message):
    with pytest.raises(ValidationError) as error:
        plan(columns=OFFICES, assignment={"rule": {"places": places}})
    assert f"assignment.rule.places: {message}" in str(error.value)


def test_places_of_all_arms_are_taken():
    places = {1: "a", "2": "b"}
    assert plan(columns=OFFICES, assignment={"rule": {"places": places}}).assignment.rule
    # without arms in the plan the data tell, see tests/data/test_lottery.py
    assert plan(assignment={"rule": {"places": {9: "a"}}}).assignment.rule


@given(st.dictionaries(st.integers(0, 4), st.just("a"), min_size=1))
def test_places_are_taken_if_and_only_if_they_are_of_the_arms_with_an_offer(places):
    rule = plan(assignment={"rule": {"places": places}}).assignment
    assert (rule.arm_faults(["0", "1", "2"]) == []) == (set(places) == {1, 2})
