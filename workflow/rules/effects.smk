"""
Average effects, for all, women, men and the gap between them.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES

OUTPUTS
    build/{programme}/effects.parquet        schemas.EFFECTS, exact counts
    build/{programme}/covariances.parquet    schemas.COVARIANCES, of rows of groups that share units
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
