"""Signals to learn from, made of nothing but those who are learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluate.heterogeneity.signals import Signals

GRID = np.logspace(-4, 2, 13)  # penalties, of covariates with deviation 1
SAME = 1e-9  # of a covariate's largest value: no more apart, it does not vary


def renewed(signals: Signals, among: np.ndarray) -> Signals:
    """Return signals whose outcome regressions are fitted to some of the persons alone.

    A person's outcome regression was fitted to others, also to those who are judged later. These
    are ridges of the outcome in either arm of the persons who are learned from, of which each is
    predicted from the others.

    Parameters
    ----------
    signals : Signals
        The persons.
    among : ndarray of bool, shape (m,)
        Those who are learned from.

    Returns
    -------
    Signals
        With other signals, corrections and residuals of the outcome. The probabilities of
        treatment are as they were. Where an arm has nobody among them, its mean is that of both.

    References
    ----------
    Wager (2024), Sequential validation of treatment heterogeneity, arXiv 2405.05534, where all
    that is learned comes from the folds before.
    """
    y, w, d = signals.y, signals.weight, signals.treated
    treated, other = (
        left_out(signals.x, y, w, among & arm if (among & arm).any() else among) for arm in (d, ~d)
    )
    p = d - signals.treatment_residual
    on_treated = signals.estimand == "att"
    correction = signals.inverse_weight * np.where(d, y - treated, other - y)
    plain = signals.share * (y - other) if on_treated else signals.share * (treated - other)
    return replace(
        signals,
        signal=plain + correction,
        correction=correction,
        outcome_residual=y - p * treated - (1 - p) * other,
    )


def left_out(x: np.ndarray, y: np.ndarray, weight: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Predict an outcome by a ridge of some persons, and each of them from the others.

    Parameters
    ----------
    x : ndarray, shape (m, p)
        Covariates.
    y, weight : ndarray, shape (m,)
        The outcome, and weights above zero.
    own : ndarray of bool, shape (m,)
        Those it is fitted to.

    Returns
    -------
    ndarray, shape (m,)
        In the unit of the outcome. The penalty is the one with the least loss in those left out,
        which one fit gives of all.

    References
    ----------
    Allen (1974), The relationship between variable selection and data augmentation and a method
    for prediction, Technometrics 16(1), on the loss in those left out.
    """
    z, w = x[own], weight[own]
    mass = w.sum()
    centre, level = w @ z / mass, w @ y[own] / mass
    z, r = z - centre, y[own] - level
    size = np.sqrt(w @ z**2 / mass)
    varies = size > SAME * np.abs(x[own]).max(axis=0, initial=0)
    z, size = z[:, varies] / size[varies], np.where(varies, size, 1)
    value, vector = np.linalg.eigh((z * w[:, None]).T @ z / mass)
    turned = z @ vector
    right = turned.T @ (w * r) / mass
    kept = 1 / (np.maximum(value, 0) + GRID[:, None])
    hat = (1 + turned**2 @ kept.T) * (w / mass)[:, None]
    left = (r[:, None] - turned @ (kept * right).T) / np.maximum(1 - hat, SAME)
    best = int((w @ left**2).argmin())
    slopes = vector @ (kept[best] * right)
    predicted = level + ((x - centre) / size)[:, varies] @ slopes
    predicted[own] = y[own] - left[:, best]
    return np.asarray(predicted)
