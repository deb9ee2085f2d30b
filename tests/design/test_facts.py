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
    assert line.endswith("Leave `estimators` out under analysis, and the design chooses")
    simple = study(x=np.arange(40.0)[:, None])
    assert not facts._too_many_slopes(simple, plan_of(simple.y, covariates=["x0"]))


def test_a_weight_that_outweighs_an_arm_is_told():
    weight = np.ones(40)
    assert not facts._heavy(study(weight=weight))
    weight[0] = 1e6
    (line,) = facts._heavy(study(weight=weight))
    assert line.startswith("weight: 100% of that of arm 0 is one person's")


def test_regressions_are_warned_of_in_blocks_with_one_of_an_arm_and_several_of_another():
    arm, block = np.tile([1, 0, 0], 30), np.arange(90) // 3
    triples = study_from(np.arange(90.0)[:, None], arm, block=block)
    columns = {"blocks": ["b"]}
    named = plan_of(
        triples.y, columns=columns, analysis={"estimators": ["ancova", "difference_in_means"]}
    )
    (line,) = facts._lopsided(triples, named)
    assert line.startswith("ancova: blocks have one unit of an arm and several of another")
    pairs = study(block=np.arange(40) // 2)
    assert not facts._lopsided(pairs, named)
    assert not facts._lopsided(triples, plan_of(triples.y, columns=columns))


def test_one_is_told_in_the_singular():
    block = np.append(np.arange(40) // 2, 20)
    alone = study_from(np.arange(41.0)[:, None], np.append(np.arange(40) % 2, 1), block=block)
    assert facts._blocks(alone)[0] == "blocks: 21, of 1 person or more"
    assert "1 lack an arm (1 person)" in facts._blocks(alone)[1]
    each = study(cluster=np.arange(40))
    lines = facts._clusters(each, plan_of(each.y, columns={"cluster": "c"}))
    assert lines[0] == "clusters: 40 (20 in arm 0, 20 in arm 1), of 1 person"
