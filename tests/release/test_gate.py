"""The gate, table by table, and end to end on random studies."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import linalg

from evaluate.errors import ReleaseError
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release
from evaluate.release.gate_effects import NUMBERS, sides, small_numbers_out
from evaluate.schemas import BALANCE, COST_EFFECTIVENESS, EFFECTS, FLOW, HETEROGENEITY

RULE = Disclosure()
DETERMINED = 1e-7  # of a unit vector left after projection on small tables of 0 and 1
NOTE = r"withheld: (fewer than 5 persons|would give away a number of fewer than 5 persons)"


def effect_rows(people, outcome="work", month=12, estimators=("lin",), unit="share"):
    """Write effects from {group: {arm: (n, ones)}}, control first, every contrast."""
    arms = list(people["all"])
    contrasts = [(a, arms[0], a) for a in arms[1:]]
    contrasts += [(b, a, f"{b}-{a}") for i, a in enumerate(arms[1:]) for b in arms[i + 2 :]]
    groups = [*people, *(["women-men"] if {"women", "men"} <= people.keys() else [])]
    rows = []
    for treated, control, label in contrasts:
        for estimator in estimators:
            for group in groups:
                parts = ["women", "men"] if group == "women-men" else [group]
                n = [sum(people[g][a][0] for g in parts) for a in (treated, control)]
                ones = [sum(people[g][a][1] for g in parts) for a in (treated, control)]
                means = [o / k if k else np.nan for o, k in zip(ones, n, strict=True)]
                rows.append(
                    {
                        "outcome": outcome, "month": month, "arm": label, "role": "primary",
                        "estimand": "itt", "estimator": estimator, "group": group,
                        "estimate": 0.1, "std_error": 0.05, "conf_low": 0.0, "conf_high": 0.2,
                        "p_value": 0.5, "p_value_randomisation": 0.5, "p_value_adjusted": 0.5,
                        "df": 100.0, "level": 0.95, "std_error_kind": "HC2", "n": sum(n),
                        "n_treated": n[0], "n_control": n[1], "n_clusters": None,
                        "mean_treated": means[0], "mean_control": means[1], "unit": unit,
                        "prespecified": True, "note": "",
                    }
                )  # fmt: skip
    return checked(pd.DataFrame(rows), EFFECTS, "effects")


def both(women, men):
    """Add women and men to all."""
    total = {a: tuple(np.add(women[a], men[a]).tolist()) for a in women}
    return {"all": total, "women": women, "men": men}


def hidden(table):
    """Return the labels of the rows that were emptied."""
    rows = table[table["n_treated"].isna()]
    assert rows[list(NUMBERS)].isna().all().all()
    assert rows["note"].str.fullmatch(NOTE).all()
    return set(zip(rows["arm"], rows["group"], strict=True))


FINE = both({"0": (80, 40), "1": (90, 50)}, {"0": (70, 30), "1": (60, 20)})


def test_nothing_is_withheld_where_nothing_is_small():
    table = effect_rows(FINE)
    out = release({"effects": table}, RULE, control="0")
    pd.testing.assert_frame_equal(out.tables["effects"], table)
    assert out.withheld == []


def test_three_men_take_women_and_the_gap_with_them_and_all_stays():
    people = both({"0": (80, 40), "1": (90, 50)}, {"0": (70, 30), "1": (3, 0)})
    out = release({"effects": effect_rows(people)}, RULE, control="0")
    table = checked(out.tables["effects"], EFFECTS, "effects")
    assert hidden(table) == {("1", "women"), ("1", "men"), ("1", "women-men")}
    assert table["level"].notna().all()
    reasons = {e["row"]["group"]: e["reason"] for e in out.withheld}
    assert reasons == {
        "men": "fewer than 5 persons",
        "women": "would give away another cell",
        "women-men": "would give away another cell",
    }
    assert out.withheld[0]["row"]["month"] == 12
    assert "estimate" in out.withheld[0]["columns"]


@pytest.mark.parametrize("ones", [2, 98])
def test_few_events_or_few_without_are_withheld(ones):
    people = both({"0": (80, 40), "1": (90, 50)}, {"0": (70, 30), "1": (100, ones)})
    table = release({"effects": effect_rows(people)}, RULE, control="0").tables["effects"]
    assert hidden(table) == {("1", "women"), ("1", "men"), ("1", "women-men")}


def test_no_events_and_means_that_are_no_shares_pass():
    none = both({"0": (80, 40), "1": (90, 50)}, {"0": (70, 30), "1": (100, 0)})
    two = both({"0": (80, 40), "1": (90, 50)}, {"0": (70, 30), "1": (100, 2)})
    for table in (effect_rows(none), effect_rows(two, unit="SEK")):
        assert release({"effects": table}, RULE, control="0").withheld == []


def test_a_cell_is_withheld_under_every_estimator_and_every_contrast():
    women = {"0": (80, 40), "1": (90, 50), "2": (90, 50)}
    people = both(women, {"0": (70, 30), "1": (60, 20), "2": (4, 0)})
    table = effect_rows(people, estimators=("lin", "difference_in_means"))
    out = release({"effects": table}, RULE, control="0").tables["effects"]
    gender = ("women", "men", "women-men")
    assert hidden(out) == {(arm, g) for arm in ("2", "2-1") for g in gender}
    assert out["n_treated"].isna().sum() == 12


def test_the_smallest_other_level_hides_a_small_one():
    levels = {"short": 3, "middle": 20, "long": 60}
    people = {"all": {"0": (83, 40), "1": (83, 40)}}
    people |= {f"education={k}": {"0": (n, 0), "1": (n + 0, 0)} for k, n in levels.items()}
    table = effect_rows(people, unit="SEK")
    out = release({"effects": table}, RULE, control="0").tables["effects"]
    assert hidden(out) == {("1", "education=short"), ("1", "education=middle")}


def test_unknown_gender_relates_the_groups_only_when_asked():
    people = both({"0": (80, 40), "1": (90, 50)}, {"0": (70, 30), "1": (3, 0)})
    people["all"]["1"] = (100, 53)  # seven of unknown gender, whom the flow counts
    table = effect_rows(people, unit="SEK")
    strict = release({"effects": table}, RULE, control="0").tables["effects"]
    exact = release({"effects": table}, RULE, control="0", gender_relation="exact")
    assert {g for _, g in hidden(strict)} == {"women", "men", "women-men"}
    assert {g for _, g in hidden(exact.tables["effects"])} == {"men", "women-men"}


def test_small_numbers_in_notes_are_blurred():
    text = "3 persons in blocks with one arm left out; 40 persons alone; 12.3 persons"
    blurred = "fewer than 5 persons in blocks with one arm left out; 40 persons alone; 12.3 persons"
    assert small_numbers_out(text, 5) == blurred
    table = effect_rows(FINE).assign(note=text)
    assert (release({"effects": table}, RULE).tables["effects"]["note"] == blurred).all()


def test_pairs_are_told_from_arms_with_a_hyphen():
    found = sides(["job-search", "1", "2", "2-1"], "0")
    assert found["2-1"] == ("2", "1")
    assert found["job-search"] == ("job-search", "0")


def flow_table(rows):
    """Write a flow from (step, reason, n, women, men, arm 0, arm 1)."""
    names = ["step", "reason", "n", "women", "men", "arm=0", "arm=1"]
    return checked(pd.DataFrame(rows, columns=names), FLOW, "flow")


def empty_cells(table):
    """Return (position of the row, column) of the empty counts."""
    return {(i, c) for c in table for i in np.flatnonzero(table[c].isna())}


def test_a_small_exclusion_is_withheld_and_not_to_be_worked_out():
    table = flow_table(
        [
            ("received", "", 202, 101, 101, 102, 100),
            ("excluded", "exact duplicate", 2, 1, 1, 2, 0),
            ("excluded", "not age >= 18", 40, 20, 20, 20, 20),
            ("included", "", 160, 80, 80, 80, 80),
            ("analysed", "work", 160, 80, 80, 80, 80),
        ]
    )
    out = release({"flow": table}, RULE)
    gone = empty_cells(out.tables["flow"])
    assert {(1, "n"), (1, "women"), (1, "men"), (1, "arm=0")} <= gone
    assert (1, "arm=1") not in gone  # a zero
    assert {i for i, _ in gone} == {1, 2}  # the other exclusion hides it
    checked(out.tables["flow"], FLOW, "flow")
    assert {e["reason"] for e in out.withheld} == {
        "fewer than 5 persons",
        "would give away another cell",
    }


def test_few_without_an_outcome_are_not_given_away():
    table = flow_table(
        [
            ("received", "", 200, 100, 100, 100, 100),
            ("excluded", "not age >= 18", 40, 20, 20, 20, 20),
            ("included", "", 160, 80, 80, 80, 80),
            ("analysed", "work", 157, 79, 78, 80, 77),
            ("analysed", "hours", 100, 50, 50, 50, 50),
        ]
    )
    gone = empty_cells(release({"flow": table}, RULE).tables["flow"])
    for column in ("n", "women", "men", "arm=1"):
        assert (2, column) in gone or (3, column) in gone
    assert not {i for i, _ in gone} & {4}
    people = both({"0": (40, 20), "1": (39, 20)}, {"0": (40, 20), "1": (38, 20)})
    effects = effect_rows(people, month=None)
    linked = release({"flow": table, "effects": effects}, RULE, control="0").tables
    assert linked["effects"]["n"].notna().all()  # what the flow hides costs no effect


def test_few_who_accepted_and_did_not_start_are_not_given_away():
    table = flow_table(
        [
            ("included", "", 160, 80, 80, 80, 80),
            ("accepted", "", 60, 30, 30, 0, 60),
            ("took_part", "", 40, 20, 20, 0, 40),
            ("started", "", 57, 29, 28, 0, 57),
        ]
    )
    gone = empty_cells(release({"flow": table}, RULE).tables["flow"])
    for column in ("n", "women", "men", "arm=1"):
        assert (1, column) in gone or (3, column) in gone
    assert {(0, c) for c in ("n", "women", "men", "arm=1")}.isdisjoint(gone)


def test_where_everybody_was_followed_or_has_an_outcome_those_included_are_shown():
    table = flow_table(
        [
            ("included", "", 160, 80, 80, 80, 80),
            ("followed", "work@12", 160, 80, 80, 80, 80),
            ("analysed", "work@12", 160, 80, 80, 80, 80),
            ("analysed", "income@12", 157, 79, 78, 80, 77),
        ]
    )
    for rows in ([], [1], [2]):
        assert release({"flow": table.drop(index=rows)}, RULE).withheld == []
    assert empty_cells(release({"flow": table.drop(index=[1, 2])}, RULE).tables["flow"])


def test_persons_followed_are_no_way_to_those_analysed():
    table = flow_table(
        [
            ("received", "", 200, 100, 100, 100, 100),
            ("excluded", "not age >= 18", 40, 20, 20, 20, 20),
            ("included", "", 160, 80, 80, 80, 80),
            ("followed", "work@12", 157, 79, 78, 80, 77),
            ("analysed", "work@12", 157, 79, 78, 80, 77),
        ]
    )
    gone = empty_cells(release({"flow": table}, RULE).tables["flow"])
    for column in ("n", "women", "men", "arm=1"):
        # Either both are withheld, or those included, of whom they leave a few.
        assert {(3, column), (4, column)} <= gone or (2, column) in gone


def test_counts_are_rounded_after_suppression():
    table = flow_table([("received", "", 203, 100, 103, 100, 103)])
    rule = Disclosure(round_to=5)
    out = release({"flow": table, "effects": effect_rows(FINE)}, rule, control="0").tables
    assert out["flow"].loc[0, ["n", "women", "men"]].tolist() == [205, 100, 105]
    assert (out["effects"]["n_treated"] % 5 == 0).all()


def balance_rows(rows):
    """Write a balance table from (covariate, group, treated, control)."""
    table = pd.DataFrame(rows, columns=["covariate", "group", "mean_treated", "mean_control"])
    table = table.assign(
        smd=0.1, variance_ratio=1.0, adjusted=False, arm="1", weights=None, ks=np.nan
    )
    return checked(table, BALANCE, "balance")


PERSONS = {("all", a): 200 for a in "01"} | {(g, a): 100 for g in ("women", "men") for a in "01"}


def emptied(table):
    return set(table.loc[table["smd"].isna(), ["covariate", "group"]].itertuples(index=False))


def test_rare_levels_of_a_covariate_are_withheld_in_every_group():
    table = balance_rows(
        [
            ("age", "all", 33.3, 34.1), ("age", "women", 33.3, 34.1), ("age", "men", 33.3, 34.1),
            ("school=a", "all", 0.30, 0.30), ("school=b", "all", 0.20, 0.20),
            ("school=c", "all", 0.50, 0.50), ("school=a", "women", 0.03, 0.30),
            ("school=b", "women", 0.27, 0.20), ("school=c", "women", 0.70, 0.50),
            ("school=a", "men", 0.57, 0.30), ("school=b", "men", 0.13, 0.20),
            ("school=c", "men", 0.30, 0.50), ("school=a", "women-men", -0.54, 0.0),
            ("school=c", "women-men", 0.4, 0.0),
        ]
    )  # fmt: skip
    out = release({"balance": table}, RULE, persons=PERSONS, control="0")
    gone = emptied(out.tables["balance"])
    assert {("school=a", "women"), ("school=a", "men"), ("school=a", "women-men")} <= gone
    assert not {c for c, _ in gone} & {"age"}
    assert not {g for _, g in gone} & {"all"}
    for group in ("women", "men"):  # another level of each: they sum to n
        assert len({c for c, g in gone if g == group}) >= 2
    checked(out.tables["balance"], BALANCE, "balance")


def test_an_indicator_is_known_by_its_mean_also_over_known_values():
    married = 3 / 80  # of those known
    table = balance_rows([("married", "all", married, 0.5), ("married missing", "all", 0.6, 0.5)])
    out = release({"balance": table}, RULE, persons=PERSONS, control="0").tables["balance"]
    assert emptied(out) == {("married", "all")}


def test_a_level_that_is_a_group_too_is_hidden_alike_in_balance_and_effects():
    levels = {"short": 3, "middle": 20, "long": 60, "other": 17}
    people = {"all": {"0": (200, 40), "1": (100, 40)}}
    people |= {f"school={k}": {"0": (50, 0), "1": (n, 0)} for k, n in levels.items()}
    rows = [(f"school={k}", "all", n / 100, 0.25) for k, n in levels.items()]
    for order in (rows, rows[::-1]):
        tables = {"balance": balance_rows(order), "effects": effect_rows(people, unit="SEK")}
        persons = {("all", "0"): 200, ("all", "1"): 100}
        out = release(tables, RULE, control="0", persons=persons).tables
        in_effects = {g for _, g in hidden(out["effects"])}
        assert "school=short" in in_effects
        assert len(in_effects) == 2
        assert {c for c, _ in emptied(out["balance"])} == in_effects


def test_balance_asks_for_the_numbers_of_persons():
    table = balance_rows([("age", "all", 33.3, 34.1)])
    with pytest.raises(ReleaseError, match="numbers of persons by group and arm"):
        release({"balance": table}, RULE)
    with pytest.raises(ReleaseError, match="all in arm 1"):
        release({"balance": table}, RULE, persons={("men", "1"): 3}, control="0")


def test_costs_and_tests_follow_the_effects():
    people = both({"0": (80, 40), "1": (90, 50)}, {"0": (70, 30), "1": (3, 0)})
    cost = pd.DataFrame(
        {
            "outcome": "work", "month": 12, "arm": "1", "group": ["all", "women", "men"],
            "perspective": "public", "basis": "unit_cost", "incremental_cost": 1.0,
            "incremental_cost_se": 1.0, "effect": 0.1, "effect_se": 0.1, "denominator": "offer",
            "icer": 1.0, "icer_low": 0.5, "icer_high": 2.0, "icer_set": "interval",
            "icer_low_drawn": 0.6, "icer_high_drawn": 1.9, "correlation": 0.1,
            **dict.fromkeys(("quadrant_ne", "quadrant_nw", "quadrant_se", "quadrant_sw"), 0.25),
        }
    )  # fmt: skip
    tests = pd.DataFrame(
        {
            "outcome": "work", "month": 12, "arm": "1", "estimator": "lin",
            "dimension": ["gender", "education"], "levels": ["women, men", "short, long"],
            "statistic": 1.0, "df": 1.0, "df_error": 9.0, "p_value": 0.5, "detectable": 0.1,
            "unit": "share", "prespecified": True, "note": "",
        }
    )  # fmt: skip
    tables = {
        "effects": effect_rows(people),
        "cost_effectiveness": checked(cost, COST_EFFECTIVENESS, "costs"),
        "heterogeneity": checked(tests, HETEROGENEITY, "heterogeneity"),
        "another": pd.DataFrame(
            {"outcome": "work", "group": ["all", "men"], "horizon_years": 5.0, "net_pv": 1.0}
        ),
    }
    out = release(tables, RULE, control="0").tables
    assert out["cost_effectiveness"]["icer"].isna().tolist() == [False, True, True]
    assert out["cost_effectiveness"]["icer_set"].isna().tolist() == [False, True, True]
    assert out["heterogeneity"]["p_value"].isna().tolist() == [True, False]
    assert out["another"]["net_pv"].isna().tolist() == [False, True]
    assert out["another"]["horizon_years"].notna().all()
    checked(out["cost_effectiveness"], COST_EFFECTIVENESS, "costs")
    checked(out["heterogeneity"], HETEROGENEITY, "heterogeneity")


def test_cost_per_participant_is_no_way_to_few_participants():
    flow = flow_table([("included", "", 160, 80, 80, 80, 80), ("took_part", "", 3, 2, 1, 0, 3)])
    costs = pd.DataFrame(
        {"item": "course", "arm": ["1"], "payer": "public", "basis": "budget", "amount": 9e5,
         "per_offer": 11250.0, "per_participant": 3e5}
    )  # fmt: skip
    out = release({"flow": flow, "costs": costs}, RULE).tables["costs"]
    assert out["per_participant"].isna().all()
    assert out["per_offer"].notna().all()


def test_any_other_table_loses_rows_with_few_persons():
    table = pd.DataFrame({"check": ["a", "b"], "n": [4, 50], "statistic": [1.5, 2.5]})
    out = release({"sites": table}, RULE)
    assert out.tables["sites"].isna()["statistic"].tolist() == [True, False]
    assert out.withheld == [
        {
            "table": "sites",
            "row": {"check": "a"},
            "columns": ["n", "statistic"],
            "reason": "fewer than 5 persons",
        }
    ]


def test_the_list_never_holds_a_withheld_number():
    people = both({"0": (83, 41), "1": (97, 53)}, {"0": (71, 37), "1": (3, 2)})
    flow = flow_table([("included", "", 254, 180, 74, 154, 100)])
    out = release({"effects": effect_rows(people), "flow": flow}, RULE, control="0")
    assert out.withheld
    allowed = {("month", 12)}
    for entry in out.withheld:
        assert set(entry) == {"table", "row", "columns", "reason"}
        numbers = {(k, v) for k, v in entry["row"].items() if not isinstance(v, str)}
        assert numbers <= allowed
    json.dumps(out.withheld)


counts = st.one_of(st.integers(0, 9), st.integers(0, 200))


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(counts, min_size=12, max_size=12))
@example(cells=[0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0])
def test_no_small_count_follows_from_all_released_tables(cells):
    """Solve for the persons by gender, arm and outcome from everything that is printed."""
    persons = np.array(cells).reshape(2, 3, 2)  # women, men; arms 0, 1, 2; without, with work
    unit = np.eye(12).reshape(2, 3, 2, 12)
    genders = {"women": [0], "men": [1], "all": [0, 1]}
    people = {
        g: {str(a): (int(persons[i, a].sum()), int(persons[i, a, 1].sum())) for a in range(3)}
        for g, i in genders.items()
    }
    arms = {f"arm={a}": int(persons[:, a].sum()) for a in range(3)}
    by_gender = {g: int(persons[i].sum()) for g, i in genders.items() if g != "all"}
    steps = [("included", ""), ("analysed", "work@12")]
    flow = pd.DataFrame(
        [{"step": s, "reason": r, "n": sum(cells), **by_gender, **arms} for s, r in steps]
    )
    tables = {"effects": effect_rows(people), "flow": checked(flow, FLOW, "flow")}
    out = release(tables, RULE, control="0").tables
    known = [np.zeros(12)]
    for row in out["effects"].dropna(subset="n_treated").to_dict("records"):
        if row["group"] == "women-men":
            continue
        index = genders[row["group"]]
        treated, control = {"1": (1, 0), "2": (2, 0), "2-1": (2, 1)}[row["arm"]]
        for a, side in ((treated, "treated"), (control, "control")):
            known.append(unit[index, a].sum(axis=(0, 1)))
            if pd.notna(row[f"mean_{side}"]):
                known.append(unit[index, a, 1].sum(axis=0))
    for row in out["flow"].to_dict("records"):
        printed = {"n": unit, "women": unit[0], "men": unit[1]}
        printed |= {f"arm={a}": unit[:, a] for a in range(3)}
        known += [u.reshape(-1, 12).sum(axis=0) for c, u in printed.items() if pd.notna(row[c])]
    free = linalg.null_space(np.array(known))
    asked = [unit[i, a, k].reshape(-1, 12).sum(axis=0)
             for i in genders.values() for a in range(3) for k in (0, 1, slice(None))]  # fmt: skip
    for question in asked:
        if 1 <= question @ persons.ravel() < RULE.min_cell:
            assert np.abs(question @ free).max(initial=0) > DETERMINED
