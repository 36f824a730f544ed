"""A YAML file in, plain values with the place of each one out.

YAML is read by the rules of YAML 1.2: only `true` and `false` are booleans (`no` is text),
`2e-4` is a number, and there are no dates. Tags, merge keys, repeated keys and aliases that
expand without bound are problems; every problem is kept, none is raised before the end.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from harness.documents.problems import Problems
from harness.documents.text_file import read_text
from harness.documents.written import HALF
from harness.errors import InputError, Problem, Span, reason, shown_path
from harness.limits import (
    MOST_ALIASED_CHARACTERS,
    MOST_BYTES,
    MOST_DIGITS,
    MOST_DIRECTIVES,
    MOST_VALUES,
)

Place = tuple[str | int, ...]
"""The way to a value from the top of a document: ("gates", 0, "max_drop")."""

MAX_DEPTH = 40
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
TOO_MANY = f"more than {MOST_VALUES:,} values"
IN_DATA = "probes may stand in a data file, which may be larger: write 'probes_from: probes.jsonl'"
MAX_ALIASED_VALUES = 10_000

_ESCAPE = re.compile(r"\\(?:u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})|.)")
_COMMENT = re.compile(r"[ \t]+#[ \t]*([^\r\n]*)")
HALF_A_PAIR = "half a surrogate pair is no character"
WHOLE_CHARACTER = "write the character itself"

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_RESOLVERS = [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
]


class _BoundError(Exception):
    """More than is read: what, where, and what to do about it."""

    def __init__(self, message: str, mark: Any, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.mark = mark
        self.hint = hint


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """PyYAML's safe loader with the implicit types of YAML 1.2's core schema; deep nesting would overflow its stack."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    depth = 0
    nodes = 0

    def descend_resolver(self, parent: yaml.Node | None, index: object) -> None:
        """Called before each node, with the collection that it is in."""
        self.depth += 1
        self.nodes += 1
        if parent is not None and self.depth > MAX_DEPTH + 1:
            raise _BoundError(TOO_DEEP, parent.start_mark)
        if parent is not None and self.nodes > MOST_VALUES:
            raise _BoundError(TOO_MANY, parent.start_mark, IN_DATA)

    def ascend_resolver(self) -> None:
        """Called after each node."""
        self.depth -= 1


for _name, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_CORE + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


@dataclass(frozen=True)
class Document:
    """The values of one YAML file: `value` is plain data, the rest says where it stands.

    `keys` gives the place of a mapping's key, `values` that of any value, `written` the text of each
    number and boolean as its author wrote it, and `comments` what follows an unquoted text in its line.
    """

    path: Path
    value: Any
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Place, Span] = field(default_factory=dict)
    values: dict[Place, Span] = field(default_factory=dict)
    written: dict[Place, str] = field(default_factory=dict)
    comments: dict[Place, str] = field(default_factory=dict)

    def span(self, place: Place) -> Span:
        """Where `place` is: its key if it has one, else its value, else what encloses it."""
        while place:
            if found := self.keys.get(place) or self.values.get(place):
                return found
            place = place[:-1]
        return self.values.get((), Span(self.path, 1, 1))


def read_document(path: Path) -> Document:
    """Read one YAML file.

    Raises InputError for text that is not UTF-8 or not YAML. What can be read around (a repeated
    key, a tag) is in `Document.problems` instead, so that a caller can report everything at once.
    """
    return document_of(path, _text(path))


def document_of(path: Path, text: str) -> Document:
    """The same of a text; `path` names it in what is said of it."""
    _check_directives(path, text)
    marked, mark = _with_pairs_marked(text)
    try:
        root = yaml.compose(marked, Loader=_Loader)
    except _BoundError as error:
        raise InputError([Problem(_span(path, error.mark), error.message, error.hint)]) from error
    except yaml.YAMLError as error:
        raise InputError([_syntax_problem(path, text, error)]) from error
    document = Document(path, None)
    if root is not None:
        builder = _Builder(document, text, mark)
        object.__setattr__(document, "value", builder.build(root, ()))
        document.problems.extend(builder.problems)
    return document


