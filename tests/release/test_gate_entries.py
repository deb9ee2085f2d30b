"""How many entered between two months is not to be worked out where they are few."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import linalg
from simulate import study_from
from simulate_paths import draws_of, entry_trial, plan_by_month

from evaluate import schemas
from evaluate.effects.incidence_table import incidence_table
from evaluate.effects.path_tables import path_table
from evaluate.effects.table import effects
from evaluate.plan.config import Disclosure
from evaluate.plan.model import Plan
from evaluate.release.gate import release
from evaluate.release.gate_entries import hidden_months
from evaluate.release.publish import entered_of
from evaluate.study import GAP

RULE = Disclosure()
DETERMINED = 1e-7  # of a unit vector left after projection on small tables of 0 and 1
MONTHS = 4
WHO = {"all": [0, 1], "women": [0], "men": [1]}


def tables_of(counts, primary=None):
    """Return tables and plan of persons counted by gender, arm and month of entry.

    Women first; the last month stands for those who never enter.
    """
    gender, arm, month = np.repeat(np.indices(counts.shape).reshape(3, -1), counts.ravel(), axis=1)
    y = (month[:, None] <= np.arange(MONTHS)).astype(float)
    plan = plan_by_month(MONTHS, entries=True).model_dump(mode="json", exclude_unset=True)
    job = {"months": [1, MONTHS], "spells": [1], "measure": "entered", "unit": "share"}
    job |= {"primary_month": primary} if primary else {}
    plan |= {"outcomes": {"job": job}, "analysis": {"estimators": ["difference_in_means"]}}
    return all_tables(study_from(y, arm, gender == 0), Plan.model_validate(plan))


def all_tables(study, plan):
    """Return all tables that say by month who has entered, and the plan."""
    found = {
        "effects": effects(study, plan).table,
        "incidence": incidence_table(study, plan, draws_of),
        "paths": path_table(study, plan, draws_of),
    }
    return {n: getattr(schemas, n.upper()).coerce_dtype(t) for n, t in found.items()}, plan


def few_told(counts, tables):
    """Return the small numbers who entered between two months that a reader can solve for.

    The reader knows how many there are by gender and arm.
    """
    unit = np.eye(counts.size).reshape(*counts.shape, -1)

    def who(group, arm, first, last):
        return unit[WHO[group], arm, first:last].sum(axis=(0, 1))

    known = [who(g, a, 0, MONTHS + 1) for g in WHO for a in (0, 1)]
    for row in tables["effects"].dropna(subset="mean_treated").to_dict("records"):
        if row["group"] != GAP:
            known += [who(row["group"], a, 0, int(row["month"])) for a in (0, 1)]
    levels = pd.concat([tables["incidence"], tables["paths"]]).dropna(subset="estimate")
    for row in levels.to_dict("records"):
        name, _, side = row["kind"].partition("_")
        if name in ("incidence", "level") and row["group"] != GAP:
            known.append(who(row["group"], int(side == "treated"), 0, int(row["month"])))
    free = linalg.null_space(np.array(known))
    months = itertools.combinations(range(MONTHS + 2), 2)
    return [
        (group, arm, first, last)
        for (first, last), group, arm in itertools.product(months, WHO, (0, 1))
        if last - first <= MONTHS  # the whole group is known
        and 1 <= counts[WHO[group], arm, first:last].sum() < RULE.min_cell
        and np.abs(who(group, arm, first, last) @ free).max(initial=0) < DETERMINED
    ]


def shown(table, group):
    rows = table[(table["group"] == group) & table["mean_treated"].notna()]
    return sorted(rows["month"].astype(int).unique())


def counted(women, men, never=50):
    """Return the same numbers who enter by month in both arms."""
    return np.array([[[*m, never]] * 2 for m in (women, men)])


def test_few_who_enter_in_a_month_are_in_no_table():
    counts = counted((10, 3, 5, 2), (12, 9, 8, 7))
    tables, plan = tables_of(counts)
    out = release(tables, RULE, control="0", entered=entered_of(plan)).tables
    assert shown(out["effects"], "all") == [1, 2, 3, 4]
    assert shown(out["effects"], "women") == shown(out["effects"], "men") == [2, 4]
    assert few_told(counts, out) == []
    gap = out["effects"][out["effects"]["group"] == GAP].set_index("month")["estimate"]
    assert gap.notna().to_dict() == {1: False, 2: True, 3: False, 4: True}


def test_a_gate_that_does_not_know_of_entries_would_tell_them():
    counts = counted((10, 3, 5, 2), (12, 9, 8, 7))
    tables, _ = tables_of(counts)
    out = release({n: tables[n] for n in ("effects", "paths")}, RULE, control="0").tables
    assert ("women", 0, 1, 2) in few_told(counts, out | {"incidence": tables["incidence"][:0]})


@pytest.mark.parametrize(("primary", "months"), [(None, [2, 4]), (3, [2, 3]), (1, [1, 4])])
def test_the_primary_month_is_shown_before_others(primary, months):
    tables, plan = tables_of(counted((10, 3, 5, 2), (12, 9, 8, 7)), primary)
    out = release(tables, RULE, control="0", entered=entered_of(plan)).tables
    assert shown(out["effects"], "women") == months
    incidence = out["incidence"]
    rows = incidence[(incidence["kind"] == "incidence_treated") & (incidence["group"] == "women")]
    assert rows.loc[rows["estimate"].notna(), "month"].tolist() == months


def test_the_list_says_which_group_is_small_and_which_protects():
    tables, plan = tables_of(counted((10, 3, 5, 2), (12, 9, 8, 7)))
    listed = release(tables, RULE, control="0", entered=entered_of(plan)).withheld
    reasons = {
        e["row"]["group"]: e["reason"]
        for e in listed
        if e["table"] == "effects" and e["row"]["month"] == 3
    }
    assert reasons == {
        "women": "fewer than 5 persons",
        "men": "would give away another cell",
        GAP: "would give away another cell",
    }


def test_large_numbers_cost_nothing():
    tables, plan = tables_of(counted((10, 7, 5, 8), (12, 9, 8, 7)))
    out = release(tables, RULE, control="0", entered=entered_of(plan))
    assert out.withheld == []


def test_other_persons_in_another_month_are_no_difference():
    table, _ = tables_of(counted((10, 7, 5, 8), (12, 9, 8, 7)))
    fewer = table["effects"].copy()
    last = fewer["month"] == 4
    fewer.loc[last, ["n_treated", "n_control"]] -= 20
    ones = (fewer["mean_treated"] * 80).round() - 7  # as many as by month 3, or nearly
    for side in ("treated", "control"):
        fewer.loc[last, f"mean_{side}"] = (ones / fewer[f"n_{side}"])[last]
    assert set(map(len, hidden_months({"effects": fewer}, "0", {"job": None}, 5).values())) == {0}


few = st.integers(0, 6)


@settings(max_examples=25, deadline=None)
@given(
    entries=st.lists(few, min_size=16, max_size=16),
    never=st.lists(st.integers(0, 30), min_size=4, max_size=4),
)
@example(entries=[1, 5, 5, 5] * 4, never=[30] * 4)
@example(entries=[5, 2, 3, 0, 5, 0, 0, 2] * 2, never=[30] * 4)
def test_no_small_number_follows_from_any_two_months(entries, never):
    counts = np.dstack([np.reshape(entries, (2, 2, MONTHS)), np.reshape(never, (2, 2, 1)) + 2])
    tables, plan = tables_of(counts)
    out = release(tables, RULE, control="0", entered=entered_of(plan)).tables
    assert few_told(counts, out) == []


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_exits_and_what_they_compete_with_have_months_of_their_own(seed):
    study, plan, _ = entry_trial(np.random.default_rng(seed), 300, months=6, censored=False)
    tables, _ = all_tables(study.__class__(**(study.__dict__ | {"block": None})), plan)
    assert entered_of(plan) == {"job": None, "exit": None}
    out = release(tables, RULE, control="0", entered=entered_of(plan)).tables["effects"]
    out = out[out["mean_treated"].notna() & (out["group"] != GAP)]
    for _, rows in out.groupby(["outcome", "estimator", "estimand", "group"]):
        for side in ("treated", "control"):
            told = (rows[f"mean_{side}"] * rows[f"n_{side}"].astype(float)).round()
            between = told.diff().fillna(told)
            assert ((between == 0) | (between >= RULE.min_cell)).all()
