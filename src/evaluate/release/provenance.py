"""Where the numbers come from: hashes, versions and the seed, no clock time."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evaluate import __version__
from evaluate.plan.model import Plan
from evaluate.plan.shared_files import shared_files, shared_path
from evaluate.sources import PACKAGE

PACKAGES = ("numpy", "pandas", "pyarrow", "scipy", "snakemake")


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: str | Path) -> dict[str, Any]:
    """Return name, size and hash of a raw file."""
    return {
        "path": Path(path).as_posix(),
        "bytes": Path(path).stat().st_size,
        "sha256": sha256(path),
    }


def sources(plan: Plan, databases: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the numbers were read from: raw tables, and the files that read them.

    Parameters
    ----------
    plan : Plan
        The programme file.
    databases : mapping of str to mapping
        For each table from a database, its `content.fingerprint`.
    """
    tables = [
        {"table": name}
        | (fingerprint(table.path) if table.path is not None else dict(databases[name]))
        for name, table in plan.data.tables.items()
    ]
    # Its name in a study, for where the package lies is nobody's business.
    return tables + [
        fingerprint(shared_path(kind, name))
        | {"table": kind.noun, "path": kind.named(name).as_posix()}
        for kind, name in dict.fromkeys(shared_files(plan).values())
    ]


def code_hash(modules: Iterable[str | Path]) -> str:
    """Return one hash over modules of this package, by their names and contents."""
    total = hashlib.sha256()
    for module in sorted(map(Path, modules)):
        total.update(module.relative_to(PACKAGE).as_posix().encode())
        total.update(bytes.fromhex(sha256(module)))
    return total.hexdigest()


def provenance(
    raw: Sequence[Mapping[str, Any]],
    plan: str | Path,
    modules: Iterable[str | Path],
    disclosure: Mapping[str, Any],
    seed: int,
    simulated: bool = False,
) -> dict[str, Any]:
    """Return what `provenance.json` holds.

    Parameters
    ----------
    raw : sequence of mapping
        As from `sources`.
    plan : path
        The programme file.
    modules : iterable of path
        The modules that the numbers stand on.
    disclosure : mapping
        The limits of the release.
    seed : int
        Of every random draw.
    simulated : bool
        Whether the plan says that the data are.
    """
    return {
        "raw": [dict(table) for table in raw],
        "plan": {"path": Path(plan).as_posix(), "sha256": sha256(plan)},
        "simulated": simulated,
        "seed": seed,
        "disclosure": dict(disclosure),
        "evaluate": {"version": __version__, "sha256": code_hash(modules)},
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
