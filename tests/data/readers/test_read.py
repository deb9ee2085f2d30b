"""Readers: the same table whatever made the file, and one clear message for a broken one."""

import datetime
import decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from data.extract import read
from evaluate.data.readers.read import read_table
from evaluate.errors import DataError
from evaluate.plan.sources import Table

TABLE = "kön;lön;ort\nkvinna;1 234,50;Ås\nman;;Öby\n"
CELLS = [["kvinna", "1 234,50", "Ås"], ["man", "", "Öby"]]

SAME = {
    "UTF-8": (TABLE.encode(), {}),
    "UTF-8 with mark": (b"\xef\xbb\xbf" + TABLE.encode(), {}),
    "UTF-8 declared": (TABLE.encode(), {"encoding": "utf-8"}),
    "CP1252": (TABLE.encode("cp1252"), {}),
    "CP1252 declared": (TABLE.encode("cp1252"), {"encoding": "cp1252"}),
    "UTF-16": (TABLE.encode("utf-16"), {}),
    "UTF-16 big end first": (b"\xfe\xff" + TABLE.encode("utf-16-be"), {}),
    "UTF-16 without mark": (TABLE.encode("utf-16-le"), {"encoding": "utf-16-le"}),
    "MacRoman": (TABLE.encode("mac-roman"), {"encoding": "mac-roman"}),
    "tab": (TABLE.replace(";", "\t").encode(), {}),
    "bar": (TABLE.replace(";", "|").encode(), {}),
    "comma, quoted": (TABLE.replace("1 234,50", '"1 234,50"').replace(";", ",").encode(), {}),
    "colon declared": (TABLE.replace(";", ":").encode(), {"delimiter": ":"}),
    "all quoted": (('"' + TABLE[:-1].replace(";", '";"').replace("\n", '"\n"') + '"').encode(), {}),
    "Windows line ends": (TABLE.replace("\n", "\r\n").encode(), {}),
    "old Mac line ends": (TABLE.replace("\n", "\r").encode(), {}),
    "no last line end": (TABLE[:-1].encode(), {}),
    "line for Excel": (("sep=;\r\n" + TABLE).encode(), {}),
    "quoted line for Excel": (('"sep=;"\n' + TABLE).encode(), {}),
    "mark and line for Excel": (("\ufeffSEP=;\n" + TABLE).encode(), {}),
    "lines end in delimiters": (TABLE.replace("\n", ";\n").encode(), {}),
    "header ends in a delimiter": (TABLE.replace("ort\n", "ort;\n").encode(), {}),
    "rows end in a delimiter": (TABLE.replace("s\n", "s;\n").replace("y\n", "y;\n").encode(), {}),
    "nameless empty columns": (TABLE.replace("\n", ";;\n").encode(), {}),
    "empty lines at the end": ((TABLE + "\n\n   \n").encode(), {}),
    "empty rows at the end": ((TABLE + ";;\n;;\n").encode(), {}),
    "end of file mark": ((TABLE + "\x1a").encode(), {}),
    "empty lines before": (("\n\n" + TABLE).encode(), {}),
    "empty line between": (TABLE.replace("man", "\nman").encode(), {}),
    "spaces around": (TABLE.replace(";", " ; ").encode(), {}),
}  # fmt: skip

BROKEN = {
    "empty": (b"", {}, "0 bytes"),
    "only a mark": (b"\xef\xbb\xbf", {}, "the file is empty"),
    "only empty lines": (b"\n \n\n", {}, "the file is empty"),
    "header only": (b"a;b\n", {}, "2 columns and 0 rows"),
    "header only, no line end": (b"a;b", {}, "2 columns and 0 rows"),
    "header and empty rows": (b"a;b\n;\n;\n", {}, "2 columns and 0 rows"),
    "ragged": (b"a;b\n1;2\n1;2;3\n1\n", {}, "2 rows with another number of fields .* in row 3"),
    "first row too long": (b"a;b\n1;2;3\n1;2\n", {}, "1 row with another number .* in row 2"),
    "cut off in a row": (b"a;b\n1;2\n1", {}, "1 row with another number of fields"),
    "unclosed quote": (b'a;b\n"x;2\n3;4\n', {}, "quotation mark is opened and not closed"),
    "quotes that swallow rows": (b'a;b\n"x;1\n"y;2\n', {}, "quotation mark .* near line 3"),
    "wrong delimiter": (
        b"a;b\n1,5;2\n",
        {"delimiter": ","},
        "header's 1 .* Is the delimiter right",
    ),
    "NUL": (b"a;b\n1;\x002\n", {}, "NUL"),
    "UTF-16 without mark": (TABLE.encode("utf-16-le"), {}, "declare `encoding: utf-16-le`"),
    "UTF-16 cut off": (TABLE.encode("utf-16")[:-1], {}, "not utf-16"),
    "two encodings": ("å;b\n".encode() + "ö;1\n".encode("cp1252"), {}, "put together from two"),
    "cut off in a letter": ("å;b\n1;ö".encode()[:-1], {}, "cut off"),
    "neither encoding": (b"a;b\n\x81;2\n", {}, "not utf-8 or cp1252"),
    "not the declared": (TABLE.encode("cp1252"), {"encoding": "utf-8"}, "not utf-8"),
    "UTF-8 declared as another": (TABLE.encode(), {"encoding": "cp1252"}, "letters .* are UTF-8"),
    "unknown encoding": (TABLE.encode(), {"encoding": "klingon"}, "`klingon` is unknown"),
    "no encoding of text": (TABLE.encode(), {"encoding": "base64"}, "`base64` is unknown"),
    "doubles": (b"a;b;a\n1;2;3\n", {}, "columns 1, 3 of the header share a name"),
    "nameless": (b"a;;b\n1;2;3\n", {}, "1 of 3 columns have no name"),
    "nameless at the end": (b"a;b;\n1;2;\n1;2;3\n", {}, "1 of 3 columns have no name"),
    "very long cell": (b"a;b\n" + b"x" * 200_000 + b";2\n", {}, "not closed"),
    "Excel named text": (b"PK\x03\x04...", {}, r"an Excel file by its content. Name it t.xlsx"),
    "Parquet named text": (b"PAR1...", {}, "a Parquet file by its content"),
    "old Excel": (b"\xd0\xcf\x11\xe0...", {}, "an old Excel file"),
}


