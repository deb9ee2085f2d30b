"""Set the costs of one programme against what its effects are worth over time, by payer."""

from evaluate import schemas
from evaluate.costs.cost_benefit import cost_benefit, estimated
from evaluate.costs.sensitivity import cost_sensitivity
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.seeds import generator
from evaluate.study import read_study


def main(files, output, rng):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    records = read_parquet(files.records, schemas.COST_RECORDS)
    found = estimated(study, plan, records, rng)
    benefit, accounts = cost_benefit(found)
    write_parquet(benefit, output.benefit, schemas.COST_BENEFIT)
    write_parquet(accounts, output.accounts, schemas.ACCOUNTS)
    sensitivity = cost_sensitivity(found, rng)
    write_parquet(sensitivity, output.sensitivity_of_costs, schemas.COST_SENSITIVITY)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        rng = generator(snakemake.params.seed, snakemake.wildcards.programme, "cost_benefit")
        main(snakemake.input, snakemake.output, rng)
