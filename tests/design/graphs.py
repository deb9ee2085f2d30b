"""Plans with causal graphs, and simulated persons of them; no person is real."""

import networkx as nx
import numpy as np
import pandas as pd
from hypothesis import strategies as st
from scipy.special import expit

from evaluate.plan.model import Plan
from evaluate.study import Study

GENDER = {"column": "sex", "women": "F", "men": "M"}
CONFOUNDED = [
    ["age", "treatment"], ["age", "work"], ["gender", "treatment"], ["gender", "work"],
    ["age", "education"], ["education", "work"], ["treatment", "work"],
]  # fmt: skip


def plan_of(edges, covariates=(), *, columns=None, **sections):
    """Return the plan of an observational study with a graph."""
    outcomes = {"work": {"column": "w", "unit": "share", "role": "primary"}}
    stated = {
        "title": {"en": "Simulated", "sv": "Simulerat"},
        "simulated": True,
        "design": "observational",
        "data": {"participants": {"path": "p.csv"}},
        "columns": {"treatment": {"column": "treat", "control": 0}, "gender": GENDER}
        | (columns or {}),
        "covariates": list(covariates),
        "outcomes": outcomes,
        "graph": {"edges": edges},
    }
    stated |= sections
    return Plan.model_validate({k: v for k, v in stated.items() if v is not None})


def study_of(plan, frame, cluster=None, weight=None):
    """Return a study from columns by the names of the nodes; gender is 1 for men."""
    n = len(frame)
    groups = {"all": np.ones(n, dtype=bool)}
    if plan.columns.both_genders:
        men = frame["gender"].to_numpy() == 1 if "gender" in frame else np.arange(n) % 2 == 0
        groups |= {"women": ~men, "men": men}
    for name in plan.groups:
        levels = sorted(frame[name].dropna().unique())
        groups |= {f"{name}={v}": (frame[name] == v).to_numpy() for v in levels}
    return Study(
        arms=("0", "1"),
        arm=frame["treatment"].to_numpy().astype(int),
        block=None,
        block_names=(),
        weight=weight,
        takeup=None,
        cost=None,
        share=None,
        covariates=frame[[c.column for c in plan.covariate_list]],
        baselines=pd.DataFrame(
            {k: frame[o.baseline] for k, o in plan.outcomes.items() if o.baseline}
        ),
        groups=groups,
        y=np.column_stack([frame[c.outcome] for c in plan.outcome_columns]).astype(float),
        cluster=cluster,
    )


def confounded(n, seed=1):
    """Draw persons as `CONFOUNDED` has them."""
    rng = np.random.default_rng(seed)
    age, gender = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    education = np.exp(0.5 * age + rng.normal(size=n))
    treatment = rng.random(n) < expit(age + 0.5 * gender)
    work = rng.random(n) < expit(age + np.log(education) + gender + treatment - 1)
    columns = {"age": age, "gender": gender, "education": education}
    return pd.DataFrame(columns | {"treatment": treatment, "work": work}).astype(float)


def networkx_graph(edges):
    """Return the graph of some edges for networkx."""
    graph = nx.DiGraph()
    graph.add_edges_from(map(tuple, edges))
    return graph


@st.composite
def acyclic(draw, low=3, high=7):
    """Draw the edges of a graph without circles, and its nodes in an order that fits them."""
    count = draw(st.integers(low, high))
    nodes = [f"v{i}" for i in range(count)]
    pairs = [(a, b) for i, a in enumerate(nodes) for b in nodes[i + 1 :]]
    edges = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    return nodes, edges
