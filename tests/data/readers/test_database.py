"""Databases: the same table as from a file, from a real server; the address is nowhere told."""

import gc
import itertools
import time
import traceback

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import postgres
import pytest
import sqlalchemy as sa

from evaluate.data.readers.content import fingerprint
from evaluate.data.readers.read import read_table
from evaluate.data.readers.stream import open_stream
from evaluate.errors import DataError, Problems
from evaluate.plan.sources import Table

VARIABLE = "EVALUATE_TEST_DATABASE"
PLANTED = (postgres.PASSWORD, postgres.USER, "hemlig", "evaluate-pg", "19800101-1234", "/postgres")
TYPES = {
    "5::smallint": "5",
    "-5::bigint": "-5",
    "1.5::real": "1.5",
    "0.1::real": "0.1",
    "2::double precision": "2",
    "1e15::double precision + 0.5": "1000000000000000.5",
    "'NaN'::double precision": "",
    "1.50::numeric(10, 2)": "1.50",
    "12345678901234567890.5::numeric": "12345678901234567890.5",
    "true": "True",
    "' Ås '::text": "Ås",
    "'x'::char(5)": "x",
    "date '2019-01-31'": "2019-01-31",
    "date '1969-12-31'": "1969-12-31",
    "timestamp '2019-01-31 00:00'": "2019-01-31",
    "timestamp '2019-01-31 08:00'": "2019-01-31 08:00:00",
    "timestamp '1969-12-31 08:00:00.5'": "1969-12-31 08:00:00.500000",
    "time '08:00'": "08:00:00",
    "gen_random_uuid() is not null": "True",
    "'6d1f0f2e-7a52-4f43-8a4e-1d8b9b2c9b11'::uuid": "6d1f0f2e-7a52-4f43-8a4e-1d8b9b2c9b11",
    "null": "",
    "null::date": "",
    "null::uuid": "",
}
ADDRESSES = ["postgresql", "postgres", "postgresql+psycopg"]


@pytest.fixture(params=ADDRESSES)
def address(request, postgresql, monkeypatch):
    """Set the variable to the server's address, through ADBC and through SQLAlchemy."""
    found = postgresql.replace("postgresql", request.param, 1)
    monkeypatch.setenv(VARIABLE, found)
    return found


@pytest.fixture
def served(postgresql, monkeypatch):
    """Set the variable to the server's address, through ADBC."""
    monkeypatch.setenv(VARIABLE, postgresql)
    return postgresql


@pytest.fixture
def sqlite(tmp_path, monkeypatch):
    """Set the variable to the address of a file of SQLite."""
    path = tmp_path / "hemlig.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    frame = pd.DataFrame({"id": ["a", "b", "å"], "n": [1, 2, 3], "x": [1.5, None, 2.0]})
    frame.to_sql("persons", engine, index=False)
    engine.dispose()
    monkeypatch.setenv(VARIABLE, f"sqlite:///{path}")
    return path


def query(text):
    return Table(url_env=VARIABLE, query=text)


def told(table, name="spells"):
    """Return the error of reading a table, whole and as a stream, after looking for secrets."""
    with pytest.raises(DataError) as whole:
        read_table(table, name)
    with pytest.raises(DataError) as streamed:
        list(open_stream(table, name).batches)
    assert str(whole.value) == str(streamed.value)
    for error in (whole.value, streamed.value):
        text = "".join(traceback.format_exception(error))
        while error is not None:
            assert error.__cause__ is None
            text += str(error)
            error = error.__context__
        assert not [secret for secret in PLANTED if secret in text]
    assert str(whole.value).startswith(f"data.{name} (database in {VARIABLE})")
    return str(whole.value)


def cells(table):
    return read_table(table, "spells").cells.to_numpy().tolist()


@pytest.mark.parametrize("value", TYPES)
def test_a_value_is_spelled_as_in_a_csv(address, value):
    assert cells(query(f"select {value} as x, 1 as y")) == [[TYPES[value], "1"]]


def test_moments_with_a_zone_are_told_in_the_zone_of_the_session(address):
    moment = "timestamptz '2019-01-31 00:00 Europe/Stockholm'"
    assert cells(query(f"select {moment} as x")) == [["2019-01-30 23:00:00"]]
    assert cells(query(f"select {moment} at time zone 'Europe/Stockholm' as x")) == [["2019-01-31"]]


def test_another_zone_of_the_session(postgresql, monkeypatch):
    monkeypatch.setenv("PGTZ", "Europe/Stockholm")
    monkeypatch.setenv(VARIABLE, postgresql)
    moment = "timestamptz '2019-01-31 00:00 Europe/Stockholm'"
    assert cells(query(f"select {moment} as x")) == [["2019-01-31"]]


