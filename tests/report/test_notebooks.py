"""Notebooks: they read released tables only, recompute them, and render to the same bytes."""

import ast
import json
import re
import shutil

import nbformat
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from studies import NOTEBOOKS, REPOSITORY, run_notebook_code

from evaluate.errors import ReleaseError
from evaluate.report.notebooks import run_notebook

FOLDER = REPOSITORY / "notebooks"


def source(notebook):
    cells = nbformat.read(FOLDER / f"{notebook}.ipynb", as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs(notebook):
    assert all(not cell.outputs and cell.execution_count is None for cell in source(notebook))


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_stands_on_released_files_and_public_libraries_alone(notebook):
    code = "\n".join(cell.source for cell in source(notebook))
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(code))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {"json", "os", "pathlib", "numpy", "pandas", "scipy", "IPython"}
    assert "build" not in code
    assert "raw/" not in code
    read = re.findall(r"RESULTS / \"([^\"]+)\"", code)
    assert set(read) <= {"tables", "provenance.json", "disclosure.json"}


@pytest.mark.parametrize("simulated", [True, False])
def test_a_notebook_of_simulated_data_says_so_on_its_page(tmp_path, simulated):
    notebook = write_notebook(tmp_path / "3_test.ipynb", "1 + 1")
    results = tmp_path / "results"
    results.mkdir()
    told = json.dumps({"simulated": simulated})
    (results / "provenance.json").write_text(told, encoding="utf-8")
    run_notebook(notebook, results)
    page = (results / "notebooks" / "3_test.html").read_text(encoding="utf-8")
    executed = nbformat.read(results / "notebooks" / "3_test.ipynb", as_version=4)
    assert ("Simulated data" in page) == simulated
    assert ("Simulated data" in executed.cells[0].source) == simulated


@pytest.mark.parametrize("name", ["full", "men", "linked"])
def test_notebooks_run_on_every_kind_of_programme(name, request):
    programme = request.getfixturevalue(name)
    for notebook in NOTEBOOKS:
        run_notebook_code(programme.results, notebook)


def test_intervals_gaps_and_ratios_are_recomputed(full):
    effects = run_notebook_code(full.results, "3_effects")
    assert (effects.differences < 1e-6).all()
    gaps = full.table("effects").query("group == 'women-men'")
    assert len(effects.gap) == len(gaps)
    assert_allclose(effects.gap["gap"], effects.gap["women less men"], rtol=1e-9, atol=1e-12)
    assert_allclose(effects.gap["std_error"], effects.gap["from both errors"], rtol=1e-9)
    tests = run_notebook_code(full.results, "4_heterogeneity").again
    assert len(tests) == (full.table("heterogeneity")["dimension"] == "gender").sum()
    assert_allclose(tests["statistic"], tests["F again"], rtol=1e-9)


def write_incidence(path):
    """Write three months of which none is withheld, and the time before the first entry."""
    shares = {
        "treated": (0.1, 0.3, 0.4),
        "control": (0.05, 0.1, 0.2),
        "difference": (0.05, 0.2, 0.2),
    }
    rows = [
        {
            "kind": kind if kind == "difference" else f"incidence_{kind}",
            "month": i,
            "estimate": share,
        }
        for kind, by_month in shares.items()
        for i, share in enumerate(by_month, 1)
    ]
    for kind, time in (("treated", 2.6), ("control", 2.85), ("difference", -0.25)):
        rows.append({"kind": f"restricted_mean_{kind}", "month": 3, "estimate": time})
    table = pd.DataFrame(rows).assign(outcome="entered", arm="1", group="all")
    table.reindex(columns=list(pd.read_csv(path, nrows=0))).to_csv(path, index=False)


@pytest.mark.parametrize(
    ("name", "table", "column", "kind"),
    [
        ("linked", "paths", "band_high", "effect"),
        ("linked", "paths", "estimate", "cumulated"),
        ("full", "paths", "estimate", "first_above"),
        ("linked", "paths", "estimate", "cumulated_treated"),
        ("full", "paths", "estimate", "area"),
        ("linked", "incidence", "estimate", "restricted_mean_control"),
        ("linked", "incidence", "estimate", "restricted_mean_difference"),
        ("lacking", "bounds", "lower", "manski"),
        ("lacking", "bounds", "conf_high", "lee"),
        ("lacking", "power", "detectable", None),
    ],
)
def test_a_number_that_does_not_follow_from_the_others_stops_the_notebook(
    name, table, column, kind, request, tmp_path
):
    results = tmp_path / "results"
    shutil.copytree(request.getfixturevalue(name).results, results)
    if table == "incidence":
        write_incidence(results / "tables" / "incidence.csv")
    notebook = "2_design" if table == "power" else "3_effects"
    run_notebook_code(results, notebook)
    path = results / "tables" / f"{table}.csv"
    rows = pd.read_csv(path, dtype={"arm": str, "month": "Int64"})
    chosen = rows[column].notna()
    if kind is not None:
        chosen &= rows["method" if table == "bounds" else "kind"] == kind
    assert chosen.any()
    rows.loc[chosen.idxmax(), column] += 1
    rows.to_csv(path, index=False)
    with pytest.raises(AssertionError):
        run_notebook_code(results, notebook)


def write_notebook(path, *cells):
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbformat.write(content, path)
    return path


def test_a_cell_that_fails_is_named_and_leaves_no_file(tmp_path):
    notebook = write_notebook(tmp_path / "3_test.ipynb", "x = 1", "assert x == 2, 'not alike'")
    with pytest.raises(ReleaseError, match=r"3_test\.ipynb: a cell fails: AssertionError: not"):
        run_notebook(notebook, tmp_path / "results")
    assert not [p for p in (tmp_path / "results").rglob("*") if p.is_file()]
