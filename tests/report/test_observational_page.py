"""The report of a simulated programme that nobody drew, as a reader finds it, in both languages."""

import contextlib
import re
import shutil

import pandas as pd
import pytest
from studies import NOTEBOOKS, evaluated, run_notebook_code, text_of

from evaluate.report.index import write_index
from evaluate.report.words import Words

from .observational import observed, plan_of

OFFER = {"en": r"\boffer|randomis", "sv": r"erbjud|randomiser"}
HEADINGS = (
    "trial.title", "graph.title", "propensity.title", "overlap.title", "design.balance_title",
    "specifications.title", "refutations.title", "strength.title",
)  # fmt: skip


@pytest.fixture(scope="module")
def programme(tmp_path_factory):
    plan = plan_of("watched", analysis={
        "propensity": {"model": "logit"}, "permutations": 199,
        "cross_fitting": {"splits": 1, "folds": 2, "learner": "linear"},
    })  # fmt: skip
    plan["outcomes"] = {k: v for k, v in plan["outcomes"].items() if k != "earn"}
    return evaluated(tmp_path_factory.mktemp("watched"), "watched", plan, observed(600))


def plain(text):
    return text.replace("\u00a0", " ")


def body(text):
    """Return the words of a report but for the names of files at its end."""
    return text[: text.rindex("disclosure.json")]


@pytest.mark.parametrize("language", ["en", "sv"])
def test_nothing_is_said_of_an_offer_or_a_lottery_that_decided(programme, language):
    text = body(programme.text(language))
    found = re.findall(rf".{{40}}(?:{OFFER[language]}).{{40}}", text, re.IGNORECASE)
    assert not found
    assert not re.search(r"assigned by lottery|lottades till", text)


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_part_has_its_heading_and_no_value_is_raw(programme, language):
    html = (programme.results / f"report.{language}.html").read_text(encoding="utf-8")
    words, text = Words(language, "observational"), programme.text(language)
    for key in HEADINGS:
        assert words(key) in text, key
    said = re.sub(r"<(style|code|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    assert not re.search(r"\b(nan|None|NaN|inf|undefined|&lt;NA&gt;)\b", said)
    assert html.count("<table") == html.count("</table>")


def test_the_verdict_comes_first_and_beside_every_group(programme):
    html = (programme.results / "report.en.html").read_text(encoding="utf-8")
    summary = html[html.index('id="summary"') : html.index('id="data"')]
    verdict = programme.table("verdict")
    assert len(verdict) == 4
    words = [w.replace(" ", "-") for w in verdict["verdict"]]
    found = re.findall(r'class="judged ([a-z-]+)"', summary)
    assert found == [words[0], *words]
    assert summary.index('class="judged') < summary.index("raw comparison")


def test_the_numbers_of_the_summary_are_those_of_the_tables(programme):
    text, words = plain(programme.text()), Words("en", "observational")
    effects = programme.table("effects")
    lead = effects[(effects["estimator"] == "aipw") & (effects["outcome"] == "work")]
    for row in lead.to_dict("records"):
        assert plain(words.effect(row["estimate"], row["unit"], row["std_error"])) in text
    raw = effects[(effects["estimator"] == "difference_in_means") & (effects["group"] == "all")]
    raw = raw[raw["outcome"] == "work"].iloc[0]
    said = plain(words.effect(raw["estimate"], raw["unit"], raw["std_error"]))
    assert f"A raw comparison would have said {said}" in text


def test_effects_are_called_what_they_are(programme):
    text = programme.text()
    assert "Effect for those who took part (ATT), doubly robust (AIPW)" in text
    assert "Coefficient of taking part, linear regression" in text
    assert "Raw comparison, which is no effect" in text


def test_a_withheld_verdict_is_not_assessed(programme, tmp_path):
    from evaluate.report.page import write_report

    results = tmp_path / "watched"
    shutil.copytree(programme.results, results)
    for name in ("verdict", "specifications", "refutations", "sensitivity", "graph"):
        path = results / "tables" / f"{name}.csv"
        pd.read_csv(path, nrows=0).to_csv(path, index=False)
    write_report(programme.plan, results, "en", ["en"], results / "report.en.html")
    text = text_of(results / "report.en.html")
    assert "Verdict: not assessed" in text
    assert "fragile" not in text[: text.index("1. Data", 2000)]


def test_notebooks_make_the_numbers_again(programme):
    for notebook in NOTEBOOKS:
        run_notebook_code(programme.results, notebook)


@pytest.mark.parametrize(
    ("notebook", "table", "column", "where"),
    [
        ("2_design", "overlap", "kept", {}),
        ("2_design", "overlap", "effective", {}),
        ("2_design", "balance", "smd", {"weights": "ipw", "group": "all"}),
        ("2_design", "propensity_histogram", "n", {}),
        ("3_effects", "sensitivity", "value", {"method": "e_value"}),
        ("3_effects", "sensitivity", "value", {"method": "robustness_value"}),
        ("3_effects", "specifications", "estimate", {"lead": True}),
    ],
)
def test_a_number_that_does_not_follow_stops_the_notebook(
    programme, tmp_path, notebook, table, column, where
):
    results = tmp_path / "results"
    shutil.copytree(programme.results, results)
    path = results / "tables" / f"{table}.csv"
    rows = pd.read_csv(path, dtype={"arm": str, "month": "Int64"})
    chosen = rows[column].notna()
    for name, value in where.items():
        chosen &= rows[name] == value
    assert chosen.any()
    rows[column] = rows[column].astype(float)
    rows.loc[chosen.idxmax(), column] += 1000
    rows.to_csv(path, index=False)
    with pytest.raises(AssertionError):
        run_notebook_code(results, notebook)


def test_a_verdict_that_its_own_interval_denies_stops_the_notebook(programme, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(programme.results, results)
    path = results / "tables" / "verdict.csv"
    rows = pd.read_csv(path, dtype=str).assign(verdict="robust", reason="nothing")
    rows.to_csv(path, index=False)
    with pytest.raises(AssertionError):
        run_notebook_code(results, "3_effects")


def test_the_list_of_programmes_shows_the_verdict(programme):
    folder = programme.results.parents[1]
    with contextlib.chdir(folder):
        write_index(["config/programmes/watched.yaml"], ["en", "sv"], "results/index.html")
    html = (folder / "results" / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r'class="judged ([a-z-]+)"', html)
    assert shown == 2 * [w.replace(" ", "-") for w in programme.table("verdict")["verdict"]]
