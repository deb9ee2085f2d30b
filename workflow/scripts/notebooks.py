"""Execute and render the notebooks of one programme."""

from pathlib import Path

from evaluate.errors import reported
from evaluate.report.notebooks import run_notebook

if __name__ == "__main__":
    with reported(snakemake.log[0]):
        results = Path("results") / snakemake.wildcards.programme
        for notebook in snakemake.input.notebooks:
            run_notebook(Path(notebook), results)
