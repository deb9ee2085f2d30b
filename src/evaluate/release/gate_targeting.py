"""The release gate of rules of targeting, of the policy tree, and of the curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import ALL, GAP, MEN, WOMEN, Cells, add_indicator
from evaluate.release.gate_elsewhere import Elsewhere, Place, place_of
from evaluate.release.gate_gap import EVEN, Why, is_few
from evaluate.release.gate_overlap import source_of
from evaluate.release.gate_sorted import women_in_order

INF = float("inf")
BY_GENDER = ("share_treated_women", "share_treated_men", "women_among_treated")
OF_COST = ("cost_difference", "net_gain", "net_low", "net_high", "cost_per_unit", "cost")
NODE_GENDER = ("share_women", "n_women", "n_men")
PREDICTED, HIGHEST = "predicted", "highest_predicted"
# rules whose shares follow from how many women and men there are, and how many have a place
OF_NOBODY = ("everyone", "no_one", "present", WOMEN, MEN)


def gate_policies(
    table: pd.DataFrame, tree: pd.DataFrame | None, known: Elsewhere, min_cell: int
) -> tuple[Why, Why, Why]:
    """Return the rows to empty whole, those without shares by gender, and those without costs.

    A share times the women of the study is how many of them a rule would give a place, and the
    others have none. Rules that are levels of a group share out everybody. Those of all or
    nobody, of a gender, and the present one tell no more than the numbers of women and men do.

    Parameters
    ----------
    table : DataFrame
        As `schemas.POLICIES`.
    tree : DataFrame or None
        As `schemas.POLICY_TREE`, exact: where it does not tell women and men of its branches,
        neither does its rule.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    cells, told = Cells(), {}
    levels: dict[tuple[Place, str, str], dict[int, None]] = {}
    records = table.to_dict("records")
    for i, row in enumerate(records):
        place, policy = place_of(row), str(row["policy"])
        if policy in OF_NOBODY:
            continue
        sizes, ones = {}, {}
        for group, n_column, column in (
            (ALL, "n", "share_treated"),
            (WOMEN, "n_women", "share_treated_women"),
            (MEN, "n_men", "share_treated_men"),
        ):
            if pd.isna(row[n_column]):
                continue
            n = int(row[n_column])
            sizes[group] = cells.add(("n", place, group, n), n, INF)
            if pd.notna(row[column]):
                count = _count(row[column], n)
                key = ("policy", place, policy, group)
                cost = 1e6 if group == ALL else 1.0
                pair = add_indicator(cells, key, n, count, sizes[group], cost + count)
                ones[group] = pair[0]
                told[i, group] = pair
                if "=" in policy:
                    dimension = levels.setdefault((place, policy.split("=")[0], group), {})
                    dimension.setdefault(sizes[group])
                    dimension.setdefault(pair[0])
        cells.relate_groups(sizes, always=True)
        cells.relate_groups(ones, always=True)
    for total, *parts in levels.values():
        cells.relate(total, parts, always=True)
    cells.solve(min_cell)
    whole, gender, costs = _followed(records, known, min_cell)
    no_numbers, no_genders = _untold_trees(tree, known, min_cell)
    for i, row in enumerate(records):
        if pd.notna(row["splits"]):
            continue  # of persons drawn at random, and of other trees
        if (place_of(row), str(row["policy"])) in no_numbers:
            whole.setdefault(i, False)
        if (place_of(row), str(row["policy"])) in no_genders:
            gender.setdefault(i, False)
    for (i, group), pair in told.items():
        if cells.any_hidden(pair):
            chosen = whole if group == ALL else gender
            chosen[i] = chosen.get(i, False) or cells.any_small(pair)
    return whole, _without(gender, whole), _without(costs, whole)


def _followed(
    records: list[dict[Any, Any]], known: Elsewhere, min_cell: int
) -> tuple[Why, Why, Why]:
    """Return the rows that other tables empty: whole, of shares by gender, and of costs."""
    whole: Why = {}
    gender: Why = {}
    costs: Why = {}
    for i, row in enumerate(records):
        policy, arm = str(row.get("policy", "")), str(row["arm"])
        if is_few(row["n"], min_cell):
            whole[i] = True
        elif known.withheld(row, ALL, *((policy,) if "=" in policy else ())) or (
            policy in (WOMEN, MEN) and known.withheld(row, WOMEN, MEN)
        ):
            whole[i] = False
        if known.withheld(row, WOMEN, MEN, GAP) or (arm, source_of(policy)) in known.covariates:
            gender[i] = False
        if arm in known.costs:
            costs[i] = False
    return whole, gender, costs


def _untold_trees(
    tree: pd.DataFrame | None, known: Elsewhere, min_cell: int
) -> tuple[set[tuple[Place, str]], ...]:
    """Return the trees that do not tell all numbers of persons, and those of women and men."""
    if tree is None or tree.empty:
        return set(), set()
    records = tree.to_dict("records")
    return tuple(
        {(place_of(records[i]), str(records[i]["tree"])) for i in why}
        for why in gate_tree(tree, known, min_cell)
    )


def _without(why: Why, others: Why) -> Why:
    return {i: small for i, small in why.items() if i not in others}


