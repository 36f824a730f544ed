"""A folder in, the files with which a project begins out: a first suite, and what runs it in pytest, pre-commit and CI.

Workflow and hook go to the top of the repository, where alone GitHub and pre-commit look for them.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.authoring.starter.merging import ignore_lines, pre_commit_text, pytest_settings
from harness.documents.yaml_lines import double_quoted
from harness.errors import HarnessError, shown_path

SUITE = Path("suites", "everyday_facts.yaml")
WORKFLOW = Path(".github", "workflows", "forgetting.yml")
HERE = Path(__file__).parent


@dataclass
class Start:
    """The files to write, whole, by their paths; and what is left for the user to do by hand."""

    files: dict[Path, str] = field(default_factory=dict)
    by_hand: list[str] = field(default_factory=list)


def start(folder: Path, model: str, baseline: str | None) -> Start:
    """What to write into a folder, which may be empty or a repository; nothing of the user's is lost or changed.

    Raises:
        HarnessError: the suite or the workflow exists, a file of the user's cannot be read, or one of ours has no place.
    """
    top = _top(folder)
    within = folder.resolve().relative_to(top.resolve())
    made = {
        folder / SUITE: _template("everyday_facts.yaml"),
        top / WORKFLOW: _workflow(model, baseline, within),
    }
    if there := [path for path in made if path.exists()]:
        raise HarnessError(
            f"{' and '.join(map(shown_path, there))}: already there, and nothing was written\n"
            "  move it away, or go on from it: python -m harness lint suites/"
        )
    begun = Start(made)
    for path, text in _merged(folder, top, begun.by_hand):
        begun.files[path] = text
    for path in begun.files:
        _check_place(path)
    return begun


def _top(folder: Path) -> Path:
    """The top of the repository that a folder lies in; the folder itself if it is the top, or in none."""
    here = folder.resolve()
    above = [here, *here.parents]
    top = next((path for path in above if (path / ".git").exists()), here)
    return folder if top == here else top


def _check_place(path: Path) -> None:
    """Raise HarnessError if a file cannot be written, before another one is."""
    parent = next(parent for parent in path.absolute().parents if parent.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        why = "may not be written" if parent.is_dir() else "is no folder"
        raise HarnessError(
            f"{shown_path(path)}: cannot be written: {shown_path(parent)} {why}; nothing was written\n"
            "  choose another folder: forgetting-gate init FOLDER"
        )


def _merged(folder: Path, top: Path, by_hand: list[str]) -> Iterator[tuple[Path, str]]:
    """The files that a project and its repository may have already, with ours at their ends."""
    merged = (
        (pytest_settings(folder, top), folder),
        (pre_commit_text(top), top),
        (ignore_lines(folder), folder),
    )
    for (path, text, note), at in merged:
        if text is not None:
            yield at / path, text
        if note:
            by_hand.append(note)


def _template(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _workflow(model: str, baseline: str | None, within: Path) -> str:
    """The workflow, with references quoted as YAML reads them; `within` is the project's place in the repository."""
    more = {"baseline": baseline, "working-directory": None if within == Path() else within.as_posix()}
    named = "".join(f"          {name}: {double_quoted(value)}\n" for name, value in more.items() if value)
    text = _template("workflow.yml")
    return text.replace("{model}", double_quoted(model)).replace("{more}", named)


def next_steps(begun: Start, folder: Path, model: str, baseline: str | None) -> Sequence[str]:
    """What to run next in the folder, in order."""
    paths = [Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix() for path in begun.files]
    references = [f"--model={model}", *([f"--baseline={baseline}"] if baseline else [])]
    return [
        "forgetting-gate lint suites/",
        shlex.join(["pytest", "suites/", *references]),
        "pre-commit install",
        shlex.join(["git", "add", *paths]),
    ]
