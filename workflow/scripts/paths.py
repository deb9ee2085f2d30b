"""Follow the effects of one programme month by month."""

from functools import partial

from evaluate import schemas
from evaluate.effects.incidence_table import incidence_table
from evaluate.effects.path_tables import path_table
from evaluate.errors import reported
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan
from evaluate.seeds import generator
from evaluate.study import read_study


def main(files, output, seed, name):
    plan, draws = load_plan(files.plan), partial(generator, seed, name, "paths")
    study = read_study(files.participants, files.outcomes, plan, files.propensity)
    write_parquet(path_table(study, plan, draws), output.paths, schemas.PATHS)
    write_parquet(incidence_table(study, plan, draws), output.incidence, schemas.INCIDENCE)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        seed, name = snakemake.params.seed, snakemake.wildcards.programme
        main(snakemake.input, snakemake.output, seed, name)
