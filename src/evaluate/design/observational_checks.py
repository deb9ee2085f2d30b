"""Checks of a design without a lottery: overlap, models, weights, balance, missing outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evaluate import schemas
from evaluate.design import missing
from evaluate.design.observational_balance import PROGNOSIS
from evaluate.design.observational_tables import overlap_table
from evaluate.design.overlap import Trim
from evaluate.design.propensity import measured
from evaluate.design.propensity_stage import groups_within, main_set
from evaluate.design.rows import number, row, smallest
from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.linear import Errors
from evaluate.errors import DesignError
from evaluate.notes import finding
from evaluate.plan.model import Plan
from evaluate.propensities import CrossFit
from evaluate.study import Study

LIMIT = 0.1  # standard deviations: Austin (2009)
LOST = 0.05  # share of the treated that is trimmed, or has no likes, above which to warn
SLOPES = (0.7, 1.4)  # of calibration
TELLING = 0.95  # area under the curve from which the covariates all but tell who is treated
WORTH, MOST = 30, 0.1  # persons that weights must be worth; part of them that one person may have
DAYS = 31  # that time zero may differ on average
Row = dict[str, object]
Places = dict[tuple[str, str], dict[Any, Any]]  # rows of `schemas.OVERLAP` by group and side


def observational_checks(
    study: Study,
    plan: Plan,
    balance: pd.DataFrame,
    reasons: Mapping[str, str],
    record: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Check what stands in the place of a lottery.

    Parameters
    ----------
    study : Study
        The persons, with propensities.
    plan : Plan
        The programme file.
    balance, reasons
        From `observational_balance`.
    record : DataFrame, optional
        Days of the offer and the start, in the order of the study.

    Returns
    -------
    DataFrame
        As `schemas.DESIGN_CHECKS`, for all, women and men. Of several arms each contrast with
        control has its checks: ``overlap 2`` is that of arm 2.
    """
    rows: list[Row] = []
    for contrast in study.contrasts:
        found = study.propensities.get((main_set(plan), study.label(contrast)))
        if contrast[1] != 0:
            continue
        label = study.label(contrast)
        own: list[Row] = []
        if found is not None:
            own += _of_scores(study, plan, contrast, found)
        own += _balances(balance[balance["arm"] == label], reasons, label)
        if len(study.arms) > 2:
            own = [one | {"check": _of_arm(str(one["check"]), label)} for one in own]
        rows += own
    rows += _days(study, plan, record)
    groups = {g: m for g, m in study.groups.items() if "=" not in g}
    absent = missing.absences(study, plan)
    p_values = {
        (check, g): p
        for check, column in absent.items()
        for g, members in groups.items()
        if (p := _alike(study, column, members)) is not None
    }
    rows += missing.attrition(study, absent, groups, p_values)
    return pd.DataFrame(rows, columns=list(schemas.DESIGN_CHECKS.columns))


def _of_arm(check: str, label: str) -> str:
    """Name the arm in a check, before the outcome where it has one."""
    kind, colon, outcome = check.partition(":")
    return f"{kind} {label}{colon}{outcome}"


def _of_scores(study: Study, plan: Plan, contrast: tuple[int, int], found: CrossFit) -> list[Row]:
    """Check overlap, the model and the weights of one contrast."""
    rows = np.isin(study.arm, contrast)
    analysis, groups = plan.analysis, groups_within(study, rows)
    treated = study.arm[rows] == contrast[0]
    weight = None if study.weight is None else study.weight[rows]
    cut = Trim(found.kept[rows], 0.0, 1.0)
    table = overlap_table(
        found.median[rows], treated, cut, groups, "", analysis.estimand,
        analysis.propensity.clip, weight,
    )  # fmt: skip
    by_place: Places = {(r["group"], r["side"]): r for r in table.to_dict("records")}
    both = {g: m for g, m in groups.items() if (m & treated).any() and (m & ~treated).any()}
    w = np.ones(len(treated)) if weight is None else weight / weight.mean()
    measures = measured({found.model: found.score[:, rows].T}, treated, w, both)
    rows_of = [_overlap(by_place, g, analysis.estimand) for g in groups]
    rows_of += [_model(one, found.model) for one in measures.to_dict("records")]
    return rows_of + [_effective(by_place, g, analysis.estimand) for g in groups]


def _overlap(table: Places, group: str, estimand: str) -> Row:
    """Tell who has no likes and who is trimmed; the statistic is the part of the treated lost."""
    one, other = table[group, "treated"], table[group, "control"]
    if not (one["n"] and other["n"]):
        return row("overlap", group, None, None, finding("one_arm"))
    n, trimmed = np.array([[int(r[c]) for r in (one, other)] for c in ("n", "trimmed")])
    outside = int(one["outside"])
    share = float(trimmed[0] / n[0])
    lacks = outside > LOST * n[0]
    text = finding(
        "overlap_outside" if lacks else "overlap",
        outside=f"{outside:,}",
        treated=f"{n[0]:,}",
        control=f"{n[1]:,}",
        trimmed_treated=f"{trimmed[0]:,}",
        trimmed_control=f"{trimmed[1]:,}",
    )
    told = [*n, *trimmed, *(n - trimmed), *([outside, n[0] - outside] if lacks else [])]
    lost = trimmed[: 1 if estimand == "att" else 2] / n[: 1 if estimand == "att" else 2]
    verdict = "warn" if lacks or (lost > LOST).any() or (trimmed == n).any() else "pass"
    least = smallest(np.array(told))
    return row("overlap", group, share, None, text, verdict=verdict, least=least)


