"""Randomisation tests against their definitions, and their size where nothing is to be found."""

import numpy as np
import pytest
from brute_force import every_assignment, studentised
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.design.assignments import assigned_units, assignments
from evaluate.effects import randomisation, unit_sums
from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.randomisation import (
    Comparison,
    fisher_exact,
    randomisation_tests,
    residualised,
)
from evaluate.effects.studentised import statistics, table
from evaluate.effects.unit_sums import difference, layout
from evaluate.errors import DesignError

RTOL = 1e-9  # sums of a few hundred products in another order
SINGLE = 2e-5  # the same in single precision
CONTRAST = (1, 0)