def _count(share: Any, n: int) -> int:
    """Return the persons behind a share; a median over splits is of somebody, or lacks somebody."""
    count = round(float(share) * n)
    if count == 0 and share * n > EVEN:
        return 1
    return n - 1 if count == n and (1 - share) * n > EVEN else count


def gate_tree(table: pd.DataFrame, known: Elsewhere, min_cell: int) -> tuple[Why, Why]:
    """Return the nodes to empty whole, and those without numbers of women and men.

    Where a node has few persons, or the tree divides by a covariate with few of a value in the
    balance, none but the root tells any; where a node has few women or men, none but the root
    tells these. Other tables may tell how many are in some of the branches.

    Parameters
    ----------
    table : DataFrame
        As `schemas.POLICY_TREE`.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    records = table.to_dict("records")
    whole: Why = {}
    gender: Why = {}
    few_persons, few_of_gender = set(), set()
    for row in records:
        tree = (place_of(row), str(row["tree"]))
        covariate = source_of(str(row["covariate"] or ""))
        if is_few(row["n"], min_cell) or (str(row["arm"]), covariate) in known.covariates:
            few_persons.add(tree)
        if is_few(row["n_women"], min_cell) or is_few(row["n_men"], min_cell):
            few_of_gender.add(tree)
    for i, row in enumerate(records):
        tree = (place_of(row), str(row["tree"]))
        counts = [row["n_women"], row["n_men"]]
        if known.withheld(row, ALL) or (tree in few_persons and row["node"] != 0):
            whole[i] = is_few(row["n"], min_cell)
        elif is_few(row["n"], min_cell):
            whole[i] = True
        elif (tree in few_of_gender and row["node"] != 0) or any(
            is_few(n, min_cell) for n in counts
        ):
            gender[i] = any(is_few(n, min_cell) for n in counts)
        elif known.withheld(row, WOMEN, MEN, GAP):
            gender[i] = False
    return whole, gender


def gate_curve(
    table: pd.DataFrame,
    beside: Mapping[str, pd.DataFrame],
    known: Elsewhere,
    min_cell: int,
) -> tuple[Why, Why, Why]:
    """Return the points to empty whole, those without the share of women, and those without costs.

    A point is empty where few have a place, or few have none. The share of women is shown where
    nobody or many, women and men, come in between it and any other point that shows it, from
    everybody down; those that sorted groups and the rule of the same order tell come before.

    Parameters
    ----------
    table : DataFrame
        As `schemas.TARGETING_CURVE`.
    beside : mapping of str to DataFrame
        The exact tables.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    records = table.to_dict("records")
    whole, gender, costs = _followed(records, known, min_cell)
    lines: dict[tuple[Place, str], list[int]] = {}
    for i, row in enumerate(records):
        if pd.isna(row["share"]) or pd.isna(row["n"]):
            continue
        placed = float(row["share"]) * int(row["n"])
        if is_few(placed, min_cell) or is_few(int(row["n"]) - placed, min_cell):
            whole.setdefault(i, True)
        if str(row["order"]).startswith(PREDICTED) and pd.notna(row["women_among_treated"]):
            lines.setdefault((place_of(row), str(row["order"])), []).append(i)
    before = _points_told(beside, known, min_cell)
    for (place, order), points in lines.items():
        shown = [(0.0, 0.0), *before.get((place, order), [])]
        for i in sorted(points, key=lambda i: -records[i]["share"]):
            now = _women_and_men(records[i])
            few = any(
                is_few(abs(a - b), min_cell)
                for other in shown
                for a, b in zip(now, other, strict=True)
            )
            if few:
                gender.setdefault(i, any(is_few(a, min_cell) for a in now))
            elif i not in whole:
                shown.append(now)
    return whole, _without(gender, whole), _without(costs, whole)


def _points_told(
    tables: Mapping[str, pd.DataFrame], known: Elsewhere, min_cell: int
) -> dict[tuple[Place, str], list[tuple[float, float]]]:
    """Return the women and men who come first, where other tables of the same order tell them."""
    found: dict[tuple[Place, str], list[tuple[float, float]]] = {}
    policies, groups = tables.get("policies"), tables.get("sorted_groups")
    if policies is not None and len(policies):
        whole, gender, _ = gate_policies(policies, tables.get("policy_tree"), known, min_cell)
        for i, row in enumerate(policies.to_dict("records")):
            counts = [row["share_treated_women"], row["share_treated_men"], row["n"]]
            order = str(row["policy"]).replace(HIGHEST, PREDICTED)
            other = order == row["policy"]
            if other or i in whole or i in gender or pd.isna(counts).any():
                continue
            women, men = (float(row[f"share_treated_{g}"]) * row[f"n_{g}"] for g in (WOMEN, MEN))
            found.setdefault((place_of(row), order), []).append((women, men))
    if groups is not None and len(groups):
        for place, points in women_in_order(groups, known, min_cell).items():
            found.setdefault((place, PREDICTED), []).extend(points)
    return found


def _women_and_men(row: Mapping[Any, Any]) -> tuple[float, float]:
    placed = float(row["share"]) * int(row["n"])
    women = float(row["women_among_treated"]) * placed
    return women, placed - women
