"""Few persons with an activity, or in a state, are neither shown nor to be worked out."""

import itertools
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from evaluate import schemas
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release

from .test_gate import effect_rows

RULE = Disclosure()
DETERMINED = 1e-7  # of a unit vector left after projection on small tables of 0 and 1
GROUPS = {"all": (0, 1), "women": (0,), "men": (1,)}
NUMBERS = ["n", "mean", "std_error", "conf_low", "conf_high", "share_any"]


def dose(counts, kind="meeting", months=(0,)):
    """Write a dose table from {arm: array of activities, shape (persons, months)} by gender.

    ``counts[arm]`` is a pair, women's and men's; month 0 is the sum of the others.
    """
    rows = []
    for arm, month in itertools.product(counts, months):
        parts = {}
        for group, genders in GROUPS.items():
            had = np.concatenate([counts[arm][g] for g in genders])
            had = had.sum(axis=1) if month == 0 else had[:, month - 1]
            n, some = len(had), int((had > 0).sum())
            mean = had.mean() if n else np.nan
            parts[group] = (mean, some / n if n else np.nan)
            error = had.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
            share = some / max(n, 1)
            rows.append((kind, month, arm, group, n, *_interval(mean, error), share, some))
        gap = np.subtract(parts["women"], parts["men"])
        rows.append((kind, month, arm, "women-men", None, *_interval(gap[0]), gap[1], None))
    names = ["kind", "month", "arm", "group", *NUMBERS, "n_any"]
    table = pd.DataFrame(rows, columns=names)
    table.insert(10, "unit", "activities per person")
    return checked(table, schemas.DOSE, "dose")


def _interval(mean, error=0.1):
    return mean, error, mean - 2 * error, mean + 2 * error


def had(n, some, months=1):
    """Return activities of n persons of whom some had two, in the first month."""
    found = np.zeros((n, months), dtype=int)
    found[:some, 0] = 2
    return found


def gated(**tables):
    out = release(tables, RULE, control="0")
    for name in tables.keys() & {"dose", "states"}:
        checked(out.tables[name], schemas.released(name), name)
    return out


def empty_rows(table, column, *keys):
    return set(table.loc[table[column].isna(), list(keys)].itertuples(index=False, name=None))


def test_what_is_not_small_is_shown_without_the_number_of_persons_behind():
    table = dose({"0": (had(40, 20), had(50, 0)), "1": (had(60, 60), had(45, 30))})
    out = gated(dose=table)
    assert out.withheld == []
    assert "n_any" not in out.tables["dose"]
    pd.testing.assert_frame_equal(out.tables["dose"], table.drop(columns="n_any"))


@pytest.mark.parametrize("men", [had(50, 3), had(3, 0)], ids=["any", "few"])
def test_a_small_number_takes_its_gap_and_the_other_gender_with_it(men):
    table = dose({"0": (had(40, 20), had(50, 30)), "1": (had(60, 20), men)})
    out = gated(dose=table)
    found = out.tables["dose"]
    gone = empty_rows(found, "mean", "arm", "group")
    assert gone == {("1", "men"), ("1", "women"), ("1", "women-men")}
    assert found.loc[found["mean"].isna(), NUMBERS].isna().all().all()
    assert {e["row"]["group"]: e["reason"] for e in out.withheld}["men"] == "fewer than 5 persons"
    assert found["kind"].notna().all()
    assert found["unit"].notna().all()


def test_few_without_any_are_in_the_share_alone_where_many_had_several():
    table = dose({"1": (had(60, 20), had(50, 47))})
    out = gated(dose=table)
    found = out.tables["dose"]
    gone = empty_rows(found, "share_any", "group")
    assert gone == {("men",), ("women",), ("women-men",)}
    assert found["mean"].notna().all()
    assert all(e["columns"] == ["share_any"] for e in out.withheld)


def test_few_without_any_are_in_the_mean_as_well_where_nobody_had_several():
    men = np.minimum(had(50, 47), 1)  # the mean is the share
    found = gated(dose=dose({"1": (had(60, 20), men)})).tables["dose"]
    assert empty_rows(found, "mean", "group") == {("men",), ("women",), ("women-men",)}


