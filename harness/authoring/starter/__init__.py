"""A folder in, the files with which a project begins out: a first suite, and what runs it in pytest, pre-commit and CI."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.authoring.starter.merging import ignore_lines, pre_commit_text, pytest_settings
from harness.errors import HarnessError, shown_path

SUITE = Path("suites", "everyday_facts.yaml")
WORKFLOW = Path(".github", "workflows", "forgetting.yml")
HERE = Path(__file__).parent


@dataclass
class Start:
    """The files to write, whole, by their paths in the project; and what is left for the user to do by hand."""

    files: dict[Path, str] = field(default_factory=dict)
    by_hand: list[str] = field(default_factory=list)


def start(folder: Path, model: str, baseline: str | None) -> Start:
    """What to write into a folder, which may be empty or a repository; nothing of the user's is lost or changed.

    Raises:
        HarnessError: the suite or the workflow exists, or a file of the user's cannot be read.
    """
    made = {SUITE: _template("everyday_facts.yaml"), WORKFLOW: _workflow(model, baseline)}
    if there := [path for path in made if (folder / path).exists()]:
        raise HarnessError(
            f"{' and '.join(shown_path(folder / path) for path in there)}: already there, and nothing was written\n"
            "  move it away, or go on from it: python -m harness lint suites/"
        )
    begun = Start(made)
    for path, text in _merged(folder, begun.by_hand):
        begun.files[path] = text
    return begun


def _merged(folder: Path, by_hand: list[str]) -> Iterator[tuple[Path, str]]:
    """The files that a project may have already, with ours at their ends."""
    for merge in (pytest_settings, pre_commit_text, ignore_lines):
        path, text, note = merge(folder)
        if text is not None:
            yield path, text
        if note:
            by_hand.append(note)


def _template(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _workflow(model: str, baseline: str | None) -> str:
    """The workflow, with references quoted as YAML reads them."""
    named = f"          baseline: {_quoted(baseline)}\n" if baseline else ""
    text = _template("workflow.yml")
    return text.replace("{model}", _quoted(model)).replace("{baseline}", named)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # YAML reads every JSON string


def next_steps(begun: Start, model: str, baseline: str | None) -> Sequence[str]:
    """What to run next, in order."""
    references = [f"--model={model}", *([f"--baseline={baseline}"] if baseline else [])]
    return [
        "forgetting-gate lint suites/",
        shlex.join(["pytest", "suites/", *references]),
        "pre-commit install",
        shlex.join(["git", "add", *(path.as_posix() for path in begun.files)]),
    ]
