"""Imports follow the rooms of docs: down the list, never up; and a gate that is only collected loads no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [
    "visible", "spelling", "shipped", "digest", "limits", "normalise", "errors", "command_line", "versions", "writing", "wording", "tables", "terminal", "progress",
    "bounded", "documents", "lm_eval", "stats", "models", "suites", "recipes", "engine", "store", "scoring", "gate", "reporting",
    "evaluation", "training", "diagnosis", "authoring", "sweep", "repair", "blame", "sequence", "tune", "api", "plugin", "cli", "__main__",
]  # fmt: skip
"""A module may import from its own room and from those before it; the root package is anyone's."""

HEAVY = {"torch", "transformers", "peft", "accelerate"}
MODULES = sorted((ROOT / "harness").rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT / "harness").with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    """The absolute names of what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} line {node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_of(path: Path) -> set[str]:
    """The rooms that a module imports from."""
    names = (name.split(".") for name in imports(path))
    return {parts[1] for parts in names if parts[0] == "harness" and len(parts) > 1 and parts[1] in ROOMS}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_rooms(path):
    if path.parent == ROOT / "harness" and path.stem == "__init__":
        return  # it loads nothing by itself; a test of the public names says so
    allowed = set(ROOMS[: ROOMS.index(room(path)) + 1])
    assert rooms_of(path) <= allowed


def test_every_folder_is_a_room():
    seen = {room(path) for path in MODULES} - {"__init__"}
    assert seen <= set(ROOMS)


def test_stats_know_no_type_of_ours():
    seen = {found for path in MODULES if room(path) == "stats" for found in rooms_of(path)}
    assert seen <= {"errors", "stats"}


def test_only_the_back_end_and_training_import_torch():
    own = [ROOT / "harness" / room for room in ("engine/transformers", "engine/vllm", "training")]
    guilty = {
        str(path.relative_to(ROOT)): heavy
        for path in MODULES
        if not any(map(path.is_relative_to, own))
        and (heavy := HEAVY & {name.split(".")[0] for name in imports(path)})
    }
    assert guilty == {}


LIGHT = [
    "harness",
    "harness.api",
    "harness.authoring.lint_rules",
    "harness.authoring.noise_floor",
    "harness.authoring.power",
    "harness.engine.batching",
    "harness.engine.prompts",
    "harness.engine.registry",
    "harness.evaluation.ask",
    "harness.gate.verdict",
    "harness.lm_eval.results",
    "harness.models.reference",
    "harness.plugin",
    "harness.recipes.read",
    "harness.scoring",
    "harness.suites.read",
    "harness.training.references",
]


def test_the_plugin_leaves_torch_unloaded():
    assert [name for name in LIGHT if find_spec(name) is None] == []
    code = (
        "import importlib, sys\n"
        f"for name in {LIGHT}: importlib.import_module(name)\n"
        f"print(sorted({HEAVY | {'datasets', 'lm_eval'}} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


WITHOUT = {
    "numpy", "scipy", "filelock", "jsonschema", "jinja2",
    "harness.documents.hints", "harness.documents.mend", "harness.evaluation.session", "harness.gate.decide", "harness.lm_eval.build",
    "harness.models.reference", "harness.plugin.models", "harness.recipes.format", "harness.reporting.record",
    "harness.scoring.declining.stance", "harness.stats.paired", "harness.store.database",
}  # fmt: skip
"""What only a run that asks a model needs, or a file that is wrong."""


def test_collecting_loads_what_reading_takes_and_no_more():
    assert [name for name in WITHOUT if find_spec(name) is None] == []
    code = (
        "import sys, pytest\n"
        "code = pytest.main(['suites', '--collect-only', '-q', '-p', 'no:cacheprovider'])\n"
        f"print(int(code), sorted({WITHOUT | HEAVY} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0 []"
