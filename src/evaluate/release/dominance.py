"""Dominance: which amounts to withhold so that none tells what its largest contributors cost."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from evaluate.plan.config import Dominance

ROUNDING = 1e-9  # of a sum, by which floating point may put a part over the limit
Why = Literal["dominated", "few", "protects"]


@dataclass(frozen=True)
class Line:
    """Amounts that add up to a total which is published elsewhere.

    Attributes
    ----------
    cells : tuple
        What each amount is of, such as a site.
    parts : sparse array, shape (cells, contributors)
        What each contributor has in each amount.
    """

    cells: tuple[Hashable, ...]
    parts: sparse.csr_array

    @property
    def amounts(self) -> np.ndarray:
        """The amounts, shape (cells,)."""
        return np.asarray(self.parts.sum(axis=1)).ravel()


def dominates(parts: np.ndarray, rule: Dominance) -> bool:
    """Tell whether the k largest contributors have more than the limit of a sum.

    Parameters
    ----------
    parts : ndarray, shape (contributors,)
        What each has in it. What is taken back counts by its size.
    rule : Dominance
        ``k`` contributors, ``percent`` of the sum. At 100 per cent nothing is dominated.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, section 4.2: the (n, k) rule.
    """
    sizes = np.sort(np.abs(parts))[::-1]
    limit = rule.percent / 100 * sizes.sum()
    return bool(sizes[: rule.k].sum() > limit * (1 + ROUNDING))


def why_sensitive(parts: np.ndarray, rule: Dominance, min_persons: int) -> Why | None:
    """Return why a sum is withheld for its own sake, None where it may be published.

    Parameters
    ----------
    parts : ndarray, shape (contributors,)
        What each has in it.
    rule : Dominance
        Of the k largest.
    min_persons : int
        The least number of contributors, where these are persons; else 0.
    """
    own = parts[parts != 0]
    if 0 < len(own) < min_persons:
        return "few"
    return "dominated" if dominates(own, rule) else None


def withhold_amounts(
    lines: Mapping[Hashable, Line],
    rule: Dominance,
    min_persons: int = 0,
    hidden: Mapping[Hashable, Collection[Hashable]] | None = None,
    tied: Sequence[Collection[tuple[Hashable, Hashable]]] = (),
    open_cells: Collection[Hashable] = (),
) -> dict[tuple[Hashable, Hashable], Why]:
    """Choose the amounts to withhold: the sensitive ones, and others that would give them away.

    Parameters
    ----------
    lines : mapping of Line
        Each with a total that a reader knows.
    rule : Dominance
        Of the k largest contributors.
    min_persons : int
        The least number of contributors, where these are persons; else 0.
    hidden : mapping, optional
        By line the cells that are withheld for another reason.
    tied : sequence of collections of (line, cell)
        Amounts that tell each other: all are withheld, or none.
    open_cells : collection
        Cells that need no protection of their own, and may protect others.

    Returns
    -------
    dict
        By line and cell why it is withheld. In each line with any there are at least two, and
        what they are together, which a reader has from the total and the others, is not
        sensitive itself; or all are withheld.

    Notes
    -----
    A line of one cell is shown even where it is dominated: its amount is the published total.
    The companion is the smallest amount that is enough, or else the largest.
    """
    found: dict[tuple[Hashable, Hashable], Why] = {}
    for name, line in lines.items():
        given = (hidden or {}).get(name, ())
        for i, cell in enumerate(line.cells):
            why = why_sensitive(_row(line, [i]), rule, min_persons)
            if cell in open_cells or (why == "dominated" and len(line.cells) == 1):
                why = None
            if why or cell in given:
                found[name, cell] = why or "protects"
    before = -1
    while len(found) != before:
        before = len(found)
        for name, line in lines.items():
            for cell in _companions(line, {c for n, c in found if n == name}, rule, min_persons):
                found[name, cell] = "protects"
        for together in tied:
            if any(place in found for place in together):
                for place in together:
                    found.setdefault(place, "protects")
    return found


def _companions(
    line: Line, withheld: set[Hashable], rule: Dominance, min_persons: int
) -> list[Hashable]:
    """Return what must be withheld, too, so that the sum of what is withheld tells nothing."""
    own = [i for i, cell in enumerate(line.cells) if cell in withheld]
    left = [i for i, cell in enumerate(line.cells) if cell not in withheld]
    size = np.abs(line.amounts)
    left.sort(key=size.__getitem__)
    added: list[Hashable] = []

    def is_safe(cells: list[int]) -> bool:
        return len(cells) > 1 and why_sensitive(_row(line, cells), rule, min_persons) is None

    while own and left and not is_safe(own):
        chosen = next((i for i in left if size[i] and is_safe([*own, i])), left[-1])
        own.append(chosen)
        left.remove(chosen)
        added.append(line.cells[chosen])
    return added


def _row(line: Line, cells: list[int]) -> np.ndarray:
    """Return what each contributor has in some cells together, shape (contributors,)."""
    return np.asarray(line.parts[cells].sum(axis=0)).ravel()
