"""The summary without a lottery: verdict first, what the effect is of, and the raw comparison."""

import numpy as np
import pytest

from evaluate.notes import joined, note
from evaluate.report.observational_summary import finding, raw
from evaluate.report.words import Words

from .observational import effect, made, table_of

EN = Words("en", "observational")
GROUPS = ("all", "women", "men", "women-men")


def plain(text):
    return text.replace("\u00a0", " ")


def verdict(group, word, *reasons):
    place = {"outcome": "work", "arm": "1", "group": group}
    return place | {"verdict": word, "reason": joined(list(reasons))}


def found(rows=None, verdicts=(), **more):
    rows = [effect(g) for g in GROUPS] if rows is None else rows
    tables = {"effects": table_of("effects", rows), "verdict": table_of("verdict", list(verdicts))}
    return finding(made(**tables, **more), EN, "work", None, "1")


def test_every_group_has_its_effect_interval_and_verdict():
    one = found(verdicts=[verdict("all", "robust", note("constant")), verdict("men", "fragile")])
    assert [line.group for line in one.lines] == list(GROUPS)
    assert [line.verdict for line in one.lines] == [
        "robust", "not assessed", "fragile", "not assessed",
    ]  # fmt: skip
    assert plain(one.lines[0].effect) == "10.0 percentage points"
    assert plain(one.lines[0].interval) == "2.0 to 18.0"
    assert one.verdict == "robust"


def test_without_verdicts_a_finding_is_not_assessed():
    assert found().verdict == "not assessed"


def test_what_they_had_less_the_effect_is_what_they_would_have_had():
    told = plain(found().sentences[0])
    assert "had 50.0 %" in told
    assert "would have had 40.0 %" in told
    assert "for those who took part" in told


@pytest.mark.parametrize(
    ("ends", "word", "told"),
    [
        ((0.02, 0.18), "robust", "the programme raised the outcome"),
        ((0.02, 0.18), "fragile", "not enough to say that the programme raised"),
        ((0.02, 0.18), "not assessed", "could not be assessed"),
        ((-0.18, -0.02), "robust", "the programme lowered the outcome"),
        ((-0.18, -0.02), "fragile", "not enough to say that the programme lowered"),
        ((-0.02, 0.18), "fragile", "do not settle the direction"),
    ],
)
def test_the_reading_depends_on_the_verdict_not_on_the_interval_alone(ends, word, told):
    rows = [effect(conf_low=ends[0], conf_high=ends[1])]
    assert told in found(rows, [verdict("all", word)]).sentences[0]


def test_reasons_of_all_are_told_once_and_those_of_others_by_name():
    shared, own = note("constant"), note("few")
    one = found(
        verdicts=[
            verdict("all", "fragile", shared),
            verdict("women", "fragile", shared, own),
            verdict("men", "fragile", shared, own),
        ]
    )
    assert len(one.reasons) == 2
    assert one.reasons[0][0].isupper()
    assert one.reasons[1].startswith("Women, men: ")


def test_a_raw_comparison_is_told_and_called_no_effect():
    rows = [effect(), effect(estimator="difference_in_means", estimate=-0.2, mean_control=0.7)]
    told = plain(found(rows).sentences[-1])
    assert "\u221220.0 percentage points" in told
    assert "70.0 % for the others" in told
    assert "no effect" in told
    table = table_of("effects", [effect()])
    assert raw(made(effects=table), EN, "work", None, "1") == ""


def test_a_group_without_an_estimate_says_why():
    gone = dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high"), np.nan)
    one = found([effect(), effect("men", note=note("constant"), **gone)])
    assert one.lines[1].effect.startswith("not estimated")
    assert one.lines[1].interval == ""


def test_the_gap_is_read_by_its_own_interval():
    open_gap = [effect(), effect("women-men", conf_low=-0.1, conf_high=0.3)]
    assert any("not settled" in s for s in found(open_gap).sentences)
    assert any("greater for women" in s for s in found([effect(), effect("women-men")]).sentences)
