"""Are the arms alike after weighting or matching? Differences before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from evaluate.covariates import Covariates, imputed, independent
from evaluate.errors import DesignError
from evaluate.study import GAP

Groups = dict[str, np.ndarray]
COLUMNS = ["covariate", "group", "mean_treated", "mean_control", "smd", "variance_ratio",
           "ks", "adjusted", "arm"]  # fmt: skip
NUMBERS = ["mean_treated", "mean_control", "smd", "variance_ratio", "ks"]
CONSTANT = 1e-14  # variance over mean square below which a column does not vary


def weighted_balance(
    covariates: Covariates,
    treated: np.ndarray,
    groups: Groups,
    after: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
    arm: str = "1",
) -> pd.DataFrame:
    """Compare the covariates of two arms before and after weighting.

    Parameters
    ----------
    covariates : Covariates
        Columns of the persons, NaN where missing.
    treated : ndarray of bool, shape (n,)
        Who is treated.
    groups : dict of str to ndarray of bool, shape (n,)
        ``all`` first; where women and men are among them the gap follows.
    after : ndarray, shape (n,)
        Weights of the estimate, times those of the persons where there are any; zero for
        those trimmed or unmatched.
    estimand : {"att", "ate"}
        Says what differences are measured in.
    weight : ndarray, shape (n,), optional
        Weights of the persons, above zero, which count before.
    arm : str
        Label of the contrast.

    Returns
    -------
    DataFrame
        The columns of `schemas.BALANCE` and ``ks``, rows ``adjusted`` False and True. Means
        and variances are weighted, variances unbiased for the effective number of persons.
        ``smd`` is the difference in means over the standard deviation of the treated (ATT) or
        the root of the mean of both variances (ATE), in the group and *before*, so that it
        changes with the difference alone. ``variance_ratio`` is treated over control. ``ks``
        is the largest difference of the two weighted distribution functions.

    Raises
    ------
    DesignError
        If an arm of a group has no weight left.

    References
    ----------
    Austin and Stuart (2015), Moving towards best practice when using inverse probability of
    treatment weighting, Statistics in Medicine 34(28); Stuart (2010), Matching methods for
    causal inference, Statistical Science 25(1).
    """
    by_group = dict.fromkeys(groups, after)
    table = balance_by_weights(covariates, treated, groups, {"": by_group}, estimand, weight, arm)
    return table.drop(columns="weights")


def balance_by_weights(
    covariates: Covariates,
    treated: np.ndarray,
    groups: Groups,
    after: Mapping[str, Mapping[str, np.ndarray]],
    estimand: str,
    weight: np.ndarray | None = None,
    arm: str = "1",
) -> pd.DataFrame:
    """Compare the covariates of two arms before and after several ways of weighting.

    Parameters
    ----------
    after : mapping of str to mapping of str to ndarray, shape (n,)
        By name of the weights, the weights of each group, as for `weighted_balance`; groups
        without them have rows without numbers.
    covariates, treated, groups, estimand, weight, arm
        As for `weighted_balance`.

    Returns
    -------
    DataFrame
        As from `weighted_balance` with ``weights``, empty before.
    """
    before = np.ones(len(treated)) if weight is None else weight
    if not covariates.names:
        return pd.DataFrame(columns=[*COLUMNS, "weights"])
    tables = []
    for group, members in groups.items():
        own = [name for name, by_group in after.items() if group in by_group]
        columns = np.column_stack([before, *(after[name][group] for name in own)])[members]
        found = _group(
            covariates.values[members], covariates.names, treated[members], columns,
            estimand, group,
        )  # fmt: skip
        tables += [t.assign(weights=w) for t, w in zip(found, [None, *own], strict=True)]
        nothing = found[0].assign(adjusted=True)
        nothing[NUMBERS] = np.nan
        tables += [nothing.assign(weights=name) for name in after if name not in own]
    if {"women", "men"} <= groups.keys():
        tables += _gap(pd.concat(tables))
    table = pd.concat(tables).assign(arm=arm)
    order = {name: i for i, name in enumerate(covariates.names)}
    table = table.sort_values("covariate", key=lambda c: c.map(order), kind="stable")
    return table[[*COLUMNS, "weights"]].reset_index(drop=True)


def prognostic_balance(
    y: np.ndarray,
    outcomes: Sequence[str],
    covariates: Covariates,
    treated: np.ndarray,
    groups: Groups,
    after: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
    arm: str = "1",
) -> pd.DataFrame:
    """Compare the outcomes that the covariates predict without treatment.

    A regression of the outcomes on the covariates among all compared persons predicts for
    everybody; a difference in what it predicts is bias that the weights leave.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, known; those of the treated are not looked at.
    outcomes : sequence of str
        Their names.
    covariates, treated, groups, after, estimand, weight, arm
        As for `weighted_balance`; missing covariates are filled with means.

    Returns
    -------
    DataFrame
        As from `weighted_balance`, covariates named ``prognosis:NAME``.

    Raises
    ------
    DesignError
        If there are no more compared persons than columns, or an arm has no weight left.

    References
    ----------
    Stuart, Lee and Leacy (2013), Prognostic score-based balance measures can be a useful
    diagnostic for propensity score methods in comparative effectiveness research, Journal of
    Clinical Epidemiology 66(8).
    """
    predicted = prognosis(y, outcomes, covariates, treated, weight)
    return weighted_balance(predicted, treated, groups, after, estimand, weight, arm)


def prognosis(
    y: np.ndarray,
    outcomes: Sequence[str],
    covariates: Covariates,
    treated: np.ndarray,
    weight: np.ndarray | None = None,
) -> Covariates:
    """Return the outcomes predicted without treatment, see `prognostic_balance`."""
    x = imputed(covariates.values)
    x = x[:, independent(x)]
    control = int((~treated).sum())
    if control <= x.shape[1] + 1:
        raise DesignError(
            f"{x.shape[1]} covariate columns and {control:,} compared persons: name fewer "
            "covariates."
        )
    x = x[:, independent(x[~treated])]
    root = np.ones(control) if weight is None else np.sqrt(weight[~treated])
    centre = x[~treated].mean(axis=0)
    design = np.column_stack([np.ones(len(x)), x - centre])
    size = np.linalg.norm(design[~treated], axis=0)
    design /= size
    beta = np.linalg.lstsq(root[:, None] * design[~treated], root[:, None] * y[~treated])[0]
    names = tuple(f"prognosis:{name}" for name in outcomes)
    return Covariates(design @ beta, names, names)


def largest(table: pd.DataFrame) -> pd.DataFrame:
    """Return the largest absolute ``smd`` and ``ks`` by group, before and after."""
    numbers = table[["smd", "ks"]].abs().assign(**table[["group", "adjusted"]])
    return numbers.groupby(["group", "adjusted"], sort=False).max().reset_index()


def _group(
    x: np.ndarray,
    names: Sequence[str],
    treated: np.ndarray,
    weights: np.ndarray,
    estimand: str,
    group: str,
) -> list[pd.DataFrame]:
    """Return the rows of one group before and after."""
    arms = []
    for where, side in ((treated, "treated"), (~treated, "compared")):
        if not (weights[where] > 0).any(axis=0).all():
            raise DesignError(
                f"none of the {int(where.sum()):,} {side} persons in {group} has a weight: "
                "trim or prune less, or choose other persons to compare."
            )
        arms.append(_moments(x[where], weights[where]))
    (m1, v1), (m0, v0) = arms
    spread = np.sqrt(v1[0] if estimand == "att" else (v1[0] + v0[0]) / 2)
    distance = _kolmogorov_smirnov(x, treated, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return [
            pd.DataFrame(
                {
                    "covariate": list(names),
                    "group": group,
                    "mean_treated": m1[a],
                    "mean_control": m0[a],
                    "smd": np.where(spread > 0, (m1[a] - m0[a]) / spread, np.nan),
                    "variance_ratio": np.where(v0[a] > 0, v1[a] / v0[a], np.nan),
                    "ks": distance[a],
                    "adjusted": bool(a),
                }
            )
            for a in range(weights.shape[1])
        ]


def _moments(x: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted means and variances, shape (weights, p), of the values that are known."""
    known = ~np.isnan(x)
    whole = bool(known.all())
    filled = x if whole else np.where(known, x, 0)
    means, variances = [], []
    for w in weights.T:
        total = np.full(x.shape[1], w.sum()) if whole else w @ known
        square = np.full(x.shape[1], w @ w) if whole else (w**2) @ known
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = w @ filled / total
            deviation = filled - mean
            if not whole:
                deviation[~known] = 0
            room = total - square / total  # one person's worth of weight has none
            variance = w @ deviation**2 / np.where(room > 1e-12 * total, room, np.nan)
        variance[variance <= CONSTANT * mean**2] = 0
        means.append(mean)
        variances.append(variance)
    return np.array(means), np.array(variances)


