"""Stata, SPSS and SAS: the same texts as a CSV would have, codes or labels, whole or not."""

import datetime

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from data.readers import sas
from evaluate.data.readers import statistical
from evaluate.data.readers.read import read_table
from evaluate.data.readers.stream import open_stream
from evaluate.errors import DataError
from evaluate.plan.sources import Table

LABELS = {1: "Kvinna", 2: "Man"}
DAY, MOMENT = datetime.date(2019, 1, 31), datetime.datetime(2019, 1, 31, 8, 30)
FRAME = pd.DataFrame(
    {
        "id": ["p1", "p2", "Åsa"],
        "key": [199001011234.0, 199001021234.0, 1.0],
        "whole": [1, 2, -3],
        "pay": [1.5, np.nan, 0.1],
        "day": [DAY, None, datetime.date(1959, 12, 31)],
        "moment": [MOMENT, None, datetime.datetime(2019, 1, 31)],
        "sex": [1, 2, 9],
        "clock": [datetime.time(8, 0), None, datetime.time(9, 1, 2)],
    }
)
TEXTS = [
    ["p1", "199001011234", "1", "1.5", "2019-01-31", "2019-01-31 08:30:00", "1", "08:00:00"],
    ["p2", "199001021234", "2", "", "", "", "2", ""],
    ["Åsa", "1", "-3", "0.1", "1959-12-31", "2019-01-31", "9", "09:01:02"],
]
SAS_ORIGIN = datetime.datetime(1960, 1, 1)


def write_stata(path, frame=FRAME):
    pyreadstat.write_dta(frame, str(path), variable_value_labels={"sex": LABELS})


def write_spss(path, frame=FRAME):
    pyreadstat.write_sav(
        frame, str(path), variable_value_labels={"sex": LABELS}, compress=path.suffix == ".zsav"
    )


def write_sas(path, frame=FRAME):
    """Write as SAS counts: days, seconds, seconds since midnight; labels in a catalogue."""
    if not sas.can_write():
        pytest.skip("the library in pyreadstat does not show how to write SAS files here")

    def seconds(time):
        return None if time is None else time.hour * 3600 + time.minute * 60.0 + time.second

    def listed(values):
        return [None if pd.isna(v) else v for v in values]

    columns = {
        name: values.tolist()
        if name == "id"
        else [None if pd.isna(v) else float(v) for v in values]
        for name, values in frame.drop(columns=["day", "moment", "clock"]).items()
    }
    columns |= {
        "day": [d and float((d - SAS_ORIGIN.date()).days) for d in listed(frame["day"])],
        "moment": [m and (m - SAS_ORIGIN).total_seconds() for m in listed(frame["moment"])],
        "clock": [seconds(t) for t in listed(frame["clock"])],
    }
    formats = {"day": "YYMMDD10", "moment": "DATETIME20", "clock": "TIME8", "sex": "SEXF1"}
    sas.write_sas7bdat(path, {name: columns[name] for name in frame}, formats)
    sas.write_sas7bcat(path.with_suffix(".sas7bcat"), {"SEXF": LABELS})


WRITERS = {".dta": write_stata, ".sav": write_spss, ".zsav": write_spss, ".sas7bdat": write_sas}


@pytest.fixture(params=WRITERS)
def file(request, tmp_path):
    """Write the table in one of the formats."""
    path = tmp_path / f"t{request.param}"
    WRITERS[request.param](path)
    return path


def read(path, **declared):
    return read_table(Table(path=str(path), **declared)).cells


def test_cells_are_spelled_as_in_a_csv(file):
    cells = read(file)
    assert list(cells.columns) == list(FRAME.columns)
    assert cells.to_numpy().tolist() == TEXTS


def test_labels_stand_for_codes_where_they_are_wanted(file):
    cells = read(file, labels="labels")
    assert cells["sex"].tolist() == ["Kvinna", "Man", "9"]
    assert cells.drop(columns="sex").equals(read(file).drop(columns="sex"))


def test_labels_of_texts(tmp_path):
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(FRAME, str(path), variable_value_labels={"id": {"p1": "Ett"}})
    assert read(path, labels="labels")["id"].tolist() == ["Ett", "p2", "Åsa"]


