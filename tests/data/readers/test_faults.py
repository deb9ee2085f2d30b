"""Faults of a file: each is said in one message, wherever in the file it is, alone or together."""

import contextlib
import itertools

import numpy as np
import pandas as pd
import pytest

from data.readers.files import fault, streamed, whole, written
from evaluate.data.readers import encoding
from evaluate.errors import DataError

SPELLS = "person;start;end;state\n"
ROWS = [f"p{i};2019-01-{i % 28 + 1:02d};;{i % 9}\n" for i in range(200)]


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("row", [2, 30, 201])
@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "quoted"])
@pytest.mark.parametrize(
    "again",
    [
        SPELLS,
        "state;person;end;start\n",
        " person ; start;end;state\n",
        "person;start;from;code\n",
        "person;start;end;state;unit\n",
        "person;start;end\n",
        "person;start\n",
        "pnr;state;start;typ\n",
    ],
)
def test_a_header_in_mid_file_is_said_with_its_row(tmp_path, row, again, quoted):
    lines = [SPELLS, *ROWS]
    if quoted:
        lines[1] = 'p0;"2019-01-01";;"0"\n'
    path = written(tmp_path / "t.csv", "".join([*lines[: row - 1], again, *lines[row - 1 :]]))
    assert f"row {row} of the file is a header again" in fault(path)


@pytest.mark.usefixtures("blocks")
def test_a_header_again_is_told_before_the_rows_of_another_width(tmp_path):
    other = ["person;start;end;state;unit\n", *(f"{line[:-1]};x\n" for line in ROWS)]
    path = written(tmp_path / "t.csv", "".join([SPELLS, *ROWS, *other]))
    said = fault(path)
    assert "row 202 of the file is a header again" in said
    assert "put together of two" in said


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("id;1;2;3;4", "p1;4;3;2;1"),  # numbers as names are cells as well
        ("person;start;end;state", "person;2019-01-01;;1"),
        ("a;b;c;d;e", "a;x;x;x;x"),
        ("a;b;c;d;e", "a;a;a;a;a"),
        ("kön;ort", "man;ort"),
        ("person", "persona"),
    ],
)
def test_a_row_with_some_name_in_it_is_no_header(tmp_path, header, row):
    path = written(tmp_path / "t.csv", f"{header}\n{row}\n{row}\n")
    assert streamed(path)[1] == [row.split(";")] * 2


@pytest.mark.parametrize(("header", "row"), [("id;1;2", "id;1;2"), ("person", "person")])
def test_the_very_header_is_a_header(tmp_path, header, row):
    path = written(tmp_path / "t.csv", f"{header}\n{'x;8;9' if ';' in row else 'x'}\n{row}\n")
    assert "row 3 of the file is a header again" in fault(path)


def test_a_header_again_in_a_sheet_is_said_with_its_row(tmp_path):
    frame = pd.DataFrame([["p1", 1], ["person", "state"], ["p2", 2]], columns=["person", "state"])
    frame.to_excel(tmp_path / "t.xlsx", index=False, startrow=2)
    assert "row 5 of the file is a header again" in fault(tmp_path / "t.xlsx")


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("extra", ["", '"q";', '5" bred;'], ids=["plain", "quoted", "stray mark"])
def test_uneven_rows_are_counted_from_the_first(tmp_path, extra):
    lines = ["x;a;b\n", *(f"{extra or 'x;'}{i};{i}\n" for i in range(300))]
    for row in (77, 177, 277):
        lines[row - 1] = "x;1;2;3\n"
    lines.insert(10, "\n" * 9)  # empty lines are no rows
    path = written(tmp_path / "t.csv", "".join(lines))
    assert "3 rows with another number of fields than the header's 3" in fault(path)
    assert "the first in row 77 of the file" in fault(path)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("at", [3, 50, 290])
def test_a_mark_that_is_not_closed_is_said_with_its_line(tmp_path, at):
    lines = ["a;b\n", *('"x";1\n' for _ in range(300))]
    lines[at - 1] = '"x;1\n'
    path = written(tmp_path / "t.csv", "".join(lines))
    assert f"not closed where its text ends, near line {at + 1} " in fault(path)


