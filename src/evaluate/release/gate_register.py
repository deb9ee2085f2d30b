"""The register: the counts of all tables, what they add up to, and which are withheld."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from evaluate.errors import ReleaseError
from evaluate.release.gate_bounds import bounds_cells
from evaluate.release.gate_cells import Cells
from evaluate.release.gate_cleaning import cleaning_cells
from evaluate.release.gate_compliers import CompliersCells, compliers_cells
from evaluate.release.gate_effects import EffectCells, effect_cells
from evaluate.release.gate_flow import Places, balance_cells, flow_cells, link_flow
from evaluate.release.gate_gap import conditional_cells
from evaluate.release.gate_included import link_included, told_included
from evaluate.release.gate_months import DoseCells, dose_cells, states_cells
from evaluate.release.gate_overlap import overlap_cells
from evaluate.release.gate_participation import Row, participation_cells
from evaluate.release.gate_sites import SiteCells, link_sites, site_cells


@dataclass
class Register:
    """The cells of all tables, and which of them each row prints.

    Attributes
    ----------
    cells : Cells
        All of them.
    effects : EffectCells
        Of the effects.
    flow, cleaning : dict of (int, str) to int
        By position of the row and column.
    balance, bounds, states, overlap, conditional : list of list of int
        By row.
    dose : DoseCells
        By row, of means and shares.
    participation : list of tuple
        By row and arm.
    compliers : CompliersCells
        By row, of what each column prints.
    sites : SiteCells
        By row, of the costs by site.
    """

    cells: Cells = field(default_factory=Cells)
    effects: EffectCells = field(default_factory=lambda: EffectCells([], {}))
    flow: Places = field(default_factory=dict)
    cleaning: Places = field(default_factory=dict)
    balance: list[list[int]] = field(default_factory=list)
    bounds: list[list[int]] = field(default_factory=list)
    states: list[list[int]] = field(default_factory=list)
    overlap: list[list[int]] = field(default_factory=list)
    conditional: list[list[int]] = field(default_factory=list)
    dose: DoseCells = field(default_factory=lambda: DoseCells([], []))
    participation: list[Row] = field(default_factory=list)
    compliers: CompliersCells = field(default_factory=CompliersCells)
    sites: SiteCells = field(default_factory=SiteCells)

    def hidden_in_flow(self, table: pd.DataFrame | None, step: str) -> dict[str, bool]:
        """Return the columns of a step that are withheld, true where the count is small."""
        steps = [] if table is None else table["step"].tolist()
        return {
            column: bool(self.cells.small[cell])
            for (i, column), cell in self.flow.items()
            if steps[i] == step and self.cells.hidden[cell]
        }


def register(
    tables: Mapping[str, pd.DataFrame],
    min_cell: int,
    control: str,
    persons: Mapping[tuple[str, str], int] | None,
    states: Mapping[str, Sequence[str]],
    always: bool,
    site_column: str = "",
) -> Register:
    """Enter the counts of all tables and choose the cells to withhold.

    Parameters
    ----------
    tables, control, persons, states
        As for `release`.
    min_cell : int
        The smallest count that passes.
    always : bool
        See `Cells.relate`.
    site_column : str
        The column with each person's site, see `gate_sites.Sites`.

    Raises
    ------
    ReleaseError
        If there is a balance table and a number of ``persons`` is wanting.
    """
    found = Register()
    cells, flow = found.cells, tables.get("flow")
    told = told_included(tables, control, always, min_cell)
    if "effects" in tables:
        found.effects = effect_cells(cells, tables["effects"], control, always)
    if "costs_by_site" in tables:
        found.sites = site_cells(cells, tables["costs_by_site"], site_column)
    if "balance" in tables:
        if persons is None:
            raise ReleaseError("balance: the gate needs the numbers of persons by group and arm.")
        found.balance = balance_cells(cells, tables["balance"], persons, control, always)
    if flow is not None:
        found.flow = flow_cells(cells, flow, told.columns, always, min_cell)
        link_flow(cells, flow, found.flow, found.effects)
    link_sites(cells, found.sites, flow, found.flow)
    if "bounds" in tables:
        found.bounds = bounds_cells(
            cells, tables["bounds"], flow, found.flow, told.by_rows, control, always, min_cell
        )
    if "participation" in tables:
        found.participation = participation_cells(
            cells, tables["participation"], flow, found.flow, control, always, min_cell
        )
    if "compliers" in tables:
        found.compliers = compliers_cells(cells, tables["compliers"], control, always, min_cell)
    if "overlap" in tables:
        found.overlap = overlap_cells(cells, tables["overlap"], control, always)
    if "conditional_effects" in tables:
        table = tables["conditional_effects"]
        found.conditional = conditional_cells(cells, table, control, always)
    if "cleaning" in tables:
        found.cleaning = cleaning_cells(cells, tables["cleaning"], min_cell)
    if "dose" in tables:
        found.dose = dose_cells(cells, tables["dose"], always, min_cell)
    if "states" in tables:
        found.states = states_cells(cells, tables["states"], states, always)
    if flow is not None:
        link_included(cells, flow, found.flow, told)
    cells.solve(min_cell)
    return found
