"""What the sections `analysis.heterogeneity` and `analysis.targeting` name must be in the plan."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from evaluate.plan.model import Plan


def heterogeneity_faults(plan: Plan) -> Iterator[str]:
    """Find names of outcomes, covariates and groups that are not there.

    Yields
    ------
    str
        Key, name and the nearest known one.
    """
    heterogeneity, targeting = plan.analysis.heterogeneity, plan.analysis.targeting
    covariates = [c.column for c in plan.covariate_list]
    before = [f"{k} before" for k, o in plan.outcomes.items() if o.baseline is not None]
    gender = ["gender"] if plan.columns.both_genders else []
    at = "analysis.heterogeneity"
    effects = [k for k, o in plan.outcomes.items() if o.role != "placebo"]
    for name in heterogeneity.outcomes or []:
        if name in plan.outcomes and name not in effects:
            yield (
                f"{at}.outcomes: `{name}` is a placebo, on which nothing can have an effect. "
                f"Outcomes: {', '.join(effects) or 'none'}."
            )
        else:
            yield from _unknown(f"{at}.outcomes", name, effects, "an outcome", "Outcomes")
    known = [*covariates, *before, *gender]
    what = "a covariate" + (" nor `gender`" if gender else "")
    yield from _all(f"{at}.covariates", heterogeneity.covariates, known, what, "Covariates")
    known = list(dict.fromkeys([*covariates, *before, *plan.columns.strata, *plan.groups]))
    what = "a covariate, a block nor a group"
    yield from _all(f"{at}.composition", heterogeneity.composition, known, what, "Known names")
    at = "analysis.targeting"
    if "gender" in (targeting.covariates or []) and "gender" not in covariates:
        yield (
            f"{at}.covariates: `gender` is left out: every rule is tried with it and without. "
            "Name covariates alone."
        )
    named = [c for c in targeting.covariates or [] if c != "gender"]
    yield from _all(f"{at}.covariates", named, [*covariates, *before], "a covariate", "Covariates")
    yield from _all(f"{at}.value", list(targeting.value), effects, "an outcome", "Outcomes")


def _all(
    key: str, names: Sequence[str] | None, known: Sequence[str], what: str, list_of: str
) -> Iterator[str]:
    for name in names or []:
        yield from _unknown(key, name, known, what, list_of)


def _unknown(key: str, name: str, known: Sequence[str], what: str, list_of: str) -> Iterator[str]:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean `{near[0]}`?" if near else f"{list_of}: {', '.join(known) or 'none'}."
    neither = "is neither" if " nor " in what else "is not"
    yield f"{key}: `{name}` {neither} {what}. {hint}"
