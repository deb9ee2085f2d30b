"""Chapter 4: what it shows, and what it must not show where no differences were found."""

import re

import pandas as pd
import pytest

from evaluate.plan.model import Plan
from evaluate.report import benefits_section, contrasts, summary
from evaluate.report.page import render
from evaluate.report.words import MINUS, Words

from . import benefits
from .observational import flow_of, plan_of, table_of

EN, SV = Words("en"), Words("sv")
RANKED = ("sorted_title", "profile_title", "distribution_title", "curve_title", "tree_title")
LEARNED = ("highest_predicted", "highest_predicted_without_gender", "tree", "tree_without_gender")


def chapter(released, words=EN, one_gender=""):
    return render(
        "benefits.html.j2",
        r=released,
        w=words,
        plan=released.plan,
        benefits=benefits_section.context(released, words),
        one_gender=one_gender,
        summary=summary,
        contrasts=contrasts,
        level="95 %",
    )


def text_of(html):
    html = re.sub(r"<svg.*?</svg>", " ", html, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")
    return text.replace("&amp;", "&")


def plain(cells):
    return [cell.replace("\u00a0", " ").replace("\n", " ") for cell in cells]


def only(released, words=EN):
    (case,) = benefits_section.context(released, words)["cases"]
    return case


@pytest.mark.parametrize("words", [EN, SV])
def test_the_order_is_the_planned_answer_then_the_gap_then_what_was_explored(words):
    text = text_of(chapter(benefits.benefits(), words))
    titles = [
        words("benefits.gender_title"), words("gap.title"), words("benefits.else_title"),
        words("benefits.projection_title"), *(words(f"benefits.{t}") for t in RANKED[:3]),
        words("benefits.targeting_title"), *(words(f"benefits.{t}") for t in RANKED[3:]),
    ]  # fmt: skip
    places = [text.index(f" {title} ") for title in titles]
    assert places == sorted(places)


def test_every_heading_of_what_was_explored_says_so():
    html = chapter(benefits.benefits())
    explored = html[html.index(EN("benefits.else_title")) :]
    explored = "<h3>" + explored
    headings = re.findall(r"<h[35]>.*?</h[35]>", explored)
    assert len(headings) == 8
    assert all(EN("benefits.exploratory") in heading for heading in headings)
    planned = html[: html.index(EN("gap.title"))]
    assert "badge" not in planned
    assert "Exploratory groups" not in text_of(planned)  # but in the figure's label of the groups
    assert "exploratory groups: In work" in planned


@pytest.mark.parametrize("verdict", ["not found", "not assessed"])
@pytest.mark.parametrize("words", [EN, SV])
def test_without_differences_nothing_ranks_persons(verdict, words):
    """The tables of ranks are there all the same: what is shown goes by the verdict."""
    released = benefits.benefits(verdict)
    case, text = only(released, words), text_of(chapter(released, words))
    assert words(f"benefits.{verdict.replace(' ', '_')}") in text
    assert [case.sorted, case.distribution, case.curve, case.trees] == ["", "", "", []]
    assert case.groups is None
    assert case.profile is None
    for title in RANKED:
        assert words(f"benefits.{title}") not in text
    rules = {line.name for line in case.rules.lines}
    assert rules == {
        words(f"benefits.policy.{p}") for p in ("everyone", "no_one", "present", "women", "men")
    } | {words("benefits.policy.only", group="education: long")}
    assert words("benefits.policy.tree") not in text
    assert case.projection is not None


def test_with_differences_rules_that_were_learned_are_there():
    rules = {line.name for line in only(benefits.benefits()).rules.lines}
    for policy in LEARNED:
        assert any(name.startswith(EN(f"benefits.policy.{policy}")) for name in rules)


def test_an_outcome_that_was_not_assessed_says_why():
    note = "not estimated: no block holds both arms"
    released = benefits.benefits(heterogeneity_tests=benefits.judged("not assessed", note))
    assert "Not estimated: no block holds both arms." in text_of(chapter(released))
    assert "Skattas inte" in text_of(chapter(released, SV)) or "Ej skattat" in text_of(
        chapter(released, SV)
    )


def test_a_case_without_a_verdict_is_not_assessed():
    tests = benefits.judged("found", lead=False)
    assert only(benefits.benefits(heterogeneity_tests=tests)).verdict == "not assessed"
    none = table_of("heterogeneity_tests", [])
    assert only(benefits.benefits(heterogeneity_tests=none)).verdict == "not assessed"


@pytest.mark.parametrize("words", [EN, SV])
def test_a_chapter_without_tables_says_so(words):
    released = benefits.made(Plan.model_validate(plan_of("made")), effects=benefits.effects())
    text = text_of(chapter(released, words))
    assert words("benefits.no_cases") in text
    assert words("benefits.targeting_title") not in text


@pytest.mark.parametrize("words", [EN, SV])
def test_withheld_numbers_are_said_to_be_withheld(words):
    note = "withheld: fewer than 5 persons"
    groups, profile = benefits.sorted_groups(), benefits.profile()
    spread, rules = benefits.distribution(), benefits.policies()
    tree, curve = benefits.tree(), benefits.curve()
    effects = benefits.conditional().astype({"note": object})
    gone = (groups["group"] == "men") & (groups["sorted_group"] == "1")
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "n", "predicted"]
    groups.loc[gone, numbers], groups.loc[gone, "note"] = None, note
    profile.loc[1, ["mean_top", "mean_bottom", "difference", "std_error", "n_top"]] = None
    profile.loc[1, "note"] = note
    spread.loc[3, ["value", "n"]], spread.loc[3, "note"] = None, note
    of_women = rules["policy"] == "women"
    lost = [c for c in rules if rules[c].dtype == float or c.startswith("n")]
    rules[lost] = rules[lost].astype(object).mask(of_women, None)
    rules.loc[of_women, "note"] = note
    tree.loc[3, ["share", "share_women"]] = None
    curve.loc[curve["share"] < 0.3, ["gain", "conf_low", "conf_high", "net_gain"]] = None
    effects.loc[1, ["estimate", "std_error", "conf_low", "conf_high", "n"]] = None
    effects.loc[1, "note"] = note
    released = benefits.benefits(
        sorted_groups=groups,
        sorted_profile=profile,
        effect_distribution=spread,
        policies=rules.infer_objects(),
        policy_tree=tree,
        targeting_curve=curve,
        conditional_effects=effects,
    )
    case = only(released, words)
    withheld = words("page.withheld")
    for grid in (case.groups, case.profile, case.rules, case.projection):
        assert any(withheld in cell for line in grid.lines for cell in line.cells)
        assert grid.notes == [note]
    assert words("benefits.sorted_withheld") in case.sorted_sentences
    assert case.distribution_withheld
    assert any(withheld in rule for rule in case.trees[0].sentences)
    assert case.sorted
    assert case.curve
    assert case.distribution
    assert words.note(note) in text_of(chapter(released, words))


