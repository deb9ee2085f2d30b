"""Ask what would undo the findings of one programme."""

from dataclasses import fields

from evaluate import schemas
from evaluate.effects.sensitivity.stage import sensitivity_stage
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study

TABLES = ("effects", "design_checks", "balance", "overlap", "graph", "event_study")


def main(files, output, seed):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    tables = {name: read_parquet(files[name], getattr(schemas, name.upper())) for name in TABLES}
    found = sensitivity_stage(study, plan, tables, seed)
    for name in (field.name for field in fields(found)):
        write_parquet(getattr(found, name), output[name], getattr(schemas, name.upper()))


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output, snakemake.params.seed)
