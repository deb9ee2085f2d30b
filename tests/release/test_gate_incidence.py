"""The gate of cumulative incidence: no few entries, exits or persons at risk in between."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate import schemas
from evaluate.effects.incidence_table import incidence_table
from evaluate.io import checked
from evaluate.notes import note
from evaluate.release.gate_incidence import gate_incidence
from evaluate.study import GAP

from simulate_paths import draws_of, entry_trial  # isort: skip

SIDES = ("incidence_treated", "incidence_control")
CELLS = [(side, group) for side in SIDES for group in ("women", "men")]


def table_of(seed=1, n=400, blocks=False, **design):
    study, plan, _ = entry_trial(np.random.default_rng(seed), n, **design)
    if not blocks:
        study = study.__class__(**(study.__dict__ | {"block": None}))
    return checked(incidence_table(study, plan, draws_of), schemas.INCIDENCE, "incidence")


def counted(entries, exits=(0, 0, 0, 0), at_risk=100, after=(0, 0, 0, 0)):
    """Return a table with the same cumulated counts in every cell."""
    rows = []
    for arm_side in SIDES:
        for group in ("all", "women", "men"):
            twice = 2 if group == "all" else 1
            for i, (e, x, a) in enumerate(zip(entries, exits, after, strict=True)):
                left = at_risk - (entries[i - 1] + exits[i - 1] if i else 0)
                rows.append((i + 1, group, arm_side, twice * e / 100, twice * left,
                             twice * at_risk, twice * e, twice * x, twice * a))  # fmt: skip
    for group in ("all", "women", "men", GAP):
        rows += [(i + 1, group, "difference", 0.1, None, 200, None, None, None) for i in range(4)]
        rows.append((4, group, "time_lost_difference", 1.23456, None, 200, None, None, None))
    names = ["month", "group", "kind", "estimate", "at_risk", "n", "n_entered", "n_competing",
             "n_after"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names).assign(outcome="job", arm="1", level=0.95)
    table["unit"] = np.where(table["kind"].str.startswith("time"), "months", "share")
    table["std_error"], table["conf_low"], table["conf_high"] = 0.0345, 0.01, 0.4
    table = table.reindex(columns=list(schemas.INCIDENCE.columns))
    return checked(table, schemas.INCIDENCE, "incidence")


def gated(table, withheld=(), min_cell=5, round_to=1):
    found = gate_incidence(table, set(withheld), min_cell, round_to)
    return checked(found.table, schemas.released("incidence"), "incidence"), found.withheld


def shown(table, kind="incidence_treated", group="women"):
    rows = table[(table["kind"] == kind) & (table["group"] == group)]
    return rows.loc[rows["estimate"].notna(), "month"].tolist()


def test_large_numbers_pass_untouched():
    table = counted((10, 20, 30, 40))
    out, withheld = gated(table)
    assert withheld == []
    pd.testing.assert_series_equal(out["estimate"], table["estimate"])
    assert not {"n_entered", "n_competing", "n_after"} & set(out)


def test_months_with_few_entries_wait_for_more():
    out, _ = gated(counted((10, 13, 18, 20)))
    for kind in (*SIDES, "difference"):
        assert shown(out, kind) == [1, 3]
        assert shown(out, kind, "all") == [1, 3]
    rows = out[out["month"] == 2]
    assert rows[["estimate", "std_error", "conf_low", "n", "at_risk"]].isna().all(axis=None)


def test_no_entries_at_all_are_no_secret():
    assert shown(gated(counted((0, 0, 10, 10)))[0]) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "few", [{"exits": (0, 2, 9, 12)}, {"after": (0, 2, 7, 12)}, {"at_risk": 43}], ids=str
)
def test_few_exits_late_entries_or_persons_at_risk_hide_a_month_too(few):
    out, _ = gated(counted((10, 20, 30, 40), **few))
    hidden = {"exits": {2, 4}, "after": {2}, "at_risk": set()}[next(iter(few))]
    assert set(shown(out)) == {1, 2, 3, 4} - hidden


def test_a_small_number_in_one_group_hides_the_month_in_all_and_says_which():
    table = counted((10, 20, 30, 40))
    women = (table["kind"] == "incidence_control") & (table["group"] == "women")
    table.loc[women & (table["month"] == 2), "n_entered"] = 12
    out, withheld = gated(table)
    assert shown(out, "incidence_treated", "men") == [1, 3, 4]
    notes = out[(out["month"] == 2) & (out["kind"] == "difference")].set_index("group")["note"]
    assert notes["women"] == notes[GAP] == note("withheld", n=5)
    assert notes["men"] == notes["all"] == note("protects", n=5)
    assert {e["row"]["month"] for e in withheld} == {2}


def test_what_is_averaged_over_all_months_is_rounded_where_some_are_hidden():
    out, _ = gated(counted((10, 13, 18, 20)))
    time = out[out["kind"] == "time_lost_difference"].set_index("group")
    assert time.loc["women", "estimate"] == 1.25  # a month of 5 of 100 persons is 0.05
    assert time.loc["all", "estimate"] == 1.25  # of 200 it is 0.025, and the step 0.05
    assert note("rounded", step="0.05", n=5) in time.loc["women", "note"]


def test_rows_follow_the_effects_that_were_withheld():
    out, _ = gated(counted((10, 20, 30, 40)), {("job", 3, "1", "men")})
    assert shown(out, group="men") == [1, 2, 4]
    assert shown(out, group="women") == [1, 2, 3, 4]


def test_a_group_of_few_persons_is_withheld():
    table = counted((10, 20, 30, 40))
    table.loc[table["group"] == "women", "n"] = 4
    out, _ = gated(table)
    assert out.loc[out["group"] == "women", ["estimate", "n", "at_risk"]].isna().all(axis=None)


def test_persons_at_risk_are_rounded_like_other_counts():
    out, _ = gated(counted((10, 20, 30, 40), at_risk=103), round_to=10)
    known = out["at_risk"].dropna()
    assert (known % 10 == 0).all()


def test_a_table_without_estimates_stays_empty():
    table = counted((10, 20, 30, 40)).assign(
        estimate=np.nan, at_risk=pd.NA, n=pd.NA, n_entered=pd.NA, n_competing=pd.NA, n_after=pd.NA
    )
    table = checked(table, schemas.INCIDENCE, "incidence")
    out, _ = gated(table)
    assert out["estimate"].isna().all()
    assert gated(table.iloc[:0])[0].empty


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(60, 500), min_cell=st.integers(3, 8))
def test_nobody_works_out_few_persons_from_what_is_shown(seed, n, min_cell):
    """An attacker takes incidence and persons at risk of two months shown one after another."""
    table = table_of(seed, n, censored=False)
    out, _ = gated(table, min_cell=min_cell)
    for kind, group in CELLS:
        rows = out[(out["kind"] == kind) & (out["group"] == group) & out["estimate"].notna()]
        competing = out[(out["kind"] == kind.replace("incidence", "competing"))
                        & (out["group"] == group) & out["estimate"].notna()]  # fmt: skip
        size = rows["n"].astype(float)
        # nobody is lost: the share of all persons who have entered, times their number
        for told in (rows["estimate"] * size, competing["estimate"].to_numpy() * size):
            steps = np.diff(np.append(0, np.round(told)))
            assert ((steps == 0) | (steps >= min_cell)).all(), (kind, group)
        at_risk = rows["at_risk"].astype(float)
        assert ((at_risk == 0) | (at_risk >= min_cell)).all()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_groups_and_arms_show_the_same_months(seed):
    out, _ = gated(table_of(seed, 200, blocks=True))
    kinds = (*SIDES, "difference")
    months = {tuple(shown(out, k, g)) for k in kinds for g in ("all", "women", "men")}
    assert len(months) == 1
