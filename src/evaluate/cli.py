"""The command line: `evaluate new`, `check`, `run`, `power`, `costs`, `simulate`, `demo`."""

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
def new(
    name: str,
    design: Annotated[str, typer.Option(help="randomised, or observational.")] = "randomised",
    directory: Directory = Path(),
) -> None:
    """Write a commented programme file, and the folder for its raw data."""
    from evaluate.scaffold import scaffold

    try:
        made = scaffold(name, directory, design=design)
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
        config = load_config()
    except EvaluateError as error:
        _fail(error)
    for name in names or config.programmes:
        result = check_programme(name, config.memory_gb, config.seed)
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
def power(
    name: Annotated[
        str | None, typer.Argument(help="A programme that was run: its data say what is left out.")
    ] = None,
    persons: Annotated[int | None, typer.Option(help="Persons assigned.")] = None,
    effect: Annotated[
        float | None, typer.Option(help="Effect of the offer to be found; a share as 0.05.")
    ] = None,
    of: Annotated[
        str, typer.Option("--for", help="Who it is to be found for: all, women, men, women-men.")
    ] = "all",
    offered: Annotated[float | None, typer.Option(help="Share offered. [default: 0.5]")] = None,
    women: Annotated[float | None, typer.Option(help="Share of women; then also the gap.")] = None,
    baseline: Annotated[
        float | None, typer.Option(help="Level without the offer of an outcome that is 1 or 0.")
    ] = None,
    sd: Annotated[
        float | None, typer.Option(help="Standard deviation of any other outcome. [default: 1]")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of that outcome.")] = None,
    r2: Annotated[
        float | None, typer.Option(help="Share of the variance that covariates and blocks explain.")
    ] = None,
    covariates: Annotated[int | None, typer.Option(help="Columns of covariates.")] = None,
    blocks: Annotated[int | None, typer.Option(help="Blocks of the assignment.")] = None,
    takeup: Annotated[float | None, typer.Option(help="Share who take part.")] = None,
    attrition: Annotated[float | None, typer.Option(help="Share lost to follow-up.")] = None,
    clusters: Annotated[int | None, typer.Option(help="Clusters assigned.")] = None,
    cluster_size: Annotated[float | None, typer.Option(help="Persons in each.")] = None,
    icc: Annotated[float | None, typer.Option(help="Intra-cluster correlation.")] = None,
    size_cv: Annotated[
        float | None, typer.Option(help="Coefficient of variation of the clusters' sizes.")
    ] = None,
    icc_gender: Annotated[
        float | None, typer.Option(help="Correlation within cluster and gender, beyond --icc.")
    ] = None,
    r2_clusters: Annotated[
        float | None, typer.Option(help="Explained between clusters. [default: --r2]")
    ] = None,
    weighting: Annotated[
        float | None, typer.Option(help="Design effect of weights (Kish). [default: 1, none]")
    ] = None,
    level: Annotated[float | None, typer.Option(help="Of the intervals. [default: 0.95]")] = None,
    power: Annotated[float | None, typer.Option(help="Probability. [default: 0.8]")] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Outcome of NAME, or in a month: work@12.")
    ] = None,
    over: Annotated[
        str, typer.Option(help="A curve over persons: 500,1000,2000 or 500:5000:500.")
    ] = "",
    csv: Annotated[Path | None, typer.Option(help="Write the table to this file, too.")] = None,
    directory: Directory = Path(),
) -> None:
    """Plan a trial: the smallest effect, and gap, that it would find; or the persons it needs."""
    options = dict(locals())
    from evaluate.design.power_command import power_command

    _enter(directory)
    try:
        lines = power_command(**{k: v for k, v in options.items() if k != "directory"})
    except EvaluateError as error:
        _fail(error)
    for line in lines:
        typer.echo(line)


@app.command()
def costs(
    name: Annotated[str, typer.Argument(help="A programme with costs.")],
    months: Annotated[
        int, typer.Option("--what-if", help="Months within which it would have to pay back.")
    ],
    directory: Directory = Path(),
) -> None:
    """Say what effect a programme would need to pay back its cost within some months."""
    from evaluate.costs.what_if import what_if

    _enter(directory)
    try:
        lines = what_if(name, months)
    except EvaluateError as error:
        _fail(error)
    for line in lines:
        typer.echo(line)


@app.command()
def simulate(
    name: str,
    persons: Annotated[int, typer.Option(help="Persons in the extract.")] = 3_625,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="A fault to plant, such as duplicates, or duplicates:spells. Repeat it."),
    ] = None,
    faults: Annotated[
        str, typer.Option(help="Without --fault: none, counted-small, counted, all.")
    ] = "counted-small",
    truth: Annotated[bool, typer.Option("--truth", help="Write the true effects, too.")] = False,
    form: Annotated[str, typer.Option("--format", help="csv, parquet, xlsx.")] = "csv",
    directory: Directory = Path(),
) -> None:
    """Simulate a register extract with known effects, and its programme file."""
    from evaluate.data.simulated.study import simulate as write

    try:
        made = write(name, directory, persons, seed, fault or faults, form=form, with_truth=truth)
    except EvaluateError as error:
        _fail(error)
    rows = ", ".join(f"{n:,} {table}" for table, n in made.extract.rows.items())
    typer.echo(f"Simulated, nobody in it exists: {rows}.")
    for path in (*made.made, *made.extract.files):
        typer.echo(f"wrote {path}")
    planted = made.extract.truth.planted
    typer.echo(f"planted {sum(planted.values()):,} faults, {len(planted)} kinds and tables")
    typer.echo(f"Next: `evaluate check {name}`, then `evaluate run {name}`.")


@app.command()
def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--directory", "-d", help="Folder for the demo; by default this repository."),
    ] = None,
    cores: Cores = 2,
) -> None:
    """Run the demo programmes.

    JOBS II, National Supported Work with its lottery and without, and a simulated one.
    """
    from evaluate.scaffold import DEMO, demo_study

    try:
        study = demo_study(directory)
    except EvaluateError as error:
        _fail(error)
    _run(list(DEMO), study, cores)


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
