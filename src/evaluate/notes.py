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
    "nobody_predicted": "not estimated: nobody's effect could be predicted",
    "with_beyond": "with those beyond it",
    "forest_drawn": "forest grown on at most {n} persons, drawn at random for each fold",
    "hardly_differ": "predictions hardly differ: no coefficient",
    "few_to_learn": "not looked into: {treated} persons treated and {control} compared, and "
    "differences are learned from {least} of each or more",
    "few_clusters_to_learn": "not looked into: {n} clusters, and differences are learned from "
    "{least} or more",
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
    "raw": "raw comparison of all, not adjusted",
    "trimmed": "left out by trimming: {treated} persons treated, {control} persons compared",
    "clipped": "{n} persons whose probability of treatment is held at {bounds}",
    "pruned": "{n} persons without a match in reach left out",
    "worth": "the weights of those compared are worth {n} persons",
    "worth_both": "the weights are worth {treated} persons treated, {control} persons compared",
    "without_likes": "no interval: {n} persons the effect is about, more than 1 in {most}, have a "
    "probability of treatment within 0.01 of 0 or 1",
    "worth_few": "no interval: weights worth fewer than {n} persons",
    "larger_error": "standard error as with known probabilities of treatment, where that is larger",
    "weights_given": "standard error takes the weights as given",
    "learner_linear": "outcome predicted by linear regression",
    "learner_logistic": "outcome predicted by logistic regression",
    "learner_boosting": "outcome predicted by boosted trees",
    "drawn": "among {n} persons drawn at random",
    "no_ratio": "not estimated: no ratio can be formed",
    "explains_nothing": "explains nothing of the treatment or nothing of the outcome",
    "too_strong": "nothing can be that many times as strong",
    "mcnemar": "pairs, by McNemar's test",
    "signed_rank": "pairs, by Wilcoxon's signed rank test",
    "verdict_no_lead": "the lead estimate is missing",
    "verdict_no_placebo": "no placebo outcome was named",
    "verdict_placebo_missing": "no placebo outcome has an estimate",
    "verdict_placebo_weak": "the interval of {names} holds a bias as large as the effect",
    "verdict_no_hidden": "hidden factors could not be assessed",
    "verdict_one_estimator": "no second adjusted estimator has an estimate",
    "verdict_robust": "the placebo {names} excludes a bias as large as the effect",
    "verdict_placebo": "the placebo {names} differs from zero by {estimator}",
    "verdict_pre_trend": "the trends differed before the start",
    "verdict_unsettled": "the interval holds zero: nothing is established",
    "verdict_estimators_sign": "the sign is another by {estimator}",
    "verdict_estimators_apart": "the estimate differs by more than chance by {estimator}",
    "verdict_trims_sign": "the sign is another with trimming {names}",
    "verdict_trims_apart": "the estimate differs by more than chance with trimming {names}",
    "verdict_models_sign": "the sign is another with propensities by {names}",
    "verdict_models_apart": "the estimate differs by more than chance with propensities by {names}",
    "verdict_hidden": "a hidden factor as strong as {names} would undo it",
    "verdict_refuted": "refuters warn: {names}",
    "verdict_unlike": "more than 10 per cent of the treated are outside the common support",
    "verdict_trimmed": "more than 10 per cent of the treated are trimmed",
    "verdict_unbalanced": "covariates still differ after weighting: {names}",
    "verdict_few": "the comparison rests on few persons",
    "verdict_unclosed": "the covariates leave a backdoor path of the graph open",
    "verdict_contradicted": "the data contradict the graph",
    "verdict_attrition": "the arms differ in who has the outcome",
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
    "no_month_before": "not estimated: no month before the start",
    "small_cohort": "not estimated: fewer than {n} persons start in the months of the cohort",
    "no_controls": "not estimated: nobody is left who has not started",
    "few_with_both": "not estimated: fewer than {n} persons with both months in the cohort or "
    "among controls",
    "base_month": "the month that the others are compared with",
    "some_cohorts": "{n} of {all} cohorts of start",
    "small_cohorts": "{n} persons in cohorts of start that are not estimated",
    "no_start": "{n} persons of the arm without a month of start left out",
    "quarters": "starts and months joined to quarters: that of the start is in part before it",
    "no_time_zero": "not estimated: the calendar month of time zero or of the start is not known",
    "no_months": "not estimated: it needs the outcome in months before and after the start",
    "no_pre_trend": "not tested: one month before the start alone",
    "few_for_test": "not tested: more months before the start than the persons can tell apart",
    "genders_together": "women and men fitted together: {reason}",
    "gender_unknown": "{n} persons of unknown gender by a model of everybody",
    "no_splines": "covariates linear: too few persons in the smaller arm for curves",
    "ridge": "{n} of {of} fits of the logit held by a light ridge",
    "nobody_kept": "nobody is left after trimming",
    "no_support": "the two arms share no range of the probability of treatment",
    "trimmed_some": "some persons left out by trimming, or held at a bound, or without a match",
    "numbers_withheld": "numbers of persons withheld, and what would tell them rounded",
    "rounded": "rounded to {step}, so as not to tell fewer than {n} persons",
    "no_dose": "not estimated: no dose is named, neither columns.takeup nor a column or "
    "activities under doses",
    "dose_left_out": "{n} persons whose dose is not known left out",
    "dose_same": "not estimated: the programme did not change the dose",
    "dose_weak": "no interval: the programme changed the dose too little (F = {f})",
    "dose_fieller": "interval by Fieller's method, as the programme changed the dose little (F = "
    "{f})",
    "through_dose": "if the programme works through this dose alone",
    "gap_few": "not estimated: fewer than {n} women, or men, whom the effect is about",
    "gap_few_clusters": "not estimated: women, or men, in fewer than two clusters",
    "gap_no_likes": "not estimated: too few women and men have the same value of {names}",
    "gap_nothing": "not estimated: nothing in the composition varies both among women and among "
    "men",
    "gap_room": "not estimated: {columns} columns of the composition need {n} women, and as many "
    "men",
    "gap_blocks": "composition without the blocks, which are too many",
    "gap_constant": "left out of the composition, without variation of their own among women or "
    "among men: {names}",
    "gap_alone": "{n} persons with a value of {names} that the other gender lacks left out at the "
    "same composition, which holds at least {women} per cent of the women and {men} per cent of "
    "the men",
    "gap_no_weights_women": "not estimated: no weights of women give the composition of men, "
    "furthest "
    "off in {names}",
    "gap_no_weights_men": "not estimated: no weights of men give the composition of women, "
    "furthest "
    "off in {names}",
    "gap_worth": "the weights are worth {women} women and {men} men",
    "gap_one_month": "not assessed: the outcome is measured at one time only",
    "gap_never": "no month from which the band stays off zero, which does not say that there is "
    "no gap",
    "few_persons": "not estimated: fewer than {n} persons of a kind that it needs",
    "group_one_arm": "not estimated: everybody in the group is in the same arm",
    "group_few": "not estimated: fewer than {n} persons of the group in one of the arms",
    "group_few_clusters": "not estimated: the group has persons in fewer than {n} clusters of "
    "one of the arms",
    "slope_constant": "not estimated: the covariate has one value only in the group",
    "slope_few": "not estimated: fewer than {n} persons of an arm have one of the two values of"
    " the covariate",
    "slope_few_clusters": "not estimated: in fewer than {n} clusters of an arm has anyone one "
    "of the two values of the covariate",
    "slope_explained": "not estimated: the covariates before it leave nothing of it",
    "slope_none": "not estimated: there is no covariate to go along with",
    "slopes_many": "not estimated: {n} slopes, and the persons or clusters of the smaller arm "
    "carry {most}. Name fewer under analysis.heterogeneity.covariates",
    "levels_few": "levels left out with too few persons or clusters in an arm: {n}",
    "levels_one": "not tested: fewer than two levels have an estimate",
    "levels_many": "not tested: {n} levels, and the persons or clusters of the smaller arm "
    "carry {most}",
    "family_large": "p-value not adjusted: more than {most} of them",
    "covariates_too_many": "covariates are too many for some persons to learn from: the outcome"
    " predicted by fewer, or by means",
    "withheld": "withheld: fewer than {n} persons",
    "protects": "withheld: would give away a number of fewer than {n} persons",
    "graph_missing": "to be adjusted for besides: {names}",
    "graph_affected": "covariates that the treatment affects: {names}",
    "graph_opening": "covariates that open a path and are better left out: {names}",
    "graph_outside": "covariates that the graph does not hold: {names}",
    "graph_front_door": "also identified by the front door, which is not estimated: {names}",
    "graph_instrument": "instruments by the graph, not used as such: {names}",
    "graph_no_outcome": "not identified: the graph does not hold the outcome",
    "graph_closed_by": "open, would be closed by adjusting for {names}",
    "graph_unmeasured": "open, not measured: {names}",
    "graph_opened_by": "open because of adjusting for {names}",
    "graph_blocked_by": "a part of the effect, closed by adjusting for {names}",
    "graph_correlation": "rank correlation of what is left of the two {r}",
    "negative_control": "comparison persons with {name} beside the others",
    "graph_harmless": "even with a common cause of the two the covariates would suffice",
    "graph_harmful": "with a common cause of the two the covariates would not suffice",
    "graph_few": "not tested: too few persons have all values",
    "graph_determined": "not tested: one of the two follows from the others",
    "graph_drawn": "on {n} persons drawn at random",
    "graph_untested": "{n} further independences are not tested",
    "graph_shuffled": "{failed} of {tests} independences fail on at most {most} persons, in "
    "{better} of {shuffles} graphs with the names shuffled no larger share",
    "graph_alike": "not assessed: too many of the graphs with the names shuffled imply the same",
    "graph_weak": "not assessed: too little fails with the names shuffled to tell them apart",
    "graph_nothing": "not assessed: the graph implies no independence that can be tested",
    "policy_no_costs": "the plan states no costs",
    "policy_cost_records": "costs by record were not at hand",
    "policy_cost_unknown": "costs left out: {n} persons without a known cost leave fewer than "
    "two in "
    "an arm",
    "policy_costs_missing": "{n} persons without a known cost take the one predicted",
    "policy_same": "the same places: no interval",
    "policy_no_ratio": "no cost per unit: the interval of the gain holds zero",
    "policy_better": "no cost per unit: gains, and costs no more",
    "policy_worse": "no cost per unit: gains less, and costs no less",
    "policy_unlearned": "not estimated: too few persons to learn a rule from",
    "policy_all_treated": "the effect is about the treated, all of whom had a place",
    "policy_drawn": "places were given by lot",
    "policy_propensity": "places by the estimated probability of treatment",
    "policy_beyond": "more places than the capacity",
    "policy_rationed": "more persons than places: places within it are given by lot",
    "policy_tree_leaf": "leaves of at least {share} per cent of the persons learned from, and {n} "
    "persons",
    "policy_tree_persons": "each tree learned from at most {n} persons drawn at random",
    "policy_tree_value": "learned from all persons: its value in the table of rules is that of "
    "trees "
    "learned in the same way from others",
    "sorted_persons": "not assessed: {n} persons or clusters to judge predictions by, fewer than "
    "{least}",
    "sorted_few": "not estimated: in {n} of {of} splits fewer than {least} persons in an arm of "
    "the "
    "sorted group",
    "sorted_some": "{n} of {of} splits left out: fewer than {least} persons in an arm of the "
    "sorted group",
    "no_projection": "not tested: the persons cannot carry the projection, see the conditional "
    "effects",
    "sorted_flat": "in {n} of {of} splits the learner found nothing and predicts one effect for "
    "all in a fold",
    "detectable_spread": "effects that differ by a standard deviation of about {spread} ({unit}) "
    "or "
    "more, along with the covariates, would be found in 80 of 100 studies like this one: smaller "
    "differences may well be there",
    "small_groups": "{n} groups with fewer than {least} persons or clusters in an arm left out",
    "no_groups": "not tested: no exploratory group with two levels large enough",
    "many_groups": "not tested: {n} differences between groups are more than the persons can tell",
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
