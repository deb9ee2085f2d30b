"""What is said of effects behind the gate: refuters, other analyses, verdicts, cohorts."""

import numpy as np
import pandas as pd
import pytest
from studies import nothing

from evaluate import schemas
from evaluate.io import checked
from evaluate.notes import note
from evaluate.release.gate_event_study import gate_event_study
from evaluate.release.gate_findings import (
    gate_graph,
    gate_refutations,
    gate_sensitivity,
    gate_specifications,
    gate_verdict,
)
from evaluate.release.gate_trimmed import Trimmed

FEW = 5
MEN = ("work", 12, "1", "men")
GROUPS = ("all", "women", "men", "women-men")


def table(name, rows):
    """Fill the columns that are not given, and check the table."""
    schema = getattr(schemas, name.upper())
    return checked(pd.DataFrame(rows).reindex(columns=list(schema.columns)), schema, name)


def place(group, **more):
    return {"outcome": "work", "month": 12, "arm": "1", "group": group} | more


def test_a_verdict_on_a_withheld_effect_is_taken_back():
    rows = [
        place(g, verdict="robust", reason="3 persons in blocks with one arm left out")
        for g in GROUPS
    ]
    gated = gate_verdict(table("verdict", rows), {MEN}, FEW)
    checked(gated.table, schemas.VERDICT, "verdict")
    found = gated.table.set_index("group")
    assert found["verdict"].tolist() == ["robust", "robust", "not assessed", "robust"]
    assert found.loc["men", "reason"] == note("protects", n=FEW)
    assert found.loc["all", "reason"].startswith("fewer than 5 persons")
    assert [e["row"]["group"] for e in gated.withheld] == ["men"]


def test_refuters_and_sensitivity_of_a_withheld_effect_are_emptied():
    rows = [
        place(g, estimator="aipw", refuter="data_subset", expected=0.1, mean=0.1, sd=0.01,
              p_value=0.8, draws=100, failed=0, verdict="pass", unit="share")
        for g in GROUPS
    ]  # fmt: skip
    gated = gate_refutations(table("refutations", rows), {MEN}, FEW).table.set_index("group")
    assert gated.loc["men", ["mean", "sd", "p_value", "expected"]].isna().all()
    assert gated.loc["men", "verdict"] == "not assessed"
    assert gated.loc["women", "verdict"] == "pass"
    rows = [
        place(g, estimator="aipw", method="robustness_value", value=0.123456, strength=0.05,
              value_interval=0.0654321, unit="share", note="")
        for g in GROUPS
    ]  # fmt: skip
    trimmed = Trimmed(rows={(*MEN[:3], "women", "aipw"): {"treated"}})
    gated = gate_sensitivity(table("sensitivity", rows), {MEN}, trimmed, FEW).table
    gated = gated.set_index("group")
    assert gated.loc["men", ["value", "value_interval"]].isna().all()
    assert gated.loc["women", "value"] == 0.12
    assert gated.loc["all", "value"] == 0.123456


def specifications(**sizes):
    """Return rows by trimming; ``sizes`` are of treated men under each."""
    rows = []
    for trim, men in sizes.items():
        for group in GROUPS[:3]:
            n = {"all": men + 60, "women": 60, "men": men}[group]
            rows.append(
                place(group, role="primary", estimand="att", estimator="ipw", trim=trim,
                      propensity="logit", covariates="all", lead=False, estimate=0.1,
                      std_error=0.05, conf_low=0.0017, conf_high=0.198, p_value=0.0461, level=0.95,
                      n=n + 90, n_treated=n, n_control=90, unit="share", note="")
            )  # fmt: skip
    return table("specifications", rows)


def test_analyses_that_differ_by_few_persons_do_not_tell_their_numbers():
    gated = gate_specifications(
        specifications(none=50, crump=47), None, set(), Trimmed(), FEW
    ).table
    assert gated[["n", "n_treated", "n_control"]].isna().all(axis=None)
    assert gated["estimate"].notna().all()
    assert (gated["note"] == note("numbers_withheld")).all()
    apart = specifications(none=50, crump=40)
    pd.testing.assert_frame_equal(
        gate_specifications(apart, None, set(), Trimmed(), FEW).table, apart
    )
    effects = pd.DataFrame([place("men", n_treated=42, n_control=90)])
    gated = gate_specifications(apart, effects, set(), Trimmed(), FEW).table
    assert gated["n"].isna().all()
    gated = gate_specifications(apart, None, {MEN}, Trimmed(), FEW).table
    assert gated.loc[gated["group"] == "men", "estimate"].isna().all()


def test_an_analysis_that_the_effects_tell_is_the_same_in_both():
    rows = specifications(none=50, crump=47)
    effects = pd.DataFrame(
        [place(g, n_treated=n, n_control=90) for g, n in zip(GROUPS, (110, 60, 50), strict=False)]
    )
    gated = gate_specifications(rows, effects, set(), Trimmed(), FEW).table
    told = gated["trim"] == "none"
    pd.testing.assert_frame_equal(gated[told], rows[told])
    assert gated.loc[~told, "n_treated"].isna().all()