def test_days_without_end_are_told_as_such(served):
    days = "('infinity'), ('2019-01-31'), ('-infinity'), (null)"
    for kind in ("date", "timestamp", "timestamptz"):
        found = cells(query(f"select d::{kind} as x, 1 as y from (values {days}) as v(d)"))
        assert [row[0] for row in found] == ["infinity", "2019-01-31", "-infinity", ""]


@pytest.mark.parametrize(
    "value", ["'x'::bytea", "array[1, 2]", "'127.0.0.1'::inet", "5::money", "int4range(1, 2)"]
)
def test_what_is_no_cell_is_said_by_its_column(served, value):
    assert "column 2 holds" in told(query(f"select 1 as a, {value} as b"))


def test_bytes_are_no_cell_through_sqlalchemy(sqlite):
    assert "column 1 holds bytes" in told(query("select x'00' as a"))


@pytest.mark.parametrize("end", ["", ";", " ;\n", " -- all of them", "\n"])
@pytest.mark.parametrize("what", ["'100%' as a, ':b' as b, '%s' as c", '1 as "kön å"'])
def test_a_query_is_sent_as_it_is_written(address, what, end):
    table = read_table(query(f"select {what}{end}"))
    expected = {"kön å": ["1"]} if "kön" in what else {"a": ["100%"], "b": [":b"], "c": ["%s"]}
    assert table.cells.to_dict("list") == expected


LONG = "select i as id, 'Ås' || i as text, date '2019-01-01' + i as day from generate_series({}) i"


def test_a_stream_gives_what_is_read_whole(address):
    table = query(LONG.format("1, 150000").replace("||", "|| repeat('å', 100) ||"))
    stream = open_stream(table, "spells", [("person", "text"), ("date", "day")])
    batches = list(stream.batches)
    assert len(batches) > 1
    frame = pd.concat(batch.to_pandas() for batch in batches)
    whole = read_table(table, "spells")
    assert frame["source_row"].tolist() == list(range(1, 150_001))
    for name in ("text", "day"):
        assert frame[name].tolist() == whole.cells[name].tolist()
    assert stream.header == ["id", "text", "day"]
    assert fingerprint(table, stream.content) == fingerprint(table, whole.content)


def test_a_fingerprint_knows_the_content_again(address):
    def of(text):
        table = query(text)
        return fingerprint(table, read_table(table).content)

    base = of(LONG.format("1, 9"))
    assert base == of(LONG.format("1, 9"))
    assert base["rows"] == 9
    assert base["url_env"] == VARIABLE
    assert set(base) == {"url_env", "query_sha256", "rows", "sha256"}
    backwards = f"{LONG.format('1, 9')} order by 1 desc"
    for text in (LONG.format("1, 8"), LONG.format("2, 10"), backwards):
        assert of(text)["sha256"] != base["sha256"]
        assert of(text)["query_sha256"] != base["query_sha256"]
    spaced = of(f" {LONG.format('1, 9')}")
    assert spaced["sha256"] == base["sha256"]
    assert spaced["query_sha256"] != base["query_sha256"]


CONTENTS = [
    "select 'ab' as x, '' as y",
    "select 'a' as x, 'b' as y",
    "select 'ab' as y, '' as x",
    "select '' as x, 'ab' as y",
    "select v as x, '' as y from (values ('a'), ('b')) as t(v)",
]


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(CONTENTS, 2)))
def test_other_content_has_another_fingerprint(served, a, b):
    hashes = {read_table(query(text)).content.sha256 for text in (a, b)}
    assert len(hashes) == 2


def test_the_content_is_the_same_through_any_driver(postgresql, monkeypatch):
    hashes = set()
    for scheme in ADDRESSES:
        monkeypatch.setenv(VARIABLE, postgresql.replace("postgresql", scheme, 1))
        hashes.add(read_table(query(LONG.format("1, 1000"))).content.sha256)
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select '19800101-1234' as x, 1 / 0", "the database refuses the query (SQLSTATE 22012)"),
        ("selec '19800101-1234'", "SQLSTATE 42601"),
        ("select * from hemlig", "SQLSTATE 42P01"),
        ("select '19800101-1234'::int", "SQLSTATE 22P02"),
        ("select 1; select 2", "SQLSTATE 42601"),
        ("select 1 as a, 2 as a", "columns 1, 2 of the header share a name"),
        ("select 1 as a where false", "1 columns and 0 rows. Is the condition"),
    ],
)
def test_a_query_that_fails_is_said_by_its_class(address, text, said):
    assert said in told(query(text))


