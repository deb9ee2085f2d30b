"""Faults: one message each, with file, line, key, value, what is allowed, what is near."""

import re

import pytest

from evaluate.errors import PlanError, Problems
from evaluate.plan.load import load_plan

PLAN = """\
title: {en: A, sv: B}
design: randomised
data:
  participants: {path: p.csv}
columns:
  person: id
  gender: {column: sex, women: 1, men: 0}
  treatment: {column: treat, control: 0}
  takeup: {column: came, taken: 1}
covariates: [age]
outcomes:
  work: {column: w, unit: share}
analysis: {level: 0.95}
costs: {currency: SEK, price_year: 2022, amount: 5, outcomes: [work]}
assignment: {share: 0.5}
"""
GENDER = "{column: sex, women: 1, men: 0}"

UNKNOWN = [
    ("covariates:", "covariate:", 10, "covariate", "covariates"),
    ("p.csv}", "p.csv, delimeter: auto}", 4, "data.participants.delimeter", "delimiter"),
    ("person: id", "persn: id", 6, "columns.persn", "person"),
    (GENDER, "{column: sex, woman: 1, men: 0}", 7, "columns.gender.woman", "women"),
    ("control: 0}", "control: 0, arm: [1]}", 8, "columns.treatment.arm", "arms"),
    ("[age]", "[a, {colum: x}]", 10, "covariates, item 2, colum", "column"),
    ("[age]", "[a, {column: x, kin: numeric}]", 10, "covariates, item 2, kin", "kind"),
    ("unit: share}", "unit: share, rol: primary}", 12, "outcomes.work.rol", "role"),
    ("{level: 0.95}", "{levels: 0.95}", 13, "analysis.levels", "level"),
    ("level: 0.95", "matching: {neighbors: 1}", 13, "analysis.matching.neighbors", "neighbours"),
    ("[work]}", "[work], threshold: {form: 1, to: 2}}", 14, "costs.threshold.form", "from"),
    ("[work]}", "[work], roles: {a: {wagecost: 1}}}", 14, "costs.roles.a.wagecost", "wage_cost"),
    ("[work]}", "[work], claim: {hours_a_moth: 1}}", 14, "costs.claim.hours_a_moth",
     "hours_a_month"),
    ("[work]", "[work], benefits: [{yers: 1, outcome: w}]", 14, "costs.benefits, item 1, yers",
     "years"),
    ("{share: 0.5}", "{shares: 0.5}", 15, "assignment.shares", "share"),
    ("{share: 0.5}", "{share: {colum: p}}", 15, "assignment.share.colum", "column"),
]  # fmt: skip

