"""Regression where treatment was not drawn: one slope of treatment, or fully interacted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluate.covariates import independent
from evaluate.effects.clusters import cluster_scores
from evaluate.effects.linear import OF_CLUSTERS, Errors, Regression, estimate
from evaluate.effects.observational.weighting import enough_persons, person_weights
from evaluate.effects.regression import fixed_effects
from evaluate.errors import DesignError
from evaluate.estimates import Estimates


def regression_coefficient(
    y: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray | None = None,
    kind: str = "HC1",
    errors: Errors | None = None,
) -> Estimates:
    """Estimate the coefficient of treatment in a linear regression on it and the covariates.

    Where effects differ it is neither the ATT nor the ATE: it weights persons by how little
    their covariates tell of their treatment.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        Covariates without missing values; those that others explain are left out.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    kind : {"classical", "HC0", "HC1", "HC2", "HC3"}
        Kind of variance, where ``errors`` does not say it.
    errors : Errors, optional
        Kind of variance and the clusters.

    Returns
    -------
    Estimates
        k values, persons less parameters as degrees of freedom.

    Raises
    ------
    DesignError
        If an arm is empty or has no more persons than columns, or if the covariates
        together tell treatment exactly.

    References
    ----------
    Angrist (1998), Estimating the labor market impact of voluntary military service using Social
    Security data on military applicants, Econometrica 66(2); MacKinnon and White (1985),
    Journal of Econometrics 29(3).
    """
    w = person_weights(treated, weight)
    x = x[:, independent(x)]
    enough_persons(treated, x.shape[1] + 1)
    if not independent(np.column_stack([x, treated]))[-1]:
        raise DesignError(
            f"no overlap: the covariates together tell the {int(treated.sum()):,} treated from "
            f"the {int((~treated).sum()):,} comparison persons exactly. Name fewer."
        )
    return fixed_effects(y, treated.astype(int), x, [(1, 0)], weight=w, kind=kind, errors=errors)[0]


def interacted_regression(
    y: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
    kind: str = "HC1",
    errors: Errors | None = None,
    names: Sequence[str] | None = None,
    centre: str = "estimated",
) -> Estimates:
    """Estimate average effects by regressions in either arm, compared at the same covariates.

    That is one regression with every covariate, less its mean among the treated (ATT) or
    among all (ATE), interacted with treatment.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        Covariates without missing values; those that others explain are left out.
    estimand : {"att", "ate"}
        Average over the treated, or over all.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    kind : {"classical", "HC0", "HC1", "HC2", "HC3"}
        Kind of variance, where ``errors`` does not say it.
    errors : Errors, optional
        Kind of variance and the clusters.
    names : sequence of str, optional
        Names of the columns, for messages.
    centre : {"estimated", "fixed"}
        Whether the mean covariates are an estimate of those of a population, whose error
        counts where effects differ with covariates, or those of exactly these persons. Fixed
        is what a regression package reports; with it the ATE is Lin's.

    Returns
    -------
    Estimates
        k values, persons less parameters as degrees of freedom. The part for the mean covariates
        goes without correction for leverage.

    Raises
    ------
    DesignError
        If an arm is empty or has no more persons than columns, or if within the comparison
        persons (for the ATE: either arm) a covariate does not vary or is told by others,
        though not among all.

    References
    ----------
    Lin (2013), Annals of Applied Statistics 7(1); Imbens and Wooldridge (2009), Recent
    developments in the econometrics of program evaluation, Journal of Economic Literature
    47(1), section 5.3.
    """
    w, errors = person_weights(treated, weight), errors or Errors(kind)
    kept = independent(x)
    x = x[:, kept]
    labels = [
        names[i] if names is not None else f"column {i + 1}" for i in np.flatnonzero(kept).tolist()
    ]
    n, p = len(treated), x.shape[1] + 1
    enough_persons(treated, p)
    goal = treated if estimand == "att" else np.ones(n, dtype=bool)
    mass = w[goal] / w[goal].sum()
    design = np.column_stack([np.ones(n), x - mass @ x[goal]])
    design[:, 1:] /= np.sqrt((design[:, 1:] ** 2).mean(axis=0))
    root = np.sqrt(w)[:, None]
    z, q, residual = root * y, np.zeros((n, p)), np.empty(y.shape)
    c, part = np.empty(n), treated.astype(int)
    coefficients, parameters = np.zeros((p, y.shape[1])), 0
    for arm, sign in ((treated, 1.0), (~treated, -1.0)):
        told = independent(design[arm, 1:])
        if estimand == "ate" or sign < 0:  # at their own means the treated need no slopes
            _told(told, labels, arm, bool(sign > 0))
        use = np.concatenate([[True], told])
        basis, r = np.linalg.qr(root[arm] * design[arm][:, use])
        fitted = basis.T @ z[arm]
        residual[arm] = z[arm] - basis @ fitted
        coefficients[use] += sign * np.linalg.solve(r, fitted)
        c[arm] = sign * (basis @ np.linalg.solve(r.T, np.eye(len(r))[0]))
        q[np.ix_(arm, use)] = basis
        parameters += len(r)
    fit = Regression(residual, q, part, part, w, parameters, (q**2).sum(axis=1))
    found = estimate(coefficients[0], c, fit, errors)
    if centre == "fixed":
        return found
    moved = np.zeros(y.shape)
    moved[goal] = mass[:, None] * (design[goal, 1:] @ coefficients[1:])
    if errors.kind in OF_CLUSTERS:
        assert errors.cluster is not None
        moved = cluster_scores(np.ones(n), moved, errors.cluster, errors.units)
    return replace(found, scores=found.scores + moved)


def _told(told: np.ndarray, labels: Sequence[str], arm: np.ndarray, of_treated: bool) -> None:
    """Refuse covariates that an arm cannot tell a slope of."""
    if not told.all():
        who = "treated" if of_treated else "comparison persons"
        which = ", ".join(labels[i] for i in np.flatnonzero(~told).tolist())
        raise DesignError(
            f"among the {int(arm.sum()):,} {who} {which} does not vary, or only with other "
            "covariates: no slope can be told. Leave it out, or compare within persons who are "
            "alike in it."
        )
