"""Estimate how the offers of one programme changed the lot of others."""

from evaluate import schemas
from evaluate.effects.displacement import net_effects
from evaluate.effects.saturation import spillovers
from evaluate.errors import reported
from evaluate.io import read_parquet, write_parquet
from evaluate.plan.load import load_plan
from evaluate.study import study_of


def main(files, output):
    plan = load_plan(files.plan)
    persons = read_parquet(files.participants, schemas.PARTICIPANTS)
    study = study_of(persons, read_parquet(files.outcomes, schemas.OUTCOMES), plan)
    found = spillovers(study, plan, persons.get("saturation"))
    write_parquet(found, output.spillovers, schemas.SPILLOVERS)
    effects = read_parquet(files.effects, schemas.EFFECTS)
    write_parquet(net_effects(effects, plan), output.net_effects, schemas.NET_EFFECTS)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output)
