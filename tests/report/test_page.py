"""The report of programmes of many kinds: each goes down the road, and the page shows it."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import studies
from studies import (
    NOTEBOOKS,
    evaluated,
    people,
    plan_for,
    run_notebook_code,
    write_study,
    write_swedish,
)

from evaluate.report.page import CHAPTERS
from evaluate.report.words import Words

from .conftest import COSTS, GENDER, TREATMENT

BASE = {"person": "id", "gender": GENDER, "treatment": TREATMENT}


def three_arms():
    columns = BASE | {"treatment": TREATMENT | {"arms": [1, 2]}}
    return plan_for("kind", columns=columns), people(240, arms=3)


def three_arms_with_blocks():
    columns = BASE | {"treatment": TREATMENT | {"arms": [1, 2]}, "blocks": ["site"]}
    estimators = ["fixed_effects", "ancova", "lin", "difference_in_means"]
    analysis = {"estimators": estimators, "permutations": 99}
    plan = plan_for("kind", columns=columns, covariates=["age"], analysis=analysis)
    return plan, people(240, arms=3)


def waves():
    outcomes = {
        "earn": {"columns": {6: "earn6", 12: "earn12"}, "unit": "SEK per month", "role": "primary"}
    }
    return plan_for("kind", outcomes=outcomes), people()


def waves_of_offers():
    first, later = people(200, seed=11), people(120, seed=12)
    again = first[first["treat"] == 0].head(60).assign(treat=lambda f: [0, 1] * 30)
    frame = pd.concat([first.assign(wave=1), later.assign(wave=2), again.assign(wave=2)])
    return plan_for("kind", columns=BASE | {"wave": "wave"}, covariates=["age"]), frame


def weights():
    return plan_for("kind", columns=BASE | {"weight": "w"}), people()


def takeup_and_a_figure_per_offer():
    columns = BASE | {"takeup": {"column": "attended", "taken": 1}}
    return plan_for("kind", columns=columns, costs=COSTS | {"per": "offer"}), people()


def costs_by_column():
    costs = {k: v for k, v in COSTS.items() if k != "amount"} | {"column": "spent"}
    return plan_for("kind", costs=costs), people()


def costs_by_arm():
    columns = BASE | {"treatment": TREATMENT | {"arms": [1, 2]}}
    costs = COSTS | {"amount": {1: 1000, 2: 2000}, "per": "offer"}
    return plan_for("kind", columns=columns, costs=costs), people(240, arms=3)


def women_only():
    frame = people()
    return plan_for("kind", columns=BASE | {"gender": "women"}), frame[frame["sex"] == "F"]


def no_gender():
    columns = {"person": "id", "treatment": TREATMENT}
    return plan_for("kind", columns=columns, groups=["site"]), people()


def no_person_key():
    return plan_for("kind", columns={k: v for k, v in BASE.items() if k != "person"}), people()


def arms_with_names():
    frame = people(240, arms=3)
    frame["treat"] = frame["treat"].map({0: "none", 1: "course", 2: "course-and-pay"})
    treatment = {"column": "treat", "control": "none", "arms": ["course", "course-and-pay"]}
    return plan_for("kind", columns=BASE | {"treatment": treatment}, costs=COSTS), frame


def common_slopes_and_another_level():
    analysis = {"slopes": "shared", "level": 0.9, "std_error": "HC3", "permutations": 99}
    return plan_for("kind", covariates=["age", "education"], analysis=analysis), people()


def missing_values_everywhere():
    frame = people(300)
    columns = BASE | {"takeup": {"column": "attended", "taken": 1}}
    for i, name in enumerate(("sex", "attended", "age", "education", "work", "earn0", "site")):
        frame[name] = frame[name].astype(object).mask(frame.index % 40 == i)
    covariates = ["age", "education", "site"]
    return plan_for("kind", columns=columns, covariates=covariates, costs=COSTS), frame


KINDS = {
    three_arms: ["Arm 1", "Arm 2", "Arm 1 against arm 2"],
    three_arms_with_blocks: ["drawn within blocks (site)", "fixed effects", "ovariance"],
    waves: ["earn, month 12", "Month by month"],
    waves_of_offers: [
        "380 person-waves are in the study",
        "= 380 person-waves in the study",
        "The effects rest on 320 persons",
        "Person-waves, offered",
    ],
    weights: ["weighted by w"],
    takeup_and_a_figure_per_offer: ["effect of taking part", "Cost per additional unit"],
    costs_by_column: ["Cost per additional unit"],
    costs_by_arm: ["1,000 SEK", "2,000 SEK"],
    women_only: ["The programme has women only"],
    no_gender: ["names no gender", "site: north, south"],
    no_person_key: ["Women less men"],
    arms_with_names: ["Arm course", "course-and-pay"],
    common_slopes_and_another_level: ["90 % interval", "share the slopes", "HC3"],
    missing_values_everywhere: ["replaced by the mean", "sex missing"],
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_programme_of_any_kind_has_its_report_and_notebooks(tmp_path, kind):
    plan, frame = kind()
    found = evaluated(tmp_path, "kind", plan, frame)
    text = found.text("en").replace("\u00a0", " ")
    for expected in KINDS[kind]:
        assert expected in text, expected
    assert found.text("sv")
    for page in found.results.glob("report.*.html"):
        html = page.read_text(encoding="utf-8")
        words = re.sub(r"<(style|code|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
        assert not re.search(r"\b(nan|None|NaN|inf|undefined|&lt;NA&gt;)\b", words), page.name
        assert html.count("<table") == html.count("</table>")
    lead = found.table("effects")
    lead = lead[(lead["estimand"] == "itt") & (lead["group"] == "all")]
    lead = lead[lead["estimator"].isin(found.plan.estimators)]
    assert lead["estimate"].notna().all()
    for notebook in NOTEBOOKS:
        run_notebook_code(found.results, notebook)


def test_a_swedish_file_of_windows_gives_the_same_numbers_as_a_plain_one(tmp_path):
    frame = people()
    frame["lön"] = frame["earn12"] + 0.25
    outcomes = {"lön": {"column": "lön", "unit": "SEK", "role": "primary"}}
    plan = plan_for("plain", outcomes=outcomes)
    plain = evaluated(tmp_path, "plain", plan, frame).table("effects")
    plan = plan_for("svensk", outcomes=outcomes)
    write_study(tmp_path, {"svensk": plan})
    write_swedish(tmp_path / "data/raw/svensk/p.csv", frame)
    swedish = evaluated(tmp_path, "svensk", plan, None).table("effects")
    pd.testing.assert_frame_equal(swedish, plain)


def results_of(rows):
    """Return what a row says of persons: everything that depends on their data."""
    names = ["estimate", "std_error", "conf_low", "conf_high", "p_value", "n", "n_treated"]
    return rows[[*names, "n_control", "mean_treated", "mean_control"]]


def test_three_men_with_an_offer_are_withheld_from_tables_and_listed(small):
    effects = small.table("effects").set_index("group")
    for group in ("men", "women", "women-men"):
        assert results_of(effects.loc[[group]]).isna().all().all(), group
        assert effects.loc[[group], "note"].str.startswith("withheld").all()
    assert results_of(effects.loc[["all"]]).notna().all().all()
    listed = json.loads((small.results / "disclosure.json").read_text(encoding="utf-8"))
    rows = {(e["table"], e["row"].get("group")) for e in listed["withheld"]}
    assert {("effects", "men"), ("effects", "women-men"), ("balance", "men")} <= rows
    flow = small.table("flow").set_index("step")
    assert flow.loc[["included"], "arm=1"].notna().all()
    balance = small.table("balance").set_index("group")
    assert balance.loc[["men"], ["mean_treated", "smd"]].isna().all().all()
    costs = small.table("cost_effectiveness").set_index("group")
    assert costs.loc[["men"], ["effect", "incremental_cost", "icer"]].isna().all().all()


@pytest.mark.parametrize("language", ["en", "sv"])
def test_three_men_with_an_offer_are_nowhere_in_the_report(small, language):
    words, text = Words(language), small.text(language)
    exact = small.exact("effects")
    hidden = exact[exact["group"].isin(["men", "women", "women-men"])]
    shown = exact[exact["group"] == "all"]

    def told(rows):
        found = set()
        for row in rows.to_dict("records"):
            for error in (row["std_error"], shown["std_error"].min()):
                found.add(words.effect(row["estimate"], row["unit"], error))
                found.add(words.interval(row["conf_low"], row["conf_high"], row["unit"], error))
        return {" ".join(value.split()) for value in found} - {words.number(None)}

    assert told(shown) & {value for value in told(shown) if value in text}
    assert not [value for value in told(hidden) - told(shown) if value in text]
    assert words("page.withheld") in text


def test_notebooks_run_where_cells_are_withheld(small):
    for notebook in NOTEBOOKS:
        run_notebook_code(small.results, notebook)


def test_every_effect_of_the_lead_estimator_is_in_the_report(full):
    text = full.text("en")
    effects = full.table("effects")
    rows = effects[(effects["group"] != "all") & ~effects["group"].str.contains("=")]
    rows = rows[(rows["outcome"] != "earn") | (rows["month"] == 12)]
    words = Words("en")
    for row in rows.to_dict("records"):
        shown = words.interval(row["conf_low"], row["conf_high"], row["unit"], row["std_error"])
        assert " ".join(shown.split()) in text, (row["outcome"], row["arm"], row["group"], shown)


def test_the_report_says_what_is_simulated_where_from_and_under_which_licence(full):
    assert "Simulated data. No person in this report exists." in full.text("en")
    assert "Drawn at random" in full.text("en")
    assert "MIT" in full.text("en")
    assert "Slumpade" in full.text("sv")


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_chapter_of_a_simulated_programme_says_so(full, language):
    html = (full.results / f"report.{language}.html").read_text(encoding="utf-8")
    label = Words(language)("simulated_short")
    chapters = re.findall(r"<h2>.*?</h2>", html)
    assert len(chapters) == len(CHAPTERS)
    assert all(label in chapter for chapter in chapters)
    assert f'<p class="running" aria-hidden="true">{label}</p>' in html  # on every printed page


def test_real_data_are_not_called_simulated(tmp_path):
    found = evaluated(tmp_path, "real", plan_for("real", simulated=False), people(120))
    assert "Simulated" not in found.text("en").replace("Simulated programme real", "")
    told = json.loads((found.results / "provenance.json").read_text(encoding="utf-8"))
    assert told["simulated"] is False


def test_titles_with_marks_of_html_are_text(tmp_path):
    title = {"en": "A <b>bold</b> & new plan", "sv": "<script>alert(1)</script>"}
    frame = people(120)
    frame["site"] = np.where(frame["site"] == "north", "<i>north</i>", "south & west")
    plan = plan_for("marks", title=title, groups=["site"], covariates=["site"])
    found = evaluated(tmp_path, "marks", plan, frame)
    for language in ("en", "sv"):
        html = (found.results / f"report.{language}.html").read_text(encoding="utf-8")
        assert "<b>bold" not in html
        assert "<script" not in html
        assert "<i>north" not in html


@pytest.mark.parametrize("arms", [2, 3])
def test_a_gender_with_nobody_in_an_arm_has_empty_rows_and_a_report(tmp_path, arms):
    frame = people(240, seed=8, arms=arms)
    frame.loc[frame["sex"] == "M", "treat"] = 1
    columns = {
        "person": "id",
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "treat", "control": 0, "arms": list(range(1, arms))},
    }
    plan = plan_for("gap", columns=columns, covariates=["age"])
    found = evaluated(tmp_path, "gap", plan, frame)
    rows = found.table("effects").query("estimand == 'itt' and arm == '1'")
    told = rows.set_index(["estimator", "group"])["estimate"]
    assert told.xs("men", level="group").isna().all()
    assert told.xs("women-men", level="group").isna().all()
    assert told.xs("women", level="group").notna().all()


def test_a_weak_first_stage_is_said_in_the_summary(tmp_path):
    frame = people(240, seed=9)
    frame["attended"] = (frame.index % 9 == 0).astype(int)
    columns = {
        "person": "id",
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "treat", "control": 0},
        "takeup": {"column": "attended", "taken": 1},
    }
    found = evaluated(tmp_path, "weak", plan_for("weak", columns=columns), frame)
    text = studies.text_of(found.results / "report.en.html")
    assert "The effect of taking part cannot be told reliably: " in text
