"""The truth: from both paths of each person, from the chances, and out of the raw files."""

import numpy as np
import pandas as pd
import pytest

from data.simulated.raw import EXTRACT, owner, table, text
from evaluate.data.simulated import tables
from evaluate.data.simulated.extract import extract
from evaluate.data.simulated.paths import COLUMNS, draw_paths
from evaluate.data.simulated.persons import draw_persons
from evaluate.data.simulated.setting import (
    BEFORE,
    GRAIN,
    OUTCOMES,
    STATES,
    TAKEUP,
    all_moves,
    setting,
)
from evaluate.data.simulated.truth import GROUPS, MONTHS, sums, truth
from evaluate.plan.load import load_plan

SIGMAS = 4  # of sampling, within which an estimate of 30,000 persons has to be


@pytest.fixture(scope="module")
def drawn():
    """Give 300 persons with both their paths and what they earn in each state."""
    world = setting(300)
    persons = draw_persons(world, 0, 300, np.random.default_rng(1))
    paths = draw_paths(persons, np.random.default_rng(2))
    wages = tables.draw_wages(persons, np.random.default_rng(3))
    known = truth(sums(persons, paths, wages, world), 1, world, {})
    return world, persons, paths, wages, known


def one_by_one(drawn, outcome, month, gender):
    """Work out the effect person by person, from the paths alone."""
    world, persons, paths, wages, _ = drawn
    differences = []
    for i in range(len(persons)):
        wave = pd.Period(str(world.waves[persons.wave[i]]), "M")
        if not (persons.randomised[i] and persons.eligible[i]) or persons.gender[i] != gender:
            continue
        if wave + month > pd.Period(EXTRACT, "M"):
            continue
        values = []
        for path in (paths.with_offer[i], paths.without[i]):
            state = path[BEFORE + month]
            jobs = [path[BEFORE + m] in OUTCOMES["work"] for m in range(1, month + 1)]
            values.append(
                {
                    "work": state in OUTCOMES["work"],
                    "registered": state in OUTCOMES["registered"],
                    "work_months": sum(jobs),
                    "entered": any(jobs),
                    "income": wages[i, state] * 37.5,
                }[outcome]
            )
        differences.append(float(values[0]) - float(values[1]))
    return np.mean(differences)


@pytest.mark.parametrize("outcome", ["work", "registered", "work_months", "entered", "income"])
@pytest.mark.parametrize("month", [-3, 1, 6, 18])
def test_effects_are_the_mean_differences_of_both_paths(drawn, outcome, month):
    known = drawn[-1]
    women, men = (one_by_one(drawn, outcome, month, gender) for gender in (0, 1))
    assert known.effect(outcome, month, "women") == pytest.approx(women)
    assert known.effect(outcome, month, "men") == pytest.approx(men)
    assert known.effect(outcome, month, "women-men") == pytest.approx(women - men)


def test_states_add_up_and_so_do_their_effects(drawn):
    _, persons, paths, _, _ = drawn
    for path in (paths.without, paths.with_offer):
        known = np.isin(path, [0, *(s for states in OUTCOMES.values() for s in states)])
        assert known.all()
    assert paths.without.shape == (len(persons), COLUMNS)
    assert len({s for states in OUTCOMES.values() for s in states}) == len(STATES) - 1


def test_an_offer_changes_nothing_for_who_would_not_take_part_and_nothing_before_month_two(drawn):
    _, persons, paths, _, _ = drawn
    same = paths.without == paths.with_offer
    assert same[~persons.would_attend].all()
    assert same[:, : BEFORE + 2].all()
    assert not same[persons.would_attend].all()
    observed = paths.observed(persons)
    assert (observed[persons.attended] == paths.with_offer[persons.attended]).all()
    assert (observed[~persons.attended] == paths.without[~persons.attended]).all()


def test_chances_are_whole_parts_and_add_up():
    tables_of_moves = all_moves()
    assert tables_of_moves.shape == (18, 9, 9)
    assert (tables_of_moves >= 0).all()
    assert (tables_of_moves.sum(axis=2) == GRAIN).all()


