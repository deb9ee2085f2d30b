"""Who a row is: the key that denotes a person, duplicate persons, the arm assigned, gender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from evaluate.data.distinct import distinct
from evaluate.data.joined import Joined
from evaluate.data.keys import KeyMap, place_in, repeats
from evaluate.data.readers.convert import codes, missing
from evaluate.data.readers.read import RawTable
from evaluate.errors import DataError, EvaluateError, rows
from evaluate.plan.closed import code_text
from evaluate.plan.columns import Gender, GenderColumn, Treatment


@dataclass(frozen=True)
class Identity:
    """The keys of the participants.

    Attributes
    ----------
    key : Series of str, shape (n,), or None
        The key that came last for each row; None where the plan names no key.
    first, person : ndarray of int, shape (n,)
        The first row with the same key, and of the same wave where there are waves; the first
        with the same key in any wave, but -1 where the key denotes nobody.
    absent, unclear : ndarray of bool, shape (n,)
        Rows without a key; rows whose key denotes nobody by the key table.
    alias_text : ndarray of str, shape (k,)
        Every key that denotes a person, each once.
    alias_person : ndarray of int, shape (k,)
        The row of that person, the first one where it has several.
    """

    key: pd.Series | None
    first: np.ndarray
    person: np.ndarray
    absent: np.ndarray
    unclear: np.ndarray
    alias_text: np.ndarray
    alias_person: np.ndarray

    def persons(self, keys: pd.Series) -> np.ndarray:
        """Return the position of the person that each key denotes, -1 for none, shape (n,)."""
        place = place_in(keys, pa.array(self.alias_text, pa.string()))
        return np.append(self.alias_person, -1)[place]


def identify(
    raw: RawTable, person: str | None, key_map: KeyMap, wave: str | None = None
) -> Identity:
    """Read the participants under the keys that came last.

    Parameters
    ----------
    raw : RawTable
        The participants as received.
    person : str, optional
        The column with the key of a person.
    key_map : KeyMap
        Which key came last.
    wave : str, optional
        The column with the wave, of which each has a row for a person.
    """
    if person is None:
        nowhere, each = np.zeros(len(raw.cells), dtype=bool), np.arange(len(raw.cells))
        none = np.empty(0, dtype=np.int64)
        return Identity(None, each, each, nowhere, nowhere, none.astype(object), none)
    own = raw.cells[person]
    key, absent, unclear = key_map.follow(own), missing(own), key_map.is_unclear(own)
    number = pd.factorize(key)[0]
    first = _first_with(number)
    person_row = np.where(absent | unclear, -1, first)
    if wave is not None:
        text, place = distinct(raw.cells[wave])
        named, waves = pd.factorize(codes(text)[place])
        alone = len(waves) + np.arange(len(key))  # rows without a wave repeat none
        pair = number * (len(waves) + len(key)) + np.where(named < 0, alone, named)
        first = _first_with(pd.factorize(pair)[0])
    at = np.flatnonzero(person_row == np.arange(len(key)))
    lasts = pa.array(key.iloc[at].array, pa.string())
    place = place_in(pd.Series(key_map.last.to_pandas(), dtype="str"), lasts)
    earlier = np.asarray(key_map.old.to_pandas(), dtype=object)[place >= 0]
    return Identity(
        key=key,
        first=first,
        person=person_row,
        absent=absent,
        unclear=unclear,
        alias_text=np.concatenate([key.iloc[at].to_numpy(dtype=object), earlier]),
        alias_person=np.concatenate([at, at[place[place >= 0]]]),
    )


def _first_with(number: np.ndarray) -> np.ndarray:
    """Return the first row with the number of each row, shape (n,)."""
    first_row = np.zeros(number.max(initial=-1) + 1, dtype=np.int64)
    first_row[number[::-1]] = np.arange(len(number))[::-1]  # the last that is written is the first
    return first_row[number]


def duplicates(
    raw: RawTable,
    person: str | None,
    identity: Identity,
    key_map: KeyMap,
    faults: list[EvaluateError],
    wave: str | None = None,
) -> np.ndarray:
    """Return which rows repeat an earlier row whole, shape (n,).

    Only a person's key tells a repeated row from two persons who are alike; without one
    nothing is a duplicate. Rows of one person, or of one in one wave, that differ are a fault:
    which of them is right is not for a program to choose.
    """
    if person is None or identity.key is None:
        return np.zeros(len(raw.cells), dtype=bool)
    has_key = ~identity.absent
    repeated = repeats(raw, identity.first, identity.key, person) & has_key
    left = np.flatnonzero(~repeated & has_key)
    differing = left[(np.bincount(identity.first[left]) > 1)[identity.first[left]]]
    if not len(differing):
        return repeated
    one_wave, each_wave = (" in one wave", " for each wave") if wave else ("", "")
    key, own = identity.key.iloc[differing], raw.cells[person].iloc[differing]
    is_joined = (own.groupby(key).transform("nunique") > 1).to_numpy()
    for chosen, why in (
        (~is_joined, ""),
        (is_joined, f", whose keys the key table {key_map.path} joins"),
    ):
        if chosen.any():
            count = key[chosen].nunique()
            who = "1 person has" if count == 1 else f"{count:,} persons have"
            faults.append(
                DataError(
                    f"{raw.path}: column {person}: {who} several rows{one_wave} that differ{why}, "
                    f"{rows(int(chosen.sum()))} in all. A person has one row{each_wave}: find out "
                    "which is right and ask for a new delivery."
                )
            )
    return repeated


def arms(
    tables: Joined, treatment: Treatment, faults: list[EvaluateError]
) -> tuple[list[str], np.ndarray]:
    """Return the arms, control first, and the arm in each row of its table, None if missing."""
    column = treatment.column
    text, place = distinct(tables.cells(column))
    found = codes(text)[place]
    number, texts = pd.factorize(found)
    size = np.bincount(number[number >= 0], minlength=len(texts))
    count = dict(zip(map(str, texts), size, strict=True))
    control = code_text(treatment.control)
    where = f"{tables.path(column)}: column {column} (columns.treatment)"
    others = sorted(set(count) - {control})
    if treatment.arms is not None:
        named = [control, *map(code_text, treatment.arms)]
        unexpected = sum(int(n) for code, n in count.items() if code not in named)
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
    if others and control not in count:
        faults.append(DataError(f"{where}: nobody has the value of control, `{control}`."))
    return [control, *others[:1]], found


def genders(
    tables: Joined, gender: GenderColumn | Gender | None, faults: list[EvaluateError]
) -> np.ndarray:
    """Return each person's gender, "women" or "men", None where missing or not in the plan."""
    if not isinstance(gender, GenderColumn):
        return np.full(len(tables), gender, dtype=object)
    text, place = distinct(tables.cells(gender.column))
    code = codes(text)
    meaning = {code_text(gender.women): "women", code_text(gender.men): "men"}
    found = np.array([meaning.get(c) for c in code], dtype=object)
    strange = np.array([c is not None and c not in meaning for c in code], dtype=bool)
    if unexpected := int(strange[place].sum()):
        faults.append(
            DataError(
                f"{tables.path(gender.column)}: column {gender.column} (columns.gender): "
                f"{rows(unexpected)} with a value that is neither women "
                f"(`{code_text(gender.women)}`) nor men (`{code_text(gender.men)}`). "
                "Mend the codes in the plan, or the data."
            )
        )
    return tables.by_person(gender.column, found[place], None)
