"""Contract: every key of the agreed programme file is read, and means what it says."""

import re

import pytest
from pydantic import ValidationError

from evaluate.errors import Problems
from evaluate.plan.assignment import Assignment
from evaluate.plan.load import load_config, load_plan
from evaluate.plan.model import Plan
from evaluate.plan.support import unsupported, unused

CONFIG = """\
programmes: [jobs2, nsw]          # config/programmes/NAME.yaml each
languages: [sv, en]
seed: 20200618
disclosure: {min_cell: 5, round_to: 1, dominance: {k: 1, percent: 80}}
"""

# The programme file of the contract. Where it is a template (… and two forms of one key)
# one form stands here; the other is tested below.
PROGRAMME = """\
title: {en: Job-search training, sv: Jobbsökarträning}
source: {en: "a", sv: "b", licence: "c"}       # printed in the report
simulated: false
design: randomised                # randomised | observational | follow_up | benchmark | synthesis

data:                             # .csv .xlsx .parquet .dta .sas7bdat .sav, found out unless declared
  participants: {path: data/raw/NAME/p.csv, encoding: auto, delimiter: auto, decimal: auto, sheet: null, labels: codes}
  spells: {url_env: EVALUATE_DB, query: "select 1"}     # a database instead of a file
  assignment: {path: a.csv}
  activities: {path: b.csv}
  incomes: {path: c.csv}
  costs: {path: d.csv}
  keys: {path: e.csv}

columns:
  person: id
  gender: {column: sex, women: 1, men: 0}      # or `gender: women`, `gender: men`; may be left out
  treatment: {column: treat, control: 0, arms: [1, 2]}  # arms may be left out when there is one
  takeup: {column: attended, taken: 1}         # adds the effect on participants
  blocks: [site, cohort]                       # strata within which assignment was drawn
  cluster: village                             # unit that was assigned
  weight: w                                    # then no unweighted row is written
assignment: {share: 0.667}                     # or {column: p}; what the sample-ratio test compares with

eligibility: ["age >= 18", "permit_years <= 4"]   # closed grammar; each line is a row of the flow
covariates: [age, {column: education, kind: categorical}, work0, earn0]
outcomes:
  employed: {column: work1, unit: share, role: primary}
  hours:    {column: h1, baseline: h0, unit: hours per week, role: secondary}
  log_earn: {column: earn, transform: log, unit: log SEK, role: secondary}
  earn:     {columns: {12: e12, 24: e24}, unit: SEK per month, role: secondary}     # waves by month
  work:     {spells: [31, 41, 42], months: [1, 18], primary_month: 12, unit: share, role: primary}
  before:   {column: work0, unit: share, role: placebo, without: [work0, earn0]}    # covariates left out for this outcome
groups: [education]               # exploratory, beside gender

analysis:
  estimators: [lin, difference_in_means]
  std_error: HC2
  estimand: att                   # observational: att | ate
  level: 0.95
  permutations: 10000
  slopes: apart                   # apart | shared: covariate slopes of women and men
  missing_covariates: impute      # impute (with indicator) | drop
  propensity: {model: selected, trim: crump}       # logit | boosting | selected; none | crump | [0.1, 0.9]
  matching: {distance: propensity, neighbours: 1, replace: true, caliper: null, exact: [], bias_correction: true, weights: uniform}
protocol: {eligibility: "a", strategies: "b", assignment: "c", time_zero: "d", follow_up: "e", outcome: "f", contrast: "g", analysis: "h"}
graph: {edges: [[age, treatment], [age, employed], [treatment, employed]]}          # these two: observational

costs:
  currency: SEK
  price_year: 2022
  per: participant                # participant | offer
  amount: 38600                   # a figure, or {arm: figure}; or the table `costs`; or `column:` a person's cost
  outcomes: [employed]
  discount_rate: 0.035
  threshold: {from: 0, to: 1000000, points: 50}
  benefits:
    - {outcome: earn, times_per_year: 12, exchange: 1.0, years: 40, first: now, decay: 0.0, discount_rate: 0.05}
"""  # noqa: E501

