"""Check the assignment of one programme."""

from evaluate import schemas
from evaluate.design.checks import balance_table, record_of
from evaluate.design.two_levels import assignment_checks
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.seeds import generator
from evaluate.study import read_study


def main(files, output, rng):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    persons = read_parquet(files.participants, schemas.PARTICIPANTS)
    shares, record = persons.get("saturation"), record_of(persons)
    checks = assignment_checks(study, plan, shares, rng, record)
    write_parquet(checks, output.checks, schemas.DESIGN_CHECKS)
    write_parquet(balance_table(study, plan), output.balance, schemas.BALANCE)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        rng = generator(snakemake.params.seed, snakemake.wildcards.programme, "design")
        main(snakemake.input, snakemake.output, rng)
