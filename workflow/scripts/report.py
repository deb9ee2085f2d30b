"""Write the reports of one programme."""

from pathlib import Path

from evaluate.errors import reported
from evaluate.plan.load import load_plan
from evaluate.report.page import write_report
from evaluate.report.released import read_tables


def main(plan_path, results, languages, reports):
    plan, tables = load_plan(plan_path), read_tables(results)
    for language, report in zip(languages, reports, strict=True):
        write_report(plan, results, language, languages, Path(report), tables)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        results = Path("results") / snakemake.wildcards.programme
        reports = snakemake.output.reports
        main(snakemake.input.plan, results, snakemake.params.languages, reports)
