"""The options of `evaluate power`: what is asked, its bounds, and the trial that it describes."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from evaluate.design.power import Clusters, Trial
from evaluate.errors import PlanError, Problems

MOST_STEPS = 200  # rows of a curve
LARGEST = 1e100  # its square is still a number, and so is its inverse


@dataclass(frozen=True)
class Asked:
    """What the command line says; None where it says nothing."""

    persons: int | None = None
    offered: float | None = None
    women: float | None = None
    baseline: float | None = None
    sd: float | None = None
    r2: float | None = None
    covariates: int | None = None
    blocks: int | None = None
    takeup: float | None = None
    attrition: float | None = None
    clusters: int | None = None
    cluster_size: float | None = None
    icc: float | None = None
    size_cv: float | None = None
    icc_gender: float | None = None
    r2_clusters: float | None = None
    weighting: float | None = None
    level: float | None = None
    power: float | None = None


BOUNDS: dict[str, tuple[float, float, bool]] = {  # lowest, highest, whether both may be
    "persons": (4, 1e9, True),
    "offered": (0, 1, False),
    "women": (0, 1, True),
    "baseline": (0, 1, False),
    "sd": (1 / LARGEST, LARGEST, False),
    "r2": (0, 1, True),
    "covariates": (0, 1e6, True),
    "blocks": (1, 1e6, True),
    "takeup": (0, 1, True),
    "attrition": (0, 1, True),
    "clusters": (4, 1e6, True),
    "cluster_size": (1, 1e6, True),
    "icc": (0, 1, True),
    "size_cv": (0, 10, True),
    "icc_gender": (0, 1, True),
    "r2_clusters": (0, 1, True),
    "weighting": (1, 1e6, True),
    "level": (0.5, 1, False),
    "power": (0, 1, False),
}
BELOW_HIGHEST = ("r2", "attrition", "r2_clusters", "icc", "icc_gender")
ABOVE_LOWEST = ("takeup",)


def faults_of(asked: Asked) -> list[str]:
    """Say which options cannot be, each with its bounds."""
    found = []
    for field in fields(asked):
        value, name = getattr(asked, field.name), _option(field.name)
        if value is None:
            continue
        low, high, closed = BOUNDS[field.name]
        inside = low <= value <= high if closed else low < value < high
        inside &= not (field.name in BELOW_HIGHEST and value >= high)
        inside &= not (field.name in ABOVE_LOWEST and value <= low)
        if not inside or not math.isfinite(value):
            least = "from" if closed and field.name not in ABOVE_LOWEST else "above"
            most = "to" if closed and field.name not in BELOW_HIGHEST else "to below"
            bounds = f"{least} {low:g}" + (f" {most} {high:,.10g}" if math.isfinite(high) else "")
            per_cent = high == 1 and 1 < value <= 100
            hint = f" A share, not per cent: {value / 100:g}." if per_cent else ""
            found.append(f"{name} {value:g}: must be {bounds}.{hint}")
    if asked.baseline is not None and asked.sd is not None:
        found.append("--baseline and --sd exclude each other: a share has the spread of its level.")
    of_clusters = ("icc", "size_cv", "icc_gender", "r2_clusters")
    named = [_option(f) for f in of_clusters if getattr(asked, f) is not None]
    if asked.clusters and asked.cluster_size and asked.persons:
        found.append("--clusters, --cluster-size and --persons: name two of them.")
    if asked.clusters and asked.persons and asked.persons < asked.clusters:
        found.append(f"--clusters {asked.clusters:,}: more than --persons {asked.persons:,}.")
    if (asked.icc or 0) + (asked.icc_gender or 0) >= 1:
        found.append("--icc and --icc-gender together must be below 1.")
    if named and not (asked.clusters or asked.cluster_size):
        found.append(f"{', '.join(named)}: name --clusters or --cluster-size, too.")
    if (asked.clusters or asked.cluster_size) and asked.icc is None:
        found.append(
            "--icc: with clusters, the share of the variance that persons of a cluster have in "
            "common must be stated. Without any, clusters would not matter."
        )
    return found


def effect_faults(effect: float | None) -> list[str]:
    """Say whether an effect cannot be, with its bounds."""
    if effect is None or abs(effect) <= LARGEST:
        return []
    return [f"--effect {effect:g}: must be from {-LARGEST:g} to {LARGEST:g}."]


def planned(asked: Asked, base: Trial | None = None) -> Trial:
    """Return the trial that is asked for, with the rest from another trial.

    ``persons`` is NaN where neither says it.

    Raises
    ------
    Problems
        All options that cannot be.
    """
    asked = _with_clusters_of(asked, base)
    if faults := faults_of(asked):
        raise Problems(faults)
    start = base or Trial(math.nan)
    stated = {
        f.name: getattr(asked, f.name)
        for f in fields(Trial)
        if f.name != "clusters" and getattr(asked, f.name) is not None
    }
    trial = replace(start, **stated)
    if asked.sd is not None:
        trial = replace(trial, baseline=None)
    if not (asked.clusters or asked.cluster_size):
        return replace(trial, persons=float(trial.persons))
    if asked.clusters and asked.cluster_size:
        trial = replace(trial, persons=asked.clusters * asked.cluster_size)
    r2 = asked.r2_clusters if asked.r2_clusters is not None else trial.r2
    clusters = Clusters(
        icc=asked.icc or 0.0,
        number=None if asked.cluster_size else asked.clusters,
        size=asked.cluster_size,
        size_cv=asked.size_cv or 0.0,
        r2=r2,
        icc_gender=asked.icc_gender or 0.0,
    )
    return replace(trial, clusters=clusters)


def _with_clusters_of(asked: Asked, base: Trial | None) -> Asked:
    """Fill in the clusters of another trial; a number of persons keeps their size."""
    if base is None or base.clusters is None:
        return asked
    own = base.clusters
    size = asked.cluster_size
    if size is None and not (asked.clusters and asked.persons):
        size = own.size
    return replace(
        asked,
        cluster_size=size,
        icc=own.icc if asked.icc is None else asked.icc,
        size_cv=own.size_cv if asked.size_cv is None else asked.size_cv,
        icc_gender=own.icc_gender if asked.icc_gender is None else asked.icc_gender,
        r2_clusters=own.r2 if asked.r2_clusters is None else asked.r2_clusters,
    )


def steps(text: str) -> list[int]:
    """Read a curve's numbers of persons: ``500,1000,2000`` or ``from:to:step``.

    Raises
    ------
    PlanError
        If it is neither.
    """
    try:
        if ":" in text:
            first, last, step = (int(part.replace("_", "")) for part in text.split(":"))
            curve = range(first, last + 1, step) if step > 0 else range(0)
            found = list(curve[: MOST_STEPS + 1])  # never all of a long one
        else:
            found = sorted({int(part.replace("_", "")) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 4 or len(found) > MOST_STEPS:
        raise PlanError(
            f"--over {text}: must be numbers of persons such as 500,1000,2000, or from:to:step "
            f"such as 500:5000:500; from 4 persons on, at most {MOST_STEPS} of them."
        )
    return found


def _option(field: str) -> str:
    return f"--{field.replace('_', '-')}"