@pytest.mark.usefixtures("blocks")
def test_a_mark_that_is_never_closed_is_said(tmp_path):
    path = written(tmp_path / "t.csv", "a;b\n" + "x;1\n" * 9 + '"x;1\n' + "x;1\n" * 99_999)
    assert "a quotation mark is opened and not closed" in fault(path)


@pytest.mark.usefixtures("blocks")
def test_an_encoding_is_found_however_late_it_shows(tmp_path):
    lines = "a;b\n" + "x;1\n" * 99
    for code in ("utf-8", "cp1252"):
        path = written(tmp_path / "t.csv", f"{lines}Öby;2\nÅs;3\n".encode(code))
        assert streamed(path)[1][-2:] == [["Öby", "2"], ["Ås", "3"]]
    two = f"{lines}Öby;2\n".encode() + f"{lines[4:]}Öby;3\n".encode("cp1252")
    assert "put together from two" in fault(written(tmp_path / "t.csv", two))
    two = f"{lines}Öby;2\n".encode("cp1252") + f"{lines[4:]}Öby;3\n".encode()
    assert "put together from two" in fault(written(tmp_path / "t.csv", two))
    neither = lines.encode() + b"\x81;1\n"
    assert "not utf-8 or cp1252. Declare the encoding under data.spells" in fault(
        written(tmp_path / "t.csv", neither)
    )
    assert "letters beyond ASCII are UTF-8" in fault(
        written(tmp_path / "t.csv", f"{lines}Öby;2\n{lines[4:]}"), encoding="cp1252"
    )
    assert "not utf-8" in fault(
        written(tmp_path / "t.csv", f"{lines}Öby;2\n".encode("cp1252")), encoding="utf-8"
    )
    assert "NUL" in fault(written(tmp_path / "t.csv", lines.encode() + b"x;\0\n"))


@pytest.mark.parametrize("code", ["utf-8", "cp1252", "utf-16"])
def test_a_file_cut_off_anywhere_has_a_fault_or_its_first_rows(tmp_path, code):
    text = 'kön;dag;ort\n"kvinna";2019-01-31;"Öby; norra"\nman;2019-02-01;Ås\n"man";;Växjö\n'
    content = text.encode(code)
    path = written(tmp_path / "t.csv", content)
    header, complete = whole(path)
    found = []
    for end in range(1, len(content)):
        written(path, content[:end])
        with contextlib.suppress(DataError):
            found.append(streamed(path, delimiter=";"))
    assert len(found) < 0.3 * len(content)
    for names, table in found:
        assert names == header
        assert table[:-1] == complete[: len(table) - 1]
        # Only within its last cell can a file end without a trace.
        assert table[-1][:-1] == complete[len(table) - 1][:-1]


def test_a_letter_cut_off_at_the_end_is_said(tmp_path):
    content = "a;b\n1;Växjö".encode()[:-1]
    assert "cut off" in fault(written(tmp_path / "t.csv", content))
    content = "a;b\n1;Vaxjö".encode()[:-1]
    assert "cut off" in fault(written(tmp_path / "t.csv", content))


def test_a_line_without_end_is_no_row(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "BLOCK", 1000)
    monkeypatch.setattr(encoding, "LONGEST_LINE", 5000)
    path = written(tmp_path / "t.csv", "a;b\n" + "x" * 20_000)
    assert "a line longer than" in fault(path)


def test_a_damaged_row_group_is_said(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": np.random.default_rng(1).random(50_000)}).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[2000:200_000] = bytes(198_000)
    assert "not a whole Parquet file" in fault(written(path, bytes(content)))


FAULTS = [b"x;1;2\n", b'"x;1\n', b"\x81;1\n", b"x;\0\n", b"kod;antal\n", b";\n", b"\n"]


@pytest.mark.parametrize(
    ("fault_a", "fault_b"),
    list(itertools.permutations(FAULTS, 2)),
)
def test_faults_together_still_give_one_message(tmp_path, fault_a, fault_b):
    content = b"kod;antal\n" + b"x;1\n" * 9 + fault_a + b"x;1\n" * 9 + fault_b + b"x;1\n"
    path = written(tmp_path / "t.csv", content)
    if {fault_a, fault_b} == {b";\n", b"\n"}:
        assert len(streamed(path)[1]) == 20
        return
    said = fault(path)
    assert "\n" not in said
    assert "kod" not in said
