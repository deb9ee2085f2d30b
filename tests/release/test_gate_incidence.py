"""The gate of cumulative incidence: no few entries, exits or persons at risk in between."""

import re

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate import schemas
from evaluate.effects.incidence_table import incidence_table
from evaluate.io import checked
from evaluate.notes import note
from evaluate.release.gate_entries import hidden_months
from evaluate.release.gate_incidence import gate_incidence
from evaluate.study import GAP

from simulate_paths import draws_of, entry_trial  # isort: skip

SIDES = ("incidence_treated", "incidence_control")
CELLS = [(side, group) for side in ("treated", "control") for group in ("women", "men")]


def table_of(seed=1, n=400, blocks=False, **design):
    study, plan, _ = entry_trial(np.random.default_rng(seed), n, **design)
    if not blocks:
        study = study.__class__(**(study.__dict__ | {"block": None}))
    return checked(incidence_table(study, plan, draws_of), schemas.INCIDENCE, "incidence")


def counted(entries, exits=(0, 0, 0, 0), n=100):
    """Return a table with the same cumulated counts in every cell, nobody being lost."""
    rows = []
    for side in ("treated", "control"):
        for group in ("all", "women", "men"):
            by = 2 if group == "all" else 1
            for month, (e, x) in enumerate(zip(entries, exits, strict=True), 1):
                counts = (by * (n - e - x), by * n, by * e, by * x)
                rows.append((month, group, f"incidence_{side}", e / n, *counts))
                rows.append((month, group, f"competing_{side}", x / n, *counts))
    for group in ("all", "women", "men", GAP):
        rows += [(m, group, "difference", 0.1, None, 200, None, None) for m in range(1, 5)]
        rows.append((4, group, "time_lost_difference", 1.23456, None, 200, None, None))
    names = ["month", "group", "kind", "estimate", "at_risk", "n", "n_entered", "n_competing"]
    table = pd.DataFrame(rows, columns=names).assign(outcome="job", arm="1", level=0.95)
    table["unit"] = np.where(table["kind"].str.startswith("time"), "months", "share")
    table["std_error"], table["conf_low"], table["conf_high"] = 0.0345, 0.01, 0.4
    table = table.reindex(columns=list(schemas.INCIDENCE.columns))
    return checked(table, schemas.INCIDENCE, "incidence")


def gated(table, withheld=(), min_cell=5, round_to=1):
    hidden = hidden_months({"incidence": table}, "0", {}, min_cell)
    found = gate_incidence(table, hidden, set(withheld), min_cell, round_to)
    return checked(found.table, schemas.released("incidence"), "incidence"), found.withheld


def shown(table, kind="incidence_treated", group="women"):
    rows = table[(table["kind"] == kind) & (table["group"] == group)]
    return rows.loc[rows["estimate"].notna(), "month"].tolist()


def test_large_numbers_pass_untouched():
    table = counted((10, 20, 30, 40))
    out, withheld = gated(table)
    assert withheld == []
    pd.testing.assert_series_equal(out["estimate"], table["estimate"])
    assert not {"n_entered", "n_competing"} & set(out)


def test_months_with_few_entries_wait_for_more():
    out, _ = gated(counted((10, 13, 18, 20)))
    for kind in (*SIDES, "difference"):
        assert shown(out, kind) == shown(out, kind, "men") == [2, 4]
        assert shown(out, kind, "all") == [1, 2, 4]
    rows = out[(out["month"] == 3) & ~out["kind"].str.startswith("competing")]
    assert rows[["estimate", "std_error", "conf_low", "n", "at_risk"]].isna().all(axis=None)


def test_no_entries_at_all_are_no_secret():
    assert shown(gated(counted((0, 0, 10, 10)))[0]) == [1, 2, 3, 4]


def test_few_exits_hide_the_exits_and_who_still_waits_but_not_the_entries():
    out, _ = gated(counted((10, 20, 30, 40), exits=(0, 2, 9, 12)))
    assert shown(out) == [1, 2, 3, 4]
    assert shown(out, "competing_treated") == [1, 4]
    assert shown(out, "competing_treated", "all") == [1, 3, 4]
    rows = out[(out["kind"] == "incidence_treated") & (out["group"] == "women")]
    assert set(rows.loc[rows["at_risk"].notna(), "month"]) == {1, 4}


