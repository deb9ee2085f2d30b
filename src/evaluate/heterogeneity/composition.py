"""What women and men are given alike when their gap is explained, and who can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.covariates import Covariates, columns_of, imputed, independent
from evaluate.effects.fit import covariates_for
from evaluate.effects.observational.few_persons import welch
from evaluate.estimates import Estimates
from evaluate.heterogeneity.signals import Signals
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import Study

FEWEST = 10  # persons of a gender whom the effect is about
ROOM = 5  # of them for each column
ROOM_OF_BLOCKS = 10  # of them for each column, for blocks that the plan does not name
LIKES = 2  # persons of a gender with a value
DIGITS = 30  # indicators read as one number


@dataclass(frozen=True)
class Composition:
    """Columns that women and men are given alike, and who has likes of the other gender.

    Attributes
    ----------
    z : ndarray, shape (m, p)
        Columns, none of which the others explain among the women or the men compared.
    names, sources : tuple of str
        Name of each column, and the covariate, blocks or group of the plan it comes from.
    compared : ndarray of bool, shape (m,)
        Women and men all of whose values the other gender has, too.
    alone : tuple of (str, ndarray of bool)
        The others, by what sets them apart; no one is in two.
    notes : tuple of str
        What a reader must know.
    """

    z: np.ndarray
    names: tuple[str, ...]
    sources: tuple[str, ...]
    compared: np.ndarray
    alone: tuple[tuple[str, np.ndarray], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def by_source(self) -> dict[str, np.ndarray]:
        """Columns of each covariate, masks of shape (p,), in the order of the plan."""
        known = dict.fromkeys((*self.sources, *(source for source, _ in self.alone)))
        return {s: np.array([s == t for t in self.sources], dtype=bool) for s in known}


@dataclass(frozen=True)
class Parts:
    """The gap, what remains of it at the same composition, and the rest.

    Attributes
    ----------
    gap, same, composition : Estimates
        One value each; ``same`` and ``composition`` add up to ``gap``.
    by_source : dict of str to Estimates
        Parts of ``composition`` that add up to it, where it can be split.
    sure : bool
        Whether intervals of the parts can be relied on.
    notes : tuple of str
        What a reader must know of the parts.
    """

    gap: Estimates
    same: Estimates
    composition: Estimates
    by_source: dict[str, Estimates]
    sure: bool = True
    notes: tuple[str, ...] = ()


def composition_of(study: Study, plan: Plan, case: Signals) -> Composition | str:
    """Arrange the composition that the plan names, or all covariates and the blocks.

    A value of a categorical covariate, a block, or a group that fewer than two persons of a
    gender have cannot be made alike: its persons are left out of the comparison (Ñopo 2008). A
    number that does not vary among the women or the men left is itself left out, with a note.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    case : Signals
        One outcome and contrast.

    Returns
    -------
    Composition or str
        Or the note that says why women and men cannot be given the same composition.

    References
    ----------
    Ñopo (2008), Matching as a tool to decompose wage gaps, Review of Economics and Statistics
    90(2).
    """
    if not case.both_genders:
        return note("no_gap")
    genders = _about(case)
    if min(counts := [int(g.sum()) for g in genders]) < FEWEST:
        return note("gap_few", n=FEWEST)
    columns, notes = _columns(study, plan, case, min(counts))
    return shared(case, columns, notes)


def shared(case: Signals, columns: Covariates, notes: Sequence[str] = ()) -> Composition | str:
    """Find out who has likes of the other gender, and which columns can be made alike.

    Parameters
    ----------
    case : Signals
        One outcome and contrast, with women and men.
    columns : Covariates
        Columns of the m persons, without missing values.
    notes : sequence of str
        To be told besides.
    """
    genders = _about(case)
    compared = case.groups["women"] | case.groups["men"]
    alone: list[tuple[str, np.ndarray]] = []
    while found := _without_likes(columns, compared, genders):
        source, lost = found
        compared = compared & ~lost
        alone.append((source, lost))
        if not all((g & compared).any() for g in genders):
            return note("gap_no_likes", names=source)
    left = [int((g & compared).sum()) for g in genders]
    if min(left) < FEWEST:
        return note("gap_few", n=FEWEST)
    about = compared & (genders[0] | genders[1])
    varying = columns.pick(independent(columns.values[about]))
    without = (*varying.sources, *(source for source, _ in alone))
    constant = [s for s in dict.fromkeys(columns.sources) if s not in without]
    columns = varying
    keep = np.ones(len(columns.names), dtype=bool)
    for gender in genders:
        keep[keep] = independent(columns.values[gender & compared][:, keep])
    if not keep.any():
        return note("gap_nothing")
    if (need := ROOM * int(keep.sum())) > min(left):
        return note("gap_room", columns=int(keep.sum()), n=need)
    told = list(notes)
    if constant:
        told.append(note("dropped", names=", ".join(constant)))
    if not keep.all():
        dropped = ", ".join(n for n, k in zip(columns.names, keep, strict=True) if not k)
        told.append(note("gap_constant", names=dropped))
    if alone:
        told.append(_not_compared(case, compared, [source for source, _ in alone]))
    kept = columns.pick(keep)
    return Composition(kept.values, kept.names, kept.sources, compared, tuple(alone), tuple(told))


def gap_among(case: Signals, among: np.ndarray) -> Estimates:
    """Return women's effect less men's among some persons, a mask of shape (m,)."""
    women, men = (case.average(case.groups[g] & among) for g in ("women", "men"))
    found = women - men
    return found if case.cluster is None else replace(found, df=_of_clusters(case, among))


def degrees_of_gap(case: Signals, scores: np.ndarray, among: np.ndarray, columns: int) -> float:
    """Return the degrees of freedom of a difference between women and men.

    Welch's from the parts of the variance that come from women and from men, each with the
    persons the effect is about less the constant and the columns fitted to them; of clusters,
    which women and men share, their number less one.

    Parameters
    ----------
    case : Signals
        One outcome and contrast.
    scores : ndarray, shape (m,)
        Of persons.
    among : ndarray of bool, shape (m,)
        Who is compared.
    columns : int
        Fitted to either gender, beside a constant.
    """
    if case.cluster is not None:
        return float(_of_clusters(case, among)[0])
    genders = [g & among for g in _about(case)]
    parts = np.array([[scores[case.groups[g]] @ scores[case.groups[g]]] for g in ("women", "men")])
    sizes = np.array([[float(g.sum() - columns - 1)] for g in genders])
    return float(welch(parts, sizes, np.ones(1))[0])


def _of_clusters(case: Signals, among: np.ndarray) -> np.ndarray:
    assert case.cluster is not None
    there = among & (case.groups["women"] | case.groups["men"])
    return np.array([max(float(len(np.unique(case.cluster[there]))) - 1, 1.0)])


def _about(case: Signals) -> tuple[np.ndarray, np.ndarray]:
    """Return the women and the men whom the effect is about, masks of shape (m,)."""
    about = case.share * case.weight > 0
    return case.groups["women"] & about, case.groups["men"] & about


def _columns(
    study: Study, plan: Plan, case: Signals, smaller: int
) -> tuple[Covariates, tuple[str, ...]]:
    """Return the columns that the plan names; by default those of covariates, and the blocks."""
    named = plan.analysis.heterogeneity.composition
    own = case.outcome if case.outcome in study.baselines else ""
    columns = covariates_for(study, own, plan.outcomes[case.outcome].without)
    columns = replace(columns, values=imputed(columns.values[case.rows]))
    strata = plan.columns.strata
    if named is None:
        if case.block is None or not strata:
            return columns, ()
        blocks = columns_of(pd.DataFrame({", ".join(strata): _names(study.block_names, case)}))
        if ROOM_OF_BLOCKS * (len(columns.names) + len(blocks.names)) > smaller:
            return columns, (note("gap_blocks"),)
        return _beside([columns, blocks]), ()
    parts = []
    for name in named:
        if name in columns.sources:
            parts.append(columns.without([s for s in columns.sources if s != name]))
        elif name in strata and case.block is not None:
            values = _stratum(study.block_names, strata, name)
            parts.append(columns_of(pd.DataFrame({name: _names(values, case)})))
        elif name in plan.groups:
            parts.append(columns_of(pd.DataFrame({name: _group(case, name)})))
    lost = [n for n in named if not any(n in p.sources for p in parts)]
    notes = (note("dropped", names=", ".join(lost)),) if lost else ()
    return _beside([columns.pick(np.zeros(len(columns.names), dtype=bool)), *parts]), notes


def _names(values: Sequence[str], case: Signals) -> np.ndarray:
    assert case.block is not None
    return np.array(values, dtype=object)[case.block]


def _stratum(names: Sequence[str], strata: Sequence[str], name: str) -> list[str]:
    """Return the value of one of the columns whose combinations are the blocks, by block."""
    place = list(strata).index(name)
    after = [f",{s}=" for s in strata[place + 1 :]][:1]
    found = []
    for text in names:
        value = f",{text}".partition(f",{name}=")[2]
        found.append(value.partition(after[0])[0] if after else value)
    return found


def _group(case: Signals, name: str) -> np.ndarray:
    found = np.full(case.m, None, dtype=object)
    for label, members in case.groups.items():
        dimension, sign, value = label.partition("=")
        if sign and dimension == name:
            found[members] = value
    return found


def _beside(parts: Sequence[Covariates]) -> Covariates:
    return Covariates(
        np.hstack([p.values for p in parts]),
        tuple(n for p in parts for n in p.names),
        tuple(s for p in parts for s in p.sources),
    )


def _without_likes(
    columns: Covariates, compared: np.ndarray, genders: tuple[np.ndarray, np.ndarray]
) -> tuple[str, np.ndarray] | None:
    """Return the first covariate with a value that a gender lacks, and whose it is."""
    for source, values in _values(columns, compared):
        kinds = int(values.max(initial=0)) + 1
        there = [np.bincount(values[(g & compared)[compared]], minlength=kinds) for g in genders]
        lacking = (np.minimum(*there) < LIKES) & (np.bincount(values, minlength=kinds) > 0)
        if lacking.any():
            lost = np.zeros(len(compared), dtype=bool)
            lost[compared] = lacking[values]
            return source, lost
    return None


def _values(columns: Covariates, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each covariate that has indicators, with the number of the value that each row has."""
    x = columns.values[rows]
    binary = ((x == 0) | (x == 1)).all(axis=0)
    for source in dict.fromkeys(columns.sources):
        own = binary & np.array([s == source for s in columns.sources], dtype=bool)
        if own.any():
            # read as digits of a number: rows with the same indicators have the same value
            code = np.zeros(len(x), dtype=np.int64)
            for first in range(0, int(own.sum()), DIGITS):
                digits = x[:, np.flatnonzero(own)[first : first + DIGITS]]
                code = (code << digits.shape[1]) + (
                    digits @ 2.0 ** np.arange(digits.shape[1])
                ).astype(np.int64)
                if own.sum() > 1:
                    code = np.unique(code, return_inverse=True)[1]
            yield source, code


def _not_compared(case: Signals, compared: np.ndarray, names: Sequence[str]) -> str:
    """Say who is not compared; shares in steps of ten, which tell no small number."""
    lost, shares = 0, []
    for gender in ("women", "men"):
        w = case.weight * case.share * case.groups[gender]
        lost += int((case.groups[gender] & ~compared).sum())
        shares.append(int(10 * np.floor(10 * w[compared].sum() / w.sum())))
    told = ", ".join(dict.fromkeys(names))
    return note("gap_alone", n=f"{lost:,}", names=told, women=shares[0], men=shares[1])
