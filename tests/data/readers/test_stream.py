"""Tables of any size: a stream gives what is read whole, block by block, and the same faults."""

import csv
import datetime
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.readers.files import fault, streamed, whole, written
from data.readers.test_read import BROKEN, SAME
from evaluate.data.readers import encoding, parquet, rows
from evaluate.data.readers.convert import numbers
from evaluate.data.readers.dates import dates
from evaluate.data.readers.read import read_table
from evaluate.data.readers.stream import open_stream
from evaluate.errors import DataError, Problems
from evaluate.plan.sources import Table

ENCODINGS = {"utf-8": "auto", "utf-8-sig": "auto", "cp1252": "auto", "utf-16": "auto",
             "utf-16-le": "utf-16-le", "mac-roman": "mac-roman"}  # fmt: skip
DELIMITERS = [",", ";", "\t", "|"]
FORMS = {"YYYY-MM-DD": "%Y-%m-%d", "YYYYMMDD": "%Y%m%d", "DD/MM/YYYY": "%d/%m/%Y"}
ENDS = ["\n", "\r\n", "\r"]


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(("content", "declared"), SAME.values(), ids=SAME)
def test_a_stream_gives_what_is_read_whole(tmp_path, content, declared):
    path = written(tmp_path / "t.csv", content)
    assert streamed(path, **declared) == whole(path, **declared)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(("content", "declared", "said"), BROKEN.values(), ids=BROKEN)
def test_a_stream_gives_the_message_of_reading_whole(tmp_path, content, declared, said):
    fault(written(tmp_path / "t.csv", content), **declared)


def field(cell, delimiter, quoted):
    if quoted or any(mark in cell for mark in (delimiter, '"', "\n")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


NUMBERS = st.integers(-(10**9), 10**9)
DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))
NAMES = st.sampled_from(["Åsa", "Öst; vik", "a,b", "x|y", "kön", '5" bred', "", "två\nrader", "1"])


@pytest.mark.parametrize("length", range(1, 97, 5))
@pytest.mark.parametrize("size", [100, 1 << 20])
def test_a_text_of_two_lines_in_the_first_row_may_lie_in_two_blocks(
    tmp_path, monkeypatch, length, size
):
    """Also where lines end in a carriage return alone, the last of them as well."""
    monkeypatch.setattr(encoding, "BLOCK", size)
    path = tmp_path / "t.csv"
    path.write_bytes(f'a,b\r{"1" * length},"two\rlines"\r'.encode())
    assert read_table(Table(path=str(path))).cells.to_numpy().tolist() == [
        ["1" * length, "two\nlines"]
    ]


@given(
    table=st.lists(st.tuples(NUMBERS, DAYS, NAMES), min_size=1, max_size=12),
    code=st.sampled_from(list(ENCODINGS)),
    delimiter=st.sampled_from(DELIMITERS),
    decimal=st.sampled_from(".,"),
    thousands=st.sampled_from(["", " ", "\u00a0", "other"]),
    form=st.sampled_from(list(FORMS)),
    end=st.sampled_from(ENDS),
    quoted=st.booleans(),
    size=st.sampled_from([17, 100, 1 << 20]),
)
def test_a_table_is_the_same_in_whatever_way_it_is_written(
    tmp_path_factory, table, code, delimiter, decimal, thousands, form, end, quoted, size
):
    if code == "mac-roman" and thousands == "\u00a0":
        thousands = " "
    other = "." if decimal == "," else ","
    mark = other if thousands == "other" else thousands

    def number(hundredths):
        units, part = divmod(abs(hundredths), 100)
        sign = "-" if hundredths < 0 else ""
        return f"{sign}{units:,}".replace(",", mark) + f"{decimal}{part:02d}"

    lines = [["belopp", "dag", "namn på ort"]]
    lines += [[number(n), day.strftime(FORMS[form]), name] for n, day, name in table]
    text = end.join(
        delimiter.join(field(cell, delimiter, quoted).replace("\n", end) for cell in line)
        for line in lines
    )
    path = tmp_path_factory.mktemp("t") / "t.csv"
    written(path, f"{text}{end}".encode(code))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK", size)
        declared = {"encoding": ENCODINGS[code], "decimal": decimal, "delimiter": delimiter}
        assert streamed(path, **declared) == whole(path, **declared)
        cells = read_table(Table(path=str(path), **declared)).cells
    amounts = numbers(cells["belopp"], decimal)
    assert not amounts.not_numbers.any()
    assert amounts.values.tolist() == [float(f"{n}e-2") for n, _, _ in table]
    days = dates(cells["dag"])
    assert days.values.tolist() == [day for _, day, _ in table]
    assert cells["namn på ort"].tolist() == [name for _, _, name in table]


