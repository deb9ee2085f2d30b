"""
The gate between person-level files and what may be published.

REQUIRED INPUTS
    build/{programme}/*.parquet   the tables of all stages

OUTPUTS
    results/{programme}/tables/*.csv      the tables, cells under the minimum withheld
    results/{programme}/disclosure.json   what was withheld, and why
    results/{programme}/provenance.json   hashes of the input, plan and code; versions; seed;
                                          whether the data are simulated
"""

STAGES = [
    "data.py",
    "propensity.py",
    "graph.py",
    "design.py",
    "power.py",
    "effects.py",
    "participation.py",
    "paths.py",
    "bounds.py",
    "saturation.py",
    "event_study.py",
    "sensitivity.py",
    "heterogeneity.py",
    "scores.py",
    "gap.py",
    "conditional_effects.py",
    "costs.py",
]


rule release:
    input:
        plan="config/programmes/{programme}.yaml",
        raw="build/{programme}/raw.json",
        participants="build/{programme}/participants.parquet",
        flow="build/{programme}/flow.parquet",
        cleaning="build/{programme}/cleaning.parquet",
        design_checks="build/{programme}/design_checks.parquet",
        balance="build/{programme}/balance.parquet",
        dose="build/{programme}/dose.parquet",
        states="build/{programme}/states.parquet",
        effects="build/{programme}/effects.parquet",
        participation="build/{programme}/participation.parquet",
        compliers="build/{programme}/compliers.parquet",
        paths="build/{programme}/paths.parquet",
        incidence="build/{programme}/incidence.parquet",
        bounds="build/{programme}/bounds.parquet",
        heterogeneity="build/{programme}/heterogeneity.parquet",
        power="build/{programme}/power.parquet",
        spillovers="build/{programme}/spillovers.parquet",
        net_effects="build/{programme}/net_effects.parquet",
        costs="build/{programme}/costs.parquet",
        cost_effectiveness="build/{programme}/cost_effectiveness.parquet",
        propensity_models="build/{programme}/propensity_models.parquet",
        overlap="build/{programme}/overlap.parquet",
        propensity_histogram="build/{programme}/propensity_histogram.parquet",
        population="build/{programme}/population.parquet",
        graph="build/{programme}/graph.parquet",
        event_study="build/{programme}/event_study.parquet",
        sensitivity="build/{programme}/sensitivity.parquet",
        refutations="build/{programme}/refutations.parquet",
        specifications="build/{programme}/specifications.parquet",
        verdict="build/{programme}/verdict.parquet",
        gap="build/{programme}/gap.parquet",
        conditional_effects="build/{programme}/conditional_effects.parquet",
        heterogeneity_tests="build/{programme}/heterogeneity_tests.parquet",
        sorted_groups="build/{programme}/sorted_groups.parquet",
        sorted_profile="build/{programme}/sorted_profile.parquet",
        effect_distribution="build/{programme}/effect_distribution.parquet",
        policies="build/{programme}/policies.parquet",
        policy_tree="build/{programme}/policy_tree.parquet",
        targeting_curve="build/{programme}/targeting_curve.parquet",
        code=source(*STAGES, "release.py"),
    output:
        flow="results/{programme}/tables/flow.csv",
        cleaning="results/{programme}/tables/cleaning.csv",
        design_checks="results/{programme}/tables/design_checks.csv",
        balance="results/{programme}/tables/balance.csv",
        dose="results/{programme}/tables/dose.csv",
        states="results/{programme}/tables/states.csv",
        effects="results/{programme}/tables/effects.csv",
        participation="results/{programme}/tables/participation.csv",
        compliers="results/{programme}/tables/compliers.csv",
        paths="results/{programme}/tables/paths.csv",
        incidence="results/{programme}/tables/incidence.csv",
        bounds="results/{programme}/tables/bounds.csv",
        heterogeneity="results/{programme}/tables/heterogeneity.csv",
        power="results/{programme}/tables/power.csv",
        spillovers="results/{programme}/tables/spillovers.csv",
        net_effects="results/{programme}/tables/net_effects.csv",
        costs="results/{programme}/tables/costs.csv",
        cost_effectiveness="results/{programme}/tables/cost_effectiveness.csv",
        propensity_models="results/{programme}/tables/propensity_models.csv",
        overlap="results/{programme}/tables/overlap.csv",
        propensity_histogram="results/{programme}/tables/propensity_histogram.csv",
        population="results/{programme}/tables/population.csv",
        graph="results/{programme}/tables/graph.csv",
        event_study="results/{programme}/tables/event_study.csv",
        sensitivity="results/{programme}/tables/sensitivity.csv",
        refutations="results/{programme}/tables/refutations.csv",
        specifications="results/{programme}/tables/specifications.csv",
        verdict="results/{programme}/tables/verdict.csv",
        gap="results/{programme}/tables/gap.csv",
        conditional_effects="results/{programme}/tables/conditional_effects.csv",
        heterogeneity_tests="results/{programme}/tables/heterogeneity_tests.csv",
        sorted_groups="results/{programme}/tables/sorted_groups.csv",
        sorted_profile="results/{programme}/tables/sorted_profile.csv",
        effect_distribution="results/{programme}/tables/effect_distribution.csv",
        policies="results/{programme}/tables/policies.csv",
        policy_tree="results/{programme}/tables/policy_tree.csv",
        targeting_curve="results/{programme}/tables/targeting_curve.csv",
        disclosure="results/{programme}/disclosure.json",
        provenance="results/{programme}/provenance.json",
    log:
        "logs/{programme}/release.log",
    params:
        disclosure=CONFIG.disclosure.model_dump(),
        seed=CONFIG.seed,
    script:
        "../scripts/release.py"
