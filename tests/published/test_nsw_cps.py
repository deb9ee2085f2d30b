"""The trained men of National Supported Work beside a survey, by the programme file shipped.

LaLonde (1986), Evaluating the econometric evaluations of training programs with experimental
data, American Economic Review 76(4); Dehejia and Wahba (1999), Journal of the American
Statistical Association 94(448). The experiment says 1,794 (their table 3, `test_nsw.py`).
Published for these men and covariates: difference -8,497.52; regression 1,066.38 (626.85);
entropy balancing 1,406.27 (654.93); regression of earnings in 1975 -1,134.82 (272.44).
"""

import pytest
from ruamel.yaml import YAML
from studies import REPOSITORY, evaluated

from evaluate.data.demo import fetch

from .road import as_printed

SHIPPED = REPOSITORY / "config" / "programmes" / "nsw_cps.yaml"
EXPERIMENT = 1794.34
SEED = 20200618  # of the shipped configuration
# The dual has its minimum at 1,406.30; a search that stops early, as published, is 0.03 below.
BALANCED = 0.05


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nsw_cps")
    raw = folder / "data" / "raw" / "nsw_cps" / "nsw_cps.csv"
    raw.parent.mkdir(parents=True)
    fetch("nsw_cps", raw)
    plan = YAML(typ="safe").load(SHIPPED.read_text(encoding="utf-8"))
    return evaluated(folder, "nsw_cps", plan, None, seed=SEED)


@pytest.fixture(scope="module")
def rows(finished):
    table = finished.table("effects").query("group == 'all'")
    return table.set_index(["outcome", "estimator"]).sort_index()


def test_the_men_are_185_and_15992(rows):
    row = rows.loc["earnings", "difference_in_means"]
    assert (row["n_treated"], row["n_control"]) == (185, 15_992)


def test_the_raw_difference_is_the_published_one(rows):
    assert as_printed(rows.loc["earnings", "difference_in_means"], 2)[0] == -8497.52


def test_the_regression_is_the_published_one(rows):
    row = rows.loc["earnings", "regression"]
    assert as_printed(row, 2) == (1066.38, 626.85)
    assert row["estimand"] == "regression_coefficient"
    assert row["std_error_kind"] == "HC1"


def test_entropy_balancing_is_the_published_one(rows):
    row = rows.loc["earnings", "entropy_balancing"]
    assert abs(row["estimate"] - 1406.27) < BALANCED
    assert as_printed(row, 2) == (1406.30, 654.93)


@pytest.mark.parametrize("estimator", ["aipw", "matching"])
def test_others_are_within_one_error_of_the_experiment(rows, estimator):
    row = rows.loc["earnings", estimator]
    assert row["estimand"] == "att"
    assert abs(row["estimate"] - EXPERIMENT) < row["std_error"]
    assert row["conf_low"] < EXPERIMENT < row["conf_high"]
    raw = rows.loc["earnings", "difference_in_means"]
    assert raw["conf_high"] < row["conf_low"]


def test_the_placebo_fails_by_the_published_number(rows):
    row = rows.loc["earnings_before", "regression"]
    assert row["role"] == "placebo"
    assert as_printed(row, 2) == (-1134.82, 272.44)


def test_earnings_before_are_not_adjusted_for_themselves(rows):
    """With them among the covariates the placebo would be zero, or nothing at all."""
    for estimator in ("aipw", "matching", "entropy_balancing", "ipw"):
        row = rows.loc["earnings_before", estimator]
        assert row["conf_high"] < 0, estimator


def test_the_verdict_is_fragile_for_the_placebo(finished):
    verdict = finished.table("verdict").query("outcome == 'earnings'").set_index("group")
    assert verdict.loc["all", "verdict"] == "fragile"
    first = verdict.loc["all", "reason"].split("; ")[0]
    assert "placebo" in first
    assert "earnings_before" in first


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("1,066", "1,406", "-8,498", "1,794", "u74 and u75", "fragile")),
        ("sv", ("1 066", "1 406", "-8 498", "1 794", "u74 och u75")),
    ],
)
def test_the_report_has_the_numbers_and_what_to_judge_them_by(finished, language, words):
    text = finished.text(language).replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    text = text.replace("&nbsp;", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    for word in words:
        assert word in text, word
