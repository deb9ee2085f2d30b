"""The gap in effects between women and men by covariate: Oaxaca and Blinder's decomposition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.effects.scores import robust_scores
from evaluate.estimates import Estimates
from evaluate.heterogeneity.composition import Composition, Parts, degrees_of_gap, gap_among
from evaluate.heterogeneity.signals import Signals


@dataclass(frozen=True)
class _Projection:
    """Projection of the effects of a gender, of m persons in all, k of whom are of it.

    Attributes
    ----------
    gender : ndarray of bool, shape (m,)
        Who they are.
    value : ndarray, shape (1 + p,)
        Effect at the means of all, and slopes.
    x : ndarray, shape (k, 1 + p)
        A constant, and columns centred at the means of all.
    inverse : ndarray, shape (1 + p, 1 + p)
        Of the weighted cross-product.
    residual : ndarray, shape (k,)
        Weighted, corrected for leverage.
    mass : ndarray, shape (k,)
        Weights of those the effect is about, 1 in all.
    """

    gender: np.ndarray
    value: np.ndarray
    x: np.ndarray
    inverse: np.ndarray
    residual: np.ndarray
    mass: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Means of the columns in the gender, shape (p,)."""
        return np.asarray(self.mass @ self.x)[1:]

    def scores(self, by: np.ndarray) -> np.ndarray:
        """Return those of the coefficients times ``by``, shapes (m,) and (1 + p,)."""
        found = np.zeros(len(self.gender))
        found[self.gender] = self.x @ (self.inverse @ by) * self.residual
        return found

    def scores_of_mean(self, by: np.ndarray) -> np.ndarray:
        """Return those of the means times ``by``, shapes (m,) and (p,)."""
        found, value = np.zeros(len(self.gender)), self.x[:, 1:] @ by
        found[self.gender] = self.mass * (value - self.mass @ value)
        return found


def oaxaca_blinder(case: Signals, composition: Composition, kind: str = "HC2") -> Parts:
    """Split the gap by projections of the effects of women, and of men, on the composition.

    With ``p`` the share of women, means ``x_w`` and ``x_m``, and slopes ``b_w`` and ``b_m``, the
    composition is priced at ``(1 - p) b_w + p b_m``: what remains is then the mean over women
    and men together of women's projection less men's, the same quantity as by reweighting.
    Men's slopes would give it at women's composition, women's slopes at men's; slopes that are
    forced to be alike (Neumark 1988, with an indicator of gender as in Jann 2008) would give a
    mean in which persons count by how much the covariates of women and men overlap, and one
    that is no effect of any population where effects of women and men differ in slope.

    Parameters
    ----------
    case : Signals
        One outcome and contrast.
    composition : Composition
        Columns z and persons compared. What sets apart the persons who are not compared is
        counted as composition, of the covariate that does so.
    kind : {"HC0", "HC2", "HC3"}
        Correction of residuals for leverage.

    Returns
    -------
    Parts
        In the unit of the outcome. Parts by covariate are sums over its columns, which do not
        depend on the level left out. Scores count the estimation of means, shares and slopes.

    References
    ----------
    Kitagawa (1955), Components of a difference between two rates, JASA 50(272); Oaxaca (1973),
    Male-female wage differentials in urban labor markets, International Economic Review 14(3);
    Blinder (1973), Wage discrimination: reduced form and structural estimates, Journal of Human
    Resources 8(4); Jann (2008), The Blinder-Oaxaca decomposition for linear regression models,
    Stata Journal 8(4); Kline (2011), Oaxaca-Blinder as a reweighting estimator, American
    Economic Review 101(3).
    """
    women, men = (case.groups[g] & composition.compared for g in ("women", "men"))
    both = women | men
    mass = case.weight * case.share * both
    total = mass.sum()
    p = mass[women].sum() / total
    mean = mass @ composition.z / total
    centred = composition.z - mean
    spread = np.sqrt(mass @ centred**2 / total)
    z = centred / spread
    w, m = (_projection(case, z, g, kind) for g in (women, men))
    of_share = mass * (women * (1 - p) - men * p) / total
    difference, priced = w.value - m.value, (1 - p) * w.value + p * m.value
    apart, columns = w.mean - m.mean, len(composition.names)

    def estimate(value: float, scores: np.ndarray) -> Estimates:
        df = np.array([degrees_of_gap(case, scores, both, columns)])
        return Estimates(np.array([value]), case.by_unit(scores[:, None]), df)

    level = np.eye(columns + 1)[0]
    scores = w.scores(level) - m.scores(level) + z @ difference[1:] * mass / total
    same = estimate(float(difference[0]), scores)
    gap = gap_among(case, case.groups["women"] | case.groups["men"])
    outside = _outside(case, composition)
    by_source: dict[str, Estimates] = {}
    whole = np.zeros(case.m)
    for source, own in composition.by_source.items():
        d, b = apart * own, priced[1:] * own
        by = np.append(0, d)
        scores = (1 - p) * w.scores(by) + p * m.scores(by)
        scores += w.scores_of_mean(b) - m.scores_of_mean(b) - difference @ by * of_share
        part = estimate(float(d @ priced[1:]), scores)
        whole += scores
        if source in outside:
            extra = outside[source]
            part = Estimates(part.value + extra.value, part.scores + extra.scores, part.df)
        by_source[source] = part
    scores = np.sum([e.scores for e in by_source.values()], axis=0)
    df = np.array([degrees_of_gap(case, whole, both, columns)])
    return Parts(gap, same, Estimates(gap.value - same.value, scores, df), by_source)


def _outside(case: Signals, composition: Composition) -> dict[str, Estimates]:
    """Return by how much the gap changes as persons without likes are left out, by covariate."""
    among = case.groups["women"] | case.groups["men"]
    before, found = gap_among(case, among), dict[str, Estimates]()
    for source, lost in composition.alone:
        among = among & ~lost
        after = gap_among(case, among)
        change = Estimates(before.value - after.value, before.scores - after.scores, after.df)
        if source in found:
            change = Estimates(
                found[source].value + change.value, found[source].scores + change.scores, change.df
            )
        found[source], before = change, after
    return found


def _projection(case: Signals, z: np.ndarray, gender: np.ndarray, kind: str) -> _Projection:
    """Project the effects of a gender on columns centred at the means of all.

    The coefficients solve ``sum(w x (signal - share x @ b)) = 0``.
    """
    x = np.column_stack([np.ones(int(gender.sum())), z[gender]])
    w, share = case.weight[gender], case.share[gender]
    root = np.sqrt(w * share)[:, None] * x
    inverse = np.linalg.inv(root.T @ root)
    signal = case.signal[gender]
    value = inverse @ (x.T @ (w * signal))
    residual = signal - share * (x @ value)
    leverage = np.einsum("ij,ij->i", root @ inverse, root)
    left = int((share > 0).sum()) - x.shape[1]
    plain = robust_scores(w, residual[:, None], leverage, left, kind)[:, 0]
    mass = w * share / (w @ share)
    return _Projection(gender, value, x, inverse, plain, mass)