WRONG = [
    ("randomised", "randomized", 2, "design: `randomized` is not among", "`randomised`"),
    (GENDER, "womn", 7, "columns.gender: `womn` is not among women, men", "`women`"),
    (GENDER, "[1, 2]", 7, "columns.gender: must be keys with values or women or men", ""),
    (GENDER, GENDER + "\n  titles: {offce: {en: office}}", 8,
     "titles.offce: is none of columns.blocks, columns.wave, groups and costs.site, which are: ",
     ""),
    (GENDER, "{column: sex, women: 1}", 7, "columns.gender.men: missing, and required", ""),
    (GENDER, "{column: sex, women: 1, men: 1.0}", 7, "women and men have the same code", ""),
    ("control: 0", "control: null", 8, "control: empty: must be true or false, a number or", ""),
    ("control: 0", "control: [0]", 8, "control: must be true or false, a number or a text", ""),
    ("control: 0", "control: 0, arms: [1, 0]", 8, "control and arms must be different", ""),
    ("control: 0", "control: 0, arms: []", 8, "arms: must not be empty", ""),
    ("[age]", "age", 10, "covariates: `age`: must be a list", ""),
    ("[age]", "[age, 3]", 10, "covariates, item 2: `3`: must be a text", ""),
    ("[age]", "[{column: a, kind: categorial}]", 10, "`categorial` is not among", "`categorical`"),
    ("[age]", "[age, age]", 10, "covariates: age more than once", ""),
    ("unit: share", "unit: share, role: primry", 12, "`primry` is not among", "`primary`"),
    ("unit: share", "unit: share, without: [x]", 12, "work.without: x not among the cov", ""),
    ("{column: w, ", "{column: w, spells: [1], ", 12, "exactly one of column, columns", ""),
    ("{column: w, ", "{columns: {a: w}, ", 12, "key: `a`: must be a whole number", ""),
    ("{column: w, unit: share}", "w", 12, "outcomes.work: `w`: must be keys with values: col", ""),
    ("0.95", "95", 13, "analysis.level: `95`: must be less than 1", ""),
    ("0.95", "often", 13, "analysis.level: `often`: must be a number", ""),
    ("{level: 0.95}", "{estimators: [lin, ancva]}", 13, "item 2: `ancva` is not among", "`ancova`"),
    ("{level: 0.95}", "{matching: {replace: yes}}", 13, "`yes`: must be true or false", ""),
    ("SEK", "kronor", 14, "costs.currency: `kronor`: must be three capitals", ""),
    ("amount: 5", "amount: 38 600", 14, "costs.amount: `38 600`: must be a number", ""),
    ("amount: 5", "amount: {1: 5, 2: -6}", 14, "costs.amount.2: `-6`: must be greater", ""),
    ("amount: 5", "rates: {EUR: {}}", 14, "costs.rates.EUR: must not be empty", ""),
    ("amount: 5", "amount: 5, column: k", 14, "amount and column exclude each other", ""),
    ("[work]}", "[work], roles: {a: {}}}", 14, "costs.roles.a: name wage_cost, unit_cost", ""),
    ("[work]}", "[work], roles: {a: {wage_cost: 0}}}", 14,
     "costs.roles.a.wage_cost: `0`: must be greater than 0", ""),
    ("[work]}", "[work], roles: {a: {wage_cost: {19: 4}}}}", 14, "wage_cost.19: key: `19`: must",
     ""),
    ("[work]}", "[work], roles: {1: {unit_cost: 2}, '1': {unit_cost: 2}}}", 14,
     "costs: roles: 1 more than once", ""),
    ("[work]}", "[work], claim: {flat_rate: 40}}", 14, "flat_rate: `40`: must be less than", ""),
    ("[work]}", "[wrk]}", 14, "costs.outcomes: `wrk` is not among work", ""),
    ("share: 0.5", "share: half", 15, "assignment.share: `half`: must be a number", ""),
    ("share: 0.5", "share: 1.5", 15, "assignment.share: `1.5`: must be less than 1", ""),
    ("share: 0.5", "share: {1: 0.5, 2: 1.2}", 15, "assignment.share.2: `1.2`: must be less", ""),
    ("share: 0.5", "share: {column: 3}", 15, "assignment.share.column: `3`: must be a text", ""),
    ("share: 0.5", "share: [0.5]", 15, "assignment.share: must be a number or keys with", ""),
    ("p.csv", "p.csv, delimiter: semicolon", 4, '`semicolon`: must be auto or one mark', ""),
    ("p.csv", "p.csv, sheet: 0", 4, "sheet: `0`: must be greater than or equal to 1", ""),
    ("p.csv", "p.csv, decimal: comma", 4, "`comma` is not among auto, ., ,", ""),
]  # fmt: skip