def test_intervals_of_withheld_numbers_keep_what_tells_nothing():
    rows = specifications(none=50, crump=47)
    margin = 1.9600 * rows["std_error"]  # of some 15,000 degrees of freedom
    rows = rows.assign(conf_low=rows["estimate"] - margin, conf_high=rows["estimate"] + margin)
    gated = gate_specifications(rows, None, set(), Trimmed(), FEW).table
    assert gated["n"].isna().all()
    np.testing.assert_allclose(gated["conf_low"], rows["conf_low"], atol=1e-4)


def test_the_graph_keeps_its_numbers_but_not_small_ones_of_persons():
    rows = [{"kind": "independence", "statement": "a _||_ b", "p_value": 0.2, "statistic": 0.1,
             "verdict": "pass", "note": "2 persons without a value"}]  # fmt: skip
    gated = gate_graph(table("graph", rows), FEW).table
    assert gated["note"].iloc[0].startswith("fewer than 5 persons")
    assert gated["p_value"].iloc[0] == 0.2


def cohorts(men=(20, 30, 25), women=(40, 45, 50), last=6):
    """Return the table of an event study: cohorts 2, 3, 4 observed until a month."""
    rows = []
    sizes = {"women": women, "men": men, "all": tuple(np.add(women, men))}
    starts = (2, 3, 4)

    def row(group, kind, treated, cohort=None, month=None, n_control=100):
        rows.append(
            {"outcome": "work", "arm": "1", "group": group, "kind": kind, "cohort": cohort,
             "month": month, "estimate": 0.1, "std_error": 0.02, "n": treated + n_control,
             "n_treated": treated, "n_control": n_control, "unit": "share", "note": ""}
        )  # fmt: skip

    for group, size in sizes.items():
        for start, n in zip(starts, size, strict=True):
            row(group, "cohort", n, cohort=start)
            for month in range(1, last + 1):
                row(group, "group_time", n, cohort=start, month=month)
        for since in range(last - 1):
            seen = [n for s, n in zip(starts, size, strict=True) if s + since <= last]
            row(group, "event", sum(seen), month=since)
        for month in range(2, last + 1):
            seen = [n for s, n in zip(starts, size, strict=True) if s <= month]
            row(group, "calendar", sum(seen), month=month)
        row(group, "overall", sum(size))
    for kind in ("event", "overall"):
        row("women-men", kind, 210, month=0 if kind == "event" else None)
    return table("event_study", rows)


def test_large_cohorts_are_all_shown():
    exact = cohorts()
    pd.testing.assert_frame_equal(gate_event_study(exact, FEW).table, exact)


@pytest.mark.parametrize("men", [(20, 3, 25), (3, 20, 25), (20, 30, 3)])
def test_a_small_cohort_takes_what_would_tell_it(men):
    gated = gate_event_study(cohorts(men), FEW)
    out = checked(gated.table, schemas.EVENT_STUDY, "event_study")
    of_gender = out["group"].isin(["women", "men", "women-men"])
    by_cohort = of_gender & out["kind"].isin(["group_time", "cohort", "calendar"])
    assert out.loc[by_cohort, ["estimate", "n"]].isna().all(axis=None)
    assert out.loc[of_gender, ["n", "n_treated", "n_control"]].isna().all(axis=None)
    known = out[~of_gender]
    assert known["n_treated"].notna().all()
    assert known["estimate"].notna().all()
    events = out[of_gender & (out["kind"] == "event")]
    alone = men[0] < FEW  # then the last month since the start is of the small cohort alone
    overall = out[of_gender & (out["kind"] == "overall")]
    assert overall["estimate"].isna().all() == alone
    assert events["estimate"].isna().any() == alone
    assert out.loc[by_cohort, "note"].str.startswith("withheld").all()


def test_cohorts_of_all_that_are_small_take_those_of_everybody():
    out = gate_event_study(cohorts(men=(2, 9, 9), women=(1, 9, 9)), FEW).table
    rows = out[out["kind"] == "group_time"]
    assert rows["estimate"].isna().all()


@pytest.mark.parametrize(
    "gate",
    [
        lambda: gate_event_study(nothing("event_study"), FEW),
        lambda: gate_verdict(nothing("verdict"), {MEN}, FEW),
        lambda: gate_refutations(nothing("refutations"), {MEN}, FEW),
        lambda: gate_sensitivity(nothing("sensitivity"), {MEN}, Trimmed(), FEW),
        lambda: gate_specifications(nothing("specifications"), None, {MEN}, Trimmed(), FEW),
        lambda: gate_graph(nothing("graph"), FEW),
    ],
)
def test_tables_without_rows_stay_so(gate):
    assert len(gate().table) == 0
