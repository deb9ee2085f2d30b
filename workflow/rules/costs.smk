"""
Costs per offer and participant, by site, per additional unit of an outcome, and set against benefits
over time, by who pays and who gains.

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
    build/{programme}/cost_benefit.parquet         schemas.COST_BENEFIT
    build/{programme}/accounts.parquet             schemas.ACCOUNTS
    build/{programme}/cost_sensitivity.parquet     schemas.COST_SENSITIVITY
    build/{programme}/cheers.parquet               schemas.CHEERS, one row per item of CHEERS 2022
    (all without rows where the plan names no costs, thresholds, benefits or accounts)
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


rule cost_benefit:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        records="build/{programme}/cost_records.parquet",
        code=source("cost_benefit.py"),
    output:
        benefit="build/{programme}/cost_benefit.parquet",
        accounts="build/{programme}/accounts.parquet",
        sensitivity_of_costs="build/{programme}/cost_sensitivity.parquet",
    log:
        "logs/{programme}/cost_benefit.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/cost_benefit.py"


rule cheers:
    input:
        plan="config/programmes/{programme}.yaml",
        costs="build/{programme}/costs.parquet",
        cost_effectiveness="build/{programme}/cost_effectiveness.parquet",
        acceptability="build/{programme}/acceptability.parquet",
        cost_benefit="build/{programme}/cost_benefit.parquet",
        accounts="build/{programme}/accounts.parquet",
        cost_sensitivity="build/{programme}/cost_sensitivity.parquet",
        heterogeneity="build/{programme}/heterogeneity.parquet",
        gap="build/{programme}/gap.parquet",
        code=source("cheers.py"),
    output:
        "build/{programme}/cheers.parquet",
    log:
        "logs/{programme}/cheers.log",
    script:
        "../scripts/cheers.py"
