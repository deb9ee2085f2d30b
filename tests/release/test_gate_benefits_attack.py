"""All tables of who benefits at once: no few persons follow from what is printed, exactly."""

from itertools import product

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import linalg

from evaluate import schemas
from evaluate.io import checked

from .benefits import (
    BINS,
    GROUPS,
    LEVELS,
    STEPS,
    exact_tables,
    members,
    nodes,
    orders,
    persons,
    published,
    rules,
)

FEW = 5
DERIVED = 1e-7  # of a unit vector left after projection
BENEFITS = (
    "gap", "conditional_effects", "heterogeneity_tests", "sorted_groups", "sorted_profile",
    "effect_distribution", "policies", "policy_tree", "targeting_curve",
)  # fmt: skip
KINDS = product((True, False), (True, False), LEVELS, range(STEPS), range(BINS))
ROUNDED = {
    "share_women", "women_among_treated", "share_treated_women", "share_treated_men"
}  # fmt: skip
GRID = pd.DataFrame(KINDS, columns=["treated", "woman", "level", "step", "other"])


def known_sums(tables):
    """Return rows over kinds of persons whose sum a reader knows."""
    group = {g: who.astype(float) for g, who in members(GRID).items()}
    treated, step = GRID["treated"].to_numpy(dtype=float), GRID["step"].to_numpy()
    women, place, other = group["women"], step * 5 // STEPS, GRID["other"].to_numpy()
    known = []

    def add(row, column, *where):
        rounded = "rounded" in str(row.get("note")) and column in ROUNDED
        if pd.notna(row[column]) and not rounded:
            known.extend(where)

    for name in ("effects", "conditional_effects"):
        for row in tables[name].to_dict("records"):
            who = group.get(row["group"], group["all"])
            add(row, "n", who)
            add(row, "n_treated", who * treated)
            add(row, "n_control", who * (1 - treated))
    for name in ("gap", "policies"):
        for row in tables[name].to_dict("records"):
            add(row, "n_women", women)
            add(row, "n_men", group["men"])
    for row in tables["balance"].to_dict("records"):
        if row["group"] in GROUPS:
            for side, arm in (("treated", treated), ("control", 1 - treated)):
                mean = row[f"mean_{side}"]
                add(
                    row,
                    f"mean_{side}",
                    group[row["group"]] * arm * (group[row["covariate"]] - mean),
                )
    for row in tables["sorted_groups"].to_dict("records"):
        q, who = row["sorted_group"], group.get(row["group"], group["all"])
        here = np.isin(place, [0, 4] if q == "top-bottom" else [int(q) - 1])
        add(row, "n", here * who)
        if pd.notna(row["share_women"]):
            add(row, "share_women", here * (women - row["share_women"]))
    for row in tables["sorted_profile"].to_dict("records"):
        has = group["men" if row["covariate"] == "men" else row["covariate"]]
        for end, here in (("top", place == 0), ("bottom", place == 4)):
            add(row, f"n_{end}", here * 1.0)
            add(row, f"mean_{end}", here * (has - row[f"mean_{end}"]))
    for row in tables["effect_distribution"].to_dict("records"):
        who = group[row["group"]]
        if row["kind"] == "bin":
            here = (other < -row["low"]) & (other >= -row["high"])
            add(row, "n", who * here)
            if pd.notna(row["value"]):
                add(row, "value", who * (here - row["value"]))
        else:
            add(row, "n", who)
    for row in tables["policies"].to_dict("records"):
        who = rules(GRID)[row["policy"]].astype(float)
        add(row, "n", group["all"])
        for column, among in (
            ("share_treated", group["all"]), ("share_treated_women", women),
            ("share_treated_men", group["men"]),
        ):  # fmt: skip
            if pd.notna(row[column]):
                add(row, column, among * (who - row[column]))
        if pd.notna(row["women_among_treated"]):
            add(row, "women_among_treated", who * (women - row["women_among_treated"]))
    for row in tables["policy_tree"].to_dict("records"):
        who = nodes(GRID)[row["node"]][0].astype(float)
        add(row, "n", who)
        add(row, "n_women", who * women)
        add(row, "n_men", who * group["men"])
        if pd.notna(row["share"]):
            add(row, "share", who - row["share"])
        if pd.notna(row["share_women"]):
            add(row, "share_women", who * (women - row["share_women"]))
    curve = tables["targeting_curve"]
    for _, rows in curve[curve["order"] == "predicted"].groupby("arm"):
        for k, row in enumerate(rows.sort_values("share").to_dict("records")):
            here = (step <= k) * 1.0
            known.append(here - row["share"])  # a share of persons, printed in any case
            if pd.notna(row["women_among_treated"]):
                add(row, "women_among_treated", here * (women - row["women_among_treated"]))
    return [np.broadcast_to(k, len(GRID)) * 1.0 for k in known]


