"""National Supported Work, men with earnings in 1974, by the programme file that is shipped.

Dehejia and Wahba (1999), Causal effects in nonexperimental studies: reevaluating the evaluation
of training programs, Journal of the American Statistical Association 94(448), table 3.
"""

import pytest
from ruamel.yaml import YAML
from studies import REPOSITORY

from evaluate.data.demo import fetch

from .road import as_printed, effects_in

SHIPPED = REPOSITORY / "config" / "programmes" / "nsw.yaml"
EVERYBODY = ("all", "earnings", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nsw")
    (folder / "data" / "raw" / "nsw").mkdir(parents=True)
    fetch("nsw", folder / "data" / "raw" / "nsw" / "nsw.csv")
    return folder


def test_the_shipped_programme_gives_the_published_difference(folder):
    row = effects_in(folder, SHIPPED).loc[("difference_in_means", *EVERYBODY)]
    assert as_printed(row, 2)[0] == 1794.34
    assert as_printed(row, 0) == (1794, 671)  # Neyman's; equal to HC2
    assert (row.n_treated, row.n_control) == (185, 260)


def test_classical_standard_error_is_the_published_one(folder):
    yaml = YAML()
    plan = yaml.load(SHIPPED)
    plan["analysis"] = {"estimators": ["fixed_effects"], "std_error": "classical"}
    programme = folder / "classical.yaml"
    yaml.dump(plan, programme)
    row = effects_in(folder, programme).loc[("fixed_effects", *EVERYBODY)]
    assert as_printed(row, 0) == (1794, 633)
    assert row.df == 443
