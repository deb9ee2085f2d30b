"""Run the workflow as a process of its own, and show how far it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from evaluate.errors import PlanError, Problems
from evaluate.plan.config import Config
from evaluate.plan.load import load_config, load_study

LOG = Path("logs/snakemake.log")
STARTED = re.compile(r"^(?:local)?rule (\w+):$")
WILDCARD = re.compile(r"programme=([\w-]+)")
JOB = re.compile(r"^\s+jobid: (\d+)$")
FINISHED = re.compile(r"^Finished jobid: (\d+) ")
FAILED = re.compile(r"^Error in rule (\w+):")
STEPS = re.compile(r"^(\d+) of (\d+) steps")


def workflow_root() -> Path:
    """Return the folder with the Snakefile: in an installation, or at the top of the repository."""
    installed = Path(__file__).parent / "_workflow"
    return installed if installed.is_dir() else Path(__file__).parents[2]


def run_workflow(names: list[str] | None, cores: int, say: Callable[[str], object]) -> None:
    """Run the workflow in the current folder.

    Parameters
    ----------
    names : list of str or None
        Programmes of the configuration; all with None.
    cores : int
        Rules to run side by side.
    say : callable
        Shows a line.

    Raises
    ------
    Problems
        What the rules that failed have said, and where the whole log is.
    """
    config, _ = load_study(load_config().model_dump())
    names = list(names or config.programmes)
    if unknown := sorted(set(names) - set(config.programmes)):
        raise PlanError(
            f"config/config.yaml: programmes does not name {', '.join(unknown)}. "
            f"It names {', '.join(config.programmes)}."
        )
    targets = [*_targets(names, config), "results/index.html"]
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(workflow_root() / "Snakefile"), "--cores", str(cores)),
        *("--rerun-incomplete", "--keep-going", "--nolock", *targets),
    ]
    say(f"evaluate: {', '.join(names)}")
    start = time.monotonic()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    with (
        LOG.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=environment,
        ) as process,
    ):
        assert process.stdout is not None
        problems, steps = _follow(_copied(process.stdout, log), say)
    if process.returncode:
        raise Problems([*problems, f"the run stopped; {LOG} tells what was done."])
    seconds = time.monotonic() - start
    say(f"{steps} steps in {seconds:.0f} s" if steps else "nothing to do: everything is up to date")
    for name in names:
        for language in config.languages:
            say(f"  results/{name}/report.{language}.html")
    say("  results/index.html")


def _targets(names: Iterable[str], config: Config) -> Iterator[str]:
    for name in names:
        yield from (f"results/{name}/report.{language}.html" for language in config.languages)
        yield f"results/{name}/notebooks/1_data.html"


def _copied(lines: Iterable[str], log: object) -> Iterator[str]:
    for line in lines:
        print(line, end="", file=log, flush=True)  # type: ignore[call-overload]
        yield line.rstrip("\n")


def _follow(lines: Iterable[str], say: Callable[[str], object]) -> tuple[list[str], int]:
    """Show each finished rule; return what failed rules have said, and the number of steps."""
    rule, job = "", ""
    jobs: dict[str, str] = {}
    problems: list[str] = []
    failed: list[str] = []
    finished, steps, said = "", 0, False
    for line in lines:
        if match := STARTED.match(line):
            rule = match[1]
        elif match := JOB.match(line):
            job = match[1]
            jobs[job] = rule
        elif (match := WILDCARD.search(line)) and line.lstrip().startswith("wildcards:"):
            jobs[job] = f"{rule} {match[1]}"
        elif match := FINISHED.match(line):
            finished = match[1]
        elif match := STEPS.match(line):
            steps = int(match[1])
            say(f"[{match[1]:>{len(match[2])}}/{match[2]}] {jobs.get(finished, finished)}")
        if line.startswith("evaluate: ") or (said and line.startswith("- ")):
            problems.append(line.removeprefix("evaluate: ").removeprefix("- "))
            said = True
        else:
            said = False
        if match := FAILED.match(line):
            failed.append(match[1])
    if failed:
        problems.append(f"failed: rule {', '.join(dict.fromkeys(failed))}")
    return list(dict.fromkeys(problems)), steps
