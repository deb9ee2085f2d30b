"""Cost and benefit over time down the whole road, on studies small enough for a pencil."""

import re

import numpy as np
import pandas as pd
import pytest
from money import ACCOUNTS, monthly_plan, trial
from numpy.testing import assert_allclose
from studies import evaluated, plan_for, run_notebook_code

from evaluate import schemas
from evaluate.costs.accounts import PARTIES
from evaluate.costs.cost_benefit import cost_benefit, estimated
from evaluate.costs.joint import drawn
from evaluate.costs.sensitivity import cost_sensitivity
from evaluate.io import checked

MONTHLY = 17.598333  # 211.18 a year
COSTS = {"currency": "SEK", "price_year": 2022, "amount": 812, "outcomes": ["pay"]}


def persons(n=400):
    """Return a raw table whose means differ by just this gain, with an own share of takers."""
    treat = np.arange(n) % 2
    noise = np.tile([0, 0, 100, 100], n // 4)
    rank = np.arange(n) // 2
    return pd.DataFrame(
        {
            "treat": treat,
            "attended": ((treat == 1) & (rank % 2 == 0)).astype(int),
            "sex": np.where(rank % 4 < 2, "F", "M"),
            "pay": 1000 + noise + MONTHLY * treat,
        }
    )


def plan_with(name, takeup=False, **costs):
    columns = {
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "treat", "control": 0},
    }
    columns |= {"takeup": {"column": "attended", "taken": 1}} if takeup else {}
    outcomes = {"pay": {"column": "pay", "unit": "SEK per month", "role": "primary"}}
    return plan_for(name, columns=columns, outcomes=outcomes, costs=COSTS | costs)


def benefit(years, **keys):
    return {"outcome": "pay", "times_per_year": 12, "years": years, "discount_rate": 0.05} | keys


@pytest.fixture(scope="module")
def pencil(tmp_path_factory):
    earnings = {"outcome": "pay", "income_tax": 0.3, "payroll_tax": 0.3142}
    plan = plan_with(
        "pencil",
        benefits=[benefit(40), benefit(float("inf"), decay=0.1)],
        accounts={"earnings": earnings, "years": 3},
    )
    return evaluated(tmp_path_factory.mktemp("pencil"), "pencil", plan, persons())


def test_a_gain_of_211_18_a_year_against_a_cost_of_812(pencil):
    table = pencil.table("cost_benefit").query("group == 'all'")
    rows = table.set_index(["horizon_years", "persistence"])
    numbers = ["benefit_pv", "cost_pv", "net_pv"]
    assert rows.loc[(40, "constant"), numbers].astype(float).round().tolist() == [3805, 812, 2993]
    endless = rows.loc[(np.inf, "decaying")]
    assert endless[numbers].astype(float).round().tolist() == [1478, 812, 666]
    assert f"{rows.loc[(40, 'constant'), 'irr']:.2f}" == "0.35"
    assert f"{endless['irr']:.3f}" == "0.216"
    assert_allclose(rows.loc[(40, "none"), "benefit_pv"], 211.18, rtol=1e-6)
    assert "decaying" not in rows.loc[40].index


def test_women_and_men_and_the_gap_have_rows(pencil):
    rows = pencil.table("cost_benefit").query("horizon_years == 40 and persistence == 'constant'")
    rows = rows.set_index("group")
    assert list(rows.index) == ["all", "women", "men", "women-men"]
    women, men, gap = (rows.loc[g] for g in ("women", "men", "women-men"))
    assert_allclose(gap["net_pv"], women["net_pv"] - men["net_pv"], atol=1e-6)
    assert_allclose(gap["net_pv_se"] ** 2, women["net_pv_se"] ** 2 + men["net_pv_se"] ** 2)
    assert pd.isna(gap["irr"])
    assert pd.isna(gap["probability_pays_back"])


def test_the_interval_is_that_of_the_effect_times_what_a_unit_is_worth(pencil):
    row = pencil.table("cost_benefit").query("persistence == 'constant' and group == 'all'").iloc[0]
    effects = pencil.table("effects").query("group == 'all'").iloc[0]
    factor = 12 * (1 - 1.05**-40) / (1 - 1 / 1.05)
    for end in ("low", "high"):
        assert_allclose(row[f"net_pv_{end}"], factor * effects[f"conf_{end}"] - 812, rtol=1e-6)


def tables(study, plan, seed=1):
    found = estimated(study, plan, None, np.random.default_rng(seed))
    benefits, accounts = cost_benefit(found)
    return checked(benefits, schemas.COST_BENEFIT, ""), checked(accounts, schemas.ACCOUNTS, "")


@pytest.fixture(scope="module")
def both():
    return tables(trial(), monthly_plan(amount=900, accounts=ACCOUNTS))


WITHIN = ["arm", "group", "persistence", "denominator"]