def _text(path: Path) -> str:
    try:
        return read_text(path, MOST_BYTES)
    except OSError as error:
        message = f"{shown_path(path)}: cannot be read: {reason(error)}"
        raise InputError([Problem(None, message, _unread(path, error))]) from error


def _check_directives(path: Path, text: str) -> None:
    found = list(islice(re.finditer(r"^%", text, re.MULTILINE), MOST_DIRECTIVES + 1))
    if len(found) > MOST_DIRECTIVES:
        raise InputError([Problem(
            Span(path, text.count("\n", 0, found[-1].start()) + 1, 1),
            f"more than {MOST_DIRECTIVES} lines that begin with '%', which YAML takes for directives", "remove them",
        )])  # fmt: skip


def _with_pairs_marked(text: str) -> tuple[str, str | None]:
    """The text with a mark for each backslash of a surrogate pair, which JSON writers make and YAML readers refuse.

    The mark is a character of private use that the text does not have, None where there may be no pair.
    """
    if "\\u" not in text:
        return text, None
    used = set(text)
    mark = next(chr(number) for number in range(0xE000, 0x10FFFE) if chr(number) not in used)

    def marked(escape: re.Match[str]) -> str:
        return f"{mark}u{escape[1]}{mark}u{escape[2]}" if escape[1] else escape[0]

    return _ESCAPE.sub(marked, text), mark


def _unread(path: Path, error: OSError) -> str | None:
    """What to do about a file that cannot be read, where that is known."""
    if isinstance(error, PermissionError):
        return "let the user who runs this read it: chmod a+r"
    if error.errno == errno.EFBIG:
        return IN_DATA
    if path.is_symlink():
        return f"it is a link to {path.readlink()}"
    return None


def _span(path: Path, mark: Any) -> Span:
    return Span(path, mark.line + 1, mark.column + 1)


