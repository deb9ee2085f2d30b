"""The checklist of CHEERS 2022 as the report shows it: what is answered, where, and with what."""

from __future__ import annotations

from dataclasses import dataclass

from evaluate.costs.reporting import ITEMS, Item
from evaluate.costs.reporting_facts import HERE
from evaluate.plan.closed import Text
from evaluate.plan.reporting import Absent
from evaluate.release import RELEASED
from evaluate.report.cheers_answers import ANSWERS
from evaluate.report.released import Released, records
from evaluate.report.words import Words

HEADED = ("title", HERE)  # sections that are no chapters


@dataclass(frozen=True)
class Line:
    """One item of the checklist.

    Attributes
    ----------
    number : int
        Its number in the statement.
    title, status : str
        Its name; whether it is answered, in words.
    kind : {"answered", "absent", "missing"}
        The same as in `cheers.csv`.
    links : list of (str, str)
        Sections of the report: anchor and name.
    said : list of str
        Sentences that answer it, or say why it is not answered.
    """

    number: int
    title: str
    status: str
    kind: str
    links: list[tuple[str, str]]
    said: list[str]


def lines(released: Released, words: Words) -> list[Line]:
    """Return the checklist, as `cheers.csv` has it, in words; none without costs."""
    return [
        Line(
            number=int(row["item"]),
            title=words(f"cheers.item.{row['name']}"),
            status=words(f"cheers.status.{row['status']}"),
            kind=row["status"],
            links=_links(row["where"], words),
            said=_said(ITEMS[int(row["item"]) - 1], row["status"], released, words),
        )
        for row in records(released.cheers)
    ]


def counted(checklist: list[Line], words: Words) -> str:
    """Say how many items are answered, absent for a reason, and not answered."""
    kinds = [line.kind for line in checklist]
    told = {kind: kinds.count(kind) for kind in ("answered", "absent", "missing")}
    return words("cheers.counted", all=len(kinds), **told)


def _links(where: object, words: Words) -> list[tuple[str, str]]:
    """Return anchors with the names of their chapters."""
    sections = where.split(", ") if isinstance(where, str) and where else []
    names = {s: words(f"cheers.where.{s}" if s in HEADED else f"chapter.{s}") for s in sections}
    return list(names.items())


def _said(item: Item, status: str, released: Released, words: Words) -> list[str]:
    """Return what answers an item: sentences of the plan and tables, and the plan's own words."""
    costs = released.plan.costs
    assert costs is not None  # without costs there is no row
    if status == "missing":
        return [words("cheers.missing", path=item.path)]
    stated = item.stated(costs)
    if status == "absent":
        why = stated if isinstance(stated, Absent) else costs.reporting.engagement
        assert isinstance(why, Absent)
        return [words("cheers.absent", reason=_of(why.absent, words))]
    tables = [name for name in RELEASED if len(getattr(released, name, ()))]
    facts = item.facts(released.plan, costs, tables)
    found = ANSWERS[item.name](released, words) if facts else []
    if isinstance(stated, Text):
        own = _of(stated, words)
        return [*found, words("costs.source", source=own) if item.key == "source" else own]
    return [*found, words("cheers.no_reason", path=item.path)] if item.asks_why else found


def _of(text: Text, words: Words) -> str:
    return str(getattr(text, words.language)).strip()
