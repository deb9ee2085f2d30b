"""Read a programme file or a configuration, and say clearly what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from evaluate.errors import PlanError, Problems
from evaluate.plan.closed import Closed
from evaluate.plan.codebook import CodebookFile
from evaluate.plan.config import Config
from evaluate.plan.faults import messages
from evaluate.plan.model import Plan
from evaluate.plan.price_index import PriceIndexFile
from evaluate.plan.shared_files import CODEBOOK, PRICE_INDEX, shared_files, shared_path
from evaluate.plan.support import unsupported

Model = TypeVar("Model", bound=Closed)


def plan_path(name: str) -> Path:
    """Return where the programme file of a programme lies in a study."""
    return Path("config/programmes") / f"{name}.yaml"


def load_plan(path: str | Path) -> Plan:
    """Read a programme file.

    Raises
    ------
    Problems
        With one `PlanError` for each fault: file, line, key, value, what is allowed,
        and the nearest known key.
    """
    return _load(_there(Path(path), Path(path).stem), Plan)


def load_config(path: str | Path = "config/config.yaml") -> Config:
    """Read the configuration of a study; errors as for `load_plan`."""
    return _load(_there(Path(path), "NAME"), Config)


def load_codebook_file(name: str) -> CodebookFile:
    """Read a codebook by its name; errors as for `load_plan` and `shared_path`."""
    return _load(shared_path(CODEBOOK, name), CodebookFile)


def load_price_index(name: str) -> PriceIndexFile:
    """Read a price index by its name; errors as for `load_plan` and `shared_path`."""
    return _load(shared_path(PRICE_INDEX, name), PriceIndexFile)


def _there(path: Path, name: str) -> Path:
    if not path.is_file():
        raise PlanError(f"{path}: no such file. Make one with `evaluate new {name}`.")
    return path


def _load(path: Path, model: type[Model]) -> Model:
    content = read_yaml(path)
    try:
        return model.model_validate(_plain(content))
    except ValidationError as error:
        raise Problems(messages(path, error, content, model)) from None


def read_yaml(path: Path) -> CommentedMap:
    """Read keys and values with their lines, comments and quotation marks.

    Raises
    ------
    PlanError
        If the file is not YAML, or not keys with values at the top.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PlanError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise PlanError(f"{path}: not UTF-8. Save the file as UTF-8.") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise PlanError(f"{path}, line {line}: not YAML: {_problem(error)}.") from None
    except (YAMLError, RecursionError):
        raise PlanError(f"{path}: not YAML: a character or depth that YAML forbids.") from None
    if not isinstance(content, CommentedMap):
        raise PlanError(f"{path}: empty, or not a list of `key: value`.")
    return content


def _problem(error: MarkedYAMLError) -> str:
    """Return what is wrong with the YAML, in plain words where it is a common mistake."""
    problem = str(error.problem)
    if double := re.match('found duplicate key "(.*?)"', problem):
        return f"the key `{double[1]}` stands there twice"
    if r"'\t'" in problem:
        return "indented with a tab; use spaces"
    return problem


def _plain(node: Any) -> Any:
    """Strip the line numbers that ruamel keeps on its own types."""
    if isinstance(node, dict):
        return {_plain(k): _plain(v) for k, v in node.items()}
    if isinstance(node, list):
        return [_plain(v) for v in node]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)  # a date or timestamp is a text here


def load_study(config: Mapping[str, Any]) -> tuple[Config, dict[str, Plan]]:
    """Check the configuration of a study and read the plans of its programmes.

    Raises
    ------
    Problems
        With the faults of all files, codebooks among them, and with what a plan asks for that
        is not there yet.
    """
    try:
        checked = Config.model_validate(config)
    except ValidationError as error:
        load_config()  # says where in the file the fault is; what is left came on the command line
        keys = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise PlanError(f"--config: {keys}: not what config/config.yaml may hold.") from None
    plans, faults = {}, []
    for name in checked.programmes:
        path = plan_path(name)
        try:
            plans[name] = load_plan(path)
        except Problems as error:
            faults += error.problems
        except PlanError as error:
            faults.append(str(error))
        else:
            faults += [f"{path}: {fault}" for fault in unsupported(plans[name])]
            faults += shared_faults(path, plans[name])
    if faults:
        raise Problems(faults)
    return checked, plans


def shared_faults(path: Path, plan: Plan) -> list[str]:
    """Say what is wrong with a plan's shared files, and where it names one that is not there."""
    faults = []
    for key, (kind, name) in shared_files(plan).items():
        try:
            load_codebook_file(name) if kind == CODEBOOK else load_price_index(name)
        except Problems as error:
            faults += error.problems
        except PlanError as error:
            faults.append(f"{path}: {key}: {error}")
    return list(dict.fromkeys(faults))
