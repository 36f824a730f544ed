"""A YAML file in, plain values with the place of each one out.

YAML is read by the rules of YAML 1.2: only `true` and `false` are booleans (`no` is text), `2e-4` is a number, and there
are no dates. Tags, merge keys, repeated keys and aliases that expand without bound are problems; all problems of a file
are reported together.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Never

import yaml

from harness.documents.problems import Problems
from harness.documents.text_file import read_text
from harness.documents.written import HALF
from harness.documents.yaml_nodes import (
    BREAK,
    CORE,
    HALF_A_PAIR,
    IN_DATA,
    MAX_DEPTH,
    TOO_DEEP,
    compose,
    node_text,
    span_of,
)
from harness.errors import InputError, Problem, Span, reason, shown_path
from harness.limits import MOST_ALIASED_CHARACTERS, MOST_BYTES, MOST_DIGITS

Place = tuple[str | int, ...]
"""The way to a value from the top of a document: ("gates", 0, "max_drop")."""

MAX_ALIASED_VALUES = 10_000

_COMMENT = re.compile(r"[ \t]+#[ \t]*([^\r\n]*)")
_COLLECTIONS = (f"{CORE}map", f"{CORE}seq")


@dataclass(frozen=True)
class Document:
    """The values of one YAML file, and where each of them is."""

    path: Path
    value: Any
    """Plain data."""
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Place, Span] = field(default_factory=dict)
    """Where the key of each value in a mapping is."""
    values: dict[Place, Span] = field(default_factory=dict)
    written: dict[Place, str] = field(default_factory=dict)
    """The text of each number and boolean as its author wrote it."""
    comments: dict[Place, str] = field(default_factory=dict)
    """The comment that follows an unquoted text in its line."""
    lines: Sequence[str] = field(default=(), repr=False)
    """The text of the file, line by line."""
    folded: dict[Place, int] = field(default_factory=dict)
    """Texts of several lines that YAML joins to one, each with the number of its last line."""
    told: frozenset[int] = frozenset()
    """The lines of which a problem says all: those that were not YAML, and are read as their author may have meant them."""

    def span(self, place: Place) -> Span:
        """Where `place` is: its key if it has one, else its value, else what encloses it."""
        while place:
            if found := self.keys.get(place) or self.values.get(place):
                return found
            place = place[:-1]
        return self.values.get((), Span(self.path, 1, 1))

    def line(self, span: Span | None) -> str | None:
        """The line that a place is in; None if it is unknown, as that of a row of data is."""
        return self.lines[span.line - 1] if span and span.line <= len(self.lines) else None

    def rest(self, span: Span | None) -> str:
        """The line that a place is in from there on; "" if it is unknown."""
        line = self.line(span)
        return line[span.column - 1 :] if span and line else ""


def read_document(path: Path) -> Document:
    """Read one YAML file.

    Raises InputError for text that is not UTF-8 or not YAML. Faults that leave the rest readable (a repeated key, a tag)
    are in `Document.problems`, so that a caller can report everything at once.
    """
    try:
        text = read_text(path, MOST_BYTES)
    except OSError as error:
        message = f"{shown_path(path)}: cannot be read: {reason(error)}"
        raise InputError.at(None, message, _remedy(path, error)) from error
    try:
        return _document(path, text)
    except yaml.YAMLError:
        return _mended_document(path, text)


def document_of(path: Path, text: str) -> Document:
    """Read a text of YAML as `read_document` does, if it is YAML; `path` names it in messages."""
    try:
        return _document(path, text)
    except yaml.YAMLError as error:
        from harness.documents.yaml_faults import fault_of

        raise InputError([fault_of(text, error).problem(path)]) from error


def _mended_document(path: Path, text: str) -> Document:
    """The document that a text which is not YAML was meant to be, with the faults among its problems."""
    from harness.documents.mend import HIDDEN, mended

    found = mended(path, text)
    if found.text is None:
        raise InputError([*found.problems, Problem(None, HIDDEN)])
    try:
        document = _document(path, found.text)
    except InputError as error:
        raise InputError([*found.problems, *error.problems]) from error
    problems = [
        problem for problem in document.problems if problem.span and problem.span.line not in found.lines
    ]
    return replace(document, problems=[*found.problems, *problems], told=found.lines | document.told)


def _document(path: Path, text: str) -> Document:
    root, mark = compose(path, text)
    builder = _Builder(Document(path, None, lines=BREAK.split(text)), text, mark)
    value = None if root is None else builder.build(root, ())
    return replace(
        builder.document, value=value, problems=list(builder.problems), told=frozenset(builder.told)
    )


def _remedy(path: Path, error: OSError) -> str | None:
    """What to do about a file that cannot be read, where that is known."""
    if isinstance(error, PermissionError):
        return "let the user who runs this read it: chmod a+r"
    if error.errno == errno.EFBIG:
        return IN_DATA
    with suppress(OSError):  # it is no link, or its path is too long
        return f"it is a link to {path.readlink()}"
    return None


class _Builder:
    """Turns composed nodes into plain values, noting places and problems on the way.

    An alias is the node that it names, so the values of a node are built once for each place that names it.
    """

    def __init__(self, document: Document, text: str, mark: str | None) -> None:
        self.document = document
        self.source = text
        self.mark = mark
        self.open: list[int] = []
        self.seen: set[int] = set()
        self.told: set[int] = set()
        self.aliased = 0
        self.aliased_characters = 0
        self.problems = Problems(error=InputError)

    def span(self, node: yaml.Node) -> Span:
        return span_of(self.document.path, node.start_mark)

    def problem(self, node: yaml.Node, message: str, hint: str | None = None) -> None:
        self.problems.add(Problem(self.span(node), message, hint))

    def refuse(self, node: yaml.Node, message: str, hint: str | None = None) -> Never:
        raise InputError.at(self.span(node), message, hint)

    def refuse_tag(self, node: yaml.Node) -> None:
        shown = node.tag.replace(CORE, "!!")
        hint = "remove it; text that begins with '!' needs quotes"
        self.problem(node, f"'{shown}' is a tag for YAML, and not allowed", hint)
        self.told.add(node.start_mark.line + 1)

    def build(self, node: yaml.Node, place: Place, aliased: bool = False) -> Any:
        self.document.values[place] = self.span(node)
        repeated = id(node) in self.seen
        self.count(node, aliased, repeated)
        if id(node) in self.open:
            self.problem(node, "an alias that contains itself", "write the value out")
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, place)
        if len(self.open) >= MAX_DEPTH:  # aliases nest deeper than the text does
            self.refuse(node, TOO_DEEP)
        if node.tag not in _COLLECTIONS:
            self.refuse_tag(node)
            return None
        aliased = aliased or repeated
        self.open.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return dict(self.entries(node, place, aliased))
            return [self.build(child, (*place, index), aliased) for index, child in enumerate(node.value)]
        finally:
            self.open.pop()

    def count(self, node: yaml.Node, aliased: bool, repeated: bool) -> None:
        """Stop at once, with one clear problem, where aliases multiply values, or repeat a long text, without bound."""
        self.aliased += aliased
        if self.aliased > MAX_ALIASED_VALUES:
            self.refuse(
                node, f"aliases expand to more than {MAX_ALIASED_VALUES} values", "write the values out"
            )
        if repeated and isinstance(node, yaml.ScalarNode):
            self.aliased_characters += len(node.value)
        if self.aliased_characters > MOST_ALIASED_CHARACTERS:
            self.refuse(
                node,
                f"aliases expand to more than {MOST_ALIASED_CHARACTERS:,} characters",
                "write the values out, or put text that all prompts share into 'task'",
            )

    def entries(self, node: yaml.MappingNode, place: Place, aliased: bool) -> Iterator[tuple[str, Any]]:
        first: dict[str, int] = {}
        is_item = bool(place) and isinstance(place[-1], int) and not node.flow_style
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                hint = "text that begins with '{' or '[' needs quotes" if key_node.flow_style else None
                self.problem(key_node, "a key must be text, saw a list or mapping", hint)
                continue
            if key_node.tag == f"{CORE}merge":
                self.problem(key_node, "merge keys ('<<') are not supported", "write the keys out")
                continue
            if not key_node.tag.startswith(CORE):
                self.refuse_tag(key_node)
            key = self.text(key_node)
            if key in first:
                hint = f"the first is in line {first[key]}; YAML would keep only the last"
                if is_item and key == next(iter(first)):
                    line = self.document.lines[key_node.start_mark.line].strip()
                    hint = f"does a new item begin here? write: - {line[:100]}"
                    self.problem(key_node, f"repeated key '{key}'", hint)
                    break
                self.problem(key_node, f"repeated key '{key}'", hint)
                continue
            first[key] = key_node.start_mark.line + 1
            self.document.keys[*place, key] = self.span(key_node)
            yield key, self.build(value_node, (*place, key), aliased)

    def scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        tag = node.tag.removeprefix(CORE)
        text = self.text(node)
        if tag in ("str", "merge"):  # '<<' is no merge where it is a value
            if node.end_mark.line > node.start_mark.line + 1 and node.style != "|":
                self.document.folded[place] = node.end_mark.line
            if not node.style and (comment := _COMMENT.match(self.source, node.end_mark.index)):
                self.document.comments[place] = comment[1]
            return text
        if tag == "null":
            return None
        if tag not in ("bool", "int", "float"):
            self.refuse_tag(node)
            return None
        self.document.written[place] = text
        try:
            if tag == "bool":
                return {"true": True, "false": False}[text.lower()]
            if tag == "int":
                return _whole_number(text)
            return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
        except (ValueError, KeyError):
            self.problem(node, f"'{text[:40]}' is not a value of type {tag}", "quote it to mean text")
            return None

    def text(self, node: yaml.ScalarNode) -> str:
        text = node_text(node, self.mark)
        if HALF.search(text):
            self.problem(node, *HALF_A_PAIR)
        return text


def _whole_number(text: str) -> int:
    """The number; ValueError for none and for one too long to be meant."""
    if len(text) > MOST_DIGITS:
        raise ValueError
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
