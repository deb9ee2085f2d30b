"""The whole stage on simulated extracts: every table linked, every row accounted for."""

import contextlib
import hashlib
import re

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate import schemas
from evaluate.data.privacy import KEY_VARIABLE
from evaluate.data.simulated.faults import COUNTED
from evaluate.data.simulated.study import study
from evaluate.data.stage import Stage, run_stage
from evaluate.errors import EvaluateError, Problems
from evaluate.io import checked
from evaluate.plan.load import load_plan
from evaluate.release.provenance import sources

LINKED = ("keys", "assignment", "spells", "activities", "incomes")
FILES = {"participants": "persons"} | {name: name for name in LINKED}


def run(made, plan=None) -> Stage:
    with contextlib.chdir(made.directory):
        return run_stage(plan or load_plan(made.plan), "build/engine")


def rows_of(made) -> dict[str, int]:
    raw = made.directory / "data/raw" / made.name
    return {t: len((raw / f"{f}.csv").read_bytes().splitlines()) - 1 for t, f in FILES.items()}


def reconciles(made, stage: Stage) -> None:
    """Check that each row of each table is kept, or in the quarantine once and for its reason."""
    flow, cleaning = stage.tables["flow"], stage.tables["cleaning"]
    persons = flow[flow["step"].isin(["received", "excluded", "included"])]
    persons = persons.assign(table="participants", step=persons["step"].replace("included", "kept"))
    told = pd.concat([persons, cleaning], ignore_index=True)
    rejected = stage.quarantine.to_pandas()
    for table, received in rows_of(made).items():
        rows = told[told["table"] == table]
        by_step = rows.groupby("step")[["n", "women", "men"]].sum()
        by_step = by_step.reindex(["received", "excluded", "kept"], fill_value=0)
        assert by_step.loc["received", "n"] == received, table
        assert (by_step.loc["received"] == by_step.loc["excluded"] + by_step.loc["kept"]).all()
        mine = rejected[rejected["table"] == table]
        assert mine["source_row"].is_unique
        assert mine["source_row"].between(1, received).all()
        excluded = rows[(rows["step"] == "excluded") & (rows["n"] > 0)]
        told_of = excluded.set_index("reason")["n"].astype(int).to_dict()
        assert mine["reason"].value_counts().to_dict() == told_of, table
    arms = [c for c in flow if c.startswith("arm=")]
    steps = persons.groupby("step")[arms].sum()
    assert (steps.loc["received"] == steps.loc["excluded"] + steps.loc["kept"]).all()


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    kinds=st.sets(st.sampled_from([f"{f.kind}:{t}" for f in COUNTED for t in f.tables])),
)
def test_totals_reconcile_on_random_dirty_extracts(tmp_path_factory, seed, kinds):
    made = study(tmp_path_factory.mktemp("dirty"), 300, seed, tuple(sorted(kinds)))
    stage = run(made)
    reconciles(made, stage)
    for name in (
        "participants", "flow", "cleaning", "dose", "states", "cost_records", "staff_hours",
    ):  # fmt: skip
        checked(stage.tables[name], getattr(schemas, name.upper()), name)
    checked(stage.outcomes.to_pandas(), schemas.OUTCOMES, "outcomes")
    assert stage.outcomes.num_rows == len(stage.tables["participants"])


def test_outcomes_of_exclusive_states_add_up_to_who_is_in_any(tmp_path):
    made = study(tmp_path, 400, 3, "counted")
    text = made.plan.read_text(encoding="utf-8")
    names = ("unsubsidised", "subsidised", "studies", "registered", "left_unknown")
    extra = (
        "".join(f"  only_{n}: {{spells: [{n}], months: [1, 12], unit: share}}\n" for n in names)
        + f"  any: {{spells: [{', '.join(names)}], months: [1, 12], unit: share}}\n"
    )
    made.plan.write_text(text.replace("outcomes:\n", "outcomes:\n" + extra, 1), encoding="utf-8")
    outcomes = run(made).outcomes.to_pandas()
    for month in range(1, 13):
        parts = outcomes[[f"only_{n}@{month}" for n in names]].sum(axis=1, skipna=False)
        np.testing.assert_array_equal(parts, outcomes[f"any@{month}"].astype(float))


