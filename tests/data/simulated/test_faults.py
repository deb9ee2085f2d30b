"""Each fault plants what it says, as often as it says, and changes nothing else."""

from collections import Counter

import pandas as pd
import pytest

from data.simulated.raw import COVERAGE, EXTRACT, TABLES, text
from evaluate.data.simulated.extract import extract
from evaluate.data.simulated.faults import COUNTED, IN_FILES, PRESETS, SITES, STOPPING, chosen
from evaluate.data.simulated.identity import IDENTITY_NUMBERS
from evaluate.data.simulated.plant import ROW_SITES

PERSONS, SEED = 600, 4
DATE = {"assignment": "offered", "spells": "start", "activities": "date", "incomes": "period"}
FORM = {"assignment": "%d/%m/%Y", "spells": "%Y-%m-%d", "activities": "%Y%m%d", "incomes": "%Y-%m"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Give the folder of an extract without faults."""
    folder = tmp_path_factory.mktemp("sound")
    extract(folder, PERSONS, SEED, "none")
    return folder


def planted(tmp_path, sound, kind, table):
    """Plant one fault; return how often, and the rows that are gone, new and all before."""
    made = extract(tmp_path, PERSONS, SEED, (f"{kind}:{table}",))
    for other in set(TABLES) - {table}:
        name = f"{other}.csv"
        assert (tmp_path / name).read_bytes() == (sound / name).read_bytes(), other
    before, after = text(sound, table), text(tmp_path, table)
    rows = [Counter(frame.itertuples(index=False, name=None)) for frame in (before, after)]
    gone, new = rows[0] - rows[1], rows[1] - rows[0]
    frames = [pd.DataFrame(list(c.elements()), columns=before.columns) for c in (gone, new)]
    assert list(made.truth.planted) == [f"{kind}:{table}"]
    return made.truth.planted[f"{kind}:{table}"], *frames, before


def days(rows, table, column=None):
    return pd.to_datetime(rows[column or DATE[table]], format=FORM[table])


def alike(new, before, *columns):
    """Tell whether each new row is like one of those before but for some columns."""
    others = [c for c in before.columns if c not in columns]
    known = set(before[others].itertuples(index=False, name=None))
    return all(row in known for row in new[others].itertuples(index=False, name=None))


def other_offers(new, before, is_same_arm):
    joined = new.merge(before, on="person", suffixes=("", "_before"))
    later = days(joined, "assignment") > days(joined, "assignment", "offered_before")
    return (
        len(joined) == len(new)
        and later.all()
        and ((joined["arm"] == joined["arm_before"]) == is_same_arm).all()
    )


def ages(new):
    return set(new["born"].str[:4].astype(int) // 50)


def within_another(new, before):
    joined = new.merge(before, on="person", suffixes=("", "_before"))
    around = joined[
        (joined["start_before"] < joined["start"]) & (joined["end_before"] > joined["end"])
    ]
    rank = ["41", "31", "78", "30", "83", "11", "12", "14", "68", "90"].index
    return (
        len(around) == len(new)
        and (around["state"].map(rank) > around["state_before"].map(rank)).all()
    )


# What the new rows of each fault must be, beside the rows before.
IS_PLANTED = {
    "duplicates": lambda t, new, before: alike(new, before),
    "overlaps": lambda t, new, before: within_another(new, before),
    "negative_lengths": lambda t, new, before: (new["end"] < new["start"]).all(),
    "open_ends": lambda t, new, before: set(new["end"]) == {"", "9999-12-31"},
    "before_coverage": lambda t, new, before: (days(new, t) < COVERAGE).all(),
    "after_extract": lambda t, new, before: (days(new, t) > EXTRACT).all(),
    "impossible_ages": lambda t, new, before: ages(new) == {1890 // 50, 2015 // 50},
    "two_arms": lambda t, new, before: other_offers(new, before, False),
    "later_offers": lambda t, new, before: other_offers(new, before, True),
    "early_activities": lambda t, new, before: alike(new, before, "date", "record"),
    "unknown_codes": lambda t, new, before: set(
        new[{"persons": "education", "spells": "state", "activities": "kind"}[t]]
    ) <= {"850", "99", "X9"},
    "expired_codes": lambda t, new, before: set(
        new[{"spells": "state", "activities": "kind"}[t]]
    ) <= {"12", "M0"},
    "unknown_persons": lambda t, new, before: new["person"].str.startswith("UNK").all(),
    "missing_keys": lambda t, new, before: (new["old" if t == "keys" else "person"] == "").all(),
    "unreadable_dates": lambda t, new, before: pd.to_datetime(
        new[{"persons": "born"}.get(t, DATE.get(t))], errors="coerce", format="mixed"
    ).isna().all(),
    "key_conflicts": lambda t, new, before: (new.groupby("old")["new"].nunique() == 2).all(),
    "key_cycles": lambda t, new, before: set(new["old"]) == set(new["new"]),
    "missing_gender": lambda t, new, before: (new["sex"] == "").all(),
    "unreadable_amounts": lambda t, new, before: (new["amount"] == "12x50").all(),
    "identity_numbers": lambda t, new, before: new["remark"].isin(IDENTITY_NUMBERS).all(),
}  # fmt: skip
# Faults that change a row; the others add one.
CHANGED = {
    "open_ends": ("end",),
    "impossible_ages": ("born",),
    "missing_gender": ("sex",),
    "unreadable_amounts": ("amount",),
    "identity_numbers": ("remark",),
}
CHANGED_IN = {
    ("unknown_codes", "persons"): ("education",),
    ("unknown_codes", "spells"): ("state",),
    ("expired_codes", "spells"): ("state",),
    ("unreadable_dates", "persons"): ("born",),
}


@pytest.mark.parametrize(("kind", "table"), ROW_SITES)
def test_a_fault_plants_what_it_says_and_changes_nothing_else(tmp_path, sound, kind, table):
    count, gone, new, before = planted(tmp_path, sound, kind, table)
    assert count >= 2
    assert len(new) == (count // 2 if kind == "two_arms" else count)
    assert IS_PLANTED[kind](table, new, before)
    changed = CHANGED.get(kind, CHANGED_IN.get((kind, table), ()))
    assert len(gone) == (len(new) if changed else 0)
    if changed:
        others = [c for c in before.columns if c not in changed]
        pairs = [sorted(f[others].itertuples(index=False, name=None)) for f in (gone, new)]
        assert pairs[0] == pairs[1]
        assert not (gone[list(changed)] == new[list(changed)]).all(axis=1).any()


def test_faults_together_plant_what_each_plants_alone(tmp_path, sound):
    """Every row that is new with all faults is new with its own fault alone."""
    made = extract(tmp_path / "all", PERSONS, SEED, "counted")
    for table in TABLES[:-1]:
        before = Counter(text(sound, table).itertuples(index=False, name=None))
        after = Counter(text(tmp_path / "all", table).itertuples(index=False, name=None))
        gone, new = (before - after).total(), (after - before).total()
        sites = [site for site in ROW_SITES if site[1] == table and site[0] != "identity_numbers"]
        planted = {kind: made.truth.planted[f"{kind}:{table}"] for kind, _ in sites}
        planted["two_arms"] = planted.get("two_arms", 0) // 2
        assert new == sum(planted.values()), table
        changed = sum(
            n for kind, n in planted.items() if kind in CHANGED or (kind, table) in CHANGED_IN
        )
        assert gone == changed, table


def test_each_fault_has_persons_of_its_own(tmp_path, sound):
    extract(tmp_path, PERSONS, SEED, "counted")
    persons = []
    for table in ("spells", "activities", "incomes"):
        before = Counter(text(sound, table).itertuples(index=False, name=None))
        after = Counter(text(tmp_path, table).itertuples(index=False, name=None))
        persons += [row[0][-8:] for row in (after - before).elements() if row[0]]
    assert len(persons) == len(set(persons)) > 40


def test_the_rate_grows_with_the_preset(tmp_path):
    small, large = (
        extract(tmp_path / name, 20_000, 1, name).truth.planted
        for name in ("counted-small", "counted")
    )
    assert small.keys() == large.keys()
    assert small["duplicates:spells"] == pytest.approx(18, abs=1)
    assert large["duplicates:spells"] > 5 * small["duplicates:spells"]


def test_presets_and_kinds_name_what_is_planted():
    assert chosen("none").sites == ()
    counted = {(fault.kind, table) for fault in COUNTED for table in fault.tables}
    assert set(chosen("counted").sites) == set(chosen("counted-small").sites) == counted
    assert set(chosen("all").sites) == set(SITES)
    assert set(SITES) - counted == {(f.kind, table) for f in STOPPING for table in f.tables}
    assert chosen(("duplicates",)).sites == tuple(s for s in SITES if s[0] == "duplicates")
    assert chosen(("truncated:spells", "overlaps")).sites == (
        ("overlaps", "spells"), ("truncated", "spells"),
    )  # fmt: skip
    assert len(PRESETS) == 4
    assert set(IS_PLANTED) | set(IN_FILES) == {kind for kind, _ in SITES}


def content(folder, table):
    return (folder / f"{table}.csv").read_bytes()


@pytest.mark.parametrize("table", [table for kind, table in SITES if kind == "truncated"])
def test_a_truncated_file_ends_within_its_last_row(tmp_path, sound, table):
    extract(tmp_path, PERSONS, SEED, (f"truncated:{table}",))
    found, whole = content(tmp_path, table), content(sound, table)
    assert whole.startswith(found)
    lines = whole.splitlines(keepends=True)
    assert found == b"".join(lines[:-1]) + lines[-1][:3]


@pytest.mark.parametrize("table", [table for kind, table in SITES if kind == "new_header"])
def test_a_second_header_swaps_the_columns_below_it(tmp_path, sound, table):
    extract(tmp_path, PERSONS, SEED, (f"new_header:{table}",))
    lines, whole = content(tmp_path, table).splitlines(), content(sound, table).splitlines()
    header = whole[0].removeprefix(b"\xef\xbb\xbf")
    *names, one, other = header.split(b";")
    swapped = b";".join([*names, other, one])
    again = lines.index(swapped)
    assert abs(again - len(lines) / 2) <= 2
    assert lines[:again] == whole[:again]
    *names, one, other = whole[again].split(b";")
    assert lines[again + 1] == b";".join([*names, other, one])
    assert len(lines) == len(whole) + 1


@pytest.mark.parametrize("table", ["persons", "assignment"])
def test_an_encoding_changes_in_mid_file(tmp_path, sound, table):
    extract(tmp_path, PERSONS, SEED, (f"mixed_encoding:{table}",))
    found = content(tmp_path, table)
    with pytest.raises(UnicodeDecodeError):
        found.decode("utf-8")
    encodings = ("utf-8", "cp1252") if table == "persons" else ("cp1252", "utf-8")
    lines = found.splitlines(keepends=True)
    half = 1 + (len(lines) - 1) // 2
    parts = (b"".join(lines[:half]), b"".join(lines[half:]))
    read = "".join(part.decode(e) for part, e in zip(parts, encodings, strict=True))
    assert read == content(sound, table).decode(encodings[0])


@pytest.mark.parametrize("table", [table for kind, table in SITES if kind == "uneven_rows"])
def test_one_row_has_a_field_more_and_one_a_field_less(tmp_path, sound, table):
    extract(tmp_path, PERSONS, SEED, (f"uneven_rows:{table}",))
    lines, whole = content(tmp_path, table).splitlines(), content(sound, table).splitlines()
    width = whole[0].count(b";")
    differ = [i for i, line in enumerate(lines) if line != whole[i]]
    assert [lines[i].count(b";") - width for i in differ] == [-1, 1]
    assert len(lines) == len(whole)
