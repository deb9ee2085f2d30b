"""What a reader returns: a header and cells of text, before the names are checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.errors import DataError


@dataclass(frozen=True)
class Sheet:
    """Cells as text under a header that may be shorter than they are wide.

    Attributes
    ----------
    header : list of str
        The first line of the file.
    cells : DataFrame of str
        The lines below; columns by position.
    how : str
        How the file was read, for messages.
    """

    header: list[str]
    cells: pd.DataFrame
    how: str

    def trimmed(self) -> Sheet:
        """Return the table without nameless empty columns and empty rows at its end."""
        width = self.cells.shape[1]
        header = [" ".join(name.split()) for name in self.header]
        header = header[:width] + [""] * (width - len(header))
        cells = self.cells
        while header and not header[-1] and (cells.iloc[:, len(header) - 1] == "").all():
            header.pop()
        cells = cells.iloc[:, : len(header)]
        filled = np.flatnonzero((cells != "").any(axis=1))
        return Sheet(header, cells.iloc[: filled[-1] + 1 if len(filled) else 0], self.how)

    def names(self, path: Path) -> list[str]:
        """Return the names of the columns.

        Raises
        ------
        DataError
            If a column has no name, or two share one; by position, for the first line may
            be a person's.
        """
        if "" in self.header:
            raise DataError(
                f"{path}: {self.header.count('')} of {len(self.header)} columns have no name in "
                f"the header (read as {self.how}). Is the first line the header?"
            )
        doubles = [str(i) for i, n in enumerate(self.header, 1) if self.header.count(n) > 1]
        if doubles:
            raise DataError(
                f"{path}: columns {', '.join(doubles)} of the header share a name. "
                "Is the first line the header?"
            )
        return self.header
