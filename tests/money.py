"""A simulated trial with earnings by month and take-up, for the tests of money over time."""

import numpy as np
from simulate import plan_of, study_from


def trial(n=600, seed=3, months=4):
    """Draw a trial with an outcome by month, take-up, and women."""
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % 2)
    takeup = np.where(arm == 1, rng.random(n) < 0.7, 0).astype(float)
    y = 50 * takeup[:, None] + rng.normal(0, 100, (n, months))
    return study_from(y, arm, women=rng.random(n) < 0.5, takeup=takeup)


def monthly_plan(**costs):
    made = plan_of(
        np.empty((1, 1)),
        columns={"takeup": {"column": "t", "taken": 1}},
        outcomes={
            "earn": {"columns": {m: f"e{m}" for m in (3, 6, 9, 12)}, "unit": "SEK per month"}
        },
        costs={"currency": "SEK", "price_year": 2022, "outcomes": ["earn"]} | costs,
    )
    return made


ACCOUNTS = {
    "earnings": {"outcome": "earn", "income_tax": 0.3, "payroll_tax": 0.3142},
    "cost_of_public_funds": 0.3,
    "displacement": 0.2,
    "years": 10,
    "decay": 0.1,
}