def test_one_gender_alone_needs_no_other_to_hide_it():
    table = dose({"1": (had(60, 20), had(50, 3))})
    table = table[table["group"].isin(["all", "men"])].reset_index(drop=True)
    table.loc[table["group"] == "all", ["n", "n_any"]] = [50, 3]
    table.loc[table["group"] == "all", "mean"] = 6 / 50
    gone = empty_rows(gated(dose=table).tables["dose"], "mean", "group")
    assert gone == {("all",), ("men",)}


def test_a_month_is_not_to_be_had_as_the_total_less_the_other_months():
    women = np.tile([1, 1, 0], (40, 1))
    men = np.tile([2, 1, 1], (40, 1))
    men[:, 2] = 0
    men[:2, 2] = 5  # two men had five each in month 3: ten activities
    table = dose({"1": (women, men)}, months=(0, 1, 2, 3))
    found = gated(dose=table).tables["dose"]
    men_by_month = found[found["group"] == "men"].set_index("month")["mean"]
    assert np.isnan(men_by_month[3])
    assert men_by_month.isna().sum() >= 2


def states(counts):
    """Write shares from {(month, arm): array of persons, shape (genders, states)}."""
    rows = []
    for (month, arm), persons in counts.items():
        persons = np.asarray(persons)
        names = [*("work", "studies", "none")[: persons.shape[1] - 1], "other"]
        n = {g: persons[list(genders)].sum() for g, genders in GROUPS.items()}
        share = {
            g: persons[list(genders)].sum(axis=0) / max(n[g], 1) for g, genders in GROUPS.items()
        }
        for i, name in enumerate(names):
            rows += [(name, month, arm, g, n[g], share[g][i]) for g in GROUPS]
            rows.append((name, month, arm, "women-men", None, share["women"][i] - share["men"][i]))
    table = pd.DataFrame(rows, columns=["state", "month", "arm", "group", "n", "share"])
    return checked(table, schemas.STATES, "states")


FINE = [[30, 20, 50, 0], [40, 10, 45, 5]]


def test_shares_of_enough_persons_or_of_nobody_are_shown():
    table = states({(m, a): FINE for m in (-1, 0, 1) for a in "01"})
    out = gated(states=table)
    assert out.withheld == []
    pd.testing.assert_frame_equal(out.tables["states"], table)


def test_three_men_in_a_state_hide_it_for_women_and_another_for_both():
    table = states({(12, "1"): [[30, 20, 50, 0], [3, 10, 82, 5]]})
    out = gated(states=table)
    found = out.tables["states"]
    assert found["n"].notna().sum() == table["n"].notna().sum()  # the persons observed stay
    gone = empty_rows(found, "share", "state", "group")
    assert {("work", g) for g in ("women", "men", "women-men")} <= gone
    assert not {g for _, g in gone} & {"all"}
    assert len({s for s, g in gone if g == "men"}) >= 2
    columns = {e["row"]["state"]: e["columns"] for e in out.withheld}
    assert all(c == ["share"] for c in columns.values())


def test_all_but_three_in_one_state_hides_the_share_of_that_state():
    table = states({(12, "1"): [[97, 3, 0, 0], [40, 10, 45, 5]]})
    gone = empty_rows(gated(states=table).tables["states"], "share", "state", "group")
    assert {("work", "women"), ("studies", "women")} <= gone


def test_few_persons_observed_take_their_number_and_all_shares():
    table = states({(12, "1"): [[30, 20, 50, 0], [1, 1, 1, 0]]})
    found = gated(states=table).tables["states"].set_index("group")
    assert found.loc["men", ["n", "share"]].isna().all().all()
    assert found.loc["women", ["n", "share"]].isna().all().all()
    assert found.loc["all", "n"].notna().all()


