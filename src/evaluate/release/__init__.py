"""Between person-level files and published ones: disclosure control, provenance, verification."""

RELEASED = (
    "flow", "cleaning", "design_checks", "balance", "dose", "states", "effects",
    "participation", "compliers", "paths", "incidence", "bounds", "heterogeneity", "power",
    "spillovers", "net_effects", "costs", "costs_by_site", "staff_hours",
    "cost_effectiveness", "acceptability", "cost_benefit", "accounts", "cost_sensitivity",
    "propensity_models", "overlap",
    "propensity_histogram", "population", "graph", "event_study", "sensitivity", "refutations",
    "specifications", "verdict", "gap", "conditional_effects", "heterogeneity_tests",
    "sorted_groups", "sorted_profile", "effect_distribution", "policies", "policy_tree",
    "targeting_curve", "cheers",
)  # fmt: skip
