"""Write the page that lists all programmes."""

from evaluate.errors import reported
from evaluate.report.index import write_index

if __name__ == "__main__":
    with reported(snakemake.log[0]):
        write_index(snakemake.input.plans, snakemake.params.languages, snakemake.output[0])
