"""One schema per file in the flow: its columns, their types, units and bounds.

Columns that a plan names carry its names behind a prefix: ``covariate.age``,
``baseline.hours``, ``group.education``; outcomes are ``hours`` or ``earnings@12``.
"""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import BASES, PAYERS
from evaluate.schemas.costs import (
    ACCEPTABILITY,
    ACCOUNTS,
    CHEERS,
    COST_BENEFIT,
    COST_EFFECTIVENESS,
    COST_PARTS,
    COST_RECORDS,
    COST_SENSITIVITY,
    COSTS,
    COSTS_BY_SITE,
    NO_SITE,
    STAFF_HOURS,
)
from evaluate.schemas.data import CLEANING, DOSE, FLOW, OUTCOMES, PARTICIPANTS, QUARANTINE, STATES
from evaluate.schemas.design import BALANCE, DESIGN_CHECKS, POWER
from evaluate.schemas.effects import (
    BOUNDS,
    COMPLIERS,
    COVARIANCES,
    EFFECTS,
    HETEROGENEITY,
    INCIDENCE,
    NET_EFFECTS,
    PARTICIPATION,
    PATHS,
    SPILLOVERS,
)
from evaluate.schemas.heterogeneity import (
    CONDITIONAL_EFFECTS,
    EFFECT_DISTRIBUTION,
    GAP,
    HETEROGENEITY_TESTS,
    PERSON_SCORES,
    POLICIES,
    POLICY_TREE,
    SORTED_GROUPS,
    SORTED_PROFILE,
    TARGETING_CURVE,
)
from evaluate.schemas.observational import (
    EVENT_STUDY,
    GRAPH,
    OVERLAP,
    POPULATION,
    PROPENSITY,
    PROPENSITY_HISTOGRAM,
    PROPENSITY_MODELS,
    REFUTATIONS,
    SENSITIVITY,
    SPECIFICATIONS,
    VERDICT,
)

__all__ = [
    "ACCEPTABILITY",
    "ACCOUNTS",
    "BALANCE",
    "BASES",
    "BOUNDS",
    "BUILD_ONLY",
    "CHEERS",
    "CLEANING",
    "COMPLIERS",
    "CONDITIONAL_EFFECTS",
    "COSTS",
    "COSTS_BY_SITE",
    "COST_BENEFIT",
    "COST_EFFECTIVENESS",
    "COST_PARTS",
    "COST_RECORDS",
    "COST_SENSITIVITY",
    "COVARIANCES",
    "DESIGN_CHECKS",
    "DOSE",
    "EFFECTS",
    "EFFECT_DISTRIBUTION",
    "EVENT_STUDY",
    "FLOW",
    "GAP",
    "GRAPH",
    "HETEROGENEITY",
    "HETEROGENEITY_TESTS",
    "INCIDENCE",
    "NET_EFFECTS",
    "NO_SITE",
    "OUTCOMES",
    "OVERLAP",
    "PARTICIPANTS",
    "PARTICIPATION",
    "PATHS",
    "PAYERS",
    "PERSON_SCORES",
    "POLICIES",
    "POLICY_TREE",
    "POPULATION",
    "POWER",
    "PROPENSITY",
    "PROPENSITY_HISTOGRAM",
    "PROPENSITY_MODELS",
    "QUARANTINE",
    "REFUTATIONS",
    "SENSITIVITY",
    "SORTED_GROUPS",
    "SORTED_PROFILE",
    "SPECIFICATIONS",
    "SPILLOVERS",
    "STAFF_HOURS",
    "STATES",
    "TARGETING_CURVE",
    "VERDICT",
    "released",
]

BUILD_ONLY = {
    "cleaning": ("persons", "women_persons", "men_persons"),
    "dose": ("n_any",),
    "design_checks": ("least",),
    "paths": ("n_least",),
    "incidence": ("n_entered", "n_competing"),
    "bounds": ("missing_treated", "missing_control"),
    "participation": ("takers_treated", "takers_control"),
    "compliers": tuple(c for c in COMPLIERS.columns if c.endswith(("_treated", "_control"))),
    "spillovers": ("least",),
    "gap": ("least",),
    "sorted_groups": ("least",),
    "sorted_profile": ("least",),
}


def released(name: str) -> pa.DataFrameSchema:
    """Return the schema of a table of `results/`: without what the gate alone may see."""
    schema: pa.DataFrameSchema = globals()[name.upper()]
    return schema.remove_columns([c for c in BUILD_ONLY.get(name, ()) if c in schema.columns])
