"""The command line: `evaluate new`, `check`, `run`, `demo`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from evaluate import __version__
from evaluate.errors import EvaluateError, Problems

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What a labour-market programme did, for women and for men, and what it cost.",
)
Directory = Annotated[
    Path, typer.Option("--directory", "-d", help="Folder of the study, with config/ and data/.")
]
Names = Annotated[list[str] | None, typer.Argument(help="Programmes; all by default.")]
Cores = Annotated[int, typer.Option("--cores", "-c", min=1, help="Rules to run side by side.")]


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version if asked for."""
    if version:
        typer.echo(f"evaluate {__version__}")
        raise typer.Exit


@app.command()
def new(name: str, directory: Directory = Path()) -> None:
    """Write a commented programme file, and the folder for its raw data."""
    from evaluate.scaffold import scaffold

    try:
        made = scaffold(name, directory)
    except EvaluateError as error:
        _fail(error)
    for path in made:
        typer.echo(f"wrote {path}")
    typer.echo(
        f"Next: put the raw file into data/raw/{name}/, describe it in "
        f"config/programmes/{name}.yaml, then `evaluate check {name}`."
    )


@app.command()
def check(names: Names = None, directory: Directory = Path()) -> None:
    """Check plans and data without estimating, and list all problems at once."""
    from evaluate.check import check_programme
    from evaluate.plan.load import load_config

    _enter(directory)
    failed = 0
    try:
        programmes = names or load_config().programmes
    except EvaluateError as error:
        _fail(error)
    for name in programmes:
        result = check_programme(name)
        for line in result.lines:
            typer.echo(f"{name}: {line}")
        for problem in result.problems:
            typer.echo(f"{name}: {problem}", err=True)
        failed += len(result.problems)
    if failed:
        typer.echo(f"{failed} problem{'s' if failed > 1 else ''}.", err=True)
        raise typer.Exit(1)


@app.command()
def run(names: Names = None, directory: Directory = Path(), cores: Cores = 2) -> None:
    """Run the evaluation, from the raw data to the reports."""
    _run(names, directory, cores)


@app.command()
def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--directory", "-d", help="Folder for the demo; by default this repository."),
    ] = None,
    cores: Cores = 2,
) -> None:
    """Run the demo programmes on real data: JOBS II and National Supported Work."""
    from evaluate.scaffold import demo_study

    try:
        study = demo_study(directory)
    except EvaluateError as error:
        _fail(error)
    _run(["jobs2", "nsw"], study, cores)


def _run(names: list[str] | None, directory: Path, cores: int) -> None:
    from evaluate.run import run_workflow

    _enter(directory)
    try:
        run_workflow(names, cores, typer.echo)
    except EvaluateError as error:
        _fail(error)


def _enter(directory: Path) -> None:
    if not directory.is_dir():
        _fail(EvaluateError(f"{directory}: no such folder."))
    os.chdir(directory)


def _fail(error: EvaluateError) -> NoReturn:
    for problem in error.problems if isinstance(error, Problems) else [error]:
        typer.echo(f"evaluate: {problem}", err=True)
    raise typer.Exit(1)
