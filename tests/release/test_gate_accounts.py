"""Present values and accounts tell no withheld effect, and not how many took part."""

import numpy as np
import pandas as pd
import pytest

from evaluate import schemas
from evaluate.io import checked
from evaluate.release.gate_accounts import gate_accounts
from evaluate.release.gate_effects import is_withheld
from evaluate.release.gate_trimmed import Trimmed

LABELS = {"arm": "1", "persistence": "none", "horizon_years": 5.0, "discount_rate": 0.03}
NUMBERS = ["benefit_pv", "cost_pv", "net_pv", "net_pv_se", "net_pv_low", "net_pv_high"]


def cost_benefit():
    rows = [
        {
            "outcome": outcome, "group": group, "denominator": denominator,
            "perspective": "society", **dict.fromkeys(NUMBERS, 1.0), "irr": 0.1,
            "break_even_month": 7.0, "mvpf": 2.0, "mvpf_low": 1.0, "mvpf_high": 3.0,
            "probability_pays_back": 0.9, "note": "",
        } | LABELS
        for outcome in ("pay", "accounts")
        for group in ("all", "women")
        for denominator in ("offer", "participant")
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(schemas.COST_BENEFIT.columns))
    return checked(table, schemas.COST_BENEFIT, "cost_benefit")


def gated(withheld=(), of_takers=(), few=None, costs_of="programme", trimmed=None, of_costs=()):
    found = gate_accounts(
        "cost_benefit", cost_benefit(), set(withheld), set(of_takers), few or {}, costs_of,
        ("aid", "earn"), of_costs, trimmed or Trimmed(), 5,
    )  # fmt: skip
    checked(found.table, schemas.COST_BENEFIT, "cost_benefit")
    rows = found.table.set_index(["outcome", "group", "denominator"])
    return found, rows


def emptied(rows):
    numbers = [*NUMBERS, "irr", "break_even_month", "mvpf", "probability_pays_back"]
    gone = rows[numbers].isna()
    assert (gone.all(axis=1) == gone.any(axis=1)).all()
    return set(rows.index[gone.all(axis=1)])


def test_nothing_is_emptied_where_nothing_is_withheld():
    found, rows = gated()
    assert emptied(rows) == set()
    assert found.withheld == []


@pytest.mark.parametrize(("outcome", "gone"), [("pay", "pay"), ("aid", "accounts")])
def test_a_sum_goes_with_any_of_its_months_and_says_so(outcome, gone):
    found, rows = gated(withheld=[(outcome, 3, "1", "women")])
    places = {(gone, "women", d) for d in ("offer", "participant")}
    assert emptied(rows) == places
    for place, note in rows["note"].items():
        assert is_withheld(note, 5) == (place in places)
    assert len(found.withheld) == 2
    assert found.withheld[0]["row"]["outcome"] == gone


def test_all_goes_with_a_month_that_is_part_of_the_cost():
    key = ("aid", 3, "1", "women")
    _, rows = gated(withheld=[key], of_costs=("aid",))
    places = {(o, "women", d) for o in ("pay", "accounts") for d in ("offer", "participant")}
    assert emptied(rows) == places


@pytest.mark.parametrize(
    "key", [("pay", 0, "1", "all"), ("pay", 3, "2", "all"), ("no", 3, "1", "all")]
)
def test_months_before_the_offer_other_arms_and_outcomes_take_nothing_with_them(key):
    assert emptied(gated(withheld=[key])[1]) == set()


@pytest.mark.parametrize("costs_of", ["participants", "persons", "programme"])
def test_few_who_took_part_are_told_per_participant_and_by_what_they_cost(costs_of):
    _, rows = gated(of_takers=[("pay", None, "1", "women")], costs_of=costs_of)
    told = {"participant"} if costs_of == "programme" else {"offer", "participant"}
    assert emptied(rows) == {(o, "women", d) for o in ("pay", "accounts") for d in told}
    _, rows = gated(few={"1": True}, costs_of=costs_of)
    expected = {(o, g, d) for o in ("pay", "accounts") for g in ("all", "women") for d in told}
    assert emptied(rows) == expected


def test_intervals_go_where_degrees_of_freedom_would_tell_who_was_trimmed():
    trimmed = Trimmed(rows={("pay", None, "1", "all", "aipw"): {"treated"}})
    _, rows = gated(trimmed=trimmed)
    low = rows["net_pv_low"].isna()
    assert set(rows.index[low]) == {("pay", "all", d) for d in ("offer", "participant")}
    assert rows["net_pv"].notna().all()


def test_the_bounds_of_an_assumption_are_no_results():
    row = {
        "analysis": "one_way", "outcome": "accounts", "group": "all", "perspective": "public",
        "denominator": "offer", "parameter": "decay", "distribution": "uniform", "low": 0.0,
        "high": 0.5, "net_pv_low": 1.0, "net_pv_high": 2.0, "net_pv": 1.5, "probability": np.nan,
    }  # fmt: skip
    row |= {k: v for k, v in LABELS.items() if k != "discount_rate"}
    table = pd.DataFrame([row], columns=list(schemas.COST_SENSITIVITY.columns))
    table = checked(table, schemas.COST_SENSITIVITY, "")
    found = gate_accounts(
        "cost_sensitivity", table, {("aid", 2, "1", "all")}, set(), {}, "programme", ("aid",),
        (), Trimmed(), 5,
    )  # fmt: skip
    shown = found.table.iloc[0]
    assert shown[["low", "high"]].tolist() == [0.0, 0.5]
    assert shown[["net_pv_low", "net_pv_high", "net_pv"]].isna().all()
    assert found.withheld[0]["row"]["parameter"] == "decay"