def sets_of(frame):
    """Return the persons of each kind that is not to be told where they are few."""
    group, step = members(frame), frame["step"].to_numpy()
    treated, place = frame["treated"].to_numpy(), step * 5 // STEPS
    gender = {g: group[g] for g in GROUPS}
    found = {}
    for g, who in gender.items():
        for q in range(5):
            found[g, "sorted", q] = who & (place == q)
        for k in range(STEPS) if g != "all" else ():  # shares of all are those of the curve
            found[g, "step", k] = who & (step == k)
            found[g, "first", k] = who & (step <= k)
            found[g, "not first", k] = who & (step > k)
        for k in range(BINS):
            found[g, "bin", k] = who & (frame["other"] == k).to_numpy()
        for name, chosen in rules(frame).items():
            found[g, "place", name] = who & chosen
            found[g, "no place", name] = who & ~chosen
        for node, (chosen, _, _) in nodes(frame).items():
            found[g, "node", node] = who & chosen
        for level in LEVELS:
            for q in (0, 4):
                found[g, level, q] = who & group[f"school={level}"] & (place == q)
            for arm in (True, False):
                found[g, level, "arm", arm] = who & group[f"school={level}"] & (treated == arm)
    return found


def told(frame, tables):
    """Return which kinds of few persons follow exactly from the tables."""
    known = np.array(known_sums(tables)).T
    size = np.linalg.norm(known, axis=0)
    q, triangle, _ = linalg.qr(known / np.where(size > 0, size, 1), mode="economic", pivoting=True)
    q = q[:, np.abs(np.diag(triangle)) > 1e-10]
    return [
        kind
        for (kind, rows), of in zip(sets_of(frame).items(), sets_of(GRID).values(), strict=True)
        if 0 < rows.sum() < FEW and _left(q, of) < DERIVED
    ]


def _left(q, of):
    unit = of / np.linalg.norm(of)
    return np.linalg.norm(unit - q @ (q.T @ unit))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(60, 400),
    st.sampled_from([0.06, 0.2, 0.5, 0.9]),
    st.sampled_from([0.02, 0.05, 0.3]),
)
@example(1, 160, 0.5, 0.05)
@example(2, 300, 0.2, 0.3)
def test_no_few_persons_follow_from_all_tables(seed, n, women, rare):
    frame = persons(seed, n, women, rare)
    if len(frame.groupby(["treated", "woman"]).size()) < 4:
        return
    out = published(frame).tables
    assert told(frame, out) == []
    for name in BENEFITS:
        checked(out[name], schemas.released(name), name)


def test_the_reader_does_find_what_the_exact_tables_tell():
    found = [len(told(f, exact_tables(f))) for f in (persons(s, 160, 0.3, 0.05) for s in range(5))]
    assert min(found) > 5


def test_many_of_every_kind_are_all_told():
    frame = persons(1, 6_000)
    out = published(frame)
    assert [e for e in out.withheld if e["table"] in BENEFITS] == []
    curve = out.tables["targeting_curve"]
    assert curve["women_among_treated"].notna().all()
    assert len(orders(frame)) == curve["order"].nunique()
