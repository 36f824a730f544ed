"""The names that users import: all in `harness`, each loaded when it is used; README and docs need nothing deeper."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import harness

ROOT = Path(__file__).parents[2]
ABOUT_THE_INSIDE = ROOT / "docs/architecture.md"
DOCUMENTS = [ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {ABOUT_THE_INSIDE})]
BY_PATH = {"harness.plugin", "harness.shipped"}
"""What pytest takes by its path."""

LIGHT = [name for name in harness.__all__ if name not in ("EWCRegularizer", "ForgettingCallback")]


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


def test_no_public_name_is_lost():
    assert set(harness.__all__) >= {
        "Answer", "Chat", "ChatText", "ChoiceLogProbs", "Continuations", "EWCRegularizer", "Endpoint", "Engine", "EngineError", "ForgettingCallback",
        "ForgettingWarning", "FunctionEngine", "Generate", "Generated", "HarnessError", "InputError", "LimitError",
        "LogLikelihood", "Message", "ModelError", "MultipleChoice", "NoEvidenceError", "Plain", "Progress", "Prompt",
        "Reasoning", "RecipeError", "Request", "RollingLogLikelihood", "Scorer", "ScorerError", "Settings", "SuiteError",
        "__version__", "compare_forgetting", "create_replay_dataset", "engine_for", "evaluate_general_qa",
        "run_forgetting_checklist", "run_gate", "scorer",
    }  # fmt: skip


@pytest.mark.parametrize("name", harness.__all__)
def test_a_public_name_can_be_imported(name):
    assert getattr(harness, name) is not None
    assert name in dir(harness)


def test_a_name_that_is_not_public_is_an_error():
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'Engines'"):
        _ = harness.Engines


def test_type_checkers_know_the_public_names():
    tree = ast.parse(Path(harness.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    known = {alias.asname: node.module for node in block.body for alias in node.names}
    assert known == {name: module for module, names in harness._PUBLIC.items() for name in names}


def test_the_root_loads_no_room():
    assert (
        run("import harness, sys; print([name for name in sys.modules if name.startswith('harness.')])")
        == "[]"
    )


def test_what_is_no_training_loads_no_torch():
    code = f"import sys; from harness import {', '.join(LIGHT)}; print({{'torch', 'transformers'}} & set(sys.modules))"
    assert run(code) == "set()"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_nothing_deeper(path):
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w/.-])harness(?:\.[A-Za-z_]\w*)+", text))
    imported = {
        name.strip()
        for names in re.findall(r"^\s*from harness import \(?([^()]+?)\)?$", text, re.MULTILINE)
        for name in names.split(",")
    }
    assert named <= {f"harness.{name}" for name in harness.__all__} | BY_PATH
    assert imported <= set(harness.__all__)


def test_readme_imports_what_it_shows():
    """So that the test before cannot pass for want of a match."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "from harness import compare_forgetting, evaluate_general_qa" in text
    assert "`harness.Engine`" in text
