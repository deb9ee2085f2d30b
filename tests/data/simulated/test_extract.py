"""Writing a simulated extract: the same bytes, the sizes asked for, labelled, or refused."""

import errno
import json
import shutil

import pandas as pd
import pytest

from data.simulated.raw import TABLES, text
from evaluate.data.simulated import extract as module
from evaluate.data.simulated import files
from evaluate.data.simulated.extract import extract, is_simulated
from evaluate.errors import PlanError, ReleaseError


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, form):
    for name in ("one", "two"):
        extract(tmp_path / name, 300, 5, "counted", form=form, with_truth=True)
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert one == two
    assert set(one) == {f"{table}.{form}" for table in TABLES} | {"README.txt", "truth.json"}


def test_another_seed_gives_other_persons(tmp_path):
    for seed in (5, 6):
        extract(tmp_path / str(seed), 300, seed, "none")
    persons = [content(tmp_path / str(seed))["persons.csv"] for seed in (5, 6)]
    assert persons[0] != persons[1]


@pytest.mark.parametrize("persons", [200, 400, 3_625])
def test_the_extract_has_the_persons_asked_for(tmp_path, persons):
    made = extract(tmp_path, persons, 1, "none")
    assert len(text(tmp_path, "persons")) == persons
    assert made.truth.persons == persons
    assert made.rows == {table: len(text(tmp_path, table)) for table in TABLES}
    assert [path.name for path in made.files] == [f"{table}.csv" for table in TABLES]


def test_3625_persons_are_at_16_offices_with_five_waves(tmp_path):
    extract(tmp_path, 3_625, 1, "none")
    assignment = text(tmp_path, "assignment")
    assert assignment["office"].nunique() == 16
    assert assignment["wave"].nunique() == 5
    assert assignment["office"].str.contains("[ÄÅÖäåö]").any()


def test_a_person_has_about_ten_spells(large):
    assert large.extract.rows["spells"] / large.extract.rows["persons"] == pytest.approx(10, abs=1)


def test_an_extract_in_parts_is_one_extract(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PART", 420)
    made = extract(tmp_path, 1_200, 1, "counted", with_truth=True)
    persons = text(tmp_path, "persons")
    keys = persons.loc[persons["person"] != "", "person"]
    expected = [f"SIM{number:08d}" for number in range(1, 1_201)]
    assert sorted(keys.unique()) == expected
    assert made.rows == {table: len(text(tmp_path, table)) for table in TABLES}
    activities = text(tmp_path, "activities")
    repeated = made.truth.planted["duplicates:activities"]
    assert activities["record"].duplicated().sum() == repeated > 0
    assert len(text(tmp_path, "costs")) == 5 * 5 + 1
    assert made.truth.randomised == len(text(tmp_path, "assignment")["person"].unique()) - (
        # keys of nobody and the missing one
        made.truth.planted["unknown_persons:assignment"] + 1
    )


def test_the_files_are_written_as_different_systems_write_them(small):
    raw = content(small.raw)
    assert raw["persons.csv"].startswith(b"\xef\xbb\xbfperson;")
    assert "Södra".encode() in raw["persons.csv"]
    assert b"\r\n" in raw["assignment.csv"]
    assert "Ängen".encode("cp1252") in raw["assignment.csv"]
    assert b"\r" not in raw["spells.csv"]
    cells = {name: text(small.raw, name) for name in TABLES}
    assert cells["assignment"]["offered"].str.fullmatch(r"\d\d/\d\d/\d{4}").all()
    assert cells["spells"]["start"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert cells["activities"]["date"].str.fullmatch(r"\d{8}").all()
    assert cells["incomes"]["amount"].str.fullmatch(r"(\d+,\d\d)?").all()
    assert cells["costs"]["unit_price"].str.fullmatch(r"\d+,\d\d").all()
    assert cells["persons"]["months_here"].str.fullmatch(r"\d+,\d").all()


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_other_formats_hold_the_same_cells(tmp_path, form):
    extract(tmp_path / "csv", 200, 3, "counted")
    extract(tmp_path / form, 200, 3, "counted", form=form)
    for name in TABLES:
        path = tmp_path / form / f"{name}.{form}"
        read = {"parquet": pd.read_parquet, "xlsx": pd.read_excel}[form]
        options = {"dtype": str, "keep_default_na": False} if form == "xlsx" else {}
        found = read(path, **options).fillna("").astype("str")
        pd.testing.assert_frame_equal(found, text(tmp_path / "csv", name).astype("str"))


def test_a_sheet_that_is_too_long_is_refused_and_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_ROWS", 500)
    with pytest.raises(PlanError, match=r"rows; a sheet holds 500\. Choose the format csv"):
        extract(tmp_path, 200, 1, "none", form="xlsx")
    assert not list(tmp_path.glob("*spells*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"persons": 199}, "persons: from 200"),
        ({"seed": -1}, "seed: 0 or above"),
        ({"form": "sav"}, "format `sav`: not among csv, parquet, xlsx"),
        ({"faults": ("truncated:spells",), "form": "parquet"}, "truncated: faults of CSV files"),
        ({"faults": "some"}, "`some`: not among none, counted-small, counted, all"),
        ({"faults": ("overlap",)}, "`overlap`: no such fault. Did you mean `overlaps`?"),
        ({"faults": ("overlaps:persons",)}, "`overlaps:persons`: this fault is for the tables sp"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(tmp_path, arguments, message):
    with pytest.raises(PlanError) as told:
        extract(tmp_path / "raw", **({"persons": 200} | arguments))
    assert message in str(told.value)
    assert not (tmp_path / "raw").exists()


def test_a_full_disk_is_told_and_leaves_no_half_written_table(tmp_path, monkeypatch):
    extract(tmp_path, 200, 1, "none")
    before = content(tmp_path)
    real = files.pa_csv.write_csv

    def full(table, *arguments):
        if "kind" in table.column_names:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(table, *arguments)

    monkeypatch.setattr(files.pa_csv, "write_csv", full)
    with pytest.raises(ReleaseError, match=r"activities\.csv: cannot be written: No space left"):
        extract(tmp_path, 300, 2, "none")
    assert content(tmp_path) == before


def test_what_is_written_is_labelled_simulated(small):
    assert (small.raw / "README.txt").read_text(encoding="utf-8").startswith("Simulated. Simul")
    assert is_simulated(small.raw)
    truth = json.loads((small.raw / "truth.json").read_text(encoding="utf-8"))
    assert truth["label"].startswith("Simulated")
    assert truth["seed"] == 1


def test_the_truth_is_written_only_if_asked_for(tmp_path):
    extract(tmp_path, 200, 1, "none")
    assert not (tmp_path / "truth.json").exists()


def test_a_folder_without_the_label_is_not_simulated(small, tmp_path):
    copy = shutil.copytree(small.raw, tmp_path / "copy")
    (copy / "README.txt").write_text("From the agency", encoding="utf-8")
    assert not is_simulated(copy)
    (copy / "README.txt").unlink()
    assert not is_simulated(copy)