@pytest.mark.parametrize(
    ("table", "column"),
    [("spells", "state"), ("activities", "kind"), ("activities", "record"), ("incomes", "amount")],
)
def test_an_identity_number_in_a_linked_table_stops_the_run(tmp_path, table, column):
    made = study(tmp_path, 300)
    path = made.directory / "data/raw/simulated" / f"{table}.csv"
    lines = path.read_bytes().split(b"\n")
    header = lines[0].decode("latin-1").lstrip("ï»¿").rstrip("\r").split(";")
    fields = lines[2].rstrip(b"\r").split(b";")
    fields[header.index(column)] = b"18900101-0017"
    lines[2] = b";".join(fields)
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(Problems, match=rf"{table}.csv: column {column}: 1 row with a number") as e:
        run(made)
    assert "18900101" not in str(e.value)


def test_a_column_of_identifiers_is_let_through_where_the_plan_says_so(tmp_path):
    made = study(tmp_path, 300, 1, ("identity_numbers",))
    with pytest.raises(Problems, match="column remark"):
        run(made)
    text = made.plan.read_text(encoding="utf-8")
    declared = "persons.csv, identifiers: [remark], "
    made.plan.write_text(text.replace("persons.csv, ", declared, 1), encoding="utf-8")
    assert run(made).outcomes.num_rows > 200


def test_persons_have_pseudonyms_by_the_key_in_the_environment_and_none_without(
    tmp_path, monkeypatch
):
    made = study(tmp_path, 300)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    assert run(made).tables["participants"]["person"].isna().all()
    monkeypatch.setenv(KEY_VARIABLE, "a secret of the agency")
    first, again = (run(made).tables["participants"]["person"] for _ in range(2))
    assert first.is_unique
    assert first.str.fullmatch("[0-9a-f]{24}").all()
    pd.testing.assert_series_equal(first, again)
    monkeypatch.setenv(KEY_VARIABLE, "another secret there")
    assert not run(made).tables["participants"]["person"].isin(first).any()


def test_tables_of_a_database_give_what_the_files_give(tmp_path, postgresql, monkeypatch):
    made = study(tmp_path, 300, 5, "counted")
    monkeypatch.setenv("EVALUATE_DB", postgresql)
    address = postgresql.replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(address)
    plan = load_plan(made.plan)
    changed = {}
    for name in ("spells", "assignment"):
        section = getattr(plan.data, name)
        path = made.directory / section.path
        content = path.read_bytes().decode("utf-8-sig" if name == "spells" else "cp1252")
        cells = [line.split(";") for line in content.splitlines()]
        frame = pd.DataFrame(cells[1:], columns=cells[0]).replace("", None)
        frame["number"] = range(len(frame))
        frame.to_sql(f"stage_{name}", engine, index=False)
        columns = ", ".join(f'"{c}"' for c in cells[0])
        query = f"select {columns} from stage_{name} order by number"
        source = {"path": None, "url_env": "EVALUATE_DB", "query": query}
        changed[name] = section.model_copy(update=source)
    from_database = plan.model_copy(update={"data": plan.data.model_copy(update=changed)})
    files, database = run(made), run(made, from_database)
    assert database.outcomes.equals(files.outcomes)
    assert database.quarantine.equals(files.quarantine)
    for name, table in files.tables.items():
        pd.testing.assert_frame_equal(table, database.tables[name])
    with contextlib.chdir(made.directory):
        told = {s["table"]: s for s in sources(from_database, database.databases)}
    assert told["spells"]["rows"] == rows_of(made)["spells"]
    assert told["spells"]["url_env"] == "EVALUATE_DB"
    assert "bytes" in told["participants"]
    assert told["codebook"]["path"].startswith("config/codebooks/")
    assert postgresql not in str(told)


def test_the_order_of_the_rows_of_a_linked_table_changes_no_outcome(tmp_path):
    made = study(tmp_path, 300, 5, "none")
    before = run(made).outcomes
    path = made.directory / "data/raw/simulated/spells.csv"
    head, *lines = path.read_bytes().splitlines()
    shuffled = np.random.default_rng(1).permutation(np.array(lines, dtype=object))
    path.write_bytes(b"\n".join([head, *shuffled]) + b"\n")
    assert run(made).outcomes.equals(before)