FORMS = [
    ("{column: sex, women: 1, men: 0}", "women"),
    ("{column: sex, women: 1, men: 0}", "men"),
    ("  gender: {column: sex, women: 1, men: 0}", ""),
    (", arms: [1, 2]", ""),
    ("{share: 0.667}", "{share: {column: p}}"),
    ("{share: 0.667}", "{share: {1: 0.3, 2: 0.3}}"),
    ("trim: crump", "trim: none"),
    ("trim: crump", "trim: [0.1, 0.9]"),
    ("amount: 38600", "amount: {1: 38600, 2: 100}"),
    ("amount: 38600", "column: cost"),
    *(("design: randomised", f"design: {d}") for d in ("observational", "follow_up", "benchmark")),
    ("design: randomised", "design: synthesis"),
    ("estimand: att", "estimand: ate"),
    ("distance: propensity", "distance: mahalanobis"),
    ("distance: propensity", "distance: inverse_variance"),
    ("weights: uniform", "weights: inverse_distance"),
    *((", labels: codes}", f", labels: {label}}}") for label in ("codes", "labels")),
    *(("model: selected", f"model: {model}") for model in ("logit", "boosting")),
    ("missing_covariates: impute", "missing_covariates: drop"),
    ("per: participant", "per: offer"),
    ("[lin, difference_in_means]", "[fixed_effects, ancova, regression, ipw, entropy_balancing]"),
    ("[lin, difference_in_means]", "[matching, aipw, did]"),
    *(("std_error: HC2", f"std_error: {kind}") for kind in ("neyman", "classical", "CR2", "HC0")),
]


@pytest.fixture
def plan_file(tmp_path):
    def write(text):
        path = tmp_path / "trial.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_key_of_the_programme_file_is_read(plan_file):
    plan = load_plan(plan_file(PROGRAMME))
    assert plan.columns.treatment.arms == [1, 2]
    assert plan.assignment.share == 0.667
    assert [c.name for c in plan.outcomes["earn"].expand("earn")] == ["earn@12", "earn@24"]
    assert plan.outcomes["work"].role_in(12) == "primary"
    assert plan.outcomes["work"].role_in(11) == "secondary"
    assert plan.covariate_list[1].kind == "categorical"
    assert plan.costs.threshold.start == 0
    assert plan.graph.edges[0] == ("age", "treatment")


@pytest.mark.parametrize(("form", "other"), FORMS)
def test_every_form_of_a_key_is_read(plan_file, form, other):
    assert form in PROGRAMME
    load_plan(plan_file(PROGRAMME.replace(form, other)))


def test_every_key_of_the_configuration_is_read(plan_file):
    config = load_config(plan_file(CONFIG))
    assert config.programmes == ["jobs2", "nsw"]
    assert config.disclosure.dominance.percent == 80


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        ("min_cell: 5", "min_cell: 0"),
        ("seed: 20200618", "seed: -1"),
        ("[sv, en]", "[sv, fi]"),
        ("[jobs2, nsw]", "[]"),
        ("[jobs2, nsw]", "[../nsw]"),
        ("percent: 80", "percent: 101"),
    ],
)
def test_a_wrong_setting_is_named(plan_file, setting, wrong):
    with pytest.raises(Problems, match=r"line \d: \w+") as error:
        load_config(plan_file(CONFIG.replace(setting, wrong)))
    assert len(error.value.problems) == 1


def test_what_is_not_there_yet_is_said(plan_file):
    said = "\n".join(map(str, unsupported(load_plan(plan_file(PROGRAMME)))))
    for key in ("analysis.std_error", "data.spells", "columns.offered"):
        assert f"{key}:" in said or f"{key}." in said


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("design: randomised", "design: follow_up"), "design: follow_up"),
        (("[lin, difference_in_means]", "[aipw]"), "analysis.estimators: aipw"),
        (("std_error: HC2", "std_error: neyman"), "analysis.std_error: neyman takes persons"),
        (("path: data/raw/NAME/p.csv", "path: p.rds"), "data.participants.path: p.rds"),
        (("amount: 38600", "discount_rate: 0.1"), "costs: name amount, column, or the table"),
    ],
)
def test_what_would_change_the_numbers_is_never_ignored(plan_file, change, key):
    text = PROGRAMME.replace("  discount_rate: 0.035\n", "").replace(*change)
    text = re.sub(r"\n  costs: \{path.*", "", text)
    assert any(key in str(fault) for fault in unsupported(load_plan(plan_file(text))))


