"""Every block of code in the README and in docs/ is one: it can be read, and what it imports is there."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

import harness
from harness.documents.document import document_of

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    (page.relative_to(ROOT).as_posix(), kind, code)
    for page in PAGES
    for kind, code in BLOCK.findall(page.read_text(encoding="utf-8"))
]

RUN_BY = {
    "README.md": "tests/tiny/test_examples.py",
    "docs/architecture.md": "tests/tiny/test_architecture.py",
    "docs/authoring.md": "tests/plugin/test_examples.py",
    "docs/engines.md": "tests/plugin/test_examples.py",
    "docs/equal.md": "tests/tiny/test_equal_forms.py",
    "docs/mitigations.md": "tests/tiny/test_examples.py",
    "docs/record.md": "tests/unit/docs/test_record_page.py",
}
"""The tests that run the Python of each page, as printed."""


@pytest.mark.parametrize(("page", "kind", "code"), BLOCKS, ids=[f"{page}-{kind}" for page, kind, _ in BLOCKS])
def test_a_block_can_be_read(page, kind, code):
    match kind:
        case "python":
            _check_imports(ast.parse(code))
        case "yaml":
            assert document_of(Path(page), code).problems == []
        case "toml":
            tomllib.loads(code)
        case "json":
            json.loads(code)
        case "csv":
            rows = list(csv.reader(io.StringIO(code), strict=True))
            assert len({len(row) for row in rows}) == 1
        case _:
            assert kind == "", "a kind of code that nothing checks"


def _check_imports(tree: ast.Module) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "harness":
            assert {alias.name for alias in node.names} <= set(harness.__all__)
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("harness."):
            assert find_spec(str(node.module))
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "harness"
        ):
            assert node.attr in harness.__all__


def test_the_python_of_every_page_is_run_by_a_test():
    assert {page for page, kind, _ in BLOCKS if kind == "python"} == RUN_BY.keys()
    for page, test in RUN_BY.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")
