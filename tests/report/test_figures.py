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
from scipy import stats

from evaluate.report import figures, flow_chart, sheet
from evaluate.report.by_month import SHADE
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


def paths(groups=GROUPS[:4], months=range(1, 13), unit="share"):
    """Return rows of one outcome and arm: effects with a band from month 1 on, and levels."""
    rows = []
    for g in groups:
        for month in months:
            common = {"group": g, "month": month, "unit": unit, "level": 0.95}
            after = month >= 1
            rows.append(common | _row("effect", EFFECT[g], 0.08, 0.12 if after else np.nan))
            for kind, level in (("level_treated", 0.4), ("level_control", 0.3)):
                rows.append(common | _row(kind, level, 0.05))
    return pd.DataFrame(rows)


def incidence(groups=GROUPS[:4], months=range(1, 13), exits=True):
    """Return rows of one outcome and arm: shares who have entered, or left before."""
    rows = []
    kinds = {"incidence_treated": 0.04, "incidence_control": 0.03, "difference": 0.01}
    kinds |= {"competing_treated": 0.01, "competing_control": 0.012} if exits else {}
    for g in groups:
        for month in months:
            common = {"group": g, "month": month, "unit": "share", "level": 0.95}
            for kind, rate in kinds.items():
                band = 0.03 if kind == "difference" else np.nan
                rows.append(common | _row(kind, rate * month, 0.02, band))
    return pd.DataFrame(rows)


def _row(kind, value, margin, band=np.nan):
    return {
        "kind": kind, "estimate": value, "conf_low": value - margin, "conf_high": value + margin,
        "band_low": value - band, "band_high": value + band,
    }  # fmt: skip


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
    known = [0.3, np.nan, -0.2][: len(groups)]  # without: a cost without an error of its own
    return table.assign(effect_se=0.03, denominator="offer", correlation=known)


ARMS = {"0": "Nobody", "1": "Offered"}


def by_month(groups=GROUPS[:4], months=range(1, 13), rows=("meetings", "referrals"), arms=ARMS):
    table = pd.DataFrame(
        [(r, m, a, g) for r in rows for m in months for a in arms for g in groups],
        columns=["row", "month", "arm", "group"],
    )
    return table.assign(n=100, mean=1.5, conf_low=1.2, conf_high=1.8)


STATES = {"work": "In work", "studies": "Studies", "other": "Other", "none": "Nothing"}


def states(groups=GROUPS[:4], months=range(-2, 13), arms=ARMS):
    share = dict(zip(STATES, (0.4, 0.1, 0.2, 0.3), strict=True))
    rows = [
        (s, m, a, g, 100, share[s]) for s in STATES for m in months for a in arms for g in groups
    ]
    return pd.DataFrame(rows, columns=["state", "month", "arm", "group", "n", "share"])


def states_of(table, words=EN, label="a", arms=ARMS):
    return figures.states_plot(table, words, states=STATES, arms=arms, label=label)


def plane_of(table, words=EN, label="a"):
    return figures.cost_plane(table, words, "SEK", "share", label=label)


