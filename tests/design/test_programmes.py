"""Designs of field trials through ordinary programme files: what `check` and the stage tell."""

import contextlib

import numpy as np
import pandas as pd
import pytest
from studies import KEY, Files, people, plan_for, script, write_raw, write_study

from evaluate.check import check_programme

NAME = "trial"
COLUMNS = plan_for(NAME)["columns"]


def schools(n=300, seed=1):
    """Return persons of 24 schools, four of twelve in each site assigned."""
    rng = np.random.default_rng(seed)
    frame = people(n, seed)
    number = np.append(np.arange(24), rng.integers(0, 24, n - 24))
    treated = np.concatenate([rng.permutation(12) < 4, rng.permutation(12) < 4])
    return frame.assign(
        school=[f"s{k:02d}" for k in number],
        site=np.where(number < 12, "north", "south"),
        treat=treated[number].astype(int),
        attended=(treated[number] & (rng.random(n) < 0.8)).astype(int),
        places=4,
    )


def in_waves(n=200, seed=1):
    """Return persons in up to three waves: who is not offered comes again."""
    rng = np.random.default_rng(seed)
    rows, here = [], people(n, seed)
    for wave in (1, 2, 3):
        offered = rng.permutation(len(here)) < len(here) // 3
        here = here.assign(wave=wave, treat=offered.astype(int), attended=offered.astype(int))
        rows.append(here)
        here = here[~offered]
    return pd.concat(rows, ignore_index=True)


@pytest.fixture
def study(tmp_path):
    """Write a programme and give what `check` says and the tables of data and design."""

    def made(frame, **sections):
        write_study(tmp_path, {NAME: plan_for(NAME, **sections)})
        write_raw(tmp_path, NAME, frame)
        tables = ("participants", "outcomes", "flow", "cleaning", "dose", "states",
                  "quarantine", "design_checks", "balance", "cost_records", "staff_hours",
                  "propensity", "propensity_models", "overlap", "propensity_histogram",
                  "population")  # fmt: skip
        files = Files({t: str(tmp_path / "build" / f"{t}.parquet") for t in tables})
        plan = f"config/programmes/{NAME}.yaml"
        files |= {"plan": plan, "raw": str(tmp_path / "build/raw.json"), "code": []}
        files |= {"checks": files.design_checks, "models": files.propensity_models}
        files |= {"histogram": files.propensity_histogram}
        with contextlib.chdir(tmp_path):
            found = check_programme(NAME)
            if not found.problems:
                script("data")(plan, files)
                script("propensity")(files, files, 1)
                script("design")(files, files, np.random.default_rng(1))
        read = {t: files[t] for t in ("participants", "flow", "design_checks")}
        return found, {} if found.problems else {t: pd.read_parquet(f) for t, f in read.items()}

    return made


def checks_of(tables):
    return tables["design_checks"].set_index(["check", "group"])


def test_blocked_clusters(study):
    rule = {"rule": {"places": "places"}}
    columns = COLUMNS | {"cluster": "school", "blocks": ["site"]}
    found, tables = study(schools(), columns=columns, covariates=["age"], assignment=rule)
    assert found.lines[1].startswith("clusters: 24 (16 in arm 0, 8 in arm 1), of ")
    assert found.lines[2].startswith("blocks: 2, of ")
    checks = checks_of(tables)
    text = "clusters: 16 in arm 0, 8 in arm 1; 245,025 assignments possible"
    assert checks.loc[("assignments", "all"), "text"] == text
    assert checks.loc["places", "p_value"].tolist() == pytest.approx([1, 1, 1])
    assert checks.loc["balance"].index.tolist() == ["all", "women", "men"]
    assert checks.loc[("sample_ratio", "all"), "text"] == (
        "share of clusters assigned 0.333, stated 0.333"
    )


def test_repeated_offers_by_wave(study):
    frame = in_waves()
    again = frame[(frame["wave"] == 1) & (frame["treat"] == 1)].head(7).assign(wave=2)
    found, tables = study(pd.concat([frame, again]), columns=COLUMNS | {"wave": "wave"})
    assert found.lines[0].startswith(f"no problems: {len(frame)} persons in their waves (")
    assert "excluded: already offered in an earlier wave (7 rows)" in found.lines
    several = int((frame["id"].value_counts() > 1).sum())
    assert f"waves: 3; 200 persons in {len(frame)} rows, {several} of them in several waves" in (
        found.lines
    )
    assert not any(KEY in line for line in found.lines)
    assert (
        not tables["participants"].astype(str).apply(lambda c: c.str.contains(KEY)).any(axis=None)
    )
    assert ("share_by_gender", "women-men") in checks_of(tables).index


