"""Set the costs of one programme against its effects."""

from evaluate import schemas
from evaluate.costs.effectiveness import cost_effectiveness
from evaluate.costs.programme_costs import cost_table
from evaluate.costs.sites import cost_parts, costs_by_site
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.seeds import generator
from evaluate.study import read_study


def main(files, output, rng):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    records = read_parquet(files.records, schemas.COST_RECORDS)
    write_parquet(cost_table(study, plan, records), output.costs, schemas.COSTS)
    parts = cost_parts(study, plan, records)
    write_parquet(parts, output.parts, schemas.COST_PARTS)
    write_parquet(costs_by_site(parts, study, plan), output.by_site, schemas.COSTS_BY_SITE)
    found = cost_effectiveness(study, plan, records, rng)
    write_parquet(found.ratios, output.effectiveness, schemas.COST_EFFECTIVENESS)
    write_parquet(found.acceptability, output.acceptability, schemas.ACCEPTABILITY)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        rng = generator(snakemake.params.seed, snakemake.wildcards.programme, "costs")
        main(snakemake.input, snakemake.output, rng)
