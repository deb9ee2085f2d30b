"""What effect a programme would need to pay back within some months."""

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from studies import plan_for, write_study
from typer.testing import CliRunner

from evaluate.cli import app
from evaluate.costs.streams import break_even_month, once, stream
from evaluate.costs.what_if import _months, needed_effect, what_if
from evaluate.errors import PlanError

COSTS = {
    "currency": "SEK", "price_year": 2022, "amount": 1200, "outcomes": ["work"],
    "discount_rate": 0.05,
}  # fmt: skip
BENEFIT = {"outcome": "work", "times_per_year": 12, "exchange": 100, "years": 10}
ACCOUNTS = {
    "earnings": {"outcome": "before", "income_tax": 0.3, "payroll_tax": 0.2},
    "years": 10, "displacement": 0.5, "cost_of_public_funds": 0.3,
}  # fmt: skip


def lines(folder, months, **costs):
    write_study(folder, {"plan": plan_for("plan", costs=COSTS | costs)})
    with contextlib.chdir(folder):
        return what_if("plan", months)


def needed(line):
    return float(re.search(r": ([\d.,]+) ", line)[1].replace(",", ""))


def test_within_a_year_the_cost_is_shared_by_its_months(tmp_path):
    found = lines(tmp_path, 12, benefits=[BENEFIT])
    assert "1,200 SEK per participant" in found[0]
    assert needed(found[1]) == 1  # 1,200 over 12 months of 100
    assert "estimated nothing yet" in found[1]


def test_later_years_are_discounted(tmp_path):
    found = lines(tmp_path, 24, benefits=[BENEFIT])
    assert_allclose(needed(found[1]), 1 / (1 + 1 / 1.05), rtol=1e-3)


def test_the_public_lives_of_taxes_and_society_of_production(tmp_path):
    found = lines(tmp_path, 12, accounts=ACCOUNTS)
    assert_allclose(needed(found[1]), 1200 / (12 * 0.5 * 0.5), rtol=1e-3)
    # x of earnings: 0.5 * 12 * 1.2 x of production, and 0.3 of 1,200 - 0.5 * 12 * 0.5 x of funds.
    assert_allclose(needed(found[2]), 1200 * 1.3 / (6 * 1.2 + 0.3 * 3), rtol=1e-3)


@given(st.floats(1, 1e5), st.integers(1, 120), st.floats(0, 0.2))
def test_the_needed_effect_breaks_even_in_the_last_of_the_months(cost, months, rate):
    import numpy as np

    effect = needed_effect(cost, _months(rate, months, False))
    flows = [
        once().of(np.array([-cost])),
        stream(None, "constant", 11).of(np.array([effect])),
    ]
    assert break_even_month(flows, rate) == months


def test_what_is_never_worth_anything_needs_more_than_any_effect(tmp_path):
    found = lines(tmp_path, 12, benefits=[BENEFIT | {"first": "later"}])
    assert "no effect would" in found[1]


@pytest.mark.parametrize(
    ("months", "costs", "said"),
    [
        (0, {"benefits": [BENEFIT]}, "from 1 to"),
        (12, {}, "name benefits, or accounts.earnings"),
        (12, {"benefits": [BENEFIT], "amount": {"1": 10}}, "run the programme first"),
    ],
)
def test_what_lacks_is_said(tmp_path, months, costs, said):
    with pytest.raises(PlanError, match=said):
        lines(tmp_path, months, **costs)


def test_the_command_prints_the_lines_and_fails_with_a_message(tmp_path):
    write_study(tmp_path, {"plan": plan_for("plan", costs=COSTS | {"benefits": [BENEFIT]})})
    done = CliRunner().invoke(app, ["costs", "plan", "--what-if", "12", "-d", str(tmp_path)])
    assert done.exit_code == 0
    assert "within 12 months" in done.output
    lost = CliRunner().invoke(app, ["costs", "none", "--what-if", "12", "-d", str(tmp_path)])
    assert lost.exit_code == 1
    assert "no such file" in lost.output
