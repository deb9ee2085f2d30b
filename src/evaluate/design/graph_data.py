"""The measured nodes of a graph as columns: what is tested, and what it is regressed on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.design.graph_plan import measured_nodes
from evaluate.design.propensity_models import natural_spline
from evaluate.plan.model import Plan
from evaluate.study import Study

DISCRETE = 25  # different numbers up to which each has a column of its own
MOST_LEVELS = 40  # columns of a category when it is conditioned on; rarer levels are one
MOST_TESTED = 8  # columns of a category when it is tested
KNOTS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)  # quantiles
HEAP = 0.05  # share of persons with one value, such as no earnings, from which it has a column
WIDEST = 4.0  # standard deviations at which a value is held


@dataclass(frozen=True)
class Node:
    """A measured variable of n persons.

    Attributes
    ----------
    tested : ndarray, shape (n, t)
        A number as its rank, between 0 and 1; indicators of the levels of a category, without
        one of them. NaN where missing.
    basis : ndarray, shape (n, q)
        Functions of it on which others are regressed: of a number natural splines and an
        indicator of a value that many have, of a category indicators.
    main : ndarray, shape (n, m)
        The few columns that are multiplied with those of other nodes.
    """

    tested: np.ndarray
    basis: np.ndarray
    main: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Who has a value, shape (n,)."""
        return ~np.isnan(self.tested).any(axis=1)

    def of(self, rows: np.ndarray) -> Node:
        """Return the variable of some persons."""
        return Node(self.tested[rows], self.basis[rows], self.main[rows])


def node_data(study: Study, plan: Plan, rows: np.ndarray, names: list[str]) -> dict[str, Node]:
    """Return those measured nodes that have at least two values.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    rows : ndarray of int
        Places of the persons to take.
    names : list of str
        Nodes of the graph; the unmeasured and clusters are passed over.
    """
    kinds, found = measured_nodes(plan), {}
    for name in names:
        values = _values(study, plan, name, kinds.get(name, ""))
        if values is None:
            continue
        node = number(values[rows]) if values.dtype == float else category(values[rows])
        if node.tested.shape[1]:
            found[name] = node
    return found


def number(x: np.ndarray) -> Node:
    """Return a number as a node.

    Parameters
    ----------
    x : ndarray, shape (n,)
        NaN where missing.
    """
    known = ~np.isnan(x)
    values, counts = np.unique(x[known], return_counts=True)
    if len(values) < 2:
        return Node(*(np.empty((len(x), 0)) for _ in range(3)))
    rank = np.full(len(x), np.nan)
    rank[known] = (stats.rankdata(x[known]) - 0.5) / known.sum()
    if len(values) == 2:
        rank[known] = x[known] == values[1]
    tested = rank[:, None]
    spread = x[known].std() or 1.0
    held = np.clip((x - x[known].mean()) / spread, -WIDEST, WIDEST)
    if len(values) <= DISCRETE:
        levels = values[_frequent(counts, MOST_LEVELS)]
        basis = (x[:, None] == levels).astype(float)
        return Node(tested, _missing(basis, known), held[:, None])
    score = np.full(len(x), np.nan)
    score[known] = stats.norm.ppf(rank[known])
    columns = [held]
    knots = np.unique(np.quantile(score[known], KNOTS))
    columns += [*natural_spline(score, knots).T] if len(knots) >= 3 else [score]
    heap = counts.max() >= HEAP * known.sum()
    top = _missing((x == values[counts.argmax()]).astype(float)[:, None], known)[:, 0]
    columns += [top] if heap else []
    main = [score, top] if heap else [score]
    return Node(tested, np.column_stack(columns), np.column_stack(main))


def category(codes: np.ndarray) -> Node:
    """Return a category as a node.

    Parameters
    ----------
    codes : ndarray of object, shape (n,)
        None or NaN where missing.
    """
    known = ~pd.isna(codes)
    texts = np.where(known, codes.astype(object), "").astype(str)
    levels, counts = np.unique(texts[known], return_counts=True)

    def indicators(most: int) -> np.ndarray:
        kept = levels[_frequent(counts, most)]
        return _missing((texts[:, None] == kept).astype(float), known)

    return Node(indicators(MOST_TESTED), indicators(MOST_LEVELS), indicators(MOST_TESTED))


def standing_column(plan: Plan, outcome: str) -> int:
    """Return the position of the column that stands for an outcome: its primary month, or last."""
    month = plan.outcomes[outcome].standing_month
    columns = [i for i, c in enumerate(plan.outcome_columns) if c.outcome == outcome]
    at = [i for i in columns if plan.outcome_columns[i].month == month]
    return (at or columns[-1:])[0]


def _values(study: Study, plan: Plan, name: str, kind: str) -> np.ndarray | None:
    """Return a node's values, floats or objects, shape (n,); None where the study has none."""
    if kind == "treatment":
        return np.array(study.arms, dtype=object)[study.arm]
    if kind == "gender" and plan.columns.both_genders:
        gender = np.full(study.n, None, dtype=object)
        for label in ("women", "men"):
            gender[study.groups[label]] = label
        return gender
    if kind == "covariate":
        column = study.covariates[name]
        numeric = pd.api.types.is_float_dtype(column)
        return column.to_numpy(dtype=float if numeric else object)
    if kind == "baseline":
        key = next(k for k, o in plan.outcomes.items() if o.baseline == name)
        return study.baselines[key].to_numpy(dtype=float)
    if kind == "group":
        found = np.full(study.n, None, dtype=object)
        for label, rows in study.groups.items():
            if label.startswith(f"{name}="):
                found[rows] = label
        return found
    if kind == "outcome":
        return study.y[:, standing_column(plan, name)]
    return None


def _frequent(counts: np.ndarray, most: int) -> np.ndarray:
    """Return the places of all levels but one, at most so many, the frequent ones, in order."""
    order = np.argsort(-counts, kind="stable")
    return np.sort(order[1 : most + 1]) if len(counts) > 1 else order[:0]


def _missing(columns: np.ndarray, known: np.ndarray) -> np.ndarray:
    return np.where(known[:, None], columns, np.nan)
