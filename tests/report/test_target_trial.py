"""The target trial: the plan's words in the language, and what the data allow beside them."""

import pandas as pd
import pytest

from evaluate.plan.model import Plan
from evaluate.report.target_trial import ITEMS, items
from evaluate.report.words import Words

from .observational import effect, flow_of, made, plan_of, table_of

EN, SV = Words("en", "observational"), Words("sv", "observational")


def of(name, released, words=EN):
    return items(released, words)[ITEMS.index(name)]


def plain(text):
    return text.replace("\u00a0", " ")


def released(**tables):
    return made(effects=table_of("effects", [effect()]), **tables)


def overlap(trimmed):
    row = {"arm": "1", "group": "all", "side": "treated", "n": 192, "trimmed": trimmed}
    return table_of("overlap", [row])


def test_the_items_are_those_of_target_with_the_words_of_the_plan():
    found = items(released(), EN)
    assert [item.title for item in found][:4] == [
        "Eligibility", "Strategies compared", "Assignment", "Time zero",
    ]  # fmt: skip
    assert of("eligibility", released()).planned == "Registered and aged 20 or more."
    assert of("eligibility", released(), SV).planned == "Inskrivna, minst 20 år."
    assert of("assignment", released(), SV).planned == "By case workers."
    assert of("assumptions", released()).planned == ""
    assert all(item.done for item in found)


def test_counts_are_those_of_the_flow():
    flow = flow_of(("received", "", 500), ("excluded", "", 20), ("included", "", 480),
                   ("analysed", "work", 450))  # fmt: skip
    own = released(flow=flow)
    assert "500 rows received, 20 excluded, 480 in the study" in of("eligibility", own).done[0]
    assert "age >= 20" in " ".join(of("eligibility", own).done)
    assert of("outcome", own).done == ["In work: 450 of 480 in the study have a value."]
    assert (
        "comparison (treat = 0) 288, participants (treat = 1) 192" in of("strategies", own).done[0]
    )


def test_persons_drawn_for_several_risk_sets_are_no_exclusions():
    flow = flow_of(("received", "", 500), ("added", "", 30), ("excluded", "", 50),
                   ("included", "", 480))  # fmt: skip
    assert "50 excluded" in of("eligibility", released(flow=flow)).done[0]


def test_a_withheld_count_is_not_computed_from_others():
    flow = flow_of(("received", "", 500), ("included", "", 480)).astype({"n": "Int64"})
    flow.loc[1, "n"] = pd.NA
    done = " ".join(of("eligibility", released(flow=flow)).done)
    assert "withheld" in done
    assert "500" not in done


@pytest.mark.parametrize(("trimmed", "told"), [(0, False), (4, True), (None, True)])
def test_the_contrast_is_of_those_left_only_where_somebody_is_left_out(trimmed, told):
    done = " ".join(of("contrast", released(overlap=overlap(trimmed))).done)
    assert ("left out" in done) == told
    assert "(ATT)" in done


def test_without_a_day_nothing_guards_time_zero_and_it_says_so():
    assert "immortal time" in of("time_zero", released()).done[0]
    columns = plan_of("made")["columns"] | {"offered": "day"}
    plan = Plan.model_validate(plan_of("made", columns=columns))
    assert "column day" in of("time_zero", released(plan=plan)).done[0]


def test_follow_up_tells_the_months_of_the_outcomes():
    assert "Months 6 to 12" in of("follow_up", released()).done[0]


def test_the_analysis_names_the_lead_first_and_the_raw_comparison_as_such():
    done = plain(" ".join(of("analysis", released()).done))
    assert done.startswith("First: doubly robust (AIPW).")
    assert "raw comparison" in done
    assert "5 folds, 2 splits" in done
