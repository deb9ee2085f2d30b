"""Simulated markets, drawn a share each, whose effects on both kinds of persons are known."""

from __future__ import annotations

import numpy as np
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.effects.saturation import spillovers
from evaluate.io import checked
from evaluate.plan.columns import EXPOSED

SHARES = (0.25, 0.75)
GAIN = {"women": 2.0, "men": 1.0}  # of the offer
LOSS = {0.25: -0.4, 0.75: -1.2}  # of those without one, beside so many who had one
COLUMNS = {"cluster": "market"}


def market_trial(seed, markets=36, size=24, shares=SHARES, spread=0.5, noise=1.0):
    """Draw markets a share each, a third of them none, and persons within them an offer."""
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(np.resize([0.0, *shares], markets))
    market = np.repeat(np.arange(markets), size)
    saturation, women = drawn[market], np.arange(markets * size) % 2 == 0
    offered = np.zeros(len(market), dtype=bool)
    for m in range(markets):
        here = rng.permutation(np.flatnonzero(market == m))
        offered[here[: round(drawn[m] * size)]] = True
    y = spread * rng.normal(size=markets)[market] + noise * rng.normal(size=len(market))
    y += offered * np.where(women, GAIN["women"], GAIN["men"])
    y += np.array([LOSS.get(s, 0.0) for s in saturation]) * ~offered
    arm = np.where(saturation == 0, 0, np.where(offered, 1, 2))
    return {"y": y[:, None], "arm": arm, "women": women, "cluster": market}, saturation


def estimated(parts, saturation, **sections):
    """Return the table of a trial, checked, by saturation, effect and group."""
    found = study_from(**parts)
    found = type(found)(**{**found.__dict__, "arms": ("0", "1", EXPOSED)})
    sections["columns"] = COLUMNS | sections.get("columns", {})
    plan = plan_of(
        parts["y"], assignment={"saturation": {"column": "share", "control": 0}}, **sections
    )
    table = spillovers(found, plan, saturation)
    table = checked(table, schemas.SPILLOVERS, "spillovers")
    return table.set_index(["saturation", "effect", "group"])


def truth(saturation, effect, group):
    """Return the effects that `market_trial` builds in, with as many women as men."""
    gain = {"women": 2.0, "men": 1.0, "all": 1.5, "women-men": 1.0}[group]
    gap = group == "women-men"
    levels = SHARES if saturation == "all" else (float(saturation),)
    if effect == "total":
        return gain
    if effect == "displacement":
        # over all markets each person without an offer counts once
        weights = [1 - s for s in levels]
        return 0.0 if gap else np.average([LOSS[s] for s in levels], weights=weights)
    if effect == "overall":
        return np.mean([s * gain + (0 if gap else (1 - s) * LOSS[s]) for s in levels])
    return np.mean([gain - (0 if gap else LOSS[s]) for s in levels])


def coverage(trials, seed=0):
    """Return, by saturation, effect and group, how often intervals hold the truth.

    For `make validate`: each trial is that of `market_trial`.
    """
    hits = {}
    for sequence in np.random.SeedSequence(seed).spawn(trials):
        for key, row in estimated(*market_trial(sequence)).iterrows():
            held = row["conf_low"] <= truth(*key) <= row["conf_high"]
            hits.setdefault(key, []).append(held)
    return {key: float(np.mean(held)) for key, held in hits.items()}
