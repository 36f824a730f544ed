"""A YAML file in, plain values with the place of each one out.

YAML is read by the rules of YAML 1.2: only `true` and `false` are booleans (`no` is text),
`2e-4` is a number, and there are no dates. Tags, merge keys, repeated keys and aliases that
expand without bound are problems; every problem is kept, none is raised before the end.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.errors import InputError, Problem, Span, shown_path

Place = tuple[str | int, ...]
"""The way to a value from the top of a document: ("gates", 0, "max_drop")."""

MAX_DEPTH = 40
MAX_ALIASED_VALUES = 10_000
MAX_DIGITS = 400

_WIDE = {  # the marks of UTF-32 first: that of UTF-16 begins one of them
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_WIDE_UNMARKED = {
    b"x\0\0\0": "utf-32-le", b"\0\0\0x": "utf-32-be", b"x\0x\0": "utf-16-le", b"\0x\0x": "utf-16-be"
}  # fmt: skip
"""By where the zeros are in the first two or four characters, which are ASCII."""

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


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """PyYAML's safe loader with the implicit types of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _name, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(_CORE + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


@dataclass(frozen=True)
class Document:
    """The values of one YAML file: `value` is plain data, the rest says where it stands.

    `keys` gives the place of a mapping's key, `values` that of any value, and `written` the
    text of each number and boolean as its author wrote it.
    """

    path: Path
    value: Any
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Place, Span] = field(default_factory=dict)
    values: dict[Place, Span] = field(default_factory=dict)
    written: dict[Place, str] = field(default_factory=dict)

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
    text = _decode(path)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise InputError([Problem(
                    _span(path, event.start_mark), f"nested more than {MAX_DEPTH} levels deep"
                )])  # fmt: skip
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise InputError([_syntax_problem(path, text, error)]) from error
    document = Document(path, None)
    value = _Builder(document).build(root, ()) if root is not None else None
    object.__setattr__(document, "value", value)
    return document


def wide_encoding(data: bytes) -> str | None:
    """The encoding of bytes that are text in UTF-16 or UTF-32, marked or not; None for all others."""
    marked = next((name for mark, name in _WIDE.items() if data.startswith(mark)), None)
    return marked or _WIDE_UNMARKED.get(re.sub(rb"[^\0]", b"x", data[:4]))


def _decode(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{shown_path(path)}: cannot be read: {error.strerror or error}"
        raise InputError([Problem(None, message, _unread(path, error))]) from error
    if wide := wide_encoding(data):
        raise InputError([Problem(
            Span(path, 1, 1), f"not UTF-8 text: it is {wide[:6].upper()}", "save the file as UTF-8"
        )])  # fmt: skip
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()  # without a byte order mark, as `error.start` is
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise InputError([Problem(
            Span(path, line, column),
            f"not UTF-8 text: saw byte 0x{error.object[error.start]:02x}",
            "save the file as UTF-8",
        )]) from error  # fmt: skip


def _unread(path: Path, error: OSError) -> str | None:
    """What to do about a file that cannot be read, where that is known."""
    if isinstance(error, PermissionError):
        return "let the user who runs this read it: chmod a+r"
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
    if "<document start>" in problem:
        return "the keys of the top begin in one column: is the first one indented?"
    if "mapping values are not allowed" in problem:
        return "a key begins its line, in the column of its neighbours; a text with ': ' in it needs quotes"
    if "but found another document" in problem:
        return "write one a file, without '---' between them"
    return None


class _Builder:
    """Turns composed nodes into plain values, noting places and problems as it goes."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: list[int] = []
        self.seen: set[int] = set()
        self.aliased = 0

    def problem(self, node: yaml.Node, message: str, hint: str | None = None) -> None:
        span = _span(self.document.path, node.start_mark)
        problem = Problem(span, message, hint)
        if problem not in self.document.problems:
            self.document.problems.append(problem)

    def build(self, node: yaml.Node, place: Place, aliased: bool = False) -> Any:
        self.document.values[place] = _span(self.document.path, node.start_mark)
        self.count(node, aliased)
        if id(node) in self.open:
            self.problem(node, "an alias that contains itself", "write the value out")
            return None
        if len(self.open) > MAX_DEPTH:  # aliases nest deeper than the text does
            raise InputError([Problem(
                _span(self.document.path, node.start_mark), f"nested more than {MAX_DEPTH} levels deep"
            )])  # fmt: skip
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, place)
        aliased = aliased or id(node) in self.seen
        self.seen.add(id(node))
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
            key = str(key_node.value)
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
        text = str(node.value)
        if tag in ("str", "merge"):  # '<<' is no merge where it is a value
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


def _whole_number(text: str) -> int:
    """The number; ValueError for none and for one too long to be meant."""
    if len(text) > MAX_DIGITS:
        raise ValueError
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _shown_tag(tag: str) -> str:
    return tag.replace(_CORE, "!!")