def test_an_outcome_made_of_states_does_not_give_one_of_them_away():
    persons = {"0": [[30, 20, 50, 0], [40, 10, 45, 5]], "1": [[30, 20, 50, 0], [3, 10, 80, 7]]}
    table = states({(12, arm): p for arm, p in persons.items()})
    people = {
        g: {
            arm: (int(np.sum([p[i] for i in genders])), sum(p[i][1] for i in genders))
            for arm, p in persons.items()
        }
        for g, genders in GROUPS.items()
    }
    effects = effect_rows(people, outcome="studying")
    out = release(
        {"effects": effects, "states": table}, RULE, control="0", states={"studying": ["studies"]}
    )
    found = out.tables["states"].query("arm == '1' and group == 'men'").set_index("state")["share"]
    assert np.isnan(found["work"])
    shown = out.tables["effects"].query("group == 'men'")["mean_treated"].notna().all()
    hidden = set(found.index[found.isna()]) - {"work"}
    # What the effects print is no hiding place.
    assert hidden - ({"studies"} if shown else set())


def test_a_weighted_share_is_of_somebody():
    table = states({(12, "1"): [[30, 20, 50, 0], [40, 10, 45, 5]]})
    at = (table["state"] == "studies") & (table["group"] == "men")
    table.loc[at, "share"] = 0.0007
    table.loc[(table["state"] == "none") & (table["group"] == "men"), "share"] += 0.0993
    gone = empty_rows(gated(states=table).tables["states"], "share", "state", "group")
    assert ("studies", "men") in gone


counts = st.one_of(st.integers(0, 9), st.integers(0, 120))


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(counts, min_size=24, max_size=24))
def test_no_small_count_follows_from_states_and_effects(cells):
    """Solve for the persons by month, arm, gender and state from everything that is printed."""
    persons = np.array(cells).reshape(2, 2, 2, 3)  # month, arm, gender, state
    unit = np.eye(24).reshape(2, 2, 2, 3, 24)
    by_place = {(m, str(a)): persons[m, a] for m in range(2) for a in range(2)}
    table = states(by_place)
    names = list(dict.fromkeys(table["state"]))
    effects = []
    for month in range(2):
        people = {
            g: {
                str(a): (int(persons[month, a][list(k)].sum()),
                         int(persons[month, a][list(k), 0].sum()))
                for a in range(2)
            }
            for g, k in GROUPS.items()
        }  # fmt: skip
        effects.append(effect_rows(people, month=month))
    out = release(
        {"effects": pd.concat(effects, ignore_index=True), "states": table},
        RULE,
        control="0",
        states={"work": ["work"]},
    ).tables
    known = [np.zeros(24)]
    for row in out["states"].to_dict("records"):
        if row["group"] == "women-men":
            continue
        place = unit[row["month"], int(row["arm"])][list(GROUPS[row["group"]])]
        if pd.notna(row["n"]):
            known.append(place.sum(axis=(0, 1)))
        if pd.notna(row["share"]):
            known.append(place[:, names.index(row["state"])].sum(axis=0))
    for row in out["effects"].dropna(subset="n_treated").to_dict("records"):
        if row["group"] == "women-men":
            continue
        for side, arm in (("treated", 1), ("control", 0)):
            place = unit[row["month"], arm][list(GROUPS[row["group"]])]
            known.append(place.sum(axis=(0, 1)))
            if pd.notna(row[f"mean_{side}"]):
                known.append(place[:, 0].sum(axis=0))
    free = linalg.null_space(np.array(known))
    for month, arm, genders in itertools.product(range(2), range(2), GROUPS.values()):
        place, inside = unit[month, arm][list(genders)], persons[month, arm][list(genders)]
        asked = [(place.sum(axis=(0, 1)), inside.sum())]
        for k in range(3):
            here, number = place[:, k].sum(axis=0), inside[:, k].sum()
            asked += [(here, number), (asked[0][0] - here, asked[0][1] - number)]
        for vector, number in asked:
            if 1 <= number < RULE.min_cell:
                assert np.abs(vector @ free).max(initial=0) > DETERMINED


def possible(total, squares):
    """Return the numbers of persons who may have had activities with this sum and sum of squares.

    One more than the first activity of a person adds ``e`` to the sum and ``e (e + 1)`` to the
    excess of the squares, where ``e + 1`` is how many that person had.
    """
    excess = squares - total
    beyond = [{0}] + [set() for _ in range(excess)]
    for done in range(1, excess + 1):
        for e in range(1, int(np.sqrt(done)) + 1):
            if e * (e + 1) <= done:
                beyond[done] |= {k + e for k in beyond[done - e * (e + 1)]}
    return {total - k for k in beyond[excess]}


