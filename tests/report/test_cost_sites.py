"""Costs by site in the report: what the table and its sentences say, in both languages."""

import contextlib
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from simulate import plan_of
from studies import (
    Evaluated,
    people,
    plan_for,
    run_notebook_code,
    run_scripts,
    text_of,
    write_raw,
    write_study,
)

from evaluate import schemas
from evaluate.report import cost_sites
from evaluate.report.words import Words

EN, SV = Words("en"), Words("sv")
NONE = schemas.NO_SITE
COSTS = {"currency": "SEK", "price_year": 2022, "outcomes": ["work"], "site": "site"}
HEADER = "item,arm,site,payer,basis,quantity,unit,unit_price,currency,price_year,fixed\n"


def plain(text):
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Give a programme whose records name two sites, a payer beside the public, and no site."""
    folder, name = tmp_path_factory.mktemp("sites"), "sites"
    data = {"participants": {"path": f"data/raw/{name}/p.csv"}}
    data["costs"] = {"path": f"data/raw/{name}/costs.csv"}
    columns = plan_for(name)["columns"] | {
        "takeup": {"column": "attended", "taken": 1},
        "blocks": ["site"],
        "titles": {"site": {"en": "office", "sv": "kontor"}},
    }
    plan = plan_for(name, data=data, columns=columns, costs=COSTS)
    write_study(folder, {name: plan})
    write_raw(folder, name, people())
    rows = [
        f"{item},1,{site},{payer},economic,{n},hour,{price},SEK,2022,no\n"
        for site, n in (("north", 400), ("south", 300), ("", 100))
        for item, payer, price in (
            ("coaching", "public", 500), ("matching", "municipality", 400),
            ("interpreting", "eu_fund", 300), ("tutoring", "employer", 100),
            ("travel", "participant", 90),
        )
    ]  # fmt: skip
    rows += [f"rent,0,{site},public,economic,1,year,9000,SEK,2022,yes\n" for site in ("north",)]
    (folder / f"data/raw/{name}/costs.csv").write_text(HEADER + "".join(rows), encoding="utf-8")
    with contextlib.chdir(folder):
        checked = run_scripts(name)
    return Evaluated(checked, folder / "results" / name)


def section(found, language):
    html = (found.results / f"report.{language}.html").read_text(encoding="utf-8")
    html = re.search(r'<section id="costs">.*?</section>', html, flags=re.DOTALL)[0]
    return re.sub(r"\s+", " ", plain(re.sub(r"<[^>]+>", " ", html)))


def test_the_chapter_has_a_table_by_site_and_says_what_it_does_not_say(found):
    table = found.table("costs_by_site").set_index(["site", "arm", "payers"])
    public = table.loc[("north", "1", "public")]
    took_part = ((people()["site"] == "north") & (people()["attended"] == 1)).sum()
    assert public["amount"] == 400 * 1200
    assert public["n_participants"] == took_part
    text = section(found, "en")
    assert "Costs by site" in text
    assert "Office Persons Took part Paid by the public, SEK 2022 Share of the" in text
    each = 480_000 / took_part
    assert f" {each:,.0f} " in text
    assert "effects are not estimated by site" in text
    assert "12.5 % is recorded for no site" in text
    assert "no site 0 0 120,000 12.5 % – –" in text


def test_the_chapter_is_there_in_swedish(found):
    text = section(found, "sv")
    assert "Kostnader per verksamhetsställe" in text
    assert "Kontor Personer Deltog Betalt av det offentliga" in text
    assert "effekter skattas inte per ställe" in text
    assert "inget ställe 0 0 120 000 12,5 % – –" in text


def test_what_control_spent_on_one_item_is_withheld_and_has_no_table(found):
    text = section(found, "en")
    of_control = text.split("Control Amounts of")[1].split("Cost and effect")[0]
    assert of_control.startswith(" 2 of 2 sites are withheld: one item has more than 80 %")
    assert "Office" not in of_control
    assert "9,000 SEK" not in of_control
    html = text_of(found.results / "report.en.html")
    assert "amounts by site of which the largest contributors have more than 80" in html


def test_the_sites_differ_by_as_much_as_the_sentence_says(found):
    table = found.table("costs_by_site").query("arm == '1' and payers == 'public'")
    cost = table.loc[table["site"] != NONE, "per_participant"]
    said = f"a participant cost the public from {cost.min():,.0f} to {cost.max():,.0f} SEK 2022."
    assert f"At the 2 sites with a figure, {said}" in section(found, "en")


def test_the_notebook_adds_the_sites_up_and_stops_where_they_do_not(found, tmp_path):
    results = shutil.copytree(found.results, tmp_path / "results")
    of_sites = run_notebook_code(results, "5_costs").of_sites
    assert of_sites["costs"].tolist() == [1_112_000.0]  # those of control are withheld
    path = results / "tables" / "costs_by_site.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("556000.0", "556001.0"), "utf-8")
    with pytest.raises(AssertionError):
        run_notebook_code(results, "5_costs")


def rows(amounts, arm="1", per=1000.0, n=40):
    """Return rows of sites named by number; an amount that is missing is withheld."""
    found = []
    for site, amount in amounts.items():
        for payers in ("public", "all"):
            known = pd.notna(amount) and site != NONE
            found.append(
                {"site": site, "arm": arm, "payers": payers, "basis": "economic",
                 "amount": amount, "share": 0.1, "n": n, "n_participants": n,
                 "per_offer": per + amount if known else np.nan,
                 "per_participant": per + amount if known else np.nan,
                 "currency": "SEK", "price_year": 2022}
            )  # fmt: skip
    return pd.DataFrame(found, columns=list(schemas.COSTS_BY_SITE.columns))


def released(table, arms=("1",), rule=(1, 80.0), **costs):
    plan = plan_of(np.zeros((4, 1)), costs=COSTS | {"outcomes": ["y0"]} | costs)
    k, percent = rule
    disclosure = {"min_cell": 5, "dominance": {"k": k, "percent": percent}, "withheld": []}
    return SimpleNamespace(
        plan=plan, costs_by_site=table, offered=list(arms), arms=list(arms),
        disclosure=disclosure, arm_columns=["arm=0", *(f"arm={a}" for a in arms)],
    )  # fmt: skip


def told(found, words=EN):
    return [plain(s) for part in cost_sites.site_tables(found, words) for s in part.sentences]


def test_many_sites_have_quartiles_and_a_table_that_ends():
    found = released(rows({f"{i:02d}": 100.0 * i for i in range(60)}))
    (part,) = cost_sites.site_tables(found, EN)
    assert len(part.rows) == cost_sites.MOST_SITES
    assert part.rows[0]["site"] == "20"
    said = told(found)
    assert said[0] == (
        "At the 60 sites with a figure, a participant cost the public from 1,000 to 6,900 SEK "
        "2022; at half of them from 2,475 to 5,425."
    )
    assert said[1].endswith("20 more are in costs_by_site.csv.")
    assert "20 till finns i costs_by_site.csv" in told(found, SV)[1]


def test_what_is_withheld_is_said_with_the_rule_and_not_shown_as_none():
    found = released(rows({"a": 500.0, "b": np.nan, "c": np.nan, "d": 300.0}))
    assert told(found)[1].startswith("Amounts of 2 of 4 sites are withheld: one item has more than")
    persons = released(rows({"a": np.nan, "b": np.nan}), rule=(3, 75.0), column="spent")
    (said,) = told(persons)
    assert "the 3 persons with the highest costs have more than 75 %" in said
    assert "fewer than 5 persons" in said
    (part,) = cost_sites.site_tables(persons, EN)
    assert part.rows == []
    assert "de 3 personerna med högst kostnad står för mer än 75 %" in told(persons, SV)[0]


def test_without_persons_by_site_it_says_so_and_gives_no_range():
    table = rows({"a": 500.0, "b": 300.0}).assign(n=pd.NA, n_participants=pd.NA)
    table[["per_offer", "per_participant"]] = np.nan
    found = released(table, site=None)
    assert told(found) == []
    assert "costs.site" in cost_sites.lead(found, EN)
    assert not cost_sites.site_tables(found, EN)[0].persons


def test_costs_of_no_site_alone_are_no_table():
    found = released(rows({NONE: 500.0}))
    assert cost_sites.lead(found, EN) == ""
    assert cost_sites.site_tables(found, EN) == []


def test_names_are_in_swedish_order_and_of_no_site_last():
    found = released(rows({NONE: 1.0, "Ö": 1.0, "Ä": 1.0, "Å": 1.0, "Z": 1.0}))
    (part,) = cost_sites.site_tables(found, EN)
    assert [row["title"] for row in part.rows] == ["Z", "Å", "Ä", "Ö", "no site"]


def test_with_many_arms_the_file_has_the_tables():
    arms = [str(i) for i in range(1, 7)]
    found = released(pd.concat([rows({"a": 500.0}, arm=a) for a in arms]), arms)
    assert cost_sites.site_tables(found, EN) == []
    assert cost_sites.lead(found, EN) == "With 6 arms the tables are left to costs_by_site.csv."
