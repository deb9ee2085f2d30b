"""Files of the stage `heterogeneity`: who benefits."""

from __future__ import annotations

import pandera.pandas as pa

from evaluate.schemas.columns import GROUP, SHARE, behind, count, month_column, real, table, text

GENDERS = ("all", "women", "men", "women-men")
LEARNERS = ("linear", "boosting", "forest")
FLAG = pa.Column("boolean", coerce=True, nullable=True)

# Doubly robust scores: the effect in a group is the weighted ratio of means of `signal` and
# `share`. A contrast without scores has one row, without a person, whose note says why.
PERSON_SCORES = table(
    "person_scores",
    outcome=text(),
    month=month_column(),
    arm=text(),
    person=count(),  # row among the participants
    signal=real(),
    share=real(SHARE),
    correction=real(),
    inverse_weight=real(),
    outcome_residual=real(),
    treatment_residual=real(),
    note=text(empty=True),
)

GAP = table(
    "gap",
    outcome=text(),
    month=month_column(),
    arm=text(),
    method=text("reweighting", "oaxaca_blinder", "access", "timing"),
    part=text(
        "gap", "same_composition", "composition",  # reweighting, oaxaca_blinder
        "outcome_gap", "without_programme", "access", "effect_per_unit",  # access
        "dose_women", "dose_men", "dose_gap", "per_unit_women", "per_unit_men",
        "early", "late", "late-early", "opens",  # timing
    ),
    covariate=text(empty=True),  # of a part of the composition
    dose=text(empty=True),
    month_from=month_column(),
    month_to=month_column(),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    p_value=real(SHARE),
    df=real(pa.Check.gt(0)),
    level=real(SHARE),
    n_women=count(),
    n_men=count(),
    unit=text(),
    note=text(empty=True),
    least=behind(),  # fewest women or men of an arm with some of the dose: before the gate only
)  # fmt: skip

# Best linear projection of the conditional effects, and the averages of the same scores.
CONDITIONAL_EFFECTS = table(
    "conditional_effects",
    outcome=text(),
    month=month_column(),
    arm=text(),
    kind=text("average", "projection", "joint"),
    group=pa.Column(str, GROUP, coerce=True),
    term=text(empty=True),  # constant, or a column of a covariate such as `education=long`
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    statistic=real(),
    df=real(pa.Check.gt(0)),
    df_error=real(pa.Check.gt(0)),
    p_value=real(SHARE),
    p_value_adjusted=real(SHARE),
    level=real(SHARE),
    n=count(),
    n_treated=count(),
    n_control=count(),
    unit=text(),
    prespecified=FLAG,
    note=text(empty=True),
)

# Are there other differences than by gender? Medians over honest splits.
HETEROGENEITY_TESTS = table(
    "heterogeneity_tests",
    outcome=text(),
    month=month_column(),
    arm=text(),
    learner=text(*LEARNERS, empty=True),
    test=text("calibration", "top-bottom", "autoc", "qini", "projection", "groups"),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    statistic=real(),
    p_value=real(SHARE),
    p_low=real(SHARE),  # quartiles of the p-values of single splits
    p_high=real(SHARE),
    splits=count(),
    lead=FLAG,  # of the learner and test that the verdict rests on
    verdict=text("found", "not found", "not assessed"),
    level=real(SHARE),
    n=count(),
    unit=text(),
    note=text(empty=True),
)

# Persons in order of their predicted effects, the highest first.
SORTED_GROUPS = table(
    "sorted_groups",
    outcome=text(),
    month=month_column(),
    arm=text(),
    learner=text(*LEARNERS),
    group=text(*GENDERS),
    sorted_group=text(),  # 1 (highest) to the number of groups, `top-bottom`
    predicted=real(),
    estimate=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    p_value=real(SHARE),
    share_women=real(SHARE),  # of the persons in it
    share_women_low=real(SHARE),
    share_women_high=real(SHARE),
    splits=count(),
    level=real(SHARE),
    n=count(),
    unit=text(),
    note=text(empty=True),
    least=behind(),  # the smallest arm of a gender in it: before the gate only
)

SORTED_PROFILE = table(
    "sorted_profile",
    outcome=text(),
    month=month_column(),
    arm=text(),
    learner=text(*LEARNERS),
    covariate=text(),
    mean_top=real(),
    mean_bottom=real(),
    difference=real(),
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    p_value=real(SHARE),
    p_value_adjusted=real(SHARE),
    splits=count(),
    level=real(SHARE),
    n_top=count(),
    n_bottom=count(),
    note=text(empty=True),
    least=behind(),  # fewest persons of a value in either group: before the gate only
)

EFFECT_DISTRIBUTION = table(
    "effect_distribution",
    outcome=text(),
    month=month_column(),
    arm=text(),
    learner=text(*LEARNERS),
    group=text("all", "women", "men"),
    kind=text("bin", "mean", "sd"),
    low=real(),
    high=real(),
    value=real(),  # share of the group in the bin, or its mean or deviation
    n=count(),
    unit=text(),
    note=text(empty=True),
)

# What rules of who is offered a place would mean, for persons that no rule was learned from.
POLICIES = table(
    "policies",
    outcome=text(),
    month=month_column(),
    arm=text(),
    policy=text(),  # everyone, no_one, present, women, men, a group, highest_predicted, tree
    uses_gender=FLAG,
    against=text("no_one", "everyone", "present", "random"),
    capacity=real(SHARE),
    share_treated=real(SHARE),
    share_treated_women=real(SHARE),
    share_treated_men=real(SHARE),
    women_among_treated=real(SHARE),
    gain=real(),  # of the outcome per person, over `against`
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    p_value=real(SHARE),
    value_of_unit=real(),  # in currency; empty where the plan does not say
    cost_difference=real(),  # per person, over `against`
    net_gain=real(),  # per person, in currency
    net_low=real(),
    net_high=real(),
    cost_per_unit=real(),  # of one more unit of the outcome, over `against`
    currency=text(empty=True),
    splits=count(),
    level=real(SHARE),
    n=count(),
    n_women=count(),
    n_men=count(),
    unit=text(),
    note=text(empty=True),
)

POLICY_TREE = table(
    "policy_tree",
    outcome=text(),
    month=month_column(),
    arm=text(),
    tree=text("tree", "tree_without_gender"),
    node=count(empty=False),  # 0 is the root
    parent=count(),
    branch=text("below", "above", empty=True),  # of the parent's threshold
    covariate=text(empty=True),  # empty in a leaf
    threshold=real(),
    treat=FLAG,  # in a leaf
    share=real(SHARE),  # of the persons
    share_women=real(SHARE),
    n=count(),
    n_women=count(),
    n_men=count(),
    note=text(empty=True),
)

TARGETING_CURVE = table(
    "targeting_curve",
    outcome=text(),
    month=month_column(),
    arm=text(),
    order=text("predicted", "predicted_without_gender", "women_first", "men_first", "random"),
    share=real(SHARE),  # of the persons, those first in order
    gain=real(),  # of the outcome per person, over nobody
    std_error=real(pa.Check.ge(0)),
    conf_low=real(),
    conf_high=real(),
    cost=real(),  # per person
    net_gain=real(),
    net_low=real(),
    net_high=real(),
    women_among_treated=real(SHARE),
    currency=text(empty=True),
    splits=count(),
    level=real(SHARE),
    n=count(),
    unit=text(),
    note=text(empty=True),
)
