"""Costs by site behind the gate: few persons, few contributors, and what tells them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.costs.programme_costs import cost_table
from evaluate.costs.sites import cost_parts, costs_by_site
from evaluate.errors import ReleaseError
from evaluate.io import checked
from evaluate.plan.config import Disclosure, Dominance
from evaluate.release.dominance import why_sensitive
from evaluate.release.gate import release
from evaluate.release.gate_sites import Sites

NONE = schemas.NO_SITE
COSTS = {"currency": "SEK", "price_year": 2022, "outcomes": ["y0"], "site": "office"}
RECORD = {"item": "coaching", "arm": "1", "site": "a", "payer": "public", "basis": "economic",
          "quantity": 1.0, "unit": "", "currency": "SEK", "price_year": 2022, "fixed": None,
          "stated": None}  # fmt: skip
RULE = Disclosure()
OPEN = Disclosure(dominance=Dominance(percent=100))
# An unknown is worked out if its direction lies within the equations up to rounding.
TOL = 1e-8
PLACE = ["arm", "basis", "currency", "price_year"]


def study_of(sizes, cost=None):
    """Return persons by site and arm: ``sizes[site] = [(n, of whom took part), ...]`` by arm."""
    site, arm, takeup = [], [], []
    for name, by_arm in sizes.items():
        for a, (n, taken) in enumerate(by_arm):
            site += [None if name == NONE else name] * n
            arm += [a] * n
            takeup += [1.0] * taken + [0.0] * (n - taken)
    study = study_from(np.zeros((len(arm), 1)), np.array(arm), takeup=np.array(takeup))
    return replace(study, site=np.array(site, dtype=object), cost=cost)


def plan_with(**costs):
    columns = {"gender": None, "takeup": {"column": "t", "taken": 1}}
    made = plan_of(np.zeros((4, 1)), columns=columns, costs=COSTS | costs)
    data = made.data.model_dump() | {"costs": {"path": "costs.csv"}}
    return made.model_copy(update={"data": made.data.model_validate(data)})


def flow_of(study):
    arms = [f"arm={a}" for a in study.arms]
    steps = {"received": np.ones(study.n), "included": np.ones(study.n), "took_part": study.takeup}
    rows = [
        {"step": step, "reason": "", "n": int(who.sum()), "women": None, "men": None}
        | dict(zip(arms, np.bincount(study.arm, who).astype(int), strict=True))
        for step, who in steps.items()
    ]
    return checked(pd.DataFrame(rows), schemas.FLOW, "flow")


def exact(study, plan, records=None):
    if records is not None:
        names = list(schemas.COST_RECORDS.columns)
        records = checked(pd.DataFrame(records)[names], schemas.COST_RECORDS, "records")
    parts = checked(cost_parts(study, plan, records), schemas.COST_PARTS, "parts")
    tables = {
        "flow": flow_of(study),
        "costs": checked(cost_table(study, plan, records), schemas.COSTS, "costs"),
        "costs_by_site": checked(
            costs_by_site(parts, study, plan), schemas.COSTS_BY_SITE, "costs_by_site"
        ),
    }
    return tables, parts


def gated(study, plan, records=None, rule=RULE):
    """Return the released tables, the exact ones, the list and the contributors."""
    tables, parts = exact(study, plan, records)
    of_persons = plan.costs.column is not None
    out = release(
        tables,
        rule,
        control="0",
        sites=Sites(parts, "office", of_persons),
        costs_of="persons" if of_persons else "programme",
    )
    checked(out.tables["costs_by_site"], schemas.COSTS_BY_SITE, "costs_by_site")
    return out, tables, parts


def record(site, price, item="coaching", arm="1", payer="public", **more):
    own = {"site": site, "unit_price": float(price), "item": item, "arm": arm, "payer": payer}
    return RECORD | own | more


MIXED = [("coaching", 400), ("rent", 300), ("travel", 300)]  # none has 80 per cent
SIZES = {"a": [(20, 0), (30, 20)], "b": [(20, 0), (25, 15)], "c": [(20, 0), (40, 30)]}


def spent(*sites, scale=1.0, **more):
    return [record(s, scale * price, item, **more) for s in sites for item, price in MIXED]


def of(table, payers="public", arm="1"):
    chosen = table[(table["payers"] == payers) & (table["arm"] == arm)]
    return chosen.set_index("site")


def test_amounts_of_several_items_and_many_persons_are_shown_as_they_are():
    out, tables, _ = gated(study_of(SIZES), plan_with(), spent("a", "b", "c"))
    pd.testing.assert_frame_equal(out.tables["costs_by_site"], tables["costs_by_site"])
    assert out.withheld == []


def test_an_amount_of_one_item_is_withheld_with_the_smallest_that_hides_it():
    bought = [record("a", 500), *spent("b"), *spent("c", scale=3)]
    out, _, _ = gated(study_of(SIZES), plan_with(), bought)
    shown = of(out.tables["costs_by_site"])
    numbers = ["amount", "share", "per_offer", "per_participant"]
    assert shown.loc[["a", "b"], numbers].isna().all(axis=None)
    assert shown.loc["c", numbers].notna().all()
    assert shown["n"].tolist() == [30, 25, 40]  # how many they are is no secret
    (text,) = {e["reason"] for e in out.withheld}
    assert text.startswith("the largest contributor has more than 80 per cent")
    assert {e["row"]["site"] for e in out.withheld} == {"a", "b"}
    assert all(e["columns"] == numbers for e in out.withheld)


def test_at_100_per_cent_nothing_is_dominated():
    bought = [record("a", 500), record("b", 400)]
    out, tables, _ = gated(study_of(SIZES), plan_with(), bought, OPEN)
    pd.testing.assert_frame_equal(out.tables["costs_by_site"], tables["costs_by_site"])


def test_what_was_spent_where_few_took_part_is_withheld_with_them():
    sizes = SIZES | {"a": [(20, 0), (30, 3)]}
    out, _, _ = gated(study_of(sizes), plan_with(), spent("a", "b", "c"))
    shown = of(out.tables["costs_by_site"])
    assert shown["n_participants"].isna().tolist() == [True, True, False]
    assert shown["amount"].isna().tolist() == [True, True, False]
    assert shown["n"].notna().all()
    assert "fewer than 5 persons" in {e["reason"] for e in out.withheld}
    assert not any("the largest" in e["reason"] for e in out.withheld)


def test_few_who_did_not_take_part_are_as_few():
    sizes = SIZES | {"a": [(20, 0), (30, 28)]}
    out, _, _ = gated(study_of(sizes), plan_with(), spent("a", "b", "c"))
    assert of(out.tables["costs_by_site"])["n_participants"].isna().sum() == 2


def test_what_others_paid_alone_is_not_told_by_what_all_paid():
    bought = [*spent("a", "b", "c"), record("a", 700, payer="employer")]
    bought += [record(s, 100, item, payer="employer") for s in "bc" for item in ("x", "y")]
    out, _, _ = gated(study_of(SIZES), plan_with(), bought)
    table = out.tables["costs_by_site"]
    assert of(table)["amount"].notna().all()
    assert of(table, "all")["amount"].isna().tolist()[0]
    assert of(table, "all")["amount"].isna().sum() > 1


def test_shares_of_a_cost_of_no_arm_are_withheld_in_all_arms():
    sizes = {s: [*by_arm, (20, 10)] for s, by_arm in SIZES.items()}
    bought = [record("a", 500, arm=None), *spent("b", "c", arm="1"), *spent("a", "b", "c", arm="2")]
    out, _, _ = gated(study_of(sizes), plan_with(), bought)
    assert np.isnan(of(out.tables["costs_by_site"], arm="1").loc["a", "amount"])
    second = of(out.tables["costs_by_site"], arm="2")["amount"]
    assert np.isnan(second["a"])  # which has as much of it, by the persons of the arms
    assert second.isna().sum() > 1


def test_the_list_does_not_tell_a_withheld_zero():
    bought = [record("a", 500, arm="0"), *spent("a", "b", "c")]
    out, _, _ = gated(study_of(SIZES), plan_with(), bought)
    entries = [e for e in out.withheld if e["row"]["arm"] == "0" and e["row"]["payers"] == "all"]
    assert [e["row"]["site"] for e in entries] == ["a", "b", "c"]
    alike = {json.dumps([e["columns"], e["reason"]]) for e in entries}
    assert len(alike) == 1


def test_costs_of_no_site_are_no_sites_and_are_shown():
    out, _, _ = gated(study_of(SIZES), plan_with(), [*spent("a", "b"), record(None, 9e6)])
    assert of(out.tables["costs_by_site"])["amount"].notna().all()


def test_one_person_who_cost_most_of_a_site_is_withheld():
    study = study_of(SIZES)
    cost = np.where(study.takeup == 1, 100.0, 0.0)
    cost[np.flatnonzero((study.site == "a") & (study.takeup == 1))[0]] = 90_000.0
    out, _, _ = gated(replace(study, cost=cost), plan_with(column="spent"))
    shown = of(out.tables["costs_by_site"])
    assert np.isnan(shown.loc["a", "amount"])
    assert shown["amount"].isna().all()  # with any other site that person still has most


def test_what_few_persons_cost_is_withheld_though_many_are_at_the_site():
    study = study_of(SIZES)
    cost = np.where(study.takeup == 1, 100.0, 0.0)
    cost[study.site == "a"] = 0.0
    cost[np.flatnonzero((study.site == "a") & (study.takeup == 1))[:3]] = 100.0
    out, _, _ = gated(replace(study, cost=cost), plan_with(column="spent"))
    shown = of(out.tables["costs_by_site"])
    assert shown["amount"].isna().tolist() == [True, True, False]


def test_amounts_without_their_contributors_do_not_pass():
    tables, _ = exact(study_of(SIZES), plan_with(), spent("a"))
    with pytest.raises(ReleaseError, match="needs the parts"):
        release(tables, RULE, control="0")
    empty = {"costs_by_site": tables["costs_by_site"].iloc[:0]}
    assert release(empty, RULE).tables["costs_by_site"].empty


def follows(equations, forms):
    """Return which linear forms a linear system determines."""
    unknowns = list(dict.fromkeys(u for form in [*equations, *forms] for u in form))

    def vectors(some):
        return np.array([[form.get(u, 0.0) for u in unknowns] for form in some])

    _, size, rows = np.linalg.svd(vectors(equations))
    space = rows[: (size > TOL).sum()]
    asked = vectors(forms)
    left = asked - asked @ space.T @ space
    return [form for form, rest in zip(forms, left, strict=True) if np.abs(rest).max() < TOL]


def equations_of(out, tables):
    """Return what is published, as linear equations of the amounts and counts behind it.

    It is what each arm cost by payer (`costs.csv`), how many were offered and took part in it, and
    every cell that is shown. An amount over a cost per person is a number of persons.
    """
    shown, true = out.tables["costs_by_site"], tables["costs_by_site"]
    equations, whole = [], {}
    for row, was in zip(shown.to_dict("records"), true.to_dict("records"), strict=True):
        place, site = tuple(row[k] for k in PLACE), row["site"]
        own = {("amount", *place, site, p): 1.0 for p in ("public", "other")}
        for name in own:
            whole.setdefault((*place, name[-1]), {})[name] = 1.0
        if row["payers"] == "public":
            own.pop(("amount", *place, site, "other"))
        told = pd.notna(row["amount"]) or pd.notna(row["share"])
        for column, per in (("n", "per_offer"), ("n_participants", "per_participant")):
            if pd.isna(was[column]):
                continue
            count = {(column, row["arm"], site): 1.0}
            whole.setdefault((column, row["arm"]), {}).update(count)
            known = pd.notna(row[column])
            if known or (told and pd.notna(row[per]) and row["amount"] != 0):
                equations.append(count)
            told |= known and pd.notna(row[per])
        if told:
            equations.append(own)
    return [*equations, *whole.values()]


def secrets(tables, parts, rule, least):
    """Return what must not be known, as linear forms: sensitive amounts and small counts."""
    forms, table = [], tables["costs_by_site"]
    for place, own in parts.groupby([*PLACE, "payers"]):
        line = table[(table[PLACE] == list(place[:-1])).all(axis=1)]
        for site, cell in own.groupby("site"):
            why = why_sensitive(cell["amount"].to_numpy(), rule.dominance, least)
            if why and (least or site != NONE) and line["site"].nunique() > 1:
                forms.append({("amount", *place[:-1], site, place[-1]): 1.0})
    for row in table.to_dict("records"):
        if pd.isna(row["n"]):
            continue
        n, taken = (("n", row["arm"], row["site"]), ("n_participants", row["arm"], row["site"]))
        for count, form in (
            (row["n"], {n: 1.0}),
            (row["n_participants"], {taken: 1.0}),
            (row["n"] - row["n_participants"], {n: 1.0, taken: -1.0}),
        ):
            if 0 < count < 5 and form not in forms:
                forms.append(form)
    return forms


def drawn(rng, arms=3):
    """Draw persons by site, few at some; at one there are enough in every arm."""
    sizes = {"a": [(12, 0), *[(14, 7)] * (arms - 1)]}
    for site in ("b", "c", "d", NONE):
        n = np.where(rng.random(arms) < 0.5, rng.integers(0, 8, arms), rng.integers(0, 40, arms))
        sizes[site] = [(int(k), int(rng.integers(0, k + 1)) if a else 0) for a, k in enumerate(n)]
    return sizes


def bought_at_random(rng):
    """Draw records, at some sites of one item alone, some of no arm or no site."""
    items, payers = ["coaching", "rent", "travel", "wages"], ["public", "public", "employer"]
    found = [record("a", 500)]
    for _ in range(rng.integers(2, 30)):
        site = rng.choice(["a", "b", "c", "d", None])
        item = items[0] if site == "b" else rng.choice(items)
        arm = rng.choice([None, "0", "1", "1", "2"])
        found.append(record(site, rng.integers(1, 999), item, arm, rng.choice(payers)))
    return found


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from([50, 80]))
def test_no_withheld_amount_or_count_follows_from_the_rest(seed, percent):
    rng = np.random.default_rng(seed)
    rule = Disclosure(dominance=Dominance(percent=percent))
    out, tables, parts = gated(study_of(drawn(rng)), plan_with(), bought_at_random(rng), rule)
    forms = secrets(tables, parts, rule, 0)
    if forms:
        assert follows(equations_of(out, tables), forms) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000))
def test_no_person_s_cost_follows_from_the_costs_of_sites(seed):
    rng = np.random.default_rng(seed)
    study = study_of(drawn(rng))
    cost = np.where(rng.random(study.n) < 0.4, rng.lognormal(5, 2, study.n).round(), 0.0)
    cost[:40] += 1.0  # many in all
    out, tables, parts = gated(replace(study, cost=cost), plan_with(column="spent"))
    forms = secrets(tables, parts, RULE, 5)
    if forms:
        assert follows(equations_of(out, tables), forms) == []


def test_the_attack_finds_what_a_gate_without_companions_would_tell():
    bought = [record("a", 500), *spent("b"), *spent("c", scale=3)]
    out, tables, parts = gated(study_of(SIZES), plan_with(), bought)
    forms = secrets(tables, parts, RULE, 0)
    assert len(forms) == 1
    assert follows(equations_of(out, tables), forms) == []
    alone = out.tables["costs_by_site"].copy()
    again = alone["site"] == "b"
    alone.loc[again, "amount"] = tables["costs_by_site"].loc[again, "amount"]
    naive = replace(out, tables=out.tables | {"costs_by_site": alone})
    assert follows(equations_of(naive, tables), forms) == forms
