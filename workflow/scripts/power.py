"""Say what effects one programme would have found."""

from evaluate import schemas
from evaluate.design.default_estimators import as_estimated
from evaluate.design.power_table import power_table
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan


def main(files, output):
    effects = read_parquet(files.effects, schemas.EFFECTS)
    plan = as_estimated(load_plan(files.plan), effects)
    write_parquet(power_table(effects, plan.estimators[0]), output, schemas.POWER)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0])