UNREADABLE = [
    (b"", "empty"),
    (b"# a comment only\n", "empty"),
    (b"- a\n- b\n", "not a list of `key: value`"),
    (b"a text\n", "not a list of `key: value`"),
    (PLAN.replace("person", "\tperson").encode(), "line 6: not YAML: indented with a tab"),
    (
        (PLAN + "design: randomised\n").encode(),
        "line 16: not YAML: the key `design` stands there tw",
    ),
    (PLAN.replace("[age]", "[age").encode(), r"line \d+: not YAML"),
    (PLAN.replace("en: A", "en: Å").encode("cp1252"), "not UTF-8. Save the file as UTF-8"),
    (PLAN.encode("utf-16"), "not UTF-8"),
    (PLAN.encode() + b"\x00", "not YAML: a character"),
    (PLAN.encode() + b"---\na: 1\n", "line 16: not YAML: but found another document"),
    (b"[" * 400, "not YAML"),
]


def problems(tmp_path, content):
    path = tmp_path / "p.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Problems) as error:
        load_plan(path)
    return error.value.problems


@pytest.mark.parametrize(("key", "wrong", "line", "said", "near"), UNKNOWN)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest(
    tmp_path, key, wrong, line, said, near
):
    (problem,) = problems(tmp_path, PLAN.replace(key, wrong))
    assert problem.endswith(f"p.yaml, line {line}: {said}: unknown key. Did you mean `{near}`?")


def test_known_keys_are_listed_where_none_is_near(tmp_path):
    (problem,) = problems(tmp_path, PLAN.replace("sv: B", "sv: B, xyz: C"))
    assert problem.endswith("title.xyz: unknown key. Known keys: en, sv.")


@pytest.mark.parametrize(("value", "wrong", "line", "said", "near"), WRONG)
def test_a_wrong_value_gives_one_message(tmp_path, value, wrong, line, said, near):
    assert value in PLAN
    (problem,) = problems(tmp_path, PLAN.replace(value, wrong, 1))
    assert f"p.yaml, line {line}: " in problem
    assert said in problem
    assert problem.endswith(f"Did you mean {near}?" if near else ".")


def test_all_faults_are_listed_in_the_order_of_the_file(tmp_path):
    text = PLAN.replace("randomised", "random").replace("[age]", "[1]").replace("SEK", "sek")
    found = problems(tmp_path, text + "simulated: yes\n")
    assert [int(re.search(r"line (\d+)", p)[1]) for p in found] == [2, 10, 14, 16]


def test_rules_between_sections_are_checked_all_at_once(tmp_path):
    text = PLAN.replace("[work]}", "[wrk]}").replace("[age]", "[age, age]")
    text = text.replace("unit: share", "unit: share, without: [x]")
    text = text.replace(GENDER, "men").replace("{level: 0.95}", "{slopes: shared}")
    keys = ["covariates", "outcomes.work.without", "analysis.slopes", "costs.outcomes"]
    found = problems(tmp_path, text)
    assert [re.search(r"line \d+: ([a-z.]+)", p)[1] for p in found] == keys


@pytest.mark.parametrize(("content", "said"), UNREADABLE)
def test_a_file_that_is_no_plan_gives_one_clear_message(tmp_path, content, said):
    path = tmp_path / "p.yaml"
    path.write_bytes(content)
    with pytest.raises(PlanError, match=said) as error:
        load_plan(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_missing_file_says_how_to_make_it(tmp_path, is_folder):
    path = tmp_path / "north.yaml"
    if is_folder:
        path.mkdir()
    with pytest.raises(PlanError, match=r"no such file. Make one with `evaluate new north`"):
        load_plan(path)


@pytest.mark.parametrize("word", ["no", "off", "yes", "on", "No", "12:30", "1e", "2019-01-31"])
def test_words_stay_text_as_in_yaml_1_2(tmp_path, word):
    path = tmp_path / "p.yaml"
    path.write_text(PLAN.replace("control: 0", f"control: {word}, arms: [a]"))
    assert load_plan(path).columns.treatment.control == word


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_plan_saved_on_windows_is_read(tmp_path, prefix, end):
    path = tmp_path / "p.yaml"
    path.write_bytes(prefix + PLAN.replace("en: A", "en: Å").replace("\n", end).encode())
    assert load_plan(path).title.en == "Å"
