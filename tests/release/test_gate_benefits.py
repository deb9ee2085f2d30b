"""The gate of who benefits, table by table."""

import numpy as np
import pandas as pd
import pytest
from studies import nothing

from evaluate import schemas
from evaluate.notes import note
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release
from evaluate.release.gate_benefits import IDENTITY, NUMBERS, gate_benefits, without_few
from evaluate.release.gate_elsewhere import Elsewhere

from .benefits import PLACE, as_schema, exact_tables, nodes, numbers, persons, published

FEW = 5
KEY = ("work", None, "1")
MANY = persons(3, 6_000)


def gated(name, table, known=None, **beside):
    return gate_benefits(name, table, known or Elsewhere(), FEW, beside=beside)


def withheld(*groups):
    return Elsewhere(effects={(*KEY, g) for g in groups})


def few_treated_women(n=3):
    """Return persons of whom few women were treated."""
    frame = persons(4, 600)
    women = frame.index[frame["woman"]]
    frame.loc[women, "treated"] = False
    frame.loc[women[:n], "treated"] = True
    return frame


def test_every_table_has_numbers_and_an_identity_in_its_schema():
    for name, columns in NUMBERS.items():
        there = set(schemas.released(name).columns)
        assert set(columns) | set(IDENTITY[name]) <= there, name


@pytest.mark.parametrize("name", list(NUMBERS))
def test_tables_without_rows_stay_so(name):
    table = nothing(name)
    out = gated(name, table)
    assert out.table.empty
    assert list(out.table) == [c for c in table if c != "least"]


def test_what_stands_on_withheld_effects_goes_with_them():
    out = published(few_treated_women()).tables
    for name in ("conditional_effects", "sorted_groups", "effect_distribution"):
        table = out[name][out[name]["group"].isin(["women", "men", "women-men"])]
        columns = [c for c in NUMBERS[name] if c in table]
        assert table[columns].isna().all(axis=None), name
        rest = out[name][out[name]["group"] == "all"]
        assert rest[columns].notna().any(axis=None), name
    assert out["gap"][list(NUMBERS["gap"])].isna().all(axis=None)
    rules = out["policies"].set_index("policy")
    assert rules[["share_treated_women", "women_among_treated", "n_women"]].isna().all(axis=None)
    assert rules.loc[["women", "men"], "gain"].isna().all()
    assert pd.notna(rules.loc["highest_predicted", "gain"])
    assert out["policy_tree"][["n_women", "share_women"]].isna().all(axis=None)
    assert out["targeting_curve"]["women_among_treated"].isna().all()
    assert out["targeting_curve"]["gain"].notna().all()
    profile = out["sorted_profile"].set_index("covariate")
    assert pd.isna(profile.loc["men", "mean_top"])


def test_the_list_names_every_row_that_lost_a_number():
    frame = few_treated_women()
    exact, found = exact_tables(frame), published(frame)
    for name in set(NUMBERS) - {"effect_distribution"}:
        before, after = exact[name], found.tables[name]
        listed = {
            (tuple(entry["row"].values()), column)
            for entry in found.withheld
            if entry["table"] == name
            for column in entry["columns"]
        }
        names = [
            tuple(None if pd.isna(v) else v for v in row)
            for row in before[list(IDENTITY[name])].itertuples(index=False)
        ]
        lost = {
            (names[i], column)
            for column in NUMBERS[name]
            for i in np.flatnonzero(before[column].notna() & after[column].isna())
        }
        assert lost or name in ("heterogeneity_tests",), name
        assert lost <= listed, name
    assert all("3" not in str(entry["row"].get("n", "")) for entry in found.withheld)


