"""Set out who takes part because of the offer, in one programme."""

from evaluate import schemas
from evaluate.effects.participation import compliers, participation
from evaluate.errors import reported
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study


def main(files, output):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan)
    write_parquet(participation(study, plan), output.participation, schemas.PARTICIPATION)
    write_parquet(compliers(study, plan), output.compliers, schemas.COMPLIERS)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output)
