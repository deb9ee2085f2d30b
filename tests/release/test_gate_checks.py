"""The checks of the design do not show few persons by their shares."""

import pandas as pd

from evaluate.release.gate_checks import gate_checks

FLOW = pd.DataFrame(
    {
        "step": ["included", "analysed", "analysed"],
        "reason": ["", "work", "hours"],
        "arm=0": [100, 97, 100],
        "arm=1": [100, 90, 88],
    }
)
CHECKS = pd.DataFrame(
    {
        "check": ["sample_ratio", "sample_ratio", "attrition:work", "attrition:hours"],
        "group": ["all", "men", "all", "all"],
        "statistic": [0.5, 0.1, 0.07, 0.12],
        "p_value": [1.0, 0.01, 0.2, 0.3],
        "verdict": ["pass", "warn", "pass", "pass"],
        "text": ["share assigned 0.500"] * 4,
    }
)


def test_a_share_missing_that_is_three_persons_is_withheld():
    gated, entries = gate_checks(CHECKS, FLOW, (), min_cell=5)
    assert gated["statistic"].isna().tolist() == [False, False, True, False]
    assert gated["text"].tolist()[2] == "withheld"
    assert gated["p_value"].tolist() == CHECKS["p_value"].tolist()
    assert [e["row"]["check"] for e in entries] == ["attrition:work"]


def test_the_share_of_a_withheld_group_is_withheld():
    gated, entries = gate_checks(CHECKS, FLOW, {"women", "men"}, min_cell=5)
    assert gated["statistic"].isna().tolist() == [False, True, True, False]
    assert len(entries) == 2


def test_nothing_is_withheld_where_the_least_number_is_one():
    gated, entries = gate_checks(CHECKS, FLOW, (), min_cell=1)
    pd.testing.assert_frame_equal(gated, CHECKS)
    assert entries == []
