"""Files that a plan names and several plans may share: a study's own, or the package's."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from evaluate.errors import PlanError
from evaluate.plan.model import Plan
from evaluate.shipped import workflow_root


@dataclass(frozen=True)
class Kind:
    """A kind of shared file: its folder in a study, and what messages call it."""

    folder: Path
    noun: str
    plural: str

    def named(self, name: str) -> Path:
        """Return where the file of that name lies in a study."""
        return self.folder / f"{name}.yaml"


CODEBOOK = Kind(Path("config/codebooks"), "codebook", "codebooks")
PRICE_INDEX = Kind(Path("config/price_indexes"), "price index", "price indexes")


def shared_path(kind: Kind, name: str) -> Path:
    """Return a shared file: the study's own, or the one that comes with the package.

    Raises
    ------
    PlanError
        If there is neither, with the nearest name that there is.
    """
    folders = (kind.folder, workflow_root() / kind.folder)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise PlanError(
            f"{kind.noun} `{name}`: the name of a {kind.noun} has small letters a to z, digits "
            "and _, and begins with a letter. Rename the file, or mend the plan."
        )
    for folder in folders:
        if (path := folder / f"{name}.yaml").is_file():
            return path
    known = sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})
    near = difflib.get_close_matches(name, known, n=1)
    others = f" {kind.plural.capitalize()}: {', '.join(known)}."
    raise PlanError(
        f"{kind.noun} `{name}`: no {kind.named(name).as_posix()}."
        + (f" Did you mean `{near[0]}`?" if near else others)
    )


def shared_files(plan: Plan) -> dict[str, tuple[Kind, str]]:
    """Return kind and name of the shared files of a plan, by the key that names each."""
    found = {f"data.{key}": (CODEBOOK, book) for key, book in codebooks(plan).items()}
    if plan.costs and plan.costs.price_index is not None:
        found["costs.price_index"] = (PRICE_INDEX, plan.costs.price_index)
    return found


def codebooks(plan: Plan) -> dict[str, str]:
    """Return the codebooks of a plan, by the key under `data` that names each."""
    named = {
        f"{table}.codebook": section.codebook
        for table in ("spells", "activities")
        if (section := getattr(plan.data, table)) is not None and section.codebook is not None
    }
    return named | {f"codebooks.{column}": book for column, book in plan.data.codebooks.items()}
