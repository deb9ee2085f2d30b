"""Notes of a row and reasons of the flow; the report knows each in its languages."""

from __future__ import annotations

NOTES = {
    "constant": "not estimated: the outcome has one value only",
    "no_spread": "not estimated: the outcome does not vary within the arms",
    "few": "not estimated: fewer than two persons in one of the arms have the outcome",
    "no_block": "not estimated: no block holds both arms",
    "no_gap": "not estimated: it needs both women and men",
    "no_test": "not tested: a group has no estimate",
    "no_takeup": "not estimated: the offer did not change who took part",
    "error": "not estimated: {reason}",
    "weak": "weak first stage (F = {f}): the interval is not reliable",
    "blocks": "{n} persons in blocks with one arm left out",
    "alone": "{n} persons alone in their block and arm take the pooled variance",
    "dropped": "covariates without variation of their own left out: {names}",
    "imputed": "{n} missing covariate values imputed, with indicators",
    "shares": "the share offered differs between women and men (p {p}): gender is mixed in",
    "wald": "ratio of the effects of the offer on outcome and take-up, adjusted as {estimator}",
    "withheld": "withheld: fewer than {n} persons",
}

REASONS = {
    "duplicate": "exact duplicate",
    "no_key": "person key missing",
    "unknown": "{criterion}: value missing",
    "unmet": "not met: {criterion}",
    "infinite": "{column} infinite, taken as missing",
    "missing": "{column} missing",
}


def reason(kind: str, **values: object) -> str:
    """Return the reason of a decision in the flow with its values."""
    return REASONS[kind].format(**values)


def note(kind: str, **values: object) -> str:
    """Return a note with its values."""
    return NOTES[kind].format(**values)


def joined(notes: list[str]) -> str:
    """Return notes as one cell, each once."""
    return "; ".join(dict.fromkeys(notes))
