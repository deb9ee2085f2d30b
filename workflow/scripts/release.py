"""Pass the tables of one programme through the gate."""

import json
from pathlib import Path

from evaluate import schemas
from evaluate.errors import reported
from evaluate.io import read_parquet, write_csv, write_json
from evaluate.plan.config import Config
from evaluate.plan.load import load_plan
from evaluate.release import RELEASED
from evaluate.release.publish import publish
from evaluate.release.provenance import provenance


def main(files, output, config):
    read = {n: read_parquet(files[n], getattr(schemas, n.upper())) for n in RELEASED}
    participants = read_parquet(files.participants, schemas.PARTICIPANTS)
    limits = Config.model_validate(config).disclosure
    released = publish(read, participants, load_plan(files.plan), limits)
    for name, table in released.tables.items():
        write_csv(table, output[name], getattr(schemas, name.upper()))
    write_json(released.disclosure, output.disclosure)
    raw = json.loads(Path(files.raw).read_text(encoding="utf-8"))
    write_json(provenance(raw, files.plan, files.code, config), output.provenance)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input, snakemake.output, snakemake.params.config)
