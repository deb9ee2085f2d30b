"""Eligibility criteria: a closed grammar over the columns of the raw table.

``age >= 18``, ``country in ["SY", "AF"]``, ``not (a == 1 and b < 2)``, ``1 <= children <= 4``.
Days: ``offered >= "2019-01-01"`` and ``years(permit, offered) <= 4``, with ``months`` and
``days`` for whole months and days. A column whose name is not a plain word stands in backticks.
"""

from __future__ import annotations

import ast
import datetime
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from evaluate.data.days import completed
from evaluate.data.joined import AT_TIME_ZERO
from evaluate.errors import EvaluateError, PlanError
from evaluate.plan.closed import code_text

COMPARE: Mapping[type, Callable] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ARITHMETIC: Mapping[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
QUOTED = r"""`([^`]+)`|"[^"]*"|'[^']*'"""
UNITS = ("years", "months", "days")
ISO = re.compile(r"\d{4}-\d\d-\d\d")
ALLOWED = (
    "Allowed are columns, numbers, texts, < <= > >= == != in, + - * /, and, or, not, ( ), "
    "years(a, b), months(a, b), days(a, b)."
)


@dataclass(frozen=True)
class Criterion:
    """A criterion of the plan: its text, its syntax tree, the columns that it reads."""

    text: str
    tree: ast.expr
    names: Mapping[str, str]  # word in the tree → column

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the criterion reads."""
        return tuple(dict.fromkeys(self.names.values()))

    @property
    def of_time_zero(self) -> bool:
        """Whether it names what is worked out at time zero."""
        return bool(set(self.columns) & set(AT_TIME_ZERO))


def parse(text: str) -> Criterion:
    """Read a criterion.

    Raises
    ------
    PlanError
        If it is not of the grammar.
    """
    quoted: dict[str, str] = {}
    shown = text if len(text) <= 80 else f"{text[:79]}…"

    def plain(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]  # a text, which may hold a backtick
        word = f"column_{len(quoted)}_"
        quoted[word] = match[1]
        return word

    try:
        tree = ast.parse(re.sub(QUOTED, plain, text).strip(), mode="eval").body
        for node in ast.walk(tree):
            if not _is_allowed(node):
                raise PlanError(f"eligibility: `{shown}` goes beyond a criterion. {ALLOWED}")
        functions = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        names = (n for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in functions)
        words = dict.fromkeys(n.id for n in names)
        if not words:
            raise PlanError(f"eligibility: `{shown}` names no column.")
        criterion = Criterion(text, tree, {w: quoted.get(w, w) for w in words})
        # No rows: what the criterion compares is checked before any data are.
        nobody = np.empty(0)
        holds(
            criterion,
            lambda _: nobody,
            lambda _: nobody.astype(object),
            lambda _: nobody.astype("datetime64[D]"),
        )
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        raise PlanError(f"eligibility: `{shown}` is not a criterion. {ALLOWED}") from None
    return criterion


def parse_all(texts: Sequence[str], faults: list[EvaluateError]) -> tuple[Criterion, ...]:
    """Read several criteria; those that are none go to the faults."""
    criteria = []
    for text in texts:
        try:
            criteria.append(parse(text))
        except PlanError as fault:
            faults.append(fault)
    return tuple(criteria)


def _is_allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float | str) and not isinstance(node.value, bool)
    if isinstance(node, ast.Call):
        known = isinstance(node.func, ast.Name) and node.func.id in UNITS
        return known and len(node.args) == 2 and not node.keywords
    kinds = (
        ast.Name, ast.Load, ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not,
        ast.USub, ast.BinOp, ast.List, ast.Tuple, ast.In, ast.NotIn, *COMPARE, *ARITHMETIC,
    )  # fmt: skip
    return isinstance(node, kinds)


def holds(
    criterion: Criterion,
    number: Callable[[str], np.ndarray],
    code: Callable[[str], np.ndarray],
    day: Callable[[str], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Judge every row.

    Parameters
    ----------
    criterion : Criterion
        The criterion.
    number, code, day : callable
        Give a column as floats (NaN where missing), as codes (None where missing), and as
        days (NaT where missing or no date).

    Returns
    -------
    met, unknown : ndarray of bool, shape (n,)
        Rows that meet the criterion; rows with a missing value, or no finite number or no
        date where one belongs, in a column that it reads.
    """
    unknown = np.logical_or.reduce([pd.isna(code(c)) for c in criterion.columns])

    def value(node: ast.expr) -> np.ndarray | np.floating:
        if isinstance(node, ast.Constant) and not isinstance(node.value, str):
            return np.float64(cast(float, node.value))
        if isinstance(node, ast.Name):
            values = number(criterion.names[node.id])
            np.logical_or(unknown, np.isnan(values), out=unknown)
            return values
        if isinstance(node, ast.Call):
            start, end = map(date, node.args)
            return completed(start, end, cast(ast.Name, node.func).id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand)
        if isinstance(node, ast.BinOp):
            with np.errstate(divide="ignore", invalid="ignore"):
                return ARITHMETIC[type(node.op)](value(node.left), value(node.right))
        raise PlanError(f"eligibility: `{criterion.text}` compares a text where a number belongs.")

    def date(node: ast.expr) -> np.ndarray:
        if isinstance(node, ast.Name):
            values = day(criterion.names[node.id])
            np.logical_or(unknown, np.isnat(values), out=unknown)
            return values
        if (fixed := _day(node)) is not None:
            return np.full(unknown.shape, fixed)
        raise PlanError(
            f"eligibility: `{criterion.text}`: years, months and days stand between two days, "
            'each a column or a text such as "2019-01-31".'
        )

    def compare(left: ast.expr, op: ast.cmpop, right: ast.expr) -> np.ndarray:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple) or not isinstance(left, ast.Name):
                raise PlanError(f"eligibility: `{criterion.text}`: `in` needs a column and a list.")
            listed = [code_text(ast.literal_eval(item)) for item in right.elts]
            found = np.isin(code(criterion.names[left.id]).astype(str), listed)
            return found if isinstance(op, ast.In) else ~found
        fixed = [n for n in (left, right) if _day(n) is not None]
        if fixed and all(n in fixed or isinstance(n, ast.Name) for n in (left, right)):
            return COMPARE[type(op)](date(left), date(right))
        texts = [
            n for n in (left, right) if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        if texts and isinstance(op, ast.Eq | ast.NotEq):
            name = right if left is texts[0] else left
            if not isinstance(name, ast.Name):
                raise PlanError(f"eligibility: `{criterion.text}` compares a text with no column.")
            wanted = code_text(cast(str, texts[0].value))
            same = np.equal(code(criterion.names[name.id]), wanted).astype(bool)
            return same if isinstance(op, ast.Eq) else ~same
        return np.broadcast_to(COMPARE[type(op)](value(left), value(right)), unknown.shape)

    def truth(node: ast.expr) -> np.ndarray:
        if isinstance(node, ast.BoolOp):
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return join.reduce([truth(v) for v in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~truth(node.operand)
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            return np.logical_and.reduce(
                [compare(a, op, b) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)]
            )
        raise PlanError(f"eligibility: `{criterion.text}` is neither true nor false. {ALLOWED}")

    return truth(criterion.tree) & ~unknown, unknown


def _day(node: ast.expr) -> np.datetime64 | None:
    """Return the day that a text names, 2019-01-31; None where it is something else."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return None
    try:
        is_iso = ISO.fullmatch(node.value) is not None
        return np.datetime64(datetime.date.fromisoformat(node.value)) if is_iso else None
    except ValueError:
        return None
