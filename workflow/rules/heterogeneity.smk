"""
Who benefits: women, men, and others whose effects differ.

REQUIRED INPUTS
    build/{programme}/participants.parquet   schemas.PARTICIPANTS
    build/{programme}/outcomes.parquet       schemas.OUTCOMES
    build/{programme}/propensity.parquet     schemas.PROPENSITY
    build/{programme}/effects.parquet        schemas.EFFECTS
    build/{programme}/covariances.parquet    schemas.COVARIANCES
    build/{programme}/cost_records.parquet   schemas.COST_RECORDS, without rows where there are none

OUTPUTS
    build/{programme}/heterogeneity.parquet        schemas.HETEROGENEITY, are groups' effects equal?
    build/{programme}/person_scores.parquet        schemas.PERSON_SCORES, of primary outcomes
    build/{programme}/gap.parquet                  schemas.GAP, the gap and what lies behind it
    build/{programme}/conditional_effects.parquet  schemas.CONDITIONAL_EFFECTS, projections
    build/{programme}/heterogeneity_tests.parquet  schemas.HETEROGENEITY_TESTS
    build/{programme}/sorted_groups.parquet        schemas.SORTED_GROUPS, by predicted effect
    build/{programme}/sorted_profile.parquet       schemas.SORTED_PROFILE, who is in them
    build/{programme}/effect_distribution.parquet  schemas.EFFECT_DISTRIBUTION, predicted effects
    build/{programme}/policies.parquet             schemas.POLICIES, what rules of targeting do
    build/{programme}/policy_tree.parquet          schemas.POLICY_TREE, a shallow tree
    build/{programme}/targeting_curve.parquet      schemas.TARGETING_CURVE, by number of places
"""


rule heterogeneity:
    input:
        plan="config/programmes/{programme}.yaml",
        effects="build/{programme}/effects.parquet",
        covariances="build/{programme}/covariances.parquet",
        code=source("heterogeneity.py"),
    output:
        "build/{programme}/heterogeneity.parquet",
    log:
        "logs/{programme}/heterogeneity.log",
    script:
        "../scripts/heterogeneity.py"


rule scores:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        code=source("scores.py"),
    output:
        "build/{programme}/person_scores.parquet",
    log:
        "logs/{programme}/scores.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/scores.py"


rule gap:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        person_scores="build/{programme}/person_scores.parquet",
        code=source("gap.py"),
    output:
        "build/{programme}/gap.parquet",
    log:
        "logs/{programme}/gap.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/gap.py"


rule conditional_effects:
    input:
        plan="config/programmes/{programme}.yaml",
        participants="build/{programme}/participants.parquet",
        outcomes="build/{programme}/outcomes.parquet",
        propensity="build/{programme}/propensity.parquet",
        person_scores="build/{programme}/person_scores.parquet",
        cost_records="build/{programme}/cost_records.parquet",
        code=source("conditional_effects.py"),
    output:
        conditional_effects="build/{programme}/conditional_effects.parquet",
        heterogeneity_tests="build/{programme}/heterogeneity_tests.parquet",
        sorted_groups="build/{programme}/sorted_groups.parquet",
        sorted_profile="build/{programme}/sorted_profile.parquet",
        effect_distribution="build/{programme}/effect_distribution.parquet",
        policies="build/{programme}/policies.parquet",
        policy_tree="build/{programme}/policy_tree.parquet",
        targeting_curve="build/{programme}/targeting_curve.parquet",
    log:
        "logs/{programme}/conditional_effects.log",
    params:
        seed=CONFIG.seed,
    script:
        "../scripts/conditional_effects.py"