def test_a_catalogue_of_sas_may_be_shared(tmp_path):
    path = tmp_path / "t.sas7bdat"
    write_sas(path)
    path.with_suffix(".sas7bcat").rename(tmp_path / "formats.sas7bcat")
    assert read(path, labels="labels")["sex"].tolist() == ["Kvinna", "Man", "9"]


@pytest.mark.parametrize("content", [None, b"", b"no catalogue"])
def test_a_catalogue_of_sas_must_be_there_for_labels(tmp_path, content):
    path = tmp_path / "t.sas7bdat"
    write_sas(path)
    catalogue = path.with_suffix(".sas7bcat")
    catalogue.unlink() if content is None else catalogue.write_bytes(content)
    assert read(path)["sex"].tolist() == ["1", "2", "9"]
    said = "Put t.sas7bcat or formats.sas7bcat" if content is None else "t.sas7bcat: not a whole"
    with pytest.raises(DataError, match=said):
        read(path, labels="labels")


def test_what_a_user_or_program_calls_missing_is_empty(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 99.0, 2.0], "b": ["x", "y", "z"], "c": [1.0, 2.0, 98.5]})
    missing = {"a": [99], "b": ["y"], "c": [{"lo": 98, "hi": 99}]}
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), missing_ranges=missing)
    assert read(tmp_path / "t.sav").to_numpy().tolist() == [
        ["1", "x", "1"], ["", "", "2"], ["2", "z", ""],
    ]  # fmt: skip
    frame = pd.DataFrame({"a": [1.0, "a", "z"], "b": ["", "y", "."]})
    pyreadstat.write_dta(frame, str(tmp_path / "t.dta"), missing_user_values={"a": ["a", "z"]})
    assert read(tmp_path / "t.dta").to_numpy().tolist() == [["1", ""], ["", "y"], ["", "."]]


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("%td", 21580.0, "2019-01-31"),
        ("%tdDD/NN/CCYY", 21580.0, "2019-01-31"),
        ("%-td", -1.0, "1959-12-31"),
        ("%d", 0.0, "1960-01-01"),
        ("%tc", 1864540800000.0, "2019-01-31 08:00:00"),
        ("%tc", 1864540800250.0, "2019-01-31 08:00:00.250000"),
        ("%tm", 708.0, "2019-01"),
        ("%tm", -1.0, "1959-12"),
        ("%ty", 2019.0, "2019"),
        ("%9.0g", 21580.0, "21580"),
        ("%td", 2936549.0, "9999-12-31"),
    ],
)
def test_days_of_stata_by_their_format(tmp_path, form, value, text):
    frame = pd.DataFrame({"a": [value], "b": ["x"]})
    pyreadstat.write_dta(frame, str(tmp_path / "t.dta"), variable_format={"a": form})
    assert read(tmp_path / "t.dta")["a"].tolist() == [text]


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("DATE11", 13768272000.0, "2019-01-31"),
        ("SDATE10", 13768272000.0, "2019-01-31"),
        ("MOYR8", 13765680000.0, "2019-01-01"),
        ("DATETIME20", 13768300800.0, "2019-01-31 08:00:00"),
        ("TIME8", 90000.0, "25:00:00"),
        ("F8.0", 13768272000.0, "13768272000"),
        ("DATE11", 265621593600.0, "9999-12-31"),
    ],
)
def test_days_of_spss_by_their_format(tmp_path, form, value, text):
    frame = pd.DataFrame({"a": [value], "b": ["x"]})
    pyreadstat.write_sav(frame, str(tmp_path / "t.sav"), variable_format={"a": form})
    assert read(tmp_path / "t.sav")["a"].tolist() == [text]


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("DATE9", 21580.0, "2019-01-31"),
        ("DDMMYYP10", 21580.0, "2019-01-31"),
        ("E8601DA10", 21580.0, "2019-01-31"),
        ("MONYY7", 21550.0, "2019-01-01"),
        ("DATETIME19", 1864540800.0, "2019-01-31 08:00:00"),
        ("DTDATE9", 1864512000.0, "2019-01-31"),
        ("E8601DT19", 1864540800.0, "2019-01-31 08:00:00"),
        ("TIME8", 28800.0, "08:00:00"),
        ("BEST12", 21580.0, "21580"),
        ("", 21580.0, "21580"),
    ],
)
def test_days_of_sas_by_their_format(tmp_path, form, value, text):
    if not sas.can_write():
        pytest.skip("the library in pyreadstat does not show how to write SAS files here")
    sas.write_sas7bdat(tmp_path / "t.sas7bdat", {"a": [value, None], "b": ["x", "y"]}, {"a": form})
    assert read(tmp_path / "t.sas7bdat")["a"].tolist() == [text, ""]


