"""How many took part is neither shown nor to be worked out where they are few."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import linalg
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.costs.effectiveness import cost_effectiveness
from evaluate.costs.programme_costs import cost_table
from evaluate.design.checks import balance_table
from evaluate.design.power_table import power_table
from evaluate.effects.displacement import net_effects
from evaluate.effects.participation import compliers, participation
from evaluate.effects.table import effects
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release

RULE = Disclosure()
DETERMINED = 1e-6  # of a unit vector left after projection; coefficients are shares and counts
PRICE = 100.0
ESTIMATES = ["compliers", "compliers_se", "f", "effect", "conf_low", "conf_high", "ar_low"]
GROUPS = {"all": [0, 1], "women": [0], "men": [1]}


def trial(persons, with_outcome=True):
    """Return study and plan of persons counted by gender, arm, take-up, x and outcome.

    Women first; of the last three axes the one with index 1 took part, has x, is in work.
    """
    persons = np.asarray(persons)
    where = np.repeat(np.indices(persons.shape).reshape(5, -1), persons.ravel(), axis=1)
    gender, arm, taken, x, y = where
    y = y.astype(float)[:, None]
    plan = plan_of(
        y,
        columns={"takeup": {"column": "took", "taken": 1}},
        outcomes={"work": {"column": "y0", "unit": "share", "role": "primary"}},
        analysis={"estimators": ["difference_in_means"], "displacement": [0.25]},
        costs={"currency": "SEK", "price_year": 2022, "amount": PRICE, "outcomes": ["work"]},
    )
    study = study_from(
        y, arm, gender == 0, pd.DataFrame({"x": x.astype(float)}), takeup=taken.astype(float)
    )
    return study, plan


def flow_of(persons, lacking=0):
    """Return the flow of a trial; ``lacking`` participants of arm 1 have no outcome."""
    taken = persons[:, :, 1]
    rows = []
    for step, reason, part in (
        ("included", "", persons), ("took_part", "", taken), ("analysed", "work", persons),
    ):  # fmt: skip
        by_arm = {f"arm={a}": int(part[:, a].sum()) for a in range(persons.shape[1])}
        counts = {"n": int(part.sum()), "women": int(part[0].sum()), "men": int(part[1].sum())}
        rows.append({"step": step, "reason": reason} | counts | by_arm)
    table = pd.DataFrame(rows)
    if lacking:
        table.loc[table["step"] != "analysed", ["n", "women", "arm=1"]] += lacking
    return schemas.FLOW.coerce_dtype(table)


def tables_of(persons, lacking=0):
    """Return all tables that say something of who took part, from the stages themselves."""
    study, plan = trial(persons)
    of_effects = effects(study, plan).table
    found = {
        "effects": of_effects,
        "participation": participation(study, plan),
        "compliers": compliers(study, plan),
        "power": power_table(of_effects, "difference_in_means"),
        "net_effects": net_effects(of_effects, plan),
        "balance": balance_table(study, plan),
        "costs": cost_table(study, plan),
        "cost_effectiveness": cost_effectiveness(
            study, plan, None, np.random.default_rng(1)
        ).ratios,
    }
    # as they are read from `build/`: in the types of the schemas
    found = {n: getattr(schemas, n.upper()).coerce_dtype(t) for n, t in found.items()}
    return found | {"flow": flow_of(persons, lacking)}


def gated(persons, lacking=0, rule=RULE):
    """Return the tables after the gate."""
    persons = np.asarray(persons)
    sizes = {
        (g, str(a)): int(persons[i, a].sum())
        for g, i in GROUPS.items()
        for a in range(persons.shape[1])
    }
    return release(
        tables_of(persons, lacking), rule, control="0", persons=sizes, costs_of="participants"
    )


def counted(control=(40, 20), treated=(30, 40)):
    """Return persons with these numbers of takers by gender, x and work evenly spread."""
    persons = np.full((2, 2, 2, 2, 2), 10)
    for gender, (few, many) in enumerate(zip(control, treated, strict=True)):
        for arm, takers in ((0, few), (1, many)):
            persons[gender, arm, 1] = _spread(takers)
            persons[gender, arm, 0] = _spread(100 - takers)
    return persons


def _spread(n):
    return np.array([[(n + 3) // 4, (n + 2) // 4], [(n + 1) // 4, n // 4]])


def of(table, column, **keys):
    """Return a column of some rows by group."""
    for name, value in keys.items():
        table = table[table[name] == value]
    return table.set_index("group")[column]


def test_nothing_is_withheld_where_nothing_is_small():
    persons = counted()
    out = gated(persons)
    assert out.withheld == []
    exact = tables_of(persons)
    for name in ("participation", "compliers"):
        behind = list(schemas.BUILD_ONLY[name])
        pd.testing.assert_frame_equal(out.tables[name], exact[name].drop(columns=behind))


def test_control_that_nobody_took_part_in_hides_nothing():
    assert gated(counted(control=(0, 0))).withheld == []


def test_three_of_control_who_took_part_take_the_effects_on_participants_with_them():
    out = gated(counted(control=(3, 0)))
    for name, released in out.tables.items():
        checked(released, schemas.released(name), name)
    table = out.tables["participation"]
    empty = table[ESTIMATES].isna().all(axis=1).set_axis(table["group"])
    assert empty.to_dict() == {"all": True, "women": True, "men": False, "women-men": True}
    assert of(table, "takeup_control")[["all", "women"]].isna().all()
    assert of(table, "takeup_treated")[["all", "women", "men"]].notna().all()
    notes = of(table, "note")
    assert notes["women"] == "withheld: fewer than 5 persons"
    assert "give away" in notes["women-men"]
    late = of(out.tables["effects"], "estimate", estimand="late")
    assert late.isna().to_dict() == empty.to_dict()
    assert of(out.tables["effects"], "estimate", estimand="itt").notna().all()
    ratio = of(out.tables["cost_effectiveness"], "incremental_cost", denominator="participant")
    assert ratio[["all", "women", "women-men"]].isna().all()
    per_offer = of(out.tables["cost_effectiveness"], "effect", denominator="offer")
    assert per_offer.notna().all()
    costs = out.tables["costs"].set_index("arm")
    assert costs.loc["0", ["amount", "per_offer", "per_participant"]].isna().all()


def test_few_who_did_not_take_part_are_hidden_as_few_who_did():
    out = gated(counted(control=(0, 0), treated=(97, 50)))
    table = out.tables["participation"]
    assert of(table, "takeup_treated").isna().to_dict() == {
        "all": False, "women": True, "men": True, "women-men": True,
    }  # fmt: skip
    assert of(table, "takeup_control")[["all", "women", "men"]].notna().all()
    assert of(table, "compliers").isna()[["women", "men", "women-men"]].all()
    assert of(out.tables["effects"], "estimate", estimand="late").notna()["all"]


def test_few_participants_with_a_characteristic_are_hidden():
    persons = counted(control=(0, 0))
    persons[1, 1, 1] = [[20, 18], [1, 1]]  # two of the men who took part have x
    table = gated(persons).tables["compliers"]
    means = of(table, "mean_compliers", covariate="x")
    assert means.isna().to_dict() == {"all": False, "women": True, "men": True}
    assert of(table, "mean_all", covariate="x").notna().all()
    assert of(table, "mean_compliers", covariate="gender=women").notna().all()


def test_few_with_a_characteristic_who_did_not_take_part_are_hidden():
    persons = counted(control=(0, 0))
    persons[1, 1, 0] = [[28, 29], [1, 2]]  # three of the men who did not
    out = gated(persons).tables
    of_compliers = of(out["compliers"], "mean_compliers", covariate="x")
    in_balance = of(out["balance"], "mean_treated", covariate="x")
    assert np.isnan(of_compliers["men"]) or np.isnan(in_balance["men"])


def test_participants_without_the_outcome_are_hidden_where_they_are_few():
    flow = gated(counted(control=(0, 0)), lacking=3).tables["flow"].set_index("step")
    assert flow.loc["took_part", ["women", "arm=1"]].isna().all()
    told = gated(counted(control=(0, 0)), lacking=30)
    assert told.withheld == []


@pytest.mark.parametrize("told", [True, False])
def test_the_number_included_is_not_in_the_compliers_where_the_flow_hides_it(told):
    tables = tables_of(counted(control=(0, 0)))
    if not told:  # everybody has the outcome of the effects, but for some in the flow
        tables = {name: tables[name] for name in ("flow", "balance", "compliers")}
    flow = tables["flow"]
    flow.loc[flow["step"] == "analysed", ["n", "women", "men", "arm=0", "arm=1"]] -= [
        12,
        3,
        9,
        9,
        3,
    ]
    persons = {(g, a): 200 if g == "all" else 100 for g in GROUPS for a in "01"}
    out = release(tables, RULE, control="0", persons=persons).tables
    assert out["flow"].set_index("step").loc["included"].notna().all() == told
    assert out["compliers"]["n"].notna().all() == told
    assert out["compliers"]["n"].isna().all() != told


def test_numbers_are_withheld_by_rule_and_the_list_has_none():
    out = gated(counted(control=(3, 2)))
    assert {e["table"] for e in out.withheld} >= {"participation", "effects", "cost_effectiveness"}
    for entry in out.withheld:
        assert set(entry) == {"table", "row", "columns", "reason"}
        assert all(isinstance(v, str | None) for v in entry["row"].values())
    told = [e for e in out.withheld if e["table"] == "participation"]
    assert {"compliers", "effect", "ar_set"} <= set(told[0]["columns"])


class Reader:
    """What can be solved from the numbers printed, as equations in the persons of a trial."""

    def __init__(self, persons):
        self.persons = np.asarray(persons, dtype=float)
        self.unit = np.eye(self.persons.size).reshape(*self.persons.shape, -1)
        self.known = [np.zeros(self.persons.size)]

    def who(self, group, arm, taken=(0, 1), x=(0, 1), y=(0, 1)):
        """Return the vector that counts some persons."""
        genders = GROUPS[group]
        chosen = self.unit[np.ix_(genders, [arm], taken, x, y)]
        return chosen.reshape(-1, self.persons.size).sum(axis=0)

    def count(self, vector):
        return float(vector @ self.persons.ravel())

    def learn(self, *vectors):
        self.known += vectors

    def share(self, part, whole):
        """Learn a share of a group, whether or not its size is known."""
        if self.count(whole):
            self.learn(part - self.count(part) / self.count(whole) * whole)

    def compliers(self, group, arm):
        """Return the share of compliers as an equation, sizes known."""
        n, zero = self.who(group, arm), self.who(group, 0)
        if not self.count(n) or not self.count(zero):
            return np.zeros(len(n))
        taken, anyway = self.who(group, arm, taken=[1]), self.who(group, 0, taken=[1])
        return taken / self.count(n) - anyway / self.count(zero)

    def of_compliers(self, group, arm, mean):
        """Return the equation behind a mean of compliers."""
        n, zero = self.who(group, arm), self.who(group, 0)
        taken = self.who(group, arm, taken=[1], x=[1]) / self.count(n)
        anyway = self.who(group, 0, taken=[1], x=[1]) / self.count(zero)
        return taken - anyway - mean * self.compliers(group, arm)

    def questions(self):
        """Yield every number of persons that the tables speak of."""
        for group, arm in itertools.product(GROUPS, range(self.persons.shape[1])):
            one = ([0], [1], (0, 1))
            for taken, x in itertools.product(one, one):
                yield group, arm, taken, x, self.who(group, arm, taken, x)
            for y in ([0], [1]):
                yield group, arm, (0, 1), y, self.who(group, arm, y=y)

    def read(self, tables):
        """Learn all that is printed."""
        arms = range(self.persons.shape[1])
        price = PRICE
        for row in tables["flow"].to_dict("records"):
            taken = [1] if row["step"] == "took_part" else (0, 1)
            for column, group, of_arms in [
                ("n", "all", arms), ("women", "women", arms), ("men", "men", arms),
                *((f"arm={a}", "all", [a]) for a in arms),
            ]:  # fmt: skip
                if pd.notna(row[column]):
                    self.learn(sum(self.who(group, a, taken) for a in of_arms))
        for row in _rows(tables["effects"]):
            group, pair = row["group"], row["pair"]
            for side, arm in zip(("treated", "control"), pair, strict=True):
                if pd.notna(row[f"n_{side}"]):
                    self.learn(self.who(group, arm))
                if pd.notna(row[f"mean_{side}"]):
                    self.share(self.who(group, arm, y=[1]), self.who(group, arm))
            if row["estimand"] == "late" and pd.notna(row["estimate"]):
                self.learn(self.compliers(group, pair[0]))
        for row in _rows(tables["participation"]):
            group, (arm, _) = row["group"], row["pair"]
            for side, a in (("treated", arm), ("control", 0)):
                if pd.notna(row[f"takeup_{side}"]):
                    self.share(self.who(group, a, taken=[1]), self.who(group, a))
                if pd.notna(row[f"n_{side}"]):
                    self.learn(self.who(group, a))
            if any(pd.notna(row[c]) for c in ESTIMATES):
                self.learn(self.compliers(group, arm))
        for row in _rows(tables["balance"]):
            if row["covariate"] == "x":
                for side, a in zip(("treated", "control"), row["pair"], strict=True):
                    if pd.notna(row[f"mean_{side}"]):
                        self.share(self.who(row["group"], a, x=[1]), self.who(row["group"], a))
        for row in _rows(tables["compliers"]):
            group, (arm, _) = row["group"], row["pair"]
            both = self.who(group, arm) + self.who(group, 0)
            if pd.notna(row["n"]):
                self.learn(both)
            if row["covariate"] == "x":
                if pd.notna(row["mean_all"]):
                    self.share(self.who(group, arm, x=[1]) + self.who(group, 0, x=[1]), both)
                if pd.notna(row["mean_compliers"]):
                    self.learn(self.of_compliers(group, arm, row["mean_compliers"]))
            elif pd.notna(row["mean_compliers"]):  # women among all
                total = row["mean_compliers"] * self.compliers("all", arm)
                n, zero = self.count(self.who("all", arm)), self.count(self.who("all", 0))
                women = self.who("women", arm, taken=[1]) / n
                self.learn(women - self.who("women", 0, taken=[1]) / zero - total)
        for row in tables["costs"].to_dict("records"):
            arm = int(row["arm"])
            if pd.notna(row["amount"]) or pd.notna(row["per_offer"]):
                self.learn(price * self.who("all", arm, taken=[1]))
        for row in _rows(tables["cost_effectiveness"]):
            if pd.notna(row["incremental_cost"]) and row["denominator"] == "offer":
                self.learn(price * self.compliers(row["group"], row["pair"][0]))
            if pd.notna(row["effect"]) and row["denominator"] == "participant":
                self.learn(self.compliers(row["group"], row["pair"][0]))

    def told(self, least=RULE.min_cell):
        """Return the small numbers that follow from what was read."""
        known = np.array(self.known)
        size = np.linalg.norm(known, axis=1, keepdims=True)
        free = linalg.null_space(known / np.where(size > 0, size, 1), rcond=1e-10)
        return [
            question[:-1]
            for question in self.questions()
            if 1 <= self.count(question[-1]) < least
            and np.abs(question[-1] @ free).max(initial=0) < DETERMINED
        ]


def _rows(table):
    """Yield rows but those of the gap, with their two arms as numbers."""
    for row in table[table["group"] != "women-men"].to_dict("records"):
        treated, _, control = str(row["arm"]).partition("-")
        yield row | {"pair": (int(treated), int(control or 0))}


counts = st.one_of(st.integers(0, 4), st.integers(0, 60))


def check(persons):
    reader = Reader(persons)
    reader.read(gated(persons).tables)
    assert reader.told() == []


@settings(max_examples=25, deadline=None)
@given(cells=st.lists(counts, min_size=32, max_size=32))
def test_no_small_count_follows_from_all_released_tables(cells):
    persons = np.array(cells).reshape(2, 2, 2, 2, 2)
    persons[:, :, 0, 0, :] += 2  # somebody in each arm
    check(persons)


@settings(max_examples=8, deadline=None)
@given(cells=st.lists(counts, min_size=48, max_size=48))
def test_nor_with_several_arms(cells):
    persons = np.array(cells).reshape(2, 3, 2, 2, 2)
    persons[:, :, 0, 0, :] += 2
    check(persons)


few = st.integers(0, 6)


@settings(max_examples=25, deadline=None)
@given(control=st.tuples(few, few), others=st.tuples(few, few))
@example(control=(1, 0), others=(0, 2))
def test_nor_where_nearly_all_do_as_they_are_assigned(control, others):
    check(counted(control=control, treated=tuple(100 - n for n in others)))


def test_the_reader_does_find_what_is_printed():
    persons = counted(control=(3, 0))
    reader = Reader(persons)
    exact = tables_of(persons)
    reader.read(exact)
    assert ("women", 0, [1], (0, 1)) in reader.told()
    reader = Reader(persons)
    hidden = {"participation", "compliers", "costs", "cost_effectiveness", "flow"}
    reader.read({n: t[:0] if n in hidden else t for n, t in exact.items()})
    assert reader.told() == []  # from the effect on participants alone nobody can tell
    flow = exact["flow"][exact["flow"]["step"] == "took_part"].assign(**{"arm=0": pd.NA})
    reader.read({n: t[:0] for n, t in exact.items()} | {"flow": flow})
    assert ("women", 0, [1], (0, 1)) in reader.told()
