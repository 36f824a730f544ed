"""An option in a message is spelled as its reader writes it; no room below the edges names a flag of a command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import HarnessError, InputError, LimitError, ModelError, Problem, Span
from harness.spelling import in_python, on_command_line, option

ROOT = Path(__file__).parents[2]
EDGES = {"cli", "command_line.py", "plugin", "sweep"}
"""What only a command line reaches."""

FOR_A_SHELL = {"authoring/examples.py", "authoring/starter/__init__.py", "reporting/next_steps.py"}
"""What people who run commands read or paste."""

COMMAND = re.compile(r"(?:python -m|python \w+\.py|pytest \S+|run:) [^\n]*")
FLAG = re.compile(r"(?<!var\()--[a-z]")


@pytest.mark.parametrize(
    ("mark", "shell", "python"),
    [
        (option("allow_pickle"), "--allow-pickle", "allow_pickle=True"),
        (option("strict"), "--strict", "strict=True"),
        (option("template"), "--template", "template"),
        (option("template", "baseline"), "--template=baseline", "template='baseline'"),
        (option("baseline", "PATH_OR_HUB_ID"), "--baseline=PATH_OR_HUB_ID", "baseline=PATH_OR_HUB_ID"),
        (option("allow_key", "beta"), "--allow-key=beta", "allow_keys=['beta']"),
        (option("allow_key"), "--allow-key", "allow_keys"),
        (option("template_arg", "a=false"), "--template-arg=a=false", "template_arguments={'a': False}"),
        (option("template_arg", "a=b c"), "--template-arg=a=b c", "template_arguments={'a': 'b c'}"),
        (option("template_arg"), "--template-arg", "template_arguments"),
        (option("thinking_tokens"), "--thinking-tokens", "thinking_tokens"),
    ],
)
def test_an_option_is_spelled_as_its_reader_writes_it(mark, shell, python):
    text = f"allow it: {mark} (or not)"
    assert on_command_line(text) == f"allow it: {shell} (or not)"
    assert in_python(text) == f"allow it: {python} (or not)"


@pytest.mark.parametrize(
    "text", ["⟦x⟧ = 3", "⟦allow_pickle⟧", "⟦option", "option allow_pickle⟧", "⟦option 3⟧"]
)
def test_what_somebody_else_wrote_stays(text):
    assert on_command_line(text) == in_python(text) == text


def test_an_error_is_pythons_unless_a_command_line_shows_it():
    error = ModelError(f"tuned: is pickled\n  allow it: {option('allow_pickle')}")
    assert str(error) == "tuned: is pickled\n  allow it: allow_pickle=True"
    assert error.on_command_line == "tuned: is pickled\n  allow it: --allow-pickle"
    assert repr(error) == r"ModelError('tuned: is pickled\n  allow it: allow_pickle=True')"


def test_an_error_that_is_taken_up_by_another_is_spelled_with_it():
    cause = ModelError(f"base: is pickled\n  allow it: {option('allow_pickle')}")
    assert HarnessError(f"tuned: has no base\n  {cause.text}").on_command_line.endswith(
        "allow it: --allow-pickle"
    )
    limit = LimitError("too long", f"shorten it, or {option('sample')}")
    assert (str(limit), limit.on_command_line) == (
        "too long\n  shorten it, or sample",
        "too long\n  shorten it, or --sample",
    )


def test_problems_of_a_file():
    problem = Problem(Span(Path("s.yaml"), 1, 2), "leads outside", f"allow it: {option('allow_outside')}")
    for found in (problem, InputError([problem])):
        assert str(found) == "s.yaml:1:2: leads outside\n  allow it: allow_outside=True"
        assert found.on_command_line == "s.yaml:1:2: leads outside\n  allow it: --allow-outside"


def low_modules() -> Iterator[Path]:
    for path in sorted((ROOT / "harness").rglob("*.py")):
        inside = path.relative_to(ROOT / "harness")
        if inside.parts[0] not in EDGES and inside.as_posix() not in FOR_A_SHELL:
            yield path


def strings(tree: ast.AST) -> Iterator[str]:
    """What a module says, a text with values in it as one; docstrings are for who reads the code."""
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in parts | documents
        ):
            yield node.value


def flags(source: str) -> list[str]:
    return [text for text in strings(ast.parse(source)) if FLAG.search(COMMAND.sub("", text))]


@pytest.mark.parametrize("path", list(low_modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_low_room_names_a_flag(path):
    assert flags(path.read_text(encoding="utf-8")) == []


def test_a_flag_would_be_found():
    assert flags("f'{x}: allow it: --allow-pickle {y}'") == ["{}: allow it: --allow-pickle {}"]
    assert (
        flags("'''--model'''\ny = 'var(--page)'\nz = 'run: {x} --force'\n'pytest suites/ --model=REF'") == []
    )
