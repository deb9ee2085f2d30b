"""Repeated offers by wave: a row for a person in a wave, and none after the offer."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from data.extract import FILE, cleaned, people, prepared
from evaluate.data.privacy import KEY_VARIABLE
from evaluate.data.stage import run_stage
from evaluate.errors import Problems
from evaluate.schemas import PARTICIPANTS

WAVE = {"columns": {"wave": "omgång"}}
LATER = "already offered in an earlier wave"


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


def in_waves(again=(0, 1, 4), **values):
    """Return 16 persons in wave 1, of whom some, all in control, come again in wave 2.

    Of those the first is offered in wave 2; four new persons join, two of them offered.
    """
    first = [r | {"omgång": "1"} for r in people()]
    second = [
        people()[i] | {"omgång": "2", "arm": str(int(n == 0)), "lön": str(50 + i)}
        for n, i in enumerate(again)
    ]
    new = [r | {"id": f"n{i}", "omgång": "2"} for i, r in enumerate(people(4))]
    return [r | values for r in (*first, *second, *new)]


def test_a_wave_is_a_block_and_a_person_the_cluster(path):
    study = cleaned(path, in_waves(), **WAVE)
    table = study.participants
    assert len(table) == 23
    assert table["block"].tolist() == ["omgång=1"] * 16 + ["omgång=2"] * 7
    assert table["cluster"].tolist() == [
        *map(str, range(1, 17)),
        "1",
        "2",
        "5",
        *map(str, range(20, 24)),
    ]
    assert table["cluster"].equals(table["person"])
    PARTICIPANTS.validate(table)
    noted = study.flow[study.flow["step"] == "noted"]
    assert noted[["reason", "n", "arm=0", "arm=1"]].values.tolist() == [
        ["control, offered in a later wave", 1, 1, 0]
    ]


def test_waves_cross_the_blocks_of_the_plan(path):
    rows = [r | {"ort": "AB"[i % 2]} for i, r in enumerate(in_waves())]
    study = cleaned(path, rows, columns={"wave": "omgång", "blocks": ["ort"]})
    assert set(study.participants["block"]) == {
        f"ort={ort},omgång={wave}" for ort in "AB" for wave in (1, 2)
    }


def test_no_row_after_the_offer_stays(path):
    """Persons 2 and 3 are offered in wave 1: what they are in wave 2 compares with nobody."""
    study = cleaned(path, in_waves(again=(0, 2, 3, 4)), **WAVE)
    rejected = study.quarantine
    assert rejected["source_row"].to_list() == [18, 19]
    assert set(rejected["reason"]) == {LATER}
    assert len(study.participants) == 22


def test_an_offer_counts_also_where_its_row_is_left_out(path):
    rows = in_waves(again=(2, 4))
    rows[2]["ålder"] = "12"
    study = cleaned(path, rows, eligibility=["ålder >= 18"], **WAVE)
    assert study.quarantine["reason"].to_list() == [LATER, "not met: ålder >= 18"]


def test_several_waves_without_the_offer_stay(path):
    rows = in_waves()
    rows += [people()[1] | {"omgång": "3", "arm": "1"}, people()[5] | {"omgång": "3", "arm": "0"}]
    study = cleaned(path, rows, **WAVE)
    assert (study.participants["person"] == "2").sum() == 3
    assert study.quarantine.empty


def test_the_order_of_the_waves_is_that_of_their_numbers(path):
    rows = [r | {"omgång": {"1": "9", "2": "10"}[r["omgång"]]} for r in in_waves(again=(2, 4))]
    assert cleaned(path, rows, **WAVE).quarantine["source_row"].to_list() == [17]


def test_the_order_of_named_waves_is_that_of_their_first_offers(path):
    names, days = {"1": "vår", "2": "höst"}, {"1": "2020-03-02", "2": "2020-09-01"}
    rows = [r | {"omgång": names[r["omgång"]], "dag": days[r["omgång"]]} for r in in_waves((2, 4))]
    columns = {"wave": "omgång", "offered": "dag"}
    assert cleaned(path, rows, columns=columns).quarantine["source_row"].to_list() == [17]
    with pytest.raises(Problems, match=r"which came first cannot be told. Write the waves as num"):
        cleaned(path, rows, **WAVE)


def test_named_waves_need_no_order_where_nobody_is_in_two(path):
    rows = [r | {"omgång": "vår" if r["omgång"] == "1" else "höst"} for r in in_waves(())]
    assert len(cleaned(path, rows, **WAVE).participants) == 20


def test_a_row_is_repeated_within_its_wave_only(path):
    rows = in_waves()
    study = cleaned(path, [*rows, rows[0], rows[16]], **WAVE)
    assert study.quarantine["reason"].to_list() == ["exact duplicate"] * 2
    assert len(study.participants) == 23
    with pytest.raises(
        Problems, match=r"1 person has several rows in one wave that differ, 2 rows"
    ):
        cleaned(path, [*rows, rows[16] | {"lön": "3"}], **WAVE)


def test_a_row_without_a_wave_is_excluded(path):
    rows = in_waves()
    rows[3]["omgång"], rows[16]["omgång"] = "", "NA"
    study = cleaned(path, [*rows, rows[3]], **WAVE)
    assert study.quarantine["reason"].to_list() == ["omgång missing"] * 3


def test_a_cluster_may_be_in_several_waves_with_another_arm_in_each(path):
    def school(r):
        return r | {"skola": f"s{int(r['id'][1:]) // 2}{r['id'][0]}"}

    rows = [school(r) for r in in_waves(again=())]
    rows += [r | {"omgång": "2", "arm": "1"} for r in rows[:2]]
    columns = {"wave": "omgång", "cluster": "skola"}
    study = cleaned(path, rows, columns=columns)
    assert (study.participants["cluster"] == "s0p").sum() == 4
    rows[-1]["arm"] = "0"
    with pytest.raises(Problems, match=r"1 of 11 clusters in their waves hold more than one arm"):
        cleaned(path, rows, columns=columns)


def test_a_person_has_one_pseudonym_in_all_waves(path, monkeypatch):
    from data.extract import planned

    monkeypatch.chdir(path.parent)
    made = planned(path, in_waves(), **WAVE)
    plain = run_stage(made, "engine").tables["participants"]
    monkeypatch.setenv(KEY_VARIABLE, "a key of the study, long enough")
    named = run_stage(made, "engine").tables["participants"]
    assert_array_equal(pd.factorize(plain["person"])[0], pd.factorize(named["person"])[0])
    assert named["person"].str.fullmatch("[0-9a-f]{24}").all()
    assert named["cluster"].equals(plain["cluster"])


def test_changed_keys_make_one_person(path):
    rows = in_waves()
    rows[16]["id"] = "p0 ny"
    keys = [{"old": "p0", "new": "p0 ny"}]
    study = cleaned(path, rows, keys=keys, **WAVE)
    assert study.participants["person"].tolist()[16] == "1"


def test_every_row_of_a_person_has_its_keys(path):
    rows = in_waves()
    found = prepared(path, [*rows, rows[0]], keys=[{"old": "äldre", "new": "p0"}], **WAVE)
    people_of = found.people
    pairs = list(zip(people_of.alias_text, people_of.alias_person, strict=True))
    expected = [(r["id"], i) for i, r in enumerate(rows)] + [("äldre", 0), ("äldre", 16)]
    assert sorted(pairs) == sorted(expected)  # nor the row that repeats another


def register(path, name, lines):
    file = path.with_name(f"{name}.csv")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"path": str(file), "extract_date": "2022-12-31", "coverage": "2015-01-01"}


def test_linked_tables_are_read_from_each_waves_own_day(path, monkeypatch):
    """A person in two waves has the months of two persons who have the same rows."""
    monkeypatch.chdir(path.parent)
    from data.extract import planned

    days = {"1": "2020-03-02", "2": "2020-09-01"}
    rows = [r | {"dag": days[r["omgång"]]} for r in in_waves()]
    rng = np.random.default_rng(1)
    months = [f"{2020 + m // 12}-{m % 12 + 1:02d}" for m in range(24)]
    owners = sorted({r["id"] for r in rows})
    amounts = {o: rng.integers(0, 9, 24) for o in owners}
    spans = {o: rng.integers(1, 28, 2) for o in owners}

    def tables(copies):
        """Write the registers, each owner's rows once for each of its names."""
        pay = [f"{n},{m},{a}" for o, ns in copies.items() for n in ns
               for m, a in zip(months, amounts[o], strict=True)]  # fmt: skip
        work = [f"{n},2020-{3 + s % 7:02d}-{s:02d},2021-0{1 + e % 6}-{e:02d},31"
                for o, ns in copies.items() for n in ns for s, e in [spans[o]]]  # fmt: skip
        return {
            "incomes": register(path, "incomes", ["id,period,amount", *pay]),
            "spells": register(path, "spells", ["id,start,end,state", *work])
            | {"states": {"work": [31]}},
        }

    outcomes = {
        "pay": {"incomes": "amount", "months": [-1, 6], "unit": "SEK"},
        "work": {"spells": ["work"], "months": [-2, 9], "unit": "share"},
    }
    sections = {"outcomes": outcomes}
    columns = {"offered": "dag"}
    made = planned(path, rows, data=tables({o: [o] for o in owners}),
                   columns={**columns, "wave": "omgång"}, **sections)  # fmt: skip
    found = run_stage(made, "engine")
    alone = [r | {"id": f"{r['id']}/{r['omgång']}"} for r in rows]
    names = {o: [r["id"] for r in alone if r["id"].split("/")[0] == o] for o in owners}
    made = planned(path, alone, data=tables(names), columns=columns, **sections)
    expected = run_stage(made, "engine")
    assert found.outcomes.equals(expected.outcomes)
    pd.testing.assert_frame_equal(
        found.tables["cleaning"][["table", "step", "reason", "n"]],
        expected.tables["cleaning"][["table", "step", "reason", "n"]],
    )


