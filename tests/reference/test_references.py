"""The references themselves: complete, and the same from one R package as from another."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

HERE = Path(__file__).parent
RTOL = 1e-9  # estimatr solves by Cholesky, clubSandwich and sandwich factor the design itself
KEYS = {
    "clusters": ["case", "term"],
    "instruments": ["case", "term"],
    "classical": ["case", "term"],
    "anderson_rubin": ["case", "term", "null"],
    "wild": ["case", "term", "null"],
    "durations_reference": ["case", "term", "month"],
    "dose": ["case", "term"],
    "weighting": ["case", "term"],
    "entropy_balancing": ["case", "term"],
    "did": ["case", "term"],
    "csdid": ["case", "term"],
    "doubleml": ["case", "term"],
    "sensitivity": ["case", "term"],
    "doubleml_sensitivity": ["case", "term"],
    "propensity": ["case", "term"],
    "weighted_balance": ["case", "term"],
    "effects": ["case", "term"],
    "access": ["case", "term"],
    "matching": ["case", "term"],
    "policy_values": ["case", "term"],
    "projection": ["case", "term"],
    "gap_decomposition": ["case", "term"],
}
ABSENT = {"matching": ["std_error", "df"]}  # some cases have no error in R, and none has a df


def read(name):
    return pd.read_csv(HERE / f"{name}.csv").set_index(KEYS[name])


@pytest.mark.parametrize("name", KEYS)
def test_no_case_is_twice_or_empty(name):
    table = read(name)
    assert table.index.is_unique
    assert np.isfinite(table.drop(columns=ABSENT.get(name, [])).to_numpy()).all()


def test_an_interval_ends_where_p_is_5_per_cent():
    table = read("anderson_rubin").reset_index()
    ends = table[table["case"].str.startswith("interval")]
    assert_allclose(ends["p_value"], 0.05, rtol=1e-9)
    assert (ends.groupby(["case", "term"]).size() == 2).all()


@pytest.mark.parametrize(
    ("name", "package", "compared"),
    [
        ("clusters", "clubsandwich", ["estimate", "std_error"]),
        ("clusters", "sandwich", ["estimate", "std_error"]),
        ("instruments", "aer", ["estimate", "std_error", "df"]),
    ],
)
def test_packages_agree(name, package, compared):
    table = read(name).reset_index()
    words = table["case"].str.split()
    of_package = words.map(lambda w: package in w)
    table["case"] = words.map(lambda w: " ".join(x for x in w if x != package))
    pairs = table[of_package].merge(table[~of_package], on=["case", "term"])
    assert len(pairs) > 100
    for column in compared:
        assert_allclose(pairs[f"{column}_x"], pairs[f"{column}_y"], rtol=RTOL)


def test_degrees_of_freedom_of_cr2_agree():
    table = read("clusters")
    cases = [c for c in table.index.levels[0] if "clubsandwich" in c and c.endswith("CR2")]
    for case in cases:
        other = table.loc[" ".join(case.replace("clubsandwich", "").split())]
        assert_allclose(table.loc[case, "df"], other["df"].loc[table.loc[case].index], rtol=RTOL)
    assert len(cases) == 14
