"""Say of one programme which items of CHEERS 2022 its report answers."""

from evaluate import schemas
from evaluate.costs.reporting import checklist
from evaluate.costs.reporting_facts import TABLES
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan


def main(files, output):
    read = {name: read_parquet(files[name], getattr(schemas, name.upper())) for name in TABLES}
    with_rows = [name for name, table in read.items() if len(table)]
    write_parquet(checklist(load_plan(files.plan), with_rows), output, schemas.CHEERS)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0])