def test_a_person_has_one_gender_in_all_waves(path):
    """Persons 1 and 2 come again in wave 2 with the other gender, person 5 without one."""
    rows = in_waves()
    rows[16]["kön"], rows[17]["kön"], rows[18]["kön"] = "M", "K", ""
    with pytest.raises(Problems) as error:
        cleaned(path, rows, **WAVE)
    (fault,) = error.value.problems
    assert fault == (
        f"{path}: column kön (columns.gender): 2 persons have another gender in some waves "
        "(omgång) than in others, 4 rows in all. A person has one gender in all waves: find out "
        "which is right and mend the data, or leave the gender of these rows empty, so that they "
        "are in `all` alone."
    )
    rows[17]["kön"] = "M"
    with pytest.raises(Problems, match=r"1 person has another gender in some waves.*, 2 rows in"):
        cleaned(path, rows, **WAVE)
    for row in (rows[0], rows[16]):
        row["kön"] = ""
    genders = cleaned(path, rows, **WAVE).participants["gender"]
    assert genders.isna().sum() == 3


def test_a_gender_that_differs_only_in_rows_left_out_is_none_of_the_study(path):
    rows = in_waves(again=(0, 2, 4))
    rows[17]["kön"] = "M"  # of person 3, who was offered in wave 1
    assert cleaned(path, rows, **WAVE).quarantine["source_row"].to_list() == [18]


def test_differing_genders_are_found_under_changed_keys(path):
    rows = in_waves()
    rows[16] |= {"id": "p0 ny", "kön": "M"}
    with pytest.raises(Problems, match="1 person has another gender in some waves"):
        cleaned(path, rows, keys=[{"old": "p0", "new": "p0 ny"}], **WAVE)


@pytest.mark.parametrize("seed", range(5))
def test_differing_genders_are_counted_as_persons_and_rows(path, seed):
    """Property: as many persons as have two genders among their rows, and all their rows."""
    rng = np.random.default_rng(seed)
    rows = [r | {"omgång": str(w), "arm": "0"} for w in (1, 2, 3) for r in people()]
    rows += [r | {"id": f"n{i}", "omgång": "3"} for i, r in enumerate(people())]
    for row in rows:
        row["kön"] = rng.choice(["K", "M", ""], p=[0.45, 0.45, 0.1])
    table = pd.DataFrame(rows)
    known = table[table["kön"] != ""]
    several = known.groupby("id")["kön"].nunique().loc[lambda n: n > 1].index
    count = int(known["id"].isin(several).sum())
    with pytest.raises(Problems, match=f"{len(several)} persons have another .*, {count} rows"):
        cleaned(path, rows, **WAVE)
