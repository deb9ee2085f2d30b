"""Property: whatever is wrong with the rows, the flow reconciles and nothing is lost."""

from pathlib import Path
from tempfile import TemporaryDirectory

import networkx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.extract import DAY, assessed, cleaned, offers, people
from evaluate.schemas import CLEANING, FLOW, QUARANTINE

COUNTS = ["n", "women", "men"]
DIRT = st.sampled_from(
    [
        {}, {}, {}, {"id": ""}, {"arm": ""}, {"arm": "NA"}, {"kön": ""}, {"lön": "inf"},
        {"lön": ""}, {"ålder": ""}, {"ålder": "90"}, {"ort": ""}, {"kom": ""}, {"kom": "0"},
        {"arm": "", "kön": "", "ålder": "90"}, {"född": "2019"}, {"född": "?"}, {"född": ""},
        {"start": "2019-01-01"}, {"start": "?"}, {"start": ""}, {"kön": "", "född": "1700-01-01"},
    ]
)  # fmt: skip
SECTIONS = {
    "columns": {
        "blocks": ["ort"],
        "takeup": {"column": "kom", "taken": 1},
        "offered": "dag",
        "born": "född",
        "started": "start",
    },
    "data": {"coverage": "2010-01-01", "extract_date": "2022-12-31"},
    "eligibility": ["ålder < 80", "20 <= ålder", "years(född, dag) >= 18"],
    "outcomes": {"late": {"columns": {6: "lön", 12: "kom"}, "unit": "SEK"}},
}
SOUND = {"kom": "1", "född": "1980-01-31", "start": "2020-04-01"}
FULL = people(8, ort="A", **SOUND)  # each gender in each arm, whatever the others are


def assert_reconciles(study, rows):
    """Check the persons: their counts, and that each row is kept or rejected, once."""
    for table, schema in ((study.flow, FLOW), (study.quarantine, QUARANTINE)):
        schema.validate(table)
    flow = study.flow.set_index("step").drop(columns="reason").astype(int)
    received, included = flow.loc["received"], flow.loc["included"]
    excluded = flow.loc[["excluded"]].sum()
    assert (received - excluded == included).all()
    assert received["n"] == len(rows)
    assert included["n"] == len(study.participants) == len(study.outcomes)
    assert (flow["n"] >= flow["women"] + flow["men"]).all()
    assert (flow["n"] >= flow["arm=0"] + flow["arm=1"]).all()
    assert included["n"] == included["arm=0"] + included["arm=1"]
    by_gender = study.participants["gender"].value_counts()
    assert [included["women"], included["men"]] == [by_gender["women"], by_gender["men"]]

    quarantine = study.quarantine[study.quarantine["table"] == "participants"]
    kept, rejected = study.participants["source_row"], quarantine["source_row"]
    assert sorted([*kept, *rejected]) == list(range(1, len(rows) + 1))
    assert (np.diff(kept) > 0).all()
    assert study.participants["arm"].isin(["0", "1"]).all()
    assert (study.participants["takeup"].sum()) == flow.loc["took_part", "n"]
    counts = quarantine["reason"].value_counts()
    stated = study.flow[study.flow["step"] == "excluded"].groupby("reason")["n"].sum()
    assert counts.to_dict() == stated[stated > 0].to_dict()
    assert np.isfinite(study.outcomes.to_numpy()[study.outcomes.notna().to_numpy()]).all()


