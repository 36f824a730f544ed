"""The arguments of ForgettingCallback, in its docstring and on its page, with their defaults."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "harness" / "training" / "callback" / "callback.py"
PAGE = ROOT / "docs" / "mitigations.md"


def callback() -> ast.ClassDef:
    """The class as it is written, for importing it loads torch."""
    body = ast.parse(SOURCE.read_text(encoding="utf-8")).body
    return next(node for node in body if isinstance(node, ast.ClassDef) and node.name == "ForgettingCallback")


def arguments() -> dict[str, str]:
    """The arguments and their defaults, as text."""
    [init] = [
        node for node in callback().body if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    ]
    names = [argument.arg for argument in init.args.args[1:]]
    defaults = map(ast.unparse, init.args.defaults)
    return dict.fromkeys(names, "") | dict(zip(names[-len(init.args.defaults) :], defaults, strict=True))


def test_the_docstring_has_each_argument():
    text = (ast.get_docstring(callback()) or "").partition("Args:")[2].partition("Raises:")[0]
    assert re.findall(r"^    (\w+):", text, re.MULTILINE) == list(arguments())


def test_the_page_has_each_argument():
    table = PAGE.read_text(encoding="utf-8").partition("| argument |")[2]
    cells = re.findall(r"^\| (`[a-z].*?) \|", table, re.MULTILINE)
    told = [code.partition("=") for cell in cells for code in re.findall(r"`([^`]+)`", cell)]
    assert {name: default for name, _, default in told} == arguments()
