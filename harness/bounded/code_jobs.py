"""The blocks of an answer and the names that its tests use in, the Python to run out: a job for `harness.bounded.bounded`.

Nothing runs here. But Python's own parser may need a long time, much memory or too deep a stack for what a model wrote.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

MOST_COMPILED = 300
"""At most this many pieces of a text without fences are tried."""

MOST_LINES = 400
"""The longest code that is looked for in a text without fences."""

PYTHON = ("", "python", "py", "python3", "py3", "pycon", "ipython", "python-repl")
BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError)
_STARTS = re.compile(
    r"[ \t]*(?:(?:async|def|class|import|from|if|for|while|try|with)\b|@\w|[A-Za-z_][\w.]*[ ]?"
    r"(?:\(|\[|[-+*/]?=(?!=)| =|:[ ]?[\w.]+ =)|>>>[ ])"
)
"""A line that may begin a statement; words in a row do not."""


@dataclass(frozen=True)
class Code:
    """Python that compiles, and how much its place says that it is meant as the answer."""

    source: str
    rank: int

    @cached_property
    def body(self) -> list[ast.stmt]:
        return ast.parse(self.source).body

    @cached_property
    def names(self) -> set[str]:
        """What the module binds."""
        return {
            symbol.get_name()
            for symbol in symtable.symtable(self.source, "answer", "exec").get_symbols()
            if symbol.is_assigned() or symbol.is_imported()
        }

    @cached_property
    def needs(self) -> set[str]:
        """The globals that the module uses and neither binds nor gets from Python."""
        tables = [symtable.symtable(self.source, "answer", "exec")]
        used: set[str] = set()
        while tables:
            table = tables.pop()
            tables += table.get_children()
            used |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
        return used - self.names - set(dir(builtins))

    def gives(self, name: str) -> bool:
        return name in self.names or bool(self.classes_with(name))

    @cached_property
    def stubs(self) -> set[str]:
        """The functions of the module that do nothing, as where only a signature is shown."""
        return {
            step.name
            for step in self.body
            if isinstance(step, ast.FunctionDef)
            and all(isinstance(each, ast.Pass) or _is_constant(each) for each in step.body)
        }

    def classes_with(self, method: str) -> list[str]:
        """The classes of the module that define such a method."""
        return [step.name for step in self.body if isinstance(step, ast.ClassDef) and _has(step, method)]


def _is_constant(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)


def _has(kind: ast.ClassDef, method: str) -> bool:
    """Whether a class defines a method that an instance can call: it takes `self`, or is static or of the class."""
    for step in kind.body:
        if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef) and step.name == method:
            first = (*step.args.posonlyargs, *step.args.args)[:1]
            marks = {mark.id for mark in step.decorator_list if isinstance(mark, ast.Name)}
            return bool(marks & {"staticmethod", "classmethod"}) or [each.arg for each in first] == ["self"]
    return False


def program(fenced: list[list[str]], plain: list[str], spans: list[str], wanted: list[str]) -> str | None:
    """The code of an answer that gives `wanted`, completed as `harness.scoring.python.Python` says, or None.

    Args:
        fenced: text, language and "closed" or "open" for each fenced block.
        plain: the parts outside of fences.
        spans: the inline code.
    """
    with suppress(*BROKEN):  # what compiles may still be too deep to be taken apart
        return _program(fenced, plain, spans, wanted)
    return None


def _program(fenced: list[list[str]], plain: list[str], spans: list[str], wanted: list[str]) -> str | None:
    found = [code for text, language, end in fenced for code in _of_a_fence(text, language, end == "open")]
    found = [*_of_plain(plain), *(Code(span, -1) for span in spans if fault(span) is None), *found]
    counts = [
        (sum(map(code.gives, wanted)), -len(code.stubs & set(wanted)), code.rank, place)
        for place, code in enumerate(found)
    ]
    most, _, _, place = max(counts, default=(0, 0, 0, 0))
    if not most:
        blocks = [code for code in found if code.rank > 0]
        return max(blocks, key=lambda code: code.rank).source if blocks else None
    chosen = _without_questions(found[place], set(wanted))
    whole = _completed(chosen, found[place + 1 :], found[:place], set(wanted))
    return whole.source + "".join(_from_classes(whole, wanted))


def fault(source: str) -> int | None:
    """The line, from 1, at which a text is not Python, 0 for none in particular, or None if it is Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "answer", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.lineno or 0
    except BROKEN:
        return 0
    return None


# Fenced blocks


def _of_a_fence(text: str, language: str, is_open: bool) -> Iterator[Code]:
    rank = (4 if language in PYTHON else 2) - is_open
    if fault(text) is None:
        yield Code(text, rank)
    elif ">>>" in text:
        yield from _of_a_session(text, rank)
    elif is_open:
        lines = text.split("\n")
        if end := _longest(lines, Tries()):
            yield Code("\n".join(lines[:end]), rank)


