"""Between person-level files and published ones: disclosure control, provenance, verification."""

RELEASED = (
    "flow", "design_checks", "balance", "effects", "heterogeneity", "costs", "cost_effectiveness",
)  # fmt: skip
