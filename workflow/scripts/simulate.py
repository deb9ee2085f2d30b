"""Simulate the raw tables of a demo programme."""

from pathlib import Path

from evaluate.data.simulated.extract import extract
from evaluate.errors import reported

if __name__ == "__main__":
    with reported(snakemake.log[0]):
        folder = Path(snakemake.output[0]).parent
        extract(folder, snakemake.params.persons, snakemake.params.seed, "counted")
