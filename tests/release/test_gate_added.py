"""The gate of a flow to which rows were added, of persons drawn in several months."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from evaluate.plan.config import Disclosure
from evaluate.release.gate import release

STEPS = [("received", ""), ("excluded", "not drawn"), ("added", "drawn again"), ("included", "")]


def flow(excluded: int, added: int) -> pd.DataFrame:
    """Return a flow of 200 women and 200 men, half of them in each arm."""
    n = {"received": 400, "excluded": excluded, "added": added}
    n["included"] = 400 + added - excluded
    rows = [
        {"step": step, "reason": why, "n": n[step], "women": n[step] // 2,
         "men": n[step] - n[step] // 2, "arm=0": n[step] - 200 * (step in ("received", "included")),
         "arm=1": 200 * (step in ("received", "included"))}
        for step, why in STEPS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def published(table: pd.DataFrame) -> pd.DataFrame:
    return release({"flow": table}, Disclosure(min_cell=5)).tables["flow"]


def test_rows_that_are_many_are_published():
    table = flow(120, 60)
    assert_frame_equal(published(table), table, check_dtype=False)


@pytest.mark.parametrize(("excluded", "added"), [(3, 60), (120, 3)])
def test_a_few_are_not_to_be_had_by_subtraction(excluded, added):
    """Received and added less excluded are those included: one of the four is not enough."""
    out = published(flow(excluded, added))
    for column in ("n", "arm=0"):
        empty = out[column].isna().to_numpy()
        small = np.array([s == ("excluded" if excluded < 5 else "added") for s, _ in STEPS])
        assert empty[small].all()
        assert empty.sum() >= 2, column
