"""The faults that can be planted in a simulated extract, each with the tables that it is for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from evaluate.errors import PlanError

ROWS = ("assignment", "spells", "activities", "incomes")
FILES = ("persons", *ROWS)


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes
    ----------
    kind : str
        Its name.
    tables : tuple of str
        The tables that it can be planted in.
    text : str
        What is planted.
    """

    kind: str
    tables: tuple[str, ...]
    text: str


# A run goes on and counts these.
COUNTED = (
    Fault("duplicates", ("persons", "keys", *ROWS), "a row that repeats another one whole"),
    Fault("overlaps", ("spells",), "a spell within one whose state takes precedence"),
    Fault("negative_lengths", ("spells",), "a spell that ends before it starts"),
    Fault("open_ends", ("spells",), "a spell without end, or to 9999-12-31, before another"),
    Fault("before_coverage", ROWS, "a row from before the register begins"),
    Fault("after_extract", ROWS, "a row from after the extract date"),
    Fault("impossible_ages", ("persons",), "a birth that makes a person 3 or 125 at the offer"),
    Fault("two_arms", ("assignment",), "a second offer, of another arm"),
    Fault("later_offers", ("assignment",), "a second offer, of the same arm"),
    Fault("early_activities", ("activities",), "an activity before the offer"),
    Fault("unknown_codes", ("persons", "spells", "activities"), "a code in no codebook"),
    Fault("expired_codes", ("spells", "activities"), "a code outside its period"),
    Fault("unknown_persons", ROWS, "a row of nobody among the persons"),
    Fault("missing_keys", ("persons", "keys", *ROWS), "a row without the key of a person"),
    Fault("unreadable_dates", FILES, "unreadable date"),
    Fault("key_conflicts", ("keys",), "an old key with two new ones"),
    Fault("key_cycles", ("keys",), "keys that replace each other in turn"),
    Fault("missing_gender", ("persons",), "a person without gender"),
    Fault("unreadable_amounts", ("incomes",), "an amount that is no number"),
)
# A run must not go on with these.
STOPPING = (
    Fault("identity_numbers", ("persons",), "identity numbers in a column for remarks"),
    Fault("truncated", FILES, "a file that ends within a row"),
    Fault("new_header", FILES, "a second header in mid-file, its last two columns swapped"),
    Fault("mixed_encoding", ("persons", "assignment"), "another encoding from mid-file on"),
    Fault("uneven_rows", FILES, "a row with a field too many and one with a field too few"),
)
IN_FILES = ("truncated", "new_header", "mixed_encoding", "uneven_rows")
SITES = tuple((f.kind, table) for f in (*COUNTED, *STOPPING) for table in f.tables)
SMALL, LARGE = 0.001, 0.01  # persons that each fault of a table is planted for, as a share
PRESETS = ("none", "counted-small", "counted", "all")


@dataclass(frozen=True)
class Faults:
    """What to plant.

    Attributes
    ----------
    sites : tuple of (str, str)
        Kinds of fault with their tables, in the order of `SITES`.
    rate : float
        Share of the persons that each of them is planted for, two persons at least.
    """

    sites: tuple[tuple[str, str], ...]
    rate: float

    def of_files(self, table: str) -> tuple[str, ...]:
        """Return the faults of a table that are not in its rows but in its file."""
        return tuple(kind for kind, t in self.sites if t == table and kind in IN_FILES)


def chosen(faults: str | Sequence[str]) -> Faults:
    """Read what faults are asked for.

    Parameters
    ----------
    faults : str or sequence of str
        One of `PRESETS`, or kinds of fault: "duplicates", or "duplicates:spells" for those of
        one table.

    Raises
    ------
    PlanError
        If there is no such fault.
    """
    if isinstance(faults, str):
        if faults not in PRESETS:
            raise PlanError(f"`{faults}`: not among {', '.join(PRESETS)}.")
        listed = {"none": (), "all": (*COUNTED, *STOPPING)}.get(faults, COUNTED)
        wanted = {(fault.kind, table) for fault in listed for table in fault.tables}
        rate = SMALL if faults == "counted-small" else LARGE
    else:
        wanted = {site for text in faults for site in _sites(text)}
        rate = LARGE
    return Faults(tuple(site for site in SITES if site in wanted), rate)


def _sites(text: str) -> list[tuple[str, str]]:
    kind, _, table = text.partition(":")
    found = [site for site in SITES if site[0] == kind and table in ("", site[1])]
    if found:
        return found
    tables = [site[1] for site in SITES if site[0] == kind]
    if tables:
        raise PlanError(f"`{text}`: this fault is for the tables {', '.join(tables)}.")
    kinds = list(dict.fromkeys(kind for kind, _ in SITES))
    near = difflib.get_close_matches(kind, kinds, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else f" Faults: {', '.join(kinds)}."
    raise PlanError(f"`{text}`: no such fault.{hint}")
