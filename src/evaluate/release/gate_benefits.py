"""The release gate of the tables that tell who benefits."""

from __future__ import annotations

import pandas as pd

from evaluate import schemas
from evaluate.release.gate_cells import Gated
from evaluate.release.gate_effects import Key
from evaluate.release.gate_others import gate_other


def gate_benefits(name: str, table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Gate one of the tables of the stage `heterogeneity`."""
    gated = gate_other(name, table, withheld, min_cell)
    behind = [c for c in schemas.BUILD_ONLY.get(name, ()) if c in gated.table]
    return Gated(gated.table.drop(columns=behind), gated.withheld)
