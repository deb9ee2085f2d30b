"""One whole run of Snakemake on a study outside the repository: what must be there, and how."""

import hashlib
import json
import os
import re
import shutil
import sys
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from studies import KEY, NOTEBOOKS, people, plan_for, table, text_of, write_raw, write_study

from evaluate.release import RELEASED

from .conftest import Workflow

PROGRAMMES = ("full", "svensk")
# As laid down in the contract: other programs read these columns by name and place.
EFFECTS = (
    "outcome, month, arm, role, estimand, estimator, group, estimate, std_error, conf_low, "
    "conf_high, p_value, p_value_randomisation, p_value_adjusted, df, level, std_error_kind, n, "
    "n_treated, n_control, n_clusters, mean_treated, mean_control, unit, prespecified, note"
).split(", ")
OF_FULL = {"participation", "compliers", "net_effects", "costs_by_site"}  # the other names no site
WITHOUT_A_LOTTERY = {
    "propensity_models", "overlap", "propensity_histogram", "population", "graph", "event_study",
    "sensitivity", "refutations", "specifications", "verdict",
}  # fmt: skip
OF_MANY = {"sorted_groups", "sorted_profile", "effect_distribution", "policy_tree"}
OF_BOTH_GENDERS = {"gap"}
MAY_BE_EMPTY = {
    "heterogeneity",
    "cleaning",
    "dose",
    "states",
    "paths",
    "incidence",
    "bounds",
    "spillovers",
    "staff_hours",
    "acceptability",
    "cost_benefit",
    "accounts",
    "cost_sensitivity",
}
HEAVY = {"dowhy", "econml", "sklearn", "statsmodels", "matplotlib", "nbclient", "nbconvert"}
ALLOWED = {"report": {"matplotlib"}, "notebooks": {"matplotlib", "nbclient", "nbconvert"}}


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_effects_have_the_columns_of_the_contract_in_their_order(finished, programme):
    path = finished.study / "results" / programme / "tables" / "effects.csv"
    assert pd.read_csv(path, nrows=0).columns.tolist() == EFFECTS


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_released_tables_match_their_schemas(finished, programme):
    for name in RELEASED:
        frame = table(finished.study / "results" / programme, name)
        lacking = programme == "svensk" and name in OF_FULL | OF_BOTH_GENDERS
        if name in WITHOUT_A_LOTTERY | OF_MANY:
            assert frame.empty, name
        else:
            assert len(frame) or name in MAY_BE_EMPTY or lacking, name


def test_the_tables_have_every_arm_month_group_and_denominator(finished):
    results = finished.study / "results" / "full"
    effects = table(results, "effects")
    assert set(effects["arm"]) == {"1", "2", "1-2"}
    assert set(effects.loc[effects["outcome"] == "earn", "month"]) == {6, 12}
    groups = {"all", "women", "men", "women-men", "education=long", "education=short"}
    assert set(effects["group"]) == groups
    assert effects.loc[effects["estimand"] == "itt", "estimate"].notna().all()
    costs = table(results, "cost_effectiveness")
    assert set(costs["denominator"]) == {"offer", "participant"}
    assert set(costs["group"]) == {"all", "women", "men", "women-men"}


def test_costs_by_site_add_up_to_the_costs(finished):
    results = finished.study / "results" / "full"
    sites, costs = table(results, "costs_by_site"), table(results, "costs").set_index("arm")
    assert set(sites["site"]) == {"north", "south"}
    whole = sites[sites["payers"] == "public"].groupby("arm")[["amount", "n"]].sum()
    assert whole["amount"].to_dict() == costs["amount"].to_dict()
    assert (whole["n"] > 0).all()


def test_one_gender_has_its_rows_and_no_gap(finished):
    effects = table(finished.study / "results" / "svensk", "effects")
    assert set(effects["group"]) == {"all", "men"}
    numbers = ["estimate", "std_error", "p_value", "n"]
    by_group = [effects.loc[effects["group"] == g, numbers] for g in ("all", "men")]
    pd.testing.assert_frame_equal(*(rows.reset_index(drop=True) for rows in by_group))


