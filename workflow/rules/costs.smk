"""
Costs per offer and participant, per additional unit of an outcome, and set against benefits over
time, by who pays and who gains.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES
    build/{programme}/propensity.parquet     schemas.PROPENSITY
    build/{programme}/cost_records.parquet   schemas.COST_RECORDS

OUTPUTS
    build/{programme}/costs.parquet                schemas.COSTS, one row per item and arm
    build/{programme}/cost_effectiveness.parquet   schemas.COST_EFFECTIVENESS
    build/{programme}/cost_benefit.parquet         schemas.COST_BENEFIT
    build/{programme}/accounts.parquet             schemas.ACCOUNTS
    build/{programme}/cost_sensitivity.parquet     schemas.COST_SENSITIVITY
    (without rows where the plan names no costs, benefits or accounts)
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
        effectiveness="build/{programme}/cost_effectiveness.parquet",
        benefit="build/{programme}/cost_benefit.parquet",
        accounts="build/{programme}/accounts.parquet",
        sensitivity_of_costs="build/{programme}/cost_sensitivity.parquet",
    log:
        "logs/{programme}/costs.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/costs.py"
