"""The release gate of costs by site: few persons, and the largest contributors of an amount.

An amount over a cost per person is a number of persons, and where a participant has a price, so
is the amount itself: both go where that number is withheld. Amounts add up over sites to those of
`costs.csv`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from scipy import sparse

from evaluate import schemas
from evaluate.errors import ReleaseError
from evaluate.plan.config import Dominance
from evaluate.release.dominance import Line, Why, withhold_amounts
from evaluate.release.gate_cells import ALL, Cells, Gated, add_indicator, plain, reason

IDENTITY = ("site", "arm", "payers", "basis", "currency", "price_year")
ADDED = ["arm", "basis", "currency", "price_year"]
LINE = [*ADDED, "payers"]
AMOUNT = ("amount", "share")
PER = {"per_offer": "n", "per_participant": "n_participants"}
Row = dict[str, list[int]]  # the cells behind each column of a row


@dataclass(frozen=True)
class Sites:
    """What the gate of costs by site knows beside the table.

    Attributes
    ----------
    parts : DataFrame or None
        As `schemas.COST_PARTS`.
    column : str
        The column with each person's site, as other tables name it; empty where none is.
    by_person : bool
        Whether the contributors are persons.
    """

    parts: pd.DataFrame | None = None
    column: str = ""
    by_person: bool = False


@dataclass(frozen=True)
class SiteCells:
    """The cells of the persons by site.

    Attributes
    ----------
    rows : list of dict
        The cells behind ``n`` and ``n_participants`` of each row of the table.
    by_arm : dict
        The cells of all sites, by arm and column.
    """

    rows: list[Row] = field(default_factory=list)
    by_arm: dict[tuple[str, str], list[int]] = field(default_factory=dict)


def site_cells(cells: Cells, table: pd.DataFrame, column: str) -> SiteCells:
    """Enter the persons of each site and arm, and those of them who took part.

    Parameters
    ----------
    cells : Cells
        To enter them in, before the balance, which tells levels of covariates.
    table : DataFrame
        As `schemas.COSTS_BY_SITE`.
    column : str
        The column with each person's site: a group or covariate of that name is the same.
    """
    found = SiteCells()
    for row in table.to_dict("records"):
        own: Row = {"n": [], "n_participants": []}
        found.rows.append(own)
        if pd.isna(row["n"]):
            continue
        group, arm, n = f"{column}={row['site']}", str(row["arm"]), int(row["n"])
        size = cells.add(("n", group, arm, n), n, n)
        own["n"] = [size]
        if pd.notna(row["n_participants"]):
            taken, key = int(row["n_participants"]), ("takeup", group, arm)
            if taken in (0, n):
                takers = size if taken else cells.add(("nobody", group, arm), 0, 0)
                own["n_participants"] = [takers]
            else:
                own["n_participants"] = list(add_indicator(cells, key, n, taken, size, n))
        for name, behind in own.items():
            of_arm = found.by_arm.setdefault((arm, name), [])
            of_arm += [c for c in behind[:1] if c not in of_arm]
    return found


def link_sites(
    cells: Cells,
    found: SiteCells,
    flow: pd.DataFrame | None,
    places: Mapping[tuple[int, str], int],
) -> None:
    """Relate the sites of an arm to all its persons, whom `costs.csv` and the flow tell.

    Parameters
    ----------
    cells : Cells
        All but those of costs.
    found : SiteCells
        From `site_cells`.
    flow : DataFrame or None
        As `schemas.FLOW`.
    places : mapping of (int, str) to int
        Cells of the flow.
    """
    steps = [] if flow is None else flow["step"].tolist()
    for (arm, name), parts in found.by_arm.items():
        count = sum(cells.counts[c] for c in parts)
        step = {"n": "included", "n_participants": "took_part"}[name]
        of_flow = places.get((steps.index(step), f"arm={arm}")) if step in steps else None
        in_flow = of_flow is not None and cells.counts[of_flow] == count
        if of_flow is not None and in_flow:
            cells.relate(of_flow, parts)
        if name == "n" or not in_flow:  # what was spent over what an offer cost
            whole = ("n", ALL, arm, int(count)) if name == "n" else ("costs", name, arm)
            cells.relate(cells.add(whole, count, float("inf")), parts)


def gate_sites(
    table: pd.DataFrame,
    rows: list[Row],
    cells: Cells,
    known: Sites,
    rule: Dominance,
    min_cell: int,
) -> Gated:
    """Empty numbers of few persons, amounts that few contributors make, and what tells them.

    Parameters
    ----------
    table : DataFrame
        As `schemas.COSTS_BY_SITE`.
    rows : list of dict
        Those of `SiteCells`.
    cells : Cells
        Solved.
    known : Sites
        Among it the contributors.
    rule : Dominance
        The k largest contributors and their share.
    min_cell : int
        The smallest count that passes.

    Raises
    ------
    ReleaseError
        If there are amounts and no contributors.
    """
    table = table.reset_index(drop=True)
    if table.empty:
        return Gated(table, [])
    if known.parts is None:
        raise ReleaseError("costs_by_site: the gate needs the parts of the amounts.")
    texts: dict[int, dict[str, str]] = {i: {} for i in range(len(table))}
    for i, row in enumerate(rows):
        for column, behind in row.items():
            if behind and cells.any_hidden(behind):
                texts[i][column] = reason(cells.any_small(behind), min_cell)
    amounts = _amounts_withheld(table, texts, known, rule, min_cell if known.by_person else 0)
    for i, why in amounts.items():
        few = next(iter(texts[i].values()), None)
        texts[i] |= dict.fromkeys(AMOUNT, few or said(why, rule, min_cell))
    for own in texts.values():
        for per, of in PER.items():
            if untold := own.get(of) or own.get("amount"):
                own[per] = untold
    return _emptied(table, texts)


def said(why: Why, rule: Dominance, min_cell: int) -> str:
    """Say why an amount is withheld: the same of a dominated one and of those that hide it.

    Where all costs are of one item, one that only protects would be known to be zero.
    """
    if why == "few":
        return reason(True, min_cell)
    largest = "the largest contributor has" if rule.k == 1 else f"the {rule.k} largest have"
    return f"{largest} more than {rule.percent:g} per cent of it, or it would give away another"


def _amounts_withheld(
    table: pd.DataFrame,
    texts: Mapping[int, Mapping[str, str]],
    known: Sites,
    rule: Dominance,
    min_persons: int,
) -> dict[int, Why]:
    """Return why each row's amount is withheld, by position.

    What the public paid and what others paid are withheld apart; what all paid is shown where
    both are, for it less the one is the other.
    """
    assert known.parts is not None
    # costs of no site are those of the programme as a whole; persons of none are persons
    parts, open_cells = known.parts, () if known.by_person else (schemas.NO_SITE,)
    sites = {key: own["site"].unique().tolist() for key, own in table.groupby(ADDED)}
    lines: dict[Hashable, Line] = {}
    hidden: dict[Hashable, set[Hashable]] = {}
    few: dict[Hashable, set[Hashable]] = {arm: set() for arm in table["arm"]}
    for i, row in enumerate(table.to_dict("records")):
        if texts[i]:
            few[row["arm"]].add(row["site"])
    for key, own in parts.groupby(LINE, sort=False):
        here = sites[key[:-1]]
        lines[key] = Line(tuple(here), _matrix(own, here))
        hidden[key] = few[key[0]]
    found = withhold_amounts(lines, rule, min_persons, hidden, _tied(parts), open_cells)
    withheld: dict[int, Why] = {}
    for i, row in enumerate(table.to_dict("records")):
        of = ["public", "other"] if row["payers"] == "all" else ["public"]
        keys = [(*(row[c] for c in ADDED), p) for p in of]
        reasons = [found[key, row["site"]] for key in keys if (key, row["site"]) in found]
        if reasons:
            withheld[i] = min(reasons, key=["few", "dominated", "protects"].index)
        elif row["site"] in few[row["arm"]]:
            withheld[i] = "protects"
    return withheld


def _matrix(parts: pd.DataFrame, sites: list[str]) -> sparse.csr_array:
    """Return what each contributor has at each site, shape (sites, contributors)."""
    place = {site: i for i, site in enumerate(sites)}
    number, names = pd.factorize(parts["part"])
    at = parts["site"].map(place).to_numpy(dtype=int)
    shape = (len(sites), len(names))
    return sparse.csr_array(
        sparse.coo_array((parts["amount"].to_numpy(dtype=float), (at, number)), shape)
    )


def _tied(parts: pd.DataFrame) -> list[list[tuple[Hashable, Hashable]]]:
    """Return the amounts of several arms that hold shares of the same costs of no arm."""
    common = parts[parts["common"] != 0][["site", *LINE]].drop_duplicates()
    others = [c for c in ("site", *LINE) if c != "arm"]
    return [
        [(tuple(row[c] for c in LINE), row["site"]) for row in own.to_dict("records")]
        for _, own in common.groupby(others, sort=False)
        if len(own) > 1
    ]


def _emptied(table: pd.DataFrame, texts: Mapping[int, Mapping[str, str]]) -> Gated:
    """Empty cells, and list them by row and reason.

    A cost per person is listed wherever there are persons, also where it was empty because
    nothing was recorded: otherwise the list would tell a withheld amount of zero.
    """
    out, entries = table.copy(), []
    for i, record in enumerate(table.to_dict("records")):
        empty = {c for c in table.columns if plain(record[c]) is None}
        for per, of in PER.items():
            if record["site"] != schemas.NO_SITE and (of in texts[i] or plain(record[of])):
                empty.discard(per)
        by_reason: dict[str, list[str]] = {}
        for column in table.columns:
            if (text := texts[i].get(column)) and column not in empty:
                by_reason.setdefault(text, []).append(column)
        row: dict[str, Any] = {c: plain(record[c]) for c in IDENTITY}
        for text, columns in by_reason.items():
            entry = {"table": "costs_by_site", "row": row, "columns": columns, "reason": text}
            entries.append(entry)
    for column in (*PER.values(), *AMOUNT, *PER):
        out[column] = out[column].mask(out.index.isin([i for i in texts if column in texts[i]]))
    return Gated(out, entries)
