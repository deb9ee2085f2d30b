"""The gate of the paths: months follow the effects, and sums give none of them away."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate import schemas
from evaluate.io import checked
from evaluate.notes import note
from evaluate.release.gate_paths import gate_paths, resolution
from evaluate.study import GAP

GROUPS = ("all", "women", "men", GAP)
SUMS = ("cumulated", "cumulated_treated", "cumulated_control")


def paths(unit="share", least=60, months=range(1, 7), told="months 1 to 6"):
    """Return a table with effects and levels by month, their sums and two months of the band."""
    rows = []
    for group in GROUPS:
        context = {"outcome": "work", "arm": "1", "group": group, "n_least": least, "level": 0.95}
        for month in months:
            rows += [
                context
                | {"kind": kind, "month": month, "n": 150, "unit": unit, "estimate": 0.1234567}
                for kind in ("effect", "level_treated", "level_control")
            ]
        added = "months" if unit == "share" else f"{unit} x months"
        rows += [
            context | {"kind": k, "n": 150, "unit": added, "estimate": 0.7407402, "note": told}
            for k in SUMS
        ]
        rows += [
            context | {"kind": k, "n": 150, "unit": "month", "estimate": m}
            for k, m in (("first_above", 2), ("last_above", 5))
        ]
    table = pd.DataFrame(rows, columns=list(schemas.PATHS.columns))
    summed = table["kind"].isin(SUMS)
    table["std_error"] = np.where(summed, 0.0512345, 0.0123456)
    table["conf_low"], table["conf_high"] = table["estimate"] - 0.11, table["estimate"] + 0.11
    return checked(table, schemas.PATHS, "paths")


def gated(table, withheld=(), min_cell=5):
    keys = {("work", month, "1", group) for month, group in withheld}
    found = gate_paths(table, keys, min_cell)
    checked(found.table, schemas.released("paths"), "paths")
    return found


def of(found, kind, group="all"):
    table = found.table
    return table[(table["kind"] == kind) & (table["group"] == group)]


def test_nothing_withheld_leaves_all_as_it_was():
    table = paths()
    found = gated(table)
    pd.testing.assert_frame_equal(
        found.table.drop(columns="note"), table.drop(columns=["n_least", "note"])
    )
    assert found.withheld == []


def test_a_month_goes_with_its_effect_and_the_sums_are_rounded():
    found = gated(paths(), [(1, "women"), (1, "men"), (1, GAP)])
    for kind in ("effect", "level_treated", "level_control"):
        assert of(found, kind, "women")["estimate"].isna().tolist() == [True] + [False] * 5
        assert of(found, kind)["estimate"].notna().all()
    for kind in SUMS:
        row = of(found, kind, "women").iloc[0]
        assert row["estimate"] == 0.7  # 5 of 60 persons: a month of theirs is 0.083
        assert row["std_error"] == 0.1
        assert (row["conf_low"], row["conf_high"]) == (0.6, 0.8)
        assert pd.isna(row["n"])
        assert note("rounded", step="0.1", n=5) in row["note"]
        assert of(found, kind).iloc[0]["estimate"] == 0.7407402
    told = {(e["row"]["kind"], e["row"]["group"]) for e in found.withheld}
    assert ("cumulated", "women") in told
    assert ("cumulated", "all") not in told
    assert of(found, "effect", "women")["note"].iloc[0] == note("protects", n=5)


def test_a_month_before_time_zero_is_in_no_sum():
    found = gated(paths(months=range(-2, 7)), [(0, "women")])
    assert of(found, "cumulated", "women")["estimate"].tolist() == [0.7407402]


@pytest.mark.parametrize("unit", ["share", "SEK"])
def test_sums_go_where_few_persons_are_the_reason_or_the_outcome_is_no_share(unit):
    table = paths(unit)
    if unit == "share":
        few = (table["group"] == "women") & (table["month"] == 6)
        table.loc[few, "n_least"] = 3
    found = gated(table, [(6, "women"), (6, "men"), (6, GAP)])
    for group in ("women", "men", GAP):
        for kind in SUMS:
            row = of(found, kind, group).iloc[0]
            assert row[["estimate", "std_error", "conf_low", "n"]].isna().all()
    assert of(found, "cumulated")["estimate"].notna().all()


def test_a_small_group_is_withheld_whole_even_if_the_effects_are_silent():
    table = paths()
    table.loc[table["group"] == "women", "n_least"] = 4
    found = gated(table)
    women = found.table[found.table["group"] == "women"]
    assert women[["estimate", "std_error", "conf_low", "conf_high", "n"]].isna().all(axis=None)
    assert set(women["note"]) == {note("withheld", n=5)}


def test_a_band_does_not_tell_of_a_month_that_is_withheld():
    found = gated(paths(), [(2, "women")])
    assert of(found, "first_above", "women")["estimate"].isna().all()
    assert of(found, "last_above", "women")["estimate"].tolist() == [5]


def test_small_numbers_go_from_the_notes():
    table = paths(told="months 1 to 6; 3 persons in blocks with one arm left out")
    found = gated(table)
    assert of(found, "cumulated")["note"].iloc[0].startswith("months 1 to 6; fewer than 5 persons")


@given(n=st.integers(1, 10**6), min_cell=st.integers(2, 20))
def test_one_step_is_a_month_of_no_fewer_persons_than_may_be_told(n, min_cell):
    step = resolution(min_cell, n)
    assert step * n >= min_cell * (1 - 1e-9)
    assert step * n <= 2.5 * min_cell * (1 + 1e-9)


@settings(max_examples=10, deadline=None)
@given(months=st.lists(st.integers(0, 60), min_size=6, max_size=6), hidden=st.integers(0, 4))
def test_the_hidden_month_cannot_be_worked_out_from_a_rounded_sum(months, hidden):
    """Of 60 persons, 0 to 4 have the outcome in month 1: the sum leaves all of these open."""
    table = paths()
    shares = np.array([hidden, *months[1:]]) / 60
    row = (table["kind"] == "cumulated_treated") & (table["group"] == "women")
    table.loc[row, ["estimate", "conf_low", "conf_high"]] = shares.sum()
    told = of(gated(table, [(1, "women")]), "cumulated_treated", "women")["estimate"].iloc[0]
    possible = [k for k in range(61) if abs(k / 60 + shares[1:].sum() - told) <= 0.05 + 1e-9]
    assert hidden in possible
    assert len(possible) >= 5 or min(possible) == 0
