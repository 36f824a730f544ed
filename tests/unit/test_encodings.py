"""Every text file, and what a process says, is read and written in an encoding that the code names, whatever the machine's own is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPEN = {"open", "read_text", "write_text", "fdopen", "NamedTemporaryFile", "TextIOWrapper"}
STARTED = {"run", "Popen", "call", "check_call", "check_output"}


def unnamed(tree: ast.AST) -> Iterator[int]:
    """The lines that open a file, or the pipes of a process, as text in no encoding of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            method = isinstance(node.func, ast.Attribute)
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = {keyword.arg for keyword in node.keywords}
            texts = [
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
            binary = any(text.strip("rwxa+") == "b" for text in texts)
            opens = name in (OPEN if method else {"open"}) and not binary and not _of_the_system(node)
            asks = name in STARTED and given & {"text", "universal_newlines"}
            if (opens or asks) and "encoding" not in given:
                yield node.lineno


def _of_the_system(node: ast.Call) -> bool:
    """Whether it is `os.open`, which gives a number."""
    return isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in (
        "os",
        "PIL",
        "tarfile",
    )


def test_the_guard_sees_them():
    code = "a.read_text()\na.open()\na.open('rb')\na.write_text(x, encoding='utf-8')\nos.open(a, 1)\nopen(a, 'w')\n"
    code += "run(a, text=True)\nrun(a, encoding='utf-8')\n"
    assert list(unnamed(ast.parse(code))) == [1, 2, 6, 7]


@pytest.mark.parametrize(
    "path",
    [path for folder in ("harness", "tools") for path in sorted((ROOT / folder).rglob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_each_names_its_encoding(path):
    assert list(unnamed(ast.parse(path.read_text(encoding="utf-8")))) == []
