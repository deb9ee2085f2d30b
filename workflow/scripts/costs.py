"""Set the costs of one programme against its effects."""

from evaluate import schemas
from evaluate.costs.cost_benefit import cost_benefit, estimated
from evaluate.costs.effectiveness import cost_effectiveness, cost_table
from evaluate.costs.sensitivity import cost_sensitivity
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.seeds import generator
from evaluate.study import read_study


def main(files, output, seed, name):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    records = read_parquet(files.records, schemas.COST_RECORDS)
    write_parquet(cost_table(study, plan, records), output.costs, schemas.COSTS)
    table = cost_effectiveness(study, plan, records)
    write_parquet(table, output.effectiveness, schemas.COST_EFFECTIVENESS)
    rng = generator(seed, name, "costs", "accounts")
    found = estimated(study, plan, records, rng)
    benefit, accounts = cost_benefit(found)
    write_parquet(benefit, output.benefit, schemas.COST_BENEFIT)
    write_parquet(accounts, output.accounts, schemas.ACCOUNTS)
    sensitivity = cost_sensitivity(found, rng)
    write_parquet(sensitivity, output.sensitivity_of_costs, schemas.COST_SENSITIVITY)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        seed, name = snakemake.params.seed, snakemake.wildcards.programme
        main(snakemake.input, snakemake.output, seed, name)
