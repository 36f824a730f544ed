"""The text of a YAML file in, PyYAML's nodes out."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from harness.errors import InputError, Span
from harness.limits import MOST_DIRECTIVES, MOST_VALUES

MAX_DEPTH = 40
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"
IN_DATA = "put the probes into a data file, which may be larger: 'probes_from: probes.jsonl'"

HALF_A_PAIR = ("half a surrogate pair is not a character", "write the character itself")

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line for YAML."""

CORE = "tag:yaml.org,2002:"
"""How the tags of YAML's own types begin."""

_ESCAPE = re.compile(r"\\(?:u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})|.)")
_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS = [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
]


class _BoundError(yaml.MarkedYAMLError):
    """More than is read; `note` says what to do about it."""


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """PyYAML's safe loader with the implicit types of YAML 1.2's core schema, bounded in depth and in values.

    PyYAML composes recursively, so deep nesting would overflow Python's stack. It calls these two hooks around each node.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    depth = 0
    nodes = 0

    def descend_resolver(self, parent: yaml.Node | None, index: object) -> None:
        self.depth += 1
        self.nodes += 1
        if parent is not None and self.depth > MAX_DEPTH + 1:
            raise _BoundError(None, None, TOO_DEEP, parent.start_mark)
        if parent is not None and self.nodes > MOST_VALUES:
            raise _BoundError(None, None, f"more than {MOST_VALUES:,} values", parent.start_mark, IN_DATA)

    def ascend_resolver(self) -> None:
        self.depth -= 1


for _name, _pattern, _first in _RESOLVERS:
    _Loader.add_implicit_resolver(CORE + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


def compose(path: Path, text: str) -> tuple[yaml.Node | None, str | None]:
    """The root node of a text, and the mark that `node_text` needs.

    Args:
        path: the file that errors name.

    Raises:
        yaml.YAMLError: the text is not YAML.
        InputError: it is more than is read.
    """
    _check_directives(path, text)
    marked, mark = with_pairs_marked(text)
    try:
        return yaml.compose(marked, Loader=_Loader), mark
    except _BoundError as error:
        raise InputError.at(span_of(path, error.problem_mark), str(error.problem), error.note) from error
    except yaml.MarkedYAMLError as error:
        if is_too_deep(error):
            raise InputError.at(span_of(path, error.problem_mark), TOO_DEEP) from error
        raise


def is_too_deep(error: yaml.MarkedYAMLError) -> bool:
    """Whether libyaml, which reads ahead of our hooks, stopped at its own limit of nesting (since PyYAML 6.0.4)."""
    return str(error.problem).endswith("maximum nesting depth")


def span_of(path: Path, mark: Any) -> Span:
    """The place of one of PyYAML's marks, which count from 0."""
    return Span(path, mark.line + 1, mark.column + 1)


def _check_directives(path: Path, text: str) -> None:
    """PyYAML compares each `%TAG` with all before it, so thousands of them would take minutes."""
    found = list(islice(re.finditer(r"^%", text, re.MULTILINE), MOST_DIRECTIVES + 1))
    if len(found) > MOST_DIRECTIVES:
        raise InputError.at(
            Span(path, text.count("\n", 0, found[-1].start()) + 1, 1),
            f"more than {MOST_DIRECTIVES} lines that begin with '%', which YAML takes for directives",
            "remove them",
        )


# Surrogate pairs


def with_pairs_marked(text: str) -> tuple[str, str | None]:
    r"""The text with each backslash of a surrogate pair replaced by a mark, and the mark; None where no pair can be.

    JSON is YAML, and writers of JSON escape a character beyond the basic plane as a pair (`\ud83d\ude00`), which PyYAML
    refuses. Any character of private use that the text does not have can be the mark.
    """
    if "\\u" not in text:
        return text, None
    used = set(text)
    mark = next(chr(number) for number in range(0xE000, 0x10FFFE) if chr(number) not in used)

    def marked(escape: re.Match[str]) -> str:
        return f"{mark}u{escape[1]}{mark}u{escape[2]}" if escape[1] else escape[0]

    return _ESCAPE.sub(marked, text), mark


def node_text(node: yaml.ScalarNode, mark: str | None) -> str:
    """The text of a node: a marked pair is its character in double quotes, and a plain backslash elsewhere."""
    text = str(node.value)
    if mark is None or mark not in text:
        return text
    if node.style != '"':
        return text.replace(mark, "\\")
    pair = rf"{mark}u(.{{4}}){mark}u(.{{4}})"
    return re.sub(pair, lambda found: bytes.fromhex(found[1] + found[2]).decode("utf-16-be"), text)
