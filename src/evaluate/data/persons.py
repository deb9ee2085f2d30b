"""Who a row is: duplicate persons, the arm assigned, gender."""

from __future__ import annotations

import numpy as np

from evaluate.data.readers.convert import codes, missing
from evaluate.data.readers.read import RawTable
from evaluate.errors import DataError, EvaluateError, rows
from evaluate.plan.closed import code_text
from evaluate.plan.columns import Gender, GenderColumn, Treatment


def duplicates(raw: RawTable, person: str | None, faults: list[EvaluateError]) -> np.ndarray:
    """Return which rows repeat an earlier row whole, shape (n,).

    Only a person's key tells a repeated row from two persons who are alike; without one
    nothing is a duplicate. Rows of one person that differ are a fault: which of them is
    right is not for a program to choose.
    """
    if person is None:
        return np.zeros(len(raw.cells), dtype=bool)
    has_key = ~missing(raw.cells[person])
    repeated = raw.cells.duplicated().to_numpy() & has_key
    differing = raw.cells[person].duplicated(keep=False).to_numpy() & has_key
    differing &= (
        raw.cells[~repeated][person]
        .duplicated(keep=False)
        .reindex(raw.cells.index, fill_value=False)
        .to_numpy()
    )
    if differing.any():
        count = raw.cells.loc[differing, person].nunique()
        who = "1 person has" if count == 1 else f"{count:,} persons have"
        faults.append(
            DataError(
                f"{raw.path}: column {person}: {who} several rows that differ, "
                f"{rows(int(differing.sum()))} in all. A person has one row: find out which "
                "is right and ask for a new delivery."
            )
        )
    return repeated


def arms(
    raw: RawTable, treatment: Treatment, faults: list[EvaluateError]
) -> tuple[list[str], np.ndarray]:
    """Return the arms, control first, and each row's arm (None where missing)."""
    found = codes(raw.cells[treatment.column])
    control = code_text(treatment.control)
    where = f"{raw.path}: column {treatment.column} (columns.treatment)"
    others = sorted({c for c in found if c is not None and c != control})
    if treatment.arms is not None:
        named = [control, *map(code_text, treatment.arms)]
        unexpected = sum(c is not None and c not in named for c in found)
        if unexpected:
            faults.append(
                DataError(
                    f"{where}: {rows(unexpected)} with a value that is neither control nor an "
                    f"arm. The plan names {', '.join(named)}."
                )
            )
        return named, found
    if len(others) > 1:
        faults.append(
            DataError(
                f"{where}: {len(others)} different values beside control `{control}`. "
                "Name the arms: `arms: [...]`; any other value is then an error."
            )
        )
    if not others:
        faults.append(DataError(f"{where}: nobody has another value than control `{control}`."))
    if others and control not in found:
        faults.append(DataError(f"{where}: nobody has the value of control, `{control}`."))
    return [control, *others[:1]], found


def genders(
    raw: RawTable, gender: GenderColumn | Gender | None, faults: list[EvaluateError]
) -> np.ndarray:
    """Return each row's gender, "women" or "men", None where missing or not in the plan."""
    if not isinstance(gender, GenderColumn):
        return np.full(len(raw.cells), gender, dtype=object)
    found = codes(raw.cells[gender.column])
    meaning = {code_text(gender.women): "women", code_text(gender.men): "men", None: None}
    unexpected = sum(c not in meaning for c in found)
    if unexpected:
        faults.append(
            DataError(
                f"{raw.path}: column {gender.column} (columns.gender): {rows(unexpected)} with "
                f"a value that is neither women (`{code_text(gender.women)}`) nor men "
                f"(`{code_text(gender.men)}`). Mend the codes in the plan, or the data."
            )
        )
    return np.array([meaning.get(c) for c in found], dtype=object)
