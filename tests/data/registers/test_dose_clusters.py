"""Errors of the means where persons are in clusters: loops, R, and how often intervals hold."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

import data.extract as extract
from evaluate import schemas
from evaluate.data.registers.dose import dose_counts
from evaluate.data.registers.dose_table import dose_table
from evaluate.data.stage import run_stage
from evaluate.io import checked

REFERENCE = Path(__file__).parents[2] / "reference"
ARMS, KINDS, MONTHS = ("0", "1"), ("meeting", "referral"), 3
GROUPS = ("all", "women", "men", "women-men")
KEYS = ["kind", "month", "arm", "group"]
NUMBERS = ["n", "mean", "std_error", "conf_low", "conf_high", "share_any", "n_any"]
COVERED = tuple(np.array(["2020-01-01", "2020-04-30"], "datetime64[D]").astype(int))
ZEROS = np.array(["2020-01-01", "2020-03-01", "NaT"], "datetime64[D]")  # 3, 2, 0 months observed
SEEN = np.array([[True] * 4, [False, True, True, False], [False] * 4])
TOLERANCE = 1e-10  # sums of some tens of numbers, in another order


def drawn(seed, n=25, clusters=8, weighted=True):
    """Draw persons and their activities; `count` has the shape (n, kinds, months)."""
    rng = np.random.default_rng(seed)
    shock = rng.uniform(0, 3, clusters)
    cluster = rng.integers(clusters, size=n)
    zero = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    count = rng.poisson(shock[cluster][:, None, None], (n, len(KINDS), MONTHS))
    return {
        "cluster": cluster,
        "arm": rng.integers(2, size=n).astype(str).astype(object),
        "gender": rng.choice(3, n, p=[0.1, 0.5, 0.4]),
        "weight": rng.uniform(0.5, 3, n) if weighted else None,
        "zero": ZEROS[zero],
        "seen": SEEN[zero],
        "count": count * SEEN[zero][:, None, 1:],
    }


def table(d, parts=None, cluster="cluster", arms=ARMS):
    """Return the dose of persons drawn, whose activities arrive in parts."""
    n, kinds, months = d["count"].shape
    counts = dose_counts(
        KINDS[:kinds], d["zero"], d["arm"], d["gender"], arms, range(1, months + 1), COVERED,
        d["weight"], d[cluster] if isinstance(cluster, str) else cluster,
    )  # fmt: skip
    place, month, kind = (
        np.repeat(index.ravel(), d["count"].transpose(0, 2, 1).ravel())
        for index in np.indices((n, months, kinds))
    )
    for part in [np.arange(n)] if parts is None else parts:
        rows = (place >= part.min(initial=n)) & (place <= part.max(initial=-1))
        counts.add(place[rows], month[rows] + 1, kind[rows])
    return dose_table(counts, ("women", "men"), 0.95)


def scores(c, w, cluster):
    """Return the mean and, of each cluster, its part of the mean's deviation."""
    mean = sum(w * c) / sum(w)
    parts = {}
    for g, residual in zip(cluster, w * (c - mean), strict=True):
        parts[g] = parts.get(g, 0) + residual / sum(w)
    root = np.sqrt(len(parts) / (len(parts) - 1)) if len(parts) > 1 else np.nan
    return mean, {g: root * part for g, part in parts.items()}


def cell(c, w, cluster):
    """Return mean, error and degrees of freedom."""
    if not len(c):
        return [np.nan] * 3
    mean, parts = scores(c, w, cluster)
    return mean, np.sqrt(sum(p**2 for p in parts.values())), len(parts) - 1


def gap(women, men):
    """Return difference, error and degrees of freedom; of persons' c, w and cluster."""
    if not (len(women[0]) and len(men[0])):
        return [np.nan] * 3
    (mean, parts), (other, others) = scores(*women), scores(*men)
    ids = set(parts) | set(others)
    error = np.sqrt(sum((parts.get(g, 0) - others.get(g, 0)) ** 2 for g in ids))
    if set(parts) & set(others):
        return mean - other, error, min(len(parts), len(others)) - 1
    v, u = (sum(p**2 for p in x.values()) for x in (parts, others))
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.divide((v + u) ** 2, v**2 / (len(parts) - 1) + u**2 / (len(others) - 1))
    return mean - other, error, df


def expected(d):
    """Return mean, error and interval of every row, with a loop over the clusters of each."""
    w = np.ones(len(d["arm"])) if d["weight"] is None else d["weight"]
    count = np.concatenate([d["count"], d["count"].sum(axis=1, keepdims=True)], axis=1)
    rows = []
    for kind, name in enumerate([*KINDS, "all"]):
        for month in range(MONTHS + 1):
            c = count[:, kind].sum(axis=1) if month == 0 else count[:, kind, month - 1]
            for arm in ARMS:
                here = (d["arm"] == arm) & d["seen"][:, month]
                of = [here, here & (d["gender"] == 1), here & (d["gender"] == 2)]
                persons = [(c[x], w[x], d["cluster"][x]) for x in of]
                found = [cell(*x) for x in persons] + [gap(*persons[1:])]
                for group, (mean, error, df) in zip(GROUPS, found, strict=True):
                    margin = stats.t.ppf(0.975, df) * error if error > 1e-12 else error
                    row = (mean, error, mean - margin, mean + margin)
                    rows.append((name, month, arm, group, *row))
    return pd.DataFrame(rows, columns=[*KEYS, *NUMBERS[1:5]])


