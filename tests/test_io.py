"""Files between the stages: whole or not at all, checked, the same bytes each time."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from evaluate import schemas
from evaluate.errors import ReleaseError
from evaluate.io import (
    checked,
    read_csv,
    read_parquet,
    whole,
    write_csv,
    write_json,
    write_parquet,
    write_text,
)

ROWS = pd.DataFrame(
    {
        "table": ["participants", "spells"],
        "source_row": [1, 2],
        "reason": ["person key missing", "not met: ålder > 1"],
    }
)
BALANCE = pd.DataFrame(
    {
        "covariate": ["ålder", "NA"],
        "group": ["all", "women"],
        "mean_treated": [0.1 + 0.2, None],
        "mean_control": [1e-300, None],
        "smd": [-1 / 3, None],
        "variance_ratio": [1.0, None],
        "adjusted": [True, None],
        "arm": ["1", "2"],
        "weights": [None, "ipw"],
        "ks": [None, 0.25],
    }
)


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with whole(path) as draft:
        draft.write_text("half")
        assert not path.exists()
        draft.write_text("whole")
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["a.txt"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [None, "old"])
def test_a_failure_leaves_what_was_there(tmp_path, fault, before):
    path = tmp_path / "a.txt"
    if before:
        path.write_text(before)

    def fail():
        with whole(path) as draft:
            draft.write_text("half")
            raise fault

    with pytest.raises(fault):
        fail()
    assert [p.read_text() for p in tmp_path.iterdir()] == ([before] if before else [])


def test_a_killed_process_leaves_no_file_by_the_name(tmp_path):
    path = tmp_path / "a.txt"
    script = (
        "import sys, time\n"
        "from evaluate.io import whole\n"
        "with whole(sys.argv[1]) as draft:\n"
        "    draft.write_text('half')\n"
        "    print('written', flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert not path.exists()
    write_text("whole", path)  # what was left does not stand in the way
    assert os.listdir(tmp_path) == ["a.txt"]


def test_parquet_comes_back_and_twice_has_the_same_bytes(tmp_path):
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_parquet(ROWS, first, schemas.QUARANTINE)
    time.sleep(0.01)
    write_parquet(ROWS.copy(), second, schemas.QUARANTINE)
    assert first.read_bytes() == second.read_bytes()
    pd.testing.assert_frame_equal(
        read_parquet(first, schemas.QUARANTINE), checked(ROWS, schemas.QUARANTINE, "")
    )


def test_csv_comes_back_to_the_last_digit(tmp_path):
    path, again = tmp_path / "a.csv", tmp_path / "b.csv"
    write_csv(BALANCE, path, schemas.BALANCE)
    back = read_csv(path, schemas.BALANCE)
    pd.testing.assert_frame_equal(back, checked(BALANCE, schemas.BALANCE, ""), check_exact=True)
    assert back["covariate"].to_list() == ["ålder", "NA"]
    write_csv(back, again, schemas.BALANCE)
    assert path.read_bytes() == again.read_bytes()
    assert b"\r" not in path.read_bytes()


def test_codes_of_a_released_table_keep_their_zeros(tmp_path):
    path = tmp_path / "a.csv"
    write_csv(BALANCE.assign(arm=["01", "1.50"]), path, schemas.BALANCE)
    assert read_csv(path, schemas.BALANCE)["arm"].to_list() == ["01", "1.50"]


def test_json_is_sorted_and_readable(tmp_path):
    path = tmp_path / "a.json"
    write_json({"b": 1, "a": "å"}, path)
    assert path.read_text(encoding="utf-8") == '{\n  "a": "å",\n  "b": 1\n}\n'


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (ROWS.assign(source_row=[1, "Zxqv"]), "source_row"),
        (ROWS.assign(source_row=[1, -987654]), r"source_row: greater_than_or_equal_to\(1\)"),
        (ROWS.assign(reason=[None, "Zxqv"]), "reason: not_nullable"),
        (ROWS.assign(more="Zxqv"), "column_in_schema"),
        (ROWS[["source_row"]], "column_in_dataframe"),
        (ROWS[["reason", "source_row"]], "column_ordered"),
    ],
)
def test_a_broken_table_is_refused_without_its_values(tmp_path, frame, said):
    path = tmp_path / "q.parquet"
    with pytest.raises(ReleaseError, match=said) as error:
        write_parquet(frame, path, schemas.QUARANTINE)
    assert str(error.value).startswith(f"{path}: not a quarantine table: ")
    assert not any(value in str(error.value) for value in ("Zxqv", "987654"))
    assert not path.exists()


def test_a_table_that_was_changed_since_is_refused(tmp_path):
    path = tmp_path / "q.parquet"
    ROWS.assign(reason=None).to_parquet(path)
    with pytest.raises(ReleaseError, match="not a quarantine table"):
        read_parquet(path, schemas.QUARANTINE)