def assert_linked_reconciles(study, table, rows):
    """Check a linked table: its counts, and that each row is kept or rejected, once."""
    CLEANING.validate(study.cleaning)
    cleaning = study.cleaning[study.cleaning["table"] == table]
    counts = cleaning.set_index("step")[COUNTS]
    excluded = counts[counts.index == "excluded"].sum()
    assert (counts.loc["received"] - excluded == counts.loc["kept"]).all()
    assert counts.loc["received", "n"] == len(rows)
    quarantine = study.quarantine[study.quarantine["table"] == table]
    assert quarantine["source_row"].is_unique
    assert quarantine["source_row"].isin(range(1, len(rows) + 1)).all()
    assert len(quarantine) == excluded["n"]
    stated = cleaning[cleaning["step"] == "excluded"].set_index("reason")["n"]
    assert quarantine["reason"].value_counts().to_dict() == stated.to_dict()
    for step in cleaning.to_dict("records"):
        assert step["n"] >= step["women"] + step["men"]
        for who, how_many in (("persons", "n"), ("women_persons", "women"), ("men_persons", "men")):
            assert step[who] <= step[how_many]
        assert step["persons"] >= step["women_persons"] + step["men_persons"]


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    dirt=st.lists(DIRT, min_size=1, max_size=30),
    repeated=st.lists(st.integers(0, 7), max_size=5),
    drops=st.booleans(),
)
def test_received_less_excluded_is_included(dirt, repeated, drops):
    extra = people(8 + len(dirt), ort="B", **SOUND)[8:]
    rows = FULL + [row | d for row, d in zip(extra, dirt, strict=True)]
    rows += [FULL[i] for i in repeated]
    rows = [row | {"dag": DAY} for row in rows]
    sections = SECTIONS | {"analysis": {"missing_covariates": "drop" if drops else "impute"}}
    with TemporaryDirectory() as folder:
        study = cleaned(Path(folder) / "p.csv", rows, **sections)
    assert_reconciles(study, rows)


PERSONS = 20
OFFER_DIRT = st.fixed_dictionaries(
    {
        "id": st.sampled_from([f"p{i}" for i in range(8, PERSONS)] + ["o1", "n9", "x", "", "NA"]),
        "arm": st.sampled_from(["0", "1", "1", "NA"]),
        "dag": st.sampled_from(
            [DAY, DAY, "2020-05-05", "2019-05-05", "2001-01-01", "2030-01-01", "2020-02-30", ""]
        ),
    }
)
OLD = st.sampled_from(["o1", "o2", "o3", "o4", ""])
KEY_DIRT = st.one_of(
    st.tuples(OLD, st.sampled_from(["p8", "p9", "p10", "n9", "o1", "o2", "o3", "o4", "NA"])),
    st.tuples(st.just("p9"), st.sampled_from(["n9", "m9", "p9"])),
)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    dirt=st.lists(DIRT, min_size=PERSONS - 8, max_size=PERSONS - 8),
    repeated=st.lists(st.integers(0, 7), max_size=3),
    more=st.lists(OFFER_DIRT, max_size=25),
    left=st.integers(8, PERSONS),
    pairs=st.lists(KEY_DIRT, min_size=1, max_size=8),
    two_arms=st.sampled_from(["exclude", "first"]),
    random=st.randoms(use_true_random=False),
)
def test_all_three_tables_reconcile(dirt, repeated, more, left, pairs, two_arms, random):
    persons = assessed(PERSONS, **SOUND)
    arms = [row.pop("arm", None) for row in ({**d} for d in dirt)]
    persons = persons[:8] + [
        row | {k: v for k, v in d.items() if k not in ("arm", "ort")}
        for row, d in zip(persons[8:], dirt, strict=True)
    ]
    persons += [persons[i] for i in repeated]
    rows = [row | {"ort": "A"} for row in offers(left)] + [row | {"ort": "B"} for row in more]
    for row, arm in zip(rows[8:left], arms, strict=False):
        row["arm"] = row["arm"] if arm is None else arm
    random.shuffle(rows)
    keys = [{"old": old, "new": new} for old, new in pairs]
    sections = SECTIONS | {"data": {**SECTIONS["data"], "assignment": {"two_arms": two_arms}}}
    with TemporaryDirectory() as folder:
        study = cleaned(Path(folder) / "p.csv", persons, rows, keys, **sections)

    assert_reconciles(study, persons)
    assert_linked_reconciles(study, "assignment", rows)
    assert_linked_reconciles(study, "keys", keys)
    out = study.quarantine.groupby("table")["source_row"].agg(set)
    offered = [r for i, r in enumerate(rows, 1) if i not in out.get("assignment", set())]
    graph = networkx.DiGraph(
        [(k["old"], k["new"]) for i, k in enumerate(keys, 1) if i not in out.get("keys", set())]
    )

    def last(key):
        while key in graph and graph.out_degree(key):
            key = next(iter(graph.successors(key)))
        return key

    arm = {last(row["id"]): row["arm"] for row in offered}
    assert len(arm) == len(offered)  # one for each person
    for place, found in zip(study.participants["source_row"], study.participants["arm"],
                            strict=True):  # fmt: skip
        assert arm[last(persons[place - 1]["id"])] == found
