"""Many arms: each against control, the rest in the tables; a page that can still be read."""

import re

import pytest
from studies import evaluated, people, plan_for

from evaluate.report.contrasts import (
    MOST_PANELS,
    TOGETHER,
    in_few_boxes,
    left_out,
    panels,
    short,
    shown,
)
from evaluate.report.released import read_released
from evaluate.report.words import Words

from .conftest import COSTS, GENDER, TREATMENT

EN, SV = Words("en"), Words("sv")
ARMS = 7


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Give a programme with seven offers, so with 21 comparisons of one with another."""
    treatment = TREATMENT | {"arms": list(range(1, ARMS + 1))}
    columns = {"person": "id", "gender": GENDER, "treatment": treatment}
    frame = people(480, seed=7, arms=ARMS + 1)
    plan = plan_for("many", columns=columns, covariates=["age"], costs=COSTS)
    return evaluated(tmp_path_factory.mktemp("many"), "many", plan, frame)


def page(programme, language="en"):
    return (programme.results / f"report.{language}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [EN, SV])
def test_arms_are_shown_against_control_and_the_rest_is_said_to_be_in_the_tables(many, words):
    html = page(many, words.language)
    assert html.count(words("effects.arm", arm="3")) >= 3
    assert words("effects.pair", a="1", b="2") not in html
    found = read_released(many.plan, many.results, words.language)
    assert shown(found) == [str(a) for a in range(1, ARMS + 1)]
    for tables in ("balance.csv", "heterogeneity.csv"):
        assert left_out(found, words, tables) in html
    assert "21" in left_out(found, words, "effects.csv")
    assert many.table("effects")["arm"].nunique() == ARMS + 21


def test_the_figure_of_the_balance_says_which_panels_it_lacks(many, full):
    found = read_released(many.plan, many.results, "en")
    assert panels(found) == [str(a) for a in range(1, MOST_PANELS + 1)]
    assert f"The figure has {MOST_PANELS} of the {ARMS} comparisons" in page(many)
    html = page(full)
    assert "of the 3 comparisons" not in html
    found = read_released(full.plan, full.results, "en")
    assert [short(found, arm, EN) for arm in panels(found)] == ["Arm 1", "Arm 2", "1 against 2"]


def test_the_summary_has_a_line_for_each_arm(many):
    html = re.search(r'<section id="summary".*?</section>', page(many), flags=re.DOTALL)[0]
    lines = re.findall(r"<li>(.*?)</li>", html, flags=re.DOTALL)
    for arm in range(1, ARMS + 1):
        told = [line for line in lines if line.startswith(f"Arm {arm}:") and "women less" in line]
        assert len(told) == 1, arm
    assert f"was compared with control in {ARMS} arms" in html


def test_the_chart_of_the_flow_has_the_arms_with_an_offer_together(many):
    flow = many.table("flow").query("step == 'included'").iloc[0]
    n = sum(flow[f"arm={a}"] for a in range(1, ARMS + 1))
    found = read_released(many.plan, many.results, "en")
    chart, names = in_few_boxes(found, EN)
    assert [c for c in chart if c.startswith("arm=")] == ["arm=0", f"arm={TOGETHER}"]
    assert chart.query("step == 'included'").iloc[0][f"arm={TOGETHER}"] == n
    assert str(ARMS) in names[TOGETHER]


def test_the_sides_of_a_pair_are_called_by_their_arms(full):
    html = page(full)
    assert "Level, arm 1" in html
    begin = html.index(EN("effects.pair", a="1", b="2"))
    assert "Level, arm 2" in html[begin : begin + 60_000]
