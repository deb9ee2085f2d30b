"""Blocks beside the effects: who takes part, missing outcomes, power, displacement."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from studies import evaluated, people, plan_for, run_notebook_code

from evaluate.report import participation
from evaluate.report.words import MINUS, Words

from .conftest import COSTS, GENDER, TREATMENT

EN, SV = Words("en"), Words("sv")
BLOCKS = {
    "participation": "Who takes part, and what it does for them",
    "bounds": "Where outcomes are missing",
    "power": "What the study could have found",
    "net": "Jobs net of displacement",
    "spillovers": "Effects on those offered and on their neighbours",
}


def effects_of(programme, language="en"):
    html = (programme.results / f"report.{language}.html").read_text(encoding="utf-8")
    html = re.search(r'<section id="effects".*?</section>', html, flags=re.DOTALL)[0]
    html = re.sub(r"<svg.*?</svg>", " ", html, flags=re.DOTALL)
    return re.sub(r"[\s\u00a0]+", " ", re.sub(r"<[^>]+>", " ", html))


def block(programme, name, language="en"):
    text = effects_of(programme, language)
    begin = text.index(Words(language)(f"{name}.title"))
    others = [Words(language)(f"{other}.title") for other in BLOCKS if other != name]
    ends = [text.index(title, begin) for title in others if title in text[begin:]]
    return text[begin : min(ends, default=len(text))]


def clusters(n=16, seed=3):
    """Draw clusters, some of whose persons take part whatever they are assigned to."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(n), rng.integers(20, 50, n))
    arm = rng.permutation(np.arange(n) % 2)[of]
    frame = people(len(of), seed=seed)
    frame["treat"], frame["school"] = arm, [f"s{i}" for i in of]
    frame["attended"] = (rng.random(len(of)) < np.where(arm == 1, 0.8, 0.15)).astype(int)
    lacks = rng.random(len(of)) < np.where(arm == 1, 0.15, 0.35)
    frame["work"] = frame["work"].astype(object).mask(lacks)
    return frame


@pytest.fixture(scope="module")
def clustered(tmp_path_factory):
    """Give clusters with always takers, missing outcomes, and two primary outcomes."""
    columns = {"person": "id", "gender": GENDER, "treatment": TREATMENT, "cluster": "school"}
    columns["takeup"] = {"column": "attended", "taken": 1}
    plan = plan_for("clustered", columns=columns, covariates=["age"], costs=COSTS)
    plan["outcomes"]["pay"] = {"column": "earn12", "unit": "SEK per month", "role": "primary"}
    return evaluated(tmp_path_factory.mktemp("clustered"), "clustered", plan, clusters())


@pytest.fixture(scope="module")
def markets(tmp_path_factory):
    """Give markets that were drawn a share each, and persons within them an offer."""
    rng = np.random.default_rng(4)
    drawn = rng.permutation(np.resize([0, 0.25, 0.75], 30))
    frame = people(30 * 24, seed=4)
    market = np.repeat(np.arange(30), 24)
    frame["treat"] = 0
    for m in range(30):
        here = rng.permutation(np.flatnonzero(market == m))
        frame.loc[here[: round(drawn[m] * 24)], "treat"] = 1
    frame["market"], frame["share"] = [f"m{m}" for m in market], drawn[market]
    treatment = TREATMENT | {"arms": [1]}
    columns = {"person": "id", "gender": GENDER, "treatment": treatment, "cluster": "market"}
    assignment = {"saturation": {"column": "share", "control": 0}}
    plan = plan_for("markets", columns=columns, assignment=assignment)
    return evaluated(tmp_path_factory.mktemp("markets"), "markets", plan, frame)


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("plain", {"participation", "power", "net"}),
        ("men", {"power", "net"}),
        ("clustered", {"participation", "bounds", "power", "net"}),
        ("markets", {"power", "spillovers"}),
    ],
)
def test_a_block_is_there_where_its_table_has_rows(name, there, request):
    text = effects_of(request.getfixturevalue(name))
    assert {block for block, title in BLOCKS.items() if title in text} == there
    swedish = effects_of(request.getfixturevalue(name), "sv")
    assert {b for b in BLOCKS if SV(f"{b}.title") in swedish} == there