def test_hours_of_staff_come_out_as_costs_and_as_a_claim(finished):
    results = finished.study / "results" / "svensk"
    costs = table(results, "costs").set_index(["item", "basis", "arm"])["amount"]
    claimed = 155.16 + 300  # of 160.5 for one person and 300 for two
    assert costs.to_dict() == pytest.approx({
        ("handläggare", "economic", "0"): 412 * 20,
        ("handläggare", "economic", "1"): 412 * 460.5,
        ("handläggare", "unit_cost", "0"): 464 * 20,
        ("handläggare", "unit_cost", "1"): 464 * claimed,
        ("flat rate", "unit_cost", "0"): 0.4 * 464 * 20,
        ("flat rate", "unit_cost", "1"): 0.4 * 464 * claimed,
    })  # fmt: skip
    assert table(results, "cost_effectiveness")["basis"].iloc[0] == "economic"
    hours = table(results, "staff_hours").set_index("arm")
    assert hours["hours_above_month"].to_dict() == pytest.approx({"0": 0, "1": 5.34})
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    told = {source["table"]: source for source in provenance["raw"]}
    raw = (finished.study / "data/raw/svensk/tidrapporter.csv").read_bytes()
    assert told["time_reports"]["sha256"] == hashlib.sha256(raw).hexdigest()
    page = text_of(results / "report.sv.html")
    assert "480,50 rapporterade timmar, varav ersättning söks för 475,16" in page
    assert "För 5,34 timmar söks ingen ersättning" in page


class Links(HTMLParser):
    """Collect what a page loads and where it leads."""

    def __init__(self):
        super().__init__()
        self.loaded, self.links, self.anchors = [], [], set()

    def handle_starttag(self, tag, attributes):
        named = {key: value or "" for key, value in attributes}
        if "id" in named:
            self.anchors.add(named["id"])
        if tag == "a":
            self.links.append(named.get("href", "#"))
        else:
            loads = ("src", "href", "xlink:href", "srcset", "data", "poster", "action")
            self.loaded += [named[key] for key in loads if key in named]
            if tag == "link":
                self.loaded.append("link")


def pages(finished):
    return [path for path in finished.results if path.suffix == ".html"]


def test_every_page_is_there_in_both_languages(finished):
    expected = {"index.html"}
    for programme in PROGRAMMES:
        expected |= {f"{programme}/report.{language}.html" for language in ("en", "sv")}
        expected |= {f"{programme}/notebooks/{name}.html" for name in NOTEBOOKS}
    results = finished.study / "results"
    assert {p.relative_to(results).as_posix() for p in pages(finished)} == expected
    for programme in PROGRAMMES:
        for language in ("en", "sv"):
            html = (results / programme / f"report.{language}.html").read_text(encoding="utf-8")
            assert f'<html lang="{language}"' in html


def test_pages_load_nothing_and_their_links_lead_somewhere(finished):
    for page in pages(finished):
        html, links = page.read_text(encoding="utf-8"), Links()
        links.feed(html)
        outside = [url for url in links.loaded if not url.startswith(("#", "data:"))]
        assert not outside, (page.name, outside)
        assert not re.search(r"@import|url\((?!['\"]?(#|data:))|<script[^>]+src", html), page.name
        for link in links.links:
            target, _, anchor = link.partition("#")
            assert "://" not in target, (page.name, link)
            assert not target or (page.parent / target).is_file(), (page.name, link)
            assert target or not anchor or anchor in links.anchors, (page.name, link)


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_notebooks_are_executed_without_a_fault(finished, programme):
    for name in NOTEBOOKS:
        path = finished.study / "results" / programme / "notebooks" / f"{name}.ipynb"
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        assert all(cell.execution_count for cell in cells), name
        outputs = [o for cell in cells for o in cell.outputs]
        assert outputs, name
        assert all(o.output_type in ("execute_result", "display_data") for o in outputs), name


def test_no_person_key_leaves_the_raw_file(finished):
    for folder in ("build", "results", "logs"):
        for path in sorted((finished.study / folder).rglob("*")):
            if path.suffix == ".parquet":
                frame = pd.read_parquet(path)
                texts = frame.select_dtypes(exclude="number").astype(str)
                held = texts.apply(lambda c: c.str.contains(KEY)).to_numpy().any()
            else:
                held = path.is_file() and KEY.encode() in path.read_bytes()
            assert not held, path.relative_to(finished.study)


