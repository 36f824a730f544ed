"""A project's own settings in, the same with ours at the end out; where they leave no place for ours, what to do by hand."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from harness import __version__
from harness.errors import HarnessError, reason, shown_path

PYPROJECT, INI = Path("pyproject.toml"), Path("pytest.ini")
PRE_COMMIT, IGNORE = Path(".pre-commit-config.yaml"), Path(".gitignore")

OWN_SETTINGS = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
"""Files of which pytest takes its settings even if they are empty."""

SECTIONS = {"tox.ini": "pytest", "setup.cfg": "tool:pytest"}

IGNORED = ("/reports/",)

HOOK = """\
{indent}- repo: https://github.com/OWNER/forgetting-gate
{indent}  rev: v{version}
{indent}  hooks:
{indent}    - id: forgetting-gate-lint
"""


class Merged(NamedTuple):
    """A file, its new text or None to leave it as it is, and a note on what to do by hand."""

    path: Path
    text: str | None
    note: str | None = None


def pytest_settings(folder: Path, top: Path) -> Merged:
    """Settings by which `pytest` alone goes on to run what it ran before, or the suites where there are no tests.

    Settings between the folder and the top of its repository stay in force, as they would not beside new ones in the folder.

    Raises:
        HarnessError: pyproject.toml, setup.cfg or tox.ini cannot be read.
    """
    paths = _paths(folder)
    here = folder.resolve()
    above = [place for place in (here, *here.parents) if place.is_relative_to(top.resolve())]
    for place in above:
        if owner := _owner(place):
            has = "testpaths" in _read(place / owner)
            named = " ".join((here.relative_to(place) / path).as_posix() for path in paths)
            shown = owner if place == here else shown_path(place / owner)
            note = f"{shown} has pytest's settings: name your tests there, testpaths = {named}"
            return Merged(owner, None, None if has else note)
    if not (folder / PYPROJECT).exists():
        return Merged(INI, f"[pytest]\ntestpaths = {' '.join(paths)}\n")
    table = f"[tool.pytest.ini_options]\ntestpaths = {json.dumps(paths)}\n"
    text = _with_end(_read(folder / PYPROJECT), f"\n{table}")
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:  # `tool` is written in braces
        return Merged(PYPROJECT, None, f"{PYPROJECT}: add\n{table.rstrip()}")
    return Merged(PYPROJECT, text)


def pre_commit_text(folder: Path) -> Merged:
    """The hook that lints suites, after those of the project; raises HarnessError if its file cannot be read."""
    path = folder / PRE_COMMIT
    if not path.exists():
        return Merged(PRE_COMMIT, "repos:\n" + _hook("  "))
    text = _read(path)
    if "forgetting-gate-lint" in text:
        return Merged(PRE_COMMIT, None)
    before = _parsed(path, text, yaml.safe_load, yaml.YAMLError)
    first = re.search(r"^( *)- +repo:", text, re.MULTILINE)
    added = _with_end(text, _hook(first[1] if first else "  "))
    hook = yaml.safe_load(_hook(""))
    if isinstance(before, dict) and isinstance(before.get("repos"), list):
        if _loaded(added) == {**before, "repos": [*before["repos"], *hook]}:
            return Merged(PRE_COMMIT, added)
    return Merged(PRE_COMMIT, None, f"{PRE_COMMIT}: add to its repos\n{_hook('    ').rstrip()}")


def ignore_lines(folder: Path) -> Merged:
    """The folders that git is to leave out, after those of the project; raises HarnessError if its file cannot be read."""
    text = _read(folder / IGNORE) if (folder / IGNORE).exists() else ""
    have = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in IGNORED if line.strip("/") not in have]
    return Merged(IGNORE, _with_end(text, "".join(f"{line}\n" for line in missing)) if missing else None)


def _paths(folder: Path) -> list[str]:
    """Where a project has its tests; the suites, in one that has none."""
    if tests := [name for name in ("tests", "test") if (folder / name).is_dir()]:
        return tests
    patterns = ("test_*.py", "*_test.py")
    return [pattern for pattern in patterns if any(folder.glob(pattern))] or ["suites"]


def _owner(folder: Path) -> Path | None:
    """The file that has pytest's settings, if one does."""
    for name in OWN_SETTINGS:
        if (folder / name).exists():
            return Path(name)
    if (path := folder / PYPROJECT).exists():
        values = _parsed(path, _read(path), tomllib.loads, tomllib.TOMLDecodeError)
        if "pytest" in values.get("tool", {}):
            return PYPROJECT
    for name, section in SECTIONS.items():
        if (path := folder / name).exists():
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            _parsed(path, _read(path), parser.read_string, configparser.Error)
            if parser.has_section(section):
                return Path(name)
    return None


def _hook(indent: str) -> str:
    return HOOK.format(indent=indent, version=__version__)


def _with_end(text: str, end: str) -> str:
    whole = text + ("\n" if text and not text.endswith("\n") else "") + (end if text else end.lstrip("\n"))
    return whole.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in text else whole


def _loaded(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise HarnessError(f"{shown_path(path)}: cannot be read: {why}; nothing was written") from error


def _parsed(path: Path, text: str, parse: Callable[[str], Any], kind: type[Exception]) -> Any:
    try:
        return parse(text)
    except kind as error:
        what = str(error).partition("\n")[0]
        raise HarnessError(
            f"{shown_path(path)}: cannot be read: {what}\n  mend it first; nothing was written"
        ) from error
