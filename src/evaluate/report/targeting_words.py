"""What rules of who is offered a place would mean, in sentences and tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report.benefits_tables import Grid, Line, absent, level_told
from evaluate.report.policy_tree_figure import whole
from evaluate.report.released import Released, records
from evaluate.report.scales import unit_of
from evaluate.report.words import DASH, Words

LEARNED = ("highest_predicted", "tree")  # how names of rules that were learned begin
LEADS = ("random", "no_one")  # what rules are compared with first
AGAINST = ("no_one", "everyone", "present", "random")


def is_learned(policy: str) -> bool:
    """Tell whether a rule was learned from the data."""
    return policy.startswith(LEARNED)


def rule_title(policy: str, words: Words) -> str:
    """Return what a rule is called."""
    if words.knows(f"benefits.policy.{policy}"):
        return words(f"benefits.policy.{policy}")
    return words("benefits.policy.only", group=words.group(policy))


def shown_policies(rows: pd.DataFrame, found: bool) -> pd.DataFrame:
    """Return the rules that are shown: learned ones only where differences were found."""
    learned = rows["policy"].astype(str).map(is_learned).astype(bool)
    return rows if found else rows[~learned]


def sentences(rows: pd.DataFrame, verdict: str, better: str, words: Words) -> list[str]:
    """Say what the rules of one outcome, month and arm would mean.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.POLICIES` that are shown.
    verdict : {"found", "not found", "not assessed"}
        Whether there are differences that a rule could go by.
    better : {"higher", "lower"}
        Which values of the outcome are.
    words : Words
        The language.
    """
    found = []
    capacity = capacity_of(rows)
    if capacity is not None:
        found.append(_capacity(capacity, rows, words))
    if verdict != "found":
        end = "" if verdict == "not found" else "_not_assessed"
        found.append(words(f"benefits.only_simple{end}"))
    if rows["gain"].notna().any():
        found.append(words(f"benefits.better.{better}"))
    for row in _rows(rows, "everyone", "no_one"):
        found.append(words("benefits.everyone_worth", **_gain(row, words)) + _net(row, words))
    for policy in dict.fromkeys(rows["policy"]):
        if is_learned(str(policy)):
            for row in _rows(rows, str(policy), "random"):
                told = [_compared(row, words) + _net(row, words), _places(row, rows, words)]
                told.append(_than_present(rows, str(policy), words))
                found.append(" ".join(text for text in told if text))
    if rows["net_gain"].isna().all() and rows["cost_difference"].notna().any():
        found.append(words("benefits.no_value"))
    return [text for text in found if text]


def capacity_of(rows: pd.DataFrame) -> float | None:
    """Return the share of the persons there are places for, if it is told."""
    known = rows["capacity"].dropna()
    return float(known.iloc[0]) if len(known) else None


def _capacity(capacity: float, rows: pd.DataFrame, words: Words) -> str:
    """Say how many places there are, and which rules give more than that."""
    if capacity >= 1:
        return words("benefits.capacity_all")
    more = [words("benefits.policy.everyone")]
    given = rows.loc[rows["policy"] == "present", "share_treated"].dropna()
    if len(given) and given.iloc[0] > capacity + 5e-4:  # as printed, not to rounding
        more.append(words("benefits.policy.present"))
    share = words.percent(round(capacity, 3))
    named = dict(zip("ab", more, strict=False))
    return words(f"benefits.capacity_{len(more)}", share=share, **named)


def _rows(rows: pd.DataFrame, policy: str, against: str) -> list[dict[str, Any]]:
    """Return the row of a rule against another, if it has a value."""
    chosen = rows[(rows["policy"] == policy) & (rows["against"] == against)]
    return records(chosen.dropna(subset=["gain", "conf_low", "conf_high"])[:1])


def _gain(row: dict[str, Any], words: Words) -> dict[str, str]:
    unit, error = str(row["unit"]), row["std_error"]
    return {
        "gain": words.effect(row["gain"], unit, error),
        "level": words.percent(row["level"]),
        "interval": words.interval(row["conf_low"], row["conf_high"], unit, error),
    }


def _compared(row: dict[str, Any], words: Words) -> str:
    side = "above" if row["conf_low"] > 0 else "below" if row["conf_high"] < 0 else "open"
    return words(
        "benefits.against",
        rule=rule_title(str(row["policy"]), words),
        against=rule_title(str(row["against"]), words),
        reading=words(f"benefits.reading.{side}"),
        **_gain(row, words),
    )


def _amount(value: float, words: Words) -> str:
    """Return an amount of money, less than a hundredth as nothing."""
    return words.number(0.0 if abs(value) < 0.01 else value)


def _net(row: dict[str, Any], words: Words) -> str:
    """Say a gain net of cost, after a space; nothing where it is not known."""
    if pd.isna(row["net_gain"]) or pd.isna(row["net_low"]):
        return ""
    net = words.money(row["net_gain"], str(row["currency"]))
    ends = {end: _amount(row[f"net_{end}"], words) for end in ("low", "high")}
    return " " + words("benefits.net", net=net, interval=words("unit.interval", **ends))


def _than_present(rows: pd.DataFrame, policy: str, words: Words) -> str:
    """Say a rule's gain over the present places, of which there may be more or fewer."""
    for row in _rows(rows, policy, "present"):
        for now in records(rows[rows["policy"] == "present"].dropna(subset=["share_treated"])[:1]):
            if pd.isna(row["share_treated"]):
                return ""
            shares = {"share": row["share_treated"], "share_now": now["share_treated"]}
            told = {name: whole(share, words) for name, share in shares.items()}
            return words("benefits.than_present", **told, **_gain(row, words))
    return ""


def _places(row: dict[str, Any], rows: pd.DataFrame, words: Words) -> str:
    """Say how many women and men would have a place, and have one now."""
    shares = {"women": row["share_treated_women"], "men": row["share_treated_men"]}
    if any(pd.isna(share) for share in shares.values()):
        return ""
    told = {name: whole(share, words) for name, share in shares.items()}
    for now in records(rows[rows["policy"] == "present"]):
        present = {f"{g}_now": now[f"share_treated_{g}"] for g in ("women", "men")}
        if not any(pd.isna(share) for share in present.values()):
            told |= {name: whole(share, words) for name, share in present.items()}
            return words("benefits.places_meant", **told)
    return words("benefits.places", **told)


def rules_grid(rows: pd.DataFrame, released: Released, words: Words) -> Grid | None:
    """Return a row per rule: places, and gain over as many at random and over no one.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.POLICIES` that are shown, of one outcome, month and arm.
    released, words : Released, Words
        The tables; the language.
    """
    if rows.empty:
        return None
    unit, error, currency = _scale(rows)
    genders = bool(rows["share_treated_women"].notna().any())
    has_net = bool(rows["net_gain"].notna().any())
    shown = rows[rows["against"].isin(LEADS)]
    notes = released.notes(shown)
    lines = []
    for policy, own in rows.groupby("policy", sort=False):
        by = {row["against"]: row for row in records(own)}
        first = next(iter(by.values()))
        random, nobody = (by.get(against) for against in LEADS)
        cells = [*_shares(first, genders, words), _gained(random, unit, error, words)]
        cells += [_net_cell(random, words)] if has_net else []
        cells.append(_gained(nobody, unit, error, words))
        marks = sorted({m for row in (random, nobody) if row for m in released.marks(row, notes)})
        lines.append(Line(_named(str(policy), first, words), tuple(cells), marks))
    by_lot, no_one = (rule_title(against, words) for against in LEADS)
    drawn = unit_of(unit, words)[1]
    head = [words(f"benefits.column.{c}") for c in ("rule", "places")]
    genders_of = ("places_women", "places_men", "women_among") if genders else ()
    head += [words(f"benefits.column.{c}") for c in genders_of]
    head.append(words("benefits.column.gain_over", against=by_lot, unit=drawn))
    if has_net:
        head.append(words("benefits.column.net_over", against=by_lot, unit=currency))
    head.append(words("benefits.column.gain_over", against=no_one, unit=drawn))
    return Grid(tuple(head), lines, notes)


def comparisons_grid(rows: pd.DataFrame, released: Released, words: Words) -> Grid | None:
    """Return gain, cost and net of each rule, a part of the table per comparison.

    Parameters
    ----------
    rows, released, words : DataFrame, Released, Words
        As of `rules_grid`.
    """
    unit, error, currency = _scale(rows)
    has_net = bool(rows["net_gain"].notna().any())
    has_cost = bool(rows["cost_difference"].notna().any())
    notes, lines = released.notes(rows), []
    for against in AGAINST:
        part = words("benefits.compared_with", against=rule_title(against, words))
        for row in records(rows[rows["against"] == against]):
            cells = [_gained(row, unit, error, words)]
            if has_cost:
                cells.append(_amount(row["cost_difference"], words))
                cells.append(words.number(row["cost_per_unit"]))
            if has_net:
                cells.append(_net_cell(row, words))
            name = _named(str(row["policy"]), row, words)
            lines.append(Line(name, tuple(cells), released.marks(row, notes), part))
            part = ""
    head = [words("benefits.column.rule")]
    head.append(words("benefits.column.gain", unit=unit_of(unit, words)[1]))
    if has_cost:
        head.append(words("benefits.column.cost", unit=currency))
        head.append(words("benefits.column.per_unit", unit=currency))
    if has_net:
        head.append(words("benefits.column.net", unit=currency))
    return Grid(tuple(head), lines, notes) if lines else None


def _scale(rows: pd.DataFrame) -> tuple[str, float, str]:
    """Return the unit, the least standard error above zero, and the currency."""
    units, currencies = rows["unit"].dropna(), rows["currency"].dropna()
    error = float(rows["std_error"][rows["std_error"] > 0].min())
    return (
        str(units.iloc[0]) if len(units) else "",
        error,
        str(currencies.iloc[0]) if len(currencies) else "",
    )


def _named(policy: str, row: dict[str, Any], words: Words) -> str:
    """Return the name of a rule; one that was learned says whether it goes by gender."""
    title = rule_title(policy, words)
    if is_learned(policy) and not pd.isna(row["uses_gender"]) and row["uses_gender"]:
        return f"{title} ({words('benefits.uses_gender')})"
    return title


def _shares(row: dict[str, Any], genders: bool, words: Words) -> list[str]:
    """Return who would have a place."""
    columns = ["share_treated"]
    if genders:
        columns += ["share_treated_women", "share_treated_men", "women_among_treated"]
    withheld = words("page.withheld") if pd.isna(row["n"]) else DASH
    if row["policy"] == "no_one":
        withheld = DASH
    return [withheld if pd.isna(row[c]) else level_told(row, c, "share", words) for c in columns]


def _gained(row: dict[str, Any] | None, unit: str, error: float, words: Words) -> str:
    """Return a gain, its interval on a line of its own; a dash against itself."""
    if row is None:
        return DASH
    if pd.isna(row["gain"]):
        return absent(row, words)
    gain = words.effect(row["gain"], unit, error, with_unit=False)
    if pd.isna(row["conf_low"]):
        return gain
    return f"{gain}\n({words.interval(row['conf_low'], row['conf_high'], unit, error)})"


def _net_cell(row: dict[str, Any] | None, words: Words) -> str:
    if row is None or pd.isna(row["net_gain"]):
        return DASH
    net = _amount(row["net_gain"], words)
    if pd.isna(row["net_low"]):
        return net
    ends = {end: _amount(row[f"net_{end}"], words) for end in ("low", "high")}
    return f"{net}\n({words('unit.interval', **ends)})"
