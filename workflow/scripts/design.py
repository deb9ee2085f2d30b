"""Check the assignment of one programme, or what stands in its place."""

from evaluate import schemas
from evaluate.design.checks import record_of
from evaluate.design.two_levels import design_tables
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
    checks, balance = design_tables(study, plan, shares, rng, record)
    write_parquet(checks, output.checks, schemas.DESIGN_CHECKS)
    write_parquet(balance, output.balance, schemas.BALANCE)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        rng = generator(snakemake.params.seed, snakemake.wildcards.programme, "design")
        main(snakemake.input, snakemake.output, rng)
