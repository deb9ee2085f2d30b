"""How Stata, SPSS and SAS number days, moments, times and months: by the format of a column."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from evaluate.data.readers.cells import as_text

Program = Literal["Stata", "SPSS", "SAS"]
MILLISECOND, SECOND, DAY = 1_000, 1_000_000, 86_400_000_000  # in microseconds
ORIGIN = {
    "Stata": np.datetime64("1960-01-01", "us"),
    "SPSS": np.datetime64("1582-10-14", "us"),
    "SAS": np.datetime64("1960-01-01", "us"),
}


class Count(NamedTuple):
    """What the numbers of a column count: moments or times in a unit, or months."""

    kind: Literal["moment", "time", "month"]
    unit: int


# The first that matches the beginning of a format.
FORMATS = {
    "Stata": {
        "%-?(td|d)": Count("moment", DAY),
        "%-?t[cC]HH": Count("time", MILLISECOND),
        "%-?t[cC]": Count("moment", MILLISECOND),
        "%-?tm": Count("month", 1),
    },
    "SPSS": {
        "[AEJS]?DATE|DATETIME|YMDHMS|MOYR|QYR|WKYR": Count("moment", SECOND),
        "D?TIME": Count("time", SECOND),
    },
    "SAS": {
        "DATETIME|DATEAMPM|MDYAMPM|(B|E|IS)8601D[TN]|DT": Count("moment", SECOND),
        "DATE|WEEKDAT|WORDDAT|MMDDYY|DDMMYY|YYMM|MMYY|MONYY|YYMON|(B|E|IS)8601DA|JULIAN|YEAR": (
            Count("moment", DAY)
        ),
        "TIME|TOD|HHMM|HOUR|MMSS|(B|E|IS)8601TM": Count("time", SECOND),
    },
}


def counted(program: Program, form: str) -> Count | None:
    """Return what the numbers of a column count, None where they are plain numbers."""
    for pattern, count in FORMATS[program].items():
        if re.match(pattern, form):
            return count
    return None


def calendar_text(numbers: pa.Array, count: Count, program: Program, where: str) -> pa.Array:
    """Spell numbers that count days, moments, times or months, empty where missing.

    Parameters
    ----------
    numbers : Array of float, shape (n,)
        The column, null where missing.
    count : Count
        What they count.
    program : {"Stata", "SPSS", "SAS"}
        Since when.
    where : str
        File and column, for messages.
    """
    absent = numbers.is_null().to_numpy(zero_copy_only=False)
    values = numbers.fill_null(0).to_numpy()
    whole = np.floor(values)
    if count.kind == "month":
        months = np.datetime64("1960-01", "M") + whole.astype(np.int64)
        return as_text(pa.array(months.astype(str), mask=absent), where)
    # Apart, for microseconds since 1582 are beyond the precision of a float.
    micro = whole.astype(np.int64) * count.unit
    micro += np.rint((values - whole) * count.unit).astype(np.int64)
    if count.kind == "moment":
        moments = ORIGIN[program] + micro.astype("timedelta64[us]")
        return as_text(pa.array(moments, mask=absent), where)
    seconds = micro // SECOND
    texts = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds.tolist()]
    return as_text(pa.array(texts, mask=absent), where)
