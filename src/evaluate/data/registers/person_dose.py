"""Activities counted by person, for the doses that the plan names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.errors import DataError, Problems
from evaluate.plan.closed import Code, code_text
from evaluate.plan.doses import counted_months
from evaluate.plan.model import Plan
from evaluate.plan.sources import Activities


@dataclass(frozen=True)
class PersonDose:
    """A dose: the activities of some kinds, of each person, in some months.

    Attributes
    ----------
    counts : ndarray of bool, shape (codes + 1,)
        Which codes count; the missing one stands at the end.
    first, last : int
        The months in which they count.
    number : ndarray of int32, shape (n,)
        Activities of each person so far.
    """

    counts: np.ndarray
    first: int
    last: int
    number: np.ndarray

    def add(self, place: np.ndarray, month: np.ndarray, code: np.ndarray) -> None:
        """Count activities of whole persons.

        Parameters
        ----------
        place, month, code : ndarray of int, shape (rows,)
            Sorted by place; a missing code is -1.
        """
        chosen = self.counts[code] & (month >= self.first) & (month <= self.last)
        if chosen.any():
            start = place[0]
            number = np.bincount(place[chosen] - start)
            self.number[start : start + len(number)] += number.astype(np.int32)

    def known(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Return the numbers, NaN for those whose months are not all observed, shape (n,).

        ``first`` and ``last``, shape (n,), are the months of each person that are.
        """
        seen = (first <= self.first) & (last >= self.last)
        return np.where(seen, self.number, np.nan)


def person_doses(plan: Plan, texts: Sequence[str], n: int) -> dict[str, PersonDose]:
    """Begin to count the doses of a plan that are activities, by name.

    Parameters
    ----------
    plan : Plan
        The programme file, with ``data.activities``.
    texts : sequence of str
        The codes of the plan and of the table as received.
    n : int
        Number of persons.

    Raises
    ------
    Problems
        For codes that are not in the table.
    """
    section = plan.data.activities
    assert section is not None
    found, faults = {}, []
    for name, dose in plan.doses.items():
        if dose.activities is None:
            continue
        counts = np.ones(len(texts) + 1, dtype=bool)
        if dose.activities is not True:
            counts, absent = _codes(section, dose.activities, texts)
            if absent:
                faults.append(
                    DataError(
                        f"{section.path or 'data.activities'}: column {section.kind}: no row has "
                        f"{', '.join(absent)} (doses.{name}.activities). Mend the codes in the "
                        "plan, or name kinds of data.activities.kinds."
                    )
                )
        first, last = counted_months(dose, section.months)
        found[name] = PersonDose(counts, first, last, np.zeros(n, dtype=np.int32))
    if faults:
        raise Problems(faults)
    return found


def _codes(
    section: Activities, named: Sequence[Code], texts: Sequence[str]
) -> tuple[np.ndarray, list[str]]:
    """Return which codes are meant, and those that are nowhere."""
    place = {text: i for i, text in enumerate(texts)}
    counts, absent = np.zeros(len(texts) + 1, dtype=bool), []
    for one in named:
        for code in section.kinds.get(str(one), [one]):
            if code_text(code) in place:
                counts[place[code_text(code)]] = True
            else:
                absent.append(f"`{code_text(code)}`")
    return counts, absent