def _model(found: Mapping[Any, Any], model: str) -> Row:
    """Judge the model of treatment by its calibration, and by whether it tells the arms apart."""
    slope, auc = float(found["calibration_slope"]), float(found["auc"])
    group = str(found["group"])
    text = finding(
        f"model_{model}",
        slope="-" if np.isnan(slope) else f"{slope:.2f}",
        level=f"{float(found['calibration_intercept']):.2f}",
        auc=f"{auc:.2f}",
    )
    verdict = "not assessed"
    if not np.isnan(slope):
        fair = SLOPES[0] <= slope <= SLOPES[1] and auc < TELLING
        verdict = "pass" if fair else "warn"
    statistic = None if np.isnan(slope) else slope
    return row("propensity_model", group, statistic, None, text, verdict=verdict)


def _effective(table: Places, group: str, estimand: str) -> Row:
    """Tell how many persons the weights are worth: those of the arm that they leave fewer of."""
    sides = ("control",) if estimand == "att" else ("treated", "control")
    chosen = [table[group, side] for side in sides]
    if any(not one["kept"] for one in chosen):
        return row("effective_size", group, None, None, finding("nobody_kept"))
    side = min(range(len(chosen)), key=lambda i: chosen[i]["effective"])
    one = chosen[side]
    effective, largest = float(one["effective"]), float(one["largest"])
    text = finding(
        f"effective_{sides[side]}",
        effective=number(effective),
        kept=f"{int(one['kept']):,}",
        largest=f"{largest:.3f}",
    )
    few = effective < WORTH or largest > MOST
    counts = np.array([one["kept"], one["n"] - one["kept"]], dtype=float)
    return row(
        "effective_size", group, effective, None, text,
        verdict="warn" if few else "pass", least=smallest(counts),
    )  # fmt: skip


def _balances(table: pd.DataFrame, reasons: Mapping[str, str], label: str) -> list[Row]:
    """Tell the largest differences before and after each kind of weights, and of prognoses."""
    rows: list[Row] = []
    table = table[table["group"].isin(["all", "women", "men"])]
    adjusted = table["adjusted"].astype(bool)
    predicted = table["covariate"].str.startswith(PROGNOSIS)
    kinds = [str(k) for k in dict.fromkeys(table.loc[adjusted, "weights"])]
    groups = [str(g) for g in dict.fromkeys(table["group"])]
    for kind in ["", *kinds]:
        here = ~adjusted if not kind else adjusted & (table["weights"] == kind)
        check = f"balance_after_{kind}" if kind else "balance_before"
        for group in groups:
            smd = table.loc[here & ~predicted & (table["group"] == group), "smd"].abs().dropna()
            if reason := reasons.get(f"{label} {kind} {group}"):
                rows.append(row(check, group, None, None, finding("no_weights", reason=reason)))
            elif len(smd):
                rows.append(_balance(check, group, smd))
    for name in dict.fromkeys(table.loc[predicted, "covariate"]):
        for group in groups:
            own = (table["covariate"] == name) & (table["group"] == group)
            before = table.loc[own & ~adjusted, "smd"].abs().max()
            after = table.loc[own & adjusted, "smd"].abs().max()
            if pd.notna(before) and pd.notna(after):
                text = finding("prognosis", before=f"{before:.3f}", after=f"{after:.3f}")
                verdict = "warn" if after > LIMIT else "pass"
                rows.append(row(name, group, float(after), None, text, verdict=verdict))
    return rows


def _balance(check: str, group: str, smd: pd.Series) -> Row:
    """Judge differences after weights; those before are why there are weights."""
    large = int((smd > LIMIT).sum())
    text = finding("smd", large=large, covariates=len(smd), largest=f"{smd.max():.3f}")
    verdict = "warn" if large else "pass"
    if check == "balance_before":
        verdict = "not assessed"
    return row(check, group, float(smd.max()), None, text, verdict=verdict)


def _days(study: Study, plan: Plan, record: pd.DataFrame | None) -> list[Row]:
    """Compare the days of time zero: outcomes of the same months must be of the same seasons."""
    name = plan.columns.time_zero
    if record is None or name not in record:
        return []
    day = record[name].to_numpy(dtype="datetime64[D]")
    known = ~np.isnat(day)
    one, other = known & (study.arm > 0), known & (study.arm == 0)
    if not (one.any() and other.any()):
        return [row("time_zero", "all", None, None, finding("one_arm"))]
    since = (day - day[known].min()) / np.timedelta64(1, "D")
    difference = float(since[one].mean() - since[other].mean())
    text = finding("time_zero", difference=number(difference))
    verdict = "warn" if abs(difference) > DAYS else "pass"
    return [row("time_zero", "all", difference, None, text, verdict=verdict)]


def _alike(study: Study, column: np.ndarray, members: np.ndarray) -> float | None:
    """Return the p-value of an outcome missing alike in all arms, by cluster if there are any."""
    arm = study.arm[members]
    counts = np.zeros((len(study.arms), 2))
    np.add.at(counts, (arm, column[members].astype(int)), 1)
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < 2 or (counts.sum(axis=0) == 0).any():
        return None
    if study.cluster is None:
        return float(stats.chi2_contingency(counts, correction=False).pvalue)
    errors = Errors("CR1", study.cluster[members], study.units)
    y, p_values = column[members].astype(float)[:, None], []
    for contrast in study.contrasts:
        try:
            found = difference_in_means(y, arm, contrast, errors=errors)
        except DesignError:
            continue
        p_values.append(float(found.p_value[0]))
    return min(1.0, min(p_values) * len(p_values)) if p_values else None
