"""
Average effects, for all, women, men and the gap between them.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES

OUTPUTS
    build/{programme}/effects.parquet        schemas.EFFECTS, exact counts
    build/{programme}/scores.parquet         schemas.SCORES, one column per row of effects
"""


rule effects:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        code=source("effects.py"),
    output:
        effects="build/{programme}/effects.parquet",
        scores="build/{programme}/scores.parquet",
    log:
        "logs/{programme}/effects.log",
    script:
        "../scripts/effects.py"
