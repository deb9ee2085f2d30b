"""One run of the whole workflow on simulated programmes, shared by all workers of the tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from studies import REPOSITORY, full_plan, people, plan_for, write_raw, write_study, write_swedish

WAIT = 600  # seconds for another worker's run

# Python reads sitecustomize at its start. This one writes down, for every script of a rule,
# which modules it has loaded and which files of the package it has opened as data.
TRACER = """
import atexit, json, os, sys
name = os.path.basename(sys.argv[0] if sys.argv else "")
folder = os.environ["EVALUATE_TRACE"]
opened = set()

def listen(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.add(arguments[0])

def write():
    job = getattr(sys.modules["__main__"], "snakemake", None)
    if job is None:
        return
    trace = {
        "rule": job.rule,
        "programme": dict(job.wildcards.items()).get("programme", ""),
        "declared": [str(path) for path in job.input],
        "modules": {n: getattr(m, "__file__", None) or "" for n, m in sys.modules.items()},
        "opened": sorted(opened),
    }
    with open(os.path.join(folder, f"{os.getpid()}.json"), "w") as file:
        json.dump(trace, file)

sys.addaudithook(listen)
atexit.register(write)
"""


@dataclass(frozen=True)
class Workflow:
    """A copy of the workflow and its package, so that a test may edit them."""

    code: Path

    def run(
        self, study: Path, *arguments: str, cores: int = 2, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake in a study, both its streams in one."""
        files = ("--snakefile", str(self.code / "Snakefile"), "--directory", str(study))
        command = ["-m", "snakemake", "--nocolor", *files, "--cores", str(cores), *arguments]
        return self._python(command, study, variables, stderr=subprocess.STDOUT)

    def command(self, study: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command `evaluate` in a study."""
        command = ["-c", "from evaluate.cli import app; app()", *arguments]
        return self._python(command, study, {}, stderr=subprocess.PIPE)

    def _python(
        self, command: list[str], study: Path, variables: dict[str, str], stderr: int
    ) -> subprocess.CompletedProcess[str]:
        paths = [str(self.code / "src"), variables.pop("PYTHONPATH", "")]
        own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(
            [sys.executable, *command],
            cwd=study,
            env=os.environ | own | variables,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            check=False,
        )


@dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes
    ----------
    study : Path
        The study's folder, with the programmes `full` and `svensk`.
    workflow : Workflow
        What has run.
    traces : list of dict
        What each script has declared, loaded and opened.
    """

    study: Path
    workflow: Workflow
    traces: list[dict]

    @property
    def results(self) -> list[Path]:
        return sorted(p for p in (self.study / "results").rglob("*") if p.is_file())


def copy_workflow(folder: Path) -> Workflow:
    """Copy the Snakefile and all that it stands on."""
    leave_out = shutil.ignore_patterns("__pycache__", "_workflow")
    for name in ("workflow", "notebooks", "src", "config"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=leave_out)
    shutil.copy2(REPOSITORY / "Snakefile", folder / "Snakefile")
    return Workflow(folder)


def write_two_programmes(study: Path) -> Path:
    """Write `full`, which uses all that there is, and `svensk`, men in a file of Windows."""
    men = plan_for(
        "svensk",
        data={
            "participants": {"path": "data/raw/svensk/Åtgärd.csv"},
            "time_reports": {"path": "data/raw/svensk/tidrapporter.csv"},
        },
        columns={
            "person": "id",
            "gender": "men",
            "treatment": {"column": "åtgärd", "control": 0},
            "takeup": {"column": "deltog", "taken": "ja"},
        },
        covariates=["ålder"],
        outcomes={"lön": {"column": "lön", "unit": "SEK", "role": "primary"}},
        costs={
            "currency": "SEK",
            "price_year": 2022,
            "outcomes": ["lön"],
            "roles": {"handläggare": {"wage_cost": 412, "unit_cost": 464}},
            "claim": {"flat_rate": 0.4},
        },
    )
    write_study(study, {"full": full_plan("full"), "svensk": men})
    frame = people(360, seed=1, arms=3)
    frame.loc[::40, "age"] = 19
    frame["age"] = frame["age"].astype(float).mask(frame.index % 50 == 7)
    write_raw(study, "full", frame)
    swedish = people(160, seed=2)
    swedish["deltog"] = swedish["attended"].map({1: "ja", 0: "nej"})
    swedish["lön"] = swedish["earn12"] + 0.5
    columns = {"treat": "åtgärd", "age": "ålder"}
    swedish = swedish.rename(columns=columns)[["id", "åtgärd", "deltog", "ålder", "lön"]]
    write_swedish(study / "data/raw/svensk/Åtgärd.csv", swedish)
    hours = pd.DataFrame({"role": "handläggare", "month": ["2022-03", "2022-04", "2022-04"],
                          "hours": [160.5, 300.0, 20.0], "persons": [1, 2, 1],
                          "arm": ["1", "1", "0"], "site": "Ängen", "payer": "public"})  # fmt: skip
    write_swedish(study / "data/raw/svensk/tidrapporter.csv", hours)
    return study


def run_once(folder: Path) -> None:
    """Run the workflow from scratch, with a tracer, and leave the marker `finished`."""
    workflow = copy_workflow(folder / "code")
    study = write_two_programmes(folder / "study")
    trace = folder / "trace"
    trace.mkdir()
    (trace / "sitecustomize.py").write_text(TRACER, encoding="utf-8")
    done = workflow.run(study, PYTHONPATH=str(trace), EVALUATE_TRACE=str(trace))
    (folder / "output").write_text(done.stdout, encoding="utf-8")
    (folder / "draft").write_text(str(done.returncode), encoding="utf-8")
    (folder / "draft").rename(folder / "finished")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Finished:
    """Give the one run; with several workers the first to come makes it and the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "workflow-run"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + WAIT
        while not (folder / "finished").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
    else:
        try:
            run_once(folder)
        finally:
            (folder / "finished").touch()
    if (folder / "finished").read_text() != "0":
        pytest.fail("the run failed:\n" + (folder / "output").read_text(encoding="utf-8"))
    traces = [json.loads(f.read_text()) for f in sorted((folder / "trace").glob("*.json"))]
    return Finished(folder / "study", Workflow(folder / "code"), traces)
