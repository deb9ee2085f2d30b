"""A study without a lottery down the whole road: what the stages make is published and told."""

import numpy as np
import pandas as pd
import pytest
from studies import evaluated, plan_for
from without_lottery import FAST, drawn, frame_of

PROTOCOL = dict.fromkeys(
    ("eligibility", "strategies", "assignment", "time_zero", "follow_up", "outcome", "contrast",
     "analysis"), "as said",
)  # fmt: skip
OUTCOMES = {
    "work": {"column": "work", "unit": "share", "role": "primary"},
    "hours": {"column": "hours", "unit": "hours per week", "role": "secondary"},
    "before": {"column": "x1", "unit": "points", "role": "placebo", "without": ["x1"]},
}


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    frame = frame_of(drawn(seed=4, n=420, slope=1.4))
    frame["w"] = np.random.default_rng(1).uniform(0.5, 2, len(frame)).round(2)
    plan = plan_for(
        "x",
        design="observational",
        covariates=["x0", "x1", "x2"],
        protocol=PROTOCOL,
        outcomes=OUTCOMES,
        columns=plan_for("x")["columns"] | {"weight": "w"},
        analysis=FAST
        | {
            "propensity": {"model": "logit", "within_gender": True},
            "estimators": ["aipw", "entropy_balancing", "difference_in_means"],
        },
    )
    return evaluated(tmp_path_factory.mktemp("road"), "x", plan, frame)


def test_scores_are_read_by_later_stages_as_they_were_fitted(road):
    scores = road.exact("propensity")
    assert set(scores["covariates"].fillna("")) == {"", "before"}
    assert set(scores["arm"]) == {"1"}
    assert scores["score"].between(0, 1).all()
    kept = scores[(scores["covariates"].fillna("") == "") & (scores["split"] == 0)]
    exact = road.exact("overlap")
    exact = exact[exact["group"] == "all"].groupby("arm")["kept"].sum()
    assert kept[kept["kept"]].groupby("arm").size().to_dict() == exact.to_dict()
    effects = road.exact("effects")
    rows = effects[
        (effects["estimator"] == "aipw")
        & (effects["group"] == "all")
        & (effects["outcome"] == "work")
    ]
    assert rows.set_index("arm")["n"].to_dict() == exact.to_dict()


def test_no_small_count_is_published(road):
    for name in ("overlap", "propensity_histogram", "effects", "specifications", "power"):
        table = road.table(name)
        for column in ("n", "n_treated", "n_control", "kept", "trimmed", "outside", "clipped"):
            if column in table:
                n = table[column].dropna()
                assert not ((n > 0) & (n < 5)).any(), (name, column)


def test_what_is_withheld_is_withheld_alike_in_overlap_and_effects(road):
    overlap = road.table("overlap").set_index(["arm", "group", "side"])
    effects = road.table("effects")
    rows = effects[(effects["estimator"] == "aipw") & (effects["outcome"] == "hours")]
    compared = 0
    for row in rows[rows["group"].isin(["all", "women", "men"])].to_dict("records"):
        for side in ("treated", "control"):
            kept, n = overlap.loc[(row["arm"], row["group"], side), "kept"], row[f"n_{side}"]
            assert pd.isna(kept) == pd.isna(n)
            compared += pd.notna(n)
    assert compared >= 2
    assert rows["n"].isna().any()  # trimming loses a few persons of a gender
    withheld = rows[rows["n"].isna() & rows["estimate"].notna()]
    assert withheld["note"].str.contains("numbers of persons withheld").all()
    shown = withheld.dropna(subset="std_error")
    assert len(shown)
    assert shown["conf_low"].notna().all()


def test_checks_and_balance_are_published(road):
    checks = road.table("design_checks")
    assert {"overlap", "propensity_model", "effective_size", "balance_after_ipw"} <= set(
        checks["check"]
    )
    balance = road.table("balance")
    assert set(balance["weights"].dropna()) == {"ipw", "entropy_balancing"}
    assert balance.loc[balance["adjusted"], "smd"].notna().any()
    models = road.table("propensity_models")
    assert set(models["group"]) == {"all", "women", "men"}
