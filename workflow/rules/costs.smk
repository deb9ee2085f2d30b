"""
Costs per offer and participant, by site, and per additional unit of an outcome.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES
    build/{programme}/propensity.parquet     schemas.PROPENSITY
    build/{programme}/cost_records.parquet   schemas.COST_RECORDS

OUTPUTS
    build/{programme}/costs.parquet                schemas.COSTS, one row per item and arm
    build/{programme}/costs_by_site.parquet        schemas.COSTS_BY_SITE
    build/{programme}/cost_parts.parquet           schemas.COST_PARTS, for the gate alone
    build/{programme}/cost_effectiveness.parquet   schemas.COST_EFFECTIVENESS
    (all without rows where the plan names no costs)
"""


rule costs:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        records="build/{programme}/cost_records.parquet",
        code=source("costs.py"),
    output:
        costs="build/{programme}/costs.parquet",
        by_site="build/{programme}/costs_by_site.parquet",
        parts="build/{programme}/cost_parts.parquet",
        effectiveness="build/{programme}/cost_effectiveness.parquet",
    log:
        "logs/{programme}/costs.log",
    script:
        "../scripts/costs.py"
