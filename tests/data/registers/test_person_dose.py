"""Activities counted by person, against a loop over the rows."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from data.registers.people import EXTRACT, people, plan_with
from data.registers.test_activities import KINDS, run
from data.registers.test_dose import DAY, ZEROS, is_observed, window
from evaluate.data.registers.person_dose import person_doses
from evaluate.errors import Problems
from evaluate.plan.doses import Dose

ZERO = datetime.date(2019, 1, 31)
DOSES = {
    "everything": {"activities": True},
    "meetings": {"activities": ["meeting"], "months": [1, 2]},
    "mixed": {"activities": ["R", 9], "months": [2, 4]},
    "hours": {"column": "hours"},
}
CODES = {"everything": {"1", "2", "R", "9", ""}, "meetings": {"1", "2"}, "mixed": {"R", "9"}}


def plan(doses=None, **activities):
    made = plan_with(activities={"path": "a.csv", "kinds": KINDS, "months": 4} | activities)
    named = {k: Dose(unit="n", **d) for k, d in (doses or DOSES).items()}
    return made.model_copy(update={"doses": named})


@settings(max_examples=25)
@given(
    zeros=st.lists(ZEROS, min_size=8, max_size=14),
    some=st.lists(
        st.tuples(st.integers(0, 13), DAY, st.sampled_from(["1", "2", "R", "9", ""])), max_size=80
    ),
)
def test_every_person_has_the_number_of_a_loop(tmp_path_factory, zeros, some):
    who = people(zeros)
    rows = [
        (f"p{i}", day, code, str(time))
        for time, (i, day, code) in enumerate(some)
        if i < len(zeros) and zeros[i] and zeros[i] <= day <= EXTRACT
    ]
    rows.append(("p0", "2019-01-01", "9", ""))  # before the offer: but the code is there
    rows.append(("p0", "2019-01-01", "R", ""))
    found = run(tmp_path_factory.mktemp("d"), rows, who, plan()).persons
    assert list(found) == ["everything", "meetings", "mixed"]
    for name, codes in CODES.items():
        first, last = DOSES[name].get("months", (1, 4))
        months = range(first, last + 1)
        wanted = [
            sum(
                key == f"p{i}" and code in codes
                and any(window(zero, m)[0] <= day < window(zero, m)[1] for m in months)
                for key, day, code, _ in rows[:-2]
            )
            if all(is_observed(zero, m) for m in months) else np.nan
            for i, zero in enumerate(zeros)
        ]  # fmt: skip
        assert_array_equal(found[name], wanted)


def test_the_persons_add_up_to_the_table(tmp_path):
    rng = np.random.default_rng(1)
    who = people([ZERO] * 40)
    rows = [
        (f"p{i}", str(ZERO + datetime.timedelta(days=int(d))), "12R9"[k], str(t))
        for t, (i, d, k) in enumerate(
            zip(rng.integers(40, size=300), rng.integers(110, size=300),
                rng.integers(4, size=300), strict=True)
        )
    ]  # fmt: skip
    found = run(tmp_path, rows, who, plan())
    table = found.table.set_index(["kind", "month", "arm", "group"])
    for arm in ("0", "1"):
        mean = table.loc[("all", 0, arm, "all"), "mean"]
        assert found.persons["everything"][who.arm == arm].mean() == pytest.approx(mean, 1e-12)


def test_duplicates_count_once(tmp_path):
    rows = [("p0", "2019-02-10", "1", "9.00")] * 3 + [("p0", "2019-02-10", "1", "10.00")]
    rows += [("p1", "2019-02-10", "9", ""), ("p1", "2019-02-10", "R", "")]
    found = run(tmp_path, rows, people([ZERO, ZERO]), plan())
    assert found.persons["meetings"].tolist() == [2, 0]


def test_a_code_that_no_row_has_is_a_fault(tmp_path):
    doses = {"odd": {"activities": ["X", 77, "meeting"]}}
    rows = [("p0", "2019-02-10", "1", "")]
    with pytest.raises(Problems) as error:
        run(tmp_path, rows, people([ZERO, ZERO]), plan(doses))
    (problem,) = error.value.problems
    assert "a.csv: column kind: no row has `X`, `77` (doses.odd.activities)" in problem


def test_a_kind_without_rows_is_a_dose_of_zero(tmp_path):
    rows = [("p0", "2019-02-10", "R", "")]
    found = run(tmp_path, rows, people([ZERO, ZERO]), plan({"m": {"activities": ["meeting"]}}))
    assert found.persons["m"].tolist() == [0, 0]


def test_parts_of_the_persons_are_added_in_any_cut():
    one = person_doses(plan({"all": {"activities": True}}), ["1"], 5)["all"]
    one.add(np.array([0, 0, 1]), np.array([1, 4, 2]), np.array([0, -1, 0]))
    one.add(np.array([3, 3]), np.array([1, 1]), np.array([0, 0]))
    one.add(np.array([4]), np.array([5]), np.array([0]))  # after the last month
    assert one.number.tolist() == [2, 1, 0, 2, 0]
