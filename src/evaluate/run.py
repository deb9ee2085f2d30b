"""Run the workflow as a process of its own, and show how far it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from evaluate.errors import PlanError, Problems
from evaluate.plan.load import load_config, load_study
from evaluate.shipped import workflow_root

LOG = Path("logs/snakemake.log")
STARTED = re.compile(r"^(?:local)?rule (\w+):$")
WILDCARD = re.compile(r"programme=([\w-]+)")
JOB = re.compile(r"^\s+jobid: (\d+)$")
FINISHED = re.compile(r"^Finished jobid: (\d+) ")
FILE = re.compile(r"^ {8}(\S.*)$")
LOCKED = (
    "another run is under way in this folder, or one was stopped. If none is, take the lock away: "
    "remove the folder .snakemake/locks."
)
FAILED = re.compile(r"^Error in rule (\w+):")
STEPS = re.compile(r"^(\d+) of (\d+) steps")


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
    config = load_config()
    if unknown := sorted(set(names or []) - set(config.programmes)):
        raise PlanError(
            f"config/config.yaml: programmes does not name {', '.join(unknown)}. "
            f"It names {', '.join(config.programmes)}."
        )
    chosen = list(dict.fromkeys(names or config.programmes))
    load_study(config.model_dump() | {"programmes": chosen})
    reports = [f"results/{n}/report.{x}.html" for n in chosen for x in config.languages]
    targets = [file for n in chosen for file in finished(n, config.languages)]
    options = ["--cores", str(cores), "--rerun-incomplete", "--keep-going"]
    if set(chosen) == set(config.programmes):
        reports.append("results/index.html")
        targets.append("results/index.html")
    else:  # what is wrong with the others is not in the way
        options += ["--config", f"programmes={json.dumps(chosen)}"]
    say(f"evaluate: {', '.join(chosen)}")
    start = time.monotonic()
    steps = _snakemake(targets, options, say)
    seconds = time.monotonic() - start
    say(f"{steps} steps in {seconds:.0f} s" if steps else "nothing to do: everything is up to date")
    for report in reports:
        say(f"  {report}")


def finished(name: str, languages: Iterable[str]) -> list[str]:
    """Return files of every rule of a programme, which together say that it is finished.

    The files between the stages are among them: a rule that failed has taken its output away,
    and Snakemake does not miss what only older results stand on.
    """
    stages = (
        "participants", "design_checks", "graph", "effects", "paths", "bounds", "heterogeneity",
        "costs", "event_study", "verdict", "gap", "conditional_effects", "cheers",
    )  # fmt: skip
    return [
        *(f"build/{name}/{stage}.parquet" for stage in stages),
        f"results/{name}/provenance.json",
        *(f"results/{name}/report.{language}.html" for language in languages),
        f"results/{name}/notebooks/1_data.html",
    ]


def _snakemake(targets: list[str], options: list[str], say: Callable[[str], object]) -> int:
    """Run Snakemake, its output in a log; return the number of steps that were done."""
    snakefile = str(workflow_root() / "Snakefile")
    command = [sys.executable, "-m", "snakemake", *targets, "--snakefile", snakefile, *options]
    try:
        LOG.parent.mkdir(parents=True, exist_ok=True)
        LOG.touch()
    except OSError as error:
        raise PlanError(
            f"{LOG}: cannot be written: {error.strerror}. A run needs a folder that may be "
            "written to."
        ) from None
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
            env=os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        ) as process,
    ):
        assert process.stdout is not None
        problems, steps = _follow(_copied(process.stdout, log), say)
    if process.returncode:
        raise Problems([*problems, f"the run stopped; {LOG} tells what was done."])
    return steps


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
    finished, steps, said, missing = "", 0, False, False
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
        elif missing and (match := FILE.match(line)):
            problems.append(f"{match[1]}: no such file. Put it there, or mend the plan's path.")
        elif line.startswith("LockException"):
            problems.append(LOCKED)
        missing = line.strip() == "affected files:" or (missing and bool(FILE.match(line)))
    if failed:
        problems.append(f"failed: rule {', '.join(dict.fromkeys(failed))}")
    return list(dict.fromkeys(problems)), steps
