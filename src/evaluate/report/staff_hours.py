"""Hours of staff in words: how many were reported, claimed, and cut by the limits of a claim."""

from __future__ import annotations

from evaluate.costs.records import has_records
from evaluate.report.released import Released
from evaluate.report.words import Words


def sentences(released: Released, words: Words) -> list[str]:
    """Say by role how many hours stand behind the costs, and which of them are not claimed.

    Nothing is said where there are no time reports, or costs do not rest on them.
    """
    costs, table = released.plan.costs, released.staff_hours
    if costs is None or table.empty or not has_records(released.plan):
        return []
    found = [words("costs.hours_lead")]
    numbers = [c for c in table.columns if c.startswith("hours_")]
    totals = table.groupby("role", sort=False)[numbers].sum(min_count=1)
    claim = costs.claim
    limits = {"month": claim.hours_a_month, "year": claim.hours_a_year}
    for role, hours in totals.iterrows():
        told = {name: _hours(hours[name], words) for name in numbers}
        if hours.isna().any():
            found.append(words("costs.hours_reported", role=str(role), **told))
            continue
        found.append(words("costs.hours_claimed", role=str(role), **told))
        for period, limit in limits.items():
            if hours[f"hours_above_{period}"] > 0:
                cut = told[f"hours_above_{period}"]
                most = _hours(limit, words)
                found.append(words(f"costs.hours_above_{period}", hours=cut, most=most))
    if claim.flat_rate is not None and totals["hours_claimed"].notna().any():
        found.append(words("costs.flat_rate", share=words.percent(claim.flat_rate)))
    return found


def _hours(value: float, words: Words) -> str:
    return words.number(value, 0 if float(value).is_integer() else 2)
