"""What is wrong with a programme file, one message for a fault, in the words of its reader."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from evaluate.plan.closed import Closed

Loc = tuple[int | str, ...]
SECTION = "keys with values"
KINDS = {
    "model_type": SECTION,
    "dict_type": SECTION,
    "list_type": "a list, `[a, b]`",
    "tuple_type": "a list, `[a, b]`",
    "string_type": "a text; put it in quotation marks",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
}
PATTERNS = {
    "^[A-Z]{3}$": "three capitals, such as SEK",
    r"^[\w-]+$": "letters, digits, - and _",
    r"^[a-z][a-z0-9_]*$": "small letters, digits and _",
}


def messages(path: Path, error: ValidationError, content: Any, model: type[Closed]) -> list[str]:
    """Say what is wrong: file, line, key, value, what is allowed, the nearest known word.

    Parameters
    ----------
    path : Path
        The file, for the messages.
    error : ValidationError
        The faults that pydantic has found.
    content : CommentedMap
        The file as read, which knows its lines.
    model : type
        The model of the file.
    """
    faults = _of_one_branch(_single(error.errors(include_url=False)), content)
    return [_message(path, f, content, model) for f in _without_echo(faults, model)]


def _single(faults: Iterable[ErrorDetails]) -> list[ErrorDetails]:
    """Take apart the faults that one rule between sections has collected."""
    found = []
    for fault in faults:
        for loc, text in fault.get("ctx", {}).get("faults", [(fault["loc"], fault["msg"])]):
            single = fault.copy()
            single["loc"], single["msg"] = tuple(loc), text
            found.append(single)
    return found


def _of_one_branch(faults: Sequence[ErrorDetails], content: Any) -> list[ErrorDetails]:
    """Keep, where a value may take several forms, the faults of the form that it resembles."""
    unions: dict[Loc, dict[int | str, list[ErrorDetails]]] = {}
    kept: list[ErrorDetails] = []
    for fault in faults:
        loc = fault["loc"]
        at = _branch(content, fault)
        if at is None:
            kept.append(fault)
        else:
            unions.setdefault(loc[:at], {}).setdefault(loc[at], []).append(fault)
    for at_union, branches in unions.items():
        value = _walk(content, at_union)[1]
        fit = [b for b in branches.values() if not any(_misfit(f, at_union, value) for f in b)]
        if fit:
            # The fewest faults; then rather out of bounds than of another kind; then the section.
            kept += min(fit, key=partial(_rank, at_union))
        else:
            forms = [_allowed(b[0]).partition(";")[0] for b in branches.values()]
            whole = next(iter(branches.values()))[0].copy()
            whole["type"], whole["loc"], whole["msg"] = "form", at_union, _either(forms)
            kept.append(whole)
    return sorted(kept, key=lambda f: _walk(content, f["loc"])[2] or 0)


def _branch(content: Any, fault: ErrorDetails) -> int | None:
    """Return where in a location pydantic names the branch of a union, if it does."""
    node = content
    for at, step in enumerate(fault["loc"]):
        found = _step(node, step)
        if found is None:
            is_key = at == len(fault["loc"]) - 1 and fault["type"] == "missing"
            return None if is_key or step == "[key]" else at
        node = node[found]
    return None


def _misfit(fault: ErrorDetails, union: Loc, value: Any) -> bool:
    """Tell whether a fault is that the value has another form: a text for a list, say."""
    if len(fault["loc"]) > len(union) + 1:
        return fault["type"] == "invalid_key"
    if isinstance(value, dict | list) or value is None:
        return fault["type"] in KINDS or fault["type"] == "literal_error"
    return fault["type"] in ("model_type", "dict_type", "list_type", "tuple_type")


def _rank(union: Loc, branch: Sequence[ErrorDetails]) -> tuple[int, bool, bool]:
    is_section = branch[0]["loc"][len(union)] in {m.__name__ for m in _subclasses(Closed)}
    is_other_kind = len(branch[0]["loc"]) == len(union) + 1 and branch[0]["type"] in KINDS
    return len(_near_missing(branch)), is_other_kind, not is_section


def _near_missing(faults: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop "missing" beside an unknown key that is likely to be the missing one."""
    unknown = [f["loc"] for f in faults if f["type"] == "extra_forbidden"]
    return [
        f
        for f in faults
        if f["type"] != "missing"
        or not any(
            loc[:-1] == f["loc"][:-1] and _near(loc[-1], [str(f["loc"][-1])]) for loc in unknown
        )
    ]


