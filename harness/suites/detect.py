"""A file in; whether it is a suite, nearly one, or neither out, from its bytes and without parsing them.

A project has other YAML, which is left alone. Other tools have a key `suite` too, so it makes a suite only beside another
telling key. A file that is nearly a suite is refused or reported, for a suite that is passed over protects nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from harness.documents.text_file import read_bytes, wide_encoding
from harness.errors import reason
from harness.suites.acceptance import FILE as ACCEPTED

KEYS = (
    "suite",
    "about",
    "severity",
    "task",
    "score",
    "gates",
    "probes",
    "generators",
    "probes_from",
    "from",
    "needs",
    "lint_ignore",
)
"""All keys at the top of a suite."""

PROBES = frozenset({"probes", "generators", "probes_from"})
"""The keys that hold a suite's probes."""

TELLING = PROBES | {"suite", "gates"}
"""The keys that are typical of a suite; files of many other tools have the rest."""

ENDINGS = (".yaml", ".yml")

MOST_KEYS = 40
"""A file with more unknown keys at its top is not a suite, so their spelling is not compared."""

LIST = "it is a list, and a suite is a mapping"

_KEY = re.compile(r"^((?:[ \t]|-(?=[ \t]))*)([\"']?)([A-Za-z_][\w-]*)\2[ \t]*:", re.MULTILINE)
_KEY_IN_BRACES = re.compile(r"[{,]\s*[\"']?([A-Za-z_][\w-]*)[\"']?\s*:")
_NAME = re.compile(r"\.y[aml]{2,4}(?:[^a-z0-9]|$)", re.IGNORECASE)
_BLANK = "\0\ufeff \t\r\n"


@dataclass(frozen=True)
class Sniffed:
    """What a file is, and why a file that is nearly a suite is not one."""

    kind: Literal["suite", "nearly", "none"]
    reason: str = ""


SUITE, NONE = Sniffed("suite"), Sniffed("none")


def sniff(path: Path) -> Sniffed:
    """What a file is. A file that cannot be read is nearly a suite if it is named like one."""
    if not may_be_suite(path):
        return NONE
    named = has_ending(path)
    try:
        text = _text(read_bytes(path))
    except OSError as error:
        return Sniffed("nearly", f"it cannot be read ({reason(error)})") if named else NONE
    found = _by_keys(text)
    if path.name == ACCEPTED and found.kind == "nearly":
        return NONE
    if named or found is NONE:
        return found
    if "\0" in text:  # an editor's swap file
        return NONE
    return Sniffed("nearly", "a suite's name ends in .yaml or .yml")


def has_ending(path: Path) -> bool:
    """Whether a file has the name of a suite."""
    return path.suffix.lower() in ENDINGS


def may_be_suite(path: Path) -> bool:
    """Whether a file's name is a suite's or nearly one: `x.yml`, `x.yml.txt`, `x.yaml~`, `x.ymal`."""
    return _NAME.search(path.name) is not None


_NOT_ENTERED = frozenset({"pyvenv.cfg", "conda-meta", "CACHEDIR.TAG"})
"""Names that mark the folder around them as an environment of Python, or as a cache (https://bford.info/cachedir), such as pytest's."""


def look_through(folder: Path) -> Iterator[tuple[Path, Sniffed]]:
    """The suites, and what is nearly one, in a folder and below, in order; links that lead nowhere too."""
    for path in sorted(filter(may_be_suite, _files(folder))):
        if leads_nowhere(path) or path.is_file():
            found = sniff(path)
            if found is not NONE:
                yield path, found


def _files(folder: Path) -> Iterator[Path]:
    """All files in a folder and below: behind links too, but each folder once, and no environment, cache or closed folder."""
    seen = {os.path.realpath(folder)}
    for top, folders, names in os.walk(folder, followlinks=True):
        if Path(top) != folder and not _NOT_ENTERED.isdisjoint((*folders, *names)):
            folders.clear()
            continue
        real = {name: os.path.realpath(Path(top, name)) for name in sorted(folders)}
        folders[:] = [name for name, target in real.items() if target not in seen]
        seen.update(real.values())
        yield from (Path(top, name) for name in names)