def _syntax_problem(path: Path, text: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    message = " ".join(
        part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part
    )
    if mark is None:
        found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
        position = found.start() if found else 0
        line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
        seen = f"character U+{ord(text[position]):04X}" if found else str(error)
        return Problem(Span(path, line, column), f"not YAML: {seen} is not allowed")
    if message.endswith("maximum nesting depth"):  # libyaml reads ahead
        return Problem(_span(path, mark), TOO_DEEP)
    lines = text.splitlines()
    line_text = lines[mark.line] if mark.line < len(lines) else ""
    if indent := re.match(r"[ -]*\t", line_text):
        return Problem(
            Span(path, mark.line + 1, indent.end()),
            "not YAML: a tab where YAML takes only spaces",
            "indent with spaces",
        )
    return Problem(_span(path, mark), f"not YAML: {message or error}", _remedy(lines, mark, error))


def _remedy(lines: list[str], mark: Any, error: yaml.YAMLError) -> str | None:
    """What to do about the mistakes that are made most, in an author's words."""
    opened, problem = getattr(error, "context_mark", None), str(getattr(error, "problem", None))
    if opened is not None and not "".join(lines[mark.line :])[mark.column :].strip():
        return f"what begins in line {opened.line + 1} has no end; is the file all there?"
    if "invalid Unicode character escape" in problem:
        return f"{HALF_A_PAIR}; {WHOLE_CHARACTER}"
    if "<document start>" in problem:
        return "the keys of the top begin in one column: is the first one indented?"
    if "mapping values are not allowed" in problem:
        return "a key begins its line, in the column of its neighbours; a text with ': ' in it needs quotes"
    if "but found another document" in problem:
        return "write one a file, without '---' between them"
    return None


class _Builder:
    """Turns composed nodes into plain values, noting places and problems as it goes."""

    def __init__(self, document: Document, text: str, mark: str | None) -> None:
        self.document = document
        self.whole = text
        self.mark = mark
        self.open: list[int] = []
        self.seen: set[int] = set()
        self.aliased = 0
        self.aliased_characters = 0
        self.problems = Problems(error=InputError)

    def problem(self, node: yaml.Node, message: str, hint: str | None = None) -> None:
        self.problems.add(Problem(_span(self.document.path, node.start_mark), message, hint))

    def build(self, node: yaml.Node, place: Place, aliased: bool = False) -> Any:
        self.document.values[place] = _span(self.document.path, node.start_mark)
        self.count(node, aliased)
        if id(node) in self.open:
            self.problem(node, "an alias that contains itself", "write the value out")
            return None
        repeated = id(node) in self.seen
        self.seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            if repeated:
                self.count_text(node)
            return self.scalar(node, place)
        if len(self.open) >= MAX_DEPTH:  # aliases nest deeper than the text does
            raise InputError([Problem(_span(self.document.path, node.start_mark), TOO_DEEP)])
        aliased = aliased or repeated
        if not node.tag.startswith(_CORE) or node.tag[len(_CORE) :] not in ("map", "seq"):
            self.problem(node, f"the tag '{_shown_tag(node.tag)}' is not allowed", "remove the tag")
            return None
        self.open.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return dict(self.entries(node, place, aliased))
            return [self.build(child, (*place, index), aliased) for index, child in enumerate(node.value)]
        finally:
            self.open.pop()

    def count(self, node: yaml.Node, aliased: bool) -> None:
        """Stop at once, with one clear problem, where aliases multiply without bound."""
        self.aliased += aliased
        if self.aliased > MAX_ALIASED_VALUES:
            raise InputError([Problem(
                _span(self.document.path, node.start_mark),
                f"aliases expand to more than {MAX_ALIASED_VALUES} values",
                "write the values out",
            )])  # fmt: skip

    def count_text(self, node: yaml.ScalarNode) -> None:
        """A long text may be named in a character or two, and be read, looked through and asked each time."""
        self.aliased_characters += len(node.value)
        if self.aliased_characters > MOST_ALIASED_CHARACTERS:
            raise InputError([Problem(
                _span(self.document.path, node.start_mark),
                f"aliases expand to more than {MOST_ALIASED_CHARACTERS:,} characters",
                "write the values out, or put a text that all prompts have into 'task'",
            )])  # fmt: skip

    def entries(self, node: yaml.MappingNode, place: Place, aliased: bool) -> Iterator[tuple[str, Any]]:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problem(key_node, "a key must be text, saw a list or mapping")
                continue
            if key_node.tag == _CORE + "merge":
                self.problem(key_node, "merge keys ('<<') are not supported", "write the keys out")
                continue
            if not key_node.tag.startswith(_CORE):
                self.problem(key_node, f"the tag '{key_node.tag}' is not allowed", "remove the tag")
            key = self.text(key_node)
            if key in first:
                self.problem(
                    key_node,
                    f"repeated key '{key}'",
                    f"it stands in line {first[key]} already; YAML would keep only the last",
                )
                continue
            first[key] = key_node.start_mark.line + 1
            self.document.keys[*place, key] = _span(self.document.path, key_node.start_mark)
            yield key, self.build(value_node, (*place, key), aliased)

    def scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        tag = node.tag.removeprefix(_CORE)
        text = self.text(node)
        if tag in ("str", "merge"):  # '<<' is no merge where it is a value
            if not node.style and (comment := _COMMENT.match(self.whole, node.end_mark.index)):
                self.document.comments[place] = comment[1]
            return text
        if tag == "null":
            return None
        if tag not in ("bool", "int", "float"):
            self.problem(node, f"the tag '{_shown_tag(node.tag)}' is not allowed", "remove the tag")
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
        """The text of a node; a surrogate pair is its character in double quotes, and not looked at elsewhere."""
        text = str(node.value)
        if self.mark is not None and self.mark in text:
            if node.style != '"':
                return text.replace(self.mark, "\\")
            pair = rf"{self.mark}u(.{{4}}){self.mark}u(.{{4}})"
            text = re.sub(pair, lambda found: bytes.fromhex(found[1] + found[2]).decode("utf-16-be"), text)
        if HALF.search(text):
            self.problem(node, HALF_A_PAIR, WHOLE_CHARACTER)
        return text


def _whole_number(text: str) -> int:
    """The number; ValueError for none and for one too long to be meant."""
    if len(text) > MOST_DIGITS:
        raise ValueError
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _shown_tag(tag: str) -> str:
    return tag.replace(_CORE, "!!")