HOURS = """\
title: {en: A, sv: B}
design: randomised
data: {participants: {path: p.csv}, time_reports: {path: hours.csv}}
columns: {gender: women, treatment: {column: treat, control: 0}}
outcomes: {work: {column: w, unit: share}}
costs:
  currency: SEK
  price_year: 2022
  roles: {caseworker: {wage_cost: 412, unit_cost: 464}, 2: {wage_cost: {2019: 390, 2020: 402}}}
  claim: {flat_rate: 0.4}
  outcomes: [work]
"""


def test_time_reports_are_a_source_of_costs_with_the_limits_of_the_esf(plan_file):
    plan = load_plan(plan_file(HOURS))
    assert unsupported(plan) == []
    assert unused(plan) == []
    assert set(plan.data.tables) == {"participants", "time_reports"}
    assert plan.costs.priced["2"].wage_cost == {2019: 390, 2020: 402}
    assert (plan.costs.claim.hours_a_month, plan.costs.claim.hours_a_year) == (155.16, 1862)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((", time_reports: {path: hours.csv}", ""), "costs.roles: there are no hours to price."),
        ((re.search("  roles.*\n", HOURS)[0], ""), "costs.roles: data.time_reports has hours, and"),
        ((", time_reports: {path: hours.csv}", ""), "costs: name amount, column, or the tables"),
    ],
)
def test_hours_need_prices_and_prices_hours(plan_file, change, said):
    told = [str(fault) for fault in unsupported(load_plan(plan_file(HOURS.replace(*change))))]
    assert any(text.startswith(said) for text in told), told


def test_hours_beside_a_figure_and_a_claim_without_unit_costs_are_listed(plan_file):
    figure = HOURS.replace("  claim", "  amount: 5\n  claim").replace(", unit_cost: 464", "")
    assert unused(load_plan(plan_file(figure))) == ["data.time_reports", "costs.claim"]


def test_what_adds_nothing_to_the_output_is_listed(plan_file):
    assert unused(load_plan(plan_file(PROGRAMME))) == [
        "protocol",
        "graph",
        "analysis.propensity",
        "analysis.matching",
        "data.costs",
        "costs.discount_rate",
    ]


def test_rates_and_an_index_are_of_records_alone(plan_file):
    moved = PROGRAMME.replace(
        "  discount_rate: 0.035\n", "  rates: {EUR: 10.6}\n  price_index: kpi\n"
    )
    keys = {"costs.rates", "costs.price_index"}
    assert keys <= set(unused(load_plan(plan_file(moved))))
    of_records = re.sub(r"\n  amount: 38600.*", "", moved)
    assert not keys & set(unused(load_plan(plan_file(of_records))))


@pytest.mark.parametrize(
    ("covariate", "outcome", "said"),
    [
        ("treat", {}, "`treat` is columns.treatment, not a covariate"),
        ("id", {}, "`id` is columns.person, not a covariate"),
        ("work", {}, "`work` is outcomes.employed, measured after the offer"),
        ("work", {"role": "placebo"}, "its own column is among the covariates: `without: [work]`"),
    ],
)
def test_a_covariate_cannot_be_the_offer_or_what_came_of_it(covariate, outcome, said):
    content = {
        "title": {"en": "Simulated", "sv": "Simulerat"},
        "design": "randomised",
        "data": {"participants": {"path": "p.csv"}},
        "columns": {"person": "id", "treatment": {"column": "treat", "control": 0}},
        "covariates": [covariate],
        "outcomes": {"employed": {"column": "work", "unit": "share"} | outcome},
    }
    with pytest.raises(ValidationError, match=re.escape(said)):
        Plan.model_validate(content)


@pytest.mark.parametrize("stated", [{"column": "p"}, {"share": {"column": "p"}}])
def test_a_probability_of_the_offer_may_be_written_in_two_ways(stated):
    assert Assignment.model_validate(stated).probability == "p"