def test_the_first_stage_is_that_of_its_table(clustered):
    text = block(clustered, "participation")
    table = clustered.table("participation").query("outcome == 'pay' and group == 'all'")
    row = table.iloc[0]  # of the first primary outcome
    shares = [f"{100 * row[c]:.1f} %" for c in ("takeup_treated", "takeup_control")]
    assert f"All {shares[0]} {shares[1]} {100 * row['compliers']:.1f}" in text
    assert f"{shares[1]} of control took part all the same" in text
    compliers = clustered.table("compliers").set_index("covariate").loc["gender=women"]
    assert f"Women are {100 * compliers['mean_compliers']:.1f} % of those" in text


def test_nobody_in_control_took_part_where_that_is_so(plain):
    assert "Nobody in control took part" in block(plain, "participation")


def plain_text(text):
    return text.replace("\u00a0", " ")


def row_of(kind, low=-0.2, high=0.4):
    return {
        "effect": 0.1, "compliers": 0.3, "unit": "share", "conf_low": -0.2, "conf_high": 0.4,
        "ar_set": kind, "ar_low": low, "ar_high": high, "note": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "english", "swedish"),
    [
        ("interval", f"{MINUS}20.0 to 40.0", f"{MINUS}20,0 till 40,0"),
        (
            "unbounded",
            f"at most {MINUS}20.0 or at least 40.0",
            f"högst {MINUS}20,0 eller minst 40,0",
        ),
        ("whole line", "every value", "alla värden"),
        (None, "\u2013", "\u2013"),
    ],
)
def test_a_set_that_is_no_interval_is_said_in_words(kind, english, swedish):
    ends = (np.nan, np.nan) if kind == "whole line" else (-0.2, 0.4)
    for words, told in ((EN, english), (SV, swedish)):
        assert plain_text(participation.anderson_rubin(row_of(kind, *ends), words)) == told


def test_what_is_withheld_is_said_to_be_so(tmp_path):
    frame = people(240, seed=9)
    frame["attended"] = (frame.index % 9 == 0).astype(int)
    columns = {"person": "id", "gender": GENDER, "treatment": TREATMENT}
    columns["takeup"] = {"column": "attended", "taken": 1}
    found = evaluated(tmp_path, "weak", plan_for("weak", columns=columns), frame)
    text = block(found, "participation")
    assert found.table("participation").query("group == 'women'")["compliers"].isna().all()
    assert "Women withheld 18.2 % withheld withheld" in text
    assert "not estimated" not in text
    assert "The offer hardly moved who took part (all: F below 10)" in text


def test_who_has_an_outcome_and_what_the_effect_can_be(clustered):
    text = block(clustered, "bounds")
    table = clustered.table("bounds").query("outcome == 'work' and group == 'all'")
    lee = table.set_index("method").loc["lee"]
    told = EN("bounds.population.always observed")
    assert f"Lee bounds (holds for: {told})" in text
    ends = " to ".join(f"{100 * lee[c]:.1f}".replace("-", MINUS) for c in ("lower", "upper"))
    assert f"Lee bounds, all: {ends} percentage points" in text
    assert f"{100 * lee['response_treated']:.1f} % of those offered" in text
    assert "Manski bounds (holds for: all persons)" in text
    shown = set(clustered.table("effects")["estimator"])
    assert {"lee_lower", "manski_upper"} <= shown  # rows of their own, not in the main table
    assert "Lee, lower bound" not in effects_of(clustered)


def test_the_detectable_gap_stands_beside_that_of_all(plain):
    text = block(plain, "power")
    table = plain.table("power").query("outcome == 'work'").set_index("group")
    for group in ("all", "women-men"):
        assert f"{100 * table.loc[group, 'detectable']:.1f}" in text
    assert "does not show that there is none" in text
    assert "about twice that of all" in text
    assert f"{table.loc['women-men', 'ratio_to_all']:.1f} times as much" in text


def test_net_jobs_are_those_of_the_table_and_called_assumed(plain):
    text = block(plain, "net")
    assert "the shares are assumptions, not estimates" in text
    table = plain.table("net_effects").query("group == 'all'")
    for row in table.itertuples():
        jobs = f"{round(row.jobs):,}".replace("-", MINUS)
        assert re.search(rf"{100 * row.displacement:.0f} % .*? {jobs} \(", text)


def test_those_beside_others_who_were_offered_are_no_arm_with_an_offer(markets):
    text = markets.text("en").replace("\u00a0", " ")
    flow = markets.table("flow").query("step == 'included'").iloc[0]
    assert f"{flow['arm=1']} were offered, {flow['arm=exposed']} were not but lived beside" in text
    assert "Arm exposed against control" not in text
    assert "beside others with an offer" in text
    overall = markets.table("spillovers").query(
        "outcome == 'work' and effect == 'overall' and saturation == 'all' and group == 'all'"
    )
    net = f"{100 * overall.iloc[0]['estimate']:.1f}".replace("-", MINUS)
    assert f"against markets without: {net} percentage points" in text
    assert "displacement is not measured" not in text


