"""Which standard errors and which p-values, and why, in sentences."""

from __future__ import annotations

import pandas as pd

from evaluate.design.assignments import FEWEST, MOST_CELLS
from evaluate.report.released import Released
from evaluate.report.words import Words
from evaluate.study import FEW_IN_AN_ARM

FEW_CLUSTERS = 20  # fewer are few by any count: Cameron and Miller (2015) say 20 to 50
VERY_FEW_CLUSTERS = 10
ADJUSTED = ("lin", "ancova")  # randomisation tests of what covariates leave


def brief(released: Released, words: Words) -> list[str]:
    """Say in short which errors and p-values stand in the tables; the method says why."""
    found = [*_errors(released, words)]
    if released.plan.analysis.interval == "wild_bootstrap":
        found.append(words("inference.brief.wild"))
    found.append(words("inference.brief.p"))
    if has_randomisation(released):
        how, times = _drawing(released, words)
        found.append(words("inference.brief.p_randomisation", how=how, times=times))
    if has_adjusted(released):
        by = words(f"inference.adjustment.{released.plan.analysis.multiplicity}")
        found.append(words("inference.brief.p_adjusted", n=family_size(released), by=by))
    found.append(words("inference.brief.more"))
    return found


def _errors(released: Released, words: Words) -> list[str]:
    """Say which standard errors there are, and whether plan or design chose them."""
    plan = released.plan
    kind = plan.std_error_of(released.lead)
    unit = "clusters" if plan.columns.cluster else "waves" if plan.columns.clustered else "persons"
    unit = "shares" if released.has_shares else unit
    values = {"kind": words(f"kind.{kind}"), "column": plan.columns.cluster or ""}
    found = [words(f"inference.unit.{unit}", **values)]
    if plan.analysis.std_error is None:
        return [*found, words("inference.by_design")]
    left_out = plan.analysis.model_copy(update={"std_error": None})
    usual = plan.model_copy(update={"analysis": left_out}).std_error_of(released.lead)
    key = "by_plan_same" if kind == usual else "by_plan"
    return [*found, words(f"inference.{key}", usual=words(f"kind.{usual}"))]


def standard_errors(released: Released, words: Words) -> str:
    """Say what the standard errors are, and why these."""
    plan = released.plan
    kind = plan.std_error_of(released.lead)
    found = [*_errors(released, words), words(f"inference.kind.{kind}")]
    others = [plan.std_error_of(e) for e in plan.estimators[1:]]
    if plan.is_observational:
        said = (words(f"inference.kind.{k}") for k in dict.fromkeys(others) if k != kind)
        return " ".join([*found, *said])
    if "neyman" in others and kind != "neyman":
        found.append(words("inference.kind.neyman_beside"))
    if plan.analysis.interval == "wild_bootstrap":
        found.append(words("inference.wild"))
    return " ".join(found)


def few_clusters(released: Released, words: Words) -> str:
    """Warn of few clusters; empty where there are enough, or no clusters."""
    plan, n = released.plan, clusters(released)
    if n is None or n >= FEW_CLUSTERS or not plan.columns.cluster:
        return ""
    found = [words("inference.few_arms" if len(released.arms) > 1 else "inference.few", n=n)]
    if plan.analysis.interval == "wild_bootstrap":
        found.append(words("inference.few_wild"))
        if n < VERY_FEW_CLUSTERS:
            found.append(words("inference.very_few_wild"))
        fewest = clusters_of_an_arm(released)
        if fewest is not None and fewest <= FEW_IN_AN_ARM:
            found.append(words("inference.few_in_an_arm", n=fewest))
        return " ".join(found)
    kind = plan.std_error_of(released.lead)
    found.append(words("inference.few_cr2" if kind == "CR2" else "inference.few_other"))
    if n < VERY_FEW_CLUSTERS:
        found.append(words("inference.very_few"))
    return " ".join(found)


