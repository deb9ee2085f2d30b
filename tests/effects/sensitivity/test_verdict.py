"""The verdict: what makes a finding fragile, and what robust asks for."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.effects.sensitivity.verdict import Estimate, Evidence, Placebo, Rival, judge
from evaluate.notes import NOTES

LEAD = Estimate("aipw", 2.0, 0.3)
PASSED = Placebo("earlier", Estimate("aipw", 0.1, 0.2), (Estimate("matching", -0.2, 0.3),))
AGREES = Rival("matching", 1.9, Estimate("matching", -0.1, 0.2))
SOUND = Evidence(lead=LEAD, placebos=(PASSED,), estimators=(AGREES,), hidden=())
FAILED = Placebo("earlier", Estimate("aipw", -1.0, 0.2), ())
FAILURES = {
    "verdict_placebo": {"placebos": (FAILED,)},
    "verdict_pre_trend": {"pre_trend": True},
    "verdict_unsettled": {"lead": Estimate("aipw", 2.0, 1.2)},
    "verdict_estimators_sign": {"estimators": (Rival("regression", -0.5, None),)},
    "verdict_estimators_apart": {"estimators": (Rival("ipw", 1.0, Estimate("ipw", -1.0, 0.2)),)},
    "verdict_trims_sign": {"trims": (Rival("crump", -0.5, Estimate("crump", -2.5, 0.9)),)},
    "verdict_models_apart": {"models": (Rival("logit", 3.0, Estimate("logit", 1.0, 0.2)),)},
    "verdict_hidden": {"hidden": ("education",)},
    "verdict_refuted": {"refuters": ("data_subset",)},
    "verdict_unlike": {"unlike": True},
    "verdict_trimmed": {"trimmed": True},
    "verdict_unbalanced": {"unbalanced": ("age",)},
    "verdict_few": {"few": True},
    "verdict_unclosed": {"unclosed": True},
    "verdict_contradicted": {"contradicted": True},
    "verdict_attrition": {"attrition": True},
}
ORDER = [kind for kind in NOTES if kind.startswith("verdict_") and kind != "verdict_robust"]


def starts(kind):
    return NOTES[kind].partition("{")[0]


def test_a_sound_finding_is_robust():
    verdict, reason = judge(SOUND)
    assert verdict == "robust"
    assert reason == "the placebo earlier excludes a bias as large as the effect"


@pytest.mark.parametrize("kind", FAILURES)
def test_each_failure_alone_makes_it_fragile(kind):
    verdict, reason = judge(replace(SOUND, **FAILURES[kind]))
    assert verdict == "fragile"
    assert reason.startswith(starts(kind))
    assert "; " not in reason


@given(st.sets(st.sampled_from(sorted(FAILURES)), min_size=1))
def test_no_failure_is_outweighed(kinds):
    kinds = kinds - {"verdict_unsettled"} if "verdict_estimators_sign" in kinds else kinds
    changes = {}
    for kind in sorted(kinds):
        for key, value in FAILURES[kind].items():
            changes[key] = (
                changes[key] + value if isinstance(value, tuple) and key in changes else value
            )
    if not changes:
        return
    verdict, reason = judge(replace(SOUND, **changes))
    assert verdict == "fragile"
    order = [next(k for k in ORDER if r.startswith(starts(k))) for r in reason.split("; ")]
    assert order == sorted(order, key=ORDER.index)  # the most important first


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"lead": None}, "verdict_no_lead"),
        ({"placebos": ()}, "verdict_no_placebo"),
        ({"placebos": (Placebo("earlier", None, ()),)}, "verdict_placebo_missing"),
        (
            {"placebos": (Placebo("earlier", Estimate("aipw", 0.0, 1.1), ()),)},
            "verdict_placebo_weak",
        ),
        ({"hidden": None}, "verdict_no_hidden"),
        ({"estimators": ()}, "verdict_one_estimator"),
    ],
)
def test_what_could_not_have_failed_is_not_assessed(change, kind):
    verdict, reason = judge(replace(SOUND, **change))
    assert verdict == "not assessed"
    assert reason.startswith(starts(kind))


def test_passing_refuters_earn_nothing():
    """Without a placebo outcome everything else may pass, and the finding is not robust."""
    assert judge(replace(SOUND, placebos=(), refuters=()))[0] == "not assessed"


def test_a_failure_counts_without_a_placebo():
    assert judge(replace(SOUND, placebos=(), hidden=("age",)))[0] == "fragile"


@pytest.mark.parametrize(("scale", "verdict"), [(1.0, "robust"), (5.0, "not assessed")])
def test_a_placebo_in_another_unit_is_scaled(scale, verdict):
    assert judge(replace(SOUND, placebos=(replace(PASSED, scale=scale),)))[0] == verdict


def test_the_level_is_shared_among_placebos():
    """With z = 2.1 one placebo of one fails; one of five does not."""
    close = Placebo("p", Estimate("aipw", 0.21, 0.1), ())
    fine = Placebo("q", Estimate("aipw", 0.0, 0.1), ())
    assert judge(replace(SOUND, placebos=(close,)))[0] == "fragile"
    assert judge(replace(SOUND, placebos=(close, *[fine] * 4)))[0] == "robust"


def test_a_placebo_that_fails_by_any_adjusted_estimator_fails():
    regression = Estimate("regression", -1134.82, 272.44)
    placebo = Placebo("re75", Estimate("aipw", -600.0, 400.0), (regression,))
    verdict, reason = judge(replace(SOUND, placebos=(placebo,)))
    assert (verdict, reason) == ("fragile", "the placebo re75 differs from zero by regression")


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (0.45, 0.01, "robust"),  # beyond chance, but a trifle beside an effect of 2
        (0.7, 0.5, "robust"),  # large, but chance
        (0.7, 0.1, "fragile"),
    ],
)
def test_estimators_may_differ_by_chance_or_a_trifle(value, error, verdict):
    rival = Rival("ipw", 2.0 + value, Estimate("ipw", value, error))
    assert judge(replace(SOUND, estimators=(rival,)))[0] == verdict


def test_a_sign_changed_by_chance_is_no_change():
    rival = Rival("0.1-0.9", -0.1, Estimate("0.1-0.9", -2.1, 2.5))
    assert judge(replace(SOUND, trims=(rival,)))[0] == "robust"


def test_of_an_open_finding_no_sign_changes():
    rival = Rival("matching", -0.1, Estimate("matching", -0.2, 0.1))
    lead = Estimate("aipw", 0.1, 0.3)
    _, reason = judge(replace(SOUND, lead=lead, estimators=(rival,), hidden=("age",)))
    assert reason.startswith(starts("verdict_unsettled"))
    assert starts("verdict_hidden") not in reason
    assert starts("verdict_estimators_sign") not in reason
