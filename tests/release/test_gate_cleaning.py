"""Rows of few persons are withheld in the decisions on linked tables, printed or worked out."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from evaluate import schemas
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release

RULE = Disclosure()
DETERMINED = 1e-7  # of a unit vector left after projection on small tables of 0 and 1
COLUMNS = {"n": (0, 1, 2), "women": (0,), "men": (1,)}  # genders counted; 2 is not known


def cleaning(rows, table="spells"):
    """Write decisions from (step, reason, n, women, men, persons, women's, men's)."""
    names = ["step", "reason", "n", "women", "men", "persons", "women_persons", "men_persons"]
    frame = pd.DataFrame(rows, columns=names)
    frame.insert(0, "table", table)
    return checked(frame, schemas.CLEANING, "cleaning")


def gated(table, **limits):
    out = release({"cleaning": table}, Disclosure(**limits))
    return checked(out.tables["cleaning"], schemas.released("cleaning"), "cleaning"), out.withheld


FINE = [
    ("received", "", 1000, 520, 480, 300, 150, 150),
    ("excluded", "exact duplicate", 60, 30, 30, 40, 20, 20),
    ("excluded", "end before start", 40, 20, 20, 30, 15, 15),
    ("noted", "overlapping spells merged", 100, 50, 50, 60, 30, 30),
    ("kept", "", 900, 470, 430, 300, 150, 150),
]


def test_the_persons_behind_the_rows_are_taken_away_and_nothing_else():
    table = cleaning(FINE)
    out, withheld = gated(table)
    pd.testing.assert_frame_equal(out, table[list(out)])
    assert list(out) == ["table", "step", "reason", "n", "women", "men"]
    assert withheld == []


def test_many_rows_of_three_men_are_withheld_and_hidden_by_another_reason():
    rows = [list(row) for row in FINE]
    rows[1][7] = 3  # thirty rows of three men
    out, withheld = gated(cleaning(rows))
    assert out["men"].isna().tolist() == [False, True, True, False, False]
    assert out.loc[1, ["n", "women"]].isna().sum() == 1  # else n less women is men
    assert out.loc[[0, 3, 4]].notna().all().all()
    reasons = {(e["row"]["reason"], e["reason"]) for e in withheld if "men" in e["columns"]}
    assert reasons == {
        ("exact duplicate", "fewer than 5 persons"),
        ("end before start", "would give away another cell"),
    }
    text = json.dumps(withheld)
    assert not any(f": {n}" in text for n in (30, 20, 3))


def test_a_few_rows_of_nobody_in_the_study_are_not_given_away():
    rows = [list(row) for row in FINE]
    rows[0][2] += 3  # received: three rows more than of women and men
    rows.insert(1, ["excluded", "person not among the participants", 3, 0, 0, 0, 0, 0])
    out, _ = gated(cleaning(rows))
    n = out["n"].isna()
    assert n[1]
    assert n.sum() + out.loc[0, ["women", "men"]].isna().sum() >= 2
    kept = out[out["step"] == "kept"]
    assert kept.notna().all().all()


def test_many_rows_of_nobody_in_the_study_pass():
    rows = [list(row) for row in FINE]
    rows[0][2] += 400
    rows.insert(1, ["excluded", "person not among the participants", 400, 0, 0, 0, 0, 0])
    out, withheld = gated(cleaning(rows))
    assert out["n"].tolist() == [1400, 400, 60, 40, 100, 900]
    assert withheld == []


def test_all_but_three_rows_noted_gives_the_three_away_and_is_withheld():
    rows = [list(row) for row in FINE]
    rows[3] = ("noted", "open end closed", 897, 470, 427, 299, 150, 149)
    out, _ = gated(cleaning(rows))
    assert out.loc[3, ["n", "men"]].isna().all()
    assert out.loc[4].notna().all()


def test_each_linked_table_is_summed_apart():
    rows = [list(row) for row in FINE]
    rows[1][5:] = [3, 3, 0]
    both = pd.concat([cleaning(rows, "spells"), cleaning(FINE, "incomes")], ignore_index=True)
    out, withheld = gated(both)
    assert out[out["table"] == "spells"].isna().any().any()
    assert out[out["table"] == "incomes"].notna().all().all()
    assert {e["row"]["table"] for e in withheld} == {"spells"}


def test_a_gender_that_the_plan_does_not_speak_of_stays_empty():
    table = cleaning(FINE)
    table[["women", "men"]] = pd.NA
    out, withheld = gated(table)
    assert out["n"].notna().all()
    assert out[["women", "men"]].isna().all().all()
    assert withheld == []


def test_counts_are_rounded_after_suppression():
    out, _ = gated(cleaning(FINE), round_to=50)
    assert out["n"].tolist() == [1000, 50, 50, 100, 900]
    assert out["women"].tolist() == [500, 50, 0, 50, 450]


def test_a_table_without_rows_passes():
    out, withheld = gated(cleaning([]))
    assert out.empty
    assert withheld == []


deliveries = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),  # persons
    st.integers(1, 4),  # decisions that take out
    st.sampled_from([0.2, 1, 5]),  # rows per person
)


def simulated(seed, persons, decisions, rate):
    """Draw rows: person, gender (2 not known), decision (0 kept), whether noted."""
    rng = np.random.default_rng(seed)
    gender = rng.integers(0, 3, persons) if seed % 2 else rng.integers(0, 2, persons)
    rows = 1 + rng.poisson(rate, persons)
    person = np.repeat(np.arange(persons), rows)
    usual = rng.integers(0, decisions + 1, persons)  # some persons have all rows alike
    chosen = np.where(rng.random(len(person)) < 0.6, usual[person], 0)
    noted = (chosen == 0) & (rng.random(len(person)) < rng.random())
    unknown = int(rng.integers(0, 8)) if seed % 3 == 0 else 0  # rows of nobody in the study
    person = np.concatenate([person, np.full(unknown, -1)])
    gender = np.concatenate([gender[person[: len(chosen)]], np.full(unknown, 2)])
    chosen = np.concatenate([chosen, np.full(unknown, decisions)])
    return person, gender, chosen, np.concatenate([noted, np.zeros(unknown, dtype=bool)])


@settings(max_examples=300, deadline=None)
@given(delivery=deliveries)
def test_no_rows_of_few_persons_follow_from_what_is_printed(delivery):
    """Solve for the rows by gender and decision from everything that is printed."""
    person, gender, chosen, noted = simulated(*delivery)
    steps = {("received", ""): np.ones(len(person), dtype=bool)}
    steps |= {("excluded", f"reason {d}"): chosen == d for d in range(1, delivery[2] + 1)}
    steps |= {("noted", "note"): noted, ("kept", ""): chosen == 0}

    def persons_in(rows):
        known = person[rows]
        return len(np.unique(known[known >= 0]))

    rows = []
    for (step, why), member in steps.items():
        counts = [int((member & np.isin(gender, g)).sum()) for g in COLUMNS.values()]
        behind = [persons_in(member & np.isin(gender, g)) for g in COLUMNS.values()]
        rows.append((step, why, *counts, *behind))
    out, _ = gated(cleaning(rows))

    # Unknown: rows by cell, a decision or kept with and without the note, and gender.
    cells = [(d, g) for d in [*range(1, delivery[2] + 1), "noted", "plain"] for g in range(3)]
    inside = {
        "received": lambda d: True,
        "kept": lambda d: d in ("noted", "plain"),
        "noted": lambda d: d == "noted",
    }

    def unit(step, why, genders):
        holds = inside.get(step, lambda d: why == f"reason {d}")
        return np.array([float(holds(d) and g in genders) for d, g in cells])

    known = [np.zeros(len(cells))]
    asked = []
    for row, member in zip(out.to_dict("records"), steps.values(), strict=True):
        for column, genders in COLUMNS.items():
            vector = unit(row["step"], row["reason"], genders)
            if pd.notna(row[column]):
                known.append(vector)
            chosen_rows = member & np.isin(gender, genders)
            asked.append((vector, persons_in(chosen_rows) or int(chosen_rows.sum())))
    free = linalg.null_space(np.array(known))
    for vector, behind in asked:
        if 1 <= behind < RULE.min_cell:
            assert np.abs(vector @ free).max(initial=0) > DETERMINED


@settings(max_examples=100, deadline=None)
@given(delivery=deliveries)
def test_the_rows_withheld_in_a_column_are_of_enough_persons_in_all(delivery):
    """Received less what is printed is known: it must not be of few persons either."""
    person, gender, chosen, _ = simulated(*delivery)
    steps = {("received", ""): np.ones(len(person), dtype=bool)}
    steps |= {("excluded", f"reason {d}"): chosen == d for d in range(1, delivery[2] + 1)}
    steps |= {("kept", ""): chosen == 0}
    rows = []
    for (step, why), member in steps.items():
        parts = [member & np.isin(gender, g) for g in COLUMNS.values()]
        behind = [len(np.unique(person[p & (person >= 0)])) for p in parts]
        rows.append((step, why, *(int(p.sum()) for p in parts), *behind))
    out, _ = gated(cleaning(rows))
    for column, genders in COLUMNS.items():
        hidden = out[column].isna().to_numpy()
        if not hidden.any() or hidden[0]:
            continue
        members = [m for m, h in zip(steps.values(), hidden, strict=True) if h]
        union = np.any(members, axis=0) & np.isin(gender, genders)
        behind = len(np.unique(person[union & (person >= 0)]))
        assert behind == 0 or behind >= RULE.min_cell or (person[union] < 0).sum() >= RULE.min_cell


@pytest.mark.parametrize("reasons", [200])
def test_many_decisions_are_quick(reasons):
    import time

    rows = [("excluded", f"reason {i}", 9, 5, 4, 9 - i % 7, 5, 4) for i in range(reasons)]
    rows = [
        ("received", "", 9 * reasons + 900, 5 * reasons + 470, 4 * reasons + 430, 400, 200, 200),
        *rows,
        ("kept", "", 900, 470, 430, 300, 150, 150),
    ]
    start = time.perf_counter()
    gated(cleaning(rows))
    assert time.perf_counter() - start < 20  # seconds; under 1 on a laptop