@pytest.mark.parametrize("table", ["spells", "activities", "incomes"])
def test_a_table_of_which_no_row_can_be_used_stops_the_run(tmp_path, table):
    """Keys in another spelling would otherwise make everybody's income nought."""
    made = study(tmp_path, 300)
    path = made.directory / f"data/raw/simulated/{table}.csv"
    head, *lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([head, *(b"x" + line for line in lines)]) + b"\n")
    with pytest.raises(EvaluateError, match=rf"{table}.csv: none of .* person not among"):
        run(made)


def test_a_file_in_the_place_of_the_engines_folder_is_said(tmp_path):
    made = study(tmp_path, 300)
    (made.directory / "build").write_text("x")
    with pytest.raises(EvaluateError, match="cannot be made"):
        run(made)


def test_an_identity_number_in_the_costs_stops_the_run(tmp_path):
    made = study(tmp_path, 300)
    path = made.directory / "data/raw/simulated/costs.csv"
    path.write_bytes(path.read_bytes().replace(b"Tolk", b"18900101-0017"))
    with pytest.raises(Problems, match=r"costs.csv: column item: .* shaped like a personal"):
        run(made)


@pytest.mark.parametrize("column", ["role", "site", "note"])
def test_an_identity_number_in_the_time_reports_stops_the_run(tmp_path, column):
    made = study(tmp_path, 300)
    path = made.directory / "data/raw/simulated/time_reports.csv"
    lines = path.read_bytes().decode("cp1252").splitlines()
    cells = pd.DataFrame([line.split(";") for line in lines[1:]], columns=lines[0].split(";"))
    cells.loc[3, column] = "18900101-0017"
    path.write_bytes(cells.fillna("").to_csv(sep=";", index=False).encode("cp1252"))
    expected = rf"time_reports.csv: column {column}: 1 row with a number shaped like a personal"
    with pytest.raises(Problems, match=expected) as error:
        run(made)
    assert "18900101" not in str(error.value)


def test_faults_of_costs_and_time_reports_are_told_at_once(tmp_path):
    made = study(tmp_path, 300)
    raw = made.directory / "data/raw/simulated"
    for name, before, after in (("costs", b"eu_fund", b"eu"), ("time_reports", b"public", b"x")):
        path = raw / f"{name}.csv"
        path.write_bytes(path.read_bytes().replace(before, after))
    with pytest.raises(Problems) as error:
        run(made)
    assert [text.split(":")[1] for text in error.value.problems] == [" column payer"] * 2
    for name in ("costs", "time_reports"):
        (raw / f"{name}.csv").unlink()
    with pytest.raises(Problems) as error:
        run(made)
    assert ["no such file" in text for text in error.value.problems] == [True, True]


def test_hours_alone_are_costs_and_are_not_needed_where_costs_are_a_figure(tmp_path):
    made = study(tmp_path, 300)
    plan = load_plan(made.plan)
    alone = plan.model_copy(update={"data": plan.data.model_copy(update={"costs": None})})
    both, hours = run(made).tables, run(made, alone).tables
    records = hours["cost_records"]
    assert set(records["item"]) == {"Handläggare", "Projekthandläggare", "flat rate"}
    last = both["cost_records"].tail(len(records)).reset_index(drop=True)
    pd.testing.assert_frame_equal(last, records, check_dtype=False)
    pd.testing.assert_frame_equal(both["staff_hours"], hours["staff_hours"])
    quantity = records["quantity"].where(records["basis"] == "economic").sum()
    assert quantity == pytest.approx(hours["staff_hours"]["hours_reported"].sum())
    figure = plan.costs.model_copy(update={"amount": 5.0, "roles": {}})
    stated = run(made, alone.model_copy(update={"costs": figure})).tables
    assert stated["cost_records"].empty
    assert stated["staff_hours"].empty


