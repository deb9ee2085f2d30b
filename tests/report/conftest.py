"""Programmes that went down the whole road once, for the tests of the report to read."""

import pytest
from studies import Evaluated, evaluated, full_plan, people, plan_for

from .linked import linked as linked_programme

GENDER = {"column": "sex", "women": "F", "men": "M"}
TREATMENT = {"column": "treat", "control": 0}
COSTS = {"currency": "SEK", "price_year": 2022, "amount": 38600, "outcomes": ["work"]}


@pytest.fixture(scope="session")
def full(tmp_path_factory) -> Evaluated:
    """Give a programme with arms, blocks, months, weights, take-up, groups and costs."""
    folder = tmp_path_factory.mktemp("full")
    return evaluated(folder, "full", full_plan("full"), people(360, arms=3))


@pytest.fixture(scope="session")
def plain(tmp_path_factory) -> Evaluated:
    """Give a programme with take-up and costs whose effects are small: a null result."""
    frame = people(300, seed=4)
    frame["work"] = (frame.index * 7 % 10 < 4).astype(int)
    columns = {"person": "id", "gender": GENDER, "treatment": TREATMENT}
    columns["takeup"] = {"column": "attended", "taken": 1}
    plan = plan_for("plain", columns=columns, costs=COSTS, covariates=["age"])
    return evaluated(tmp_path_factory.mktemp("plain"), "plain", plan, frame)


@pytest.fixture(scope="session")
def men(tmp_path_factory) -> Evaluated:
    """Give a programme for men, without costs, covariates and groups."""
    columns = {"person": "id", "gender": "men", "treatment": TREATMENT}
    plan = plan_for("men", columns=columns)
    return evaluated(tmp_path_factory.mktemp("men"), "men", plan, people(200, seed=5))


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Evaluated:
    """Give a programme in which three men were offered a place."""
    frame = people(200, seed=6)
    men = frame.index[frame["sex"] == "M"]
    frame.loc[men, "treat"] = 0
    frame.loc[men[:3], "treat"] = 1
    columns = {"person": "id", "gender": GENDER, "treatment": TREATMENT}
    plan = plan_for("small", columns=columns, covariates=["age"], costs=COSTS)
    return evaluated(tmp_path_factory.mktemp("small"), "small", plan, frame)


@pytest.fixture(scope="session")
def linked(tmp_path_factory) -> Evaluated:
    """Give a programme with spells, activities and incomes: months, dose and states."""
    return linked_programme(tmp_path_factory.mktemp("linked"))


@pytest.fixture(scope="session")
def lacking(tmp_path_factory) -> Evaluated:
    """Give a programme whose outcome many lack, more of them in control."""
    frame = people(500, seed=12)
    lacks = [i % 10 < (3 if treated == 0 else 1) for i, treated in enumerate(frame["treat"])]
    frame["work"] = frame["work"].astype(object).mask(lacks)
    columns = {"person": "id", "gender": GENDER, "treatment": TREATMENT}
    plan = plan_for("lacking", columns=columns, covariates=["age"])
    return evaluated(tmp_path_factory.mktemp("lacking"), "lacking", plan, frame)
