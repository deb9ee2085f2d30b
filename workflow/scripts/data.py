"""Clean the participants of one programme."""

from evaluate import schemas
from evaluate.data.clean import clean
from evaluate.data.readers.read import read_table
from evaluate.errors import reported
from evaluate.io import write_json, write_parquet
from evaluate.plan.load import load_plan
from evaluate.release.provenance import fingerprint


def main(plan_path, raw_path, output):
    plan = load_plan(plan_path)
    study = clean(read_table(plan.data.participants), plan)
    write_parquet(study.participants, output.participants, schemas.PARTICIPANTS)
    write_parquet(study.outcomes, output.outcomes, schemas.OUTCOMES)
    write_parquet(study.flow, output.flow, schemas.FLOW)
    write_parquet(study.quarantine, output.quarantine, schemas.QUARANTINE)
    write_json(fingerprint(raw_path), output.raw)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.plan, snakemake.input.raw, snakemake.output)