PERSONS = st.builds(
    drawn,
    st.integers(0, 10_000),
    n=st.integers(1, 40),
    clusters=st.integers(1, 12),
    weighted=st.booleans(),
)


def same(found, wanted, names=NUMBERS, atol=TOLERANCE):
    pd.testing.assert_frame_equal(found[KEYS], wanted[KEYS], check_dtype=False)
    assert_allclose(found[names].to_numpy(float), wanted[names].to_numpy(float), atol=atol)


@settings(max_examples=60)
@given(PERSONS)
def test_the_errors_are_those_of_a_loop_over_clusters(d):
    same(table(d), expected(d), NUMBERS[1:5])


@settings(max_examples=40)
@given(PERSONS, st.integers(1, 6), st.randoms(use_true_random=False))
def test_parts_in_any_order_give_the_same(d, parts, random):
    split = [p for p in np.array_split(np.arange(len(d["arm"])), parts) if len(p)]
    random.shuffle(split)
    found, whole = table(d, split), table(d)
    same(found, whole, atol=1e-14)
    if d["weight"] is None:
        pd.testing.assert_frame_equal(found, whole, check_exact=True)


@settings(max_examples=40)
@given(PERSONS)
def test_clusters_of_one_person_are_persons(d):
    alone = np.random.default_rng(1).permutation(len(d["arm"]))
    same(table(d, cluster=alone), table(d, cluster=None))


@settings(max_examples=20)
@given(PERSONS)
def test_clusters_change_the_errors_alone(d):
    unchanged = ["n", "mean", "share_any", "n_any"]
    pd.testing.assert_frame_equal(
        table(d)[KEYS + unchanged], table(d, cluster=None)[KEYS + unchanged], check_exact=True
    )


def counted(read, weighted):
    """Return persons of `tests/reference/dose.R`."""
    return {
        "cluster": read["cluster"].to_numpy(),
        "arm": read["arm"].astype(str).to_numpy(dtype=object),
        "gender": read["sex"].map({"F": 1, "M": 2}).to_numpy(),
        "weight": read["w"].to_numpy() if weighted else None,
        "zero": np.where(read["count"].notna(), ZEROS[0], ZEROS[2]),
        "count": read["count"].fillna(0).to_numpy(dtype=int)[:, None, None],
    }


@pytest.mark.parametrize("weighted", [False, True])
def test_estimatr_finds_the_same(weighted):
    read = pd.read_csv(REFERENCE / "clustered.csv")
    read["count"] = np.floor(read["earn"].clip(lower=0) / 50)
    wanted = pd.read_csv(REFERENCE / "dose.csv")
    wanted = wanted[wanted["case"] == ("mean weighted" if weighted else "mean")]
    both = read[read["count"].notna()].groupby("cluster")["sex"].nunique() == 2
    tables = {
        False: table(counted(read, weighted)),
        True: table(counted(read[read["cluster"].isin(both[both].index)], weighted)),
    }
    assert len(wanted) == len(ARMS) * len(GROUPS)
    for row in wanted.itertuples():
        arm, group = row.term.split()
        found = tables[group == "women-men"].set_index(KEYS).loc[("meeting", 1, arm, group)]
        margin = stats.t.ppf(0.975, row.df) * row.std_error
        told = (row.estimate, row.std_error, row.estimate - margin, row.estimate + margin)
        assert_allclose(found[NUMBERS[1:5]].astype(float), told, rtol=1e-10, err_msg=row.term)


def persons(cluster, gender, count):
    return {
        "cluster": np.array(cluster),
        "arm": np.full(len(cluster), "1", dtype=object),
        "gender": np.array(gender),
        "weight": None,
        "zero": np.full(len(cluster), ZEROS[0]),
        "count": np.array(count)[:, None, None],
    }


def errors(d):
    found = table(d)
    return found[(found["month"] == 1) & (found["arm"] == "1")].set_index("group")["std_error"]


def test_one_cluster_tells_nothing_of_errors():
    """The score of a single cluster is 0 whatever its persons had."""
    d = persons([0, 0, 0, 1, 1], [1, 1, 2, 2, 2], [5, 1, 2, 0, 7])
    checked(table(d), schemas.DOSE, "dose")
    found = errors(d)
    assert found.isna().to_dict() == {"all": False, "women": True, "men": False, "women-men": True}
    assert errors(persons([0] * 4, [1, 1, 2, 2], [5, 1, 2, 0])).isna().all()


