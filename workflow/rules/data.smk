"""
From the raw file, as received, to a clean study and its flow.

REQUIRED INPUTS
    config/programmes/{programme}.yaml   the plan
    the raw file that the plan names     never changed; its SHA-256 is recorded

OUTPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS, one row per person
    build/{programme}/outcomes.parquet       schemas.OUTCOMES, same rows, same order
    build/{programme}/flow.parquet           schemas.FLOW, one row per decision
    build/{programme}/quarantine.parquet     schemas.QUARANTINE, one row per rejected row
    build/{programme}/raw.json               path, size and hash of the raw file
"""


rule data:
    input:
        plan="config/programmes/{programme}.yaml",
        raw=raw,
        code=source("data.py"),
    output:
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        flow="build/{programme}/flow.parquet",
        quarantine="build/{programme}/quarantine.parquet",
        raw="build/{programme}/raw.json",
    log:
        "logs/{programme}/data.log",
    script:
        "../scripts/data.py"
