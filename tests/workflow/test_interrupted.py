"""A run that is killed, and a disk that fills up: nothing half written is taken for whole."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evaluate.data.simulated.study import study

from .conftest import Workflow, copy_workflow

TARGET = "build/simulated/raw.json"
MADE = ("participants", "outcomes", "flow", "cleaning", "quarantine", "dose", "states")


@pytest.fixture(scope="module")
def workflow(tmp_path_factory) -> Workflow:
    return copy_workflow(tmp_path_factory.mktemp("code"))


def simulated(folder: Path, persons: int) -> Path:
    folder.mkdir()
    study(folder, persons=persons, faults="counted")
    return folder


def hashes(folder: Path) -> dict[str, str]:
    made = sorted((folder / "build/simulated").iterdir())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}


def test_a_rerun_after_a_kill_gives_the_bytes_of_an_undisturbed_run(workflow, tmp_path):
    calm, killed = (simulated(tmp_path / name, 20_000) for name in ("calm", "killed"))
    done = workflow.run(calm, TARGET)
    assert done.returncode == 0, done.stdout
    command = [sys.executable, "-m", "snakemake", "--snakefile", workflow.code / "Snakefile"]
    process = subprocess.Popen(
        [*command, "--directory", killed, "--cores", "2", TARGET],
        env=os.environ | {"PYTHONPATH": str(workflow.code / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    spill = killed / "build/simulated/.engine"
    until = time.monotonic() + 120
    while not spill.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    assert spill.exists(), "the run ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / TARGET).exists()
    assert workflow.run(killed, "--unlock").returncode == 0
    again = workflow.run(killed, "--rerun-incomplete", TARGET)
    assert again.returncode == 0, again.stdout
    assert hashes(killed) == hashes(calm)


@pytest.mark.parametrize("limit", [20_000, 60_000])
def test_a_full_disk_is_told_and_leaves_nothing_half_written(workflow, tmp_path, limit):
    """A limit on the size of files stands in for the disk: both make a write fail."""
    folder = simulated(tmp_path / "full", 2_000)

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    code = (
        "import os; from pathlib import Path\n"
        "from evaluate.errors import reported\n"
        "import runpy\n"
        f"main = runpy.run_path({str(workflow.code / 'workflow/scripts/data.py')!r})['main']\n"
        "class Files(dict): __getattr__ = dict.__getitem__\n"
        f"names = {(*MADE, 'cost_records', 'staff_hours')!r}\n"
        "files = Files({n: f'build/simulated/{n}.parquet' for n in names})\n"
        "files['raw'] = 'build/simulated/raw.json'\n"
        "with reported('log'): main('config/programmes/simulated.yaml', files)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(workflow.code / "src")},
        preexec_fn=no_room,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    left = sorted(path.name for path in (folder / "build/simulated").iterdir())
    assert not [name for name in left if name.startswith(".")]
    assert "raw.json" not in left
    whole = hashes(folder)
    undisturbed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(workflow.code / "src")},
        check=False,
    )
    assert undisturbed.returncode == 0
    assert whole.items() <= hashes(folder).items()
