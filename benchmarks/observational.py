"""Observational estimators beside the peers a user would pick instead.

    OMP_NUM_THREADS=1 python benchmarks/observational.py
    OMP_NUM_THREADS=1 python benchmarks/aipw.py --large     1,000,000 x 20

A peer that is not installed is left out, and the table says so.
"""

import contextlib
import importlib.util
import io
import time
import warnings

import aipw
import matching
import numpy as np
import pandas as pd

from evaluate.effects.observational.did import group_time
from evaluate.effects.observational.event_study import event_study
from evaluate.effects.observational.folds import draw_folds
from evaluate.effects.sensitivity.refute import (
    Sample,
    data_subset,
    placebo_treatment,
    random_common_cause,
)

REFUTED, COVARIATES, DRAWS = 5_000, 5, 100
SHARE = 0.8  # of the persons in a subset
PANEL, MONTHS = 5_000, 36
STARTS = np.array([0, *range(10, 34, 2)])


def timed(call):
    """Return how long a call takes, and what it returns."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def doubly_robust():
    """Time AIPW of all, women, men and gap beside DoubleML: equal folds and learners."""
    rng = np.random.default_rng(1)
    y, treated, x, women = aipw.draw(rng, aipw.PERSONS)
    fold = draw_folds(treated, aipw.FOLDS, 1, rng)[0]
    installed = importlib.util.find_spec("doubleml") is not None
    if installed:
        importlib.import_module("doubleml")  # not counted
    for estimand, learner in (("att", "linear"), ("ate", "linear"), ("att", "boosting")):
        job = (y[:, [0]], treated, x, women, fold, estimand, learner)
        ours, found = timed(lambda job=job: aipw.ours(*job))
        theirs = None
        if installed:
            theirs, other = timed(lambda job=job: aipw.doubleml_irm(*job))
            np.testing.assert_allclose(found, other, rtol=1e-5)
        yield f"AIPW {estimand} {learner}, {aipw.PERSONS:,}", ours, "DoubleML IRM", theirs


def matched():
    """Time 1:1 matching beside R's Matching, which is run on fewer and scaled by the square."""
    y, treated, _, p = matching.study(matching.PERSONS)
    ours = min(timed(lambda: matching.matched(y, treated, p))[0] for _ in range(3))
    found = matching.peer(matching.PEER_PERSONS)
    scale = (matching.PERSONS / matching.PEER_PERSONS) ** 2
    theirs = found[0] * scale if found else None
    yield f"matching 1:1, {matching.PERSONS:,}", ours, "R Matching", theirs


def refuted():
    """Time three refuters of a regression beside dowhy's own, one draw of which is one fit."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(REFUTED, COVARIATES))
    treated = rng.random(REFUTED) < 1 / (1 + np.exp(-x[:, 0]))
    y = (x.sum(axis=1) + treated + rng.normal(size=REFUTED))[:, None]
    sample = Sample(y, treated, x)

    def ours():
        for refuter in (random_common_cause, placebo_treatment):
            refuter(sample, DRAWS, seed=1)
        data_subset(sample, DRAWS, seed=1, fraction=SHARE)

    yield (
        f"3 refuters x {DRAWS}, {REFUTED:,}",
        timed(ours)[0],
        "dowhy's own",
        dowhy_refuters(y, treated, x),
    )


def dowhy_refuters(y, treated, x):
    """Return how long dowhy takes for the same refuters and numbers of draws."""
    if importlib.util.find_spec("dowhy") is None:
        return None
    import logging

    from dowhy import CausalModel

    logging.disable(logging.WARNING)
    names = [f"x{i}" for i in range(x.shape[1])]
    frame = pd.DataFrame(x, columns=names).assign(y=y[:, 0], treated=treated)
    settings = {
        "random_common_cause": {},
        "placebo_treatment_refuter": {"placebo_type": "permute"},
        "data_subset_refuter": {"subset_fraction": SHARE},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = CausalModel(frame.copy(), treatment="treated", outcome="y", common_causes=names)
        estimand = model.identify_effect(proceed_when_unidentifiable=True)
        estimate = model.estimate_effect(estimand, method_name="backdoor.linear_regression")

        def run():
            for name, options in settings.items():
                model.refute_estimate(
                    estimand,
                    estimate,
                    method_name=name,
                    num_simulations=DRAWS,
                    random_seed=1,
                    show_progress_bar=False,
                    **options,
                )

        seconds, _ = timed(run)
    logging.disable(logging.NOTSET)
    return seconds


def panel(rng, n):
    """Draw months of an outcome, the month of start (0 never) and covariates."""
    x = rng.normal(size=(n, 5))
    odds = np.exp(
        0.3 * x[:, [0]] * np.linspace(-1, 1, len(STARTS)) + 1.5 * (np.arange(len(STARTS)) == 0)
    )
    odds /= odds.sum(axis=1, keepdims=True)
    cohort = STARTS[(odds.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)]
    month = np.arange(1, MONTHS + 1)
    since = month - cohort[:, None] + 1
    gain = np.where((cohort[:, None] > 0) & (since > 0), 0.1 * since, 0)
    return rng.normal(size=(n, MONTHS)) + 0.05 * x[:, [0]] * month + gain, cohort, x


def staggered():
    """Time difference-in-differences, doubly robust, beside csdid, a port of R's did."""
    y, cohort, x = panel(np.random.default_rng(3), PANEL)
    ours, found = timed(lambda: event_study(group_time(y, cohort, x)))
    theirs = None
    if importlib.util.find_spec("csdid") is not None:
        theirs, other = csdid(y, cohort, x)
        np.testing.assert_allclose(found.overall.value[0], other, rtol=1e-4)
    yield f"DiD, 12 cohorts x 36, {PANEL:,}", ours, "csdid", theirs


def csdid(y, cohort, x):
    """Return csdid's time and its overall effect."""
    from csdid.att_gt import ATTgt

    n = len(y)
    person = np.repeat(np.arange(n), MONTHS)
    long = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])]).iloc[person]
    long = long.assign(
        id=person, t=np.tile(np.arange(1, MONTHS + 1), n), y=y.ravel(), g=cohort[person]
    ).reset_index(drop=True)
    formula = "y~" + "+".join(f"x{i}" for i in range(x.shape[1]))

    def run():
        fit = ATTgt(
            yname="y", tname="t", idname="id", gname="g", data=long,
            control_group="notyettreated", xformla=formula,
        ).fit("dr", base_period="universal", bstrap=False)  # fmt: skip
        return fit.aggte("dynamic", bstrap=False, cband=False).atte["overall_att"]

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return timed(run)


def jobs():
    """Yield every job: its name and seconds, its peer and the peer's seconds or None."""
    for job in (doubly_robust, matched, refuted, staggered):
        yield from job()


def main():
    """Print every job beside its peer."""
    for job, seconds, name, theirs in jobs():
        told = f"{theirs:8.1f} s   ratio {theirs / seconds:6.1f}" if theirs else "  not installed"
        print(f"{job:<32}{seconds:8.2f} s   {name:<26}{told}", flush=True)


if __name__ == "__main__":
    main()