def test_results_name_no_folder_of_the_machine(finished):
    places = [finished.study, finished.workflow.code, Path.home(), Path(sys.prefix), Path.cwd()]
    texts = {str(place) for place in places} - {"/"}
    for path in finished.results:
        content = path.read_text(encoding="utf-8")
        found = [text for text in texts if text in content]
        assert not found, (path.name, found)


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_provenance_tells_hashes_and_versions_and_no_clock_time(finished, programme):
    path = finished.study / "results" / programme / "provenance.json"
    text = path.read_text(encoding="utf-8")
    content = json.loads(text)
    raw = finished.study / content["raw"][0]["path"]
    assert content["raw"][0]["sha256"] == hashlib.sha256(raw.read_bytes()).hexdigest()
    plan = finished.study / content["plan"]["path"]
    assert content["plan"]["sha256"] == hashlib.sha256(plan.read_bytes()).hexdigest()
    assert content["packages"]["numpy"]
    assert content["seed"] == 1
    assert content["disclosure"]["min_cell"] == 5
    assert str(datetime.now().year) not in re.sub(r'"[0-9a-f]{64}"', "", text)
    assert not re.search(r"\d\d:\d\d|\d{4}-\d\d-\d\d", text)


def test_a_second_run_from_scratch_gives_the_same_bytes(finished, tmp_path):
    study = tmp_path / "another folder"
    for part in ("config", "data"):
        shutil.copytree(finished.study / part, study / part)
    targets = ["results/full/report.en.html", "results/full/notebooks/1_data.html"]
    elsewhere = {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "COLUMNS": "60"}
    done = finished.workflow.run(study, *targets, **elsewhere)
    assert done.returncode == 0, done.stdout
    again = sorted(p for p in (study / "results").rglob("*") if p.is_file())
    names = [p.relative_to(study).as_posix() for p in again]
    assert sum(name.startswith("results/full/") for name in names) == 58
    differ = [n for n in names if (study / n).read_bytes() != (finished.study / n).read_bytes()]
    assert not differ


def test_a_rule_declares_the_modules_and_files_that_it_stands_on(finished):
    package = str(finished.workflow.code / "src" / "evaluate") + os.sep
    rules = {trace["rule"] for trace in finished.traces}
    assert rules == {
        "data", "propensity", "graph", "design", "power", "effects", "participation", "paths",
        "bounds", "saturation", "event_study", "sensitivity",
        "heterogeneity", "scores", "gap", "conditional_effects", "costs", "cost_benefit", "cheers",
        "release", "report", "notebooks", "index",
    }  # fmt: skip
    for trace in finished.traces:
        own = {path for path in trace["modules"].values() if path.startswith(package)}
        own |= {path for path in trace["opened"] if path.startswith(package)}
        own = {path for path in own if not path.endswith(".pyc") and Path(path).is_file()}
        assert own <= set(trace["declared"]), (trace["rule"], own - set(trace["declared"]))


def test_a_rule_reads_no_file_of_the_study_that_it_does_not_declare(finished):
    for trace in finished.traces:
        read = {
            path
            for path in trace["opened"]
            if path.startswith(("config/", "data/", "build/", "results/"))
            and not path.endswith((".draft", ".ipynb", ".html"))
        }
        assert read <= set(trace["declared"]), (trace["rule"], read - set(trace["declared"]))


def test_heavy_libraries_are_loaded_by_the_rules_that_need_them_only(finished):
    for trace in finished.traces:
        heavy = HEAVY & set(trace["modules"])
        assert heavy <= ALLOWED.get(trace["rule"], set()), (trace["rule"], heavy)


RULE = re.compile(r"^(?:local)?rule (\w+):$")
OF_PROGRAMME = re.compile(r"^\s+wildcards: programme=([\w-]+)")
ALL = {"full", "svensk"}


def pending(workflow, study):
    """Return what a run would do: the programmes of each rule, `*` where there is none."""
    dry = workflow.run(study, "--dry-run")
    assert dry.returncode == 0, dry.stdout
    found, rule = {}, ""
    for line in dry.stdout.splitlines():
        if match := RULE.match(line):
            rule = match[1]
            found.setdefault(rule, set())
        elif match := OF_PROGRAMME.match(line):
            found[rule].add(match[1])
    return {rule: names or {"*"} for rule, names in found.items() if rule != "all"}


def chain(programmes, *rules):
    """Return rules of programmes, and the page of all programmes."""
    return {rule: set(programmes) for rule in rules} | {"index": {"*"}}


