"""Simulated studies on disk, each with its programme file and raw data; no person is real."""

from __future__ import annotations

import contextlib
import os
import re
import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from evaluate import schemas
from evaluate.io import read_csv
from evaluate.plan.config import Config
from evaluate.plan.load import load_plan
from evaluate.plan.model import Plan
from evaluate.release import RELEASED

REPOSITORY = Path(__file__).parents[1]
SCRIPTS = REPOSITORY / "workflow" / "scripts"
NOTEBOOKS = ("1_data", "2_design", "3_effects", "4_heterogeneity", "5_costs")
KEY = "QZK"  # every person's key begins with it


def people(n: int = 240, seed: int = 1, arms: int = 2) -> pd.DataFrame:
    """Draw a raw table: a lottery within two sites, effects greater for women."""
    rng = np.random.default_rng(seed)
    site = np.arange(n) % 2
    arm = np.empty(n, dtype=int)
    for s in (0, 1):
        arm[site == s] = rng.permutation(np.arange((site == s).sum()) % arms)
    women = rng.random(n) < 0.5
    offered = arm > 0
    attended = offered & (rng.random(n) < 0.8)
    age = rng.integers(18, 60, n)
    ability = rng.normal(size=n)
    before = 12_000 + 2_000 * ability + rng.normal(0, 1_000, n)
    gain = 1_500 * attended * (1 + women) + 300 * (arm - 1) * attended
    return pd.DataFrame(
        {
            "id": [f"{KEY}{seed:02d}{i:05d}" for i in rng.permutation(n)],
            "name": [f"Simulated-{i}" for i in range(n)],
            "sex": np.where(women, "F", "M"),
            "site": np.where(site == 0, "north", "south"),
            "treat": arm,
            "attended": attended.astype(int),
            "age": age,
            "education": np.where(ability + rng.normal(size=n) > 0, "long", "short"),
            "w": rng.uniform(0.5, 2, n).round(3),
            "work": (rng.random(n) < 0.4 + 0.15 * attended).astype(int),
            "earn0": before.round(),
            "earn6": (before + gain + rng.normal(0, 800, n)).round(),
            "earn12": (before + 2 * gain + rng.normal(0, 900, n)).round(),
            "spent": np.where(attended, rng.gamma(4, 5_000, n).round(), 0),
        }
    )


def plan_for(name: str, **sections: object) -> dict[str, object]:
    """Return a programme file for `people`; ``sections`` replace, None takes away."""
    plan: dict[str, object] = {
        "title": {"en": f"Simulated programme {name}", "sv": f"Simulerat program {name}"},
        "source": {"en": "Drawn at random", "sv": "Slumpade", "licence": "MIT"},
        "simulated": True,
        "design": "randomised",
        "data": {"participants": {"path": f"data/raw/{name}/p.csv"}},
        "columns": {
            "person": "id",
            "gender": {"column": "sex", "women": "F", "men": "M"},
            "treatment": {"column": "treat", "control": 0},
        },
        "outcomes": {
            "work": {
                "column": "work",
                "unit": "share",
                "role": "primary",
                "title": {"en": "In work", "sv": "I arbete"},
            },
            "before": {"column": "earn0", "unit": "SEK per month", "role": "placebo"},
        },
        "analysis": {"permutations": 199},
    }
    return {key: value for key, value in (plan | sections).items() if value is not None}


def full_plan(name: str) -> dict[str, object]:
    """Return a plan that uses what this version has: arms, blocks, months, weights, costs."""
    outcomes = plan_for(name)["outcomes"] | {
        "earn": {
            "columns": {6: "earn6", 12: "earn12"},
            "baseline": "earn0",
            "unit": "SEK per month",
            "role": "primary",
            "title": {"en": "Earnings", "sv": "Arbetsinkomst"},
        }
    }
    return plan_for(
        name,
        columns={
            "person": "id",
            "gender": {"column": "sex", "women": "F", "men": "M"},
            "treatment": {"column": "treat", "control": 0, "arms": [1, 2]},
            "takeup": {"column": "attended", "taken": 1},
            "blocks": ["site"],
            "weight": "w",
        },
        assignment={"share": {1: 0.333, 2: 0.333}},
        eligibility=["age >= 20"],
        covariates=["age", {"column": "education", "kind": "categorical"}],
        outcomes=outcomes,
        groups=["education"],
        costs={
            "currency": "SEK",
            "price_year": 2022,
            "per": "participant",
            "column": "spent",
            "outcomes": ["work", "earn"],
            "site": "site",
        },
    )


def write_study(
    folder: Path, programmes: Mapping[str, Mapping[str, object]], **config: object
) -> Path:
    """Write the configuration and programme files of a study; raw data come apart."""
    yaml = YAML(typ="safe")
    (folder / "config" / "programmes").mkdir(parents=True, exist_ok=True)
    settings = {"programmes": list(programmes), "languages": ["en", "sv"], "seed": 1} | config
    yaml.dump(settings, folder / "config" / "config.yaml")
    for name, plan in programmes.items():
        yaml.dump(dict(plan), folder / "config" / "programmes" / f"{name}.yaml")
        (folder / "data" / "raw" / name).mkdir(parents=True, exist_ok=True)
    return folder


def write_raw(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    """Write a programme's raw table where `plan_for` expects it."""
    path = folder / "data" / "raw" / name / "p.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)
    return path


def write_swedish(path: Path, frame: pd.DataFrame) -> None:
    """Write a table as Windows in Swedish would: cp1252, semicolon, decimal comma, CRLF."""
    text = frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("cp1252"))


def table(results: Path, name: str) -> pd.DataFrame:
    """Read a released table, checked against its schema."""
    return read_csv(results / "tables" / f"{name}.csv", schemas.released(name))


