"""The command `evaluate power`, from its options to its lines."""

from __future__ import annotations

from pathlib import Path

from evaluate.design.past_trial import past_trial
from evaluate.design.power_options import Asked, effect_faults, planned, steps
from evaluate.design.power_text import answer
from evaluate.errors import PlanError, Problems
from evaluate.io import whole


def power_command(
    name: str | None = None,
    effect: float | None = None,
    of: str = "all",
    unit: str | None = None,
    outcome: str | None = None,
    over: str = "",
    csv: Path | None = None,
    **options: float | None,
) -> list[str]:
    """Return the lines that answer, and write the table where a file is named.

    Parameters
    ----------
    name : str, optional
        A programme that was run in this folder.
    effect, of : float, str
        An effect to be found, and the group that it is to be found for.
    unit, outcome, over, csv : optional
        Unit of the outcome; outcome of ``name``; a curve; a file for the table.
    **options
        As `power_options.Asked`.

    Raises
    ------
    EvaluateError
        What of it cannot be.
    """
    asked = Asked(**options)  # type: ignore[arg-type]  # the command line has seen to the types
    if outcome is not None and name is None:
        raise PlanError("--outcome is of a programme: `evaluate power NAME --outcome ...`.")
    if csv is not None and not csv.parent.is_dir():
        raise PlanError(f"--csv {csv}: the folder {csv.parent} is missing. Make it first.")
    if faults := effect_faults(effect):
        raise Problems(faults)
    lines, base = [], None
    if name is not None:
        base, column, own_unit = past_trial(name, outcome)
        unit = unit or own_unit
        lines = [
            f"From build/{name}: {column.name}, as it was; options say otherwise. These numbers "
            "have not passed the release gate.",
            "",
        ]
    trial = planned(asked, base)
    if trial.baseline is not None:
        unit = "share"
    elif unit is None:
        unit = "sd" if asked.sd is None else "units of the outcome"
    found, table = answer(trial, unit, effect, of, steps(over) if over else ())
    if csv is not None:
        with whole(csv) as draft:
            table.to_csv(draft, index=False, lineterminator="\n", encoding="utf-8")
        found = [*found, "", f"wrote {csv}"]
    return [*lines, *found]
