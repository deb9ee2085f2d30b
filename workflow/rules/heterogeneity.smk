"""
Do the effects differ between women and men, and between the plan's other groups?

REQUIRED INPUTS
    build/{programme}/effects.parquet        schemas.EFFECTS
    build/{programme}/covariances.parquet    schemas.COVARIANCES

OUTPUTS
    build/{programme}/heterogeneity.parquet  schemas.HETEROGENEITY, one row per outcome and division
"""


rule heterogeneity:
    input:
        plan="config/programmes/{programme}.yaml",
        effects="build/{programme}/effects.parquet",
        covariances="build/{programme}/covariances.parquet",
        code=source("heterogeneity.py"),
    output:
        "build/{programme}/heterogeneity.parquet",
    log:
        "logs/{programme}/heterogeneity.log",
    script:
        "../scripts/heterogeneity.py"
