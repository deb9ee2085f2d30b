"""Made-up tables of who benefits, for the tests of chapter 4. SIMULATED: nobody is in them."""

import numpy as np
import pandas as pd

from evaluate.plan.model import Plan
from evaluate.report.released import Released

from .observational import effect, made, plan_of, table_of

NORMAL = 1.959963985  # errors in half an interval of 95 per cent
PLACE = {"outcome": "work", "month": pd.NA, "arm": "1"}
EFFECT = {"all": 0.06, "women": 0.10, "men": 0.02, "women-men": 0.08}
SPREAD = (
    "effects that differ by a standard deviation of about 0.12 (share) or more, along with the "
    "covariates, would be found in 80 of 100 studies like this one: smaller differences may well "
    "be there"
)


def _interval(value, error=0.02):
    low, high = value - NORMAL * error, value + NORMAL * error
    return {"std_error": error, "conf_low": low, "conf_high": high, "level": 0.95, "unit": "share"}


def judged(verdict="found", note=SPREAD, **values):
    p = {"found": 0.004, "not found": 0.41}.get(verdict)
    rows = []
    for learner in ("linear", "boosting"):
        for test, value in {"calibration": 0.9, "top-bottom": 0.12, "autoc": 0.03}.items():
            leads = (learner, test) == ("linear", "calibration")
            rows.append(
                PLACE
                | {"learner": learner, "test": test, "estimate": value, "p_value": p, "n": 900}
                | {"lead": leads, "verdict": verdict, "splits": 20, "statistic": 2.5}
                | ({"p_low": p / 2, "p_high": p * 2} if p else {})
                | _interval(value, 0.3 if test == "calibration" else 0.04)
                | {"note": note if leads else "", "unit": "1" if test == "calibration" else "share"}
            )
    rows.append(
        PLACE
        | {"learner": "", "test": "projection", "statistic": 3.2, "p_value": p, "lead": False}
        | {"verdict": verdict, "level": 0.95, "n": 900, "note": ""}
    )
    return table_of("heterogeneity_tests", [row | values for row in rows])


def conditional():
    terms = {
        "average": 0.06,
        "age": -0.001,
        "education=long": 0.05,
        "age missing": 0.0,
        "men": -0.08,
    }
    rows = [
        PLACE
        | {"kind": "projection", "group": "all", "term": term, "estimate": value, "n": 900}
        | {"df": 1e9}
        | {"p_value": 0.001 if abs(value) > 0.04 else 0.5, "prespecified": term == "average"}
        | {"p_value_adjusted": None if term == "average" else 0.01 if abs(value) > 0.04 else 0.9}
        | _interval(value)
        for term, value in terms.items()
    ]
    rows.append(
        PLACE | {"kind": "average", "group": "all", "estimate": 0.06, "n": 900} | _interval(0.06)
    )
    rows.append(
        PLACE
        | {"kind": "joint", "group": "all", "statistic": 3.2, "df": 4, "df_error": 880}
        | {"p_value": 0.012, "level": 0.95, "n": 900}
    )
    return table_of("conditional_effects", rows)


def sorted_groups(groups=("all", "women", "men", "women-men"), count=5):
    rows = []
    for group in groups:
        for i in [*range(count), "top-bottom"]:
            step = 0.12 if i == "top-bottom" else 0.06 - 0.03 * i
            value = step + (EFFECT[group] - 0.06 if group != "women-men" else 0.08)
            shares = {}
            if group == "all" and i != "top-bottom" and len(groups) > 1:
                share = 0.7 - 0.1 * i
                shares = {"share_women": share, "share_women_low": share - 0.04}
                shares["share_women_high"] = share + 0.04
            rows.append(
                PLACE
                | {"learner": "linear", "group": group, "estimate": value, "predicted": value}
                | {"sorted_group": i if i == "top-bottom" else str(i + 1), "p_value": 0.01}
                | {"splits": 20, "n": 144, "note": ""}
                | _interval(value, 0.03)
                | shares
            )
    return table_of("sorted_groups", rows)


def profile():
    means = {"age": (31.2, 44.9), "education=long": (0.81, 0.22), "men": (0.3, 0.7)}
    rows = [
        PLACE
        | {"learner": "linear", "covariate": name, "mean_top": top, "mean_bottom": bottom}
        | {"difference": top - bottom, "p_value": 0.001, "p_value_adjusted": 0.003, "splits": 20}
        | {"n_top": 144, "n_bottom": 144, "note": ""}
        | _interval(top - bottom, 0.05)
        for name, (top, bottom) in means.items()
    ]
    return table_of("sorted_profile", rows)


def distribution(groups=("all", "women", "men")):
    edges = np.linspace(-0.1, 0.25, 15)
    middle = (edges[1:] + edges[:-1]) / 2
    rows = []
    for group in groups:
        mass = np.exp(-(((middle - EFFECT[group]) / 0.06) ** 2) / 2)
        common = PLACE | {"learner": "linear", "group": group, "unit": "share", "note": ""}
        for low, high, value in zip(edges[:-1], edges[1:], mass / mass.sum(), strict=True):
            rows.append(common | {"kind": "bin", "low": low, "high": high, "value": value, "n": 40})
        for kind, value in (("mean", EFFECT[group]), ("sd", 0.06)):
            rows.append(common | {"kind": kind, "value": value, "n": 450})
    return table_of("effect_distribution", rows)