@pytest.mark.parametrize("words", [EN, SV])
def test_where_shares_were_drawn_the_checks_speak_of_shares(markets, words):
    html = (markets.results / f"report.{words.language}.html").read_text(encoding="utf-8")
    design = re.search(r'<section id="design".*?</section>', html, flags=re.DOTALL)[0]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", design.replace("\u00a0", " "), flags=re.DOTALL)
    assert any(" 0 %, " in cell for cell in cells)
    assert not [cell for cell in cells if re.search(r"\b(in|i) arm \d", cell)]
    assert words("method.shares") in html
    assert words("limits.shares") in html


def test_the_main_table_has_the_p_values_and_clusters_that_there_are(clustered, plain, men):
    text = effects_of(clustered)
    assert "p, randomisation p, adjusted Persons, offered Persons, control Clusters" in text
    row = clustered.table("effects").query(
        "outcome == 'work' and estimator == 'ancova' and group == 'all'"
    )
    drawn, adjusted, n = row.iloc[0][["p_value_randomisation", "p_value_adjusted", "n_clusters"]]
    assert re.search(rf" {drawn:.3f} {adjusted:.3f} \d+ \d+ {n} ", text)
    for one in (plain, men):
        assert "p, randomisation Persons" in effects_of(one)
        assert "Clusters" not in effects_of(one)


def test_few_clusters_are_warned_of_in_the_summary_too(clustered):
    text = clustered.text("en")
    assert text.count("There are 16 clusters, which are few") == 2
    assert clustered.text("sv").count("Klustren är 16, vilket är få") == 2
    assert "Clusters were assigned, not persons: the effects rest on 16 of them." in text


def test_notebooks_recompute_what_the_blocks_show(clustered, markets):
    effects = run_notebook_code(clustered.results, "3_effects")
    known = effects.again[effects.alike]
    assert len(known) == 9  # three outcomes for all, women and men
    assert_allclose(known["effect"].astype(float), known["effect again"].astype(float), rtol=1e-6)
    assert len(effects.multiples) > 10
    assert len(effects.net) == len(clustered.table("net_effects"))
    power = run_notebook_code(clustered.results, "2_design")
    assert_allclose(power.again, power.known["detectable"], rtol=1e-6)
    spread = run_notebook_code(markets.results, "3_effects").spillovers
    assert set(spread["effect"]) == {"total", "displacement", "overall", "direct"}


def test_months_add_up_in_the_report_and_the_notebook(linked):
    sums = run_notebook_code(linked.results, "3_effects").sums.dropna(subset=["again"])
    assert len(sums)
    rows = linked.table("paths").query("kind == 'cumulated' and outcome == 'work'")
    estimate = rows.set_index("group").loc["all", "estimate"]
    told = EN.effect(estimate, "", rows["std_error"].min(), with_unit=False)
    assert f"all {told} (95 % interval" in linked.text("en").replace("\u00a0", " ")


def test_a_p_value_that_the_interval_does_not_agree_with_is_said(clustered):
    from evaluate.report.released import read_released
    from evaluate.report.summary import effect_sentence

    released = read_released(clustered.plan, clustered.results, "en")
    row = released.main_rows("work", None, "1").iloc[0].to_dict()
    row |= {"estimate": 0.2, "conf_low": 0.1, "conf_high": 0.3, "note": ""}
    row |= {"p_value_randomisation": 0.08, "p_value_adjusted": 0.12}
    text = effect_sentence(row, released, EN).replace("\u00a0", " ")
    assert "The offer raised the outcome. But the randomisation test" in text
    assert "does not rule out chance (p = 0.080)" in text
    row["p_value_randomisation"] = 0.01
    text = effect_sentence(row, released, EN).replace("\u00a0", " ")
    assert "adjusted for the number of primary outcomes, p = 0.120 does not rule out" in text
    row["p_value_adjusted"] = 0.02
    assert effect_sentence(row, released, EN).endswith("The offer raised the outcome.")


def test_open_ends_of_an_interval_are_infinite():
    assert plain_text(EN.interval(-np.inf, 0.4, "share")) == f"{MINUS}\u221e to 40.0"
    assert plain_text(SV.interval(0.1, np.inf, "share")) == "10,0 till \u221e"
    assert plain_text(EN.interval(np.nan, 0.4, "share")) == "\u2013 to 40.0"
