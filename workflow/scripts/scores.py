"""Fit the doubly robust scores of the primary outcomes of one programme."""

from evaluate import schemas
from evaluate.errors import reported
from evaluate.heterogeneity.scores import scores_of
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study


def main(files, output, seed):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    write_parquet(scores_of(study, plan, seed), output, schemas.PERSON_SCORES)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0], snakemake.params.seed)
