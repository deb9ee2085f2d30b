"""Power before a trial: the smallest effect it would find, for the average and for the gap."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from scipy import optimize, stats

from evaluate.errors import DesignError
from evaluate.study import GAP

PERSONS = 1e10  # more than any trial has
ROUNDING = 1e-9
FAR = 1e6  # standard errors; an effect so large is always found, and scipy has no number for more

Group = str  # all, women, men, women-men
ARMS: tuple[Literal["treated", "control"], ...] = ("treated", "control")


@dataclass(frozen=True)
class Clusters:
    """Clusters that are assigned whole.

    Attributes
    ----------
    icc : float
        Intra-cluster correlation: the share of the variance that persons of a cluster have
        in common.
    number, size : float, optional
        One of the two: how many clusters there are, or how many persons each has. The other
        follows from the number of persons.
    size_cv : float
        Coefficient of variation of their sizes.
    r2 : float
        Share of the variance between clusters that covariates explain.
    icc_gender : float
        Share of the variance that women of a cluster have in common, or men, beyond what all
        its persons have. It alone stays in the gap between women and men.
    """

    icc: float
    number: float | None = None
    size: float | None = None
    size_cv: float = 0.0
    r2: float = 0.0
    icc_gender: float = 0.0


@dataclass(frozen=True)
class Trial:
    """A trial that is planned.

    Attributes
    ----------
    persons : float
        Persons assigned.
    offered : float
        Share of them, or of the clusters, assigned to the offer.
    women : float, optional
        Share of women; without it there is no gap.
    sd : float
        Standard deviation of the outcome within arms, in its unit.
    baseline : float, optional
        Level without the offer of an outcome that is 1 or 0; then ``sd`` does not count.
    r2 : float
        Share of the variance (within clusters, where there are any) that covariates and
        blocks explain.
    covariates, blocks : int
        How many columns of covariates are adjusted for, and how many blocks there are.
    takeup : float
        Share who take part among those offered, less that among control.
    attrition : float
        Share whose outcome will not be known.
    clusters : Clusters, optional
        Where clusters are assigned.
    weighting : float
        Design effect of weights (Kish 1965): how many times they make the variance of a mean
        of persons; 1 without weights.
    level, power : float
        Level of the intervals; probability with which the effect is to be found.
    """

    persons: float
    offered: float = 0.5
    women: float | None = None
    sd: float = 1.0
    baseline: float | None = None
    r2: float = 0.0
    covariates: int = 0
    blocks: int = 1
    takeup: float = 1.0
    attrition: float = 0.0
    clusters: Clusters | None = None
    weighting: float = 1.0
    level: float = 0.95
    power: float = 0.8

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that the trial can speak of."""
        both = self.women is not None and 0 < self.women < 1
        return ("all", "women", "men", GAP) if both else ("all",)

    @property
    def number_of_clusters(self) -> float | None:
        """How many clusters are assigned; None where persons are."""
        if self.clusters is None:
            return None
        return self.clusters.number or self.persons / (self.clusters.size or 1.0)

    def share_of(self, group: Group) -> float:
        """Return the share of the persons that a group has; both genders are in the gap."""
        if group in ("all", GAP) or self.women is None:
            return 1.0
        return self.women if group == "women" else 1 - self.women


def std_error(trial: Trial, group: Group = "all", effect: float = 0.0) -> float:
    """Return the standard error that an estimated effect of the offer would have.

    Parameters
    ----------
    trial : Trial
        What is planned.
    group : str
        ``all``, ``women``, ``men`` or ``women-men``.
    effect : float
        The true effect, which moves the variance of an outcome that is 1 or 0. In the gap it
        is that of women, and men have none.

    Returns
    -------
    float
        In the unit of the outcome.

    References
    ----------
    Bloom (1995), Minimum detectable effects, Evaluation Review 19(5); Bloom (2005),
    Randomizing groups to evaluate place-based programs; Eldridge, Ashby and Kerry (2006),
    Sample size for cluster randomized trials: effect of coefficient of variation of cluster
    size, International Journal of Epidemiology 35(5); Duflo, Glennerster and Kremer (2007),
    Using randomization in development economics research, section 4.
    """
    return math.sqrt(sum(_variance(trial, group, effect, arm) for arm in ARMS))


def degrees_of_freedom(trial: Trial, group: Group = "all", effect: float = 0.0) -> float:
    """Return the degrees of freedom of the t test.

    Persons less parameters, in the gap Satterthwaite's; for clusters Welch's over the
    clusters of both arms, less the blocks.

    Raises
    ------
    DesignError
        If there are not enough persons or clusters.
    """
    clusters = trial.number_of_clusters
    if clusters is not None:
        by_arm = [(_variance(trial, group, effect, a), clusters * _share(trial, a)) for a in ARMS]
        if min(n for _, n in by_arm) < 2:
            raise DesignError(f"{clusters:g} clusters: each arm needs two or more.")
        total = sum(v for v, _ in by_arm) ** 2
        df = total / sum(v**2 / (n - 1) for v, n in by_arm) - (trial.blocks - 1)
        if df < 1:
            raise DesignError(
                f"{clusters:g} clusters in {trial.blocks} blocks leave no degrees of freedom."
            )
        return df
    if group != GAP:
        n = _followed(trial) * trial.share_of(group)
        df = n - 2 - trial.covariates - (trial.blocks - 1)
        if df < 1:
            raise DesignError(
                f"{n:.0f} persons ({group}), {trial.covariates} covariates and {trial.blocks} "
                "blocks leave no degrees of freedom."
            )
        return df
    parts = []
    for gender, of_gender in (("women", effect), ("men", 0.0)):
        variance = std_error(trial, gender, of_gender) ** 2
        parts.append((variance, degrees_of_freedom(trial, gender)))
    return sum(v for v, _ in parts) ** 2 / sum(v**2 / df for v, df in parts)


