"""Which files of the package a script stands on, so that an edit reruns what it must."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


def closure(script: str | Path) -> list[Path]:
    """Return the modules of this package that a script imports, directly or through others.

    Imports inside functions count; what a module reads as data does not, see `resources`.
    """
    found: set[Path] = set()
    queue = list(_imports(Path(script)))
    while queue:
        module = queue.pop()
        if module not in found:
            found.add(module)
            queue += _imports(module)
    return sorted(found)


def resources(pattern: str) -> list[Path]:
    """Return the files of the package that match, such as ``report/texts/*.yaml``."""
    return sorted(PACKAGE.glob(pattern))


@cache
def _imports(path: Path) -> frozenset[Path]:
    names: set[str] = set()
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(module for name in names for module in _modules(name))


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the statements at any depth; expressions, most of a tree, hold no imports."""
    queue: list[ast.AST] = list(tree.body)
    while queue:
        node = queue.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            queue += getattr(node, part, [])


@cache
def _modules(name: str) -> tuple[Path, ...]:
    """Return the file of a module and the packages above it."""
    top, *inner = name.split(".")
    if top != PACKAGE.name:
        return ()
    found = []
    for depth in range(len(inner) + 1):
        path = PACKAGE.joinpath(*inner[:depth])
        candidates = (path / "__init__.py", path.with_suffix(".py"))
        found += [c for c in candidates if c.is_file()]
    return tuple(found)