def _kolmogorov_smirnov(x: np.ndarray, treated: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the largest difference of the arms' distribution functions, (weights, p)."""
    found = np.full((weights.shape[1], x.shape[1]), np.nan)
    for j, column in enumerate(x.T):
        known = np.flatnonzero(~np.isnan(column))
        values, first = column[known], treated[known]
        w = weights[known]
        total = w[first].sum(axis=0), w[~first].sum(axis=0)
        if min(map(np.min, total)) <= 0:
            continue
        signed = np.where(first[:, None], w / total[0], -w / total[1])
        if ((values == 0) | (values == 1)).all():
            found[:, j] = np.abs(values @ signed)
            continue
        order = np.argsort(values)
        values = values[order]
        last = np.append(values[1:] > values[:-1], True)  # of those with the same value
        found[:, j] = np.abs(np.cumsum(signed[order], axis=0)[last]).max(axis=0)
    return found


def _gap(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the women's rows less the men's."""
    numbers = ["mean_treated", "mean_control", "smd"]
    women, men = (table[table["group"] == g].reset_index(drop=True) for g in ("women", "men"))
    place = ["covariate", "adjusted", "weights"]
    order = men.set_index(place).reindex(pd.MultiIndex.from_frame(women[place]))
    gap = women.assign(group=GAP, variance_ratio=np.nan, ks=np.nan)
    gap[numbers] = women[numbers] - order[numbers].to_numpy()
    return [part for _, part in gap.groupby("adjusted", sort=True)]
