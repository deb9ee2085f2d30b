"""Explain the gap between women and men in the effects of one programme."""

from evaluate import schemas
from evaluate.errors import reported
from evaluate.heterogeneity.gap_table import gap_table
from evaluate.heterogeneity.scores import cases_of
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study


def main(files, output, seed):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    scores = read_parquet(files.person_scores, schemas.PERSON_SCORES)
    table = gap_table(study, plan, cases_of(scores, study, plan), seed)
    write_parquet(table, output, schemas.GAP)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0], snakemake.params.seed)
