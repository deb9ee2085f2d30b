"""Ask who benefits most from one programme, and what it would mean to go by that."""

from evaluate import schemas
from evaluate.errors import reported
from evaluate.heterogeneity.scores import cases_of
from evaluate.heterogeneity.stage import who_benefits
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study


def main(files, output, seed):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    scores = read_parquet(files.person_scores, schemas.PERSON_SCORES)
    records = read_parquet(files.cost_records, schemas.COST_RECORDS)
    found = who_benefits(study, plan, cases_of(scores, study, plan), seed, records)
    for name, table in vars(found).items():
        write_parquet(table, output[name], getattr(schemas, name.upper()))


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output, snakemake.params.seed)
