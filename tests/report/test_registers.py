"""Chapter 1 on the linked tables: decisions on rows, who is observed, who got what, where."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from studies import run_notebook_code

from evaluate.plan.model import Plan
from evaluate.report import dose, registers
from evaluate.report.released import read_released
from evaluate.report.words import MINUS, Words

from .linked import linked as linked_programme
from .linked import linked_plan

EN, SV = Words("en"), Words("sv")


@pytest.fixture
def programme(linked):
    return linked


@pytest.fixture
def study(programme, monkeypatch):
    """Stand in the folder of the study, where its codebooks are."""
    monkeypatch.chdir(programme.results.parents[1])
    return read_released(programme.plan, programme.results, "en")


def words_of(programme, language="en"):
    text = programme.text(language).replace("\u00a0", " ").replace("\u202f", " ")
    return re.sub(r"\s+", " ", text)


def section(programme, name, language="en"):
    html = (programme.results / f"report.{language}.html").read_text(encoding="utf-8")
    found = re.search(rf'<section id="{name}".*?</section>', html, flags=re.DOTALL)[0]
    found = re.sub(r"<svg.*?</svg>", " ", found, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found).replace("\u00a0", " "))


def test_rows_received_are_those_kept_and_rejected_in_every_table(programme):
    text = words_of(programme)
    cleaning = programme.table("cleaning")
    assert set(cleaning["table"]) == {"spells", "activities", "incomes"}
    for name, rows in cleaning.groupby("table"):
        n = {
            step: int(rows.loc[rows["step"] == step, "n"].iloc[0]) for step in ("received", "kept")
        }
        rejected = rows.loc[rows["step"] == "excluded", "n"].sum()
        assert n["received"] == n["kept"] + rejected
        said = f"{n['received']:,} rows received = {n['kept']:,} kept + {rejected:,} rejected."
        assert f"{name.capitalize()}: {said}" in text


def test_every_decision_is_told_with_its_rows_of_all_women_and_men(programme):
    text = section(programme, "data")
    for row in programme.table("cleaning").to_dict("records"):
        if row["step"] == "noted":
            start = f"of these noted {row['reason']}"
        elif row["step"] == "excluded":
            start = f"rejected {row['reason']}"
        else:
            start = row["step"]
        assert f"{start} {row['n']:,} {row['women']:,} {row['men']:,}" in text


def test_decisions_are_told_in_swedish(programme):
    text = section(programme, "data", "sv")
    assert "avvisade exakt dubblett" in text
    assert "varav noterade överlappar en period som går före: förkortad" in text
    assert "mottagna rader =" in text


def test_reasons_of_few_persons_are_told_together_with_what_is_left_for_them(study):
    cleaning = study.cleaning.copy()
    spells = (cleaning["table"] == "spells") & (cleaning["step"] == "excluded")
    few = cleaning.index[spells][:2]
    left = cleaning.loc[few, "n"].sum()
    cleaning.loc[few, ["n", "women", "men"]] = pd.NA
    (part, *_) = registers.cleaning(study.__class__(**{**vars(study), "cleaning": cleaning}), EN)
    (row,) = (r for r in part.rows if "not shown one by one" in str(r["reason"]))
    assert row["n"] == left
    assert row["reason"].startswith("exact duplicate; ends before it starts (")
    assert sum(r["n"] for r in part.rows if r["step"] != "received") == part.rows[0]["n"]
    assert "exact duplicate" not in [r["reason"] for r in part.rows]


def test_withheld_counts_leave_no_sum_but_say_so(study):
    cleaning = study.cleaning.copy()
    cleaning.loc[cleaning["step"] == "kept", "n"] = pd.NA
    told = registers.cleaning(study.__class__(**{**vars(study), "cleaning": cleaning}), EN)
    assert {part.sentence.split(": ")[1] for part in told} == {
        "the number of rows received or kept is withheld, so the sum cannot be shown."
    }


def test_a_codebook_that_nobody_confirmed_is_told_twice(programme):
    assert "example_states spells Made up for this test to be confirmed by the user" in section(
        programme, "data"
    )
    assert "codebooks that nobody has confirmed (example_states)" in section(programme, "limits")
    assert "ska bekräftas av användaren" in section(programme, "data", "sv")


def test_a_codebook_without_its_file_is_told_and_stops_nothing(study, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (book,) = registers.books(study, EN)
    assert (book.name, book.status, book.is_open) == ("example_states", "missing", True)
    assert registers.state_names(study, EN)["registered"] == "Registered"


def test_states_are_named_as_their_outcome_or_by_the_codebook(study):
    english, swedish = (registers.state_names(study, words) for words in (EN, SV))
    assert list(english) == list(dict.fromkeys(study.states["state"]))
    assert english["unsubsidised_work"] == "In unsubsidised work"
    assert swedish["unsubsidised_work"] == "I osubventionerat arbete"
    assert swedish["registered"] == "Inskriven arbetslös"
    assert english["subsidised_work"] == "Subsidised work"
    assert swedish["none"] == "Inte inskriven"


def test_a_kind_is_named_by_its_only_code(study):
    assert registers._named("meetings", ["M"], {"M": "möten"}) == "Möten"
    assert registers._named("meetings", ["M", "N"], {"M": "möten"}) == "Meetings"
    assert registers._named("M", None, {"M": "möten"}) == "Möten"
    assert registers.kind_names(study, SV)["all"] == "Alla slag tillsammans"


def test_the_extract_date_is_printed_with_what_it_means(programme):
    text = section(programme, "data")
    assert "months after the extract date are missing, not zero" in text
    assert "Spells, activities: extracted on 2021-06-30" in text
    assert "Incomes: extracted on 2021-05-31" in text
    assert "Month 1 begins on the day of the offer" in text


def test_the_persons_observed_are_those_of_states_and_effects(programme, study):
    seen = registers.observed(study, EN)
    states, effects = programme.table("states"), programme.table("effects")
    for row in seen[seen["row"] == "Spells"].to_dict("records"):
        same = states[(states["month"] == row["month"]) & (states["arm"] == row["arm"])]
        assert set(same.loc[same["group"] == row["group"], "n"]) == {row["n"]}
    income = effects[(effects["outcome"] == "income") & (effects["estimand"] == "itt")]
    incomes = seen[seen["row"] == "Incomes"].set_index(["month", "arm", "group"])["n"]
    assert len(incomes) == 18 * 2 * 3
    for row in income[income["group"] != "women-men"].to_dict("records"):
        assert incomes[row["month"], "1", row["group"]] == row["n_treated"]
        assert incomes[row["month"], "0", row["group"]] == row["n_control"]
    assert incomes[18, "1", "all"] < incomes[1, "1", "all"]  # not yet observed, not zero
    text = section(programme, "data")
    assert "Spells, persons observed at month 12: control 320 of 320, offered 320 of 320." in text


@pytest.mark.parametrize("words", [EN, SV], ids=["en", "sv"])
def test_a_sentence_on_the_dose_has_the_numbers_of_the_table(programme, study, words):
    table = programme.table("dose").query("month == 0")
    table = table.set_index(["kind", "arm", "group"]).sort_index()
    said = dose.sentences(study, words)
    assert len(said) == 3  # meetings, referrals, both together
    names = registers.kind_names(study, words)
    for kind in ("meetings", "referrals", "all"):
        (sentence,) = (s for s in said if s.startswith(names[kind]))
        digits = 1 if table.xs(kind)["mean"].max() >= 2 else 2
        expected = []
        for arm in ("0", "1"):
            mean = {g: table.loc[(kind, arm, g), "mean"] for g in ("women", "men", "women-men")}
            assert mean["women-men"] == pytest.approx(mean["women"] - mean["men"])
            gap = table.loc[(kind, arm, "women-men")]
            expected += [*mean.values(), gap["conf_low"], gap["conf_high"]]
        told = sentence.replace("95\u00a0%", "").replace("95 %", "").partition(":")[2]
        mark = "," if words is SV else "."
        found = re.findall(rf"{MINUS}?\d+\{mark}\d+", told)
        assert found == [words.number(number, digits) for number in expected]


def test_the_dose_claims_nothing_of_its_effect(programme):
    text = section(programme, "data")
    assert "This is what was done, not what it led to." in text
    assert not re.search(r"because of (meetings|activities)|led to (more|less)", text)


def test_few_kinds_are_told_one_by_one_and_many_together(study):
    assert [s.split(",")[0] for s in dose.summary(study, EN)] == ["Meetings", "Referrals"]
    many = [study.dose.query("kind == 'meetings'").assign(kind=f"K{i}") for i in range(12)]
    scaled = [t.assign(mean=t["mean"] * (i + 1)) for i, t in enumerate(many)]
    table = pd.concat([*scaled, study.dose.query("kind == 'all'")], ignore_index=True)
    other = study.__class__(**{**vars(study), "dose": table})
    assert [s.split(",")[0] for s in dose.summary(other, EN)] == ["All kinds together"]
    assert dose.kinds_to_show(other) == [f"K{i}" for i in range(4, 12)]
    assert len(dose.totals(other, EN)) == 13 * 2  # the table has them all


def test_a_withheld_dose_is_told_so(study):
    table = study.dose.copy()
    by_gender = table["group"] != "all"
    table.loc[by_gender, ["mean", "conf_low", "conf_high", "share_any"]] = np.nan
    other = study.__class__(**{**vars(study), "dose": table})
    for sentence in dose.sentences(other, EN):
        assert sentence.count("(numbers of women and men withheld)") == 2
        assert "nan" not in sentence


def test_shares_of_the_states_are_in_their_table(programme):
    text = section(programme, "data")
    states = programme.table("states").query("month == 12 and group in ['women', 'men']")
    for name, rows in states.groupby("state", sort=False):
        told = [
            "withheld" if pd.isna(s) else f"{100 * s:.1f} %"
            for s in rows.sort_values("arm", kind="stable")["share"]
        ]
        named = {"unsubsidised_work": "In unsubsidised work", "registered": "Registered unemployed"}
        if name in named:
            assert f"{named[name]} {' '.join(told)}" in text


def test_months_before_the_offer_are_called_so(programme):
    effects = section(programme, "effects")
    assert "Show the numbers of all months" in effects
    assert f" {MINUS}3 " in effects
    assert "the months rest on 319 to 640 persons" in effects
    assert effects.count("What is shaded lies before the offer") == 1  # of work, not of income
    design = section(programme, "design")
    assert "Show every check of every group, block and month" in design
    assert "In unsubsidised work, month 15" in design


KINDS = {"arms": {"arms": 2, "n": 420}, "nobody": {"gender": False, "n": 160}, "few": {"n": 80}}


@pytest.fixture(scope="module", params=KINDS, ids=list(KINDS))
def kind(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return linked_programme(folder, request.param, **KINDS[request.param])


def test_a_linked_programme_of_any_kind_has_its_report_and_notebooks(kind):
    for page in kind.results.glob("report.*.html"):
        html = page.read_text(encoding="utf-8")
        words = re.sub(r"<(style|code|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
        assert not re.search(r"\b(nan|None|NaN|inf|undefined|&lt;NA&gt;)\b", words), page.name
        assert html.count("<table") == html.count("</table>")
        assert len(html) < 3_000_000
    names = run_notebook_code(kind.results, "1_data")
    assert set(names.by_table) == {"spells", "activities", "incomes"}
    for notebook in ("2_design", "3_effects", "4_heterogeneity", "5_costs"):
        run_notebook_code(kind.results, notebook)


def test_the_report_holds_no_count_of_persons_behind_rows(kind):
    assert "persons" not in kind.table("cleaning")
    assert "n_any" not in kind.table("dose")
    few = kind.exact("cleaning")
    few = few[(few["persons"] < 5) & (few["persons"] > 0)]
    shown = kind.table("cleaning").loc[few.index]
    assert shown["n"].isna().all()


def test_rounded_counts_are_said_to_be_rounded(tmp_path):
    limits = {"min_cell": 5, "round_to": 10, "dominance": {"k": 1, "percent": 80}}
    found = linked_programme(tmp_path, "rounded", n=300, disclosure=limits)
    assert "Counts are rounded to the nearest 10" in section(found, "data")
    assert (found.table("cleaning")["n"].dropna() % 10 == 0).all()
    run_notebook_code(found.results, "1_data")


def test_a_notebook_stops_where_rows_do_not_add_up(programme, tmp_path):
    results = shutil.copytree(programme.results, tmp_path / "results")
    path = results / "tables" / "cleaning.csv"
    table = pd.read_csv(path)
    table.loc[table["step"] == "kept", "n"] += 1
    table.to_csv(path, index=False)
    with pytest.raises(AssertionError, match="rows of a register do not reconcile"):
        run_notebook_code(results, "1_data")


def test_the_plan_of_the_example_is_valid():
    Plan.model_validate(linked_plan("example", arms=2))
