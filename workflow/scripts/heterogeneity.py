"""Test whether the effects of one programme differ between groups."""

from evaluate import schemas
from evaluate.errors import reported
from evaluate.heterogeneity.equality import equality_table
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan


def main(files, output):
    effects = read_parquet(files.effects, schemas.EFFECTS)
    covariances = read_parquet(files.covariances, schemas.COVARIANCES)
    table = equality_table(effects, covariances, load_plan(files.plan))
    write_parquet(table, output, schemas.HETEROGENEITY)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0])