FIGURES = {
    "flow": lambda w, label: figures.flow_chart(flow(), w, label=label),
    "love": lambda w, label: figures.love_plot(balance(), w, label=label),
    "forest": lambda w, label: figures.forest_plot(effects(), w, label=label),
    "path": lambda w, label: figures.path_plot(paths(months=range(1, 25)), w, label=label),
    "incidence": lambda w, label: figures.incidence_plot(incidence(), w, label=label),
    "plane": lambda w, label: plane_of(plane(), w, label),
    "observed": lambda w, label: figures.observed_plot(by_month(), w, arms=ARMS, label=label),
    "dose": lambda w, label: figures.dose_plot(by_month(), w, arms=ARMS, label=label),
    "states": lambda w, label: states_of(states(), w, label),
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


def test_exclusions_of_few_persons_share_a_box(texts):
    table = flow((12, 30, 40, 0))
    table.loc[table["step"] == "received", "n"] = 888 + 82
    table.loc[table.index[[1, 3]], ["n", "women", "men", "arm=0", "arm=1"]] = pd.NA
    found = texts(figures.flow_chart(table, EN, label="a"))
    assert [t for t in found if t.startswith("reason")] == ["reason 1", "reason 0", "reason 2"]
    assert found.count("few") == 1
    assert "count 52" in found
    table.loc[table["step"] == "included", "n"] = pd.NA
    assert "count withheld" in texts(figures.flow_chart(table, EN, label="a"))


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
        figures.path_plot(paths(one, months=(12, 24)), EN, label="a"),
        figures.incidence_plot(incidence(one), EN, label="a"),
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
    rows = paths(months=months)
    rows.loc[1:3, ["estimate", "conf_low", "conf_high", "band_low", "band_high"]] = np.nan
    found = texts(figures.path_plot(rows, EN, label="a"))
    assert "women-men" in found
    for month in printed:
        assert found.count(str(month)) >= 7  # effects of four groups, levels of three


def test_path_marks_what_lies_before_month_one(texts):
    rows = paths(months=range(-3, 13))
    svg = figures.path_plot(rows, EN, label="a")
    found = texts(svg)
    assert "month_before" in found
    assert found.count("0") >= 7
    assert svg.count(SHADE) == 7  # effects of four groups and levels of three
    after = figures.path_plot(paths(), EN, label="a")
    assert "month_before" not in texts(after)
    assert SHADE not in after


def test_many_months_are_a_band_and_stay_light():
    few, many = (figures.path_plot(paths(months=range(1, n)), EN, label="a") for n in (25, 241))
    assert len(many) < 2 * len(few)
    wide = states_of(states(months=range(-24, 241)))
    assert len(wide) < 400_000


def test_dose_has_a_panel_for_each_kind_and_arm(texts):
    found = texts(figures.dose_plot(by_month(), EN, arms=ARMS, label="a"))
    assert found.count("Nobody") == found.count("Offered") == 2
    assert {"meetings", "referrals", "women", "men", "dose"} <= set(found)
    assert "all" not in found
    one = figures.dose_plot(by_month(("all",)), EN, arms=ARMS, label="a")
    assert "all" in texts(one)


def test_dose_with_nothing_but_withheld_rows():
    table = by_month().assign(mean=np.nan, conf_low=np.nan, conf_high=np.nan)
    ElementTree.fromstring(figures.dose_plot(table, EN, arms=ARMS, label="a"))


def test_states_have_their_names_in_order_and_a_rest_where_some_are_withheld(texts):
    table = states()
    found = texts(states_of(table))
    assert [t for t in found if t in STATES.values()] == list(STATES.values())
    assert "withheld" not in found
    table.loc[(table["state"] == "studies") & (table["month"] == 3), "share"] = np.nan
    svg = states_of(table)
    assert "withheld" in texts(svg)
    assert "<pattern" in svg  # hatched
    assert "<pattern" not in states_of(states())


def test_layers_of_states_add_up_to_the_height_of_the_panel(monkeypatch):
    from matplotlib.axes import Axes

    drawn = []
    fill = Axes.fill_between
    monkeypatch.setattr(
        Axes, "fill_between", lambda self, *a, **k: (drawn.append(a), fill(self, *a, **k))[1]
    )
    table = states(GROUPS[:1], months=(1, 2), arms={"1": "Offered"})
    table.loc[(table["state"] == "other") & (table["month"] == 2), "share"] = np.nan
    states_of(table, arms={"1": "Offered"})
    tops = [above for _, _, above in drawn]
    assert np.allclose(tops[0], 40)
    assert np.allclose(tops[-1], 100)  # with the withheld rest
    assert np.allclose(tops[-2][:1], 100)
    assert np.allclose(tops[-2][1:], 80)


def test_flow_has_women_and_men_where_one_arm_alone_came_so_far(texts):
    table = flow()
    more = pd.DataFrame(
        [
            ("accepted", "", 300, 140, 160, 0, 300),
            ("started", "", 250, 110, 140, 20, 230),
            ("followed", "work@12", 880, 440, 440, 441, 439),
        ],
        columns=table.columns,
    ).astype(table.dtypes.to_dict())
    found = texts(figures.flow_chart(pd.concat([table, more]), EN, label="a"))
    assert found.count("accepted 300") == 1
    assert "accepted 0" not in found  # nobody in control is asked
    assert "by_gender 140 160" in found
    assert {"started 20", "started 230"} <= set(found)
    assert "by_gender 110 140" not in found  # of both arms together
    assert {"count 441", "count 439"} <= set(found)
    assert found.count("followed") == 2


@pytest.mark.parametrize("r", [-1.0, -0.4, 0.0, 0.9])
def test_the_region_of_cost_and_effect_is_at_one_distance_and_reaches_one_error(r):
    x, y = figures.round_zero(r)
    if abs(r) < 1:
        distance = (x**2 - 2 * r * x * y + y**2) / (1 - r**2)
        np.testing.assert_allclose(distance, 1)
    assert 0.999 < x.max() <= 1
    assert 0.999 < y.max() <= 1 + 1e-12
    assert abs(figures.REGION**2 - stats.chi2.ppf(0.95, 2)) < 1e-3


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
