"""Who has likes of the other gender, what can be made alike, and what the plan names."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate.covariates import Covariates, columns_of
from evaluate.heterogeneity.composition import (
    FEWEST,
    ROOM,
    composition_of,
    degrees_of_gap,
    gap_among,
    shared,
)
from evaluate.heterogeneity.scores import cases_of, scores_of
from evaluate.notes import note
from heterogeneity.gap_cases import case_of, unlike

WOMEN = np.arange(200) % 2 == 0


def case(women=WOMEN, **fields):
    rng = np.random.default_rng(1)
    return case_of(rng.normal(size=len(women)), women, **fields)


def factor(values, name="site"):
    return columns_of(pd.DataFrame({name: pd.array(values, dtype="str")}))


def beside(*parts):
    return Covariates(
        np.hstack([p.values for p in parts]),
        tuple(n for p in parts for n in p.names),
        tuple(s for p in parts for s in p.sources),
    )


def number(seed=1, n=200, name="age"):
    values = np.random.default_rng(seed).normal(size=(n, 1))
    return Covariates(values, (name,), (name,))


@pytest.mark.parametrize("alone", ["a", "b", "c"], ids="level {}".format)
@pytest.mark.parametrize("theirs", [True, False], ids=["women", "men"])
def test_a_level_of_one_gender_alone_is_left_out_whichever_level_it_is(alone, theirs):
    """The first level has no column of its own: it is found all the same."""
    site = np.array(list("abcd") * 50)[np.random.default_rng(2).permutation(200)]
    other = next(s for s in "bcda" if s != alone)
    site[(site == alone) & (theirs != WOMEN)] = other
    found = shared(case(), beside(number(), factor(site)))
    lost = site == alone
    assert lost.sum() > 10
    assert np.array_equal(~found.compared, lost)
    assert [source for source, _ in found.alone] == ["site"]
    assert set(found.by_source) == {"age", "site"}
    shares = [int(10 * np.floor(10 * np.mean(~lost[g]))) for g in (WOMEN, ~WOMEN)]
    told = note("gap_alone", n=int(lost.sum()), names="site", women=shares[0], men=shares[1])
    assert found.notes == (told,)
    assert len(found.names) == 3  # age, and two of three levels


def test_one_person_with_a_value_is_no_like():
    site = np.where(WOMEN & (np.arange(200) < 60), "b", "a")
    site[1] = "b"
    found = shared(case(), beside(number(), factor(site)))
    assert not found.compared[site == "b"].any()
    site[3] = "b"
    assert shared(case(), beside(number(), factor(site))).compared.all()


def test_what_leaving_out_takes_from_another_covariate_is_found():
    """Of those with `x=b` the men are all at a site without women."""
    rng = np.random.default_rng(3)
    site = np.where(rng.random(200) < 0.5, "a", "b")
    x = np.where(rng.random(200) < 0.3, "b", "a")
    site[~WOMEN & (x == "b")] = "c"
    found = shared(case(), beside(factor(x, "x"), factor(site), number()))
    assert [source for source, _ in found.alone] == ["site", "x"]
    assert not (found.alone[0][1] & found.alone[1][1]).any()
    assert np.array_equal(found.compared, (site != "c") & (x != "b"))


def test_a_number_without_variation_among_women_is_left_out_with_a_note():
    age, income = number(), number(5, name="income")
    income.values[WOMEN] = 3.0
    found = shared(case(), beside(age, income))
    assert found.names == ("age",)
    assert found.notes == (note("gap_constant", names="income"),)
    assert shared(case(), income) == note("gap_nothing")


def test_only_those_the_effect_is_about_count_as_likes():
    share = (np.arange(200) % 4 < 2).astype(float)
    site = np.full(200, "a")
    site[:40] = "b"
    site[:40][(share[:40] > 0) & ~WOMEN[:40]] = "a"  # men there were not treated
    found = shared(case(share=share), beside(number(), factor(site)))
    assert not found.compared[site == "b"].any()
    assert shared(case(), beside(number(), factor(site))).compared.all()


def test_nothing_alike_is_refused():
    sites = np.where(WOMEN, "a", "b")
    assert shared(case(), factor(sites)) == note("gap_no_likes", names="site")


@pytest.mark.parametrize("women", [0, 1, FEWEST - 1])
def test_too_few_women_are_refused(women):
    members = np.arange(60) < women
    study, plan = tiny(60, members)
    found = composition_of(study, plan, case(members))
    assert found == (note("gap_few", n=FEWEST) if women else note("no_gap"))


def test_more_columns_than_persons_bear_are_refused():
    members = np.arange(60) % 4 == 0  # 15 women
    most = 15 // ROOM
    columns = [number(i, 60, f"x{i}") for i in range(most + 1)]
    assert not isinstance(shared(case(members), beside(*columns[:most])), str)
    refused = shared(case(members), beside(*columns))
    assert refused == note("gap_room", columns=most + 1, n=ROOM * (most + 1))


def tiny(n=60, women=None, **sections):
    rng = np.random.default_rng(4)
    women = np.arange(n) % 2 == 0 if women is None else women
    y = rng.normal(size=(n, 1))
    plan = plan_of(y, covariates=["x0"], **sections)
    return study_from(y, np.arange(n) // 2 % 2, women, rng.normal(size=(n, 1))), plan


def blocked(named=None, blocks=4, n=400):
    """Return a lottery in sites and waves, its scores and its plan."""
    rng = np.random.default_rng(5)
    block = np.arange(n) % blocks
    x = pd.DataFrame({"age": rng.normal(size=n), "kids": rng.integers(0, 4, n).astype(float)})
    women, arm = rng.random(n) < 0.5, np.arange(n) // blocks % 2
    study = study_from(rng.normal(size=(n, 1)), arm, women, x, block=block)
    names = tuple(f"site={'north' if b % 2 else 'a, b'},wave={b // 2}" for b in range(blocks))
    groups = {"born=abroad": rng.random(n) < 0.3}
    groups["born=here"] = ~groups["born=abroad"]
    study = replace(study, block_names=names, groups=study.groups | groups)
    analysis = {"cross_fitting": {"folds": 2, "splits": 1, "learner": "linear"}}
    analysis["heterogeneity"] = {"composition": named}
    columns = {"blocks": ["site", "wave"]}
    plan = plan_of(
        study.y, covariates=["age", "kids"], groups=["born"], columns=columns, analysis=analysis
    )
    (one,) = cases_of(scores_of(study, plan, 1), study, plan)
    return study, plan, one


def test_by_default_covariates_and_blocks_are_made_alike():
    found = composition_of(*blocked())
    assert list(found.by_source) == ["age", "kids", "site, wave"]
    assert len(found.names) == 5
    assert found.notes == ()


def test_blocks_that_are_too_many_are_left_out_by_default():
    found = composition_of(*blocked(blocks=40))
    assert list(found.by_source) == ["age", "kids"]
    assert found.notes == (note("gap_blocks"),)


@pytest.mark.parametrize(
    ("named", "names"),
    [
        (["kids"], ("kids",)),
        (["site"], ("site=north",)),
        (["wave", "age"], ("wave=1", "age")),
        (["born"], ("born=here",)),
    ],
    ids=str,
)
def test_what_the_plan_names_is_made_alike(named, names):
    study, plan, one = blocked(named)
    found = composition_of(study, plan, one)
    assert found.names == names
    if named == ["site"]:
        assert np.array_equal(found.z[:, 0] == 1, study.block % 2 == 1)
    if named == ["wave", "age"]:
        assert np.array_equal(found.z[:, 0] == 1, study.block // 2 == 1)
    if named == ["born"]:
        assert np.array_equal(found.z[:, 0] == 1, study.groups["born=here"])


@pytest.mark.parametrize("named", [None, ["age", "kids"]], ids=str)
def test_a_covariate_without_variation_is_told(named):
    study, plan, one = blocked(named)
    without = replace(study, covariates=study.covariates.assign(kids=2.0))
    found = composition_of(without, plan, one)
    assert "kids" not in found.by_source
    assert found.notes == (note("dropped", names="kids"),)


def test_a_named_covariate_that_the_outcome_goes_without_is_told():
    study, plan, one = blocked(["age", "kids"])
    outcome = plan.outcomes["y0"].model_copy(update={"without": ["kids"]})
    found = composition_of(study, plan.model_copy(update={"outcomes": {"y0": outcome}}), one)
    assert list(found.by_source) == ["age"]
    assert found.notes == (note("dropped", names="kids"),)


def test_a_covariate_that_is_gender_itself_refuses_the_comparison():
    """It must not vanish because gender explains it."""
    study, plan, one = blocked()
    site = np.where(study.groups["women"], "a", "b")
    told = replace(study, covariates=study.covariates.assign(site=pd.array(site, dtype="str")))
    assert composition_of(told, plan, one) == note("gap_no_likes", names="site")


def test_degrees_of_freedom_are_those_of_women_and_men_or_of_clusters():
    one, columns = unlike(6, 200)
    women = one.groups["women"]
    everybody = np.ones(200, dtype=bool)
    of_women = degrees_of_gap(one, women.astype(float), everybody, 4)
    assert_allclose(of_women, women.sum() - 5)
    both = degrees_of_gap(one, np.ones(200), everybody, 4)
    sizes = np.array([women.sum(), (~women).sum()])
    assert_allclose(both, 200**2 / (sizes**2 / (sizes - 5)).sum())
    clustered = replace(one, cluster=np.arange(200) % 25, units=30)
    assert degrees_of_gap(clustered, np.ones(200), everybody, 4) == 24
    assert gap_among(clustered, everybody).df == 24
    assert columns.names[0] == "age"
