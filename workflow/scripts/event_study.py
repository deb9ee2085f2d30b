"""Estimate difference-in-differences of one programme."""

from evaluate import schemas
from evaluate.effects.event_study_table import event_study_table
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study


def main(files, output, seed):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan)
    participants = read_parquet(files.participants, schemas.PARTICIPANTS)
    table = event_study_table(study, participants, plan, seed)
    write_parquet(table, output, schemas.EVENT_STUDY)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0], snakemake.params.seed)