AFTER_RELEASE = ("release", "report", "notebooks")
EDITS = {
    "src/evaluate/costs/records.py": chain(
        ALL, "conditional_effects", "costs", "cost_benefit", "cheers", *AFTER_RELEASE
    ),
    "src/evaluate/costs/reporting.py": chain(ALL, "cheers", *AFTER_RELEASE),
    "src/evaluate/costs/sites.py": chain(ALL, "costs", "cheers", *AFTER_RELEASE),
    "src/evaluate/heterogeneity/access.py": chain(ALL, "gap", "cheers", *AFTER_RELEASE),
    "src/evaluate/heterogeneity/policy_tree.py": chain(ALL, "conditional_effects", *AFTER_RELEASE),
    "src/evaluate/report/texts/sv.yaml": chain(ALL, "report"),
    "notebooks/3_effects.ipynb": {"notebooks": ALL},
}


def test_an_edit_reruns_what_stands_on_it_and_nothing_else(finished, tmp_path):
    # Copies keep Snakemake's own records; --touch tells it that the package has moved.
    study = shutil.copytree(finished.study, tmp_path / "study")
    workflow = Workflow(shutil.copytree(finished.workflow.code, tmp_path / "code"))
    assert workflow.run(study, "--touch", "--quiet").returncode == 0
    with (workflow.code / "src/evaluate/cli.py").open("a") as file:  # no rule stands on it
        file.write("\n")
    assert "nothing to do" in workflow.command(study, "run").stdout
    reran = {}
    for name in EDITS:
        path = workflow.code / name
        before, times = path.read_bytes(), path.stat()
        path.write_bytes(before + b"\n")
        reran[name] = pending(workflow, study)
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert reran == EDITS
    stages = (
        "data", "propensity", "graph", "design", "power", "effects", "participation", "paths",
        "bounds", "saturation", "event_study", "sensitivity",
        "heterogeneity", "scores", "gap", "conditional_effects", "costs", "cost_benefit", "cheers",
    )  # fmt: skip
    plan, raw = study / "config/programmes/full.yaml", study / "data/raw/svensk/Åtgärd.csv"
    before, times = raw.read_bytes(), raw.stat()
    raw.write_bytes(before.replace(b"nej", b"ja ", 1))
    assert pending(workflow, study) == chain({"svensk"}, *stages, *AFTER_RELEASE)
    raw.write_bytes(before)
    os.utime(raw, ns=(times.st_atime_ns, times.st_mtime_ns))
    plan.write_text(plan.read_text(encoding="utf-8") + "# read again\n", encoding="utf-8")
    assert pending(workflow, study) == chain({"full"}, *stages, *AFTER_RELEASE)


def test_the_report_shows_what_the_programme_has(finished):
    english = text_of(finished.study / "results/full/report.en.html")
    for text in ("Arm 1", "Arm 2", "Women less men", "month 12", "site", "weighted by w"):
        assert text in english, text
    swedish = text_of(finished.study / "results/svensk/report.sv.html")
    assert "Simulerat program svensk" in swedish
    assert "lön" in swedish
    assert "Simulerade uppgifter" in swedish


def test_a_failing_programme_says_why_once_and_does_not_stop_the_other(finished, tmp_path):
    write_study(tmp_path, {"bad": plan_for("bad"), "good": plan_for("good")}, languages=["sv"])
    write_raw(tmp_path, "good", people(80))
    broken = people()
    broken["treat"] = broken["treat"].mask(broken.index == 3, 8)
    write_raw(tmp_path, "bad", broken)
    done = finished.workflow.command(tmp_path, "run")
    assert done.returncode == 1
    assert done.stderr.count("data/raw/bad/p.csv: column treat") == 1
    assert "2 different values beside control" in done.stderr
    assert "logs/snakemake.log" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    steps = re.findall(r"^\[ *(\d+)/\d+\] (.+)$", done.stdout, flags=re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert {"data good", "report good", "notebooks good"} <= {step for _, step in steps}
    assert not {step for _, step in steps if "bad" in step}
    assert (tmp_path / "results/good/report.sv.html").is_file()
    assert not list(tmp_path.glob("build/bad/*"))
    assert not list(tmp_path.glob("results/bad/**/*.*"))
    assert not (tmp_path / "results/index.html").exists()
    assert "2 different values" in (tmp_path / "logs/bad/data.log").read_text(encoding="utf-8")

    # What an earlier run left behind does not make the failed one look finished.
    for folder in ("build", "results"):
        shutil.copytree(tmp_path / folder / "good", tmp_path / folder / "bad", dirs_exist_ok=True)
    for output in ("participants.parquet", "outcomes.parquet", "flow.parquet", "raw.json"):
        (tmp_path / "build/bad" / output).unlink()
    again = finished.workflow.command(tmp_path, "run")
    assert again.returncode == 1
    assert "2 different values beside control" in again.stderr