@pytest.mark.parametrize(
    ("had", "numbers"), [([1, 1, 1, 0], {3}), ([2, 1, 1], {3}), ([3, 3, 1, 2], {3, 4})]
)
def test_the_brute_force_finds_the_number_of_persons(had, numbers):
    had = np.array(had)
    found = possible(had.sum(), (had**2).sum())
    assert (had > 0).sum() in found
    assert numbers <= found
    assert (len(numbers) == 1) == (len(found) == 1)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rate=st.sampled_from([0.02, 0.2, 1.0]))
def test_no_activities_of_few_persons_follow_from_the_dose(seed, rate):
    """Solve for persons with any, and for activities, from everything that is printed."""
    rng = np.random.default_rng(seed)
    months = (0, 1, 2)
    counts = {a: tuple(rng.poisson(rate, (rng.integers(4, 60), 2)) for _ in "wm") for a in "01"}
    table = dose(counts, months=months)
    out = gated(dose=table).tables["dose"]
    # Unknown by arm, gender and month: persons with any, and activities; persons are known.
    index = {
        key: i
        for i, key in enumerate(itertools.product("01", (0, 1), (0, 1, 2), ("any", "activities")))
    }
    eye = np.eye(len(index))
    known = [
        eye[index[a, g, 0, "activities"]]
        - eye[index[a, g, 1, "activities"]]
        - eye[index[a, g, 2, "activities"]]
        for a in "01"
        for g in (0, 1)
    ]
    for row in out.dropna(subset="mean").to_dict("records"):
        if row["group"] == "women-men":
            continue
        for what, column in (("any", "share_any"), ("activities", "mean")):
            place = [index[row["arm"], g, row["month"], what] for g in GROUPS[row["group"]]]
            if pd.notna(row[column]):
                known.append(eye[place].sum(axis=0))
        if pd.isna(row["share_any"]):  # what mean and error leave open
            total = round(row["mean"] * row["n"])
            squares = row["std_error"] ** 2 * row["n"] * (row["n"] - 1) + total**2 / row["n"]
            assert len(possible(total, round(squares))) > 1
    # Where hardly anybody had several, sum and squares tell how many had any.
    for row in table.dropna(subset=["n_any", "std_error"]).to_dict("records"):
        total = round(row["mean"] * row["n"])
        squares = row["std_error"] ** 2 * row["n"] * (row["n"] - 1) + total**2 / row["n"]
        if len(possible(total, round(squares))) == 1:
            genders = GROUPS[row["group"]]
            for what, sign in (("any", 1), ("activities", -1)):
                place = [index[row["arm"], g, row["month"], what] for g in genders]
                known.append(sign * eye[place].sum(axis=0) + (known.pop() if sign < 0 else 0))
    free = linalg.null_space(np.array(known))
    for arm, month, genders in itertools.product("01", months, GROUPS.values()):
        had = np.concatenate([counts[arm][g] for g in genders])
        had = had.sum(axis=1) if month == 0 else had[:, month - 1]
        some = int((had > 0).sum())
        few = [1 <= number < RULE.min_cell for number in (some, len(had) - some)]
        for what, is_few in (("any", any(few)), ("activities", few[0])):
            vector = sum(eye[index[arm, g, month, what]] for g in genders)
            assert not is_few or np.abs(vector @ free).max(initial=0) > DETERMINED


def test_eight_states_over_two_years_are_quick():
    rng = np.random.default_rng(1)
    counts = {
        (m, a): rng.multinomial(60, rng.dirichlet(np.ones(8)), 2) for m in range(24) for a in "01"
    }
    rows = []
    for (month, arm), persons in counts.items():
        for i in range(8):
            for g, genders in GROUPS.items():
                inside = persons[list(genders)]
                rows.append(
                    (f"s{i}", month, arm, g, inside.sum(), inside[:, i].sum() / inside.sum())
                )
    table = pd.DataFrame(rows, columns=["state", "month", "arm", "group", "n", "share"])
    start = time.perf_counter()
    out = gated(states=checked(table, schemas.STATES, "states"))
    assert time.perf_counter() - start < 20  # seconds; about 1 on a laptop
    assert out.withheld