def test_single_precision_has_its_own_digits(tmp_path):
    pd.DataFrame({"a": np.array([0.1, 2.0, np.nan], "float32"), "b": 1}).to_stata(
        tmp_path / "t.dta", write_index=False
    )
    assert read(tmp_path / "t.dta")["a"].tolist() == ["0.1", "2", ""]


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_every_version_of_stata_is_read(tmp_path, version):
    frame = pd.DataFrame({"kon" if version < 118 else "kön": ["å", "b"], "n": [1, 2]})
    frame.to_stata(tmp_path / "t.dta", write_index=False, version=version)
    assert read(tmp_path / "t.dta").to_numpy().tolist() == [["å", "1"], ["b", "2"]]


def test_letters_in_another_encoding_are_said(tmp_path):
    path = tmp_path / "t.dta"
    pd.DataFrame({"a": ["Åsa"], "n": [1]}).to_stata(path, write_index=False, version=114)
    assert read(path, encoding="cp1252")["a"].tolist() == ["Åsa"]
    with pytest.raises(DataError, match="letters are not in the encoding"):
        read(path, encoding="utf-8")
    with pytest.raises(DataError, match="encoding"):
        read(path, encoding="klingon")


def test_a_stream_gives_what_is_read_whole(file, monkeypatch):
    monkeypatch.setattr(statistical, "ROWS", 2)
    stream = open_stream(Table(path=str(file)), "spells", [("a", "day"), ("b", "id")])
    batches = list(stream.batches)
    assert [len(batch) for batch in batches] == [2, 1]
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert rows == [
        {"day": text[4], "id": text[0], "source_row": i} for i, text in enumerate(TEXTS, 1)
    ]


def test_empty_rows_at_the_end_are_no_rows(tmp_path):
    frame = pd.DataFrame({"a": [1, None, None], "b": ["x", "", ""]})
    pyreadstat.write_dta(frame, str(tmp_path / "t.dta"))
    assert read(tmp_path / "t.dta").to_numpy().tolist() == [["1", "x"]]


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_file_without_rows_is_said(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    if suffix == ".sas7bdat":
        if not sas.can_write():
            pytest.skip("the library in pyreadstat does not show how to write SAS files here")
        sas.write_sas7bdat(path, {"a": [None], "b": [None]})
    else:
        WRITERS[suffix](path, FRAME.head(0))
    with pytest.raises(DataError, match="columns and 0 rows"):
        read(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.98, 0.999])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "stream"])
def test_a_truncated_file_is_not_whole(file, share, whole, monkeypatch):
    monkeypatch.setattr(statistical, "ROWS", 100)
    WRITERS[file.suffix](file, pd.concat([FRAME] * 200, ignore_index=True))
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    table = Table(path=str(file))
    with pytest.raises(DataError, match="not a whole"):
        read_table(table) if whole else list(open_stream(table, "spells").batches)


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("content", [b"id;Zxqv\n19800101-1234;1\n" * 99, b"\1" * 5000])
def test_another_file_of_that_name_is_not_whole(tmp_path, suffix, content):
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"not a whole|encoding") as error:
        read(path)
    assert "Zxqv" not in str(error.value)
    assert "19800101" not in str(error.value)


@pytest.mark.parametrize("suffix", [".dta", ".sav", ".zsav"])
def test_a_file_named_as_text_is_known_by_its_content(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    WRITERS[suffix](path)
    named = path.rename(tmp_path / "t.csv")
    with pytest.raises(DataError, match=rf"by its content. Name it t\{suffix}"):
        read(named)
