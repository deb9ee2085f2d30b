"""Between person-level files and published ones: disclosure control, provenance, verification."""

RELEASED = (
    "flow", "cleaning", "design_checks", "balance", "dose", "states", "effects",
    "participation", "compliers", "paths", "incidence", "bounds", "heterogeneity", "power",
    "spillovers", "net_effects", "costs", "cost_effectiveness",
)  # fmt: skip
