"""The gate of the paths: months follow the effects, and sums give none of them away."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from simulate import study_from
from simulate_paths import draws_of, plan_by_month

from evaluate import schemas
from evaluate.effects.path_tables import path_table
from evaluate.effects.table import effects
from evaluate.io import checked
from evaluate.notes import note
from evaluate.plan.config import Disclosure
from evaluate.plan.model import Plan
from evaluate.release.gate import release
from evaluate.release.gate_paths import gate_paths, step_around
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
        assert row["estimate"] == 0.8  # 5 of 60 persons: a month of theirs is 0.083
        assert row["std_error"] == 0.4
        assert (row["conf_low"], row["conf_high"]) == (0.4, 1.2)
        assert pd.isna(row["n"])
        assert note("rounded", step="0.4", n=5) in row["note"]
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


@pytest.mark.parametrize("unit", ["share", "SEK"])
def test_the_area_under_waves_goes_where_one_of_them_is_withheld(unit):
    table = paths(unit)
    area = table[table["kind"] == "cumulated"].assign(kind="area")
    found = gated(pd.concat([table, area]), [(1, "women")])
    assert of(found, "area", "women")["estimate"].isna().all()
    assert of(found, "area")["estimate"].notna().all()


@given(
    value=st.floats(-100, 100),
    least=st.floats(1e-4, 2),
    others=st.lists(st.floats(-1, 1), min_size=5, max_size=5),
)
def test_all_numbers_so_near_are_rounded_to_the_same(value, least, others):
    step = step_around(value, least)
    shown = np.round(value / step) * step
    for other in others:
        assert abs(value + other * least - shown) <= step / 2 * (1 + 1e-9)


@settings(max_examples=10, deadline=None)
@given(months=st.lists(st.integers(0, 60), min_size=6, max_size=6), hidden=st.integers(0, 4))
def test_the_hidden_month_cannot_be_worked_out_from_a_rounded_sum(months, hidden):
    """Of 60 persons, 0 to 4 have the outcome in month 1: the sum leaves all of these open."""
    table = paths()
    shares = np.array([hidden, *months[1:]]) / 60
    row = (table["kind"] == "cumulated_treated") & (table["group"] == "women")
    table.loc[row, ["estimate", "conf_low", "conf_high"]] = shares.sum()
    told = of(gated(table, [(1, "women")]), "cumulated_treated", "women").iloc[0]
    step = float(re.search(r"rounded to ([\d.e-]+),", told["note"])[1])
    for ends in (told["estimate"], (told["conf_low"] + told["conf_high"]) / 2):
        possible = [k for k in range(61) if abs(k / 60 + shares[1:].sum() - ends) <= step / 2]
        assert set(possible) >= {0, 1, 2, 3, 4}


def in_work(ones, persons=40):
    """Return study and plan of women and men by arm, ``ones`` of whom work in each month.

    ``ones`` has shape (genders, arms, months).
    """
    months = ones.shape[2]
    gender, arm, person = np.indices((2, 2, persons)).reshape(3, -1)
    y = (person[:, None] < ones[gender, arm]).astype(float)
    plan = plan_by_month(months, entries=True).model_dump(mode="json", exclude_unset=True)
    work = {"months": [1, months], "spells": [1], "measure": "at", "unit": "share"}
    plan |= {"outcomes": {"work": work}, "analysis": {"estimators": ["difference_in_means"]}}
    return study_from(y, arm, gender == 0), Plan.model_validate(plan)


@settings(max_examples=6, deadline=None)
@given(ones=st.lists(st.one_of(st.integers(0, 6), st.integers(0, 40)), min_size=12, max_size=12))
def test_no_small_count_of_a_month_follows_from_effects_levels_and_sums(ones):
    """Solve for those in work by gender, arm and month from everything exact that is printed."""
    ones = np.array(ones).reshape(2, 2, 3)
    study, plan = in_work(ones)
    tables = {
        "effects": schemas.EFFECTS.coerce_dtype(effects(study, plan).table),
        "paths": schemas.PATHS.coerce_dtype(path_table(study, plan, draws_of)),
    }
    out = release(tables, Disclosure(), control="0").tables
    unit = np.eye(12).reshape(2, 2, 3, 12)
    who = {"all": [0, 1], "women": [0], "men": [1]}

    def share(group, arm, months):
        return unit[who[group], arm][:, months].sum(axis=(0, 1)) / (40 * len(who[group]))

    known = [np.zeros(12)]
    for row in out["effects"].dropna(subset="mean_treated").to_dict("records"):
        if row["group"] != GAP:
            known += [share(row["group"], a, [int(row["month"]) - 1]) for a in (0, 1)]
    exact = ~out["paths"]["note"].fillna("").str.contains("rounded")
    for row in out["paths"][exact].dropna(subset="estimate").to_dict("records"):
        months = [0, 1, 2] if pd.isna(row["month"]) else [int(row["month"]) - 1]
        if row["unit"] == "month" or row["kind"].endswith("observed"):
            continue
        of_arms = {"treated": (0, 1), "control": (1, 0)}.get(row["kind"].split("_")[-1], (-1, 1))
        groups = {"women": 1, "men": -1} if row["group"] == GAP else {row["group"]: 1}
        known.append(
            sum(
                sign * by * share(g, a, months)
                for g, sign in groups.items()
                for a, by in enumerate(of_arms)
            )
        )
    free = linalg.null_space(np.array(known))
    for genders in who.values():
        for arm, month in np.ndindex(2, 3):
            count, n = ones[genders, arm, month].sum(), 40 * len(genders)
            if 1 <= min(count, n - count) < 5:
                asked = unit[genders, arm, month].sum(axis=0)
                assert np.abs(asked @ free).max(initial=0) > 1e-7
