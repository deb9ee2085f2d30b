"""Read a programme file or a configuration, and say clearly what is wrong with it."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from evaluate.errors import PlanError, Problems
from evaluate.plan.closed import Closed
from evaluate.plan.config import Config
from evaluate.plan.model import Plan
from evaluate.plan.support import unsupported

Model = TypeVar("Model", bound=Closed)
Loc = tuple[int | str, ...]


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
    return _load(Path(path), Plan)


def load_config(path: str | Path = "config/config.yaml") -> Config:
    """Read the configuration of a study; errors as for `load_plan`."""
    return _load(Path(path), Config)


def _load(path: Path, model: type[Model]) -> Model:
    if not path.is_file():
        raise PlanError(f"{path}: no such file. Make one with `evaluate new {path.stem}`.")
    try:
        content = YAML().load(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise PlanError(f"{path}: not UTF-8. Save the file as UTF-8.") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise PlanError(f"{path}, line {line}: not YAML: {error.problem}.") from None
    except YAMLError as error:
        raise PlanError(f"{path}: not YAML: {error}.") from None
    if not isinstance(content, CommentedMap):
        raise PlanError(f"{path}: empty, or not a list of `key: value`.")
    try:
        return model.model_validate(_plain(content))
    except ValidationError as error:
        faults = _without_other_branches(error.errors(include_url=False), content)
        raise Problems([_message(path, f, content, model) for f in faults]) from None


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


def _walk(content: Any, loc: Loc) -> tuple[Loc, Any, int | None]:
    """Follow a location into the file; return its keys there, the value and the line."""
    keys: list[int | str] = []
    node, line = content, None
    for step in loc:
        if isinstance(node, dict):
            step = next((k for k in node if k == step or str(k) == str(step)), step)
            if step not in node:
                continue  # pydantic names the branch of a union here, not a key
            if isinstance(node, CommentedMap) and step in node.lc.data:
                line = node.lc.key(step)[0] + 1
            keys.append(step)
            node = node[step]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            keys.append(step)
            node = node[step]
    return tuple(keys), node, line


def _without_other_branches(faults: Sequence[ErrorDetails], content: Any) -> list[ErrorDetails]:
    """Keep, of a union's faults, those of the branch that the value resembles."""
    sections = {m.__name__ for m in _subclasses(Closed)}
    unions = {}  # keys of a union in the file → whether a section was expected and a mapping came
    for fault in faults:
        for i, step in enumerate(fault["loc"]):
            if step in sections:
                keys, value, _ = _walk(content, fault["loc"][:i])
                unions[keys] = isinstance(value, dict)
    kept = {}
    for fault in faults:
        keys, _, _ = _walk(content, fault["loc"])
        is_section = any(step in sections for step in fault["loc"])
        union = next((u for u in unions if keys[: len(u)] == u), None)
        if union is not None and unions[union] != is_section:
            continue
        what = fault["loc"] if fault["type"] == "missing" else keys
        kept.setdefault(what, fault)
    return list(kept.values())


def _subclasses(model: type[Closed]) -> list[type[Closed]]:
    return [s for sub in model.__subclasses__() for s in (sub, *_subclasses(sub))]


def _model_at(model: type[Closed], loc: Loc) -> type[Closed] | None:
    """Return the section whose keys stand at a location."""
    named = {m.__name__: m for m in _subclasses(Closed)}
    found: type[Closed] | None = model
    for step in loc:
        if step in named:
            found = named[str(step)]
        elif found is not None and str(step) in found.model_fields:
            inner = _models_in(found.model_fields[str(step)].annotation)
            found = inner[0] if inner else found
    return found


def _models_in(annotation: Any) -> list[type[Closed]]:
    if isinstance(annotation, type) and issubclass(annotation, Closed):
        return [annotation]
    return [m for arg in typing.get_args(annotation) for m in _models_in(arg)]


def _nearest(word: object, known: Sequence[str]) -> str:
    match = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f" Did you mean `{match[0]}`?" if match else ""


def _message(path: Path, fault: ErrorDetails, content: Any, model: type[Closed]) -> str:
    loc = fault["loc"]
    keys, value, line = _walk(content, loc)
    where = f"{path}, line {line}" if line else f"{path}"
    key = ".".join(map(str, keys))
    if fault["type"] == "extra_forbidden":
        section = _model_at(model, loc[:-1])
        known = [f.alias or n for n, f in section.model_fields.items()] if section else []
        hint = _nearest(loc[-1], known) or f" Known keys: {', '.join(known)}."
        return f"{where}: {key}: unknown key.{hint}"
    if fault["type"] == "missing":
        key = ".".join(filter(None, [key, str(loc[-1])]))
        return f"{where}: {key}: missing, and required."
    what = fault["msg"].removeprefix("Value error, ").rstrip(".")
    if fault["type"] == "literal_error":
        known = [w.strip("' ") for w in fault["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{where}: {key}: `{value}` is not among {', '.join(known)}.{_nearest(value, known)}"
    if isinstance(value, dict | list):
        return f"{where}: {key + ': ' if key else ''}{what}."
    return f"{where}: {key}: `{value}`: {what[0].lower()}{what[1:]}."


def load_study(config: Mapping[str, Any]) -> tuple[Config, dict[str, Plan]]:
    """Check the configuration of a study and read the plans of its programmes.

    Raises
    ------
    Problems
        With the faults of all files, and with what a plan asks for that is not there yet.
    """
    try:
        checked = Config.model_validate(config)
    except ValidationError:
        checked = load_config()  # says where in the file the fault is
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
    if faults:
        raise Problems(faults)
    return checked, plans