def test_an_arm_with_one_cluster_is_told(study):
    frame = schools()
    one = frame["school"].isin(["s00", "s01", "s02"]) | (frame["site"] == "south")
    frame = frame[one].assign(treat=(frame["school"] == "s00").astype(int))
    found, tables = study(frame, columns=COLUMNS | {"cluster": "school"})
    told = [line for line in found.lines if "1 in arm 1; the rows that need them" in line]
    assert [line.split(":")[0] for line in told] == [
        "clusters", "clusters of women", "clusters of men"
    ]  # fmt: skip
    assert checks_of(tables).loc[("assignments", "all"), "verdict"] == "warn"


def test_clusters_of_one_person_are_asked_about(study):
    columns = COLUMNS | {"cluster": "name"}
    found, _ = study(people(), columns=columns)
    assert "clusters: each holds one person. Is it the column that was meant?" in found.lines


def test_a_block_with_one_arm_is_told(study):
    frame = people().assign(site=lambda f: np.where(f["treat"].eq(1) & f["age"].gt(50), "x", "y"))
    alone = int((frame["site"] == "x").sum())
    found, tables = study(frame, columns=COLUMNS | {"blocks": ["site"]})
    assert (
        f"blocks: 1 lack an arm ({alone} persons); fixed effects keep them, block-weighted "
        "estimates leave them out"
    ) in found.lines
    assert checks_of(tables).loc[("blocks", "all"), "least"] == alone


def test_an_arm_without_women_is_told(study):
    frame = people().assign(sex=lambda f: np.where(f["treat"] == 1, "M", f["sex"]))
    found, tables = study(frame, covariates=["age"])
    assert "women: 0 in arm 1; the rows that need them will be empty" in found.lines
    assert checks_of(tables).loc[("balance", "women"), "text"] == "only one arm has persons"


def test_an_outcome_that_a_whole_arm_lacks_is_told(study):
    frame = people()
    frame["work"] = frame["work"].astype(float).mask(frame["treat"] == 1)
    found, tables = study(frame)
    line = "outcomes.work: nobody in arm 1 has a value; the rows that need them will be empty"
    assert line in found.lines
    row = checks_of(tables).loc[("attrition:work", "all")]
    assert row["verdict"] == "warn"
    assert row["text"].startswith("nobody in arm 1 has the outcome; missing: 0.000 in arm 0, 1.000")


def test_take_up_in_control_is_told(study):
    frame = people()
    frame.loc[frame.index[frame["treat"] == 0][:9], "attended"] = 1
    columns = COLUMNS | {"takeup": {"column": "attended", "taken": 1}}
    found, tables = study(frame, columns=columns)
    assert "takeup: 9 in control took part all the same" in found.lines
    flow = tables["flow"].set_index("step")
    assert flow.loc["took_part", "arm=0"] == 9


@pytest.mark.parametrize(
    ("change", "sections", "said"),
    [
        ({"attended": 0}, {"columns": {"takeup": {"column": "attended", "taken": 1}}},
         "attended: no row has `1`, which the plan names as `taken`. Mend the code; or, if"),
        ({"w": 0}, {"columns": {"weight": "w"}}, "w: 240 rows missing, or not above 0 and finite"),
        ({}, {"columns": {"cluster": "site"}}, "site (columns.cluster): 2 of 2 clusters hold more"),
        ({}, {"columns": {"cluster": "school", "blocks": ["education"]}},
         "school (columns.cluster): 24 of 24 clusters lie in several blocks (education)."),
    ],
)  # fmt: skip
def test_what_stops_a_run_is_said_in_one_line(study, change, sections, said):
    frame = schools() if "school" in str(sections) else people()
    columns = COLUMNS | sections.pop("columns")
    found, _ = study(frame.assign(**change), columns=columns, **sections)
    (problem,) = found.problems
    assert problem.startswith(f"data/raw/{NAME}/p.csv: column {said}")
