"""
From raw programme data to the finished evaluation.

    snakemake --cores 2                                       here
    snakemake --snakefile REPO/Snakefile --directory STUDY    a study anywhere
"""

from snakemake.utils import min_version

min_version("9.8")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/demo.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/design.smk"
include: "workflow/rules/effects.smk"
include: "workflow/rules/heterogeneity.smk"
include: "workflow/rules/costs.smk"
include: "workflow/rules/release.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "results/index.html",
        [file for programme in PLANS for file in finished(programme, LANGUAGES)],
