"""Estimate the effects of one programme."""

from evaluate import schemas
from evaluate.effects.table import effects
from evaluate.errors import reported
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan
from evaluate.seeds import generator
from evaluate.study import read_study


def main(files, output, rng):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    found = effects(study, plan, rng)
    write_parquet(found.table, output.effects, schemas.EFFECTS)
    write_parquet(found.covariances, output.covariances, schemas.COVARIANCES)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        rng = generator(snakemake.params.seed, snakemake.wildcards.programme, "effects")
        main(snakemake.input, snakemake.output, rng)