def test_a_fault_in_a_later_row_is_said_by_its_class(address):
    text = "select 1 / (i - 200000) as x from generate_series(1, 300000) i"
    assert "the database refuses the query" in told(query(text))


@pytest.mark.parametrize("text", ["create table t (x int)", "set work_mem to '5MB'", "select"])
def test_a_statement_that_gives_no_table_is_refused(address, text):
    assert "query" in told(query(text))


def test_nothing_is_written(postgresql, monkeypatch):
    with adbc.connect(postgresql, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("create table kept (x int)")
    for scheme in ADDRESSES:
        monkeypatch.setenv(VARIABLE, postgresql.replace("postgresql", scheme, 1))
        assert "refuses the query (SQLSTATE " in told(query("delete from kept returning x"))
        told(query("with gone as (insert into kept values (1) returning x) select x from gone"))
    with adbc.connect(postgresql) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from kept")
        assert cursor.fetchone() == (0,)


def test_notices_of_the_server_are_not_told(served, capfd):
    name = "x" * 80  # longer than a name may be: PostgreSQL says so
    assert cells(query(f"select 1 as {name}")) == [["1"]]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("scheme", ADDRESSES)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (postgres.PASSWORD, "Zxqv-hemlig-fel"),
        (postgres.USER, "hemlig"),
        ("/postgres?", "/hemlig?"),
        ("host=", "host=/hemlig"),
        ("host=", "port=hemlig&host="),
        ("host=", "hemlig="),
        ("@/postgres?host=", "@127.0.0.1:1/hemlig?hemlig="),
        ("@", " hemlig @@"),
    ],
)
def test_a_database_out_of_reach_is_said_without_its_address(
    postgresql, monkeypatch, scheme, old, new
):
    changed = postgresql.replace(old, new, 1)
    assert changed != postgresql
    monkeypatch.setenv(VARIABLE, changed.replace("postgresql", scheme, 1))
    assert "cannot connect to the database" in told(query("select 1 as x"))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, f"the environment variable {VARIABLE} is not set"),
        (" ", f"the environment variable {VARIABLE} is not set"),
        ("hemlig", "cannot connect"),
        ("hemlig://zxqvuser@hemlig", "cannot connect"),
        ("oracle+oracledb://zxqvuser:hemlig@hemlig/x", "package oracledb, which the address needs"),
        ("sqlite:////hemlig/postgres.db", "cannot connect"),
        ("sqlite://", "cannot connect"),
    ],
)
def test_an_address_of_nothing_is_said(monkeypatch, address, said):
    monkeypatch.delenv(VARIABLE, raising=False)
    if address is not None:
        monkeypatch.setenv(VARIABLE, address)
    assert said in told(query("select 1 as x"))


def test_sqlite_is_read_through_sqlalchemy(sqlite):
    assert cells(query("select * from persons")) == [
        ["a", "1", "1.5"],
        ["b", "2", ""],
        ["å", "3", "2"],
    ]
    assert "refuses the query" in told(query("delete from persons returning id"))
    assert len(cells(query("select * from persons"))) == 3


def test_a_file_that_is_no_database_is_said(sqlite):
    sqlite.write_text("hemlig " * 1000)
    assert "refuses the query" in told(query("select 1 as x from persons"))


def test_sqlite_makes_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path / 'hemlig.db'}")
    told(query("select 1 as x"))
    assert not list(tmp_path.iterdir())


def test_a_missing_column_is_named_as_in_a_file(address):
    with pytest.raises(Problems, match=r"no column `starts` .* Did you mean `start`"):
        open_stream(query("select 1 as id, 2 as start"), "spells", [("a", "id"), ("b", "starts")])


def test_a_stream_that_is_left_closes_its_connection(postgresql, monkeypatch):
    monkeypatch.setenv(VARIABLE, postgresql)
    with adbc.connect(postgresql, autocommit=True) as connection, connection.cursor() as cursor:

        def others():
            cursor.execute(
                "select count(*) from pg_stat_activity where backend_type = 'client backend'"
            )
            return cursor.fetchone()[0] - 1

        def none_left():
            """Wait for connections closed a moment ago, whose processes end on their own."""
            deadline = time.monotonic() + 30
            while others() and time.monotonic() < deadline:
                time.sleep(0.01)
            return others() == 0

        assert none_left()
        stream = open_stream(query(LONG.format("1, 1000000")), "spells")
        next(stream.batches)
        assert others() == 1
        del stream
        gc.collect()
        assert none_left()
