"""Figures: valid, the same bytes every time, and with the numbers of the tables."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from evaluate.report import figures, flow_chart, sheet
from evaluate.report.words import MINUS, Words

GROUPS = ("all", "women", "men", "women-men", "education=short")
EFFECT = dict(zip(GROUPS, (0.066, 0.101, 0.004, 0.097, 0.045), strict=True))


class Stub(Words):
    """Words whose texts are their keys and values; numbers are those of the language."""

    def __call__(self, key, **values):
        return " ".join([key.split(".")[-1], *map(str, values.values())])

    def group(self, group):
        return group


EN, SV = Stub("en"), Stub("sv")


def effects(groups=GROUPS, months=(None,), unit="share"):
    rows = [
        {
            "month": month,
            "group": g,
            "estimate": EFFECT[g],
            "std_error": 0.04,
            "conf_low": EFFECT[g] - 0.08,
            "conf_high": EFFECT[g] + 0.08,
            "level": 0.95,
            "n": 100,
            "mean_treated": 0.4,
            "mean_control": 0.3,
            "unit": unit,
        }
        for g in groups
        for month in months
    ]
    return pd.DataFrame(rows).astype({"month": "Int64"})


def flow(excluded=(12,), arms=2):
    rows = [
        ("received", "", 900),
        *(("excluded", f"reason {i}", n) for i, n in enumerate(excluded)),
    ]
    rows += [("included", "", 888), ("took_part", "", 400)]
    rows += [("analysed", "work", 888), ("analysed", "earn", 800)]
    table = pd.DataFrame(rows, columns=["step", "reason", "n"])
    table["women"] = table["men"] = table["n"] // 2
    for arm in range(arms):
        table[f"arm={arm}"] = table["n"] // arms
    return table.astype(dict.fromkeys(table.columns[2:], "Int64"))


def balance(groups=GROUPS[:3], arms=("1",)):
    rows = [(name, g, arm, 0.05) for arm in arms for name in ("age", "x" * 90) for g in groups]
    table = pd.DataFrame(rows, columns=["covariate", "group", "arm", "smd"])
    return table.assign(adjusted=pd.array([False] * len(table), dtype="boolean"))


def plane(cost=(320.0, 299.0, 345.0), groups=GROUPS[:3]):
    table = pd.DataFrame({"group": groups, "incremental_cost": cost, "incremental_cost_se": 10.0})
    table["effect"] = [EFFECT[g] for g in groups]
    return table.assign(effect_se=0.03, denominator="offer")


def plane_of(table, words=EN, label="a"):
    return figures.cost_plane(table, words, "SEK", "share", label=label)


FIGURES = {
    "flow": lambda w, label: figures.flow_chart(flow(), w, label=label),
    "love": lambda w, label: figures.love_plot(balance(), w, label=label),
    "forest": lambda w, label: figures.forest_plot(effects(), w, label=label),
    "path": lambda w, label: figures.path_plot(effects(months=range(1, 25)), w, label=label),
    "plane": lambda w, label: plane_of(plane(), w, label),
}


@pytest.fixture
def texts(monkeypatch):
    """Keep texts as text, and return a function that reads them from a figure."""
    monkeypatch.setitem(sheet.STYLE, "svg.fonttype", "none")
    return lambda svg: [t.text for t in ElementTree.fromstring(svg).findall(".//{*}text")]


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
@pytest.mark.parametrize("words", [EN, SV], ids=["en", "sv"])
def test_is_one_accessible_element_that_scales(draw, words):
    label = "Effects on \"work\" & <pay>, \\1 'quoted'"
    svg = draw(words, label)
    root = ElementTree.fromstring(svg)
    assert svg.startswith("<svg")
    assert root.get("role") == "img"
    assert root.get("aria-label") == label
    assert root.get("width") == "100%"
    assert root.get("height") is None
    assert root.get("viewBox").startswith("0 0 504 ")
    assert "<text" not in svg
    assert "<style" not in svg
    assert "<metadata" not in svg


@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_ids_are_unique_within_and_between_figures(draw):
    svg, other = draw(EN, "one"), draw(EN, "other")
    ids, others = (re.findall(r' id="([^"]+)"', s) for s in (svg, other))
    assert len(set(ids)) == len(ids)
    assert not set(ids) & set(others)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)) <= {
        pair for i in ids for pair in ((i, ""), ("", i))
    }


def test_bytes_are_the_same_in_every_process():
    code = (
        "from test_figures import EN, FIGURES\n"
        "import hashlib, sys\n"
        "assert 'matplotlib' not in sys.modules\n"
        "for draw in FIGURES.values():\n"
        "    print(hashlib.sha256(draw(EN, 'a').encode()).hexdigest())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert len(set(runs[0].split())) == len(FIGURES)


def test_style_of_the_user_is_left_alone():
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 3, "svg.fonttype": "none"}):
        changed = FIGURES["forest"](EN, "a")
        assert mpl.rcParams["font.size"] == 3
    assert changed == FIGURES["forest"](EN, "a")


@pytest.mark.parametrize(
    ("words", "numbers"),
    [(EN, ("6.6", f"interval {MINUS}1.4 14.6")), (SV, ("6,6", f"interval {MINUS}1,4 14,6"))],
    ids=["en", "sv"],
)
def test_forest_prints_effect_and_interval(texts, words, numbers):
    found = texts(FIGURES["forest"](words, "a"))
    assert set(numbers) <= set(found)
    assert set(GROUPS) <= set(found)
    assert found.count("exploratory") == 1


def test_forest_names_rows_without_an_estimate(texts):
    rows = effects()
    rows.loc[2:3, ["estimate", "std_error", "conf_low", "conf_high"]] = np.nan
    rows.loc[3, "n"] = np.nan
    found = texts(figures.forest_plot(rows, EN, label="a"))
    assert found.count("not_estimated") == 1
    assert found.count("withheld") == 1
    assert {"men", "women-men"} <= set(found)


def test_forest_without_any_estimate():
    rows = effects().assign(estimate=np.nan, std_error=np.nan, conf_low=np.nan, conf_high=np.nan)
    ElementTree.fromstring(figures.forest_plot(rows, EN, label="a"))


@pytest.mark.parametrize("excluded", [(), (0, 0)])
def test_flow_says_when_nobody_was_excluded(texts, excluded):
    found = texts(figures.flow_chart(flow(excluded), EN, label="a"))
    assert found.count("no_exclusions") == 1
    assert "reason 0" not in found


@pytest.mark.parametrize("arms", [2, 3, 4])
def test_flow_shows_every_exclusion_and_arm(texts, arms):
    svg = figures.flow_chart(flow((5, 0, *range(10, 17)), arms), EN, label="a", arms={"1": "Named"})
    found = texts(svg)
    assert [t for t in found if t.startswith("reason")] == [
        f"reason {i}" for i in (0, *range(2, 9))
    ]
    assert "control_arm 0" in found
    assert "Named" in found
    assert found.count("analysed") == arms
    assert f"count range {800 // arms} {888 // arms}" in found


def test_flow_says_what_is_withheld(texts):
    table = flow((12, 30))
    table.loc[1, ["n", "women", "men", "arm=0", "arm=1"]] = pd.NA
    table.loc[2, "women"] = pd.NA
    table.loc[table["step"] == "took_part", "arm=1"] = pd.NA
    table.loc[len(table) - 1, "arm=0"] = pd.NA
    for one in (table, table.astype(dict.fromkeys(table.columns[2:], float))):
        found = texts(figures.flow_chart(one, EN, label="a"))
        assert "reason 0" in found
        assert found.count("count withheld") == 2
        assert "by_gender withheld 15" in found
        assert "took_part withheld" in found


def test_flow_puts_reasons_into_the_language(texts):
    svg = figures.flow_chart(flow(), EN, label="a", reason=lambda r: r.replace("reason", "grund"))
    assert "grund 0" in texts(svg)


@pytest.mark.parametrize("text", ["a b " * 60, "one_very_long_name_" * 8, "x" * 200])
def test_long_texts_are_wrapped_without_loss(text):
    lines = flow_chart.wrap(text, 150)
    assert max(map(sheet.text_width, lines)) <= 150
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_long_names_are_cut(texts):
    found = texts(FIGURES["love"](EN, "a"))
    (name,) = (t for t in found if t.startswith("xxx"))
    assert name.endswith("…")
    assert sheet.text_width(name) <= 150


def test_one_gender_has_no_columns_or_markers_of_its_own(texts):
    one = ("all", "men")
    for svg in (
        figures.love_plot(balance(one), EN, label="a"),
        figures.path_plot(effects(one, months=(12, 24)), EN, label="a"),
        plane_of(plane((320.0, 320.0), one)),
    ):
        found = texts(svg)
        assert "all" in found
        assert "men" not in found
    table = flow()
    table["women"] = pd.NA
    found = texts(figures.flow_chart(table, EN, label="a"))
    assert not [t for t in found if t.startswith("by_gender")]
    assert "men" in texts(figures.forest_plot(effects(one), EN, label="a"))


def test_love_plot_has_a_panel_per_arm_and_hollow_markers_before_adjustment(texts):
    found = texts(figures.love_plot(balance(arms=("1", "2", "3")), EN, label="a"))
    assert {"arm 1", "arm 2", "arm 3"} <= set(found)
    both = pd.concat([balance(), balance().assign(adjusted=True)], ignore_index=True)
    assert {"unadjusted", "adjusted"} <= set(texts(figures.love_plot(both, EN, label="a")))


@pytest.mark.parametrize(
    ("months", "printed"),
    [((12, 24, 36), [12, 24, 36]), (range(1, 13), [3, 6, 9, 12]), (range(1, 25), [6, 12, 18, 24])],
)
def test_path_prints_months_and_leaves_gaps(texts, months, printed):
    rows = effects(GROUPS[:4], months=months)
    rows.loc[1, ["estimate", "conf_low", "conf_high", "mean_treated"]] = np.nan
    found = texts(figures.path_plot(rows, EN, label="a"))
    assert "women-men" not in found
    for month in printed:
        assert found.count(str(month)) >= 6


def test_plane_names_groups_without_an_estimate(texts):
    table = plane()
    table.loc[2, ["effect", "effect_se", "incremental_cost", "incremental_cost_se"]] = np.nan
    found = texts(plane_of(table))
    assert "men: not_estimated" in found
    table[["effect", "effect_se", "incremental_cost", "incremental_cost_se"]] = np.nan
    assert "all: not_estimated" in texts(plane_of(table))


@pytest.mark.parametrize(
    ("span", "digits"), [((-0.07, 0.21), 2), ((-8, 21), 0), ((-0.011, 0.004), 4), ((0, 1e6), 0)]
)
def test_axis_numbers_have_the_digits_of_their_step(span, digits):
    with sheet.sheet(100) as (figure, _):
        axes = sheet.panel(figure, (0, 0, 100, 100), (0, 1))
        sheet.numbers(axes, "x", span, SV)
        labels = [t.get_text() for t in axes.get_xticklabels()]
    assert {len(t.partition(",")[2]) for t in labels} == {digits}
