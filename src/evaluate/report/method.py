"""How the numbers were made, and what a reader must not read into them."""

from __future__ import annotations

from evaluate.plan.support import unused
from evaluate.report import observational_method
from evaluate.report.inference import estimators, has_adjusted, p_values, standard_errors
from evaluate.report.registers import books
from evaluate.report.released import Released
from evaluate.report.words import Words


def method(released: Released, words: Words) -> list[str]:
    """Say how the numbers were made."""
    if released.plan.is_observational:
        return observational_method.method(released, words)
    plan = released.plan
    found = [f"{words('method.design')} {estimators(released, words)}"]
    if plan.columns.blocks:
        blocks = ", ".join(map(words.covariate, plan.columns.blocks))
        found.append(words("method.blocks", blocks=blocks))
    for estimator in plan.estimators:
        kind = words(f"kind.{plan.std_error_of(estimator)}")
        by_cluster = estimator == "difference_in_means" and plan.columns.clustered
        suffix = "_clusters" if by_cluster else ""
        found.append(words(f"method.{estimator}{suffix}", kind=kind))
    fitted = [e for e in plan.estimators if e != "difference_in_means"]
    if len(released.arms) > 1 and fitted:
        key = "lin" if "lin" in fitted and plan.covariates else "others"
        found.append(words(f"method.several_arms_{key}"))
    if plan.covariates:
        names = ", ".join(words.covariate(c.column) for c in plan.covariate_list)
        found.append(words("method.covariates", names=names))
        found.append(
            words(
                "method.imputed"
                if plan.analysis.missing_covariates == "impute"
                else "method.dropped"
            )
        )
        draws = words.number(plan.analysis.permutations, 0)
        key = "permutation_blocks" if plan.columns.blocks else "permutation"
        found.append(words(f"method.{key}", draws=draws))
    found += [standard_errors(released, words), *p_values(released, words)]
    if plan.columns.weight:
        found.append(words("method.weights", weight=plan.columns.weight))
    if plan.columns.takeup:
        found.append(words("method.wald"))
    if plan.columns.both_genders:
        found.append(words("method.gap"))
        if plan.analysis.slopes == "shared":
            found.append(words("method.gap_shared"))
    if released.has_shares:
        found.append(words("method.shares"))
    found.append(words("method.missing_outcomes"))
    if len(released.paths):
        found.append(words("method.bands"))
    if len(released.incidence):
        found.append(words("method.incidence"))
    if plan.costs:
        found.append(words("method.fieller"))
    return found


def limits(released: Released, words: Words) -> list[str]:
    """Say what a reader must not read into the numbers."""
    plan, rows = released.plan, len(released.disclosure["withheld"])
    least = released.disclosure["min_cell"]
    flow = released.main_flow
    analysed = flow.loc[flow["step"] == "analysed", "n"]
    included = released.flow.loc[released.flow["step"] == "included", "n"]
    net = not released.has_shares  # otherwise displacement is estimated
    stated = {
        "simulated": plan.simulated,
        "short": True,
        "shares": released.has_shares,
        "displacement": net and released.net_effects.empty,
        "displacement_assumed": net and not released.net_effects.empty,
        "no_takeup": plan.columns.takeup is None and not plan.is_observational,
        "gender_mixed": released.mixes_gender,
        "attrition": bool((analysed.dropna() < included.dropna().sum()).any()),
        "cost_figure": bool(plan.costs and plan.costs.amount is not None),
        "multiplicity": not has_adjusted(released),
        "multiplicity_adjusted": has_adjusted(released),
        "not_locked": True,
    }
    own = observational_method.limits(released, words) if plan.is_observational else []
    found = own + [words(f"limits.{key}") for key, holds in stated.items() if holds]
    if open_books := [book.name for book in books(released, words) if book.is_open]:
        found.append(words("limits.codebooks", names=", ".join(dict.fromkeys(open_books))))
    if rows:
        found.append(words("limits.withheld", n=rows, min=least))
        of_sites = [e for e in released.disclosure["withheld"] if e["table"] == "costs_by_site"]
        if any("per cent" in entry["reason"] for entry in of_sites):
            share = words.percent(released.disclosure["dominance"]["percent"] / 100)
            found.append(words("limits.withheld_dominance", percent=share))
    else:
        found.append(words("limits.nothing_withheld", min=least))
    if keys := unused(plan):
        found.append(words("limits.unused", keys=", ".join(keys)))
    return found
