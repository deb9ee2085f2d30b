"""
The report in each language, the executed notebooks, and the page that lists all programmes.

REQUIRED INPUTS
    results/{programme}/tables/*.csv   what the gate let through
    codebooks and price index          for the names of states and kinds, and who confirms them
    notebooks/*.ipynb                  one per chapter

OUTPUTS
    results/{programme}/report.{language}.html         self-contained
    results/{programme}/notebooks/*.{ipynb,html}       executed from results/ alone
    results/index.html                                 programmes and links
"""

TABLES = expand("results/{{programme}}/tables/{table}.csv", table=RELEASED)
PAGE = ["report/texts/*.yaml", "report/templates/style.css"]
REPORT = [
    f"report/templates/{name}.html.j2"
    for name in (
        "report",
        "tables",
        "blocks",
        "registers",
        "observational",
        "benefits",
        "gap",
        "accounts",
        "cheers",
    )
]
NOTEBOOK = ["report/templates/notebook.html.j2", "report/templates/style.css"]


rule report:
    input:
        plan="config/programmes/{programme}.yaml",
        tables=TABLES,
        disclosure="results/{programme}/disclosure.json",
        provenance="results/{programme}/provenance.json",
        shared=shared,
        code=source("report.py", data=[*PAGE, *REPORT]),
    output:
        reports=expand("results/{{programme}}/report.{language}.html", language=LANGUAGES),
    log:
        "logs/{programme}/report.log",
    params:
        languages=LANGUAGES,
    script:
        "../scripts/report.py"


rule notebooks:
    input:
        tables=TABLES,
        disclosure="results/{programme}/disclosure.json",
        provenance="results/{programme}/provenance.json",
        notebooks=expand(f"{workflow.basedir}/notebooks/{{name}}.ipynb", name=NOTEBOOKS),
        code=source("notebooks.py", data=NOTEBOOK),
    output:
        executed=expand("results/{{programme}}/notebooks/{name}.ipynb", name=NOTEBOOKS),
        pages=expand("results/{{programme}}/notebooks/{name}.html", name=NOTEBOOKS),
    log:
        "logs/{programme}/notebooks.log",
    script:
        "../scripts/notebooks.py"


rule index:
    input:
        plans=expand("config/programmes/{programme}.yaml", programme=PLANS),
        effects=expand("results/{programme}/tables/effects.csv", programme=PLANS),
        verdicts=expand("results/{programme}/tables/verdict.csv", programme=PLANS),
        code=source("index.py", data=[*PAGE, "report/templates/index.html.j2"]),
    output:
        "results/index.html",
    log:
        "logs/index.log",
    params:
        languages=LANGUAGES,
    script:
        "../scripts/index.py"
