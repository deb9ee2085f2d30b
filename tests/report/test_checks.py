"""The checks of the design in sections: a line per check, warnings first and never a wall."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluate.notes import finding
from evaluate.report.checks import MOST, counted, sections, warnings
from evaluate.report.words import Words

EN, SV = Words("en"), Words("sv")


def released(rows, has_shares=False):
    table = pd.DataFrame(rows, columns=["check", "group", "p_value", "verdict", "text"])
    return SimpleNamespace(
        design_checks=table,
        column_title=lambda column, words: column.replace("@", ", month "),
        stands=lambda column: not column.endswith("@3"),
        has_shares=has_shares,
    )


def ratio(group, p=0.5, verdict="pass"):
    text = finding("ratio", actual="0.480", expected="0.500")
    return ("sample_ratio", group, p, verdict, text)


def plain(text):
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def lines_of(found):
    return {line.title: line for _, lines in found for line in lines}


@pytest.mark.parametrize("blocks", [0, 60])
def test_a_check_is_one_line_however_many_blocks_it_has(blocks):
    rows = [ratio(g) for g in ("all", "women", "men")]
    rows += [ratio(f"site={i}") for i in range(blocks)]
    lines = lines_of(sections(released(rows), EN))
    assert len(lines) == 1
    line = lines["Shares assigned agree with the plan"]
    assert line.p_values == {"all": 0.5, "women": 0.5, "men": 0.5}
    assert line.verdict == "pass"
    assert ("60 blocks" in line.finding) == (blocks == 60)


def test_a_block_that_warns_is_told_first_and_marks_its_line():
    rows = [ratio("all"), ratio("site=1"), ratio("site=2", 0.0001, "warn")]
    told, more = warnings(released(rows), EN)
    assert [(line.group, line.p_values) for line in told] == [("site: 2", {"site=2": 0.0001})]
    assert not more
    assert next(iter(lines_of(sections(released(rows), EN)).values())).verdict == "warn"


def test_many_warnings_of_one_check_are_counted_and_those_of_all_persons_come_first():
    rows = [ratio(f"site={i}", 0.0001, "warn") for i in range(20)]
    rows.append(ratio("all", 0.0001, "warn"))
    told, more = warnings(released(rows), EN)
    assert len(told) == MOST
    assert told[0].group == "All"
    assert len(more) == 1
    assert str(21 - MOST) in more[0]


def test_a_month_that_does_not_stand_for_its_outcome_has_a_line_only_where_it_warns():
    text = finding("attrition", by_arm="0.100 in arm 0, 0.100 in arm 1")
    rows = [("attrition:work@3", "all", 0.4, "pass", text)]
    rows += [("attrition:work@12", "all", 0.4, "pass", text)]
    assert list(lines_of(sections(released(rows), EN))) == [
        "Outcome missing alike in all arms: work, month 12"
    ]
    rows[0] = (*rows[0][:3], "warn", text)
    assert [line.title for line in warnings(released(rows), EN)[0]] == [
        "Outcome missing alike in all arms: work, month 3"
    ]


def test_every_kind_of_check_has_a_section_and_a_title():
    rows = [
        (f"{kind}:work" if kind in ("attrition", "placebo") else kind, "all", np.nan, "pass", "")
        for kind in (
            "sample_ratio", "share_by_gender", "balance", "balance_within", "attrition",
            "assignments", "places", "probability_by_rule", "probability_within_blocks", "blocks",
            "placebo", "offer_day", "start_before_offer",
        )
    ]  # fmt: skip
    for words in (EN, SV):
        found = sections(released(rows), words)
        assert [section for section, _ in found] == ["lottery", "alike", "missing"]
        assert len(lines_of(found)) == len(rows)


def test_the_checks_are_counted():
    rows = [ratio("all"), ratio("women", verdict="warn"), ratio("men", np.nan, "not assessed")]
    text = counted(released(rows), EN)
    assert "3 tests and comparisons: no concern in 1, an explanation needed in 1." in text
    assert "Not assessed: 1." in text


def test_of_a_gap_alone_the_p_value_is_told():
    text = finding("by_gender", women="0.500", men="0.480")
    rows = [("share_by_gender", "women-men", 0.2, "pass", text)]
    line = next(iter(lines_of(sections(released(rows), EN)).values()))
    assert line.p_values == {"all": 0.2}


BY_ARM = "0.031 in arm 0, 1,204.500 in arm 0.25, 0.040 in arm 1"


@pytest.mark.parametrize("words", [EN, SV])
def test_shares_that_clusters_drew_are_not_called_arms(words):
    rows = [
        ("attrition:work", "all", 0.4, "pass", finding("attrition", by_arm=BY_ARM)),
        ("assignments", "all", np.nan, "pass", finding("clusters_drawn_many", by_arm=BY_ARM)),
        ("placebo:pay", "all", 0.2, "warn", finding("placebo", by_arm=BY_ARM)),
        ("attrition:pay", "all", np.nan, "warn",
         finding("attrition_arm", arm="0.25, 1", by_arm=BY_ARM)),
        ("balance", "all", 0.2, "pass", finding("joint", covariates=1, draws="199")),
        ("blocks", "all", np.nan, "warn",
         finding("one_arm_blocks", lacking=1, blocks=2, n="12")),
    ]  # fmt: skip
    shown = released(rows, has_shares=True)
    lines = [*lines_of(sections(shown, words)).values(), *warnings(shown, words)[0]]
    for line in lines:
        assert " arm" not in f" {line.title} {line.finding}".lower(), line
    found = plain(next(line.finding for line in lines if "25" in line.finding))
    assert all(f"{share} %" in found for share in (0, 25, 100))
    with_arms = lines_of(sections(released(rows), words)).values()
    assert any(" arm 0" in line.finding for line in with_arms)


def test_one_column_of_covariates_is_not_several():
    text = finding("joint", covariates=1, draws="199")
    assert plain(EN.finding(text)) == "1 column of covariates, 199 assignments drawn"
    assert SV.finding(text).startswith("1 kolumn med")
    assert EN.finding(finding("joint", covariates=11, draws="199")).startswith("11 columns")
