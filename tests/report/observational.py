"""A simulated programme that nobody drew: who is unlike the others takes part more often."""

import numpy as np
import pandas as pd
from studies import KEY, plan_for

from evaluate import schemas
from evaluate.plan.model import Plan
from evaluate.release import RELEASED
from evaluate.report.released import Released

PROTOCOL = {
    "eligibility": {"en": "Registered and aged 20 or more.", "sv": "Inskrivna, minst 20 år."},
    "strategies": {"en": "The programme, or none.", "sv": "Programmet, eller inget."},
    "assignment": "By case workers.",
    "time_zero": "The day of the start.",
    "follow_up": "Twelve months.",
    "outcome": "In work.",
    "contrast": "For those who took part.",
    "analysis": "Doubly robust.",
}
EDGES = [
    ["age", "treatment"], ["age", "work"], ["education", "treatment"], ["education", "work"],
    ["earn0", "treatment"], ["earn0", "work"], ["treatment", "work"], ["education", "earn0"],
]  # fmt: skip


def observed(n: int = 900, seed: int = 7) -> pd.DataFrame:
    """Draw a raw table: the young, the short-schooled and the poor take part more often."""
    rng = np.random.default_rng(seed)
    women = rng.random(n) < 0.5
    age = rng.integers(18, 60, n)
    schooling = rng.normal(size=n)
    before = 12_000 + 2_000 * schooling + rng.normal(0, 1_500, n)
    index = -0.6 - 0.03 * (age - 40) - 0.5 * schooling - 0.0001 * (before - 12_000)
    treated = rng.random(n) < 1 / (1 + np.exp(-index))
    rate = 0.35 + 0.12 * treated + 0.08 * (schooling > 0) - 0.003 * (age - 40)
    gain = 1_500 * treated * (1 + women)
    return pd.DataFrame(
        {
            "id": [f"{KEY}{seed:02d}{i:05d}" for i in rng.permutation(n)],
            "sex": np.where(women, "F", "M"),
            "treat": treated.astype(int),
            "age": age,
            "education": np.where(schooling > 0, "long", "short"),
            "earn0": before.round(),
            "earn6": (before + gain + rng.normal(0, 1_200, n)).round(),
            "earn12": (before + 2 * gain + rng.normal(0, 1_200, n)).round(),
            "work": (rng.random(n) < rate).astype(int),
            "work0": (rng.random(n) < 0.3 + 0.1 * (schooling > 0)).astype(int),
        }
    )


def plan_of(name: str, **sections: object) -> dict[str, object]:
    """Return a programme file for `observed`; ``sections`` replace, None takes away."""
    plan = plan_for(
        name,
        design="observational",
        eligibility=["age >= 20"],
        covariates=["age", {"column": "education", "kind": "categorical"}, "earn0"],
        outcomes={
            "work": {
                "column": "work",
                "unit": "share",
                "role": "primary",
                "title": {"en": "In work", "sv": "I arbete"},
            },
            "earn": {
                "columns": {6: "earn6", 12: "earn12"},
                "primary_month": 12,
                "unit": "SEK per month",
                "role": "primary",
                "title": {"en": "Earnings", "sv": "Arbetsinkomst"},
            },
            "before": {
                "column": "work0",
                "unit": "share",
                "role": "placebo",
                "title": {"en": "In work before", "sv": "I arbete före"},
            },
        },
        protocol=PROTOCOL,
        graph={"edges": EDGES},
        analysis={"cross_fitting": {"splits": 2}, "permutations": 199},
        costs={"currency": "SEK", "price_year": 2022, "amount": 38600, "outcomes": ["work"]},
    )
    return {key: value for key, value in (plan | sections).items() if value is not None}


def made(plan: Plan | None = None, **tables: pd.DataFrame) -> Released:
    """Return released tables made by hand: those named, the others without rows. SIMULATED."""
    plan = plan or Plan.model_validate(plan_of("made"))
    names = [n for n in RELEASED if n in Released.__dataclass_fields__]
    empty = {n: pd.DataFrame(columns=list(schemas.released(n).columns)) for n in names}
    flow = flow_of(("received", "", 500), ("excluded", "", 20), ("included", "", 480))
    tables = empty | {"flow": flow} | tables
    disclosure = {"withheld": [], "round_to": 1, "min_cell": 5}
    return Released(plan=plan, **tables, disclosure=disclosure, provenance={})


def flow_of(*rows: tuple[str, str, int]) -> pd.DataFrame:
    """Return a flow in which four of ten took part."""
    return pd.DataFrame(
        [
            {"step": step, "reason": reason, "n": n, "arm=0": n * 6 // 10, "arm=1": n * 4 // 10}
            for step, reason, n in rows
        ]
    )


def effect(group: str = "all", estimator: str = "aipw", **values: object) -> dict[str, object]:
    """Return a row of effects on `work`: 10 points more, of 50 per cent, interval from 2 to 18."""
    estimand = "regression_coefficient" if estimator == "regression" else "att"
    row = {
        "outcome": "work", "month": pd.NA, "arm": "1", "role": "primary", "estimand": estimand,
        "estimator": estimator, "group": group, "estimate": 0.10, "std_error": 0.04,
        "conf_low": 0.02, "conf_high": 0.18, "p_value": 0.01, "level": 0.95, "n": 480,
        "n_treated": 192, "n_control": 288, "mean_treated": 0.50, "mean_control": 0.45,
        "unit": "share", "note": None,
    }  # fmt: skip
    return row | values


def table_of(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return rows as a released table, with what they lack empty."""
    return pd.DataFrame(rows).reindex(columns=list(schemas.released(name).columns))
