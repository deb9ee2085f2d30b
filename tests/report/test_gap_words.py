"""The gap in words: each reading by size and interval, in both languages, never `no difference`."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.notes import NOTES, note
from evaluate.plan.doses import Dose
from evaluate.report import gap_section, gap_words
from evaluate.report.words import Words, catalogue
from evaluate.schemas import GAP

EN, SV = Words("en"), Words("sv")
FORBIDDEN = re.compile(
    r"no difference|no gap|no effect|same effect|significan|ingen skillnad|signifikan|ingen effekt"
    r"|because women|because men|eftersom (kvinnor|män)|due to (gender|composition)",
    re.IGNORECASE,
)
CAUSAL = re.compile(r"\b(cause|caused|causes|explain|leads? to|orsak|beror på|förklar)", re.I)


def row(method, part, estimate=np.nan, error=np.nan, **more):
    z = 1.96
    return dict.fromkeys(GAP.columns, np.nan) | {
        "outcome": "work", "month": np.nan, "arm": "1", "method": method, "part": part,
        "covariate": np.nan, "dose": np.nan, "estimate": estimate, "std_error": error,
        "conf_low": estimate - z * error, "conf_high": estimate + z * error, "unit": "share",
        "note": np.nan,
    } | more  # fmt: skip


def composed(gap=0.05, same=0.04, error=0.01):
    return [
        row("reweighting", "gap", gap, error),
        row("reweighting", "same_composition", same, error),
        row("reweighting", "composition", gap - same, error),
        row("oaxaca_blinder", "gap", gap, error),
        row("oaxaca_blinder", "same_composition", same + 0.001, error),
        row("oaxaca_blinder", "composition", gap - same - 0.001, error),
        row("oaxaca_blinder", "composition", gap - same, 0.001, covariate="education"),
        row("oaxaca_blinder", "composition", 0.0, 0.01, covariate="age"),
    ]


def split(access=0.03, effect=0.01, error=0.01, dose="meetings"):
    own = {"dose": dose}
    unit = "meetings" if dose == "meetings" else "share"
    of_dose = own | {"unit": unit}
    return [
        row("access", "dose_women", 3.0, 0.1, **of_dose),
        row("access", "dose_men", 2.0, 0.1, **of_dose),
        row("access", "dose_gap", 1.0, 0.15, **of_dose),
        row("access", "per_unit_women", 0.02, 0.005, unit=f"share / {unit}", **own),
        row("access", "per_unit_men", 0.01, 0.005, unit=f"share / {unit}", **own),
        row("access", "access", access, error, note=note("through_dose"), **own),
        row("access", "effect_per_unit", effect, error, note=note("through_dose"), **own),
        row("access", "gap", access + effect, error, **own),
        row("access", "outcome_gap", 0.10, 0.02, **own),
        row("access", "without_programme", 0.06, 0.02, **own),
    ]


def timed(change=0.04, error=0.01):
    months = {"month_from": 1, "month_to": 6}
    later = {"month_from": 7, "month_to": 12}
    return [
        row("timing", "early", 0.01, error, **months),
        row("timing", "late", 0.01 + change, error, **later),
        row("timing", "late-early", change, error, month_from=1, month_to=12),
        row("timing", "opens", 8.0, unit="month", month_from=1, month_to=12),
    ]


def released(*rows):
    doses = {
        "meetings": Dose(
            column="m",
            unit="meetings",
            unit_title={"sv": "möten"},
            title={"en": "the number of meetings", "sv": "antalet möten"},
        )
    }
    outcome = SimpleNamespace(
        title={"en": "In work", "sv": "I arbete"}, unit="share", unit_title=None
    )
    plan = SimpleNamespace(analysis=SimpleNamespace(level=0.95), doses=doses,
                           outcomes={"work": outcome})  # fmt: skip
    return SimpleNamespace(
        plan=plan,
        gap=pd.DataFrame(list(rows), columns=list(GAP.columns)),
        arms=["1"],
        contrasts=["1"],
        covariate_title=lambda name, words: words.covariate(name),
        title=lambda outcome, language: plan.outcomes[outcome].title[language],
        unit=lambda outcome, language: "share",
        notes=lambda rows: [p for t in rows["note"].dropna() for p in t.split("; ")],
        marks=lambda row, notes: [],
    )


def told(rows, words=EN):
    made = released(*rows)
    found = gap_words.paragraphs(made.gap, made, words)
    return [text.replace("\u00a0", " ") for text in found]


def test_what_is_settled_is_said_with_its_size_and_interval():
    composition, access, timing, end = told([*composed(), *split(), *timed()])
    assert "The effect is 5.0 percentage points greater for women than for men" in composition
    assert "At the same composition (education, age) the effect is 4.0 percentage points" in (
        composition
    )
    assert "3.0 to 7.0" in composition
    assert "excludes zero for education (1.00 percentage points)" in composition
    assert "It does not say what would become of the gap" in composition
    assert "changed the number of meetings by 3.00 meetings for women and by 2.00" in access
    assert "If it works through the number of meetings alone, unequal access makes 3.0" in access
    assert "In months 1 to 6" in timing
    assert "4.0 percentage points higher in the later months" in timing
    assert "From month 8 on" in timing
    assert end.startswith("What the data settle: that the effect is greater for women; ")


def test_what_is_open_is_said_from_end_to_end():
    wide = [*composed(error=0.05), *split(error=0.05), *timed(error=0.05)]
    *parts, end = told(wide)
    assert "the data fit anything from −4.8 to 14.8 percentage points" in parts[0]
    assert "anything from −6.8 to 12.8 percentage points" in parts[1]
    assert "Whether it opens early or late is not settled" in parts[2]
    assert end.startswith("The data settle none of these questions. What they leave open: ")
    assert "has not been shown to be zero" in end


def test_a_lower_effect_for_women_is_said_to_be_smaller():
    composition, *_, end = told(composed(gap=-0.05, same=-0.04))
    assert "5.0 percentage points smaller for women" in composition
    assert "that the effect is smaller for women" in end


def test_swedish_says_the_same_with_its_marks():
    composition, access, timing, end = told([*composed(), *split(), *timed()], SV)
    assert "Effekten är 5,0 procentenheter större för kvinnor än för män" in composition
    assert "ändrade antalet möten med 3,00 möten för kvinnor" in access
    assert "Under månaderna 1 till 6 är" in timing
    assert end.startswith("Vad data avgör: att effekten är större för kvinnor; ")


def test_levels_are_told_once_for_several_doses():
    text = " ".join(told([*split(), *split(dose="takeup")]))
    assert text.count("Without the programme") == 1
    assert "takes for given that the programme works through it alone" in text


@pytest.mark.parametrize("words", [EN, SV], ids=["en", "sv"])
@settings(max_examples=60)
@given(
    estimates=st.lists(st.floats(-0.3, 0.3), min_size=5, max_size=5),
    error=st.floats(0.001, 0.3),
)
def test_every_reading_goes_by_its_interval(words, estimates, error):
    gap, same, access, effect, change = estimates
    rows = [*composed(gap, same, error), *split(access, effect, error), *timed(change, error)]
    *_, end = told(rows, words)
    said = re.split(r"; |: |\. ", end)
    text = " ".join(told(rows, words))
    assert not FORBIDDEN.search(text)
    assert not re.search(r"[{}]|\bnan\b|–", text)
    parts = {"gap": gap, "same_composition": same, "composition": gap - same, "access": access,
             "effect_per_unit": effect, "late-early": change}  # fmt: skip
    dose = gap_words.dose_title("meetings", released(), words)
    for part, value in parts.items():
        low, high = value - 1.96 * error, value + 1.96 * error
        settled = low > 0 or high < 0
        assert (words(f"gap.open.{part}", dose=dose) in said) != settled
        if settled:
            state = "above" if low > 0 else "below"
            assert words(f"gap.settled.{part}.{state}", dose=dose) in said


def test_nothing_is_said_of_composition_as_a_cause():
    for words in (EN, SV):
        text = told(composed(), words)[0]
        assert not CAUSAL.search(text), CAUSAL.search(text)


def test_what_could_not_be_estimated_says_why():
    rows = [
        row("reweighting", "gap", 0.05, 0.1),
        row("reweighting", "same_composition", note=note("gap_nothing")),
        row("access", "access", note=note("no_dose"), dose=""),
        row("timing", "late-early", note=note("gap_one_month")),
    ]
    composition, access, timing, _ = told(rows)
    assert "could not be given the same composition (nothing in the composition" in composition
    assert "names no dose" in access
    assert timing == (
        "Nothing can be said of early or late (the outcome is measured at one time only)."
    )


def test_a_weak_dose_is_not_split():
    weak = f"{note('through_dose')}; {note('dose_weak', f='2.1')}"
    rows = [
        r | {"conf_low": np.nan, "conf_high": np.nan, "note": weak}
        if r["part"] in ("access", "effect_per_unit") else r
        for r in split()
    ]  # fmt: skip
    (access,) = told(rows)
    assert "could not be split by the number of meetings (the programme changed the dose too" in (
        access
    )
    assert "unequal access makes" not in access


def test_a_withheld_table_says_nothing():
    gone = [r | {"estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan} for r in composed()]
    assert not any(re.search(r"\d", text) for text in told(gone))
    assert told([]) == []


def test_a_gap_that_never_opens_is_not_said_to_be_none():
    rows = timed(error=0.1)[:3]
    rows.append(row("timing", "opens", note=note("gap_never"), unit="month"))
    text = told(rows)[0]
    assert "which does not show that there is no gap" in text


def test_the_table_has_the_units_of_the_plan():
    made = released(*composed(), *split(), *timed())
    (section,) = gap_section.context(made, SV)
    lines = {line.title: line for block in section.blocks for line in block.lines}
    plain = {t: line.estimate.replace("\u00a0", " ") for t, line in lines.items()}
    assert section.title.startswith("I arbete")
    assert plain["Effekt på dosen (möten), kvinnor minus män"] == "1,00 möten"
    assert plain["Effekt av varje enhet av dosen, kvinnor"] == "2,00 procentenheter / möten"
    assert plain["därav education"] == "1,00 procentenheter"
    assert plain["Senare: månaderna 7 till 12"] == "5,0 procentenheter"
    assert [b.title for b in section.blocks][2] == "Tillgång mot effekt: antalet möten"


def test_lines_without_an_estimate_say_why():
    made = released(
        row("access", "access", note=NOTES["no_dose"], dose=""), row("reweighting", "gap")
    )
    (section,) = gap_section.context(made, EN)
    lines = [line for block in section.blocks for line in block.lines]
    assert [line.estimate for line in lines] == ["not estimated", "withheld"]


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_texts_never_take_what_is_open_for_nothing(language):
    texts = {k: t for k, t in catalogue(language).items() if k.startswith("gap.")}
    assert texts
    said = {k for k, t in texts.items() if FORBIDDEN.search(t)}
    assert said <= {"gap.says.never"}  # "does not show that there is no gap"
