"""Trimming behind the gate: no few persons follow from all that the tables print together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from evaluate import schemas
from evaluate.covariates import Covariates
from evaluate.design.observational_tables import histogram_table, overlap_table, population_table
from evaluate.design.overlap import Trim
from evaluate.design.weighted_balance import balance_by_weights
from evaluate.io import checked
from evaluate.notes import note
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release
from evaluate.release.gate_overlap import merged

FEW = 5
GROUPS = ("all", "women", "men")
SIDES = ("treated", "control")
DERIVED = 1e-7  # of a unit vector left after projection
SEEDS = st.integers(0, 2**32 - 1)


def persons(seed, n=120, tail=0.12):
    """Draw persons with a score, a gender, an indicator and an outcome that is a share."""
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 2, n).round(3)
    score[rng.random(n) < tail] = rng.choice([0.02, 0.97])
    return pd.DataFrame(
        {
            "score": score,
            "treated": rng.random(n) < np.clip(score, 0.2, 0.8),
            "woman": rng.random(n) < rng.choice([0.2, 0.5]),
            "a": rng.random(n) < rng.choice([0.1, 0.5]),
            "y": rng.random(n) < rng.choice([0.15, 0.5]),
        }
    )


def exact_tables(frame, low=0.05, high=0.9):
    """Return the tables of one contrast as the stages make them, ATT."""
    score, treated = frame["score"].to_numpy(), frame["treated"].to_numpy()
    women = frame["woman"].to_numpy()
    groups = {"all": np.ones(len(frame), dtype=bool), "women": women, "men": ~women}
    cut = Trim((score >= low) & (score <= high), low, high)
    x = Covariates(frame[["a"]].to_numpy(dtype=float), ("a",), ("a",))
    after = np.where(treated, 1.0, score / (1 - score)) * cut.keep
    balance = balance_by_weights(
        x, treated, groups, {"ipw": dict.fromkeys(groups, after)}, "att", arm="1"
    )
    effects = pd.DataFrame(
        [
            effect(frame[rows], group, estimator)
            for estimator, kept in (("aipw", cut.keep), ("difference_in_means", groups["all"]))
            for group, members in groups.items()
            for rows in [members & kept]
        ]
    )
    n = {
        (g, a): int((m & (treated == (a == "1"))).sum())
        for g, m in groups.items()
        for a in ("1", "0")
    }
    tables = {
        "overlap": overlap_table(score, treated, cut, groups, "1", "att", 0.01),
        "propensity_histogram": histogram_table(score, treated, groups, "1"),
        "population": population_table(x, cut.keep, treated, groups, "1", "att"),
        "balance": balance,
        "effects": effects,
    }
    for name, table in tables.items():
        schema = getattr(schemas, name.upper())
        tables[name] = checked(table[list(schema.columns)], schema, name)
    return tables, n


def effect(frame, group, estimator):
    one, other = frame[frame["treated"]], frame[~frame["treated"]]
    return {
        "outcome": "work", "month": pd.NA, "arm": "1", "role": "primary", "estimand": "att",
        "estimator": estimator, "group": group, "estimate": 0.1, "std_error": 0.05,
        "conf_low": 0.1 - 0.05 * 1.9876543, "conf_high": 0.1 + 0.05 * 1.9876543,
        "p_value": 0.0487654321, "p_value_randomisation": np.nan, "p_value_adjusted": np.nan,
        "df": len(frame) - 1.0, "level": 0.95, "std_error_kind": "influence", "n": len(frame),
        "n_treated": len(one), "n_control": len(other), "n_clusters": pd.NA,
        "mean_treated": one["y"].mean(), "mean_control": other["y"].mean(), "unit": "share",
        "prespecified": True, "note": "",
    }  # fmt: skip


def published(frame):
    tables, n = exact_tables(frame)
    return release(tables, Disclosure(), control="0", persons=n).tables, tables


def known_sums(frame, tables, low=0.05, high=0.9):
    """Return what a reader knows: rows over persons whose sum with them is a known number."""
    score, treated = frame["score"].to_numpy(), frame["treated"].to_numpy()
    women, y = frame["woman"].to_numpy(), frame["y"].to_numpy(dtype=float)
    a = frame["a"].to_numpy(dtype=float)
    member = {"all": np.ones(len(frame)), "women": women * 1.0, "men": ~women * 1.0}
    arm = {"treated": treated * 1.0, "control": ~treated * 1.0}
    kept = ((score >= low) & (score <= high)) * 1.0
    known = []
    for row in tables["overlap"].to_dict("records"):
        here = member[row["group"]] * arm[row["side"]]
        for column, of in (("n", 1), ("kept", kept), ("trimmed", 1 - kept)):
            if pd.notna(row[column]):
                known.append(here * of)
        if pd.notna(row["effective"]) and row["side"] == "treated":
            known.append(here * kept)  # weights of one
    for row in tables["propensity_histogram"].to_dict("records"):
        top = score < row["high"] if row["high"] < 1 else score <= 1
        if pd.notna(row["n"]) or pd.notna(row["share"]):
            known.append(member[row["group"]] * arm[row["side"]] * (score >= row["low"]) * top)
    for row in tables["effects"].to_dict("records"):
        of = 1 if row["estimator"] == "difference_in_means" else kept
        both = member[row["group"]] * of
        for column, here in (("n", both), *((f"n_{s}", both * arm[s]) for s in SIDES)):
            if pd.notna(row[column]):
                known.append(here)
        if pd.notna(row["df"]):
            known.append(both)
        for side in SIDES:
            if pd.notna(mean := row[f"mean_{side}"]):
                known.append(both * arm[side] * (y - mean))
    for row in tables["population"].to_dict("records"):
        here = member[row["group"]] * arm["treated"]
        for column, of in (("mean_before", 1), ("mean_after", kept)):
            if pd.notna(row[column]):
                known.append(here * of * (a - row[column]))
    for row in tables["balance"].to_dict("records"):
        if row["group"] == "women-men":
            continue
        of = kept if row["adjusted"] else 1
        for side in SIDES[: 1 if row["adjusted"] else 2]:
            if pd.notna(mean := row[f"mean_{side}"]):
                known.append(member[row["group"]] * arm[side] * of * (a - mean))
    return [np.broadcast_to(k, len(frame)) * 1.0 for k in known]


def sets_of(frame, low=0.05, high=0.9):
    """Return the persons of each kind that is not to be told where they are few."""
    score, treated = frame["score"].to_numpy(), frame["treated"].to_numpy()
    kept = (score >= low) & (score <= high)
    women = frame["woman"].to_numpy()
    found = {}
    for group, members in {"all": kept | True, "women": women, "men": ~women}.items():
        for side in SIDES:
            here = members & (treated == (side == "treated"))
            parts = {"kept": kept, "trimmed": ~kept, "below": score < low, "above": score > high}
            for name, part in parts.items():
                found[group, side, name] = here & part
                for column in ("y", "a"):
                    value = frame[column].to_numpy()
                    found[group, side, name, "with", column] = here & part & value
                    found[group, side, name, "without", column] = here & part & ~value
    return found


def grid():
    """Return a person of each kind that the tables tell apart; a reader knows of none how many."""
    score = [*(np.arange(20) + 0.5) / 20, 0.9]
    kinds = [(s, *np.array(k, dtype=bool)) for s in score for k in np.ndindex(2, 2, 2, 2)]
    frame = pd.DataFrame(kinds, columns=["score", "treated", "woman", "a", "y"])
    return frame.astype(dict.fromkeys(["treated", "woman", "a", "y"], bool))


GRID = grid()


def told(frame, tables):
    """Return which kinds of few persons follow exactly from the tables."""
    known = np.array(known_sums(GRID, tables))
    size = np.linalg.norm(known, axis=1, keepdims=True)
    free = linalg.null_space(known / np.where(size > 0, size, 1), rcond=1e-10)
    return [
        kind
        for (kind, rows), of in zip(sets_of(frame).items(), sets_of(GRID).values(), strict=True)
        if 0 < rows.sum() < FEW and np.linalg.norm(free.T @ of) < DERIVED * np.linalg.norm(of)
    ]


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(40, 260), st.sampled_from([0.02, 0.06, 0.12, 0.3]))
@example(3, 120, 0.06)
def test_no_few_persons_follow_from_all_tables(seed, n, tail):
    frame = persons(seed, n, tail)
    counts = frame.groupby(["treated", "woman"]).size()
    if len(counts) < 4 or not _both_kept(frame):
        return
    out, _ = published(frame)
    assert told(frame, out) == []


def _both_kept(frame):
    kept = frame[frame["score"].between(0.05, 0.9)]
    return len(kept.groupby(["treated", "woman"]).size()) == 4


def test_the_reader_does_find_what_the_exact_tables_tell():
    found = 0
    for seed in range(20):
        frame = persons(seed, 120, 0.06)
        _, exact = published(frame)
        found += len(told(frame, exact))
    assert found > 20


def plain_study(women_trimmed=3, men_trimmed=20, n=400):
    """Return persons of whom few treated women are trimmed, and many others of all kinds."""
    i = np.arange(n)
    frame = pd.DataFrame(
        {
            "score": 0.2 + 0.6 * (i % 37) / 37,
            "treated": i % 2 == 0,
            "woman": (i // 2) % 2 == 0,
            "a": (i // 4) % 2 == 0,
            "y": (i // 8) % 2 == 0,
        }
    )
    for woman, count in ((True, women_trimmed), (False, men_trimmed)):
        rows = frame.index[frame["treated"] & (frame["woman"] == woman)][:count]
        frame.loc[rows, "score"] = 0.97
    return frame


def test_few_trimmed_women_take_their_numbers_and_the_mens_and_leave_the_effects():
    out, exact = published(plain_study())
    effects = out["effects"].set_index(["estimator", "group"])
    before = exact["effects"].set_index(["estimator", "group"])
    for group in ("women", "men"):
        row = effects.loc[("aipw", group)]
        assert row[["n", "n_treated", "mean_treated", "df"]].isna().all()
        assert row["n_control"] == before.loc[("aipw", group), "n_control"]
        assert row["estimate"] == 0.1
        assert row["conf_low"] != before.loc[("aipw", group), "conf_low"]
        assert abs(row["conf_low"] - before.loc[("aipw", group), "conf_low"]) < 0.005
        assert row["note"] == note("numbers_withheld")
    assert effects.loc[("aipw", "all"), "n_treated"] == 177
    assert effects.loc[("difference_in_means", "women"), "n_treated"] == 100
    overlap = out["overlap"].set_index(["group", "side"])
    assert overlap.loc[[("women", "treated"), ("men", "treated")], "kept"].isna().all()
    assert overlap.loc[("women", "treated"), "n"] == 100
    assert overlap.loc[("all", "treated"), "trimmed"] == 23


def test_nothing_is_withheld_where_many_or_none_are_trimmed():
    for women, men in ((24, 24), (0, 0)):
        tables, n = exact_tables(plain_study(women, men))
        out = release(tables, Disclosure(), control="0", persons=n)
        assert [
            e for e in out.withheld if e["table"] not in ("overlap", "propensity_histogram")
        ] == []
        assert {c for e in out.withheld if e["table"] == "overlap" for c in e["columns"]} <= {
            "outside"
        }
        pd.testing.assert_frame_equal(out.tables["effects"], tables["effects"])


def test_notes_do_not_tell_who_is_trimmed_where_the_tables_do_not():
    tables, n = exact_tables(plain_study())
    said = {"women": 3, "men": 20, "all": 23}
    tables["effects"]["note"] = [
        note("trimmed", treated=said[g], control=0) if e == "aipw" else None
        for e, g in zip(tables["effects"]["estimator"], tables["effects"]["group"], strict=True)
    ]
    out = release(tables, Disclosure(), control="0", persons=n).tables["effects"]
    notes = out[out["estimator"] == "aipw"].set_index("group")["note"]
    assert not notes.str.contains("20").any()
    assert not notes.str.contains("23").any()
    assert notes["women"] == f"{note('trimmed_some')}; {note('numbers_withheld')}"


def test_degrees_of_freedom_do_not_follow_from_intervals_and_p_values():
    frame = plain_study()
    tables, n = exact_tables(frame)
    effects = tables["effects"]
    df = effects["df"].to_numpy()
    t = stats.t.ppf(0.975, df)
    effects["conf_low"], effects["conf_high"] = 0.1 - 0.05 * t, 0.1 + 0.05 * t
    effects["p_value"] = 2 * stats.t.sf(2.0, df)
    out = release(tables, Disclosure(), control="0", persons=n).tables["effects"]
    row = out[(out["estimator"] == "aipw") & (out["group"] == "women")].iloc[0]
    candidates = np.arange(100, 300)
    low = 0.1 - 0.05 * stats.t.ppf(0.975, candidates)
    step = abs(low[0] - low[-1])
    alike = np.abs(low - row["conf_low"]) <= max(step / 10, 10.0 ** np.floor(np.log10(step)) / 2)
    assert alike.sum() > 8
    p = 2 * stats.t.sf(2.0, candidates)
    assert (np.round(p, 4) == round(float(row["p_value"]), 4)).sum() > 5


@pytest.mark.parametrize(
    ("counts", "bins"),
    [
        ({"all": [2, 3, 5, 0, 6]}, [(0, 2), (2, 3), (3, 4), (4, 5)]),
        ({"all": [9, 9, 9, 9, 2]}, [(0, 1), (1, 2), (2, 3), (3, 5)]),
        ({"all": [9, 9, 9, 9, 9], "women": [3, 0, 3, 0, 0]}, [(0, 3), (3, 4), (4, 5)]),
        ({"all": [0, 3, 0, 0, 0]}, [(0, 5)]),
    ],
)
def test_bins_are_merged_until_no_group_has_few(counts, bins):
    counts = {g: np.array(n) for g, n in counts.items()}
    found = merged(counts, FEW)
    if counts["all"].sum() >= FEW:
        assert found == bins
    assert found[0][0] == 0
    assert found[-1][1] == 5


def test_a_group_too_small_for_any_bin_is_emptied():
    frame = plain_study(0, 0)
    frame = pd.concat([frame[~frame["woman"]], frame[frame["woman"]].iloc[:6]], ignore_index=True)
    out, _ = published(frame)
    table = out["propensity_histogram"]
    assert table.loc[table["group"] == "women", ["n", "share"]].isna().all(axis=None)
    assert table.loc[table["group"] == "men", "n"].isna().all()


def test_counts_are_rounded_with_their_shares():
    tables, n = exact_tables(plain_study(24, 24))
    out = release(tables, Disclosure(round_to=10), control="0", persons=n).tables
    overlap = out["overlap"]
    for column in ("n", "kept", "trimmed", "outside", "clipped"):
        assert (overlap[column].dropna() % 10 == 0).all()
    bins = out["propensity_histogram"]
    assert (bins["n"] % 10 == 0).all()
    for _, rows in bins.groupby(["group", "side"]):
        np.testing.assert_allclose(rows["share"], rows["n"] / rows["n"].sum())
