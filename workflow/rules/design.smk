"""
Was the assignment what the plan says? Sample ratio, balance by gender, missing outcomes.
What effects would the trial have found?

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES
    build/{programme}/effects.parquet        schemas.EFFECTS, for power

OUTPUTS
    build/{programme}/design_checks.parquet  schemas.DESIGN_CHECKS, one row per check and group
    build/{programme}/balance.parquet        schemas.BALANCE, one row per covariate and group
    build/{programme}/power.parquet          schemas.POWER, one row per outcome, arm and group
"""


rule design:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        code=source("design.py"),
    output:
        checks="build/{programme}/design_checks.parquet",
        balance="build/{programme}/balance.parquet",
    log:
        "logs/{programme}/design.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/design.py"


rule power:
    input:
        plan="config/programmes/{programme}.yaml",
        effects="build/{programme}/effects.parquet",
        code=source("power.py"),
    output:
        "build/{programme}/power.parquet",
    log:
        "logs/{programme}/power.log",
    script:
        "../scripts/power.py"
