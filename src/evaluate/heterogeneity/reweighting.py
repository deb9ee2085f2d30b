"""The gap in effects between women and men of the same composition, by reweighting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.effects.observational.entropy_balancing import BALANCED, FAR, RIDGE, solve_dual
from evaluate.effects.observational.weighting import effective_size
from evaluate.effects.scores import robust_scores
from evaluate.estimates import Estimates
from evaluate.heterogeneity.composition import Composition, Parts, degrees_of_gap, gap_among
from evaluate.heterogeneity.signals import Signals
from evaluate.notes import note

NAMED = 3  # columns in a note
WORTH = 10  # persons of a gender that the weights must be worth for an interval
TOLD = 0.5  # of those compared, a worth below which is told


@dataclass(frozen=True)
class _Moved:
    """The effect of one gender at the composition of the other: value, scores (m,), weights."""

    value: float
    scores: np.ndarray
    omega: np.ndarray


def reweighted(case: Signals, composition: Composition, kind: str = "HC2") -> Parts | str:
    """Split the gap into what remains at the same composition, and the rest.

    The same composition is that of all, women and men: neither gender is the measure of the
    other, and what is called women's and what men's changes signs alone. Over it, women's
    effect less men's is the average of two comparisons by the shares of women and men: at
    women's composition, for which men are given weights, and at men's, for which women are.
    Weights are ``exp(x @ multiplier)``, those nearest to equal ones that give the means of the
    other gender, among those the effect is about; as functions of ``x`` they go with comparison
    persons, too. The result is consistent if either the log odds of being a woman or the effects
    of women and of men are linear in the columns (Zhao and Percival 2017).

    Parameters
    ----------
    case : Signals
        One outcome and contrast.
    composition : Composition
        Columns z and persons compared. The gap is that of all; what sets apart the persons who
        are not compared is counted as composition.
    kind : {"HC0", "HC2", "HC3"}
        Correction of residuals for leverage.

    Returns
    -------
    Parts or str
        In the unit of the outcome, with the scores of the stacked equations of means,
        multipliers, shares and effects; or the note that says why there are no weights.

    References
    ----------
    DiNardo, Fortin and Lemieux (1996), Labor market institutions and the distribution of wages,
    Econometrica 64(5); Hainmueller (2012), Entropy balancing for causal effects, Political
    Analysis 20(1); Zhao and Percival (2017), Entropy balancing is doubly robust, Journal of
    Causal Inference 5(1).
    """
    women, men = (case.groups[g] & composition.compared for g in ("women", "men"))
    moved = []
    for gender, other, name in ((women, men, "women"), (men, women, "men")):
        found = _moved(case, composition, gender, other, kind)
        if isinstance(found, str):
            return note(f"gap_no_weights_{name}", names=found)
        moved.append(found)
    mass = case.weight * case.share
    own = [_own(case, g) for g in (women, men)]
    total = mass[women].sum() + mass[men].sum()
    p = mass[women].sum() / total
    value = p * (own[0][0] - moved[1].value) + (1 - p) * (moved[0].value - own[1][0])
    by_share = (own[0][0] - moved[1].value) - (moved[0].value - own[1][0])
    scores = p * (own[0][1] - moved[1].scores) + (1 - p) * (moved[0].scores - own[1][1])
    scores += by_share * mass * (women * (1 - p) - men * p) / total
    gap = gap_among(case, case.groups["women"] | case.groups["men"])
    columns = len(composition.names)
    df = np.array([degrees_of_gap(case, scores, women | men, columns)])
    same = Estimates(np.array([value]), case.by_unit(scores[:, None]), df)
    rest = Estimates(gap.value - same.value, gap.scores - same.scores, df)
    worth = [
        effective_size(_combined(mass, gender, one.omega, share))
        for gender, one, share in zip((women, men), moved, (p, 1 - p), strict=True)
    ]
    notes, sure = [], min(worth) >= WORTH
    sizes = [int((g & (mass > 0)).sum()) for g in (women, men)]
    if not sure:
        notes.append(note("worth_few", n=WORTH))
    elif any(w < TOLD * n for w, n in zip(worth, sizes, strict=True)):
        notes.append(note("gap_worth", women=f"{worth[0]:,.0f}", men=f"{worth[1]:,.0f}"))
    return Parts(gap, same, rest, {}, sure, tuple(notes))


def _moved(
    case: Signals, composition: Composition, gender: np.ndarray, other: np.ndarray, kind: str
) -> _Moved | str:
    """Estimate the effect of one gender at the other's composition; or name the columns far off.

    The scores are those of the equations of the other gender's means, the multipliers and the
    effect, stacked.
    """
    mass = case.weight * case.share
    goal = mass[other] / mass[other].sum()
    target = goal @ composition.z[other]
    z = composition.z[gender] - target
    about = mass[gender] > 0
    base = mass[gender][about] / mass[gender].sum()
    spread = np.sqrt(base @ (z[about] - base @ z[about]) ** 2)
    z = z / spread
    share = solve_dual(z[about], base)
    if not (np.abs(share @ z[about]) <= BALANCED).all():
        off = solve_dual(z[about], base, RIDGE) @ z[about]
        order = np.argsort(-np.abs(off), kind="stable")[:NAMED].tolist()
        far = [i for i in order if abs(off[i]) > FAR] or order[:1]
        return ", ".join(composition.names[i] for i in far)
    omega = _extended(z, about, share / base)
    q = case.weight[gender] * omega
    shares = case.share[gender]
    q /= q @ shares
    value = float(q @ case.signal[gender])
    residual = case.signal[gender] - value * shares
    inner = z.T @ (z * (q * shares)[:, None])
    slopes = np.linalg.solve(inner, z.T @ (q * residual))
    residual = residual - shares * (z @ slopes)
    leverage = q * shares * (1 + np.einsum("ij,ij->i", z @ np.linalg.inv(inner), z))
    left = int(about.sum()) - z.shape[1] - 1
    scores = np.zeros(case.m)
    scores[gender] = robust_scores(q, residual[:, None], leverage, left, kind)[:, 0]
    scores[other] = goal * ((composition.z[other] - target) / spread @ slopes)
    return _Moved(value, scores, omega)


def _extended(z: np.ndarray, about: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Return weights over base weights of all, from those of the persons the effect is about.

    The logarithms of the latter are linear in the columns.
    """
    known = ratio > 0
    columns = np.column_stack([np.ones(len(z)), z])
    line = np.linalg.lstsq(columns[about][known], np.log(ratio[known]), rcond=None)[0]
    exponent = columns @ line
    return np.asarray(np.exp(exponent - exponent[about].max()))


def _own(case: Signals, gender: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the effect in a gender with its scores, shape (m,)."""
    w = case.weight * gender
    mass = w @ case.share
    value = float(w @ case.signal / mass)
    return value, w * (case.signal - value * case.share) / mass


def _combined(mass: np.ndarray, gender: np.ndarray, omega: np.ndarray, share: float) -> np.ndarray:
    """Return weights of a gender at the composition of all, of those the effect is about."""
    base = mass[gender] / mass[gender].sum()
    moved = mass[gender] * omega
    return np.asarray(share * base + (1 - share) * moved / moved.sum())
