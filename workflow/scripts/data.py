"""Clean the raw tables of one programme."""

from pathlib import Path

from evaluate import schemas
from evaluate.data.stage import run_stage
from evaluate.errors import reported
from evaluate.io import write_json, write_parquet, write_table
from evaluate.plan.load import load_plan
from evaluate.release.provenance import sources


def main(plan_path, output, memory_gb=2.0, threads=2, seed=0):
    plan, spill = load_plan(plan_path), Path(output.participants).with_name(".engine")
    stage = run_stage(plan, spill, memory_gb=memory_gb, threads=threads, seed=seed)
    for name in stage.tables:
        write_parquet(stage.tables[name], output[name], getattr(schemas, name.upper()))
    write_table(stage.outcomes, output.outcomes)
    write_table(stage.quarantine, output.quarantine)
    write_json(sources(plan, stage.databases), output.raw)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        memory_gb, seed = snakemake.resources.mem_mb / 1000, snakemake.params.seed
        main(snakemake.input.plan, snakemake.output, memory_gb, snakemake.threads, seed)
