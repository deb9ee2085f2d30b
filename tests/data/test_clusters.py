"""Clusters that were assigned: kept whole, and refused where they are not what was assigned."""

import pytest

from data.extract import FILE, cleaned, people
from evaluate.errors import Problems
from evaluate.schemas import PARTICIPANTS


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


def pupils(**values):
    """Return 16 persons, two in each of eight schools, two schools in each of four towns."""
    rows = [
        r | {"skola": f"s{i // 2}", "ort": f"t{i // 4}", **values} for i, r in enumerate(people())
    ]
    return rows


CLUSTER = {"columns": {"cluster": "skola"}}
BLOCKED = {"columns": {"cluster": "skola", "blocks": ["ort"]}}


def test_each_person_has_the_cluster_that_was_assigned(path):
    study = cleaned(path, pupils(), **BLOCKED)
    assert study.participants["cluster"].tolist() == [f"s{i // 2}" for i in range(16)]
    assert study.participants["block"].tolist() == [f"ort=t{i // 4}" for i in range(16)]
    PARTICIPANTS.validate(study.participants)


def test_without_clusters_the_column_is_empty(path):
    assert cleaned(path, pupils()).participants["cluster"].isna().all()


def test_a_person_without_a_cluster_is_excluded_and_counted(path):
    rows = pupils()
    rows[3]["skola"] = ""
    study = cleaned(path, rows, **CLUSTER)
    assert study.quarantine["reason"].to_list() == ["skola missing"]
    assert study.quarantine["source_row"].to_list() == [4]
    assert len(study.participants) == 15


FAULTS = {
    "arms mixed": (
        lambda rows: rows[0].update(arm="1"), CLUSTER,
        "skola (columns.cluster): 1 of 8 clusters hold more than one arm. A cluster is the unit "
        "that was assigned, so that all its persons have its arm: is the arm the one assigned, "
        "and the cluster that at the assignment? If persons were assigned within skola, write "
        "`blocks: [skola]` and leave `cluster` out.",
    ),
    "several blocks": (
        lambda rows: rows[1].update(ort="t3"), BLOCKED,
        "skola (columns.cluster): 1 of 8 clusters lie in several blocks (ort). A cluster is drawn "
        "in one block: where clusters of several blocks have one name, give each its own, such as "
        "site and number.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sections", "said"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_cluster_is_said_once(path, change, sections, said):
    rows = pupils()
    change(rows)
    with pytest.raises(Problems) as error:
        cleaned(path, rows, **sections)
    assert error.value.problems == [f"{path}: column {said}"]


def test_who_was_left_out_makes_no_cluster_mixed(path):
    rows = pupils()
    rows[0] |= {"arm": "1", "ålder": "12"}
    assert len(cleaned(path, rows, eligibility=["ålder >= 18"], **CLUSTER).participants) == 15


def test_a_column_of_clusters_that_is_not_there_is_named(path):
    with pytest.raises(Problems, match=r"skolan.*columns\.cluster.*Did you mean `skola`"):
        cleaned(path, pupils(), columns={"cluster": "skolan"})


def test_take_up_that_nobody_used_is_said_with_the_way_out(path):
    columns = {"takeup": {"column": "kom", "taken": "ja"}}
    with pytest.raises(Problems, match="if nobody did, leave the key out"):
        cleaned(path, pupils(kom="nej"), columns=columns)