def test_released_accounts_add_up_by_line_and_by_perspective(both):
    benefits, accounts = both
    wide = accounts.pivot_table(index=[*WITHIN, "line"], columns="perspective", values="amount")
    assert_allclose(wide[list(PARTIES)].fillna(0).sum(axis=1), wide["society"], atol=1e-6)
    lines = accounts[accounts["line"] != "total"]
    total = accounts[accounts["line"] == "total"].set_index([*WITHIN, "perspective"])["amount"]
    summed = lines.groupby([*WITHIN, "perspective"])["amount"].sum()
    assert_allclose(summed.reindex(total.index), total, atol=1e-6)
    net = benefits.set_index([*WITHIN, "perspective"])["net_pv"]
    assert_allclose(net.reindex(total.index), total, atol=1e-6)
    society = accounts.query("perspective == 'society' and line in ('earnings', 'income_tax')")
    assert (society["amount"] == 0).all()


def test_per_participant_all_is_divided_by_the_effect_on_takeup(both):
    benefits, _ = both
    study = trial()
    share = study.takeup[study.arm == 1].mean()
    rows = benefits.query("group == 'all'").set_index(["persistence", "perspective", "denominator"])
    offer, participant = (
        rows["net_pv"].xs(d, level="denominator") for d in ("offer", "participant")
    )
    assert_allclose(offer, participant * share)
    cost = rows["cost_pv"].xs("participant", level="denominator").xs("public", level="perspective")
    assert_allclose(cost, 900)


def test_the_probability_of_paying_back_is_near_that_of_a_normal(both):
    from scipy import stats

    rows = both[0].query("group == 'all' and denominator == 'offer'")
    rows = rows[rows["net_pv_se"] > 0]
    expected = stats.norm.cdf(rows["net_pv"] / rows["net_pv_se"])
    assert_allclose(rows["probability_pays_back"].astype(float), expected, atol=0.04)


def test_what_passes_through_an_employer_leaves_nothing_there(both):
    rows = both[0].query("perspective == 'employer' and group == 'all'")
    assert (rows[["net_pv", "net_pv_se"]] == 0).all(axis=None)
    assert rows["irr"].isna().all()
    assert (rows["break_even_month"] == 1).all()
    assert (rows["probability_pays_back"] == 1).all()


def test_draws_have_the_estimates_covariance():
    plan = monthly_plan(amount=200, accounts=ACCOUNTS)
    found = estimated(trial(), plan, None, np.random.default_rng(1))
    joint = {k: v for k, v in found.joint.items() if k[0] == "all"}
    draws = drawn(joint, np.random.default_rng(5), 20_000)
    for key, one in joint.items():
        estimates, values = one.estimates, draws[key].estimates
        error = estimates.std_error
        assert_allclose((values.mean(axis=0) - estimates.value) / error, 0, atol=0.03)
        found_r = np.cov(values.T) / np.outer(error, error)
        assert_allclose(found_r, estimates.covariance / np.outer(error, error), atol=0.05)
        takeup, shares = one.takeup, draws[key].takeup
        assert_allclose(shares.std() / takeup.std_error[0], 1, atol=0.05)
        beside = [np.corrcoef(v, shares)[0, 1] for v in values[:, error > 0].T]
        scores = np.column_stack([estimates.scores[:, error > 0], takeup.scores])
        assert_allclose(beside, np.corrcoef(scores.T)[-1, :-1], atol=0.05)


def test_marginal_value_of_public_funds_is_what_participants_gain_over_what_the_public_is_out(both):
    benefits, _ = both
    rows = benefits.query("group == 'all' and persistence == 'none'")
    rows = rows.set_index(["denominator", "perspective"])
    gain = rows["net_pv"].xs("participant", level="perspective")
    outlay = -rows["net_pv"].xs("public", level="perspective")
    told = rows["mvpf"].xs("society", level="perspective")
    assert (outlay > 0).all()
    assert_allclose(told, gain / outlay)


def test_another_currency_scales_money_and_leaves_rates_and_months():
    plan = monthly_plan(amount=200, accounts=ACCOUNTS)
    costs = ACCOUNTS | {"earnings": ACCOUNTS["earnings"] | {"exchange": 10.0}}
    other = monthly_plan(amount=2000, accounts=costs)
    one, ten = tables(trial(), plan)[0], tables(trial(), other)[0]
    for column in ("benefit_pv", "cost_pv", "net_pv", "net_pv_se"):
        assert_allclose(ten[column], 10 * one[column], atol=1e-6)
    for column in ("irr", "break_even_month", "mvpf", "probability_pays_back"):
        assert_allclose(ten[column], one[column], rtol=1e-6)


SENSITIVITY = {
    "discount_rate": {"low": 0.02, "high": 0.08, "distribution": "triangular"},
    "displacement": {"low": 0.1, "high": 0.4, "distribution": "beta"},
    "programme_cost": {"low": 0.8, "high": 1.3, "distribution": "gamma"},
    "payroll_tax": {"low": 0.3, "high": 0.33, "distribution": "normal"},
    "cost_of_public_funds": {"low": 0.1, "high": 0.5, "distribution": "lognormal"},
    "years": {"low": 5, "high": 15},
}


