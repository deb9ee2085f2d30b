"""
What all rules share: the configuration and plans, checked, and the code a rule stands on.
"""

import os
from pathlib import Path

from snakemake.exceptions import WorkflowError

from evaluate.errors import EvaluateError
from evaluate.plan.load import load_study
from evaluate.plan.shared_files import shared_files, shared_path
from evaluate.release import RELEASED
from evaluate.run import finished
from evaluate.sources import closure, resources

# Rules run side by side, so each keeps to one thread; the order of sums stays the same, too.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

try:
    CONFIG, PLANS = load_study(config)
except EvaluateError as error:
    raise WorkflowError(f"\n{error}") from None

LANGUAGES = CONFIG.languages
SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
NOTEBOOKS = ["1_data", "2_design", "3_effects", "4_heterogeneity", "5_costs"]


wildcard_constraints:
    programme=r"[\w-]+",
    language="en|sv",


def source(*scripts, data=()):
    """Return the modules that scripts stand on, and files of the package that they read."""
    modules = {module for script in scripts for module in closure(SCRIPTS / script)}
    return sorted({*modules, *(file for pattern in data for file in resources(pattern))})


def raw(wildcards):
    """Return the raw files of a programme; what comes from a database is no file."""
    tables = PLANS[wildcards.programme].data.tables.values()
    return [table.path for table in tables if table.path is not None]


def shared(wildcards):
    """Return the codebooks and the price index of a programme."""
    named = shared_files(PLANS[wildcards.programme]).values()
    return [shared_path(*one) for one in dict.fromkeys(named)]
