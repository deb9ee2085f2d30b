"""Shares by arm: of the arms that there are, of all of them, with some left for control."""

import pytest
from data.extract import plan
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
