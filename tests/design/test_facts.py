"""What `check` tells of a clean study before anything is estimated."""

import numpy as np
from simulate import plan_of, study_from

from evaluate.design import facts


def study(**parts):
    n = 40
    arm = np.arange(n) % 2
    return study_from(np.arange(n, dtype=float)[:, None], arm, **parts)


def test_slopes_that_an_arm_has_too_few_persons_for_are_told():
    pairs = study(block=np.arange(40) // 2, x=np.arange(40.0)[:, None])
    plan = plan_of(pairs.y, columns={"blocks": ["b"]}, covariates=["x0"])
    (line,) = facts._too_many_slopes(pairs, plan)
    assert line.startswith("lin: 21 slopes of covariates and blocks, and an arm with 20 persons")
    assert "ancova" in line
    simple = study(x=np.arange(40.0)[:, None])
    assert not facts._too_many_slopes(simple, plan_of(simple.y, covariates=["x0"]))


def test_a_weight_that_outweighs_an_arm_is_told():
    weight = np.ones(40)
    assert not facts._heavy(study(weight=weight))
    weight[0] = 1e6
    (line,) = facts._heavy(study(weight=weight))
    assert line.startswith("weight: 100% of that of arm 0 is one person's")
