"""Do the numbers assigned agree with the lottery as the plan records it?

Where clusters were assigned, clusters are counted: the numbers of persons follow from them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special, stats

from evaluate.design.assignments import assigned_units
from evaluate.design.rows import row, smallest
from evaluate.design.sample_ratio import expected_shares, probability_test, ratio_test
from evaluate.notes import finding
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

SAME = 1e-6  # probabilities closer than this are one
MOST_TOLD = 1_000_000  # assignments; more are said to be more
FEW_ASSIGNMENTS = 10_000  # of persons; more need not be told


def ratios(study: Study, plan: Plan, groups: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """Test the shares assigned: in all, in each block and, of persons, among women and men."""
    assignment, arms = plan.assignment, study.arms
    shares = expected_shares(assignment, arms)
    units = assigned_units(study.arm, study.block, study.drawn)
    if shares is None and study.share is None:
        actual = float((units.arm > 0).mean())
        text = finding("no_share", actual=f"{actual:.3f}")
        return [row("sample_ratio", "all", actual, None, text)]
    where = {"all": np.ones(len(units.arm), dtype=bool)}
    if study.drawn is None:
        where = dict(groups)
    if study.block is not None:
        where |= {name: units.block == b for b, name in enumerate(study.block_names)}
    of = "" if study.drawn is None else "_clusters"
    share = None if study.share is None else _by_unit(study.share, units.of)
    rows = []
    for group, members in where.items():
        if not members.any():
            continue
        arm = units.arm[members]
        counts = np.bincount(arm, minlength=len(arms))
        if shares is None:
            assert share is not None
            test = probability_test(arm > 0, share[members])
            expected = f"{share[members].mean():.3f}"
        else:
            test = ratio_test(counts, shares)
            expected = " : ".join(f"{s:.3f}" for s in shares[1:])
        pooled = [counts[1:].sum()] if shares is None or len(shares) == 2 else counts[1:]
        actual_shares = " : ".join(f"{c / counts.sum():.3f}" for c in pooled)
        text = finding(f"ratio{of}", actual=actual_shares, expected=expected)
        blocks = len(study.block_names) if group in study.block_names else 1
        rows.append(row("sample_ratio", group, test.statistic, test.p_value, text, tests=blocks))
    return rows


def share_by_gender(
    study: Study, groups: dict[str, np.ndarray], p: float | None
) -> dict[str, object]:
    """Compare the shares offered to women and men.

    Parameters
    ----------
    study : Study
        The persons.
    groups : dict of str to ndarray of bool, shape (n,)
        Women and men among them.
    p : float, optional
        Of a permutation test of being a woman, within blocks and by cluster; without one,
        Pearson's test, for a lottery of persons without blocks. Nothing is tested where no
        assignment within blocks would give other shares.
    """
    counts = np.array(
        [np.bincount(study.arm[groups[g]], minlength=len(study.arms)) for g in ("women", "men")]
    )
    women, men = 1 - counts[:, 0] / counts.sum(axis=1)
    text = finding("by_gender", women=f"{women:.3f}", men=f"{men:.3f}")
    statistic = float(women - men)
    if not _gender_may_vary(study, groups["women"], groups["men"]):
        text = finding("by_gender_fixed", women=f"{women:.3f}", men=f"{men:.3f}")
        return row("share_by_gender", GAP, statistic, None, text)
    if p is None:
        test = stats.chi2_contingency(counts[:, counts.any(axis=0)], correction=False)
        statistic, p = float(test.statistic), float(test.pvalue)
    return row("share_by_gender", GAP, statistic, p, text)


def _gender_may_vary(study: Study, women: np.ndarray, men: np.ndarray) -> bool:
    """Tell whether some assignment offers other numbers of women or men.

    It takes a block with two arms whose units differ in their numbers of women or of men.
    """
    units = assigned_units(study.arm, study.block, study.drawn)
    counts = pd.DataFrame({g: np.bincount(units.of, m) for g, m in (("w", women), ("m", men))})
    different = counts.assign(arm=units.arm).groupby(units.block).nunique() > 1
    return bool((different["arm"] & (different["w"] | different["m"])).any())


def places(study: Study, record: pd.DataFrame | None) -> list[dict[str, object]]:
    """Test the number offered in each cell against its places.

    Of those in the cell's lottery, so many as there are places were drawn; the study has those
    of them who are left, among whom the number offered is hypergeometric. Where all are there, the
    numbers agree or they do not. The row for all takes the least p-value times the cells.
    """
    if record is None or "places" not in record or record["places"].isna().all():
        return []
    cell, names = pd.factorize(record["cell"], sort=True)
    units = assigned_units(study.arm, study.block, study.drawn)
    first = np.unique(units.of, return_index=True)[1]
    of_unit = pd.DataFrame(
        {
            "cell": cell[first],
            "offered": (units.arm > 0).astype(int),
            "places": record["places"].to_numpy(dtype=float)[first],
            "eligible": record["eligible"].to_numpy(dtype=float)[first],
        }
    ).groupby("cell")
    found = of_unit.agg(
        n=("offered", "size"),
        offered=("offered", "sum"),
        places=("places", "first"),
        eligible=("eligible", "first"),
    )
    found["eligible"] = np.maximum(found["eligible"], found["n"])
    rows, p_values = [], []
    for name, (n, offered, drawn, eligible) in zip(names, found.to_numpy(), strict=True):
        drawn = min(drawn, eligible)
        p = _hypergeometric(int(offered), int(eligible), int(drawn), int(n))
        p_values.append(p)
        actual, stated = offered / n, drawn / eligible
        kind = "places" if study.drawn is None else "places_clusters"
        text = finding(kind, actual=f"{actual:.3f}", expected=f"{stated:.3f}")
        rows.append(row("places", str(name), actual - stated, p, text, tests=len(names)))
    if len(names) == 1:
        return [rows[0] | {"group": "all"}]
    p = min(1.0, min(p_values) * len(p_values))
    differing = int((found["offered"] != found["places"]).sum())
    text = finding("places_all", differing=f"{differing:,}", cells=f"{len(names):,}")
    return [row("places", "all", float(differing), p, text), *rows]


def _hypergeometric(offered: int, eligible: int, drawn: int, n: int) -> float:
    """Return the two-sided p-value: all numbers as unlikely as the actual one, or more so."""
    possible = np.arange(max(0, n - (eligible - drawn)), min(n, drawn) + 1)
    if offered not in possible:
        return 0.0
    chance = stats.hypergeom.pmf(possible, eligible, drawn, n)
    actual = stats.hypergeom.pmf(offered, eligible, drawn, n)
    return min(1.0, float(chance[chance <= actual * (1 + 1e-7)].sum()))


def probabilities(study: Study, plan: Plan, record: pd.DataFrame | None) -> list[dict[str, object]]:
    """Compare stated with recomputed probabilities, and those within what the plan calls blocks.

    Within a block all must have had the same chance, or be weighted by its inverse: otherwise
    effects compare persons with a high probability with persons with a low one.
    """
    rows = []
    stated = plan.assignment.probability is not None and study.share is not None
    if stated and record is not None and "probability" in record:
        assert study.share is not None
        apart = np.abs(study.share - record["probability"].to_numpy(dtype=float))
        widest, differ = float(np.nanmax(apart)), int((apart > 0.001).sum())
        text = finding("by_rule", widest=f"{widest:.3f}", n=f"{differ:,}")
        verdict = "warn" if differ else "pass"
        rows.append(
            row("probability_by_rule", "all", widest, None, text, verdict=verdict,
                least=differ or None)
        )  # fmt: skip
    if study.share is None or study.block is None:
        return rows
    of_block = pd.Series(study.share).groupby(study.block)
    apart = (of_block.max() - of_block.min()).to_numpy()
    differ, widest = int((apart > SAME).sum()), float(apart.max())
    verdict, kind = "pass", "within"
    if differ:
        weighted = _weighted_by_inverse(study)
        verdict, kind = ("pass", "within_weighted") if weighted else ("warn", "within_differ")
    values = {"differ": differ, "blocks": len(apart), "widest": f"{widest:.3f}"}
    text = finding(kind, **(values if differ else {}))
    rows.append(row("probability_within_blocks", "all", widest, None, text, verdict=verdict))
    return rows


def assignments(
    study: Study, groups: dict[str, np.ndarray], level: float
) -> list[dict[str, object]]:
    """Count the clusters, or the persons of a small trial, and the assignments they allow.

    With few assignments no test can find anything: the least p-value is one over their number,
    or two where each assignment has its mirror image.
    """
    rows = []
    for group, members in groups.items():
        if not members.any():
            continue
        block = None if study.block is None else study.block[members]
        drawn = None if study.drawn is None else study.drawn[members]
        units = assigned_units(study.arm[members], block, drawn)
        number = _number_of_assignments(units.arm, units.block)
        if study.drawn is None and number > FEW_ASSIGNMENTS:
            continue
        counts = np.bincount(units.arm, minlength=len(study.arms))
        kind = "persons_drawn" if study.drawn is None else "clusters_drawn"
        values = {"number": f"{round(number):,}"} if 1.5 < number <= MOST_TOLD else {}
        kind += "" if values else "_single" if number < 1.5 else "_many"
        by = ", ".join(f"{c:,} in arm {a}" for c, a in zip(counts, study.arms, strict=True))
        alike = 2 if _is_mirrored(units.arm, units.block) else 1
        few = alike / number > 1 - level + SAME or counts.min() < 2
        least = smallest(np.bincount(study.arm[members], minlength=len(study.arms)))
        rows.append(
            row("assignments", group, float(counts.min()), None,
                finding(kind, by_arm=by, **values), verdict="warn" if few else "pass",
                least=least)
        )  # fmt: skip
    return rows


def one_arm_blocks(study: Study, groups: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """Count the persons in blocks that lack an arm; blocks alike in all arms are not told."""
    if study.block is None:
        return []
    rows = []
    for group, members in groups.items():
        if not members.any():
            continue
        cells = np.zeros((len(study.block_names), len(study.arms)), dtype=int)
        np.add.at(cells, (study.block[members], study.arm[members]), 1)
        size = cells.sum(axis=1)
        lacking = (cells == 0).any(axis=1) & (size > 0)
        if not lacking.any():
            continue
        n = int(size[lacking].sum())
        text = finding(
            "one_arm_blocks", lacking=int(lacking.sum()), blocks=int((size > 0).sum()), n=f"{n:,}"
        )
        verdict = "warn" if group == "all" else "pass"
        share = n / int(size.sum())
        rows.append(row("blocks", group, share, None, text, verdict=verdict, least=n))
    return rows


def _number_of_assignments(arm: np.ndarray, block: np.ndarray) -> float:
    """Return how many assignments have the same numbers by block and arm; may be infinite."""
    cells = np.zeros((block.max(initial=0) + 1, arm.max(initial=0) + 1))
    np.add.at(cells, (block, arm), 1)
    log = special.gammaln(cells.sum(axis=1) + 1).sum() - special.gammaln(cells + 1).sum()
    return float(np.exp(log)) if log < 700 else np.inf


def _is_mirrored(arm: np.ndarray, block: np.ndarray) -> bool:
    """Tell whether two arms may change places: as many of both in each block."""
    treated = arm == arm.max(initial=0)
    return len(np.unique(arm)) == 2 and not np.bincount(block, np.where(treated, 1, -1)).any()


def _weighted_by_inverse(study: Study) -> bool:
    """Tell whether weights go as the inverse of the probability of the arm, by block and arm."""
    if study.weight is None or study.share is None or study.block is None:
        return False
    chance = np.where(study.arm > 0, study.share, 1 - study.share)
    product = pd.Series(study.weight * chance).groupby([study.block, study.arm > 0])
    return bool((product.max() <= product.min() * (1 + 1e-3)).all())


def _by_unit(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.bincount(of, values) / np.bincount(of)
