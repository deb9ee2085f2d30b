"""Bound the effects of one programme where outcomes are missing."""

from evaluate import schemas
from evaluate.effects.bounds_table import bounds_table
from evaluate.errors import reported
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study


def main(files, output):
    plan = load_plan(files.plan)
    table = bounds_table(read_study(files.participants, files.outcomes, plan), plan)
    write_parquet(table, output, schemas.BOUNDS)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0])