def sensitivity(study, plan):
    rng = np.random.default_rng(2)
    table = cost_sensitivity(estimated(study, plan, None, rng), rng)
    return checked(table, schemas.COST_SENSITIVITY, "")


def test_one_way_at_the_plans_own_value_is_the_net_present_value_of_the_plan():
    study = trial()
    own = {
        "discount_rate": {"low": 0.035, "high": 0.08},
        "displacement": {"low": 0.2, "high": 0.4},
        "years": {"low": 10, "high": 15},
        "programme_cost": {"low": 1, "high": 1.5},
        "income_tax": {"low": 0.3, "high": 0.35},
    }
    plan = monthly_plan(amount=200, accounts=ACCOUNTS, sensitivity=own)
    found = sensitivity(study, plan).query("analysis == 'one_way'")
    base = tables(study, plan)[0].query("group == 'all' and persistence == 'decaying'")
    base = base.set_index(["perspective", "denominator"])
    assert set(found["perspective"]) == {"public", "society"}
    assert set(found["denominator"]) == {"offer", "participant"}
    at = pd.MultiIndex.from_frame(found[["perspective", "denominator"]])
    assert_allclose(found["net_pv"], base["net_pv"].reindex(at))
    estimates = found[found["parameter"] == "effect"]
    at = pd.MultiIndex.from_frame(estimates[["perspective", "denominator"]])
    for end in ("net_pv_low", "net_pv_high"):
        assert_allclose(estimates[end], base[end].reindex(at))
    stated = found[found["parameter"].isin(own)]
    assert_allclose(stated["net_pv_low"], stated["net_pv"])
    for parameter in ("discount_rate", "displacement", "programme_cost"):
        rows = stated[stated["parameter"] == parameter]
        assert (rows["net_pv_high"] < rows["net_pv"]).all(), parameter
    assert set(found["parameter"]) - set(own) == {"decay", "effect"}


def test_all_at_once_spreads_more_than_the_estimates_alone_and_around_the_plan():
    study = trial()
    found = sensitivity(study, monthly_plan(amount=200, accounts=ACCOUNTS, sensitivity=SENSITIVITY))
    for per in ("offer", "participant"):
        rows = found.query(f"perspective == 'society' and denominator == '{per}'")
        rows = rows.set_index(["analysis", "parameter"])
        alone, whole = rows.loc[("one_way", "effect")], rows.loc[("probabilistic", "all")]
        assert whole["net_pv_low"] < alone["net_pv"] < whole["net_pv_high"]
        width = alone["net_pv_high"] - alone["net_pv_low"]
        assert whole["net_pv_high"] - whole["net_pv_low"] > width
        assert 0.5 < whole["probability"] <= 1


def test_without_named_ranges_the_usual_ones_are_looked_at_and_nothing_is_drawn():
    found = sensitivity(trial(), monthly_plan(amount=200, accounts=ACCOUNTS))
    assert set(found["analysis"]) == {"one_way"}
    assert set(found["parameter"]) == {"discount_rate", "decay", "displacement", "effect"}


def test_an_outcome_that_nobody_has_leaves_a_reason_and_no_numbers():
    study = trial()
    study.y[study.arm == 1, 0] = np.nan
    benefits, accounts = tables(study, monthly_plan(amount=200, accounts=ACCOUNTS))
    assert benefits["net_pv"].isna().all()
    assert benefits["note"].str.contains("not estimated").all()
    assert accounts.empty


def test_the_needed_effect_stands_beside_the_released_one(pencil, monkeypatch):
    from evaluate.costs.what_if import what_if

    monkeypatch.chdir(pencil.results.parents[1])
    lines = what_if("pencil", 12)
    assert "67.67 SEK per month" in lines[1]  # 812 over 12 months
    effects = pencil.table("effects").query("group == 'all'").iloc[0]
    told = f"estimated {effects['estimate']:.4g} ({effects['conf_low']:.4g} to"
    assert told in lines[1]


def test_the_report_says_the_net_present_value_and_what_it_rests_on(pencil):
    for language, row, beyond in (
        ("en", "constant society 2,993 ", "what it was in the last three months"),
        ("sv", "konstant samhället 2 993 ", "vad den var under de sista tre månaderna"),
    ):
        text = re.sub(r"<[^>]*>|\s|&nbsp;", " ", pencil.text(language)).replace("\u00a0", " ")
        text = re.sub(" +", " ", text)
        assert beyond in text
        _, _, said = text.partition(row)
        assert re.search(r" 35\.1 % | 35,1 % ", said[:60]), said[:60]


def test_the_notebook_adds_up_the_accounts(pencil):
    found = run_notebook_code(pencil.results, "5_costs")
    assert len(found.lines) > 0
    assert "Earnings before tax" in pencil.text("en")
    assert "Arbetsgivaravgift" in pencil.text("sv")
