"""Execute a notebook on the released tables and render it, the same bytes each time."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from evaluate.errors import ReleaseError
from evaluate.io import write_text

SECONDS = 300  # more than any chapter takes
SIMULATED = "Simulated data. No person in these tables exists."


def run_notebook(notebook: Path, results: Path) -> None:
    """Execute a notebook of the workflow for one programme.

    Parameters
    ----------
    notebook : Path
        A notebook that reads ``../tables`` and nothing else.
    results : Path
        The programme's folder under `results/`; the executed notebook and its page go to
        ``notebooks/`` there.

    Raises
    ------
    ReleaseError
        If a cell fails.
    """
    folder = results / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    content = nbformat.read(notebook, as_version=4)
    # A kernel of its own interpreter, whatever kernels the user has registered.
    content.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    client = NotebookClient(
        content,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise ReleaseError(
            f"{notebook.name}: a cell fails: {error.ename}: {error.evalue}"
        ) from None
    if simulated := _is_simulated(results):
        label = nbformat.v4.new_markdown_cell(f"**{SIMULATED}**", id="simulated")
        content.cells.insert(0, label)
    content.metadata.pop("widgets", None)
    content.metadata["language_info"] = {"name": "python"}
    write_text(nbformat.writes(content) + "\n", folder / notebook.name)
    exporter = HTMLExporter(template_name="basic")
    body, _ = exporter.from_notebook_node(content)
    page = _page(results.name, notebook.stem, body, simulated)
    write_text(page, folder / f"{notebook.stem}.html")


def _is_simulated(results: Path) -> bool:
    """Return whether the data of a programme are said to be simulated."""
    path = results / "provenance.json"
    return path.is_file() and bool(json.loads(path.read_text(encoding="utf-8")).get("simulated"))


def _page(programme: str, title: str, body: str, simulated: bool) -> str:
    """Wrap a rendered notebook into a page that needs no other file."""
    from evaluate.report.page import render

    return render(
        "notebook.html.j2",
        programme=programme,
        title=f"{programme}: {title}",
        body=body,
        simulated=SIMULATED if simulated else "",
    )
