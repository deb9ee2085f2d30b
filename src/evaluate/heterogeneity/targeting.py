"""Who should be offered a place: rules that are simple or learned, judged on other persons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.heterogeneity.honest import Honest, honest_effects
from evaluate.heterogeneity.policies import Judged, Policy, policy_rows
from evaluate.heterogeneity.policy_tree import (
    LEAST,
    PART,
    Tree,
    cuts_of,
    learned_tree,
    tree_rows,
)
from evaluate.heterogeneity.policy_values import (
    Places,
    amounts,
    first,
    of_rows,
    present,
    rationed,
)
from evaluate.heterogeneity.signals import Signals
from evaluate.heterogeneity.targeting_costs import Money, money_of
from evaluate.heterogeneity.targeting_curve import curve_rows
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.seeds import generator
from evaluate.study import Study

Row = dict[str, object]

TREE_SPLITS = 5  # in which trees are learned and judged
JUDGED = 4_000_000  # persons, times splits, in which predictions are judged; three splits at least
FEWEST = 2  # of an arm in a group, below which a rule for it is not valued
TREES = ("tree", "tree_without_gender")
NAMES = ("highest_predicted", "highest_predicted_without_gender")
ORDERS = ("predicted", "predicted_without_gender")


@dataclass(frozen=True)
class Targeting:
    """Rows of `schemas.POLICIES`, `POLICY_TREE` and `TARGETING_CURVE`."""

    policies: list[Row]
    tree: list[Row]
    curve: list[Row]


@dataclass(frozen=True)
class _Case:
    """What all rules of a case rest on."""

    plan: Plan
    case: Signals
    amount: np.ndarray
    money: Money | None
    capacity: float
    seed: int

    @property
    def mass(self) -> np.ndarray:
        return self.case.weight * self.case.share

    @property
    def nets(self) -> bool:
        """Whether rules maximise value less cost; else the outcome."""
        return self.money is not None and self.money.value is not None

    @property
    def reward(self) -> np.ndarray:
        """What a place adds, as rules are to maximise it."""
        return self.amount[:, -1] if self.nets else self.case.signal


def targeting_rows(
    plan: Plan,
    study: Study,
    case: Signals,
    honest: Honest | None,
    seed: int,
    records: pd.DataFrame | None = None,
) -> Targeting:
    """Value rules of who is offered a place, out of sample and net of cost.

    Parameters
    ----------
    plan, study : Plan, Study
        The programme file, with capacity, value of a unit and costs; the persons, for costs.
    case : Signals
        Those of one outcome and contrast, more of which is better (else `Signals.turned`).
    honest : Honest or None
        Predicted effects of the learner that leads; None where nothing could be learned: rules
        that are learned then have a row that says so.
    seed : int
        Of what is drawn.
    records : DataFrame, optional
        As `schemas.COST_RECORDS`, where the plan's costs are those of the table `costs`.

    Returns
    -------
    Targeting
        Columns of the schemas but outcome, month, arm and unit. Rules that were learned are
        those of the folds before a person's, see `Honest`; their values are over the persons of
        the other folds. A rule's name is kept where it cannot be valued, with a note.

    References
    ----------
    Athey and Wager (2021), Policy learning with observational data, Econometrica 89(1); Luedtke
    and van der Laan (2016), Statistical inference for the mean outcome under a possibly
    non-unique optimal treatment strategy, Annals of Statistics 44(2).
    """
    fold = honest.fold[0] if honest else np.zeros(case.m, dtype=int)
    found = money_of(study, plan, case, fold, records)
    money = None if isinstance(found, str) else found
    amount = amounts(case, money)
    now = present(case, amount, money, honest)
    mass = case.weight * case.share
    stated = plan.analysis.targeting.capacity
    capacity = float(stated if stated is not None else min(mass @ now.place / mass.sum(), 1))
    one = _Case(plan, case, amount, money, capacity, seed)
    rules, empty = _simple(one, now)
    trees: list[Row] = []
    predicted: dict[str, Honest] = {}
    names = [(True, *n) for n in zip(NAMES[:1], TREES[:1], ORDERS[:1], strict=True)]
    if case.both_genders:
        names.append((False, NAMES[1], TREES[1], ORDERS[1]))
    for uses_gender, name, tree, order in names:
        if honest is None or honest.fold.max() == 0:
            empty |= dict.fromkeys((name, tree), note("policy_unlearned"))
            continue
        known = _known(plan, case, uses_gender)
        predicted[order] = again = _predictions(plan, case, known, honest, seed)
        rules.append(_by_prediction(one, name, uses_gender, again))
        learned, drawn = _by_tree(one, tree, uses_gender, known, honest)
        trees += drawn
        if learned is None:
            empty[tree] = note("policy_unlearned")
        else:
            rules.append(learned)
    level = plan.analysis.level
    table = policy_rows(case, amount, rules, now, money, capacity, level)
    table += [_empty(name, why, capacity, level, case) for name, why in empty.items()]
    if isinstance(found, str) or found.notes:
        said = [found] if isinstance(found, str) else list(found.notes)
        for row in table:
            row["note"] = joined([n for n in (str(row["note"]), *said) if n])
    splits = _splits(case)
    return Targeting(table, trees, curve_rows(case, amount, predicted, splits, money, level))


def _splits(case: Signals) -> int:
    return max(3, JUDGED // max(case.m, 1))


def _known(plan: Plan, case: Signals, uses_gender: bool) -> Signals:
    """Return the case with the covariates that a rule may go by."""
    named = plan.analysis.targeting.covariates
    keep = case.is_man & uses_gender
    keep |= ~case.is_man & np.array([named is None or s in named for s in case.sources], dtype=bool)
    if keep.all():
        return case
    columns = np.flatnonzero(keep)
    return replace(
        case,
        x=case.x[:, columns],
        names=tuple(case.names[j] for j in columns),
        sources=tuple(case.sources[j] for j in columns),
    )


def _predictions(plan: Plan, case: Signals, known: Signals, honest: Honest, seed: int) -> Honest:
    """Learn again where a rule knows less than the learner did."""
    if known is case or (not known.x.shape[1] and not case.x.shape[1]):
        return honest
    from evaluate.heterogeneity.learners import learners_of

    learn = learners_of(plan)[honest.learner]
    fold = honest.fold if hasattr(learn, "along") else honest.fold[:TREE_SPLITS]
    fold = fold[: _splits(case)]
    return honest_effects(known, honest.learner, learn, fold, seed)


def _simple(one: _Case, now: Places) -> tuple[list[Policy], dict[str, str]]:
    """Return rules that were not learned, and those that cannot be valued with the reason."""
    case, mass = one.case, one.mass
    everybody = np.arange(case.m)

    def fixed(name: str, uses_gender: bool, places: Places, *notes: str) -> Policy:
        return Policy(name, uses_gender, lambda _: (everybody, places), 0, notes)

    said = {"att": "policy_all_treated", "itt": "policy_drawn", "ate": "policy_propensity"}
    over = [note("policy_beyond")] if one.capacity < 1 else []
    rules = [
        fixed("everyone", False, Places(np.ones(case.m)), *over),
        fixed("no_one", False, Places(np.zeros(case.m))),
        fixed("present", False, now, note(said[case.estimand])),
    ]
    empty: dict[str, str] = {}
    genders = ("women", "men") if case.both_genders else ()
    for name in (*genders, *(g for g in case.groups if "=" in g)):
        members = case.groups[name]
        arms = [int((members & arm).sum()) for arm in (case.treated, ~case.treated)]
        if min(arms) < FEWEST or not mass @ members > 0:
            empty[name] = note("few")
            continue
        places = rationed(members, mass, one.capacity)
        notes = [] if places.limit is None else [note("policy_rationed")]
        rules.append(fixed(name, name in genders, places, *notes))
    return rules, empty


def _by_prediction(one: _Case, name: str, uses_gender: bool, honest: Honest) -> Policy:
    case, mass = one.case, one.mass

    def judged(split: int) -> Judged:
        fold, effect = honest.fold[split], honest.effect[split]
        rows = np.flatnonzero(fold > 0)
        place, margin = np.zeros(case.m), np.zeros(case.m, dtype=bool)
        limit = np.full(case.m, -1)
        for k in range(1, int(fold.max()) + 1):
            mine = np.flatnonzero(fold == k)
            if not mass[mine].sum() > 0:
                continue
            place[mine], margin[mine] = first(effect[mine], mass[mine], one.capacity)
            limit[mine] = 0
            if one.money is not None and one.money.value is not None:
                before = fold < k
                cost = case.weight[before] @ one.money.cost[before] / mass[before].sum()
                worth = one.money.value * effect[mine] > cost
                if (place[mine] > 0)[~worth].any():
                    limit[mine] = -1  # not all places are taken
                place[mine] *= worth
        return rows, of_rows(Places(place, limit, margin), rows)

    return Policy(name, uses_gender, judged, min(len(honest.fold), _splits(case)))


def _by_tree(
    one: _Case, name: str, uses_gender: bool, known: Signals, honest: Honest
) -> tuple[Policy | None, list[Row]]:
    """Return the rule that learns a tree, and the tree learned from all persons."""
    case, mass, most = one.case, one.mass, one.plan.analysis.heterogeneity.forest_persons
    cuts = cuts_of(known.x)
    coarse = cuts.coarse(known.x)
    reward = one.reward
    learn = _learning(one, coarse, reward, most)
    splits = min(TREE_SPLITS, len(honest.fold))
    trees: dict[tuple[int, int], Tree] = {}
    price = 0.0
    for s in range(splits):
        fold = honest.fold[s]
        rng = generator(one.seed, name, str(s))
        lot = rng.permutation(case.m)
        for k in range(1, int(fold.max()) + 1):
            found = learn(lot[fold[lot] < k], price)
            if found is None:
                return None, []
            trees[s, k], price = found

    def judged(split: int) -> Judged:
        fold = honest.fold[split]
        rows = np.flatnonzero(fold > 0)
        place, margin = np.zeros(case.m), np.zeros(case.m, dtype=bool)
        limit = np.full(case.m, -1)
        for k in range(1, int(fold.max()) + 1):
            mine = np.flatnonzero(fold == k)
            treats = trees[split, k].treats(coarse[mine])
            if not mass[mine].sum() > 0:
                continue
            given = rationed(treats, mass[mine], one.capacity)
            place[mine] = given.place
            if given.limit is not None:
                limit[mine], margin[mine] = 0, treats
        return rows, of_rows(Places(place, limit, margin), rows)

    notes = [note("policy_tree_leaf", share=round(100 * PART), n=LEAST)]
    if case.m > most:
        notes.append(note("policy_tree_persons", n=most))
    rng = generator(one.seed, name, "all")
    whole = learn(rng.permutation(case.m), 0.0)
    drawn: list[Row] = []
    if whole is not None:
        treated = float(mass @ whole[0].treats(coarse) / mass.sum())
        said = [note("policy_tree_value"), *notes]
        if treated > one.capacity * (1 + 1e-9):
            said.append(note("policy_rationed"))
        drawn = tree_rows(case, name, whole[0], cuts, known.names, coarse, joined(said))
    return Policy(name, uses_gender, judged, splits, tuple(notes)), drawn


def _learning(
    one: _Case, coarse: np.ndarray, reward: np.ndarray, most: int
) -> Callable[[np.ndarray, float], tuple[Tree, float] | None]:
    case, depth = one.case, one.plan.analysis.targeting.depth

    def learn(rows: np.ndarray, price: float) -> tuple[Tree, float] | None:
        rows = np.sort(rows[:most])
        return learned_tree(
            coarse[rows],
            reward[rows],
            case.share[rows],
            case.weight[rows],
            one.capacity,
            depth,
            price,
        )

    return learn


def _empty(name: str, why: str, capacity: float, level: float, case: Signals) -> Row:
    uses = name in (NAMES[0], TREES[0], "women", "men")
    return {
        "policy": name,
        "uses_gender": uses and case.both_genders,
        "against": "no_one",
        "capacity": capacity,
        "level": level,
        "note": why,
    }
