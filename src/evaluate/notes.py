"""Notes of rows, reasons of the flow, findings of checks: the report has each in its languages."""

from __future__ import annotations

from evaluate.note_texts import NOTES

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
    "had_started": "had started by time zero ({column})",
    "starts_after": "treated, but starts after time zero ({column})",
    "starts_later": "comparison, starts later ({column})",
    "control_started": "control, but with a day in {column}",
    "not_registered": "not registered on the day of the start ({column})",
    "never_at_risk": "comparison, not registered on any day when others start",
    "never_drawn": "comparison, registered on a day when others start, but not drawn",
    "added": "drawn as comparison in one more month",
    "nobody_at_risk": "nobody to compare with in the calendar month of the start",
    "dose_unknown": "dose {dose} not known: months {first} to {last} not observed whole",
    "measured_late": "{column} measured after time zero, taken as missing",
    "mostly_missing": "{column} missing for most",
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
    "clusters_drawn_single": "clusters: {by_arm}; 1 assignment possible",
    "persons_drawn_single": "persons: {by_arm}; 1 assignment possible",
    "by_gender_fixed": "share offered {women} among women, {men} among men; no draw within blocks "
    "would give other shares",
    "overlap": "left out by trimming: {trimmed_treated} of {treated} treated, {trimmed_control} of "
    "{control} compared",
    "overlap_outside": "outside the range of probabilities that both arms have: {outside} of "
    "{treated} treated; left out by trimming: {trimmed_treated} treated, {trimmed_control} of "
    "{control} compared",
    "model_logit": "logit: slope of calibration {slope}, level {level}, area under the curve {auc}",
    "model_boosting": "boosted trees: slope of calibration {slope}, level {level}, area under the "
    "curve {auc}",
    "effective_control": "the weights of {kept} persons compared are worth {effective} of equal "
    "weight; the largest is {largest} of them all",
    "effective_treated": "the weights of {kept} persons treated are worth {effective} of equal "
    "weight; the largest is {largest} of them all",
    "nobody_kept": "nobody is left after trimming",
    "smd": "{large} of {covariates} columns of covariates differ by more than 0.1 standard "
    "deviations, at most by {largest}",
    "no_weights": "no weights: {reason}",
    "prognosis": "the outcome predicted without treatment differs by {before} standard deviations "
    "before, by at most {after} after",
    "time_zero": "time zero {difference} days later for the treated than for those compared",
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
