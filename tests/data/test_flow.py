"""Property: whatever is wrong with the rows, the flow reconciles and nothing is lost."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.extract import cleaned, people

DIRT = st.sampled_from(
    [
        {}, {}, {}, {"id": ""}, {"arm": ""}, {"arm": "NA"}, {"kön": ""}, {"lön": "inf"},
        {"lön": ""}, {"ålder": ""}, {"ålder": "90"}, {"ort": ""}, {"kom": ""}, {"kom": "0"},
        {"arm": "", "kön": "", "ålder": "90"},
    ]
)  # fmt: skip
SECTIONS = {
    "columns": {"blocks": ["ort"], "takeup": {"column": "kom", "taken": 1}},
    "eligibility": ["ålder < 80", "20 <= ålder"],
    "outcomes": {"late": {"columns": {6: "lön", 12: "kom"}, "unit": "SEK"}},
}
FULL = people(8, ort="A", kom="1")  # each gender in each arm, whatever the others are


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    dirt=st.lists(DIRT, min_size=1, max_size=30),
    repeated=st.lists(st.integers(0, 7), max_size=5),
    drops=st.booleans(),
)
def test_received_less_excluded_is_included(dirt, repeated, drops):
    extra = people(8 + len(dirt), ort="B", kom="1")[8:]
    rows = FULL + [row | d for row, d in zip(extra, dirt, strict=True)]
    rows += [FULL[i] for i in repeated]
    sections = SECTIONS | {"analysis": {"missing_covariates": "drop" if drops else "impute"}}
    with TemporaryDirectory() as folder:
        study = cleaned(Path(folder) / "p.csv", rows, **sections)

    flow = study.flow.set_index("step").drop(columns="reason").astype(int)
    received, included = flow.loc["received"], flow.loc["included"]
    excluded = flow.loc[["excluded"]].sum()
    assert (received - excluded == included).all()
    assert received["n"] == len(rows)
    assert included["n"] == len(study.participants) == len(study.outcomes)
    assert excluded["n"] == len(study.quarantine)
    assert (flow["n"] >= flow["women"] + flow["men"]).all()
    assert (flow["n"] >= flow["arm=0"] + flow["arm=1"]).all()
    assert included["n"] == included["arm=0"] + included["arm=1"]

    kept, rejected = study.participants["source_row"], study.quarantine["source_row"]
    assert sorted([*kept, *rejected]) == list(range(1, len(rows) + 1))
    assert (np.diff(kept) > 0).all()
    assert study.participants["arm"].isin(["0", "1"]).all()
    assert (study.participants["takeup"].sum()) == flow.loc["took_part", "n"]
    counts = study.quarantine["reason"].value_counts()
    stated = study.flow[study.flow["step"] == "excluded"].set_index("reason")["n"]
    assert counts.to_dict() == stated[stated > 0].to_dict()
    assert np.isfinite(study.outcomes.to_numpy()[study.outcomes.notna().to_numpy()]).all()