def is_folder(path: Path) -> bool:
    """Whether it is a folder; False for a path that cannot be followed, of which the reader says why."""
    try:
        return path.is_dir()
    except OSError:
        return False


def leads_nowhere(path: Path) -> bool:
    """Whether it is a link to nothing, to itself, or into a folder that may not be entered."""
    try:
        return path.is_symlink() and not path.exists()
    except OSError:
        return True


def _text(data: bytes) -> str:
    """The text of a file in any encoding; the reader reports that it must be UTF-8."""
    if b"\0" not in data[:4] and data[:1] not in (b"\xff", b"\xfe"):
        return data.decode("utf-8-sig", "replace")
    return data.decode(wide_encoding(data) or "utf-8", "replace").removeprefix("\ufeff")


def _by_keys(text: str) -> Sniffed:
    """What a file with this text is."""
    if not text.strip(_BLANK):
        return Sniffed("nearly", "it is empty")
    text = text.replace("\r", "\n")
    first = _first_line(text)
    listed = first[0] == "[" or first.split()[0] == "-"
    if first.lstrip("-[ \t").startswith("{"):
        keys = _KEY_IN_BRACES.findall(text)
        return _inside(keys, LIST) if listed else _at_the_top(keys)
    # Without a parser the column of a key is all there is of its depth.
    written = [(len(indent), "\t" in indent, key) for indent, _, key in _KEY.findall(text)]
    if not written:
        return NONE
    lowest = min(column for column, _, _ in written)
    top = [key for place, (column, _, key) in enumerate(written) if column == lowest or place == 0]
    if listed:
        return _inside(top, LIST)
    if written[0][1]:
        return _inside(top, "its keys are indented with tabs")
    if len(set(top)) == 1 and len(written) > 1:
        second = min((column for column, _, _ in written if column > lowest), default=lowest)
        below = [key for column, _, key in written if column == second]
        return _inside(below, f"its keys are nested under '{top[0]}'")
    return _at_the_top(top)


def _first_line(text: str) -> str:
    """The first line that is neither empty, a comment, a directive nor the mark of a document."""
    lines = (line.strip() for line in text.split("\n"))
    return next((line for line in lines if line and not line.startswith(("#", "%", "---"))), "-")


def _at_the_top(keys: Collection[str]) -> Sniffed:
    """What a file with these keys at its top is."""
    exact, near = _keys_of_a_suite(keys)
    if "suite" in exact and exact & (TELLING | {"from"}) - {"suite"}:
        return SUITE
    if "gates" in exact and (exact | near.keys()) & PROBES:
        return SUITE
    if set(keys) == {"suite"}:
        return Sniffed("nearly", "it has 'suite' and nothing else")
    found = exact | near.keys()
    telling = found & TELLING
    if len(found) < 2 or not (exact & TELLING or len(telling) > 1 or (telling and len(found) > 2)):
        return NONE
    if near:
        return Sniffed("nearly", " and ".join(f"its key '{key}' may be '{own}'" for own, key in near.items()))
    missing = [f"no '{key}'" for key in ("suite", "gates", "probes") if key not in exact]
    return Sniffed("nearly", f"it has {' and '.join(missing)}")


def _inside(keys: Collection[str], reason: str) -> Sniffed:
    """What a file with these keys below its top is: there, two of them must be typical of a suite."""
    exact, near = _keys_of_a_suite(keys)
    return Sniffed("nearly", reason) if len((exact | near.keys()) & TELLING) > 1 else NONE


def _keys_of_a_suite(keys: Collection[str]) -> tuple[set[str], dict[str, str]]:
    """The keys of a suite among these, and the typical ones that are misspelt: {"probes": "prboes"}."""
    exact = set(keys) & set(KEYS)
    near: dict[str, str] = {}
    others = dict.fromkeys(key for key in keys if key not in exact)
    for key in others if len(others) <= MOST_KEYS else ():
        left = [own for own in sorted(TELLING - exact) if own[0] == key[0].lower()]
        if match := get_close_matches(key.lower(), left, n=1, cutoff=0.8):
            near.setdefault(match[0], key)
    return exact, near
