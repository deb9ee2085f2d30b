"""A whole study through the gate: what the plan adds to the tables."""

import numpy as np
import pandas as pd
import pytest
from studies import nothing, plan_for

from evaluate import schemas
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.plan.model import Plan
from evaluate.release.publish import blocks_withheld, publish, states_of

STATES = {"work": [31, 41], "subsidised": [78], "studies": ["83"]}


def plan_with(**outcome):
    """Return a plan with spells and one outcome of them."""
    data = {
        "participants": {"path": "p.csv"},
        "spells": {"path": "s.csv", "states": STATES, "extract_date": "2021-06-30"},
    }
    outcomes = {"one": {"months": [1, 12], "unit": "share", **outcome}}
    columns = plan_for("x")["columns"] | {"offered": "offered"}
    return Plan.model_validate(plan_for("x", data=data, outcomes=outcomes, columns=columns))


@pytest.mark.parametrize(
    ("spells", "made_of"),
    [
        (["work"], ["work"]),
        ([41, "31"], ["work"]),
        (["work", 78], ["work", "subsidised"]),
        ([31], None),  # a part of a state
        (["studies", 12], None),  # and a code of no state
    ],
)
def test_an_outcome_is_made_of_whole_states(spells, made_of):
    found = states_of(plan_with(spells=spells))
    assert found == ({"one": made_of} if made_of else {})


def test_other_measures_are_not_the_share_of_a_state():
    assert states_of(plan_with(spells=["work"], measure="entered")) == {}
    assert states_of(Plan.model_validate(plan_for("x"))) == {}


def test_three_men_in_a_state_are_withheld_from_a_whole_study():
    plan = plan_with(spells=["studies"])
    rows = []
    persons = {"women": [30, 20, 10, 0, 40], "men": [40, 3, 15, 0, 42]}
    persons["all"] = np.add(persons["women"], persons["men"]).tolist()
    for group, counts in persons.items():
        for state, n in zip([*STATES, "other", "none"], counts, strict=True):
            rows.append((state, 12, "1", group, 100 * (2 if group == "all" else 1), n))
    names = ["state", "month", "arm", "group", "n", "count"]
    states = pd.DataFrame(rows, columns=names)
    states["share"] = states.pop("count") / states["n"]
    women = np.arange(400) % 2 == 0
    arm = np.where(np.arange(400) < 200, "1", "0")
    participants = pd.DataFrame({"arm": arm, "gender": np.where(women, "women", "men")})
    tables = {name: nothing(name) for name in ("cleaning", "dose")}
    tables["states"] = checked(states, schemas.STATES, "states")
    found = publish(tables, participants, plan, Disclosure())
    shares = found.tables["states"].query("group == 'men'").set_index("state")["share"]
    assert np.isnan(shares["subsidised"])
    assert shares.isna().sum() >= 2
    assert found.tables["cleaning"].empty
    assert list(found.tables["cleaning"]) == list(schemas.released("cleaning").columns)


def test_a_site_whose_persons_are_withheld_has_no_share_offered_in_the_checks():
    row = {"site": "north", "arm": "1"}
    entries = [
        {"table": "costs_by_site", "row": row, "columns": ["n", "amount"]},
        {"table": "costs_by_site", "row": row | {"site": "south"}, "columns": ["amount"]},
        {"table": "effects", "row": {"group": "all"}, "columns": ["n"]},
    ]
    assert blocks_withheld(entries, "office") == {"office=north"}
