"""Those included are withheld only where no other number tells how many they are."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import linalg

from evaluate import schemas
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release
from release.test_gate import effect_rows
from release.test_gate_bounds import bounds_rows

RULE = Disclosure()
DETERMINED = 1e-7  # of a unit vector left after projection on small tables of 0 and 1
WHO = {"all": [0, 1], "women": [0], "men": [1]}
COLUMNS = {"n": ([0, 1], [0, 1]), "women": ([0], [0, 1]), "men": ([1], [0, 1]),
           "arm=0": ([0, 1], [0]), "arm=1": ([0, 1], [1])}  # fmt: skip
MANY = np.array([[100, 90], [80, 110]])  # persons by gender, women first, and arm
NO_BOUNDS = bounds_rows({"all": dict.fromkeys("01", (9, 0))}).iloc[:0]


def flow_of(persons, lacking):
    """Return the flow; ``lacking`` are those without an outcome, by its name."""
    steps = [("included", "", persons)]
    steps += [("analysed", f"{name}@12", persons - lack) for name, lack in lacking.items()]
    rows = [
        {"step": step, "reason": reason}
        | {c: int(counts[np.ix_(*at)].sum()) for c, at in COLUMNS.items()}
        for step, reason, counts in steps
    ]
    return checked(pd.DataFrame(rows), schemas.FLOW, "flow")


def effects_of(persons, lacking):
    parts = []
    for name, lack in lacking.items():
        n = persons - lack
        people = {
            g: {str(a): (int(n[i, a].sum()), int(n[i, a].sum()) // 2) for a in (0, 1)}
            for g, i in WHO.items()
        }
        parts.append(effect_rows(people, outcome=name, unit="SEK"))
    return pd.concat(parts, ignore_index=True)


def bounds_of(persons, name, lack):
    people = {
        g: {str(a): (int(persons[i, a].sum()), int(lack[i, a].sum())) for a in (0, 1)}
        for g, i in WHO.items()
    }
    return bounds_rows(people, outcome=name)


def told_in_flow(persons, lacking, tables):
    """Return the counts withheld from the flow that a reader can solve for.

    The reader knows of outcomes that nobody lacks, for that is in the text of the checks.
    """
    names = ["included", *lacking]
    unit = np.eye(4 * len(names)).reshape(len(names), 2, 2, -1)

    def behind(row, column):
        place = names.index(row["reason"].removesuffix("@12") or "included")
        return unit[place][np.ix_(*COLUMNS[column])].sum(axis=(0, 1))

    rows = tables["flow"].to_dict("records")
    known = [behind(row, c) for row in rows for c in COLUMNS if pd.notna(row[c])]
    for name in ("effects", "bounds"):
        for row in tables[name].dropna(subset="n").to_dict("records"):
            place = names.index(row["outcome"]) if name == "effects" else 0
            if row["group"] in WHO:
                known += [unit[place, WHO[row["group"]], a].sum(axis=0) for a in (0, 1)]
    for name, lack in lacking.items():
        if not lack.any():
            known += list((unit[0] - unit[names.index(name)]).reshape(4, -1))
    free = linalg.null_space(np.array([np.zeros(unit.shape[-1]), *known]))
    return [
        (row["step"], row["reason"], c)
        for row in rows
        for c in COLUMNS
        if pd.isna(row[c]) and np.abs(behind(row, c) @ free).max(initial=0) < DETERMINED
    ]


def gated(lacking, persons=MANY, bounds=()):
    """Return the tables after the gate, with bounds for some outcomes."""
    tables = {"flow": flow_of(persons, lacking), "effects": effects_of(persons, lacking)}
    parts = [bounds_of(persons, name, lacking[name]) for name in bounds]
    tables["bounds"] = pd.concat(parts, ignore_index=True) if parts else NO_BOUNDS
    return release(tables, RULE, control="0").tables


def included(tables):
    flow = tables["flow"]
    return flow[flow["step"] == "included"].iloc[0].drop(["step", "reason"])


NOBODY = np.zeros((2, 2), dtype=int)
THREE = np.array([[0, 3], [0, 0]])
TWENTY = np.array([[20, 25], [30, 20]])


def test_an_outcome_that_nobody_lacks_tells_who_was_included():
    lacking = {"work": NOBODY, "hours": THREE}
    out = gated(lacking)
    assert told_in_flow(MANY, lacking, out) == []
    assert included(out).notna().all()
    assert out["effects"]["n"].notna().all()


def test_those_included_are_withheld_where_everybody_lacks_something():
    lacking = {"work": TWENTY, "hours": THREE}
    out = gated(lacking)
    assert told_in_flow(MANY, lacking, out) == []
    assert included(out)[["n", "women", "arm=1"]].isna().all()
    assert out["effects"]["n"].notna().all()


def test_so_does_the_n_of_bounds_which_is_of_all_compared():
    lacking = {"work": TWENTY, "hours": THREE}
    out = gated(lacking, bounds=["work"])
    assert told_in_flow(MANY, lacking, out) == []
    assert included(out).notna().all()


def test_the_n_of_bounds_that_are_withheld_tells_nothing():
    lacking = {"hours": THREE}
    out = gated(lacking, bounds=["hours"])
    assert out["bounds"].loc[out["bounds"]["group"] == "women", "n"].isna().all()
    assert told_in_flow(MANY, lacking, out) == []
    assert pd.isna(included(out)["women"])


@pytest.mark.parametrize("per_offer", [True, False])
def test_the_cost_per_offer_tells_how_many_there_are(per_offer):
    costs = pd.DataFrame({"item": "course", "arm": ["0", "1"], "payer": "public",
                          "basis": "budget", "amount": [3600.0, 9000.0]})  # fmt: skip
    persons = MANY.sum(axis=0) if per_offer else np.nan
    costs["per_offer"], costs["per_participant"] = costs["amount"] / persons, np.nan
    flow = flow_of(MANY, {"work": TWENTY, "hours": np.array([[0, 3], [9, 0]])})
    out = release({"flow": flow, "costs": costs}, RULE, control="0").tables
    assert out["costs"]["per_offer"].notna().all() == per_offer
    assert included(out)[["arm=0", "arm=1", "n"]].notna().all() == per_offer
    assert pd.isna(included(out)["women"])


few = st.lists(st.integers(0, 6), min_size=4, max_size=4)
many = st.lists(st.sampled_from([0, 0, 2, 9, 20]), min_size=4, max_size=4)


@settings(max_examples=100, deadline=None)
@given(work=st.one_of(st.just([0] * 4), many), hours=few, bounds=st.booleans())
@example(work=[0, 0, 0, 0], hours=[0, 3, 0, 0], bounds=True)
@example(work=[20, 0, 20, 0], hours=[0, 3, 0, 2], bounds=True)
def test_no_count_that_is_withheld_follows_from_other_rows(work, hours, bounds):
    lacking = {n: np.reshape(v, (2, 2)) for n, v in {"work": work, "hours": hours}.items()}
    out = gated(lacking, bounds=["work", "hours"] if bounds else ())
    assert told_in_flow(MANY, lacking, out) == []
    assert out["effects"]["n"].notna().all()  # who lacks an outcome costs no effect
