"""
Was the assignment what the plan says? Sample ratio, balance by gender, missing outcomes.
What effects would the trial have found?

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES
    build/{programme}/effects.parquet        schemas.EFFECTS, for power

    build/{programme}/propensity.parquet     schemas.PROPENSITY, for balance after weighting

OUTPUTS
    build/{programme}/propensity.parquet             schemas.PROPENSITY, one row per person and split
    build/{programme}/propensity_models.parquet      schemas.PROPENSITY_MODELS
    build/{programme}/overlap.parquet                schemas.OVERLAP, one row per arm and group
    build/{programme}/propensity_histogram.parquet   schemas.PROPENSITY_HISTOGRAM
    build/{programme}/population.parquet             schemas.POPULATION, whom trimming leaves
    build/{programme}/graph.parquet                  schemas.GRAPH, one row per claim of the graph
    (these without rows unless the plan is of an observational study)
    build/{programme}/design_checks.parquet  schemas.DESIGN_CHECKS, one row per check and group
    build/{programme}/balance.parquet        schemas.BALANCE, one row per covariate and group
    build/{programme}/power.parquet          schemas.POWER, one row per outcome, arm and group
"""


rule propensity:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        code=source("propensity.py"),
    output:
        propensity="build/{programme}/propensity.parquet",
        models="build/{programme}/propensity_models.parquet",
        overlap="build/{programme}/overlap.parquet",
        histogram="build/{programme}/propensity_histogram.parquet",
        population="build/{programme}/population.parquet",
    log:
        "logs/{programme}/propensity.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/propensity.py"


rule graph:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        code=source("graph.py"),
    output:
        "build/{programme}/graph.parquet",
    log:
        "logs/{programme}/graph.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/graph.py"


rule design:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
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