def test_the_expected_effect_of_the_first_months_follows_by_hand():
    """Month 2 is the first that taking part changes, so its effect is one row of a table."""
    world = setting(2_000)
    persons = draw_persons(world, 0, 2_000, np.random.default_rng(1))
    paths = draw_paths(persons, np.random.default_rng(2))
    wages = tables.draw_wages(persons, np.random.default_rng(3))
    known = truth(sums(persons, paths, wages, world), 1, world, {}).effects
    moves = all_moves().reshape(3, 2, 3, 9, 9) / GRAIN
    for gender, group in enumerate(("women", "men")):
        chosen = persons.counted & (persons.gender == gender)
        expected = []
        for level, state in zip(persons.level[chosen], paths.without[chosen, BEFORE], strict=True):
            first = moves[1, gender, level, state]
            change = moves[2, gender, level] - moves[1, gender, level]
            expected.append(TAKEUP[gender] * (first @ change)[list(OUTCOMES["work"])].sum())
        rows = known[(known["outcome"] == "work") & (known["month"] == 2)]
        found = rows.set_index("group")["expected"][group]
        assert found == pytest.approx(np.mean(expected))


def test_both_paths_agree_with_the_chances(large):
    rows = large.extract.truth.effects
    rows = rows[(rows["outcome"] == "work") & (rows["month"] > 1) & (rows["group"] != "women-men")]
    # A person's difference of paths is -1, 0 or 1, so its variance is at most the share who
    # differ; few do, and a tenth is more than any month has.
    assert (abs(rows["effect"] - rows["expected"]) < SIGMAS * np.sqrt(0.1 / rows["n"])).all()


def test_the_effect_is_greater_for_women(large):
    known = large.extract.truth
    for month in (6, 12, 18):
        assert known.effect("work", month, "women") > known.effect("work", month, "men") > 0
        assert known.effect("work", month, "women-men") > 0.02
    assert known.effect("work", 0, "all") == 0


def persons_of(study):
    """Join persons and offers, and leave out whom the criteria exclude."""
    offers = table(study.raw, "assignment")
    offers["person"] = owner(study.raw, offers["person"])
    rows = table(study.raw, "persons").merge(offers)
    rows = rows[rows["offered"] < rows["permit"] + pd.DateOffset(years=4)]
    rows = rows[rows["offered"] < rows["born"] + pd.DateOffset(years=65)]
    rows["woman"], rows["treated"] = rows["sex"] == "2", rows["arm"] == "1"
    rows["block"] = rows["office"] + rows["wave"]
    return rows.reset_index(drop=True)


def estimate(rows, outcome):
    """Return the blocked difference in means of the observed, and its standard error."""
    rows = rows[outcome.notna()].assign(y=outcome)
    by = rows.groupby(["block", "treated"])["y"].agg(["mean", "var", "size"]).unstack()
    weight = by["size"].sum(axis=1) / by["size"].sum(axis=None)
    effect = (weight * (by["mean"][True] - by["mean"][False])).sum()
    variance = (by["var"] / by["size"]).sum(axis=1)
    return effect, np.sqrt((weight**2 * variance).sum())


def in_state(study, rows, month, codes):
    """Return 1 or 0 for the state on the last day of a month, NaN where it is not observed."""
    spells = table(study.raw, "spells")
    spells["person"] = owner(study.raw, spells["person"])
    spells = spells[spells["state"].isin(codes)]
    last = rows["offered"] + pd.DateOffset(months=month) - pd.Timedelta(days=1)
    joined = rows[["person"]].assign(last=last).merge(spells)
    at = joined[
        (joined["start"] <= joined["last"]) & (joined["end"].fillna(EXTRACT) >= joined["last"])
    ]
    found = rows["person"].isin(at["person"]).astype(float)
    return found.where(last <= EXTRACT)


@pytest.mark.parametrize("month", [-3, 6, 12, 18])
def test_the_effect_is_found_again_in_the_raw_files(large, month):
    rows = persons_of(large)
    assert len(rows) == large.extract.truth.counted
    codes = load_plan(large.plan).data.spells.states["unsubsidised"]
    work = in_state(large, rows, month, [str(code) for code in codes])
    found = {}
    for group, chosen in (("all", rows["woman"] | True), ("women", rows["woman"]),
                          ("men", ~rows["woman"])):  # fmt: skip
        found[group] = estimate(rows[chosen], work[chosen])
        truth_of = large.extract.truth.effect("work", month, group)
        assert found[group][0] == pytest.approx(truth_of, abs=SIGMAS * found[group][1]), group
    if month == 12:
        assert found["women"][0] > SIGMAS * found["women"][1]