def power(trial: Trial, effect: float, group: Group = "all") -> float:
    """Return the probability that a true effect of the offer is found significant.

    From the noncentral t distribution, both sides.

    Raises
    ------
    DesignError
        If the effect would move the level of an outcome out of 0 to 1.
    """
    if trial.baseline is not None and not 0 <= trial.baseline + effect <= 1:
        raise DesignError(
            f"an effect of {effect:g} on a level of {trial.baseline:g} is below 0 or above 1."
        )
    df = degrees_of_freedom(trial, group, effect)
    error = std_error(trial, group, effect)
    distance = FAR if abs(effect) > FAR * error else abs(effect) / error
    return _power_at(distance, df, trial.level)


def detectable(trial: Trial, group: Group = "all") -> float:
    """Return the smallest positive effect of the offer found with the trial's power.

    Returns
    -------
    float
        In the unit of the outcome; NaN where even the largest that a share can have is not
        found. Per participant it is this over ``takeup``.
    """
    if trial.baseline is None:
        return _distance(trial, group) * std_error(trial, group)
    room = (1 - trial.baseline) * (1 - ROUNDING)
    if power(trial, room, group) < trial.power:
        return math.nan
    found = optimize.brentq(
        lambda e: power(trial, e, group) - trial.power, ROUNDING * room, room, xtol=1e-12
    )
    return float(found)


def persons_needed(trial: Trial, effect: float, group: Group = "all") -> int:
    """Return how many persons find an effect of the offer with the trial's power.

    Clusters keep their size where ``clusters.size`` is stated, and there is a whole number of
    them; else they keep their number.

    Raises
    ------
    DesignError
        If the effect is zero, or no number of persons is enough with the clusters there are.
    """
    if effect == 0:
        raise DesignError("an effect of zero is found by no trial.")
    size = trial.clusters.size if trial.clusters and trial.clusters.size else 1.0  # of a unit

    def enough(units: int) -> bool:
        try:
            return power(replace(trial, persons=units * size), effect, group) >= trial.power
        except DesignError:
            return False  # too few for a test

    most = replace(trial, persons=PERSONS)
    if power(most, effect, group) < trial.power:
        number = trial.clusters.number if trial.clusters else None
        why = f" with {number:g} clusters" if number else ""
        raise DesignError(
            f"no number of persons finds an effect of {effect:g} ({group}){why}: the smallest "
            f"found with any number is {detectable(most, group):.3g}."
        )
    low, high = 0, 4
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return math.ceil(high * size - ROUNDING)


def _followed(trial: Trial) -> float:
    return trial.persons * (1 - trial.attrition)


def _share(trial: Trial, arm: str) -> float:
    return trial.offered if arm == "treated" else 1 - trial.offered


def _spread(trial: Trial, arm: str, effect: float) -> float:
    """Return the variance of the outcome in an arm."""
    if trial.baseline is None:
        return trial.sd**2
    level = trial.baseline + (effect if arm == "treated" else 0)
    return level * (1 - level)


def _variance(trial: Trial, group: Group, effect: float, arm: str) -> float:
    """Return the variance of the mean of a group in an arm; for the gap, of the difference."""
    women = trial.women if trial.women is not None else 1.0
    spread, unmoved = _spread(trial, arm, effect), _spread(trial, arm, 0.0)
    persons = _followed(trial) * _share(trial, arm)
    clusters, count = trial.clusters, trial.number_of_clusters
    within = (1 - trial.r2) * trial.weighting
    if clusters is not None:
        within *= 1 - clusters.icc - clusters.icc_gender
    if group == GAP:
        own = within / persons * (spread / women + unmoved / (1 - women))
    else:
        own = within / (persons * trial.share_of(group)) * spread
    if clusters is None or count is None:
        return own
    shared = {
        "all": (clusters.icc + clusters.icc_gender * (women**2 + (1 - women) ** 2)) * spread,
        GAP: clusters.icc_gender * (spread + unmoved),
    }.get(group, (clusters.icc + clusters.icc_gender) * spread)
    unequal = 1 + clusters.size_cv**2
    return own + shared * (1 - clusters.r2) * unequal / (count * _share(trial, arm))


def _power_at(distance: float, df: float, level: float) -> float:
    """Return the power of a t test at an effect of so many standard errors."""
    critical = stats.t.ppf((1 + level) / 2, df)
    upper, lower = stats.nct.sf(critical, df, distance), stats.nct.cdf(-critical, df, distance)
    return float(upper + (lower if math.isfinite(lower) else 0.0))


def _distance(trial: Trial, group: Group) -> float:
    """Return how many standard errors an effect must have to be found with the power."""
    df = degrees_of_freedom(trial, group)
    high = 1.0
    while _power_at(high, df, trial.level) < trial.power:
        high *= 2
    found = optimize.brentq(
        lambda d: _power_at(d, df, trial.level) - trial.power, 0, high, xtol=1e-12
    )
    return float(found)
