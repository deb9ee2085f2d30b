"""Hold the causal graph of one programme against its plan and its data."""

from evaluate import schemas
from evaluate.design.graph import graph_table
from evaluate.errors import reported
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import read_study


def main(files, output, seed):
    plan = load_plan(files.plan)
    study = read_study(files.participants, files.outcomes, plan)
    write_parquet(graph_table(study, plan, seed), output, schemas.GRAPH)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0], snakemake.params.seed)
