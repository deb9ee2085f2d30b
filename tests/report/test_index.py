"""The page of all programmes: primary outcomes, one line per group, links that lead there."""

import contextlib
import re

import pytest
from studies import evaluated, people, plan_for, text_of, write_raw, write_study

from evaluate.report.index import Entry, write_index
from evaluate.report.words import Words

from .conftest import TREATMENT


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    second = plan_for("second", columns={"person": "id", "treatment": TREATMENT}, simulated=False)
    second["outcomes"]["work"]["role"] = "secondary"
    made = {"first": plan_for("first"), "second": second}
    found = {name: evaluated(folder, name, plan, people(120)) for name, plan in made.items()}
    write_study(folder, made)
    write_raw(folder, "first", people(120))
    plans = [f"config/programmes/{name}.yaml" for name in made]
    with contextlib.chdir(folder):
        write_index(plans, ["sv", "en"], "results/index.html")
    return folder / "results" / "index.html", found


def test_every_programme_has_its_title_and_links_in_both_languages(index):
    page, found = index
    html = page.read_text(encoding="utf-8")
    for name, programme in found.items():
        for language in ("en", "sv"):
            assert f'href="{name}/report.{language}.html"' in html
            assert getattr(programme.plan.title, language) in html


def test_primary_effects_are_those_of_the_table(index):
    page, found = index
    text, words = text_of(page), Words("en")
    effects = found["first"].table("effects")
    rows = effects[(effects["role"] == "primary") & (effects["estimand"] == "itt")]
    assert len(rows) == 4
    for row in rows.to_dict("records"):
        effect = words.effect(row["estimate"], row["unit"], row["std_error"])
        assert " ".join(effect.split()) in text


def test_without_a_primary_outcome_there_is_one_line(index):
    page, _ = index
    sections = re.findall(r"<section.*?</section>", page.read_text("utf-8"), flags=re.DOTALL)
    assert len(sections) == 2
    for section in sections:
        of_second = section[section.index("second/report") :]
        assert of_second.count("<tr>") == 0


def test_simulated_programmes_are_labelled(index):
    page, _ = index
    assert text_of(page).count("No person in this report exists") == 1


def test_of_many_months_the_one_that_stands_for_the_outcome_is_told(full):
    rows = Entry("full", full.plan, full.table("effects")).rows(Words("en"))
    earnings = {row["title"] for row in rows if row["title"].startswith("Earnings")}
    assert earnings == {"Earnings, month 12. Arm 1", "Earnings, month 12. Arm 2"}
