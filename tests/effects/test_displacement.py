"""Net jobs under stated displacement: plain products, and which rows have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pydantic import ValidationError
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.effects.displacement import net_effects
from evaluate.effects.table import effects
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release


def trial(**sections):
    """Return the effects of a trial with a share, a share in months, and earnings."""
    rng = np.random.default_rng(8)
    n = 600
    arm, women = rng.permutation(np.arange(n) % 2), rng.random(n) < 0.5
    work = (rng.random((n, 4)) < 0.3 + 0.1 * arm[:, None]).astype(float)
    y = np.column_stack([work, rng.normal(size=n)])
    outcomes = {
        "work": {"column": "w", "unit": "share", "role": "primary"},
        "job": {"columns": {0: "j0", 6: "j6"}, "unit": "share", "role": "primary"},
        "other": {"column": "o", "unit": "share"},
        "earn": {"column": "e", "unit": "SEK", "role": "primary"},
    }
    plan = plan_of(y, **{"outcomes": outcomes} | sections)
    found = effects(study_from(y, arm, women), plan).table
    return found, plan, checked(net_effects(found, plan), schemas.NET_EFFECTS, "net")


def test_net_jobs_are_the_effect_less_what_is_displaced_times_the_offered():
    found, _, net = trial()
    lead = found[(found["outcome"] == "work") & (found["group"] == "women")].iloc[0]
    mine = net[(net["outcome"] == "work") & (net["group"] == "women")].set_index("displacement")
    assert mine.index.tolist() == [0.0, 0.1, 0.25, 0.5]
    for share, row in mine.iterrows():
        for name, jobs, source in (
            ("effect", "jobs", "estimate"),
            ("conf_low", "jobs_low", "conf_low"),
            ("conf_high", "jobs_high", "conf_high"),
        ):
            assert_allclose(row[name], (1 - share) * lead[source])
            assert_allclose(row[jobs], (1 - share) * lead[source] * lead["n_treated"])
        assert row["note"] == "displacement is assumed, not estimated"


def test_only_primary_shares_after_time_zero_have_them_and_the_gap_has_none():
    _, _, net = trial()
    assert set(net["outcome"]) == {"work", "job"}
    assert set(net.loc[net["outcome"] == "job", "month"]) == {6}
    assert set(net["group"]) == {"all", "women", "men"}


def test_the_plan_says_the_shares():
    _, _, net = trial(analysis={"displacement": [0.3]})
    assert set(net["displacement"]) == {0.3}
    for shares in ([], [1.5], [-0.1]):
        with pytest.raises(ValidationError):
            trial(analysis={"displacement": shares})


def test_where_displacement_was_estimated_none_is_assumed():
    found, _, _ = trial()
    plan = plan_of(
        np.zeros((1, 1)),
        columns={"cluster": "market"},
        assignment={"saturation": {"column": "share"}},
    )
    assert net_effects(found, plan).empty


def test_an_effect_that_is_withheld_has_no_net_effect():
    found, _, net = trial()
    few = found.assign(n_control=[2 if g == "men" else 150 for g in found["group"]])
    released = release({"effects": few, "net_effects": net}, Disclosure(), control="0")
    table = released.tables["net_effects"]
    men = table[table["group"] == "men"]
    assert men[["effect", "conf_low", "conf_high", "jobs", "jobs_low"]].isna().all(axis=None)
    assert pd.notna(table["displacement"]).all()
    rows = [e["row"] for e in released.withheld if e["table"] == "net_effects"]
    assert {r["displacement"] for r in rows} == {0, 0.1, 0.25, 0.5}