def _of_a_session(text: str, rank: int) -> Iterator[Code]:
    """What was typed at the prompts `>>>` and `...`, without bare expressions; and what has no prompt, without output."""
    typed: list[str] = []
    rest: list[str] = []
    place = "outside"
    for line in text.split("\n"):
        bare = line.lstrip()
        if bare.startswith(">>>") or (bare.startswith("...") and place == "prompt"):
            typed.append(bare[4:])
            place = "prompt"
        elif place != "outside" and bare:
            place = "output"
        else:
            rest.append(line)
            place = "outside"
    if fault(source := "\n".join(typed)) is None:
        kept = [step for step in ast.parse(source).body if not isinstance(step, ast.Expr)]
        yield Code(ast.unparse(ast.Module(kept, [])), rank)
    if fault(source := textwrap.dedent("\n".join(rest))) is None:
        yield Code(source, rank)


# Text without fences


class Tries:
    """How many pieces may still be compiled."""

    def __init__(self) -> None:
        self.left = MOST_COMPILED

    def fault(self, lines: Sequence[str]) -> int | None:
        self.left -= 1
        return fault("\n".join(lines)) if self.left >= 0 else 0


def _of_plain(parts: Iterable[str]) -> Iterator[Code]:
    """The runs of lines in the parts that are Python, as long as they can be."""
    tries = Tries()
    for part in parts:
        if ">>>" in part:
            yield from _of_a_session(part, 0)
        lines = part.split("\n")
        at = 0
        while at < len(lines):
            run = _indented(lines, at) if _STARTS.match(lines[at]) else []
            end = _longest(run, tries)
            if end:
                yield Code("\n".join(run[:end]), 0)
            at += end or 1


def _indented(lines: Sequence[str], at: int) -> list[str]:
    """The lines from `at` on that are indented as far as the first, which then is not."""
    margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    run = []
    for line in lines[at : at + MOST_LINES]:
        if line.strip() and not line.startswith(margin):
            break
        run.append(line[len(margin) :])
    return run


def _longest(lines: Sequence[str], tries: Tries) -> int:
    """The number of lines in the longest beginning that is Python, without words at its end that only look like it."""
    end = len(lines)
    while end and (line := tries.fault(lines[:end])) is not None:
        end = min(end, line) - 1 if line else 0
    while end:
        body = ast.parse("\n".join(lines[:end])).body
        if body and not _does_nothing(body[-1]):
            break
        end = body[-1].lineno - 1 if body else 0
    return end


def _does_nothing(step: ast.stmt) -> bool:
    if isinstance(step, ast.Expr):
        return not isinstance(step.value, ast.Call | ast.Await)
    return isinstance(step, ast.AnnAssign) and step.value is None


# The whole program


def _without_questions(code: Code, wanted: set[str]) -> Code:
    """The code up to its first step that asks for input, if what is wanted stands before it."""
    askers = {"input"}
    for place, step in enumerate(code.body):
        used = {node.id for node in ast.walk(step) if isinstance(node, ast.Name)}
        if not used & askers:
            continue
        if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef):
            askers.add(step.name)
        elif not isinstance(step, ast.ClassDef):
            before = Code(ast.unparse(ast.Module(code.body[:place], [])), code.rank)
            return before if all(before.gives(name) for name in wanted if code.gives(name)) else code
    return code


def _completed(code: Code, after: Sequence[Code], before: Sequence[Code], wanted: set[str]) -> Code:
    """The code after the definitions that it needs from the other pieces: the nearest before it, else the first after."""
    needs = (wanted | code.needs) - code.names - {name for name in wanted if code.gives(name)}
    added: list[str] = []
    steps = [step for other in reversed(before) for step in reversed(other.body)]
    steps += [step for other in after for step in other.body]
    while needs:
        step = next((step for step in steps if needs & _bound(step)), None)
        if step is None:
            break
        steps.remove(step)
        piece = Code(ast.unparse(step), 0)
        added.insert(0, piece.source)
        needs = (needs | piece.needs) - piece.names - code.names
    whole = "\n".join([*added, code.source])
    return Code(whole, code.rank) if added and fault(whole) is None else code


def _bound(step: ast.stmt) -> set[str]:
    """The names that a definition, an import or an assignment binds; none for steps of other kinds."""
    match step:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {(alias.asname or alias.name).split(".")[0] for alias in names}
        case ast.Assign(targets=targets):
            return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return set()


def _from_classes(code: Code, wanted: Iterable[str]) -> Iterator[str]:
    """A line for each wanted name that only a method of one class has."""
    for name in wanted:
        if name not in code.names and len(classes := code.classes_with(name)) == 1:
            yield f"\n{name} = {classes[0]}().{name}\n"


JOBS = {"program": program}