GAINS = {  # gain over no one, places of all, women, men
    "everyone": (0.06, 1.0, 1.0, 1.0),
    "no_one": (0.0, 0.0, 0.0, 0.0),
    "present": (0.024, 0.4, 0.4, 0.4),
    "women": (0.04, 0.4, 0.8, 0.0),
    "men": (0.008, 0.4, 0.0, 0.8),
    "education=long": (0.03, 0.4, 0.42, 0.38),
    "highest_predicted": (0.045, 0.4, 0.55, 0.25),
    "highest_predicted_without_gender": (0.038, 0.4, 0.46, 0.34),
    "tree": (0.041, 0.38, 0.6, 0.16),
    "tree_without_gender": (0.03, 0.39, 0.42, 0.36),
}


def policies(error=0.008, value=2_000_000.0, cost=40_000.0):
    rows = []
    for policy, (gain, share, women, men) in GAINS.items():
        for against in ("no_one", "everyone", "present", "random"):
            if policy == against or (policy == "present" and against == "random"):
                continue
            other, places, *_ = GAINS.get(against, (0.06 * share, share))
            more, dear = gain - other, None if cost is None else cost * (share - places)
            net = None if value is None or dear is None else value * more - dear
            rows.append(
                PLACE
                | {"policy": policy, "against": against, "capacity": 0.4, "gain": more}
                | {"uses_gender": policy in ("women", "men", "highest_predicted", "tree")}
                | {"share_treated": share, "share_treated_women": women, "share_treated_men": men}
                | {"women_among_treated": women / (women + men) if share else None}
                | {"p_value": 0.01, "value_of_unit": value, "cost_difference": dear}
                | {"net_gain": net, "currency": None if cost is None else "SEK 2022"}
                | {"cost_per_unit": None if dear is None or not more else dear / more}
                | {"n": 900, "n_women": 450, "n_men": 450, "note": ""}
                | ({"net_low": net - 9_000, "net_high": net + 9_000} if net is not None else {})
                | _interval(more, error)
                | {"splits": 20 if policy.startswith(("highest", "tree")) else None}
            )
    return table_of("policies", rows)


def tree(name="tree"):
    second = "men" if name == "tree" else "education=long"
    rows = [
        (0, None, "", "age", 34.5, None, 1.0, 0.5),
        (1, 0, "below", second, 0.5, None, 0.45, 0.55),
        (2, 1, "below", "", None, True, 0.25, 1.0),
        (3, 1, "above", "", None, False, 0.2, 0.0),
        (4, 0, "above", "age missing", 0.5, None, 0.55, 0.46),
        (5, 4, "below", "", None, False, 0.42, 0.45),
        (6, 4, "above", "", None, True, 0.13, 0.5),
    ]
    names = ("node", "parent", "branch", "covariate", "threshold", "treat", "share", "share_women")
    found = [
        PLACE | {"tree": name, "note": ""} | dict(zip(names, row, strict=True)) | {"n": 100}
        for row in rows
    ]
    table = table_of("policy_tree", found)
    return table.astype({"treat": "boolean", "parent": "Int64", "node": "Int64"})


def curve(cost=40_000.0, value=2_000_000.0):
    rows = []
    lift = {"predicted": 0.03, "predicted_without_gender": 0.02, "women_first": 0.018,
            "men_first": -0.018, "random": 0.0}  # fmt: skip
    for order, more in lift.items():
        for share in np.arange(1, 21) / 20:
            gain = 0.06 * share + more * 4 * share * (1 - share)
            dear = None if cost is None else cost * share
            net = None if cost is None or value is None else value * gain - dear
            rows.append(
                PLACE
                | {"order": order, "share": share, "gain": gain, "cost": dear, "net_gain": net}
                | ({"net_low": net - 9_000, "net_high": net + 9_000} if net is not None else {})
                | {"women_among_treated": 0.5, "splits": 20, "n": 900, "note": ""}
                | _interval(gain, 0.01 * share)
                | {"currency": None if cost is None else "SEK 2022"}
            )
    return table_of("targeting_curve", rows)


def effects(groups=("all", "women", "men", "women-men", "education=long", "education=short")):
    value = EFFECT | {"education=long": 0.09, "education=short": 0.03}
    rows = [
        effect(
            group, role="exploratory" if "=" in group else "primary", estimate=value[group],
            conf_low=value[group] - 0.05, conf_high=value[group] + 0.05, std_error=0.025,
        )
        for group in groups
    ]  # fmt: skip
    return table_of("effects", rows)


def benefits(verdict="found", plan: Plan | None = None, **tables: pd.DataFrame) -> Released:
    """Return made-up released tables of one outcome and arm, with every table of the chapter."""
    plan = plan or Plan.model_validate(plan_of("made", groups=["education"]))
    return made(
        plan,
        **{
            "effects": effects(),
            "heterogeneity_tests": judged(verdict),
            "conditional_effects": conditional(),
            "sorted_groups": sorted_groups(),
            "sorted_profile": profile(),
            "effect_distribution": distribution(),
            "policies": policies(),
            "policy_tree": pd.concat([tree(), tree("tree_without_gender")]),
            "targeting_curve": curve(),
        }
        | tables,
    )
