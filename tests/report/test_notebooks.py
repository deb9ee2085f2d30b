"""Notebooks: they read released tables only, recompute them, and render to the same bytes."""

import ast
import json
import re

import nbformat
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


def write_notebook(path, *cells):
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbformat.write(content, path)
    return path


def test_a_cell_that_fails_is_named_and_leaves_no_file(tmp_path):
    notebook = write_notebook(tmp_path / "3_test.ipynb", "x = 1", "assert x == 2, 'not alike'")
    with pytest.raises(ReleaseError, match=r"3_test\.ipynb: a cell fails: AssertionError: not"):
        run_notebook(notebook, tmp_path / "results")
    assert not [p for p in (tmp_path / "results").rglob("*") if p.is_file()]