def test_time_reports_have_their_fingerprint(tmp_path):
    made = study(tmp_path, 300)
    with contextlib.chdir(made.directory):
        found = {s["table"]: s for s in sources(load_plan(made.plan), {})}
    raw = (made.raw / "time_reports.csv").read_bytes()
    assert found["time_reports"]["sha256"] == hashlib.sha256(raw).hexdigest()


def test_costs_may_come_from_a_database(tmp_path, monkeypatch):
    made = study(tmp_path, 300)
    monkeypatch.setenv("EVALUATE_COSTS", f"sqlite:///{tmp_path / 'costs.db'}")
    plan = load_plan(made.plan)
    content = (made.directory / plan.data.costs.path).read_bytes().decode("cp1252")
    cells = [line.split(";") for line in content.splitlines()]
    frame = pd.DataFrame(cells[1:], columns=cells[0])
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'costs.db'}")
    frame.to_sql("costs", engine, index=False)
    source = {"path": None, "url_env": "EVALUATE_COSTS", "query": "select * from costs"}
    costs = plan.data.costs.model_copy(update=source)
    changed = plan.model_copy(update={"data": plan.data.model_copy(update={"costs": costs})})
    stage = run(made, changed)
    with contextlib.chdir(made.directory):
        told = {s["table"]: s for s in sources(changed, stage.databases)}
    of_hours = stage.tables["cost_records"]["item"].isin(["Handläggare", "Projekthandläggare"])
    records = stage.tables["cost_records"][
        ~of_hours & (stage.tables["cost_records"]["item"] != "flat rate")
    ]
    assert told["costs"]["rows"] == len(frame) == len(records)


def test_yearly_incomes_have_an_outcome_a_year(tmp_path):
    made = study(tmp_path, 300)
    path = made.directory / "data/raw/simulated/incomes.csv"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    years = [re.sub(r";(\d{4})-\d\d;", r";\1;", line) for line in lines]
    path.write_text("\n".join(years) + "\n", encoding="utf-8")
    text = made.plan.read_text(encoding="utf-8")
    text = text.replace("incomes.csv, ", "incomes.csv, per: year, ")
    made.plan.write_text(text, encoding="utf-8")
    outcomes = run(made).outcomes
    assert [name for name in outcomes.column_names if name.startswith("income@")] == ["income@12"]


def test_a_column_of_identifiers_cannot_be_used(tmp_path):
    made = study(tmp_path, 300)
    text = made.plan.read_text(encoding="utf-8")
    declared = "persons.csv, identifiers: [children], "
    made.plan.write_text(text.replace("persons.csv, ", declared, 1), encoding="utf-8")
    with pytest.raises(Problems, match="covariates: column `children` is among the `identifiers`"):
        run(made)


def test_a_column_of_identifiers_of_a_linked_table_cannot_be_used(tmp_path):
    made = study(tmp_path, 300)
    text = made.plan.read_text(encoding="utf-8")
    made.plan.write_text(
        text.replace("spells.csv\n", "spells.csv\n    identifiers: [state]\n", 1), encoding="utf-8"
    )
    with pytest.raises(Problems, match=r"data\.spells\.state: column `state` is among"):
        run(made)


def test_a_missing_column_of_a_linked_table_is_told_with_its_key(tmp_path):
    made = study(tmp_path, 300)
    text = made.plan.read_text(encoding="utf-8")
    made.plan.write_text(
        text.replace("spells.csv\n", "spells.csv\n    state: status\n", 1), encoding="utf-8"
    )
    with pytest.raises(Problems, match=r"spells.csv: no column `status` \(data.spells.state\)"):
        run(made)


def test_small_memory_gives_the_same_result(tmp_path):
    made = study(tmp_path, 400, 2, "counted")
    with contextlib.chdir(made.directory):
        plan = load_plan(made.plan)
        large = run_stage(plan, "build/engine", memory_gb=2.0, threads=2)
        small = run_stage(plan, "build/engine", memory_gb=0.5, threads=1)
    assert small.outcomes.equals(large.outcomes)
    assert small.quarantine.equals(large.quarantine)
    assert pc.sum(small.quarantine["source_row"]) == pc.sum(large.quarantine["source_row"])
