"""Rules of who is offered a place: sentences, tables, and the tree that is drawn."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest

from evaluate.report.policy_tree_figure import rules_of, tree_of, tree_plot
from evaluate.report.targeting_words import (
    comparisons_grid,
    rule_title,
    rules_grid,
    sentences,
    shown_policies,
)
from evaluate.report.words import MINUS, Words, catalogue

from . import benefits
from .observational import table_of

EN, SV = Words("en"), Words("sv")


def plain(text):
    return text.replace("\u00a0", " ").replace("\n", " ")


def told(rows, verdict="found", words=EN, better="higher"):
    return [plain(s) for s in sentences(rows, verdict, better, words)]


def test_an_interval_that_holds_zero_is_said_not_to_tell():
    clear = " ".join(told(benefits.policies(error=0.001)))
    open_ = " ".join(told(benefits.policies(error=0.05)))
    assert "cannot tell" not in clear
    assert open_.count("The interval holds zero, so the data cannot tell") == 4
    assert "lies above zero" not in open_


def test_which_values_of_the_outcome_are_better_is_said():
    rows = benefits.policies()
    assert "More of the outcome is taken to be better." in told(rows)
    assert any("a gain here is a decrease" in s for s in told(rows, better="lower"))
    assert any("en vinst här är en minskning" in s for s in told(rows, words=SV, better="lower"))


def test_a_rule_that_is_worse_is_said_to_be():
    rows = benefits.policies(error=0.001)
    worse = (rows["policy"] == "tree") & (rows["against"] == "random")
    rows.loc[worse, ["gain", "conf_low", "conf_high"]] = [-0.01, -0.012, -0.008]
    assert any("the worse of the two" in s for s in told(rows) if "Policy tree”" in s)


def test_places_of_women_and_men_are_told_beside_those_at_present():
    text = " ".join(told(benefits.policies()))
    assert "places to 60 % of the women and 16 % of the men; at present it is 40 % and 40 %" in text


def test_net_gains_have_an_interval_and_are_not_made_up():
    text = " ".join(told(benefits.policies()))
    assert "Net of cost 80,000 SEK 2022 per person (71,000 to 89,000)" in text
    without = " ".join(told(benefits.policies(value=None)))
    assert "Net of cost" not in without
    assert "does not say what a unit of the outcome is worth" in without
    assert "worth" not in " ".join(told(benefits.policies(value=None, cost=None)))


def test_a_rule_is_compared_with_as_many_places_by_lot_and_says_how_many_there_are_now():
    """Against the present places a rule with fewer of them would look worse than it is."""
    text = " ".join(told(benefits.policies()))
    assert text.count("compared with “As many at random”") == 4
    assert "places at present (40 % of the persons, by the rule 38 %): 1.70" in text
    grid = rules_grid(benefits.policies(), benefits.benefits(), EN)
    assert [h for h in grid.head if "Gain" in h] == [
        "Gain over “As many at random”, percentage points",
        "Gain over “No one”, percentage points",
    ]


def test_capacity_and_the_absence_of_learned_rules_are_said():
    simple = shown_policies(benefits.policies(), found=False)
    assert set(simple["policy"]) == {
        "everyone", "no_one", "present", "women", "men", "education=long",
    }  # fmt: skip
    text = " ".join(told(simple, "not found"))
    assert "There are places for 40 % of the persons" in text
    assert "but “Everyone”." in text
    assert EN("benefits.only_simple") in text
    assert "Policy tree" not in text


def test_the_present_places_may_be_more_than_the_capacity():
    rows = benefits.policies()
    rows.loc[rows["policy"] == "present", "share_treated"] = 0.5
    assert "but “Everyone” and “As at present”." in " ".join(told(rows))
    rows.loc[rows["policy"] == "present", "share_treated"] = 0.4
    assert "but “Everyone”." in " ".join(told(rows))


def test_columns_follow_what_is_known():
    released = benefits.benefits()
    full = rules_grid(benefits.policies(), released, EN)
    assert len(full.head) == 8
    assert all(len(line.cells) == len(full.head) - 1 for line in full.lines)
    plainest = rules_grid(benefits.policies(value=None, cost=None), released, EN)
    assert len(plainest.head) == 7
    for more, columns in (({}, 5), ({"value": None}, 4), ({"value": None, "cost": None}, 2)):
        every = comparisons_grid(benefits.policies(**more), released, EN)
        assert len(every.head) == columns
        assert all(len(line.cells) == columns - 1 for line in every.lines)
        assert len([line for line in every.lines if line.part]) == 4
    assert comparisons_grid(table_of("policies", []), released, EN) is None
    men = next(line for line in full.lines if line.name == "Men only")
    assert plain(men.cells[4]) == f"{MINUS}1.60 ({MINUS}3.17 to {MINUS}0.03)"
    assert rules_grid(table_of("policies", []), released, EN) is None


def test_rules_that_go_by_gender_say_so():
    names = [line.name for line in rules_grid(benefits.policies(), benefits.benefits(), EN).lines]
    assert "Policy tree (goes by gender)" in names
    assert "Policy tree, without gender" in names


@pytest.mark.parametrize("words", [EN, SV])
def test_every_rule_has_a_name(words):
    for policy in benefits.GAINS:
        assert "_" not in rule_title(policy, words)
    assert "olagligt" in catalogue("sv")["benefits.targeting_gender"]
    assert "unlawful" in catalogue("en")["benefits.targeting_gender"]


def drawn(rows, words=EN):
    root = tree_of(rows, benefits.benefits(), words)
    return root, tree_plot(root, words, title="Tree", label="a & b")


@pytest.mark.parametrize("name", ["tree", "tree_without_gender"])
def test_the_tree_is_drawn_with_all_its_boxes_and_told(name):
    root, svg = drawn(benefits.tree(name))
    ElementTree.fromstring(svg)
    assert 'aria-label="a &amp; b"' in svg
    assert len(root.leaves) == 4
    assert root.depth == 2
    rules = [plain(rule) for rule in rules_of(root, EN)]
    assert len(rules) == 4
    first = {"tree": "women", "tree_without_gender": "not education: long"}[name]
    assert rules[0].startswith(f"Place: age at most 34.5 and {first} (25 %")
    assert rules[3].startswith("Place: age above 34.5 and age missing (13 %")
    assert rules[1].startswith("No place")


def test_of_two_bounds_from_one_side_the_tighter_is_told():
    rows = benefits.tree()
    below = rows["node"] == rows.loc[rows["parent"] == 0, "node"].iloc[0]
    rows.loc[below, ["covariate", "threshold"]] = ["age", 24.5]
    root, _ = drawn(rows)
    first, second, *_ = (plain(rule) for rule in rules_of(root, EN))
    assert first.startswith("Place: age at most 24.5 (")
    assert second.startswith("No place: age at most 34.5 and age above 24.5 (")


def test_the_tree_is_the_same_bytes_again():
    assert drawn(benefits.tree())[1] == drawn(benefits.tree())[1]


def test_boxes_do_not_overlap_and_stay_on_the_sheet():
    _, svg = drawn(benefits.tree())
    high = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', svg)[1])
    boxes = re.findall(r'<path d="M ([\d.]+) ([\d.]+)\s*L ([\d.]+) [\d.]+\s*L [\d.]+ ([\d.]+)', svg)
    spans = sorted((float(x), float(b), float(a)) for x, a, _, b in boxes)
    assert len([s for s in spans if s[2] - s[1] > 20]) >= 7
    for (x, _, low), (next_x, top, _) in pairwise(spans):
        assert x != next_x or top >= low
    assert all(0 <= top < low <= high for _, top, low in spans if low - top > 20)


def test_a_tree_of_one_leaf_is_a_rule_for_everybody():
    rows = benefits.tree().iloc[[2]].assign(node=0, parent=pd.NA, branch="")
    rows = rows.astype({"parent": "Int64"})
    root, svg = drawn(rows)
    ElementTree.fromstring(svg)
    assert rules_of(root, EN)[0].startswith("Place: everybody")


def test_a_tree_that_is_withheld_is_not_drawn():
    assert tree_of(table_of("policy_tree", []), benefits.benefits(), EN) is None
    gone = benefits.tree().iloc[[0]].assign(covariate=None, treat=pd.NA)
    assert tree_of(gone, benefits.benefits(), EN) is None
