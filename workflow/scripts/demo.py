"""Fetch the raw data of a demo programme."""

from evaluate.data.demo import fetch
from evaluate.errors import reported

if __name__ == "__main__":
    with reported(snakemake.log[0]):
        fetch(snakemake.params.name, snakemake.output[0])
