"""Bounds behind the gate: who lacks an outcome cannot be worked out where they are few."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate import schemas
from evaluate.io import checked
from evaluate.notes import note
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release
from release.test_gate import effect_rows

RULE = Disclosure()
NUMBERS = ["lower", "upper", "lower_se", "conf_high", "response_treated", "trimmed_share", "n"]
DETERMINED = 1e-9  # of a unit vector left after projection on small tables of 0 and 1
WITHHELD = {note(kind, n=5) for kind in ("withheld", "protects")}


def bounds_rows(people, outcome="work", methods=("lee", "manski"), text=""):
    """Write bounds from {group: {arm: (n, missing)}}, control first, with the gap."""
    arms = list(people["all"])
    rows = []
    for arm in arms[1:]:
        for method in methods:
            for group in [*people, *(["women-men"] if "women" in people else [])]:
                gap = group == "women-men"
                parts = ["women", "men"] if gap else [group]
                n, lack = (
                    [sum(people[g][a][i] for g in parts) for a in (arm, arms[0])] for i in (0, 1)
                )
                share = [1 - x / k if k else np.nan for x, k in zip(lack, n, strict=True)]
                rows.append(
                    {
                        "outcome": outcome, "month": 12, "arm": arm, "role": "primary",
                        "group": group, "method": method, "lower": -0.1, "upper": 0.2,
                        "lower_se": 0.05, "upper_se": 0.05, "conf_low": -0.2, "conf_high": 0.3,
                        "level": 0.95, "response_treated": 0.0 if gap else share[0],
                        "response_control": 0.0 if gap else share[1],
                        "response_difference": 0.01, "response_p_value": 0.4,
                        "trimmed_share": 0.01, "population": "all", "n": sum(n),
                        "n_treated": n[0], "n_control": n[1],
                        "missing_treated": pd.NA if gap else lack[0],
                        "missing_control": pd.NA if gap else lack[1], "unit": "share",
                        "note": text,
                    }
                )  # fmt: skip
    return checked(pd.DataFrame(rows), schemas.BOUNDS, "bounds")


def flow_of(people, name="work@12"):
    arms = list(people["all"])
    rows = []
    for step, reason, part in (("included", "", 0), ("analysed", name, 1)):

        def count(group, arm, part=part):
            n, missing = people[group][arm]
            return n - part * missing

        row = {"step": step, "reason": reason, "n": sum(count("all", a) for a in arms)}
        row |= {g: sum(count(g, a) for a in arms) for g in ("women", "men")}
        rows.append(row | {f"arm={a}": count("all", a) for a in arms})
    return checked(pd.DataFrame(rows), schemas.FLOW, "flow")


def both(women, men):
    """Add women and men to all."""
    return {
        "all": {a: tuple(np.add(women[a], men[a]).tolist()) for a in women},
        "women": women,
        "men": men,
    }


FINE = both({"0": (80, 20), "1": (90, 10)}, {"0": (70, 30), "1": (60, 12)})
THREE = both({"0": (80, 20), "1": (90, 3)}, {"0": (70, 30), "1": (60, 12)})


def hidden(table):
    """Return the groups of the rows that were emptied, whole and with a note."""
    empty = table["n"].isna()
    assert table.loc[empty, NUMBERS].isna().all().all()
    assert set(table.loc[empty, "note"]) <= WITHHELD
    assert table.loc[~empty, NUMBERS].notna().all().all()
    return set(table.loc[empty, "group"])


def test_where_many_lack_the_outcome_all_passes_but_how_many_exactly():
    out = release({"bounds": bounds_rows(FINE), "flow": flow_of(FINE)}, RULE, control="0")
    table = checked(out.tables["bounds"], schemas.released("bounds"), "bounds")
    assert hidden(table) == set()
    assert out.withheld == []
    assert not {"missing_treated", "missing_control"} & set(table)


def test_three_women_without_the_outcome_take_men_and_the_gap_with_them():
    out = release({"bounds": bounds_rows(THREE), "flow": flow_of(THREE)}, RULE, control="0")
    assert hidden(out.tables["bounds"]) == {"women", "men", "women-men"}
    assert {e["table"] for e in out.withheld} == {"bounds"}  # all of them are 15: the flow stays
    women = [e for e in out.withheld if e["row"]["group"] == "women"]
    assert {e["reason"] for e in women} == {"fewer than 5 persons"}
    assert "response_treated" in women[0]["columns"]


def test_three_with_the_outcome_are_withheld_like_three_without():
    people = both({"0": (80, 20), "1": (90, 87)}, {"0": (70, 30), "1": (60, 12)})
    out = release({"bounds": bounds_rows(people)}, RULE, control="0")
    assert "women" in hidden(out.tables["bounds"])


def test_the_bounds_of_a_row_whose_effects_are_withheld_are_withheld():
    people = both({"0": (80, 20), "1": (90, 10)}, {"0": (70, 30), "1": (40, 12)})
    counts = both({"0": (60, 30), "1": (80, 40)}, {"0": (40, 20), "1": (28, 2)})  # two men are 1
    tables = {"bounds": bounds_rows(people), "effects": effect_rows(counts)}
    out = release(tables, RULE, control="0")
    assert {"men", "women-men"} <= hidden(out.tables["bounds"])


def test_bounds_among_the_effects_follow_the_table_of_bounds():
    counts = {
        g: {a: (n - lack, (n - lack) // 2) for a, (n, lack) in by_arm.items()}
        for g, by_arm in THREE.items()
    }
    effects = effect_rows(counts, estimators=("lin", "lee_lower", "lee_upper", "manski_lower"))
    tables = {"effects": effects, "bounds": bounds_rows(THREE), "flow": flow_of(THREE)}
    out = release(tables, RULE, control="0")
    table = checked(out.tables["effects"], schemas.EFFECTS, "effects")
    lin, other = (table[(table["estimator"] == "lin") == is_lin] for is_lin in (True, False))
    assert lin["estimate"].notna().all()
    assert other["estimate"].isna().tolist() == (other["group"] != "all").tolist()
    assert set(other.loc[other["group"] != "all", "note"]) <= WITHHELD
    listed = [e for e in out.withheld if e["table"] == "effects"]
    assert len(listed) == 3 * 3
    assert {e["row"]["estimator"] for e in listed} == {"lee_lower", "lee_upper", "manski_lower"}


def test_nothing_is_withheld_where_the_least_number_is_one():
    out = release({"bounds": bounds_rows(THREE)}, Disclosure(min_cell=1), control="0")
    assert hidden(out.tables["bounds"]) == set()


def test_small_numbers_in_notes_are_not_told():
    text = note("cut", n=3, most="20")
    out = release({"bounds": bounds_rows(FINE, text=text)}, RULE, control="0")
    assert set(out.tables["bounds"]["note"]) == {text.replace("3 persons", "fewer than 5 persons")}


def test_a_table_without_rows_passes():
    empty = checked(bounds_rows(FINE).iloc[:0], schemas.BOUNDS, "bounds")
    out = release({"bounds": empty, "flow": flow_of(FINE)}, RULE, control="0")
    assert out.tables["bounds"].empty
    assert list(out.tables["bounds"]) == list(schemas.released("bounds").columns)


@given(
    seed=st.integers(0, 2**32 - 1),
    arms=st.integers(2, 3),
    few=st.floats(0.01, 0.2),
)
@settings(max_examples=60, deadline=None)
def test_no_small_number_who_lack_the_outcome_follows_from_what_is_published(seed, arms, few):
    rng = np.random.default_rng(seed)
    names = [str(a) for a in range(arms)]

    def draw():
        n = rng.integers(20, 90, arms)
        missing = rng.binomial(n, few * rng.uniform(0, 2, arms))
        return {a: (int(k), int(m)) for a, k, m in zip(names, n, missing, strict=True)}

    people = both(draw(), draw())
    out = release({"bounds": bounds_rows(people), "flow": flow_of(people)}, RULE, control="0")
    table, flow = out.tables["bounds"], out.tables["flow"]
    hidden(table)
    unknown = {
        (g, a): i for i, (g, a) in enumerate((g, a) for g in ("women", "men") for a in names)
    }

    def of(group, arm):
        vector = np.zeros(len(unknown))
        for g in ("women", "men") if group == "all" else (group,):
            vector[unknown[g, arm]] = 1
        return vector

    known = [np.zeros(len(unknown))]
    for row in table[table["n"].notna() & (table["group"] != "women-men")].itertuples():
        known += [of(row.group, row.arm), of(row.group, "0")]
    both_steps = flow.drop(columns=["step", "reason"]).notna().all()
    for column in both_steps.index[both_steps]:
        if column.startswith("arm="):
            known.append(of("all", column.removeprefix("arm=")))
        else:
            groups = ("women", "men") if column == "n" else (column,)
            known.append(sum(of(g, a) for g in groups for a in names))
    matrix = np.array(known)
    for group in people:
        for arm, (_, missing) in people[group].items():
            if not 1 <= missing < 5:
                continue
            target = of(group, arm)
            fitted = np.linalg.lstsq(matrix.T, target)[0]
            left = np.linalg.norm(matrix.T @ fitted - target)
            assert left > DETERMINED, (group, arm, people)