def test_everything_withheld_leaves_a_chapter():
    tables = {
        "sorted_groups": benefits.sorted_groups(), "sorted_profile": benefits.profile(),
        "effect_distribution": benefits.distribution(), "policies": benefits.policies(),
        "targeting_curve": benefits.curve(), "conditional_effects": benefits.conditional(),
        "heterogeneity_tests": benefits.judged(),
    }  # fmt: skip
    keep = {"month", "low", "high", "level"}
    for name, table in tables.items():
        lost = [c for c in table if pd.api.types.is_numeric_dtype(table[c]) and c not in keep]
        tables[name] = table.assign(**dict.fromkeys(lost, float("nan")))
    text = text_of(chapter(benefits.benefits(**tables)))
    assert EN("page.withheld") in text
    assert "nan" not in re.findall(r"\b\w+\b", text.lower())


def test_a_programme_with_one_gender_has_no_gap_and_no_word_on_rules_by_gender():
    columns = {"person": "id", "gender": "men", "treatment": {"column": "treat", "control": 0}}
    plan = Plan.model_validate(plan_of("made", columns=columns))
    released = benefits.benefits(
        plan=plan,
        effects=benefits.effects(("all",)),
        sorted_groups=benefits.sorted_groups(("all",)),
        effect_distribution=benefits.distribution(("all",)),
    )
    html = chapter(released, one_gender=EN("summary.one_gender_men"))
    assert EN("benefits.targeting_gender") not in html
    assert EN("gap.title") not in html
    assert EN("summary.one_gender_men") in html
    assert only(released).sorted


def test_many_cases_are_folded_and_many_arms_have_a_table():
    arms = [str(a) for a in range(1, 8)]
    tables = {
        name: pd.concat([table.assign(arm=arm) for arm in arms], ignore_index=True)
        for name, table in {
            "effects": benefits.effects(),
            "heterogeneity_tests": benefits.judged("not found"),
            "conditional_effects": benefits.conditional(),
            "policies": benefits.policies(),
        }.items()
    }
    flow = flow_of(("received", "", 500), ("included", "", 480))
    flow = flow.assign(**{f"arm={arm}": 20 for arm in arms})
    released = benefits.benefits(flow=flow, **tables)
    found = benefits_section.context(released, EN)
    assert found["folded"]
    assert found["many_arms"]
    (work,) = (one for one in found["by_gender"] if one.table)
    assert len(work.table.lines) == len(arms)
    assert not work.figures
    html = chapter(released)
    assert html.count("<summary>In work. ") == 2 * len(arms)  # differences, and targeting
    assert html.count("<svg") == 0
    assert EN("benefits.groups_left", arms=7) in html


def test_numbers_stand_in_the_tables_as_released():
    case = only(benefits.benefits())
    (men,) = (line for line in case.projection.lines if line.name == "men")
    assert plain(men.cells) == [f"{MINUS}8.0", f"{MINUS}11.9 to {MINUS}4.1", "0.001", "0.010"]
    women = next(line for line in case.rules.lines if line.name == "Women only")
    assert plain(women.cells)[:4] == ["40.0 %", "80.0 %", "0.0 %", "100.0 %"]
    assert plain(women.cells)[4] == "1.60 (0.03 to 3.17)"
    top = case.groups.lines[0]
    assert plain(top.cells)[1] == "6.0 (0.1 to 11.9)"
    assert "70.0 %" in plain(top.cells)


def test_names_of_the_plan_are_used():
    stated = [{"column": "age", "title": {"en": "Age", "sv": "Ålder"}}, "education"]
    plan = Plan.model_validate(plan_of("made", groups=["education"], covariates=stated))
    for words, name in ((EN, "Age"), (SV, "Ålder")):
        named = Words(words.language, "", plan.covariate_titles(words.language))
        case = only(benefits.benefits(plan=plan), named)
        assert name in [line.name for line in case.projection.lines]
        assert any(f"{name.lower()} " in rule.lower() for rule in case.trees[0].sentences)
