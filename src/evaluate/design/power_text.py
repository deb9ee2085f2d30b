"""What `evaluate power` prints: the smallest effects that a planned trial would find."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from evaluate.design.power import Trial, degrees_of_freedom, detectable, persons_needed, power
from evaluate.errors import EvaluateError, PlanError

BAR = 40  # characters
COLUMNS = (
    "persons", "clusters", "group", "persons_in_group", "detectable", "per_participant",
    "relative", "ratio_to_all", "df", "level", "power", "unit",
)  # fmt: skip


def table_of(trial: Trial, unit: str, persons: Sequence[float] | None = None) -> pd.DataFrame:
    """Return the smallest effects found, by number of persons and group.

    Returns
    -------
    DataFrame
        ``persons, clusters, group, persons_in_group, detectable`` (in ``unit``),
        ``per_participant, relative`` (to the level without the offer, of a share)``,
        ratio_to_all, df, level, power, unit``.
    """
    rows = []
    for n in persons or [trial.persons]:
        one = replace(trial, persons=float(n))
        of_all = detectable(one)
        for group in one.groups:
            found = of_all if group == "all" else detectable(one, group)
            rows.append(
                {
                    "persons": round(one.persons),
                    "clusters": one.number_of_clusters,
                    "group": group,
                    "persons_in_group": round(one.persons * one.share_of(group)),
                    "detectable": found,
                    "per_participant": found / one.takeup,
                    "relative": found / one.baseline if one.baseline else math.nan,
                    "ratio_to_all": found / of_all,
                    "df": degrees_of_freedom(one, group),
                    "level": one.level,
                    "power": one.power,
                    "unit": unit,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def answer(
    trial: Trial,
    unit: str,
    effect: float | None = None,
    group: str = "all",
    over: Sequence[int] = (),
) -> tuple[list[str], pd.DataFrame]:
    """Return what the command prints, and the same as a table.

    Raises
    ------
    EvaluateError
        If neither the persons nor the effect is known, or the trial cannot be.
    """
    lines: list[str] = []
    if group not in trial.groups:
        raise PlanError(
            f"--for {group}: must be one of {', '.join(trial.groups)}; --women says their share."
        )
    if effect is not None:
        lines += _needed(trial, effect, unit)
    if math.isnan(trial.persons):
        if effect is not None:
            trial = replace(trial, persons=float(persons_needed(trial, effect, group)))
        elif over:
            trial = replace(trial, persons=float(over[-1]))
        else:
            raise PlanError("name --persons, or the --effect that is to be found, or --over.")
    elif effect is not None:
        lines += [
            f"With {trial.persons:,.0f} persons, an effect of {_size(effect, unit)} is found with "
            f"a probability of {power(trial, effect, g):.0%} ({_name(g)})."
            for g in ([group] if group != "all" else trial.groups)
        ]
    table = table_of(trial, unit)
    lines = [*_described(trial, unit), "", *lines, *([""] if lines else []), *_shown(table, trial)]
    if over:
        table = table_of(trial, unit, over)
        lines += ["", *_curve(table)]
    return lines, table


def _needed(trial: Trial, effect: float, unit: str) -> Iterator[str]:
    yield f"Persons needed to find an effect of {_size(effect, unit)}:"
    for group in trial.groups:
        try:
            n = persons_needed(trial, effect, group)
        except EvaluateError as error:
            yield f"  {_name(group):<16} none: {error}"
            continue
        count = replace(trial, persons=float(n)).number_of_clusters
        clusters = "" if count is None else f" in {count:,.4g} clusters"
        yield f"  {_name(group):<16} {n:>11,}{clusters}"


def _described(trial: Trial, unit: str) -> list[str]:
    spread = f"standard deviation {trial.sd:.4g}"
    if trial.baseline is not None:
        spread = f"level without the offer {trial.baseline:.4g}"
    women = "" if trial.women is None else f", {trial.women:.0%} women"
    lines = [
        f"{trial.persons:,.0f} persons, {trial.offered:.0%} of them offered{women}; {spread} "
        f"({unit}).",
        f"Explained by covariates ({_count(trial.covariates, 'column')}) and "
        f"{_count(trial.blocks, 'block')}: {trial.r2:.0%} of the variance. Take-up "
        f"{trial.takeup:.0%}, lost to follow-up {trial.attrition:.0%}.",
    ]
    if trial.weighting != 1:
        where = " within clusters" if trial.clusters else ""
        lines.append(
            f"Weights: design effect {trial.weighting:.2f} (Kish){where}. --weighting says "
            "otherwise; 1 is without weights."
        )
    clusters, count = trial.clusters, trial.number_of_clusters
    if clusters is not None and count is not None:
        size = trial.persons / count
        effect = 1 + ((clusters.size_cv**2 + 1) * size - 1) * clusters.icc
        lines.append(
            f"{count:,.4g} clusters of {size:,.4g} persons, intra-cluster correlation "
            f"{clusters.icc:.3f} (explained: {clusters.r2:.0%}): design effect {effect:.2f}."
        )
        if trial.women is not None:
            lines.append(
                "The gap takes women and men of a cluster to share all that its persons share"
                + (f", but for {clusters.icc_gender:.3f}." if clusters.icc_gender else ".")
                + (" --icc-gender says otherwise." if not clusters.icc_gender else "")
            )
    return lines


def _shown(table: pd.DataFrame, trial: Trial) -> Iterator[str]:
    yield (
        f"Smallest effects found with a probability of {trial.power:.0%}, by {trial.level:.0%} "
        "intervals:"
    )
    yield f"  {'':<16} {'persons':>10} {'of the offer':>18} {'per participant':>18} {'ratio':>7}"
    for row in table.to_dict("records"):
        sizes = (_size(row[c], row["unit"]) for c in ("detectable", "per_participant"))
        yield (
            f"  {_name(row['group']):<16} {row['persons_in_group']:>10,} "
            + " ".join(f"{size:>18}" for size in sizes)
            + f" {row['ratio_to_all']:>7.2f}"
        )
    gap = table[table["group"] == "women-men"]
    if len(gap):
        ratio = gap["ratio_to_all"].iloc[0]
        yield (
            f"A gap between women and men must be {ratio:.1f} times the average effect to be "
            "found as surely."
        )
    if trial.baseline is not None and table["detectable"].isna().any():
        yield "A dash: not even the largest effect that a share can have is found."


def _curve(table: pd.DataFrame) -> Iterator[str]:
    """Draw the effects over the number of persons: the average, and the gap where there is one."""
    groups = [g for g in ("all", "women-men") if (table["group"] == g).any()]
    wide = table.pivot(index="persons", columns="group", values="detectable")[groups]
    largest = wide.max(axis=None)
    yield f"  {'persons':>10} " + " ".join(f"{_name(g):>16}" for g in groups)
    for persons, row in wide.iterrows():
        cells = " ".join(f"{_size(v, table['unit'].iloc[0]):>16}" for v in row)
        bar = ""
        if math.isfinite(row.iloc[0]):
            bar = "#" * max(round(BAR * row.iloc[0] / largest), 1)
            if len(groups) == 2 and math.isfinite(row.iloc[1]):
                bar += "-" * (round(BAR * row.iloc[1] / largest) - len(bar))
        yield f"  {persons:>10,} {cells}  {bar}"
    if len(groups) == 2:
        yield f"  # {_name('all')}, - {_name('women-men')}"


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _name(group: str) -> str:
    return "women less men" if group == "women-men" else group


def _size(value: float, unit: str) -> str:
    if not math.isfinite(value):
        return "-"
    return f"{100 * value:.1f} points" if unit == "share" else f"{value:.3g} {unit}"
