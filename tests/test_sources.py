"""Sources: what a script stands on is what Python loads for it, no less."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evaluate.sources import PACKAGE, closure, resources

SCRIPTS = sorted((Path(__file__).parents[1] / "workflow" / "scripts").glob("*.py"))
LOADED = """
import importlib, json, runpy, sys
found = {}
for script, names in json.load(sys.stdin).items():
    for name in [n for n in sys.modules if n.split(".")[0] == "evaluate"]:
        del sys.modules[name]
    runpy.run_path(script, run_name="script")
    for name in names:
        importlib.import_module(name)
    found[script] = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "evaluate"]
print(json.dumps(found))
"""


def name_of(path):
    parts = ("evaluate", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(p for p in parts if p != "__init__")


def test_a_script_stands_on_every_module_that_it_loads():
    stated = {str(script): closure(script) for script in SCRIPTS}
    # Modules imported inside functions are loaded by name: nothing may lie beyond them.
    names = {script: [name_of(path) for path in paths] for script, paths in stated.items()}
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(
        command, input=json.dumps(names), capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    assert {s: set(map(Path, files)) for s, files in loaded.items()} == {
        script: set(paths) for script, paths in stated.items()
    }


def test_every_module_is_found_from_another_or_from_a_script(tmp_path):
    everything = tmp_path / "all.py"
    modules = [p for p in PACKAGE.rglob("*.py") if "_workflow" not in p.parts]
    everything.write_text("".join(f"import {name_of(p)}\n" for p in modules))
    assert set(closure(everything)) == set(modules)


@pytest.mark.parametrize(
    "statement",
    [
        "import evaluate.data.flow",
        "import evaluate.data.flow as f",
        "from evaluate.data import flow",
        "from evaluate.data.flow import Flow",
        "def f():\n    from evaluate.data.flow import Flow",
        "if True:\n    import os, evaluate.data.flow",
        "if True:\n    pass\nelse:\n    import evaluate.data.flow",
        "try:\n    pass\nexcept OSError:\n    import evaluate.data.flow",
        "try:\n    pass\nfinally:\n    import evaluate.data.flow",
        "match 1:\n    case 1:\n        import evaluate.data.flow",
        "def f():\n    for a in b:\n        with a:\n            import evaluate.data.flow",
    ],
)
def test_every_form_of_import_counts(tmp_path, statement):
    script = tmp_path / "script.py"
    script.write_text(statement)
    names = [path.relative_to(PACKAGE).as_posix() for path in closure(script)]
    assert names == ["__init__.py", "data/__init__.py", "data/flow.py"]


def test_what_is_no_module_of_the_package_does_not_count(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os, numpy\nfrom evaluated import x\nfrom evaluate import nothing\n")
    assert closure(script) == [PACKAGE / "__init__.py"]


def test_no_import_is_relative_or_by_name():
    """Neither would be found."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id == "import_module":
                assert path.name == "demo.py", path  # packages of others


def test_resources_are_files_of_the_package():
    texts = resources("report/texts/*.yaml")
    assert [path.name for path in texts] == ["en.yaml", "sv.yaml"]
