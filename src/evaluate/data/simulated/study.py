"""A whole simulated study: a programme file, a configuration, an extract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluate.data.simulated.extract import Extract, check, extract, is_simulated
from evaluate.data.simulated.faults import chosen
from evaluate.errors import PlanError
from evaluate.scaffold import TEMPLATES, free_path, scaffold


@dataclass(frozen=True)
class Simulated:
    """A study with a simulated programme.

    Attributes
    ----------
    name : str
        Of the programme.
    directory, plan, raw : Path
        The study; its programme file; the folder of the raw tables.
    made : tuple of Path
        What was written, beside the raw tables.
    extract : Extract
        The raw tables and the truth about them.
    """

    name: str
    directory: Path
    plan: Path
    raw: Path
    made: tuple[Path, ...]
    extract: Extract


def plan_text(name: str, form: str = "csv") -> str:
    """Return the programme file of a simulated programme."""
    template = (TEMPLATES / "simulated.yaml").read_text(encoding="utf-8")
    return template.replace("NAME", name).replace(".FORMAT", f".{form}")


def simulate(
    name: str,
    directory: Path,
    persons: int = 3_625,
    seed: int = 1,
    faults: str | Sequence[str] = "counted-small",
    *,
    form: str = "csv",
    with_truth: bool = False,
) -> Simulated:
    """Write a programme file, its configuration and a simulated extract.

    Parameters
    ----------
    name : str
        Of the programme, which must not exist.
    directory : Path
        The study's folder.
    persons, seed, faults, form, with_truth
        As for `extract`.

    Raises
    ------
    PlanError
        If the programme exists, its folder holds other data, or what is asked for cannot be.
    ReleaseError
        If the disk does not take the files.
    """
    check(persons, seed, chosen(faults), form)
    plan = free_path(name, directory)
    raw = directory / "data" / "raw" / name
    if raw.exists() and any(raw.iterdir()) and not is_simulated(raw):
        raise PlanError(f"{raw}: holds files that are not simulated. Choose another name.")
    done = extract(raw, persons, seed, faults, form=form, with_truth=with_truth)
    made = scaffold(name, directory, plan_text(name, form))
    return Simulated(name, directory, plan, raw, tuple(made), done)


def study(
    directory: Path,
    persons: int = 400,
    seed: int = 1,
    faults: str | Sequence[str] = (),
    name: str = "simulated",
) -> Simulated:
    """Write a small study for tests, without faults unless named."""
    return simulate(name, directory, persons, seed, faults, with_truth=True)
