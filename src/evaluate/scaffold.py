"""Begin a study: a commented programme file, a configuration, folders; or the demo."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path

from ruamel.yaml import YAML

from evaluate.errors import PlanError
from evaluate.plan.load import plan_path, read_yaml
from evaluate.plan.schema import json_schemas
from evaluate.run import workflow_root

TEMPLATES = Path(__file__).parent / "templates"
COMMENTED = {"randomised": "programme.yaml", "observational": "observational.yaml"}
DEMO = ("jobs2", "nsw", "nsw_cps", "establishment")


def scaffold(name: str, directory: Path, plan: str = "", design: str = "randomised") -> list[Path]:
    """Write what a new programme needs, and nothing over what is there.

    Parameters
    ----------
    name : str
        Of the programme.
    directory : Path
        The study's folder.
    plan : str
        The programme file; a commented one to be filled in if empty.
    design : str
        Whose commented file: ``randomised`` or ``observational``.

    Returns
    -------
    list of Path
        The files and folders that were made or changed.

    Raises
    ------
    PlanError
        If the name is not one, the programme exists, or there is no file for the design.
    """
    if design not in COMMENTED:
        raise PlanError(f"--design {design}: not among {', '.join(COMMENTED)}.")
    path = free_path(name, directory)
    made = [path, *_configure(name, directory / "config" / "config.yaml")]
    path.parent.mkdir(parents=True, exist_ok=True)
    template = (TEMPLATES / COMMENTED[design]).read_text(encoding="utf-8")
    path.write_text(plan or template.replace("NAME", name), encoding="utf-8")
    for file, content in json_schemas().items():
        schema = directory / "config" / "schemas" / file
        if not schema.exists():
            schema.parent.mkdir(parents=True, exist_ok=True)
            schema.write_text(content, encoding="utf-8")
            made.append(schema)
    raw = directory / "data" / "raw" / name
    raw.mkdir(parents=True, exist_ok=True)
    return [*made, raw]


def free_path(name: str, directory: Path) -> Path:
    """Return where the file of a new programme goes.

    Raises
    ------
    PlanError
        If the name is not one, or the programme exists.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise PlanError(f"`{name}`: a programme's name has letters, digits, - and _ only.")
    path = directory / plan_path(name)
    if path.exists():
        raise PlanError(f"{path}: the programme exists. Choose another name.")
    return path


def _configure(name: str, path: Path) -> list[Path]:
    """Name the programme in the configuration, whose comments stay."""
    if not path.exists():
        template = (TEMPLATES / "config.yaml").read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.replace("NAME", name), encoding="utf-8")
        return [path]
    config = read_yaml(path)
    if not isinstance(config.get("programmes"), list):
        raise PlanError(f"{path}: no list `programmes` to add `{name}` to.")
    if name in config["programmes"]:
        return []
    config["programmes"].append(name)
    yaml = YAML()
    yaml.width = 4096  # a long line stays one
    text = io.StringIO()
    yaml.dump(config, text)
    path.write_text(text.getvalue(), encoding="utf-8")
    return [path]


def demo_study(directory: Path | None) -> Path:
    """Return the folder of the demo, made from the installed workflow where it is not there.

    Without a folder named it is this one if it holds the demo, or a new `evaluate-demo`.
    """
    source = workflow_root() / "config"
    here = Path()
    if directory is None:
        is_demo = all((here / plan_path(name)).exists() for name in DEMO)
        directory = here if is_demo else here / "evaluate-demo"
    target = directory / "config"
    if not target.exists():
        shutil.copytree(source, target)
    return directory
