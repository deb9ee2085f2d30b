"""The choice in the report: from which worth on, how surely, in both languages."""

import pandas as pd
import pytest
from studies import evaluated, people, plan_for, text_of

from evaluate.plan.load import load_plan
from evaluate.report.acceptability_section import choices
from evaluate.report.released import read_released
from evaluate.report.words import Words

COSTS = {
    "currency": "SEK", "price_year": 2022, "amount": 38600, "outcomes": ["work"],
    "threshold": {"from": 0, "to": 2_000_000, "points": 5}, "population": 5_000,
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    columns = plan_for("chosen")["columns"] | {"takeup": {"column": "attended", "taken": 1}}
    plan = plan_for("chosen", columns=columns, costs=COSTS)
    return evaluated(tmp_path_factory.mktemp("chosen"), "chosen", plan, people(600, seed=4))


def plain(text):
    return text.replace("\u00a0", " ")


def released(study, language="en", **tables):
    folder = study.results.parents[1]
    plan = load_plan(folder / "config" / "programmes" / f"{study.results.name}.yaml")
    found = read_released(plan, study.results, language)
    return type(found)(**{**found.__dict__, **tables})


def choice(best, probability, arms=("0", "1"), information=(0.0, 100.0, 50.0)):
    """Return a table of three thresholds; ``best`` names the arm at each."""
    rows = [
        {
            "outcome": "work", "month": None, "arm": arm, "group": "all",
            "perspective": "public", "basis": "unit_cost", "threshold": t, "net_benefit": 1.0,
            "conf_low": 0.0, "conf_high": 2.0, "is_best": arm == b, "perfect_information": i,
            "probability": p if arm == arms[1] else 1 - p,
        }
        for t, b, p, i in zip((0.0, 1e5, 2e5), best, probability, information, strict=True)
        for arm in arms
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_switch_is_told_with_its_worth_and_probabilities(study):
    table = choice(["0", "1", "1"], [0.0, 0.6, 0.9])
    (sentence, worth, total) = choices(released(study, acceptability=table), Words("en"))[
        "work"
    ].sentences
    assert "from 100,000 SEK per additional person with the outcome “In work” on" in plain(sentence)
    assert "with a probability of 60" in plain(sentence)
    assert "at 200,000 SEK of 90" in plain(sentence)
    assert "at most some 100 SEK per person, at a worth of 100,000 SEK" in plain(worth)
    assert "For the 5,000 persons that the decision is about that is 500,000 SEK" in plain(total)


def test_never_is_said_where_no_worth_makes_it_the_best(study):
    table = choice(["0", "0", "0"], [0.0, 0.1, 0.2], information=(0.0, 0.0, 0.0))
    (sentence,) = choices(released(study, acceptability=table), Words("en"))["work"].sentences
    assert "at no worth up to 200,000 SEK" in plain(sentence)


def test_withheld_choices_are_not_told(study):
    table = choice(["0", "0", "0"], [0.0, 0.1, 0.2])
    hidden = table.assign(probability=float("nan"), is_best=None, perfect_information=float("nan"))
    assert choices(released(study, acceptability=hidden), Words("en")) == {}


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_page_tells_the_choice_the_plane_and_the_gap(study, language):
    text = plain(text_of(study.results / f"report.{language}.html"))
    words = Words(language)
    assert plain(words("costs.acceptability.lead")) in text
    found = choices(released(study, language), words)["work"]
    assert len(found.figures) == 1
    assert found.figures[0].startswith("<svg")
    for sentence in found.sentences:
        assert plain(sentence) in text
    gap = {"en": "Women less men: at 2,000,000 SEK, net benefit per person differs by",
           "sv": "Kvinnor minus män: vid 2 000 000 SEK skiljer nettonyttan per person"}  # fmt: skip
    assert gap[language] in text
    shares = {"en": "joint draws of cost and effect", "sv": "gemensamma dragningar av kostnad"}
    assert shares[language] in text


def test_several_arms_are_drawn_as_arms(study):
    table = choice(["0", "1", "1"], [0.0, 0.6, 0.9])
    third = table[table["arm"] == "1"].assign(arm="2", is_best=False, probability=0.0)
    both = pd.concat([table, third], ignore_index=True)
    found = choices(released(study, acceptability=both), Words("en"))["work"]
    assert len(found.figures) == 1
