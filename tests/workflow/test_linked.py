"""The whole workflow on linked tables with planted values, down to the notebooks."""

import shutil
from pathlib import Path

import pytest
from planted import held, traces, write_planted
from studies import NOTEBOOKS

from evaluate.plan.shared_files import CODEBOOK

from .conftest import Workflow, copy_workflow

NAME = "trial"
BOOK = CODEBOOK.folder / "registration_states.yaml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[Workflow, Path, str]:
    """Give the workflow, the study, and all that the run has told."""
    folder = tmp_path_factory.mktemp("linked")
    workflow = copy_workflow(folder / "code")
    study = write_planted(folder / "study", NAME, linked=True)
    (study / CODEBOOK.folder).mkdir(parents=True)
    shutil.copy(workflow.code / BOOK, study / BOOK)
    done = workflow.run(study)
    assert done.returncode == 0, done.stdout
    return workflow, study, done.stdout


def test_no_planted_value_is_in_anything_that_a_run_leaves_or_says(finished):
    _, study, told = finished
    assert not traces(told)
    pages = {path.stem for path in (study / "results" / NAME / "notebooks").glob("*.html")}
    assert pages == set(NOTEBOOKS)
    assert not held(study / name for name in ("build", "results", "logs", ".snakemake"))


@pytest.mark.parametrize("edited", [f"data/raw/{NAME}/spells.csv", BOOK.as_posix()])
def test_a_new_delivery_or_another_codebook_is_read_again(finished, edited):
    workflow, study, _ = finished
    path = study / edited
    before = path.read_bytes()
    assert "Nothing to be done" in workflow.run(study, "--dry-run").stdout
    try:
        path.write_bytes(before + (b"# another word\n" if edited.endswith("yaml") else b"\n"))
        told = workflow.run(study, "--dry-run").stdout
    finally:
        path.write_bytes(before)
    for rule in ("data", "effects", "release", "report"):
        assert f"rule {rule}:" in told
