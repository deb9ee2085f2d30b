"""Write the reports of one programme."""

from pathlib import Path

from evaluate.errors import reported
from evaluate.plan.load import load_plan
from evaluate.report.page import write_report


def main(plan, results, reports):
    for report in map(Path, reports):
        language = report.suffixes[0].removeprefix(".")
        write_report(load_plan(plan), Path(results), language, report)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        results = f"results/{snakemake.wildcards.programme}"
        main(snakemake.input.plan, results, snakemake.output.reports)
