"""Simulated persons and the exact tables of who benefits that stand on them; nobody is real."""

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.io import checked
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release

STEPS = 20  # of the predicted effect within a split, the highest first
BINS = 6  # of its mean over splits, which orders persons in another way
LEVELS = ("a", "b", "c")
GROUPS = ("all", "women", "men")
PLACE = {"outcome": "work", "month": pd.NA, "arm": "1"}
ESTIMATE = {"estimate": 0.1, "std_error": 0.05, "conf_low": 0.0, "conf_high": 0.2}
RULE = Disclosure()


def persons(seed, n=160, women=0.5, rare=0.3):
    """Draw persons with a gender, an arm, a level of schooling and a step of predicted effect."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "treated": rng.random(n) < 0.5,
            "woman": rng.random(n) < women,
            "level": rng.choice(LEVELS, n, p=[1 - 2 * rare, rare, rare]),
        }
    )
    predicted = rng.normal(size=n) + 1.2 * frame["woman"]
    order = np.argsort(-predicted.to_numpy(), kind="stable")
    step = np.empty(n, dtype=int)
    for k, rows in enumerate(np.array_split(order, STEPS)):
        step[rows] = k
    return frame.assign(step=step, other=rng.integers(0, BINS, n))


def members(frame):
    """Return who is in each group, the levels too."""
    women = frame["woman"].to_numpy()
    found = {"all": np.ones(len(frame), dtype=bool), "women": women, "men": ~women}
    return found | {f"school={v}": (frame["level"] == v).to_numpy() for v in LEVELS}


def least_of(frame, rows):
    """Return the smallest arm of a gender among some."""
    one = frame[rows]
    return min(
        int((one["treated"] == t)[one["woman"] == w].sum())
        for w in one["woman"].unique()
        for t in (True, False)
    ) if len(one) else 0  # fmt: skip


def exact_tables(frame, groups=5):
    """Return the tables as the stages make them, by names of `schemas`."""
    treated = frame["treated"].to_numpy()
    group, n = members(frame), len(frame)
    women = group["women"]
    effects, conditional = [], []
    for name in (*GROUPS, "women-men", *[g for g in group if "=" in g]):
        rows = group.get(name, group["all"])
        sizes = {
            "n": int(rows.sum()),
            "n_treated": int((rows & treated).sum()),
            "n_control": int((rows & ~treated).sum()),
        }
        effects.append(
            PLACE | ESTIMATE | sizes
            | {"role": "primary", "estimand": "itt", "estimator": "lin", "group": name,
               "p_value": 0.5, "df": 100.0, "level": 0.95, "std_error_kind": "HC2",
               "unit": "SEK", "prespecified": True, "note": ""}
        )  # fmt: skip
        conditional.append(
            PLACE | ESTIMATE | sizes
            | {"kind": "average", "group": name, "term": "", "p_value": 0.5,
               "df": max(sizes["n"] - 1, 1),
               "level": 0.95, "unit": "SEK", "prespecified": "=" not in name, "note": ""}
        )  # fmt: skip
    for term in ("constant", "school=b", "school=c", "men"):
        conditional.append(
            PLACE | ESTIMATE
            | {"kind": "projection", "group": "all", "term": term, "df": n - 4, "n": n,
               "n_treated": int(treated.sum()), "n_control": int((~treated).sum()),
               "level": 0.95, "unit": "SEK", "prespecified": term == "men", "note": ""}
        )  # fmt: skip
    both = {"n_women": int(women.sum()), "n_men": int((~women).sum())}
    gap = [
        PLACE | ESTIMATE | both
        | {"method": "oaxaca_blinder", "part": part, "covariate": covariate, "dose": "",
           "df": 100.0, "level": 0.95, "unit": "SEK", "note": ""}
        for part, covariate in [("gap", ""), ("same_composition", ""), ("composition", ""),
                                ("composition", "school"), ("composition", "age")]
    ]  # fmt: skip
    tests = [
        PLACE | ESTIMATE
        | {"learner": "linear", "test": "calibration", "splits": 20, "lead": True,
           "verdict": "found", "level": 0.95, "n": n, "unit": "SEK", "note": ""}
    ]  # fmt: skip
    tables = {
        "effects": effects, "conditional_effects": conditional, "gap": gap,
        "heterogeneity_tests": tests, "balance": _balance(frame, group),
        **_sorted(frame, group, groups), "effect_distribution": _distribution(frame, group),
        **_targeting(frame, group, both),
    }  # fmt: skip
    return {name: as_schema(name, rows) for name, rows in tables.items()}


def as_schema(name, rows):
    """Return rows as a table in the columns of its schema."""
    schema = getattr(schemas, name.upper())
    table = pd.DataFrame(rows).reindex(columns=list(schema.columns))
    return checked(table, schema, name)


def _balance(frame, group):
    rows = []
    for level in LEVELS[1:]:
        has = (frame["level"] == level).to_numpy(dtype=float)
        for name in (*GROUPS, "women-men"):
            who = group.get(name, group["all"])
            means = [has[who & (frame["treated"] == t).to_numpy()].mean() for t in (True, False)]
            rows.append(
                {"covariate": f"school={level}", "group": name, "mean_treated": means[0],
                 "mean_control": means[1], "smd": 0.1, "variance_ratio": 1.0, "adjusted": False,
                 "arm": "1", "weights": None, "ks": 0.1}
            )  # fmt: skip
    return rows


def _sorted(frame, group, groups):
    step = frame["step"].to_numpy()
    place = step * groups // STEPS
    table, profile = [], []
    context = PLACE | {"learner": "linear", "splits": 20, "level": 0.95, "note": ""}
    for name in (*GROUPS, "women-men"):
        who = group.get(name, group["all"])
        for q in [*range(groups), None]:
            parts = [0, groups - 1] if q is None else [q]
            rows = who & np.isin(place, parts)
            row = context | ESTIMATE | {
                "group": name, "sorted_group": "top-bottom" if q is None else str(q + 1),
                "predicted": 0.1, "p_value": 0.5, "n": int(rows.sum()), "unit": "SEK",
                "least": min(least_of(frame, who & (place == p)) for p in parts),
            }  # fmt: skip
            if name == "all" and q is not None:
                row["share_women"] = frame["woman"][rows].mean()
            table.append(row)
    ends = {"top": place == 0, "bottom": place == groups - 1}
    for covariate, has in (
        ("men", ~group["women"]), ("school=b", group["school=b"]), ("school=c", group["school=c"])
    ):  # fmt: skip
        ones = {end: int((has & rows).sum()) for end, rows in ends.items()}
        sizes = {end: int(rows.sum()) for end, rows in ends.items()}
        profile.append(
            context
            | {"covariate": covariate, "difference": 0.1, "std_error": 0.1, "p_value": 0.5}
            | {f"mean_{end}": ones[end] / max(sizes[end], 1) for end in ends}
            | {f"n_{end}": sizes[end] for end in ends}
            | {"least": min(min(ones[e], sizes[e] - ones[e]) for e in ends)}
        )
    return {"sorted_groups": table, "sorted_profile": profile}


def _distribution(frame, group):
    rows, place = [], frame["other"].to_numpy()
    for name in GROUPS:
        who = group[name]
        base = PLACE | {"learner": "linear", "group": name, "unit": "SEK", "note": ""}
        for k in range(BINS):
            count = int((who & (place == k)).sum())
            rows.append(
                base
                | {"kind": "bin", "low": float(-k - 1), "high": float(-k)}
                | {"value": count / max(who.sum(), 1), "n": count}
            )
        rows += [base | {"kind": k, "value": 0.1, "n": int(who.sum())} for k in ("mean", "sd")]
    return rows


def rules(frame):
    """Return who gets a place by each rule."""
    step, group = frame["step"].to_numpy(), members(frame)
    found = {"everyone": group["all"], "women": group["women"], "men": group["men"]}
    found |= {name: who for name, who in group.items() if "=" in name}
    return found | {"highest_predicted": step < 8, "tree": nodes(frame)[4][0]}


def nodes(frame):
    """Return who is in each node of a tree, with its parent and branch."""
    has, low = members(frame)["school=b"], frame["other"].to_numpy() >= BINS // 2
    return {
        0: (np.ones(len(frame), dtype=bool), pd.NA, None),
        1: (~has, 0, "below"),
        2: (has, 0, "above"),
        3: (has & low, 2, "below"),
        4: (has & ~low, 2, "above"),
    }


def orders(frame):
    """Return who comes first in each order, at each share of the persons."""
    step, women = frame["step"].to_numpy(), frame["woman"].to_numpy()
    rank = np.argsort(np.argsort(np.where(women, 0, 1), kind="stable"), kind="stable")
    return {"predicted": step, "women_first": rank * STEPS // len(frame)}


def _targeting(frame, group, both):
    n, women = len(frame), group["women"]
    policies = [
        PLACE | ESTIMATE | both
        | {"policy": policy, "uses_gender": policy in ("women", "men"), "against": "no_one",
           "share_treated": who.mean(), "share_treated_women": who[women].mean(),
           "share_treated_men": who[~women].mean(),
           "women_among_treated": women[who].mean() if who.any() else np.nan,
           "gain": 0.1, "cost_difference": 5.0, "level": 0.95, "n": n, "unit": "SEK", "note": ""}
        for policy, who in rules(frame).items()
    ]  # fmt: skip
    tree = [
        PLACE
        | {"tree": "tree", "node": node, "parent": parent, "branch": branch, "note": "",
           "covariate": {0: "school=b", 2: "income"}.get(node, ""), "threshold": 0.5,
           "treat": node == 4, "share": who.mean(), "n": int(who.sum()),
           "share_women": women[who].mean() if who.any() else np.nan,
           "n_women": int((who & women).sum()), "n_men": int((who & ~women).sum())}
        for node, (who, parent, branch) in nodes(frame).items()
    ]  # fmt: skip
    curve = [
        PLACE
        | {"order": order, "share": (at <= k).mean(), "gain": 0.1, "std_error": 0.05,
           "women_among_treated": women[at <= k].mean(), "level": 0.95, "n": n, "unit": "SEK",
           "note": ""}
        for order, at in orders(frame).items()
        for k in range(STEPS)
    ]  # fmt: skip
    for rows in (policies, curve):
        for row in rows:
            row.pop("estimate", None)
    return {"policies": policies, "policy_tree": tree, "targeting_curve": curve}


def numbers(frame):
    """Return the persons by group and arm, as the gate needs them for the balance."""
    return {
        (g, arm): int((who & (frame["treated"] == (arm == "1"))).sum())
        for g, who in members(frame).items()
        if g in GROUPS
        for arm in ("0", "1")
    }


def published(frame, **changed):
    """Return the released tables, and what was withheld."""
    tables = exact_tables(frame) | changed
    return release(tables, RULE, control="0", persons=numbers(frame))
