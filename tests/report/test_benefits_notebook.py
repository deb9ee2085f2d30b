"""Notebook 4: every number of the chapter from released tables, and again where it follows."""

import pandas as pd
import pytest
from studies import run_notebook_code

from evaluate import schemas

from . import benefits

TABLES = (
    "effects", "heterogeneity", "gap", "conditional_effects", "heterogeneity_tests",
    "sorted_groups", "sorted_profile", "effect_distribution", "policies", "policy_tree",
    "targeting_curve",
)  # fmt: skip


def results_of(folder, verdict="found"):
    (folder / "tables").mkdir()
    released = benefits.benefits(verdict)
    for name in TABLES:
        path = folder / "tables" / f"{name}.csv"
        getattr(released, name)[list(schemas.released(name).columns)].to_csv(path, index=False)
    return folder


def test_the_tables_of_the_chapter_are_shown(tmp_path):
    names = run_notebook_code(results_of(tmp_path), "4_heterogeneity")
    for table in (names.groups, names.profile, names.distribution, names.curve, names.tree):
        assert len(table)
    assert "tree" in set(names.policies["policy"])


@pytest.mark.parametrize("verdict", ["not found", "not assessed"])
def test_without_differences_the_notebook_ranks_nobody_either(tmp_path, verdict):
    names = run_notebook_code(results_of(tmp_path, verdict), "4_heterogeneity")
    for table in (names.groups, names.profile, names.distribution, names.curve, names.tree):
        assert table.empty
    assert "tree" not in set(names.policies["policy"])
    assert "women" in set(names.policies["policy"])


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("conditional_effects", "conf_low", -9.0),
        ("heterogeneity_tests", "verdict", "not found"),
        ("sorted_groups", "conf_low", 9.0),
        ("effect_distribution", "value", 0.9),
        ("policies", "net_gain", 1.0),
        ("policies", "cost_per_unit", 1.0),
        ("policy_tree", "share", 0.77),
    ],
)
def test_a_number_that_does_not_follow_from_the_others_stops_it(tmp_path, table, column, value):
    results = results_of(tmp_path)
    path = results / "tables" / f"{table}.csv"
    rows = pd.read_csv(path, dtype={"arm": str})
    rows.loc[rows[column].notna().idxmax() + (table == "policy_tree"), column] = value
    rows.to_csv(path, index=False)
    with pytest.raises(AssertionError):
        run_notebook_code(results, "4_heterogeneity")
