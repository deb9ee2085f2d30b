"""Effects in groups, and how they go along with covariates: the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evaluate.effects.multiplicity import benjamini_hochberg, holm, romano_wolf
from evaluate.estimates import Estimates
from evaluate.heterogeneity.estimable import (
    GENDERS,
    MOST,
    Projected,
    asked,
    average,
    gap,
    members,
    most_slopes,
    projected,
    slopes,
    too_few,
    unsure,
)
from evaluate.heterogeneity.joint_test import Joint, no_differences
from evaluate.heterogeneity.signals import Signals
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.seeds import generator
from evaluate.study import GAP

DRAWS = 10_000  # for p-values adjusted over a family
NOTHING = Joint(np.nan, np.nan, np.nan, np.nan)

Row = dict[str, object]


def conditional_rows(plan: Plan, case: Signals) -> list[Row]:
    """Return average effects in groups, slopes of the projection, and joint tests.

    Parameters
    ----------
    plan : Plan
        The programme file.
    case : Signals
        The persons of one outcome and contrast.

    Returns
    -------
    list of dict
        Rows of `schemas.CONDITIONAL_EFFECTS` without outcome, month, arm and unit. Of estimates
        ``statistic`` is t and ``df`` its degrees of freedom; of tests they are F's, with
        ``df_error``. P-values are adjusted over the slopes of one group, and over the averages of
        exploratory groups, as the plan's `multiplicity` says; in place of randomisation by Romano
        and Wolf. What cannot be estimated has a row whose note says why.
    """
    averages = list(_averages(plan, case))
    rows = [*averages, *_projections(plan, case), *_tests(plan, case)]
    empty: Row = {"term": "", "prespecified": False, "note": "", "level": plan.analysis.level}
    return [empty | row for row in rows]


def joint_test(case: Signals, plan: Plan, beside_gender: bool = False) -> Joint:
    """Test that effects go along with none of the plan's covariates.

    Parameters
    ----------
    case : Signals
        The persons of one outcome and contrast.
    plan : Plan
        The programme file.
    beside_gender : bool
        Whether effects may differ between women and men.

    Returns
    -------
    Joint
        NaN where there is none; the row `joint` of `conditional_rows` says why.
    """
    return _no_slopes(plan, case, "all", beside_gender)[0]


def _averages(plan: Plan, case: Signals) -> Iterator[Row]:
    """Give the effect in every group, and the gap between women and men."""
    found: dict[str, Estimates] = {}
    whys: dict[str, str] = {}
    for group, among in case.groups.items():
        whys[group] = too_few(case, among)
        if not whys[group]:
            found[group] = average(case, among)
            whys[group] = unsure(plan, case, among)
    order = list(case.groups)
    if case.both_genders:
        order.insert(order.index("men") + 1, GAP)
        there = all(g in found for g in GENDERS)
        whys[GAP] = joined([w for g in GENDERS if (w := whys[g])]) if there else note("no_gap")
        if there:
            found[GAP] = found["women"] - found["men"]
    explored = [g for g in order if "=" in g and g in found and not whys[g]]
    adjusted, many = _adjusted(plan, case, "groups", [found[g] for g in explored])
    for group in order:
        effect = found.get(group)
        notes = [*(case.notes if group == "all" else ()), whys[group]]
        row = _estimate(plan, effect, bool(whys[group]))
        if group in explored:
            row["p_value_adjusted"] = adjusted[explored.index(group)]
            notes.append(many)
        yield (
            row
            | _counts(case, members(case, group))
            | {
                "kind": "average",
                "group": group,
                "prespecified": "=" not in group,
                "note": joined([n for n in notes if n]),
            }
        )


def _projections(plan: Plan, case: Signals) -> Iterator[Row]:
    """Give the projection among all, among women, among men, and the difference."""
    found = {"all": projected(plan, case, "all")}
    if case.both_genders:
        found |= {g: projected(plan, case, g) for g in GENDERS}
        columns = asked(plan, case, GAP)
        found[GAP] = gap(found["women"], found["men"], columns)
    for group, one in found.items():
        yield from _of_group(plan, case, group, one)


def _of_group(plan: Plan, case: Signals, group: str, one: Projected) -> Iterator[Row]:
    doubtful = one.effects is not None and bool(one.note)
    family = []
    if one.effects is not None and not doubtful and one.columns:
        family = [one.effects.pick(slice(1, None))]
    adjusted, many = _adjusted(plan, case, group, family)
    counts = _counts(case, members(case, group))
    for column in (None, *asked(plan, case, group)):
        row = _estimate(plan, one.of(column), doubtful)
        notes = [one.reasons.get(column, one.note) if column is not None else one.note]
        if family and column in one.columns:
            row["p_value_adjusted"] = adjusted[one.columns.index(column)]
            notes.append(many)
        gendered = column is not None and case.sources[column] == "gender"
        yield (
            row
            | counts
            | {
                "kind": "projection",
                "group": group,
                "term": "constant" if column is None else case.names[column],
                "prespecified": column is None or gendered,
                "note": joined([n for n in notes if n]),
            }
        )


def _tests(plan: Plan, case: Signals) -> Iterator[Row]:
    """Test that no covariate has a slope, and that levels of a group have the same effect."""
    for group in ("all", *(GENDERS if case.both_genders else ())):
        joint, why = _no_slopes(plan, case, group)
        yield _test(joint, why) | _counts(case, members(case, group)) | {"group": group}
    for name in plan.groups:
        levels = [g for g in case.groups if g.startswith(f"{name}=")]
        there = [g for g in levels if not too_few(case, case.groups[g])]
        among = np.zeros(case.m, dtype=bool)
        for g in there:
            among |= case.groups[g]
        lacking = len(levels) - len(there)
        notes = [note("levels_few", n=lacking)] if lacking else []
        joint, most = NOTHING, most_slopes(case, among)
        if len(there) < 2:
            notes.append(note("levels_one"))
        elif len(there) - 1 > most:
            notes.append(note("levels_many", n=len(there), most=most + 1))
        elif doubt := unsure(plan, case, among):
            notes.append(doubt)
        else:
            features = np.column_stack([case.groups[g] for g in there[1:]]).astype(float)
            joint = no_differences(case, features, among)
        yield _test(joint, joined(notes)) | _counts(case, among) | {"group": "all", "term": name}


def _no_slopes(
    plan: Plan, case: Signals, group: str, beside_gender: bool = False
) -> tuple[Joint, str]:
    """Test that no covariate has a slope in a group; or say why not."""
    among = members(case, group)
    columns, _ = slopes(case, among, asked(plan, case, "women" if beside_gender else group))
    most = most_slopes(case, among)
    why = too_few(case, among) or ("" if columns else note("slope_none"))
    if not why and len(columns) > most:
        why = note("slopes_many", n=len(columns), most=most)
    why = why or unsure(plan, case, among)
    if why:
        return NOTHING, why
    allowed = case.x[:, case.is_man] if beside_gender else None
    return no_differences(case, case.x[:, columns], among, allowed), ""


def _adjusted(
    plan: Plan, case: Signals, family: str, estimates: Sequence[Estimates]
) -> tuple[np.ndarray, str]:
    """Return p-values adjusted over a family, and a note where it is too large for that."""
    how = plan.analysis.multiplicity
    if not estimates or how == "none":
        return np.full(sum(len(e.value) for e in estimates), np.nan), ""
    whole = Estimates(
        np.concatenate([e.value for e in estimates]),
        np.hstack([e.scores for e in estimates]),
        np.concatenate([e.df for e in estimates]),
    )
    if len(whole.value) > MOST:
        return np.full(len(whole.value), np.nan), note("family_large", most=MOST)
    if how == "holm":
        return holm(whole.p_value), ""
    if how == "benjamini_hochberg":
        return benjamini_hochberg(whole.p_value), ""
    rng = generator(0, "conditional effects", case.outcome, case.arm, family)
    return romano_wolf(whole, DRAWS, rng), ""


def _estimate(plan: Plan, one: Estimates | None, doubtful: bool) -> Row:
    """Return the numbers of an estimate; the value alone where its error is in doubt."""
    if one is None:
        return {}
    if doubtful or not one.variance[0] > 0:
        return {"estimate": float(one.value[0])}
    low, high = one.interval(plan.analysis.level)
    return {
        "estimate": float(one.value[0]),
        "std_error": float(one.std_error[0]),
        "conf_low": float(low[0]),
        "conf_high": float(high[0]),
        "statistic": float(one.value[0] / one.std_error[0]),
        "df": float(one.df[0]),
        "p_value": float(one.p_value[0]),
    }


def _test(joint: Joint, why: str) -> Row:
    numbers: Row = {}
    if np.isfinite(joint.p_value):
        numbers = {
            "statistic": joint.statistic,
            "df": joint.df,
            "df_error": joint.df_error,
            "p_value": joint.p_value,
        }
    elif not why:
        why = note("joint_untested")
    return {"kind": "joint", "note": why} | numbers


def _counts(case: Signals, among: np.ndarray) -> Row:
    treated = int((among & case.treated).sum())
    n = int(among.sum())
    return {"n": n, "n_treated": treated, "n_control": n - treated}
