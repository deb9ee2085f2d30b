"""Estimate who of one programme was likely to be treated."""

from evaluate import schemas
from evaluate.design.propensity_stage import propensity_stage
from evaluate.errors import reported
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan
from evaluate.propensities import table_of
from evaluate.study import read_study


def main(files, output, seed):
    plan = load_plan(files.plan)
    found = propensity_stage(read_study(files.participants, files.outcomes, plan), plan, seed)
    write_parquet(table_of(found.propensities), output.propensity, schemas.PROPENSITY)
    write_parquet(found.models, output.models, schemas.PROPENSITY_MODELS)
    write_parquet(found.overlap, output.overlap, schemas.OVERLAP)
    write_parquet(found.histogram, output.histogram, schemas.PROPENSITY_HISTOGRAM)
    write_parquet(found.population, output.population, schemas.POPULATION)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output, snakemake.params.seed)
