"""Outcomes that compete: first entries, of the same months, named in the plan."""

import pytest

from evaluate.errors import Problems
from evaluate.plan.load import load_plan

PLAN = """\
title: {en: A, sv: B}
design: randomised
data:
  participants: {path: p.csv}
  spells: {path: s.csv, extract_date: "2020-06-30", states: {work: [1], away: [2], dead: [3]}}
columns:
  person: id
  treatment: {column: treat, control: 0}
  offered: day
outcomes:
  job:
    {spells: [work], measure: entered, months: [1, 12], unit: share, competing: [moved, died]}
  moved: {spells: [away], measure: entered, months: [1, 12], unit: share}
  died: {spells: [dead], measure: entered, months: [1, 12], unit: share}
  at_work: {spells: [work], months: [1, 12], unit: share}
  age: {column: age, unit: years}
"""


def loaded(tmp_path, old="", new=""):
    assert old in PLAN
    path = tmp_path / "p.yaml"
    path.write_text(PLAN.replace(old, new) if old else PLAN, encoding="utf-8")
    return load_plan(path)


def test_exits_are_named_by_the_entry_that_they_compete_with(tmp_path):
    plan = loaded(tmp_path)
    assert plan.outcomes["job"].competing == ["moved", "died"]
    assert plan.outcomes["moved"].competing == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[moved, died]", "[gone]", "outcomes.job.competing: `gone` is no other outcome with "
         "measure: entered; these are: moved, died"),
        ("[moved, died]", "[job]", "`job` is no other outcome"),
        ("[moved, died]", "[at_work]", "`at_work` is no other outcome"),
        ("died: {spells: [dead], measure: entered, months: [1, 12]",
         "died: {spells: [dead], measure: entered, months: [1, 6]", "`died` has other months"),
        ("months: [1, 12], unit: share}\n  age", "months: [1, 12], unit: share, "
         "competing: [died]}\n  age", "competing goes with measure: entered"),
        ("unit: years", "unit: years, competing: [died]",
         "competing goes with spells and measure: entered"),
        ("competing:", "competting:", "competting: unknown key. Did you mean `competing`"),
    ],
)  # fmt: skip
def test_says_what_cannot_compete(tmp_path, old, new, said):
    with pytest.raises(Problems, match=r"p\.yaml, line") as told:
        loaded(tmp_path, old, new)
    assert said in str(told.value)