def test_few_who_still_wait_hide_the_month():
    out, _ = gated(counted((10, 20, 30, 97)))
    assert shown(out) == shown(out, "competing_control") == [1, 2, 3]
    assert shown(out, group="all") == [1, 2, 3, 4]


def test_a_small_number_of_women_hides_the_month_of_men_and_says_which():
    table = counted((10, 20, 30, 40))
    women = (table["kind"] == "incidence_control") & (table["group"] == "women")
    table.loc[women & (table["month"] == 2), "n_entered"] = 12
    out, withheld = gated(table)
    assert shown(out, "incidence_treated", "men") == [2, 3, 4]
    assert shown(out, "incidence_treated", "all") == [1, 2, 3, 4]
    notes = out[(out["month"] == 1) & (out["kind"] == "difference")].set_index("group")["note"]
    assert notes["women"] == notes[GAP] == note("withheld", n=5)
    assert notes["men"] == note("protects", n=5)
    assert {e["row"]["month"] for e in withheld} == {1}


def test_what_is_averaged_over_all_months_is_rounded_where_some_are_hidden():
    table = counted((10, 13, 18, 20))
    out, _ = gated(table)
    time = out[out["kind"] == "time_lost_difference"].set_index("group")
    exact = table[table["kind"] == "time_lost_difference"].set_index("group")["estimate"]
    for group, persons in (("women", 100), ("all", 200)):
        step = float(re.search(r"rounded to ([\d.e-]+),", time.loc[group, "note"])[1])
        assert abs(time.loc[group, "estimate"] - exact[group]) <= step / 2 - 5 / persons


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
    out, _ = gated(counted((10, 20, 30, 40), n=103), round_to=10)
    known = out["at_risk"].dropna()
    assert (known % 10 == 0).all()


def test_a_table_without_estimates_stays_empty():
    empty = dict.fromkeys(["at_risk", "n", "n_entered", "n_competing"], pd.NA)
    table = counted((10, 20, 30, 40)).assign(estimate=np.nan, **empty)
    table = checked(table, schemas.INCIDENCE, "incidence")
    out, _ = gated(table)
    assert out["estimate"].isna().all()
    assert gated(table.iloc[:0])[0].empty


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(60, 500), min_cell=st.integers(3, 8))
def test_nobody_works_out_few_persons_from_what_is_shown(seed, n, min_cell):
    """An attacker multiplies by the persons, nobody being lost, and looks at what is between."""
    out, _ = gated(table_of(seed, n, censored=False), min_cell=min_cell)
    out = out[out["estimate"].notna()].set_index(["kind", "group", "month"]).sort_index()
    for side, group in CELLS:
        told = {}
        for name in ("incidence", "competing"):
            if (f"{name}_{side}", group) not in out.index:
                continue
            rows = out.loc[(f"{name}_{side}", group)]
            told[name] = (rows["estimate"] * rows["n"].astype(float)).round()
            assert fine(told[name].diff().fillna(told[name]), min_cell)
        if "incidence" not in told:
            continue
        waiting = out.loc[(f"incidence_{side}", group), "at_risk"].astype(float).dropna()
        assert fine(waiting, min_cell)
        # whoever waits still, and has entered, tells who has left, where that is not shown
        size = float(out.loc[(f"incidence_{side}", group), "n"].iloc[0])
        left = (size - waiting - told["incidence"]).dropna()
        assert fine(left.diff().fillna(left), min_cell)


def fine(counts, min_cell):
    return bool(((counts == 0) | (counts >= min_cell)).all())


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_arms_and_genders_show_the_same_months_as_all_or_fewer(seed):
    out, _ = gated(table_of(seed, 200, blocks=True))
    kinds = (*SIDES, "difference")
    of_all, of_women, of_men = (
        {tuple(shown(out, k, group)) for k in kinds} for group in ("all", "women", "men")
    )
    assert len(of_all) == 1
    assert len(of_women | of_men) == 1
    assert set(*of_women) <= set(*of_all)
