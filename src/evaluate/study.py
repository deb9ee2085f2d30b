"""A clean study in memory: arrays of the same persons in the same order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.io import read_parquet
from evaluate.plan.closed import code_text
from evaluate.plan.columns import EXPOSED
from evaluate.plan.model import Plan
from evaluate.propensities import Propensities, read_propensities

GAP = "women-men"
FEW_IN_AN_ARM = 3  # clusters, of which a bootstrap says little: MacKinnon and Webb (2018)


@dataclass(frozen=True)
class Study:
    """The persons of a programme.

    Attributes
    ----------
    arms : tuple of str
        Control first.
    arm : ndarray of int, shape (n,)
        Position of each person's arm in ``arms``.
    block : ndarray of int, shape (n,), or None
        Block of each person, where assignment was drawn within blocks.
    block_names : tuple of str
        Name of each block.
    weight, takeup, cost, share : ndarray, shape (n,), or None
        Weight; took part (1, 0, NaN); cost in the plan's currency; stated probability of
        the offer.
    covariates, baselines : DataFrame
        Covariates by name; baseline measures by outcome.
    groups : dict of str to ndarray of bool, shape (n,)
        ``all`` first, then women and men, then the exploratory groups of the plan.
    y : ndarray, shape (n, k)
        Outcome columns in the plan's order, NaN where missing.
    cluster : ndarray of int, shape (n,), or None
        Position of each person's cluster, 0 to clusters less one, where clusters were
        assigned, or where persons appear in several waves.
    propensities : mapping
        By set of covariates and contrast; empty where a lottery decided.
    negative : dict of str to ndarray of bool, shape (n,)
        The plan's negative-control groups by name.
    doses : dict of str to ndarray, shape (n,)
        The plan's doses by name, NaN where not known; take-up is one more.
    site : ndarray of object, shape (n,), or None
        Where each person's costs were, None where not known; where the plan names a column.
    """

    arms: tuple[str, ...]
    arm: np.ndarray
    block: np.ndarray | None
    block_names: tuple[str, ...]
    weight: np.ndarray | None
    takeup: np.ndarray | None
    cost: np.ndarray | None
    share: np.ndarray | None
    covariates: pd.DataFrame
    baselines: pd.DataFrame
    groups: dict[str, np.ndarray]
    y: np.ndarray
    cluster: np.ndarray | None = None
    propensities: Propensities = field(default_factory=dict)
    negative: dict[str, np.ndarray] = field(default_factory=dict)
    doses: dict[str, np.ndarray] = field(default_factory=dict)
    site: np.ndarray | None = None

    @property
    def n(self) -> int:
        """Number of persons."""
        return len(self.arm)

    @property
    def units(self) -> int:
        """Number of rows of scores: clusters where there are any, else persons."""
        return self.n if self.cluster is None else int(self.cluster.max(initial=-1)) + 1

    @cached_property
    def drawn(self) -> np.ndarray | None:
        """What the lottery drew: position of each person's cluster in its block, shape (n,).

        None where persons were drawn. A person in several waves, or a cluster, was drawn in each
        of them anew, although its scores are summed.
        """
        if self.cluster is None:
            return None
        block = np.zeros(self.n, dtype=int) if self.block is None else self.block
        pair = self.cluster * (int(block.max(initial=0)) + 1) + block
        _, unit = np.unique(pair, return_inverse=True)
        return None if unit.max(initial=-1) + 1 == self.n else unit

    @property
    def offered_arms(self) -> np.ndarray:
        """Which arms were offered something: not control, nor those exposed, shape (arms,)."""
        return np.array([i > 0 and arm != EXPOSED for i, arm in enumerate(self.arms)])

    @property
    def contrasts(self) -> tuple[tuple[int, int], ...]:
        """Each arm against control, then arm against arm.

        Those exposed are compared with control only: with those offered, within clusters of the
        same share, see `effects.saturation`.
        """
        treated = range(1, len(self.arms))
        pairs = [(a, b) for a in treated for b in treated if a < b and self.arms[b] != EXPOSED]
        return (*((a, 0) for a in treated), *pairs)

    def label(self, contrast: tuple[int, int]) -> str:
        """Return a contrast as the tables write it: ``2``, or ``1-2`` for arm against arm."""
        a, b = contrast
        return self.arms[a] if b == 0 else f"{self.arms[a]}-{self.arms[b]}"


def study_of(participants: pd.DataFrame, outcomes: pd.DataFrame, plan: Plan) -> Study:
    """Arrange the files of the stage `data` as arrays."""
    arms = plan.columns.treatment.all_arms(participants["arm"])
    gender = participants["gender"].to_numpy(dtype=object)
    groups = {"all": np.ones(len(gender), dtype=bool)}
    groups |= {name: gender == name for name in plan.columns.genders}
    for name in plan.groups:
        column = participants[f"group.{name}"]
        groups |= {
            f"{name}={v}": (column == v).to_numpy() for v in sorted(column.dropna().unique())
        }
    negative = {
        f"{name}={', '.join(map(code_text, codes))}": participants[f"group.{name}"]
        .isin([code_text(code) for code in codes])
        .to_numpy(dtype=bool)
        for name, codes in plan.negative_controls.items()
    }
    block: np.ndarray | None = None
    block_names: list[str] = []
    if plan.columns.strata:
        block, names = pd.factorize(participants["block"], sort=True)
        block_names = [str(name) for name in names]

    cluster: np.ndarray | None = None
    if "cluster" in participants and participants["cluster"].notna().any():
        cluster = pd.factorize(participants["cluster"], sort=True)[0].astype(int)

    def optional(name: str, is_named: bool) -> np.ndarray | None:
        return participants[name].to_numpy(dtype=float) if is_named else None

    def prefixed(prefix: str) -> pd.DataFrame:
        columns = participants.filter(regex=rf"^{prefix}\.")
        return columns.rename(columns=lambda c: c.removeprefix(f"{prefix}."))

    return Study(
        arms=arms,
        arm=pd.Categorical(participants["arm"], categories=list(arms)).codes.astype(int),
        block=block,
        block_names=tuple(block_names),
        weight=optional("weight", bool(participants["weight"].notna().any())),
        takeup=optional("takeup", plan.columns.takeup is not None),
        cost=optional("cost", bool(plan.costs and plan.costs.column)),
        share=optional("share", plan.assignment.by_person),
        covariates=prefixed("covariate"),
        baselines=prefixed("baseline"),
        groups=groups,
        y=outcomes[[c.name for c in plan.outcome_columns]].to_numpy(dtype=float),
        cluster=cluster,
        negative=negative,
        site=_sites(participants) if plan.costs and plan.costs.site else None,
        doses={d: participants[f"dose.{d}"].to_numpy(dtype=float) for d in plan.doses},
    )


def _sites(participants: pd.DataFrame) -> np.ndarray:
    """Return the sites as texts, None where missing, shape (n,)."""
    site = participants["site"]
    return site.astype(object).where(site.notna(), None).to_numpy()


def read_study(
    participants: str | Path,
    outcomes: str | Path,
    plan: Plan,
    propensity: str | Path | None = None,
) -> Study:
    """Read a clean study from the files of the stage `data`, with propensities of `design`."""
    study = study_of(
        read_parquet(participants, schemas.PARTICIPANTS),
        read_parquet(outcomes, schemas.OUTCOMES),
        plan,
    )
    if propensity is None:
        return study
    return replace(study, propensities=read_propensities(propensity, study.n))
