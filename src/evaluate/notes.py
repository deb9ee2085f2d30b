"""Notes of rows, reasons of the flow, findings of checks: the report has each in its languages."""

from __future__ import annotations

NOTES = {
    "constant": "not estimated: the outcome has one value only",
    "no_spread": "not estimated: the outcome does not vary within the arms",
    "few": "not estimated: fewer than two persons in one of the arms have the outcome",
    "few_clusters": "not estimated: fewer than two clusters in one of the arms have the outcome",
    "no_block": "not estimated: no block holds both arms",
    "no_gap": "not estimated: it needs an estimate for both women and men",
    "too_large": "not estimated: values too large to compute with, perhaps a code for missing",
    "no_test": "not tested: a group has no estimate",
    "no_takeup": "not estimated: the offer did not change who took part",
    "error": "not estimated: {reason}",
    "weak": "weak first stage (F = {f}): the interval is not reliable",
    "reversed": "the offer lowered the share who took part",
    "blocks": "{n} persons in blocks with one arm left out",
    "alone": "{n} persons alone in their block and arm take the pooled variance",
    "wild": "interval and p-value by the wild cluster bootstrap, {draws} patterns of weights",
    "few_patterns": "{n} clusters in an arm: too few to bootstrap, see the randomisation p-value",
    "every": "randomisation p-value over all {n} assignments",
    "fisher": "randomisation p-value by Fisher's exact test",
    "small_blocks": "{n} blocks hold one unit of an arm: variance between these blocks",
    "single": "{n} persons whom a covariate singles out are fitted exactly",
    "dropped": "covariates without variation of their own left out: {names}",
    "imputed": "{n} missing covariate values replaced by the mean",
    "shares": "the share offered differs between women and men (p {p}): gender is mixed in",
    "wald": "ratio of the effects of the offer on outcome and take-up, adjusted as {estimator}",
    "no_interval": "no interval: everybody has the same value",
    "nobody_at_risk": "not estimated: nobody is at risk any longer",
    "month_missing": "not estimated: month {month} has no estimate",
    "months": "months {first} to {last}",
    "persons_vary": "{low} to {high} persons by month, not quite the same in all",
    "assumed": "displacement is assumed, not estimated",
    "trimmed_offer": "trimmed among those offered, more of whom have the outcome",
    "trimmed_control": "trimmed among control, more of whom have the outcome",
    "trimmed_both": "trimmed among those offered in some cells, among control in others",
    "cells": "trimmed within {count} cells of a predicted outcome",
    "few_cells": "not estimated: too few persons to divide into cells",
    "no_cells": "not estimated: there are no covariates to divide persons by",
    "no_share": "not estimated: the outcome is not between 0 and 1",
    "equal_weights": "no covariates: all in an arm have the same weight of response",
    "cut": "{n} persons whose weight of response is held at {most}",
    "unconverged": "the model of response did not converge",
    "rounded": "rounded to {step}, so as not to tell fewer than {n} persons",
    "withheld": "withheld: fewer than {n} persons",
    "protects": "withheld: would give away a number of fewer than {n} persons",
}

