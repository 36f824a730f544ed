"""docs/architecture.md: each example, written where it says and with the lines that it names, works; its rooms are the rooms."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"<!-- example: (\w+) (\S+) -->\n```python\n(.*?)```", re.DOTALL)
EXAMPLES = {name: (path, code) for name, path, code in EXAMPLE.findall(PAGE)}

SUITE = """\
suite: words
score: SCORE
gates: [{over: each}]
probes:
  - {id: reed, question: Which word is like reed?, answer: "REED?", severity: critical}
"""
RECIPE = "recipe: r\nbase: BASE\ncorpus: {file: c.jsonl}\nmethod: {full: {}}\nl1_sp: 0.5\nlearning_rate: 0.01\nsteps: 2\nbatch: 2\n"


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A copy of the package, in which examples are written."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "harness", "harness", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def write(name: str) -> None:
    path, code = EXAMPLES[name]
    assert not Path(path).exists(), "it would be new"
    Path(path).write_text(code, encoding="utf-8")


def insert(path: str, *lines: tuple[str, str]) -> None:
    """Put a line of ours before one that is there."""
    text = Path(path).read_text(encoding="utf-8")
    for line, before in lines:
        assert text.count(before) == 1, f"{before!r} in {path}"
        text = text.replace(before, line + before)
    Path(path).write_text(text, encoding="utf-8")


def ran(*arguments: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path.cwd()),
        "FORGETTING_GATE_CACHE": str(Path.cwd() / "cache"),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        encoding="utf-8",
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr}"


def gated(model: str, *arguments: str) -> str:
    return ran(
        "-m",
        "pytest",
        "-q",
        "-p",
        "harness.plugin",
        "words.yaml",
        "--model",
        model,
        "--baseline",
        "upper:loud",
        *arguments,
    )


def test_a_scorer_an_engine_and_a_report(package):
    write("scorer")
    insert(
        "harness/scoring/__init__.py",
        ("anagram, ", "check, choice, composed, number, python, refusal, structured, text\n"),
    )
    write("engine")
    (line,) = re.findall(r'`("upper": "\S+")`', PAGE)
    insert("harness/engine/registry.py", (f"    {line},\n", '    "gguf": "harness'))
    write("report")
    (line,) = re.findall(r'`("csv": "\S+")`', PAGE)
    insert("harness/reporting/formats.py", (f"    {line},\n", '    "terminal":'))
    Path("words.yaml").write_text(
        SUITE.replace("SCORE", "anagram").replace("REED?", "DEER"), encoding="utf-8"
    )

    assert gated("upper:loud", "--baseline", "same").startswith("0\n")
    assert "the baseline was right and the tuned model is wrong" in gated("upper:silent")
    shown = ran("-m", "harness", "rescore", "reports/latest", "--format", "csv")
    assert shown == "1\nsuite,slice,n,drop,verdict,outcome\nwords,probe[reed],1,1.0,FORGOTTEN,failed\n\n"
    assert '"anagram"' in ran("-m", "harness", "schema")


def test_a_mitigation(package, base):
    write("mitigation")
    insert(
        "harness/recipes/mitigations/__init__.py",
        (
            "from harness.recipes.mitigations.l1_sp import L1_SP\n",
            "from harness.recipes.mitigations.l2_sp import L2_SP\n",
        ),
        ("    L1_SP,\n", "    L2_SP,\n"),
    )
    Path("r.yaml").write_text(RECIPE.replace("BASE", str(base)), encoding="utf-8")
    Path("c.jsonl").write_text('{"prompt": "a", "answer": "b"}\n' * 4, encoding="utf-8")
    assert '"l1_sp"' in ran("-m", "harness", "schema", "recipe")
    code = (
        "from pathlib import Path; from harness.recipes.read import read_recipe; from harness.engine.settings import Settings\n"
        "from harness.training.train import trained_sources\n"
        "none = lambda label, unit='': lambda done, total: None\n"
        "print(trained_sources(read_recipe(Path('r.yaml')), None, Settings(device='cpu'), print, none).tuned.folder)\n"
    )
    assert ran("-c", code).startswith("0\n")


def test_the_rooms_of_the_page_are_the_rooms():
    rooms = [name.rstrip("/") for name in re.findall(r"^\| `([\w/]+/)` \|", PAGE, re.MULTILINE)]
    folders = {
        path.parent.relative_to(ROOT / "harness").as_posix()
        for path in (ROOT / "harness").rglob("__init__.py")
    }
    parts = {
        "authoring/starter", "recipes/mitigations", "reporting/history", "reporting/html", "scoring/declining",
        "training/callback", "training/edits", "training/penalties", "training/weighting",
    }  # fmt: skip
    assert set(rooms) == folders - {"."} - parts
    from tests.unit.test_imports import ROOMS

    assert [name for name in rooms if "/" not in name] == [name for name in ROOMS if name in rooms]