def test_a_rare_level_takes_a_sibling_its_slope_and_all_parts_of_the_composition():
    frame = persons(5, 600)
    frame["level"] = np.where(frame.index % 2, "a", "b")
    frame.loc[:3, "level"] = "c"
    out = published(frame).tables
    rows = out["conditional_effects"].set_index(["kind", "group", "term"])["estimate"]
    average = rows.xs("average").droplevel("term")
    assert np.isnan(average["school=c"])
    assert average[["school=a", "school=b"]].isna().any()
    assert pd.notna(average["all"])
    slopes = rows.xs("projection").droplevel("group")
    assert np.isnan(slopes["school=c"])
    assert pd.notna(slopes["men"])
    parts = out["gap"].set_index(["part", "covariate"])["estimate"]
    assert np.isnan(parts[("composition", "school")])
    assert np.isnan(parts[("composition", "age")])
    rest = out["gap"][out["gap"]["covariate"].isna() | (out["gap"]["covariate"] == "")]
    assert rest["estimate"].notna().all()
    rules = out["policies"].set_index("policy")["gain"]
    assert np.isnan(rules["school=c"])


def dose_rows(women, n=100, **more):
    parts = {"dose_women": women, "dose_men": 0.5, "dose_gap": women - 0.5, "access": 3.0}
    rows = [
        PLACE | {"method": "access", "part": part, "covariate": "", "dose": "places",
                 "estimate": value, "n_women": n, "n_men": n, "level": 0.95, "unit": "share",
                 "note": ""} | more
        for part, value in parts.items()
    ]  # fmt: skip
    rows.append(rows[-1] | {"dose": "meetings", "least": 50})
    return as_schema("gap", rows)


@pytest.mark.parametrize(
    ("women", "more", "hidden"),
    [(0.03, {}, True), (0.97, {}, True), (0.5, {}, False), (0.5, {"least": 2}, True),
     (0.5, {"least": 0}, False), (0.03, {"least": 40}, False)],
)  # fmt: skip
def test_a_dose_that_few_women_had_goes_with_all_its_parts(women, more, hidden):
    out = gated("gap", dose_rows(women, **more)).table
    assert "least" not in out
    places = out["dose"] == "places"
    assert out.loc[places, "estimate"].isna().all() == hidden
    assert out.loc[~places, "estimate"].notna().all()


def test_doses_withheld_in_their_own_table_are_withheld_here():
    known = Elsewhere(doses={("places", "1")})
    out = gated("gap", dose_rows(0.5), known).table
    assert out.loc[out["dose"] == "places", "estimate"].isna().all()
    assert out.loc[out["dose"] == "meetings", "estimate"].notna().all()


def test_a_test_among_withheld_effects_has_no_verdict():
    out = gated("heterogeneity_tests", exact_tables(MANY)["heterogeneity_tests"], withheld("all"))
    assert (out.table["verdict"] == "not assessed").all()
    assert out.table["statistic"].isna().all()
    assert out.withheld


