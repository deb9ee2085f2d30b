"""
Average effects, for all, women, men and the gap between them.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES
    build/{programme}/propensity.parquet     schemas.PROPENSITY

OUTPUTS
    build/{programme}/effects.parquet        schemas.EFFECTS, exact counts
    build/{programme}/covariances.parquet    schemas.COVARIANCES, of rows of groups that share units
    build/{programme}/participation.parquet  schemas.PARTICIPATION, the first stage
    build/{programme}/compliers.parquet      schemas.COMPLIERS, who takes part because of the offer
    build/{programme}/paths.parquet          schemas.PATHS, effects and levels by month, their sums
    build/{programme}/incidence.parquet      schemas.INCIDENCE, of first entries by month
    build/{programme}/bounds.parquet         schemas.BOUNDS, without rows unless outcomes are missing
    build/{programme}/spillovers.parquet     schemas.SPILLOVERS, without rows unless shares were drawn
    build/{programme}/net_effects.parquet    schemas.NET_EFFECTS, under stated displacement
    build/{programme}/event_study.parquet    schemas.EVENT_STUDY, difference-in-differences
    build/{programme}/sensitivity.parquet    schemas.SENSITIVITY, what hidden factors would undo
    build/{programme}/refutations.parquet    schemas.REFUTATIONS, where the answer is known
    build/{programme}/specifications.parquet schemas.SPECIFICATIONS, one outcome by all analyses
    build/{programme}/verdict.parquet        schemas.VERDICT, robust or fragile
    (the last five without rows unless the plan is of an observational study)
"""


rule effects:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        code=source("effects.py"),
    output:
        effects="build/{programme}/effects.parquet",
        covariances="build/{programme}/covariances.parquet",
    log:
        "logs/{programme}/effects.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/effects.py"


rule saturation:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        effects="build/{programme}/effects.parquet",
        code=source("saturation.py"),
    output:
        spillovers="build/{programme}/spillovers.parquet",
        net_effects="build/{programme}/net_effects.parquet",
    log:
        "logs/{programme}/saturation.log",
    script:
        "../scripts/saturation.py"


rule participation:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        code=source("participation.py"),
    output:
        participation="build/{programme}/participation.parquet",
        compliers="build/{programme}/compliers.parquet",
    log:
        "logs/{programme}/participation.log",
    script:
        "../scripts/participation.py"


rule paths:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        code=source("paths.py"),
    output:
        paths="build/{programme}/paths.parquet",
        incidence="build/{programme}/incidence.parquet",
    log:
        "logs/{programme}/paths.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/paths.py"


rule bounds:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        code=source("bounds.py"),
    output:
        "build/{programme}/bounds.parquet",
    log:
        "logs/{programme}/bounds.log",
    script:
        "../scripts/bounds.py"


rule event_study:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        code=source("event_study.py"),
    output:
        "build/{programme}/event_study.parquet",
    log:
        "logs/{programme}/event_study.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/event_study.py"


rule sensitivity:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        effects="build/{programme}/effects.parquet",
        design_checks="build/{programme}/design_checks.parquet",
        balance="build/{programme}/balance.parquet",
        overlap="build/{programme}/overlap.parquet",
        graph="build/{programme}/graph.parquet",
        event_study="build/{programme}/event_study.parquet",
        code=source("sensitivity.py"),
    output:
        sensitivity="build/{programme}/sensitivity.parquet",
        refutations="build/{programme}/refutations.parquet",
        specifications="build/{programme}/specifications.parquet",
        verdict="build/{programme}/verdict.parquet",
    log:
        "logs/{programme}/sensitivity.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/sensitivity.py"