def test_what_clusters_have_in_common_cancels_in_the_gap():
    shock = np.array([0, 3, 9, 4, 1, 7])
    found = errors(persons([*range(6)] * 2, [1] * 6 + [2] * 6, [*(shock + 2), *shock]))
    assert found["women-men"] == 0
    assert_allclose(found["women"], shock.std(ddof=1) / np.sqrt(6))
    assert_allclose(found["all"], shock.std(ddof=1) / np.sqrt(6))


def test_persons_who_all_had_the_same_have_no_error_whatever_their_weights():
    d = drawn(1, n=60) | {"count": np.full((60, 1, MONTHS), 3), "zero": np.full(60, ZEROS[0])}
    assert (table(d)["std_error"].dropna() == 0).all()


@pytest.mark.parametrize("common", [1.0, 0.5])
def test_intervals_hold_the_truth_in_95_of_100_trials(common):
    """Trials are arms of one table; women and men of a cluster have its mean in part in common."""
    trials, clusters, least, most, spread = 500, 30, 5, 30, 0.4
    rng = np.random.default_rng(20)
    size = rng.integers(least, most + 1, trials * clusters)
    cluster = np.repeat(np.arange(trials * clusters), size)
    woman = rng.random(len(cluster)) < rng.uniform(0.2, 0.8, trials * clusters)[cluster]
    shared, own = rng.normal(size=trials * clusters), rng.normal(size=(2, trials * clusters))
    shock = np.sqrt(common) * shared[cluster]
    shock += np.sqrt(1 - common) * own[woman.astype(int), cluster]
    rate = np.where(woman, 1.5, 1.0) * np.exp(spread * shock - spread**2 / 2)
    d = {
        "cluster": cluster,
        "arm": (cluster // clusters).astype(str).astype(object),
        "gender": np.where(woman, 1, 2),
        "weight": rng.uniform(0.5, 2, len(cluster)),
        "zero": np.full(len(cluster), ZEROS[0]),
        "count": rng.poisson(rate)[:, None, None],
    }
    truth = {"all": 1.25, "women": 1.5, "men": 1.0, "women-men": 0.5}

    def coverage(found):
        first = found[found["month"] == 1]
        wanted = first["group"].map(truth)
        inside = (first["conf_low"] <= wanted) & (wanted <= first["conf_high"])
        return inside.groupby(first["group"]).mean()

    arms = [str(i) for i in range(trials)]
    assert coverage(table(d, arms=arms)).between(0.93, 0.97).all()
    assert (coverage(table(d, arms=arms, cluster=None))[["all", "women", "men"]] < 0.8).all()


@pytest.mark.parametrize(
    ("columns", "by"),
    [
        ({"wave": "omgång"}, "id"),
        ({"cluster": "skola"}, "skola"),
        ({"cluster": "skola", "wave": "omgång"}, "skola"),
        ({}, None),
    ],
)
def test_the_stage_takes_the_clusters_of_the_plan(tmp_path, monkeypatch, columns, by):
    """Those without an offer in the first wave are there in the second, too."""
    monkeypatch.chdir(tmp_path)
    people = [
        r | {"skola": f"s{i // 4 * 2 + i // 2 % 2}"} for i, r in enumerate(extract.people(40))
    ]
    rows = [r | {"omgång": "1", "dag": "2020-03-02"} for r in people]
    if "wave" in columns:
        second = {"omgång": "2", "dag": "2020-09-01"}
        rows += [r | second for r in people if r["arm"] == "0"]
        new = [{"id": f"n{r['id']}", "skola": f"n{r['skola']}", "arm": "1"} for r in people[:12]]
        rows += [r | n | second for r, n in zip(people, new, strict=False)]
    rng = np.random.default_rng(1)
    count = np.array([rng.poisson(1 + int(r["skola"].strip("ns")) % 5) for r in rows])
    lines = [
        f"{r['id']},{r['dag'][:8]}10,1,{j}" for r, n in zip(rows, count, strict=True)
        for j in range(n)
    ]  # fmt: skip
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["id,date,kind,time", *lines]) + "\n", encoding="utf-8")
    activities = {"path": str(file), "extract_date": "2021-12-31", "coverage": "2015-01-01"}
    plan = extract.planned(
        tmp_path / extract.FILE,
        rows,
        data={"activities": activities | {"months": 1}},
        columns={"offered": "dag", **columns},
    )
    d = {
        "arm": np.array([r["arm"] for r in rows], dtype=object),
        "gender": np.array([1 if r["kön"] == "K" else 2 for r in rows]),
        "weight": None,
        "zero": np.full(len(rows), ZEROS[0]),
        "count": count[:, None, None],
    }
    wanted = table(d, cluster=None if by is None else np.array([r[by] for r in rows]))
    same(run_stage(plan, "engine").tables["dose"].assign(kind="meeting"), wanted)
    if by:
        other = table(d, cluster=None)
        assert not np.allclose(wanted["std_error"], other["std_error"], rtol=0.02)
