"""Pass the tables of one programme through the gate."""

import json
from pathlib import Path

from evaluate import schemas
from evaluate.errors import reported
from evaluate.io import read_parquet, write_csv, write_json
from evaluate.plan.config import Disclosure
from evaluate.plan.load import load_plan
from evaluate.release import RELEASED
from evaluate.release.provenance import provenance
from evaluate.release.publish import publish


def main(files, output, limits, seed):
    read = {n: read_parquet(files[n], getattr(schemas, n.upper())) for n in RELEASED}
    participants = read_parquet(files.participants, schemas.PARTICIPANTS)
    disclosure = Disclosure.model_validate(limits)
    plan = load_plan(files.plan)
    parts = read_parquet(files.cost_parts, schemas.COST_PARTS)
    released = publish(read, participants, plan, disclosure, parts)
    for name, table in released.tables.items():
        write_csv(table, output[name], schemas.released(name))
    write_json(released.disclosure, output.disclosure)
    raw = json.loads(Path(files.raw).read_text(encoding="utf-8"))
    found = provenance(raw, files.plan, files.code, limits, seed, plan.simulated)
    write_json(found, output.provenance)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        limits, seed = snakemake.params.disclosure, snakemake.params.seed
        main(snakemake.input, snakemake.output, limits, seed)
