"""Men's grades in the Student Achievement and Retention Project: Lin (2013), table 2.

Lin (2013), Agnostic notes on regression adjustments to experimental data, Annals of Applied
Statistics 7(1), on data of Angrist, Lang and Oreopoulos (2009). The data come with the R package
estimatr, so these tests run where R and estimatr are installed. His standard errors are HC0.
"""

import shutil
import subprocess

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from .road import as_printed, effects_of

RTOL = 1e-8  # estimatr solves normal equations by Cholesky, here QR
KINDS = ("HC0", "HC1", "HC2", "HC3")
ROW = ("all", "gpa", "1")
FOUND_IN_R = {  # estimator here: its case in R
    "fixed_effects": "unadjusted",
    "ancova": "usual",
    "lin": "interacted",
}
PUBLISHED = {"fixed_effects": (-0.036, 0.158), "ancova": (-0.083, 0.146), "lin": (-0.081, 0.146)}
SCRIPT = """
suppressMessages(library(estimatr))
men <- alo_star_men
found <- list()
for (kind in c("HC0", "HC1", "HC2", "HC3")) {
  fits <- list(
    unadjusted = lm_robust(GPA_year1 ~ sfsp, men, se_type = kind),
    usual = lm_robust(GPA_year1 ~ sfsp + gpa0, men, se_type = kind),
    interacted = lm_lin(GPA_year1 ~ sfsp, ~ gpa0, men, se_type = kind)
  )
  for (case in names(fits)) found[[length(found) + 1]] <- data.frame(
    case = case, kind = kind, estimate = sprintf("%.17g", coef(fits[[case]])[["sfsp"]]),
    std_error = sprintf("%.17g", fits[[case]]$std.error[["sfsp"]]),
    df = sprintf("%.17g", fits[[case]]$df[["sfsp"]])
  )
}
numbers <- men
for (column in names(numbers)) numbers[[column]] <- sprintf("%.17g", numbers[[column]])
write.csv(numbers, "men.csv", row.names = FALSE, quote = FALSE)
write.csv(do.call(rbind, found), "found.csv", row.names = FALSE, quote = FALSE)
"""


@pytest.fixture(scope="module")
def from_r(tmp_path_factory):
    """Return the men and what estimatr finds, both from R."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed; the data come with its package estimatr")
    if subprocess.run([rscript, "-e", "library(estimatr)"], capture_output=True).returncode:
        pytest.skip("R is installed without its package estimatr, with which the data come")
    folder = tmp_path_factory.mktemp("lin")
    (folder / "lin.R").write_text(SCRIPT, encoding="utf-8")
    subprocess.run([rscript, "lin.R"], cwd=folder, check=True)
    found = pd.read_csv(folder / "found.csv").set_index(["case", "kind"])
    return pd.read_csv(folder / "men.csv"), found


def table_of(folder, men, kind):
    plan = {
        "source": {"en": "estimatr", "sv": "estimatr", "licence": "estimatr"},
        "columns": {"gender": "men", "treatment": {"column": "sfsp", "control": 0}},
        "covariates": ["gpa0"],
        "outcomes": {"gpa": {"column": "GPA_year1", "unit": "grade points", "role": "primary"}},
        "analysis": {"estimators": [*FOUND_IN_R, "difference_in_means"], "std_error": kind},
    }
    return effects_of(folder, plan, men)


def test_table_2_is_the_published_one(tmp_path, from_r):
    table = table_of(tmp_path, from_r[0], "HC0")
    for estimator, printed in PUBLISHED.items():
        assert as_printed(table.loc[(estimator, *ROW)], 3) == printed
    assert round(table.loc[("difference_in_means", *ROW)].estimate, 3) == -0.036


@pytest.mark.parametrize("kind", KINDS)
def test_table_2_agrees_with_estimatr(tmp_path, from_r, kind):
    men, found = from_r
    table = table_of(tmp_path, men, kind)
    for estimator, case in FOUND_IN_R.items():
        row = table.loc[(estimator, *ROW), ["estimate", "std_error", "df"]]
        assert_allclose(row.astype(float), found.loc[(case, kind)].astype(float), rtol=RTOL)
