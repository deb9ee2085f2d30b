"""The release gate of difference-in-differences: cohorts of few, and averages that tell them."""

from __future__ import annotations

import itertools

import pandas as pd

from evaluate.release.gate_cells import GAP, MEN, WOMEN, Gated, empty_rows
from evaluate.release.gate_effects import noted
from evaluate.release.suppression import is_small

COUNTS = ("n", "n_treated", "n_control")
NUMBERS = (
    "estimate", "std_error", "conf_low", "conf_high", "band_low", "band_high", "critical",
    "statistic", "df", "p_value", *COUNTS,
)  # fmt: skip
IDENTITY = ("outcome", "arm", "group", "kind", "cohort", "month")
BY_COHORT = ("group_time", "cohort", "calendar")
AVERAGES = ("event", "overall")


def gate_event_study(table: pd.DataFrame, min_cell: int) -> Gated:
    """Empty cohorts of few, and all that would tell them.

    Where a cohort of an outcome, contrast and group is small, or two numbers of persons differ by
    few as cohorts leave, all rows by cohort and by calendar month go, and the numbers of
    persons of the rest: averages over cohorts by months since the start stay, of weights that
    nobody can work out. An average of few goes, and then the average of averages. What is
    withheld of women or men is withheld of both and of the gap.

    Parameters
    ----------
    table : DataFrame
        As `schemas.EVENT_STUDY`.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    if table.empty:
        return Gated(table.copy(), [])
    few = pd.Series(False, index=table.index)
    for column in COUNTS:
        few |= is_small(table[column].to_numpy(dtype=float, na_value=float("nan")), min_cell)
    family = table["group"].where(~table["group"].isin([WOMEN, MEN, GAP]), WOMEN)
    place = [table["outcome"], table["arm"], family]
    near = _near(table, min_cell)
    marked = (few | near).groupby(place).transform("any")
    own = few.groupby([*place, table["kind"], table["month"]], dropna=False).transform("any")
    by_cohort = marked & table["kind"].isin(BY_COHORT)
    events = (own & (table["kind"] == "event")).groupby(place).transform("any")
    overall = events & table["kind"].isin(["overall", "pre_trend"])
    whole = by_cohort | (own & ~table["kind"].isin(BY_COHORT)) | overall
    why = {int(i): bool(few[i]) for i in table.index[whole]}
    counts = {int(i): False for i in table.index[marked & ~whole]}
    first = empty_rows("event_study", table, why, IDENTITY, NUMBERS, min_cell)
    second = empty_rows("event_study", first.table, counts, IDENTITY, (*COUNTS, "df"), min_cell)
    return Gated(noted(second.table, why, min_cell), [*first.withheld, *second.withheld])


def _near(table: pd.DataFrame, min_cell: int) -> pd.Series:
    """Tell which rows are of persons like another row's but a few, whose numbers tell these.

    Compared are one cohort over its months, calendar months, and months since the start: of
    two cohorts, which share nobody, close numbers tell nothing.
    """
    of_one = table["kind"].isin(["group_time", "cohort"])
    nested = table["cohort"].astype("string").where(of_one, table["kind"])
    nested = nested.mask(table["kind"].isin([*AVERAGES, "pre_trend"]), "event")
    found = pd.Series(False, index=table.index)
    places = [table["outcome"], table["arm"], table["group"], nested]
    for _, rows in table.groupby(places, sort=False, dropna=False):
        for column in COUNTS:
            numbers = sorted(set(rows[column].dropna().astype(int)))
            gaps = [b - a for a, b in itertools.pairwise(numbers)]
            if any(0 < gap < min_cell for gap in gaps):
                found[rows.index] = True
    return found
