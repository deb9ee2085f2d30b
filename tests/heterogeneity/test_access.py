"""Access against effect: against R, exact sums, units of the dose, known truth, what is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from effects.observational import programmes
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.estimates import Estimates
from evaluate.heterogeneity.access import access_rows
from evaluate.heterogeneity.kitagawa import split
from evaluate.heterogeneity.signals import NoSignals
from evaluate.notes import note
from evaluate.plan.doses import Dose

REFERENCE = Path(__file__).parents[1] / "reference"
CASE = NoSignals("y0", None, "SEK", "1", "")
PARTS = (
    "dose_women", "dose_men", "dose_gap", "per_unit_women", "per_unit_men", "access",
    "effect_per_unit", "gap", "outcome_gap", "without_programme",
)  # fmt: skip
EXACT = 1e-9  # R solves the normal equations
NUMERIC = 1e-6  # its gradient is by central differences
ANALYTIC = 1e-7  # ours against differences of the same function
DRAWN = 0.06  # bootstrap of 4,000 draws; resampled variances are smaller by (n - 1) / n
THROUGH = note("through_dose")


def table(rows):
    return pd.DataFrame(rows).set_index(["dose", "part"])


def lottery(seed, n=600, doses=(3.0, 2.0), units=(0.3, 0.3), clusters=0, blocks=0, weighted=False):
    """Draw a lottery that works through meetings alone; no person is real."""
    rng = np.random.default_rng(seed)
    women, x = rng.random(n) < 0.5, rng.normal(size=n)
    block = rng.integers(blocks, size=n) if blocks else None
    cluster = np.sort(rng.integers(clusters, size=n)) if clusters else None
    arm = rng.permutation(n) % 2
    error = rng.normal(size=n)
    if clusters:
        arm = (rng.permutation(clusters) % 2)[cluster]
        error += rng.normal(0, 0.3, clusters)[cluster]
    meetings = rng.poisson(0.5 + arm * np.where(women, *doses)).astype(float)
    y = np.where(women, *units) * meetings + 0.5 * x + 0.2 * women + error
    weight = rng.uniform(0.5, 2, n) if weighted else None
    study = study_from(y[:, None], arm, women, x[:, None], block, weight, cluster=cluster)
    columns = {"blocks": ["b"]} if blocks else {}
    columns |= {"cluster": "c"} if clusters else {}
    columns |= {"weight": "w"} if weighted else {}
    plan = plan_of(y[:, None], columns=columns, covariates=["x0"], doses=MEETINGS)
    return replace(study, doses={"meetings": meetings}), plan


MEETINGS = {"meetings": {"column": "m", "unit": "meetings"}}


@pytest.mark.parametrize(("case", "estimator"), [("means", "difference_in_means"),
                                                 ("ancova", "ancova")])  # fmt: skip
def test_the_parts_are_those_of_r(case, estimator):
    trial = pd.read_csv(REFERENCE / "trial.csv")
    trial = trial[trial["arm"].isin([0, 1]) & trial["earn"].notna()].reset_index(drop=True)
    reference = pd.read_csv(REFERENCE / "access.csv").set_index(["case", "term"])
    ancova = estimator == "ancova"
    y = trial[["earn"]].to_numpy()
    study = study_from(
        y,
        trial["arm"].to_numpy(),
        (trial["sex"] == "F").to_numpy(),
        trial[["age", "educ", "earn0"]].astype(float).set_axis(["x0", "x1", "x2"], axis=1),
        pd.factorize(trial["site"])[0] if ancova else None,
    )
    dose = (trial["attended"] * trial["educ"]).to_numpy(dtype=float)
    study = replace(study, doses={"meetings": dose})
    columns = {"blocks": ["b"]} if ancova else {}
    plan = plan_of(
        y, covariates=["x0", "x1", "x2"], doses=MEETINGS, columns=columns,
        analysis={"estimators": [estimator], "std_error": "HC2"},
    )  # fmt: skip
    found = table(access_rows(study, plan, CASE)).loc["meetings"]
    wanted = reference.loc[case]
    assert_allclose(found.loc[wanted.index, "estimate"], wanted["estimate"], rtol=EXACT)
    assert_allclose(found.loc[wanted.index, "std_error"], wanted["std_error"], rtol=NUMERIC)
    ratios = reference.loc[f"ivreg {case}"]
    assert_allclose(found.loc[ratios.index, "estimate"], ratios["estimate"], rtol=EXACT)
    assert_allclose(found.loc[ratios.index, "std_error"], ratios["std_error"], rtol=NUMERIC)
    if case == "means":
        drawn = reference.loc["bootstrap means"]
        assert_allclose(found.loc[drawn.index, "std_error"], drawn["std_error"], rtol=DRAWN)
        treated, women = trial["arm"] == 1, trial["sex"] == "F"
        for part, side in (("outcome_gap", treated), ("without_programme", ~treated)):
            apart = trial["earn"][side & women].mean() - trial["earn"][side & ~women].mean()
            assert found.loc[part, "estimate"] == pytest.approx(apart, rel=EXACT)


STUDIES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 10_000),
        "clusters": st.sampled_from([0, 30]),
        "blocks": st.sampled_from([0, 3]),
        "weighted": st.booleans(),
    }
)


@settings(max_examples=25)
@given(made=STUDIES)
def test_parts_add_up_exactly_with_their_scores(made):
    study, plan = lottery(**made, n=240, doses=(3, 2), units=(0.5, 0.2))
    found = table(access_rows(study, plan, CASE)).loc["meetings"]["estimate"]
    assert list(found.index) == list(PARTS)
    assert found["access"] + found["effect_per_unit"] == pytest.approx(found["gap"], rel=1e-12)
    assert found["without_programme"] + found["gap"] == pytest.approx(found["outcome_gap"], 1e-9)
    assert found["dose_women"] - found["dose_men"] == pytest.approx(found["dose_gap"], 1e-9)


@settings(max_examples=25)
@given(made=STUDIES, unit=st.sampled_from([0.01, 60.0, 8.0]))
def test_the_unit_of_the_dose_does_not_matter(made, unit):
    study, plan = lottery(**made, n=240)
    one = table(access_rows(study, plan, CASE)).loc["meetings"]
    other = replace(study, doses={"meetings": unit * study.doses["meetings"]})
    two = table(access_rows(other, plan, CASE)).loc["meetings"]
    factor = pd.Series(1.0, index=list(PARTS))
    factor[["dose_women", "dose_men", "dose_gap"]] = unit
    factor[["per_unit_women", "per_unit_men"]] = 1 / unit
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        values = one[column].astype(float) * factor
        assert_allclose(two[column].astype(float), values, rtol=1e-6, atol=1e-9 * max(1, unit))


@settings(max_examples=25)
@given(made=STUDIES)
def test_exchanging_women_and_men_exchanges_signs(made):
    study, plan = lottery(**made, n=240, doses=(3, 2), units=(0.5, 0.2))
    groups = study.groups
    other = replace(study, groups=groups | {"women": groups["men"], "men": groups["women"]})
    one = table(access_rows(study, plan, CASE)).loc["meetings"]["estimate"]
    two = table(access_rows(other, plan, CASE)).loc["meetings"]["estimate"]
    for part in ("dose_gap", "access", "effect_per_unit", "gap", "outcome_gap"):
        assert one[part] == pytest.approx(-two[part], rel=1e-8, abs=1e-12)
    assert one["per_unit_women"] == pytest.approx(two["per_unit_men"], rel=1e-8)


@settings(max_examples=50)
@given(
    value=st.lists(st.floats(0.2, 5), min_size=4, max_size=4),
    seed=st.integers(0, 1000),
)
def test_scores_are_the_gradient_of_the_parts(value, seed):
    def parts(b):
        units = b[0] / b[1], b[2] / b[3]
        return np.array([(b[1] - b[3]) * sum(units) / 2, (units[0] - units[1]) * (b[1] + b[3]) / 2])

    b = np.array(value)
    scores = np.random.default_rng(seed).normal(size=(30, 4))
    df = np.array([20.0, 20.0])
    women, men = Estimates(b[:2], scores[:, :2], df), Estimates(b[2:], scores[:, 2:], df + 5)
    found = split(women, men, Estimates(b[:2] - b[2:], scores[:, :2] - scores[:, 2:], df + 3))
    both = (found.access, found.effect_per_unit)
    assert_allclose([e.value[0] for e in both], parts(b), rtol=1e-12)
    assert both[0].df[0] == 23
    for j in range(4):
        step = np.zeros(4)
        step[j] = 1e-6
        slope = (parts(b + step) - parts(b - step)) / 2e-6
        alone = np.zeros((4, 4))
        alone[j, j] = 1.0
        pair = [Estimates(b[s], alone[:, s], df) for s in (slice(0, 2), slice(2, 4))]
        one = split(*pair, Estimates(b[:2] - b[2:], alone[:, :2], df))
        own = [one.access.scores[j, 0], one.effect_per_unit.scores[j, 0]]
        assert_allclose(own, slope, rtol=ANALYTIC, atol=ANALYTIC)


@pytest.mark.parametrize(
    ("doses", "units"), [((3.0, 2.0), (0.3, 0.3)), ((2.0, 2.0), (0.4, 0.2))]
)  # fmt: skip
def test_intervals_hold_the_truth(doses, units):
    (dose, other), (unit, less) = doses, units
    truth = {
        "dose_women": dose, "dose_men": other, "per_unit_women": unit, "per_unit_men": less,
        "access": (dose - other) * (unit + less) / 2,
        "effect_per_unit": (unit - less) * (dose + other) / 2,
        "gap": dose * unit - other * less,
        "without_programme": 0.2 + 0.5 * (unit - less),
        "outcome_gap": 0.2 + 0.5 * (unit - less) + dose * unit - other * less,
    }  # fmt: skip
    held = dict.fromkeys(truth, 0)
    for seed in range(100):
        study, plan = lottery(seed, doses=doses, units=units)
        found = table(access_rows(study, plan, CASE)).loc["meetings"]
        for part, value in truth.items():
            held[part] += found.loc[part, "conf_low"] <= value <= found.loc[part, "conf_high"]
    # of 100 at 95 per cent 88 or fewer come about once in 250
    assert min(held.values()) > 88, held


def observational(seed, estimand, lead="aipw", given_to_control=True, n=600):
    """Draw persons who choose for themselves, by a covariate; no person is real."""
    rng = np.random.default_rng(seed)
    women, x = rng.random(n) < 0.5, rng.normal(size=(n, 2))
    treated = rng.random(n) < 1 / (1 + np.exp(-(0.5 * x[:, 0] - 0.3 * women)))
    dose = rng.poisson(np.where(treated, 3 + women, 0) + 0.5 * given_to_control).astype(float)
    y = np.where(women, 0.4, 0.3) * dose + 0.7 * x[:, 0] + 0.2 * women + rng.normal(size=n)
    plan = programmes.plan_of(
        {"y0": "primary"}, ["x0", "x1"], gender=programmes.BOTH, estimators=[lead],
        estimand=estimand, propensity={"model": "logit"},
        cross_fitting={"learner": "linear", "splits": 2, "folds": 4},
    )  # fmt: skip
    plan = plan.model_copy(update={"doses": {"meetings": Dose(column="m", unit="meetings")}})
    study = programmes.study_from(y, treated, x, ["x0", "x1"], women)
    scored = programmes.scored(study, plan, splits=2, folds=4)
    return replace(scored, doses={"meetings": dose}), plan


@pytest.mark.parametrize("estimand", ["att", "ate"])
@pytest.mark.parametrize("lead", ["aipw", "entropy_balancing", "matching", "lin"])
def test_without_a_lottery_the_parts_add_up_too(estimand, lead):
    study, plan = observational(1, estimand, lead, given_to_control=False)
    found = table(access_rows(study, plan, CASE)).loc["meetings"]
    value = found["estimate"]
    assert value["access"] + value["effect_per_unit"] == pytest.approx(value["gap"], 1e-12)
    assert value["without_programme"] + value["gap"] == pytest.approx(value["outcome_gap"], 1e-9)
    if estimand == "att":
        treated = study.arm == 1
        means = [study.y[treated & study.groups[g], 0].mean() for g in ("women", "men")]
        assert value["outcome_gap"] == pytest.approx(means[0] - means[1], rel=1e-9)
    truth = {"dose_gap": 1.0, "access": 0.35, "effect_per_unit": 0.35}
    for part, expected in truth.items():
        assert abs(value[part] - expected) < 4 * found.loc[part, "std_error"]


def test_several_arms_without_a_lottery_take_the_two_that_are_compared():
    study, plan = observational(2, "att", n=900)
    arm = np.where((np.arange(900) % 3 == 0) & (study.arm == 1), 2, study.arm)
    three = replace(study, arms=("0", "1", "2"), arm=arm, propensities={})
    three = programmes.scored(three, plan, splits=2, folds=4)
    both = three.arm != 2
    two = replace(
        three, arms=("0", "1"), arm=three.arm[both], y=three.y[both],
        covariates=three.covariates[both].reset_index(drop=True),
        baselines=three.baselines[both].reset_index(drop=True),
        groups={g: m[both] for g, m in three.groups.items()},
        doses={"meetings": three.doses["meetings"][both]},
        propensities={
            k: replace(v, fold=v.fold[:, both], score=v.score[:, both], kept=v.kept[both])
            for k, v in three.propensities.items() if k[1] == "1"
        },
    )  # fmt: skip
    one, other = (table(access_rows(s, plan, CASE))["estimate"] for s in (three, two))
    assert_allclose(one.astype(float), other.astype(float), rtol=1e-12)


def test_take_up_is_a_dose_and_its_effect_per_unit_that_of_taking_part():
    study, plan = lottery(3)
    takeup = (study.doses["meetings"] > 2).astype(float)
    plan = plan.model_copy(
        update={"columns": plan.columns.model_copy(update={"takeup": {"column": "t", "taken": 1}})}
    )
    found = table(access_rows(replace(study, takeup=takeup), plan, CASE))
    assert list(dict.fromkeys(found.index.get_level_values(0))) == ["takeup", "meetings"]
    assert set(found.loc["takeup"].loc[["dose_women", "dose_gap"], "unit"]) == {"share"}
    assert found.loc[("takeup", "per_unit_women"), "unit"] == "SEK"
    assert found.loc[("meetings", "per_unit_women"), "unit"] == "SEK / meetings"
    assert found.loc[("meetings", "dose_gap"), "unit"] == "meetings"
    gap = found.xs("gap", level=1)["estimate"]
    assert gap["takeup"] == pytest.approx(gap["meetings"], rel=1e-12)


def test_persons_without_a_known_dose_are_left_out_and_counted():
    study, plan = lottery(4)
    dose = study.doses["meetings"].copy()
    dose[:50] = np.nan
    found = table(access_rows(replace(study, doses={"meetings": dose}), plan, CASE))
    row = found.loc[("meetings", "gap")]
    assert row["note"] == "50 persons whose dose is not known left out"
    assert row["n_women"] + row["n_men"] == 550


def test_a_dose_that_nobody_in_control_has_known_says_why():
    study, plan = lottery(4)
    dose = np.where(study.arm == 0, np.nan, study.doses["meetings"])
    (row,) = access_rows(replace(study, doses={"meetings": dose}), plan, CASE)
    assert row["part"] == "gap"
    assert row["note"].startswith("not estimated: it needs an estimate for both women and men; ")
    assert "300 persons whose dose is not known left out" in row["note"]
    assert "fewer than two persons in one of the arms" in row["note"]


def test_a_weakly_moved_dose_has_no_interval_of_the_delta_method():
    study, plan = lottery(5, doses=(3.0, 0.15))
    found = table(access_rows(study, plan, CASE)).loc["meetings"]
    women, men = found.loc["per_unit_women"], found.loc["per_unit_men"]
    assert women["note"] == THROUGH
    assert women["std_error"] > 0
    assert men["note"].startswith(THROUGH + "; ")
    assert "(F = " in men["note"]
    assert pd.isna(men["std_error"])
    for part in ("access", "effect_per_unit"):
        assert found.loc[part, "note"].startswith(THROUGH + "; no interval: the programme changed")
        assert pd.isna(found.loc[part, ["std_error", "conf_low", "conf_high", "p_value"]]).all()
    assert found.loc["gap", "std_error"] > 0


def test_where_a_dose_is_told_from_zero_though_weak_fieller_gives_the_interval():
    for seed in range(20):
        study, plan = lottery(seed, doses=(3.0, 0.3))
        men = table(access_rows(study, plan, CASE)).loc[("meetings", "per_unit_men")]
        if "Fieller" in men["note"]:
            break
    assert men["conf_low"] < men["estimate"] < men["conf_high"]
    assert pd.isna(men["std_error"])


def test_a_dose_that_nobody_s_offer_changes_is_not_divided_by():
    study, plan = lottery(6)
    dose = np.where(study.groups["men"], 0.0, study.doses["meetings"])
    found = table(access_rows(replace(study, doses={"meetings": dose}), plan, CASE))
    found = found.loc["meetings"]
    for part in ("per_unit_men", "access", "effect_per_unit"):
        assert found.loc[part, "note"] == note("dose_same")
        assert pd.isna(found.loc[part, "estimate"])
    assert found.loc["per_unit_women", "std_error"] > 0
    assert found.loc["dose_men", "estimate"] == pytest.approx(0, abs=1e-12)


def test_without_a_dose_one_row_says_how_to_name_one():
    study, plan = lottery(7)
    (row,) = access_rows(replace(study, doses={}), plan, CASE)
    assert row["note"] == note("no_dose")
    assert (row["method"], row["part"], row["dose"]) == ("access", "access", "")


def test_one_gender_has_no_gap_to_split():
    study, plan = lottery(7)
    columns = plan.columns.model_copy(update={"gender": "women"})
    assert access_rows(study, plan.model_copy(update={"columns": columns}), CASE) == []


def test_twelve_persons_and_an_estimator_of_its_own_table_give_rows():
    study, plan = lottery(8, n=12)
    rows = access_rows(study, plan, CASE)
    assert rows
    study, plan = observational(1, "att", "did")
    (row,) = access_rows(study, plan, CASE)
    assert row["note"].startswith("not estimated")


def test_rows_are_those_of_the_table():
    study, plan = lottery(9)
    rows = access_rows(study, plan, CASE)
    context = {"outcome": "y0", "month": None, "arm": "1"}
    frame = pd.DataFrame([context | row for row in rows], columns=list(schemas.GAP.columns))
    schemas.GAP.validate(frame)
