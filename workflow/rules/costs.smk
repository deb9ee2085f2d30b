"""
Costs per offer and participant, by site, and per additional unit of an outcome.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES
    build/{programme}/propensity.parquet     schemas.PROPENSITY
    build/{programme}/cost_records.parquet   schemas.COST_RECORDS
    build/{programme}/heterogeneity.parquet, gap.parquet   whether they have rows

OUTPUTS
    build/{programme}/costs.parquet                schemas.COSTS, one row per item and arm
    build/{programme}/costs_by_site.parquet        schemas.COSTS_BY_SITE
    build/{programme}/cost_parts.parquet           schemas.COST_PARTS, for the gate alone
    build/{programme}/cost_effectiveness.parquet   schemas.COST_EFFECTIVENESS
    build/{programme}/acceptability.parquet        schemas.ACCEPTABILITY, by threshold
    build/{programme}/cheers.parquet               schemas.CHEERS, one row per item of CHEERS 2022
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
        acceptability="build/{programme}/acceptability.parquet",
    log:
        "logs/{programme}/costs.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/costs.py"


rule cheers:
    input:
        plan="config/programmes/{programme}.yaml",
        costs="build/{programme}/costs.parquet",
        cost_effectiveness="build/{programme}/cost_effectiveness.parquet",
        acceptability="build/{programme}/acceptability.parquet",
        heterogeneity="build/{programme}/heterogeneity.parquet",
        gap="build/{programme}/gap.parquet",
        code=source("cheers.py"),
    output:
        "build/{programme}/cheers.parquet",
    log:
        "logs/{programme}/cheers.log",
    script:
        "../scripts/cheers.py"