def test_few_men_among_those_first_are_rounded_not_told():
    frame = persons(6, 900, women=0.5)
    top = frame["step"] < 4
    frame.loc[top, "woman"] = True
    frame.loc[frame.index[top][:2], "woman"] = False
    out = published(frame).tables
    rows = out["sorted_groups"]
    first = rows[(rows["group"] == "all") & (rows["sorted_group"] == "1")].iloc[0]
    assert first["share_women"] == 1.0
    assert "rounded to" in first["note"]
    assert pd.notna(first["estimate"])
    of_men = rows[(rows["group"] == "men") & (rows["sorted_group"].isin(["1", "top-bottom"]))]
    assert of_men[["estimate", "n"]].isna().all(axis=None)
    others = rows[(rows["group"] == "all") & (rows["sorted_group"] == "3")].iloc[0]
    exact = frame["woman"][(frame["step"] // 4 == 2)].mean()
    assert others["share_women"] != exact
    assert abs(others["share_women"] - exact) < 0.15


def test_a_profile_hides_a_reference_level_that_the_others_tell():
    rows = [
        PLACE | {"learner": "linear", "covariate": f"school={v}", "mean_top": top,
                 "mean_bottom": 0.4, "difference": top - 0.4, "std_error": 0.1, "p_value": 0.5,
                 "splits": 20, "level": 0.95, "n_top": 100, "n_bottom": 100, "note": "",
                 "least": least}
        for v, top, least in (("a", 0.57, 40), ("b", 0.4, 40))
    ]  # fmt: skip
    table = as_schema("sorted_profile", rows)  # three of a hundred have neither a nor b
    assert gated("sorted_profile", table).table["mean_top"].isna().all()
    table["mean_top"] = [0.4, 0.4]
    assert gated("sorted_profile", table).table["mean_top"].notna().all()


def test_bins_are_merged_with_their_persons_and_shares():
    exact = exact_tables(persons(7, 300, women=0.1))["effect_distribution"]
    outer = exact["high"] == 0
    exact["note"] = np.where(outer, note("with_beyond"), "")
    out = gated("effect_distribution", exact).table
    bins = out[out["kind"] == "bin"]
    assert len(bins) < len(exact[exact["kind"] == "bin"])
    for group, rows in bins.groupby("group"):
        before = exact[(exact["group"] == group) & (exact["kind"] == "bin")]
        assert rows["n"].sum() == before["n"].sum()
        assert rows["value"].sum() == pytest.approx(1)
        assert not rows["n"].between(1, FEW - 1).any()
        assert set(rows["note"]) == {"", note("with_beyond")}
        assert rows.loc[rows["high"] == 0, "note"].tolist() == [note("with_beyond")]
        assert (rows["low"].min(), rows["high"].max()) == (before["low"].min(), 0)


def test_a_node_with_few_women_hides_them_in_all_but_the_root():
    frame = MANY.copy()
    there = nodes(frame)[3][0] & frame["woman"].to_numpy()
    frame.loc[np.flatnonzero(there)[3:], "woman"] = False
    tree = published(frame).tables["policy_tree"].set_index("node")
    assert tree["n"].notna().all()
    assert tree.loc[[1, 2, 3, 4], ["n_women", "n_men"]].isna().all(axis=None)
    assert tree.loc[0, "n_women"] == frame["woman"].sum()
    assert tree.loc[3, "share_women"] == 0
    assert tree.loc[[1, 2, 3, 4], "note"].str.contains("rounded to").all()


def test_women_of_a_rare_level_do_not_follow_from_the_rules_of_the_others():
    frame = MANY.copy()
    women = np.flatnonzero(frame["woman"] & (frame["level"] == "c"))
    frame.loc[women[3:], "level"] = "a"
    rules = gated("policies", exact_tables(frame)["policies"]).table.set_index("policy")
    blurred = rules["note"].str.contains("rounded to")
    assert blurred["school=c"]
    assert blurred[["school=a", "school=b"]].any()
    assert not blurred[["everyone", "women", "highest_predicted"]].any()
    assert rules.loc["school=c", "share_treated_women"] == 0
    assert pd.notna(rules.loc["school=c", "share_treated"])


def test_the_difference_of_the_ends_goes_with_either_end():
    table = exact_tables(MANY)["sorted_groups"]
    table.loc[(table["group"] == "men") & (table["sorted_group"] == "5"), "least"] = 2
    out = gated("sorted_groups", table).table.set_index(["group", "sorted_group"])["estimate"]
    gone = {("men", "5"), ("women", "5"), ("women-men", "5")}
    gone |= {(group, "top-bottom") for group, _ in gone}
    assert set(out[out.isna()].index) == gone


def test_costs_that_would_tell_who_took_part_are_left_out():
    tables = exact_tables(MANY)
    known = Elsewhere(costs={"1"})
    rules = gated("policies", tables["policies"], known).table
    assert rules["cost_difference"].isna().all()
    assert rules["gain"].notna().all()
    curve = tables["targeting_curve"].assign(cost=5.0)
    out = gated("targeting_curve", curve, known).table
    assert out["cost"].isna().all()
    assert out["women_among_treated"].notna().all()


def test_numbers_that_differ_by_few_from_those_of_the_effects_are_withheld():
    """Three persons without a place in the scores would be the difference of two numbers."""
    frame = persons(8, 900)
    tables = exact_tables(frame)
    for column in ("n_women", "n"):
        tables["policies"][column] -= 3
    out = release(tables, Disclosure(), control="0", persons=numbers(frame)).tables
    assert out["policies"][["n", "n_women", "n_men"]].isna().all(axis=None)
    assert out["policies"]["gain"].notna().all()
    assert out["policies"]["note"].str.contains(note("numbers_withheld")).all()
    told = out["conditional_effects"].query("kind == 'average' and group != 'women-men'")
    assert told["n"].notna().all()  # the effects tell them as well


def test_a_joint_test_without_a_level_of_few_does_not_count_them():
    frame = persons(8, 900)
    table = exact_tables(frame)["conditional_effects"]
    joint = table.iloc[[0]].assign(
        kind="joint", term="school", estimate=np.nan, std_error=np.nan, conf_low=np.nan,
        conf_high=np.nan, statistic=2.1, df=2.0, df_error=893.0, p_value=0.123456, n=897,
        n_treated=table["n_treated"][0] - 3,
    )  # fmt: skip
    out = published(frame, conditional_effects=pd.concat([table, joint], ignore_index=True))
    last = out.tables["conditional_effects"].iloc[-1]
    assert last[["n", "n_treated", "n_control", "df_error"]].isna().all()
    assert last[["df", "statistic"]].tolist() == [2.0, 2.1]
    assert last["p_value"] == pytest.approx(0.123456, abs=0.001)
    assert last["p_value"] != 0.123456
    first = out.tables["conditional_effects"].iloc[0]
    assert first[["n", "df"]].tolist() == [900, 899]


def test_degrees_of_freedom_go_where_few_are_trimmed():
    frame = persons(8, 900)
    known = Elsewhere(untold={KEY})
    table = exact_tables(frame)["conditional_effects"]
    out = gated("conditional_effects", table, known).table
    assert out[["n", "n_treated", "df"]].isna().all(axis=None)
    assert (out["estimate"] == table["estimate"]).all()


def test_numbers_of_splits_leave_nobody_out_who_could_be_told():
    frame = persons(8, 900)
    tables = exact_tables(frame)
    tables["policies"] = tables["policies"].assign(splits=20)
    tables["policies"]["n_women"] -= 3
    out = release(tables, Disclosure(), control="0", persons=numbers(frame)).tables
    assert out["policies"]["n"].notna().all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 persons in blocks with one arm left out",
         "fewer than 5 persons in blocks with one arm left out"),
        ("not estimated: 3 treated and 14 comparison persons with the outcome: 4 of each are "
         "needed.", note("few_persons", n=FEW)),
        ("not estimated: 30 treated and 14 comparison persons with the outcome: 4 of each are "
         "needed.",) * 2,
        ("without 2 men alone; month 3", "without fewer than 5 men alone; month 3"),
        ("by 3 splits of 1,004 persons",) * 2,
    ],
)  # fmt: skip
def test_notes_do_not_count_few_persons(text, expected):
    assert without_few(text, FEW) == expected


def test_counts_are_rounded():
    frame = persons(9, 3_000)
    out = release(
        exact_tables(frame), Disclosure(round_to=10), control="0", persons=numbers(frame)
    ).tables
    printed = {
        "gap": ["n_women", "n_men"],
        "policies": ["n", "n_women", "n_men"],
        "policy_tree": ["n", "n_men"],
        "sorted_profile": ["n_top", "n_bottom"],
    }
    for name, columns in printed.items():
        assert (out[name][columns].stack().dropna() % 10 == 0).all(), name