def clusters_of_an_arm(released: Released) -> int | None:
    """Return how many clusters the arm with the fewest of them has, where that is released."""
    checks = released.design_checks
    chosen = (checks["check"] == "assignments") & (checks["group"] == "all")
    fewest = checks.loc[chosen, "statistic"].dropna()
    return int(fewest.min()) if len(fewest) and released.plan.columns.cluster else None


def clusters(released: Released) -> int | None:
    """Return the least number of clusters behind a released effect on all, if there are any."""
    rows = released.effects
    rows = rows[(rows["group"] == "all") & (rows["estimand"] != "late")]
    n = rows.loc[rows["estimator"] == released.lead, "n_clusters"].dropna()
    return int(n.min()) if len(n) else None


def estimators(released: Released, words: Words) -> str:
    """Say why the lead estimator is the one that it is."""
    plan = released.plan
    name = words(f"estimator.{released.lead}")
    if plan.analysis.estimators:
        return words("inference.estimator.plan", estimator=name)
    if plan.is_observational:
        return words("inference.estimator.observational", estimator=name)
    design = "clusters" if plan.columns.clustered else "persons"
    known = "covariates" if plan.covariates else "none"
    if known == "covariates" and plan.columns.clustered and not plan.columns.cluster:
        design = "waves"
    if plan.covariates and design == "persons" and released.lead != "lin":
        known = released.lead  # what the blocks can carry, see `design.default_estimators`
    return words(f"inference.estimator.{design}_{known}", estimator=name)


def p_values(released: Released, words: Words) -> list[str]:
    """Say what each of the p-values tests, and how it is made."""
    plan = released.plan
    wild = plan.analysis.interval == "wild_bootstrap" and plan.columns.clustered
    found = [words("inference.p_wild" if wild else "inference.p_t")]
    if has_randomisation(released):
        how, times = _drawing(released, words)
        told = [words("inference.p_randomisation", how=how, times=times)]
        if released.lead in ADJUSTED and plan.covariates:
            told.append(words("inference.p_residuals"))
        if plan.columns.both_genders:
            told.append(words("inference.p_gap"))
        found.append(" ".join(told))
    how_adjusted, family = plan.analysis.multiplicity, family_size(released)
    if how_adjusted == "none":
        found.append(words("inference.p_unadjusted"))
    elif family > 1:
        found.append(words(f"inference.p_{how_adjusted}", n=family))
    elif family == 1:
        found.append(words("inference.p_alone"))
    return found


def has_randomisation(released: Released) -> bool:
    """Tell whether there are p-values by randomisation."""
    return bool(released.effects["p_value_randomisation"].notna().any())


def _drawing(released: Released, words: Words) -> tuple[str, str]:
    """Return what is drawn anew, and how often."""
    plan = released.plan
    within = "blocks" if plan.columns.strata else "all"
    unit = "clusters" if plan.columns.cluster else "persons"
    asked, least = plan.analysis.permutations, _draws(released)
    key = "inference.times" if least == asked else "inference.times_at_least"
    how = words(f"inference.drawn.{unit}_{within}")
    return how, words(key, draws=words.number(least, 0))


def _draws(released: Released) -> int:
    """Return how many assignments were drawn at least; they are fewer in very large studies."""
    asked = released.plan.analysis.permutations
    persons = released.effects["n"].max()
    if released.plan.columns.cluster or pd.isna(persons):
        return asked
    return asked if int(persons) * asked <= MOST_CELLS else min(asked, FEWEST)


def family_size(released: Released) -> int:
    """Return how many tests of primary outcomes are adjusted together, for all."""
    rows = released.effects
    rows = rows[(rows["role"] == "primary") & (rows["group"] == "all")]
    rows = rows[(rows["estimand"] != "late") & (rows["estimator"] == released.lead)]
    return int((rows["arm"].isin(released.arms) & rows["estimate"].notna()).sum())


def has_adjusted(released: Released) -> bool:
    """Tell whether adjusted p-values say more than others: of several primary outcomes."""
    return family_size(released) > 1 and released.plan.analysis.multiplicity != "none"
