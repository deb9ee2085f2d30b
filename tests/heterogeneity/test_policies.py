"""What rules are worth: against R, and what must hold of any rule."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.policies import Policy, policy_rows
from evaluate.heterogeneity.policy_values import (
    COST,
    EFFECT,
    NET,
    PLACES,
    Places,
    amounts,
    first,
    of_rows,
    present,
    rationed,
    valued,
)
from evaluate.heterogeneity.targeting_costs import Money
from evaluate.notes import note

from .policy_cases import REFERENCE, persons
from .simulated import signals

RTOL = 1e-9  # R factors the design, here are sums
SEEDS = st.integers(0, 2**32 - 1)
TERMS = {"gain": EFFECT, "cost": COST, "net": NET}


def rules(case, predicted, capacity=0.4):
    mass = case.weight * case.share
    place, margin = first(predicted, mass, capacity)
    return {
        "everyone": Places(np.ones(case.m)),
        "women": Places(case.groups["women"].astype(float)),
        "few women": rationed(case.groups["women"], mass, 0.3),
        "first": Places(place, np.zeros(case.m, dtype=int), margin),
        "no_one": Places(np.zeros(case.m)),
    }


def reference():
    return pd.read_csv(REFERENCE / "policy_values.csv").set_index(["case", "term"])


@pytest.mark.parametrize("case_name", reference().index.levels[0])
def test_values_and_errors_are_those_of_r(case_name):
    table = reference().loc[case_name]
    words = case_name.removesuffix(" clustered").split(" ")
    estimand, rule, against = words[0], " ".join(words[1:-1]), words[-1]
    case, money, predicted = persons(estimand, case_name.endswith("clustered"))
    amount = amounts(case, money)
    one, other = (
        valued(case, amount, np.arange(case.m), rules(case, predicted)[name])
        for name in (rule, against)
    )
    value, scores = one.minus(other)
    for term, column in TERMS.items():
        assert_allclose(value[column], table.loc[term, "estimate"], rtol=RTOL)
        error = np.sqrt((scores[:, column] ** 2).sum())
        assert_allclose(error, table.loc[term, "std_error"], rtol=RTOL)


def drawn(seed, clustered=False, att=False, n=200):
    case = signals(n, seed, lambda x: 0.4 * x[:, 0], weighted=True, clusters=30 * clustered)
    if att:
        case = replace(case, estimand="att", share=case.treated.astype(float))
    return case


def value_of(case, places):
    return valued(case, amounts(case, None), np.arange(case.m), places)


@given(seed=SEEDS, clustered=st.booleans(), att=st.booleans())
@settings(max_examples=20, deadline=None)
def test_everyone_is_the_average_and_women_and_men_are_everyone(seed, clustered, att):
    case = drawn(seed, clustered, att)
    everyone = value_of(case, Places(np.ones(case.m)))
    average = case.average()
    assert_allclose(everyone.value[EFFECT], average.value[0], rtol=RTOL)
    error = np.sqrt((everyone.scores[:, EFFECT] ** 2).sum())
    assert_allclose(error, average.std_error[0], rtol=RTOL)
    women, men = (value_of(case, Places(case.groups[g].astype(float))) for g in ("women", "men"))
    assert_allclose(women.value + men.value, everyone.value, rtol=RTOL, atol=1e-12)
    assert_allclose(women.scores + men.scores, everyone.scores, atol=1e-12)
    assert_allclose(women.share[0] + men.share[0], 1)


@given(seed=SEEDS, capacity=st.floats(0.01, 1), ties=st.booleans(), att=st.booleans())
@settings(max_examples=40, deadline=None)
def test_places_are_never_more_than_there_are_and_none_is_left(seed, capacity, ties, att):
    case = drawn(seed, att=att)
    effect = np.round(case.x[:, 0], 0 if ties else 12)
    mass = case.weight * case.share
    place, margin = first(effect, mass, capacity)
    assert_allclose(mass @ place, capacity * mass.sum())
    for i in np.flatnonzero((place > 0) & (place < 1)):
        assert margin[i]
        assert (place[effect > effect[i]] == 1).all()
        assert (place[effect < effect[i]] == 0).all()
        assert_allclose(place[effect == effect[i]], place[i])
    women = rationed(case.groups["women"], mass, capacity)
    assert mass @ women.place <= capacity * mass.sum() * (1 + RTOL)
    assert (women.place[case.groups["men"]] == 0).all()


def test_places_by_lot_are_worth_the_average():
    case = drawn(1)
    everyone = value_of(case, Places(np.ones(case.m)))
    part = value_of(case, rationed(case.groups["all"], case.weight, 0.3))
    assert_allclose(part.value, 0.3 * everyone.value)
    assert_allclose(part.scores, 0.3 * everyone.scores, atol=1e-12)
    other = value_of(case, Places(case.groups["women"] * 1.0)).at_random(everyone)
    share = case.weight @ case.groups["women"] / case.weight.sum()
    assert_allclose(other.value, share * everyone.value)


@pytest.mark.parametrize("att", [False, True])
@pytest.mark.parametrize("kind", ["women", "few women", "at random", "present"])
def test_scores_are_what_a_persons_weight_moves(kind, att):
    """As of the infinitesimal jackknife: derivatives by the logarithm of each weight."""
    case = drawn(7, att=att, n=40)

    def value(case):
        members = case.groups["women"]
        if kind == "present":
            return value_of(case, present(case, amounts(case, None), None, None))
        if kind == "few women":
            return value_of(case, rationed(members, case.weight * case.share, 0.1))
        women = value_of(case, Places(members.astype(float)))
        everyone = value_of(case, Places(np.ones(case.m)))
        return women.at_random(everyone) if kind == "at random" else women

    step = 1e-6
    for i in range(0, case.m, 7):
        moved = [case.weight * np.exp(s * step * (np.arange(case.m) == i)) for s in (1, -1)]
        up, down = (value(replace(case, weight=w)).value for w in moved)
        assert_allclose(value(case).scores[i], (up - down) / (2 * step), rtol=1e-5, atol=1e-9)


def test_a_fixed_number_of_places_at_a_fixed_cost_has_a_cost_without_error():
    case = drawn(2)
    amount = amounts(case, Money("SEK", 30 * case.share, None))
    mass = case.weight * case.share
    for places in (
        rationed(case.groups["women"], mass, 0.2),
        Places(*_limited(first(case.x[:, 0], mass, 0.25), case.m)),
    ):
        found = valued(case, amount, np.arange(case.m), places)
        assert_allclose(found.scores[:, [PLACES, COST]], 0, atol=1e-12)
        assert_allclose(found.value[COST], 30 * found.value[PLACES])


def _limited(found, m):
    return found[0], np.zeros(m, dtype=int), found[1]


def test_present_places_of_a_lottery_are_as_many_at_random():
    case = drawn(3)
    now = present(case, amounts(case, None), None, None)
    assert_allclose(value_of(case, now).value, 0.5 * value_of(case, Places(np.ones(case.m))).value)


def test_present_places_of_the_treated_are_everybodys():
    case = drawn(3, att=True)
    assert (present(case, amounts(case, None), None, None).place == 1).all()


def test_present_places_without_a_lottery_hold_for_a_known_truth():
    """Those with a greater effect are treated more often: places are worth more than at random."""
    inside, sharper, rng = 0, 0, np.random.default_rng(1)
    trials, n = 300, 400
    for _ in range(trials):
        x = rng.normal(size=n)
        m = 1 / (1 + np.exp(-x))
        treated, tau = rng.random(n) < m, 1 + x
        y = treated * tau + rng.normal(size=n)
        estimated = m + rng.normal(0, 0.02) * m * (1 - m) * x  # as a model of x would err
        t = treated.astype(float)
        signal = tau + (t / estimated - (1 - t) / (1 - estimated)) * (y - t * tau)
        base = drawn(1, n=n)
        case = replace(
            base, estimand="ate", treated=treated, y=y, signal=signal,
            treatment_residual=t - estimated, weight=np.ones(n),
        )  # fmt: skip
        honest = Honest("linear", np.ones((1, n), dtype=int), tau[None])
        amount = amounts(case, None)
        found = value_of(case, present(case, amount, None, honest))
        error = np.sqrt((found.scores[:, EFFECT] ** 2).sum())
        assert_allclose(found.value[PLACES], treated.mean())
        plain = value_of(case, Places(t))
        sharper += error < np.sqrt((plain.scores[:, EFFECT] ** 2).sum())
        truth = 0.5 + 0.20662  # E[m (1 + x)], x normal
        inside += abs(found.value[EFFECT] - truth) < 1.96 * error
    assert sharper > 0.9 * trials
    assert abs(inside / trials - 0.95) < 4 * np.sqrt(0.05 * 0.95 / trials)


def rows_of(case, policies, money=None, capacity=0.4):
    amount = amounts(case, money)
    now = present(case, amount, money, None)
    table = policy_rows(case, amount, policies, now, money, capacity, 0.95)
    return pd.DataFrame(table).set_index(["policy", "against"])


def fixed(name, case, places, rows=None):
    rows = np.arange(case.m) if rows is None else rows
    return Policy(name, False, lambda _: (rows, of_rows(places, rows)))


def test_rows_add_up():
    case = drawn(4)
    money = Money("SEK", 3 + case.x[:, 1], 10.0)
    women = Places(case.groups["women"].astype(float))
    everyone = Places(np.ones(case.m))
    table = rows_of(case, [fixed("everyone", case, everyone), fixed("women", case, women)], money)
    assert ("everyone", "everyone") not in table.index
    assert ("everyone", "random") not in table.index
    gain = table["gain"]
    assert_allclose(gain["women", "no_one"] - gain["women", "everyone"], gain["everyone", "no_one"])
    assert_allclose(table["net_gain"], 10 * table["gain"] - table["cost_difference"])
    assert (table["net_low"] < table["net_gain"]).all()
    row = table.loc["women", "no_one"]
    assert_allclose(row[["share_treated_women", "share_treated_men"]].astype(float), [1, 0])
    assert (row["women_among_treated"], row["n"]) == (1, case.m)
    assert row["n_women"] + row["n_men"] == row["n"]


@pytest.mark.parametrize(
    ("cost", "effect", "told"),
    [
        (3.0, 0.0, "policy_no_ratio"), (3.0, 2.0, None), (-3.0, 2.0, "policy_better"),
        (3.0, -2.0, "policy_worse"), (-3.0, -2.0, "policy_saved"),
    ],
)  # fmt: skip
def test_a_cost_per_unit_needs_a_gain_and_a_price(cost, effect, told):
    case = signals(400, 9, lambda x: np.full(len(x), effect))
    table = rows_of(
        case,
        [fixed("everyone", case, Places(np.ones(case.m)))],
        Money("SEK", cost * case.share, None),
    )
    row = table.loc["everyone", "no_one"]
    priced = told in (None, "policy_saved")
    assert pd.isna(row.get("cost_per_unit")) != priced
    assert row["note"] == (note(told) if told else "")
    assert pd.isna(row["value_of_unit"])
    assert "net_gain" not in table
    if priced:
        assert_allclose(row["cost_per_unit"], cost / row["gain"])


def test_as_many_places_at_the_same_price_cost_no_more():
    case = signals(400, 9, lambda x: 2 * (x[:, -1] == 0))
    women = Places(case.groups["women"].astype(float))
    money = Money("SEK", 24_601.7 * case.share, None)
    row = rows_of(case, [fixed("women", case, women)], money).loc["women", "random"]
    assert row["cost_difference"] == 0
    assert row["note"] == note("policy_better")


def test_the_same_places_have_no_interval():
    case = drawn(3, att=True)
    table = rows_of(case, [fixed("present", case, Places(np.ones(case.m)))])
    row = table.loc["present", "everyone"]
    assert row["gain"] == 0
    assert pd.isna(row["std_error"])
    assert note("policy_same") in row["note"]


def test_splits_have_medians():
    case = drawn(5)
    parts = np.random.default_rng(1).permutation(case.m).reshape(4, -1)
    women = Places(case.groups["women"].astype(float))
    learned = Policy("tree", True, lambda s: (parts[s], of_rows(women, parts[s])), splits=3)
    row = rows_of(case, [learned]).loc["tree", "no_one"]
    each = [valued(case, amounts(case, None), parts[s], of_rows(women, parts[s])) for s in range(3)]
    gains = [e.value[EFFECT] for e in each]
    assert_allclose(row["gain"], np.median(gains))
    spread = [(e.scores[:, EFFECT] ** 2).sum() + (g - np.median(gains)) ** 2
              for e, g in zip(each, gains, strict=True)]  # fmt: skip
    assert_allclose(row["std_error"], np.sqrt(np.median(spread)))
    assert (row["splits"], row["n"]) == (3, case.m // 4)


def test_a_study_of_one_gender_has_no_places_by_gender():
    case = drawn(6)
    case = replace(case, groups={"all": case.groups["all"]})
    row = rows_of(case, [fixed("everyone", case, Places(np.ones(case.m)))]).loc[
        "everyone", "no_one"
    ]
    assert pd.isna(row[["share_treated_women", "women_among_treated", "n_women"]]).all()
