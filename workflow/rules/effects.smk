"""
Average effects, for all, women, men and the gap between them.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES

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
"""


rule effects:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
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
