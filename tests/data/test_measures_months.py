"""Calendar months of time zero and of the start count as the months of outcomes do."""

import numpy as np
from studies import evaluated, people, plan_for

PLAN = plan_for("dated")


def test_the_month_of_the_start_is_counted_from_time_zero(tmp_path):
    frame = people(200, 3)
    frame["begun"] = np.where(frame["treat"] == 1, "2021-03-05", "")
    frame["zero"] = np.where(np.arange(200) % 2 == 0, "2021-02-20", "2021-03-01")
    columns = PLAN["columns"] | {"offered": "zero", "started": "begun"}
    columns = {k: v for k, v in columns.items() if k not in ("takeup", "blocks", "cluster")}
    item = "as stated"
    keys = ("eligibility", "strategies", "assignment", "time_zero", "follow_up", "outcome",
            "contrast", "analysis")  # fmt: skip
    plan = PLAN | {
        "design": "observational",
        "columns": columns,
        "covariates": ["age"],
        "protocol": dict.fromkeys(keys, item),
        "analysis": {"estimators": ["regression"]},
    }
    plan.pop("assignment", None)
    plan.pop("costs", None)
    found = evaluated(tmp_path, "dated", plan, frame).exact("participants")
    march = 2021 * 12 + 2
    started = found["started_month"]
    treated = found["arm"] == "1"
    assert started[~treated].isna().all()
    # 5 March is within the first month from 20 February, as outcomes count it
    zero = found["time_zero_month"]
    assert set(zero) == {march - 1, march}
    assert (started[treated] == zero[treated]).all()