def test_the_truth_counts_the_persons_observed_in_each_month(large):
    rows = persons_of(large)
    known = large.extract.truth.effects
    for month in (12, 18, 24):
        seen = (rows["offered"] + pd.DateOffset(months=month) <= EXTRACT).sum()
        of_month = known[(known["outcome"] == "work") & (known["month"] == month)]
        assert of_month.set_index("group")["n"]["all"] == seen
    assert set(known["month"]) == set(MONTHS)
    assert set(known["group"]) == set(GROUPS)


def test_the_income_is_found_again_in_the_raw_files(large):
    rows = persons_of(large)
    incomes = text(large.raw, "incomes")
    incomes["person"] = owner(large.raw, incomes["person"])
    incomes["amount"] = pd.to_numeric(incomes["amount"].str.replace(",", "."))
    period = (rows["offered"].dt.to_period("M") + 12).astype(str)
    paid = rows[["person"]].assign(period=period).merge(incomes, how="left")["amount"].fillna(0)
    effect, error = estimate(rows, paid.set_axis(rows.index))
    known = large.extract.truth.effect("income", 12, "all")
    assert effect == pytest.approx(known, abs=SIGMAS * error)
    assert effect > SIGMAS * error


def test_takeup_by_gender_is_what_was_drawn_from(large):
    takeup = large.extract.truth.takeup.set_index("group")
    rows = persons_of(large)
    took = (rows["attended"] == "ja")[rows["treated"]]
    woman = rows["woman"][rows["treated"]]
    for group, chosen, chance in (("women", woman, 0.58), ("men", ~woman, 0.66)):
        assert takeup["share"][group] == took[chosen].mean()
        assert takeup["chance"][group] == chance
        assert took[chosen].mean() == pytest.approx(chance, abs=0.02)
    assert takeup["share"]["women-men"] == pytest.approx(
        takeup["share"]["women"] - takeup["share"]["men"]
    )


def test_the_dose_by_gender_and_arm_is_found_again(large):
    rows = persons_of(large)
    activities = table(large.raw, "activities")
    activities["person"] = owner(large.raw, activities["person"])
    joined = activities.merge(rows[["person", "offered", "woman", "treated"]])
    dose = large.extract.truth.dose
    for month in (1, 3, 9):
        first = joined["offered"] + pd.DateOffset(months=month - 1)
        last = joined["offered"] + pd.DateOffset(months=month)
        here = joined[(joined["date"] >= first) & (joined["date"] < last)]
        count = here.groupby(["kind", "woman", "treated"]).size()
        persons = rows.groupby(["woman", "treated"]).size()
        for (kind, woman, treated), n in count.items():
            known = dose[
                (dose["kind"] == {"M1": "meetings", "H1": "referrals", "U1": "training_days"}[kind])
                & (dose["month"] == month)
                & (dose["arm"] == str(int(treated)))
                & (dose["group"] == ("women" if woman else "men"))
            ]["mean"].item()
            size = persons[woman, treated]
            # Counts of a mixture of two rates: its variance is at most the mean and its square.
            error = np.sqrt((known + known**2) / size)
            assert n / size == pytest.approx(known, abs=SIGMAS * error), (kind, month)
    meetings = dose[(dose["kind"] == "meetings") & (dose["month"] == 0)]
    mean = meetings.set_index(["arm", "group"])["mean"]
    assert mean["0", "men"] > mean["0", "women"]
    assert mean["1", "women"] - mean["0", "women"] > 2


def test_the_truth_does_not_change_with_what_is_planted(tmp_path):
    sound, faulty = (extract(tmp_path / name, 400, 3, name).truth for name in ("none", "counted"))
    pd.testing.assert_frame_equal(sound.effects, faulty.effects)
    assert sound.planted == {}
    assert len(faulty.planted) == 45