@given(
    table=st.lists(
        st.lists(st.text('ab";å \n', max_size=5), min_size=3, max_size=3), min_size=1, max_size=20
    ),
    quoted=st.booleans(),
    size=st.integers(1, 60),
)
def test_quoted_rows_are_those_of_the_csv_module(tmp_path_factory, table, quoted, size):
    text = "".join(
        ";".join(field(cell, ";", quoted) for cell in row) + "\n"
        for row in [["x1", "x2", "x3"], ["1", "2", "3"], *table, ["1", "2", "3"]]
    )
    expected = [
        [cell.strip() for cell in row]
        for row in list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))[1:]
        if row
    ]
    path = written(tmp_path_factory.mktemp("t") / "t.csv", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK", size)
        patch.setattr(rows, "CHUNK", 200)
        assert streamed(path) == (["x1", "x2", "x3"], expected)


@given(lines=st.lists(st.text('ab";', max_size=9), min_size=1, max_size=8), size=st.integers(1, 60))
def test_any_marks_are_judged_as_by_the_csv_module(tmp_path_factory, lines, size):
    text = "".join(f"{line}\n" for line in ["x1;x2", "1;2", *lines, "3;4"])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    try:
        expected = [row for row in reader if row][1:]
    except csv.Error:
        expected = None
    path = written(tmp_path_factory.mktemp("t") / "t.csv", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK", size)
        patch.setattr(rows, "CHUNK", 100)
        if expected is None:
            assert "quotation mark" in fault(path)
        elif any(len(row) != 2 for row in expected):
            uneven = [i for i, row in enumerate(expected, 2) if len(row) != 2]
            said = fault(path)
            assert f"{len(uneven)} row" in said
            assert f"the first in row {uneven[0]} of the file" in said
        else:
            assert streamed(path)[1] == [[cell.strip() for cell in row] for row in expected]


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    "tail", ["\n\n", ";;\n;;\n", '"";"";""\n', " ; ;\n\u00a0;;\n", ";;\n\n;;\n"]
)
def test_rows_at_the_end_that_hold_nothing_are_no_rows(tmp_path, tail):
    text = "a;b;c\n1;2;3\n;;\n\n4;;\n"
    path = written(tmp_path / "t.csv", text + tail * 30)
    assert (
        streamed(path)
        == whole(path)
        == (["a", "b", "c"], [["1", "2", "3"], [""] * 3, ["4", "", ""]])
    )
    wanted = [("data.spells.state", "c")]
    assert streamed(path, wanted) == (["c"], [["3"], [""], [""]])


@pytest.mark.usefixtures("blocks")
def test_rows_that_hold_nothing_but_a_number_that_is_not_wanted_are_rows(tmp_path):
    path = written(tmp_path / "t.csv", "a;b\n" + "1;\n" * 50)
    assert len(streamed(path, [("x", "b")])[1]) == 50


@pytest.mark.usefixtures("blocks")
def test_a_column_without_a_name_may_not_hold_anything(tmp_path):
    path = written(tmp_path / "t.csv", "a;b;\n" + "1;2;\n" * 60)
    assert streamed(path)[0] == ["a", "b"]
    written(path, "a;b;\n" + "1;2;\n" * 60 + "1;2;3\n")
    assert "1 of 3 columns have no name" in fault(path)


WANTED = [("data.spells.person", "person"), ("data.spells.state", "state")]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx", ".dta"])
def test_wanted_columns_are_given_in_their_order_with_their_rows(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH", 2)
    frame = pd.DataFrame({"state": [1, 2, 3], "other": ["x", "y", "z"], "person": ["a", "b", "c"]})
    path = tmp_path / f"t{suffix}"
    {
        ".csv": lambda: frame.to_csv(path, index=False),
        ".parquet": lambda: frame.to_parquet(path),
        ".xlsx": lambda: frame.to_excel(path, index=False),
        ".dta": lambda: frame.to_stata(path, write_index=False),
    }[suffix]()
    assert streamed(path, WANTED) == (["person", "state"], [["a", "1"], ["b", "2"], ["c", "3"]])
    assert streamed(path) == whole(path)
    twice = [*WANTED, ("outcomes.x", "state")]
    assert streamed(path, twice)[0] == ["person", "state"]
    stream = open_stream(Table(path=str(path)), "spells", WANTED)
    assert stream.header == ["state", "other", "person"]
    assert stream.path == str(path)
    assert stream.how
    said = r"no column `stat` \(data.spells.state\) among the 3 .* Did you mean `state`\?"
    with pytest.raises(Problems, match=said):
        open_stream(Table(path=str(path)), "spells", [WANTED[0], ("data.spells.state", "stat")])


def test_the_name_of_the_row_numbers_is_taken(tmp_path):
    path = written(tmp_path / "t.csv", "person;source_row\n1;2\n")
    with pytest.raises(DataError, match="`source_row`: the numbers of the rows are called so"):
        open_stream(Table(path=str(path)), "spells")
    assert streamed(path, [("a", "person")]) == (["person"], [["1"]])


def test_messages_name_the_table_of_the_plan(tmp_path):
    with pytest.raises(DataError, match=r"no such file.* mend data\.spells\.path"):
        open_stream(Table(path=str(tmp_path / "no.csv")), "spells")
    with pytest.raises(DataError, match=r"a folder.* Mend data\.keys\.path"):
        read_table(Table(path=str(tmp_path)), "keys")


def test_a_table_of_many_blocks_is_read_in_some_batches(tmp_path):
    n = 900_000
    frame = pd.DataFrame({"person": np.arange(n), "start": "2019-01-31", "end": "2019-02-28"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    batches = list(open_stream(Table(path=str(tmp_path / "t.csv")), "spells").batches)
    assert 1 < len(batches) < 9
    assert sum(map(len, batches)) == n
    found = np.concatenate([batch["person"].cast("int64") for batch in batches])
    assert (found == frame["person"]).all()
    rows_found = np.concatenate([batch["source_row"] for batch in batches])
    assert (rows_found == np.arange(1, n + 1)).all()