@dataclass(frozen=True)
class Evaluated:
    """A programme that went down the whole road: its plan and its folder under `results/`."""

    plan: Plan
    results: Path

    def table(self, name: str) -> pd.DataFrame:
        return table(self.results, name)

    def exact(self, name: str) -> pd.DataFrame:
        """Read a table of `build/`, before the gate."""
        folder = self.results.parents[1] / "build" / self.results.name
        return pd.read_parquet(folder / f"{name}.parquet")

    def text(self, language: str = "en") -> str:
        return text_of(self.results / f"report.{language}.html")


class Files(dict):
    """Files by name, as attributes and as items, like those of a Snakemake rule."""

    __getattr__ = dict.__getitem__


def nothing(name: str) -> pd.DataFrame:
    """Return a table of the stages without rows."""
    return pd.DataFrame(columns=list(getattr(schemas, name.upper()).columns))


def script(name: str):
    """Return the function of a workflow script."""
    return runpy.run_path(str(SCRIPTS / f"{name}.py"))["main"]


def evaluated(
    folder: Path,
    name: str,
    plan: Mapping[str, object],
    frame: pd.DataFrame | None,
    **config: object,
) -> Evaluated:
    """Take one programme down the whole road in this process, without notebooks.

    The rules' own scripts do the work, on a raw table that is written unless it is None.
    """
    write_study(folder, {name: plan}, **config)
    if frame is not None:
        write_raw(folder, name, frame)
    with contextlib.chdir(folder):
        checked = run_scripts(name)
    return Evaluated(checked, folder / "results" / name)


def run_scripts(name: str, with_data: bool = True) -> Plan:
    """Run the scripts of a programme's rules one after the other in the current folder.

    Without the stage `data` its files must be in `build/` already.
    """
    settings = Config.model_validate(
        YAML(typ="safe").load(Path("config/config.yaml").read_text(encoding="utf-8"))
    )
    plan_path = f"config/programmes/{name}.yaml"
    plan = load_plan(plan_path)
    build, results = Path("build") / name, Path("results") / name
    tables = ("participants", "outcomes", "flow", "cleaning", "dose", "states", "quarantine",
              "design_checks", "balance", "effects", "covariances", "participation",
              "compliers", "paths", "incidence", "bounds",
              "power", "spillovers", "net_effects", "heterogeneity", "costs",
              "staff_hours", "costs_by_site", "cost_parts",
              "cost_effectiveness", "acceptability", "cost_benefit", "accounts",
              "cost_sensitivity", "cost_records", "propensity", "propensity_models",
              "overlap", "propensity_histogram", "population", "graph", "event_study",
              "sensitivity", "refutations", "specifications", "verdict",
              "person_scores", "gap", "conditional_effects", "heterogeneity_tests",
              "sorted_groups", "sorted_profile", "effect_distribution", "policies",
              "policy_tree", "targeting_curve", "cheers")  # fmt: skip
    files = Files({t: str(build / f"{t}.parquet") for t in tables})
    files |= {"plan": plan_path, "raw": str(build / "raw.json"), "code": []}
    files |= {
        "records": files.cost_records,
        "checks": files.design_checks,
        "by_site": files.costs_by_site,
        "parts": files.cost_parts,
        "effectiveness": files.cost_effectiveness,
        "benefit": files.cost_benefit,
        "sensitivity_of_costs": files.cost_sensitivity,
        "models": files.propensity_models,
        "histogram": files.propensity_histogram,
    }
    if with_data:
        script("data")(plan_path, files, seed=settings.seed)
    script("propensity")(files, files, settings.seed)
    script("graph")(files, files.graph, settings.seed)
    script("design")(files, files, np.random.default_rng(1))
    script("effects")(files, files, np.random.default_rng(2))
    script("participation")(files, files)
    script("paths")(files, files, settings.seed, name)
    script("bounds")(files, files.bounds)
    script("power")(files, files.power)
    script("saturation")(files, files)
    script("event_study")(files, files.event_study, settings.seed)
    script("sensitivity")(files, files, settings.seed)
    script("heterogeneity")(files, files.heterogeneity)
    script("scores")(files, files.person_scores, settings.seed)
    script("gap")(files, files.gap, settings.seed)
    script("conditional_effects")(files, files, settings.seed)
    script("costs")(files, files, np.random.default_rng(3))
    script("cost_benefit")(files, files, np.random.default_rng(4))
    script("cheers")(files, files.cheers)
    released = Files({t: str(results / "tables" / f"{t}.csv") for t in RELEASED})
    released |= {n: str(results / f"{n}.json") for n in ("disclosure", "provenance")}
    script("release")(files, released, settings.disclosure.model_dump(), settings.seed)
    reports = [str(results / f"report.{language}.html") for language in settings.languages]
    script("report")(plan_path, results, settings.languages, reports)
    return plan


def text_of(page: Path) -> str:
    """Return the words of a page, without its tags."""
    html = page.read_text(encoding="utf-8")
    html = re.sub(r"<style>.*?</style>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def run_notebook_code(results: Path, notebook: str) -> SimpleNamespace:
    """Run the code of a notebook on released tables, without a kernel."""
    import nbformat

    cells = nbformat.read(REPOSITORY / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    names: dict[str, object] = {}
    before = os.environ.get("EVALUATE_RESULTS")
    os.environ["EVALUATE_RESULTS"] = str(results)
    try:
        for cell in cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, notebook, "exec"), names)
    finally:
        os.environ.pop("EVALUATE_RESULTS")
        if before is not None:
            os.environ["EVALUATE_RESULTS"] = before
    return SimpleNamespace(**{k: v for k, v in names.items() if k.isidentifier()})