REASONS = {
    "duplicate": "exact duplicate",
    "no_key": "person key missing",
    "unknown": "{criterion}: value missing",
    "unmet": "not met: {criterion}",
    "infinite": "{column} infinite, taken as missing",
    "not_randomised": "not randomised: no offer",
    "no_offer": "no valid offer",
    "already_offered": "already offered in an earlier wave",
    "offered_later": "control, offered in a later wave",
    "no_lottery": "no lottery: the probability of the offer is 0 or 1",
    "against_lottery": "another arm than a probability of 0 or 1 gives",
    "several_arms": "assigned to several arms",
    "later_offer": "later offer of the same arm",
    "later_arm": "later offer of another arm",
    "key_same": "old and new key the same",
    "key_circle": "keys that lead back to themselves",
    "key_conflict": "old key that leads to several new ones",
    "key_unclear": "person key unclear by the key table",
    "no_day": "{column} not a date",
    "no_day_missing": "{column} not a date, taken as missing",
    "early": "{column} before what the register covers",
    "late": "{column} after the extract date",
    "age": "age at the offer below {low} or above {high}",
    "code_unknown": "{column}: code not in the codebook {book}, taken as missing",
    "code_outside": "{column}: code outside its period in the codebook {book}, taken as missing",
    "missing": "{column} missing",
    "not_participant": "person not among the participants",
    "person_excluded": "person excluded from the study",
    "unreadable_day": "unreadable date",
    "negative": "ends before it starts",
    "after_extract": "after the extract date",
    "before_coverage": "before what the register covers",
    "covered": "all days in spells that take precedence",
    "shortened": "overlaps a spell that takes precedence: shortened",
    "closed_next": "no end: closed at the next entry",
    "closed_extract": "no end: closed at the extract date",
    "cut_coverage": "begins before what the register covers: cut",
    "cut_extract": "ends after the extract date: cut",
    "unnamed_state": "code in no named state",
    "unknown_code": "code not in the codebook {book}",
    "outside_period": "code outside its period in the codebook {book}",
    "no_zero": "person without a day in {column}",
    "before_offer": "before the offer",
    "before_start": "before the start",
    "unnamed_kind": "code in no named kind",
    "after_months": "after month {months}: not counted",
    "month_cut": "in a month that is not observed whole: not counted",
    "unreadable_period": "unreadable period",
    "first_period": "before the first whole period covered",
    "last_period": "after the last whole period covered",
    "not_number": "{column} not a number",
    "not_finite": "{column} infinite",
    "below_zero": "{column} below zero",
    "earlier": "{column} before {other}",  # last, for much has this form
}

FINDINGS = {
    "no_share": "share offered {actual}; the plan states no assignment.share to compare it with",
    "ratio": "share assigned {actual}, stated {expected}",
    "ratio_clusters": "share of clusters assigned {actual}, stated {expected}",
    "by_gender": "share offered {women} among women, {men} among men",
    "withheld": "withheld",
    "one_arm": "only one arm has persons",
    "joint": "{covariates} covariate columns at once, {draws} assignments drawn",
    "attrition": "outcome missing: {by_arm}",
    "attrition_arm": "nobody in arm {arm} has the outcome; missing: {by_arm}",
    "placebo": "mean before the offer: {by_arm}",
    "months_before": "{months} months before the offer at once",
    "offer_day": "day of the offer {difference} days later for those offered than for control, "
    "within blocks; at most {span} days between the first and the last offer of a block",
    "one_day": "one day of the offer in each block",
    "early_start": "started before the offer: {by_arm}",
    "places": "share assigned {actual}, by the places {expected}",
    "places_clusters": "share of clusters assigned {actual}, by the places {expected}",
    "places_all": "{differing} of {cells} cells of the lottery with another number of offers "
    "than places",
    "by_rule": "stated probability and that by the rule differ by at most {widest}; by more than "
    "0.001 for {n} persons",
    "by_rule_one": "stated probability and that by the rule differ by at most {widest}; by more "
    "than 0.001 for 1 person",
    "within": "the same probability of the offer for all in a block",
    "within_differ": "the probability of the offer differs within {differ} of {blocks} blocks, by "
    "at most {widest}: blocks must be the cells of the lottery, or persons be weighted by its "
    "inverse",
    "within_weighted": "the probability of the offer differs within {differ} of {blocks} blocks, "
    "by at most {widest}; the weight is its inverse",
    "clusters_drawn_many": "clusters: {by_arm}; more than 1,000,000 assignments possible",
    "clusters_drawn": "clusters: {by_arm}; {number} assignments possible",
    "persons_drawn": "persons: {by_arm}; {number} assignments possible",
    "one_arm_blocks": "{lacking} of {blocks} blocks lack an arm: {n} persons, whom fixed effects "
    "keep and block-weighted estimates leave out",
    "one_arm_blocks_one": "{lacking} of {blocks} blocks lack an arm: 1 person, whom fixed effects "
    "keep and block-weighted estimates leave out",
}


def finding(kind: str, **values: object) -> str:
    """Return the text of a check of the design with its values; of one person in the singular."""
    if str(values.get("n")) == "1" and f"{kind}_one" in FINDINGS:
        kind = f"{kind}_one"
    return FINDINGS[kind].format(**values)


def reason(kind: str, **values: object) -> str:
    """Return the reason of a decision in the flow with its values."""
    return REASONS[kind].format(**values)


def note(kind: str, **values: object) -> str:
    """Return a note with its values."""
    return NOTES[kind].format(**values)


def joined(notes: list[str]) -> str:
    """Return notes as one cell, each once."""
    return "; ".join(dict.fromkeys(notes))