@pytest.mark.parametrize(("content", "declared"), SAME.values(), ids=SAME)
def test_the_table_is_the_same_whatever_made_the_file(tmp_path, content, declared):
    raw = read(tmp_path / "t.csv", content, **declared)
    assert list(raw.cells.columns) == ["kön", "lön", "ort"]
    assert raw.cells.to_numpy().tolist() == CELLS


@pytest.mark.parametrize(("content", "declared", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gives_one_message(tmp_path, content, declared, said):
    with pytest.raises(DataError, match=said) as error:
        read(tmp_path / "t.csv", content, **declared)
    assert str(error.value).startswith(str(tmp_path / "t.csv"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ('"x;y";2', ["x;y", "2"]),
        ('"x\ny";2', ["x\ny", "2"]),
        ('"x ""q"" y";2', ['x "q" y', "2"]),
        ('x "q" y;2', ['x "q" y', "2"]),
        ('5" bred;2', ['5" bred', "2"]),
        ('"";""', ["", ""]),
        ("=1+1;#N/A", ["=1+1", "#N/A"]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quotation_marks_hold_delimiters_and_line_ends(tmp_path, row, cells, end):
    raw = read(tmp_path / "t.csv", f"a;b\n{row}\nz;z\n".replace("\n", end))
    assert raw.cells.to_numpy().tolist() == [cells, ["z", "z"]]


def test_names_have_single_spaces_and_keep_their_letters(tmp_path):
    raw = read(tmp_path / "t.csv", '" Ålder\u00a0vid\nstart ";lön (kr/mån)\n1;2\n')
    assert list(raw.cells.columns) == ["Ålder vid start", "lön (kr/mån)"]


@pytest.mark.parametrize("name", ["no.csv", "no\\such.csv", "no.parquet", "no.xlsx"])
def test_a_missing_file_is_named(tmp_path, name):
    said = "no such file" + (".* Write / between" if "\\" in name else "")
    with pytest.raises(DataError, match=said):
        read_table(Table(path=str(tmp_path / name)))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="a folder, not a file"):
        read_table(Table(path=str(tmp_path)))


def test_a_file_that_may_not_be_opened_is_named(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text(TABLE)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"t.csv: cannot be read: Permission denied"):
        read_table(Table(path=str(path)))


def frame():
    day = datetime.datetime(2019, 1, 31)
    table = pd.DataFrame(
        {
            "whole": [1, 2],
            "float": [1.5, None],
            "bool": [True, False],
            "day": pd.to_datetime(["2019-01-31", None]),
            "moment": [day + datetime.timedelta(hours=8), None],
            "text": ["Ås ", None],
        }
    )
    return table


TEXTS = [
    ["1", "1.5", "True", "2019-01-31", "2019-01-31 08:00:00", "Ås"],
    ["2", "", "False", "", "", ""],
]


def test_parquet_is_read_as_the_same_texts(tmp_path):
    table = frame().assign(
        some=pd.array([1, None], dtype="Int64"), kind=pd.Categorical(["a", None])
    )
    table.to_parquet(tmp_path / "t.parquet")
    raw = read_table(Table(path=str(tmp_path / "t.parquet")))
    assert raw.cells.to_numpy().tolist() == [[*TEXTS[0], "1", "a"], [*TEXTS[1], "", ""]]


def test_parquet_keeps_row_labels_that_have_a_name(tmp_path):
    table = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="id"))
    table.to_parquet(tmp_path / "named.parquet")
    raw = read_table(Table(path=str(tmp_path / "named.parquet")))
    assert raw.cells.to_dict("list") == {"n": ["1", "2"], "id": ["a", "b"]}
    table.rename_axis(None).to_parquet(tmp_path / "nameless.parquet")
    assert list(read_table(Table(path=str(tmp_path / "nameless.parquet"))).cells) == ["n"]


CELLS_OF = {
    "whole numbers with gaps": (pa.array([199001011234.0, None]), ["199001011234", ""]),
    "greatest whole numbers": (pa.array([2**63 - 1, None]), ["9223372036854775807", ""]),
    "fractions": (pa.array([12345678901.5, 1.5e-7]), ["12345678901.5", "0.00000015"]),
    "no numbers": (pa.array([float("nan"), float("inf")]), ["", "inf"]),
    "single precision": (pa.array([0.1, -2.0], pa.float32()), ["0.1", "-2"]),
    "decimals": (pa.array([decimal.Decimal("1.50"), None]), ["1.50", ""]),
    "days": (pa.array([datetime.date(1969, 12, 31), None]), ["1969-12-31", ""]),
    "nanoseconds": (
        pa.array([0, 1_500_000_000], pa.timestamp("ns")),
        ["1970-01-01", "1970-01-01 00:00:01.500000"],
    ),
    "moments with a zone": (
        pa.array([datetime.datetime(2019, 1, 30, 23), None], pa.timestamp("s", "Europe/Stockholm")),
        ["2019-01-31", ""],
    ),
    "times": (pa.array([datetime.time(8), datetime.time(8, 0, 1)]), ["08:00:00", "08:00:01"]),
    "nothing": (pa.nulls(2), ["", ""]),
    "texts": (pa.array([" Ås\u00a0", None], pa.large_string()), ["Ås", ""]),
}


@pytest.mark.parametrize(("column", "texts"), CELLS_OF.values(), ids=CELLS_OF)
def test_a_typed_cell_is_spelled_as_in_a_csv(tmp_path, column, texts):
    pq.write_table(pa.table({"n": ["1", "2"], "x": column}), tmp_path / "t.parquet")
    assert read_table(Table(path=str(tmp_path / "t.parquet"))).cells["x"].tolist() == texts


@pytest.mark.parametrize(
    "column", [pa.array([["Zxqv"]]), pa.array([b"Zxqv"]), pa.array([{"a": 1}])]
)
def test_what_is_no_cell_is_said_by_its_column(tmp_path, column):
    pq.write_table(pa.table({"n": ["1"], "x": column}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="column 2 holds") as error:
        read_table(Table(path=str(tmp_path / "t.parquet")))
    assert "Zxqv" not in str(error.value)


@pytest.mark.parametrize("sheet", ["Två", 2])
def test_excel_is_read_as_the_same_texts(tmp_path, sheet):
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"x": [9]}).to_excel(book, sheet_name="Ett", index=False)
        frame().to_excel(book, sheet_name="Två", index=False)
    assert read_table(Table(path=str(path))).cells.to_numpy().tolist() == [["9"]]
    raw = read_table(Table(path=str(path), sheet=sheet))
    assert list(raw.cells.columns) == list(frame().columns)
    assert raw.cells.to_numpy().tolist() == TEXTS


def workbook(path, rows):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return Table(path=str(path))


def test_excel_may_have_empty_rows_and_columns_around(tmp_path):
    rows = [[None] * 3, ["a", "b", None], [1, "x", None], [None] * 3, [2, "y", " "], [None] * 3]
    raw = read_table(workbook(tmp_path / "t.xlsx", rows))
    assert raw.cells.to_numpy().tolist() == [["1", "x"], ["", ""], ["2", "y"]]


@pytest.mark.parametrize(
    ("rows", "declared", "said"),
    [
        ([["a"], [1]], {"sheet": "Blad"}, "no sheet `Blad` among 1"),
        ([["a"], [1]], {"sheet": "Shet"}, "Did you mean `Sheet`"),
        ([["a"], [1]], {"sheet": 2}, "no sheet number 2; there are 1"),
        ([["a", "a"], [1, 2]], {}, "columns 1, 2 of the header share a name"),
        ([["a", None], [1, 2]], {}, "1 of 2 columns have no name"),
        ([["a", "b"]], {}, "2 columns and 0 rows"),
        ([], {}, "is empty"),
    ],
)
def test_a_workbook_without_the_table_gives_one_message(tmp_path, rows, declared, said):
    table = workbook(tmp_path / "t.xlsx", rows).model_copy(update=declared)
    with pytest.raises(DataError, match=said):
        read_table(table)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_a_truncated_file_is_not_whole(tmp_path, suffix, share):
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    if suffix == ".parquet":
        frame().to_parquet(whole)
    else:
        frame().to_excel(whole, index=False)
    content = whole.read_bytes()
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="not a whole"):
        read_table(Table(path=str(cut)))


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_a_text_file_with_another_name_is_not_whole(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    path.write_text(TABLE)
    with pytest.raises(DataError, match="not a whole"):
        read_table(Table(path=str(path)))
