"""Rows in order, whole persons at a time, however many rows one of them has."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from evaluate.data.registers.ordered import repeats, rest_of, whole_persons

ROWS = [1, 5_000, 3, 1, 9_000, 2, 2_048, 2_047]


def staged(rows, seed=1):
    rng = np.random.default_rng(seed)
    place = rng.permutation(np.repeat(np.arange(len(rows)), rows)).astype(np.int32)
    table = {
        "place": place,
        "day": rng.integers(0, 50, len(place)),
        "gender": place % 3,
        "source_row": np.arange(len(place)),
        "decision": rng.integers(0, 2, len(place)),
    }
    connection = duckdb.connect()
    connection.register("arrow", pa.table(table))
    connection.execute("CREATE TABLE t AS SELECT * FROM arrow")
    return connection, table


@pytest.mark.parametrize("chunk", [2_048, 4_096, 1_000_000])  # the engine gives no less
def test_nobody_is_split_and_nothing_is_lost(monkeypatch, chunk):
    monkeypatch.setattr("evaluate.data.registers.ordered.CHUNK", chunk)
    connection, table = staged(ROWS)
    parts = list(whole_persons(connection, "t", ["day"]))
    people = [set(part["place"]) for part in parts]
    assert sum(map(len, people)) == len(set.union(*people))
    found = {n: np.concatenate([p[n] for p in parts]) for n in ("place", "day", "source_row")}
    kept = np.flatnonzero(table["decision"] == 0)
    order = kept[np.lexsort([kept, table["day"][kept], table["place"][kept]])]
    # gender stands between, and is one for each person
    np.testing.assert_array_equal(found["source_row"], order)
    np.testing.assert_array_equal(found["place"], table["place"][order])
    np.testing.assert_array_equal(found["day"], table["day"][order])
    assert len(parts) >= {2_048: 4, 4_096: 3, 1_000_000: 2}[chunk]


def test_no_rows_are_no_parts():
    connection, _ = staged([])
    assert list(whole_persons(connection, "t", ["day"])) == []


def test_a_row_repeats_the_one_before_where_all_columns_are_alike():
    rows = {
        "place": np.array([1, 1, 1, 2, 2]),
        "amount": np.array([np.nan, np.nan, 1.0, 1.0, 1.0]),
    }
    assert repeats(rows, ("place", "amount")).tolist() == [False, True, False, False, True]
    assert repeats({"place": np.zeros(0), "amount": np.zeros(0)}, ("place",)).tolist() == []


def test_the_rest_is_what_is_not_used():
    columns = {n: pa.array([n, "x"]) for n in ("person", "day", "note", "time")}
    batch = pa.record_batch(columns | {"source_row": pa.array([1, 2])})
    assert rest_of(batch, ("person", "day")).to_pylist() == [
        {"rest_0": "note", "rest_1": "time"},
        {"rest_0": "x", "rest_1": "x"},
    ]
    assert rest_of(batch, ("person", "day", "note", "time")).to_pylist() == [0, 0]