def _without_echo(faults: Sequence[ErrorDetails], model: type[Closed]) -> list[ErrorDetails]:
    """Drop "missing" only where the message on the unknown key names the missing one."""
    named = {
        (*f["loc"][:-1], near)
        for f in faults
        if f["type"] == "extra_forbidden"
        and (near := _near(f["loc"][-1], _keys(_model_at(model, f["loc"][:-1]))))
    }
    return [f for f in faults if f["type"] != "missing" or f["loc"] not in named]


def _step(node: Any, step: int | str) -> Any:
    """Return the key or position under which a step of a location stands in the file."""
    if isinstance(node, dict):
        return next((k for k in node if k == step or str(k) == str(step)), None)
    is_item = isinstance(node, list) and isinstance(step, int) and step < len(node)
    return step if is_item else None


def _walk(content: Any, loc: Loc) -> tuple[str, Any, int | None]:
    """Follow a location into the file; return its keys as a text, the value and the line."""
    text, node, line = "", content, None
    for step in loc:
        found = _step(node, step)
        if found is None:
            continue  # pydantic names the branch of a union here, or a key that is missing
        if isinstance(node, CommentedMap) and found in node.lc.data:
            line = node.lc.key(found)[0] + 1
        if isinstance(node, CommentedSeq) and found in (node.lc.data or {}):
            line = node.lc.item(found)[0] + 1
        if isinstance(node, list):
            text += f", item {found + 1}"
        else:
            text += (", " if ", item" in text else "." if text else "") + str(found)
        node = node[found]
    return text, node, line


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


def _keys(model: type[Closed] | None) -> list[str]:
    return [f.alias or name for name, f in model.model_fields.items()] if model else []


def _near(word: object, known: Sequence[str]) -> str | None:
    return next(iter(difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)), None)


def _nearest(word: object, known: Sequence[str]) -> str:
    return f" Did you mean `{near}`?" if (near := _near(word, known)) else ""


def _either(forms: Sequence[str]) -> str:
    """Return forms as a text; any number may be whole."""
    unique = [f for f in dict.fromkeys(forms) if f != KINDS["int_type"] or "a number" not in forms]
    return " or ".join([", ".join(unique[:-1]), unique[-1]] if unique[1:] else unique)


def _words(fault: ErrorDetails) -> list[str]:
    """Return the words that a fault says are allowed."""
    expected = fault["ctx"]["expected"].replace(" or ", ", ")
    return [word.strip("' ") for word in expected.split(",")]


def _allowed(fault: ErrorDetails) -> str:
    if fault["type"] == "literal_error":
        return " or ".join(_words(fault))
    return KINDS.get(fault["type"], fault["msg"])


def _message(path: Path, fault: ErrorDetails, content: Any, model: type[Closed]) -> str:
    loc, kind = fault["loc"], fault["type"]
    key, value, line = _walk(content, loc)
    where = f"{path}, line {line}" if line else f"{path}"
    if kind == "extra_forbidden":
        known = _keys(_model_at(model, loc[:-1]))
        hint = _nearest(loc[-1], known) or f" Known keys: {', '.join(known)}."
        return f"{where}: {key}: unknown key.{hint}"
    if kind == "missing":
        absent = f"item {loc[-1] + 1}" if isinstance(loc[-1], int) else loc[-1]
        key = f"{key}, {absent}" if ", item" in key else ".".join(filter(None, [key, str(absent)]))
        return f"{where}: {key}: missing, and required."
    if loc[-1:] == ("[key]",):
        key, value = f"{key}: key", loc[-2]
    if value is None:
        key = f"{key}: empty"
    elif not isinstance(value, dict | list):
        key = f"{key}: `{str(value).lower() if isinstance(value, bool) else value}`"
    if kind == "literal_error":
        known = _words(fault)
        return f"{where}: {key} is not among {', '.join(known)}.{_nearest(value, known)}"
    what = fault["msg"].removeprefix("Value error, ").rstrip(".")
    if kind == "model_type":
        what = f"must be {SECTION}: {', '.join(_keys(_model_at(model, loc)))}"
    elif kind in KINDS or kind == "form":
        what = f"must be {KINDS.get(kind, fault['msg'])}"
    elif kind == "string_pattern_mismatch":
        what = f"must be {PATTERNS[fault['ctx']['pattern']]}"
    elif kind == "too_short":
        what = "must not be empty"
    return f"{where}: {key + ': ' if key else ''}{what.replace('Input should', 'must')}."
