"""
From the raw tables, as received, to a clean study and its flow.

REQUIRED INPUTS
    config/programmes/{programme}.yaml   the plan
    the raw files that the plan names    never changed; their SHA-256 is recorded
    codebooks and price index            the study's own, or those that come with the package

OUTPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS, one row per person
    build/{programme}/outcomes.parquet       schemas.OUTCOMES, same rows, same order
    build/{programme}/flow.parquet           schemas.FLOW, one row per decision on persons
    build/{programme}/cleaning.parquet       schemas.CLEANING, one row per decision on linked rows
    build/{programme}/quarantine.parquet     schemas.QUARANTINE, one row per rejected row
    build/{programme}/dose.parquet           schemas.DOSE, activities by month, arm and group
    build/{programme}/states.parquet         schemas.STATES, shares in each state by month
    build/{programme}/cost_records.parquet   schemas.COST_RECORDS, costs and priced time_reports
    build/{programme}/staff_hours.parquet    schemas.STAFF_HOURS, hours by role, arm, payer, year
    build/{programme}/raw.json               path, size and hash of the raw files
    (cleaning, dose, states, cost_records, staff_hours without rows where the plan has no such table)
"""


rule data:
    input:
        plan="config/programmes/{programme}.yaml",
        raw=raw,
        shared=shared,
        code=source("data.py"),
    output:
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        flow="build/{programme}/flow.parquet",
        cleaning="build/{programme}/cleaning.parquet",
        quarantine="build/{programme}/quarantine.parquet",
        dose="build/{programme}/dose.parquet",
        states="build/{programme}/states.parquet",
        cost_records="build/{programme}/cost_records.parquet",
        staff_hours="build/{programme}/staff_hours.parquet",
        raw="build/{programme}/raw.json",
    log:
        "logs/{programme}/data.log",
    threads: 2
    resources:
        mem_mb=int(CONFIG.memory_gb * 1000),
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/data.py"
