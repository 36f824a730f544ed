"""docs/troubleshooting.md: each message that it quotes is one that the code can print."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "troubleshooting.md"
MESSAGES = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@cache
def texts() -> str:
    """Every text in the code, gaps as `…`."""
    found = []
    for path in (ROOT / "harness").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n\n".join(found)


def test_there_are_messages_of_every_exit_code():
    headings = re.findall(r"^## (\d):", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == ["1", "2", "4", "5"]
    assert len(MESSAGES) > 25


@pytest.mark.parametrize("message", MESSAGES)
def test_the_code_has_the_message(message):
    pattern = re.escape(message).replace("…", r"[^\n]*?")
    assert re.search(pattern, texts()), "not in the code any more: change the page"
