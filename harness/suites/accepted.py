"""accepted.yaml in, the losses that were accepted of each suite out; and one more in, the text of the file out.

Each entry names one probe; nothing is accepted by pattern.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from textwrap import dedent, indent
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from harness.documents.document import Document, document_of, read_document
from harness.documents.validate import Like, Part, Shape, Text, describe, validate
from harness.documents.yaml_lines import Line, double_quoted
from harness.errors import InputError, Problem, Span, SuiteError, did_you_mean, shown_path
from harness.shipped import suite_files
from harness.suites.acceptance import FILE, Acceptance
from harness.suites.detect import has_ending, sniff
from harness.suites.suite import Suite
from harness.visible import visible

HEADING = """\
# Known losses that no longer fail the gate, each of one probe. `python -m harness accept` adds to it; review it like code.
accepted:
"""
ADD = "have one written: python -m harness accept RECORD SUITE::PROBE --because TEXT"


_EMPTY = re.compile(r"^accepted:[ \t]*\[[ \t]*\]", re.MULTILINE)
_DASH = re.compile(r"^( *)- ", re.MULTILINE)


def _day(text: str) -> str:
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return str(date.fromisoformat(text))
    raise ValueError(f"a day must be like 2027-01-31, saw text {text[:60]!r}")


def _words(text: str) -> str:
    if not visible(text).strip():
        raise ValueError("a reason or a name must have words, saw blank text")
    return text


Day = Annotated[str, AfterValidator(_day)]
Words = Annotated[Text, AfterValidator(_words)]
Hash = Annotated[str, Like(r"^[0-9a-f]{64}$", "a SHA-256 in hexadecimal")]
Id = Annotated[str, Like(r"^[^\s\[\]:/\\]+::.+$", "one probe as SUITE::PROBE")]


class BaselineFormat(Shape):
    """The model that knew the answer."""

    name: Text = Field(description="Its reference.")
    weights: Hash | None = Field(None, description="The SHA-256 of its weights.")
    base_weights: Hash | None = Field(None, description="The SHA-256 of the base under an adapter.")


class AcceptanceFormat(Shape):
    """One accepted loss."""

    probe: Id = Field(description="The probe that is lost: SUITE::PROBE.")
    because: Words = Field(description="Why the loss is accepted.")
    by: Words = Field(description="Who accepted it.")
    date: Day = Field(description="The day on which it was accepted.")
    until: Day | None = Field(
        None, description="The last day on which it counts; without one it counts for ever."
    )
    baseline: BaselineFormat = Field(description="Of which model the answer was lost.")
    asked: Hash = Field(description="What the models were shown: another prompt is another loss.")


class AcceptedFormat(Shape):
    """Known losses that no longer fail the gate."""

    accepted: list[AcceptanceFormat] = Field(description="One entry for each probe.")


PARTS = {
    "": Part("a file of accepted losses", AcceptedFormat, examples={"accepted": "accepted:"}),
    "accepted": Part("an accepted loss", AcceptanceFormat, examples=dict.fromkeys(("baseline", "asked"), ADD)),
    "baseline": Part("a baseline", BaselineFormat),
}  # fmt: skip


def ships(suite: str, path: Path) -> bool:
    """Whether a suite, by its name and its file, here or on another machine, is the one that ships."""
    shipped = suite_files().get(suite)
    if shipped is None or path.exists():
        return shipped is not None and shipped.samefile(path)
    return path.is_absolute() and path.parts[-2:] == shipped.parts[-2:]


def accepted_file(suite: str, path: Path) -> Path:
    """Where runs look for what was accepted of a suite: beside its file, or in the working folder for one that ships."""
    return Path(FILE) if ships(suite, path) else path.parent / FILE


def suites_of(path: Path) -> Mapping[str, Path]:
    """The suites, by name, of which runs read what a file of accepted losses holds; without those that are not YAML."""
    found = dict(suite_files()) if os.path.realpath(path) == os.path.realpath(FILE) else {}
    for file in sorted(path.absolute().parent.iterdir()):
        if has_ending(file) and file.is_file() and sniff(file).kind != "none":
            with suppress(InputError):
                value: Any = read_document(file).value
                if isinstance(value, dict) and isinstance(value.get("suite"), str):
                    found[value["suite"]] = file
    return found


def strangers(path: Path) -> Iterator[Problem]:
    """The entries of a file that no run reads, for their suite is elsewhere; raises SuiteError as `accepted_in`."""
    accepted = accepted_in(path)
    known = suites_of(path) if accepted else {}
    for item, span in accepted.items():
        if item.suite not in known:
            hint = (
                did_you_mean(item.suite, known)
                or "move the entry to the file beside the suite, or take it out"
            )
            if item.suite in suite_files():
                hint = f"it is a suite that ships: move the entry to {FILE} in the folder where the gate runs"
            yield Problem(span, f"no suite '{item.suite}' is beside this file, so nothing is accepted", hint)


def accepted_in(path: Path) -> Mapping[Acceptance, Span]:
    """What a file of accepted losses holds, and where; nothing without the file, or if it is a suite itself.

    Raises:
        SuiteError: with everything wrong in the file.
    """
    return {} if path.is_file() and sniff(path).kind == "suite" else _known(path)


def with_accepted(suite: Suite) -> Suite:
    """The suite with what was accepted of it; raises SuiteError as `accepted_in`."""
    if suite.path is None:
        return suite
    accepted = accepted_in(accepted_file(suite.name, suite.path))
    found = tuple(item for item in accepted if item.suite == suite.name)
    return replace(suite, accepted=found)


def _read(document: Document) -> dict[Acceptance, Span]:
    """The accepted losses and the place of each; raises InputError with everything wrong in the file."""
    if document.value is None and not document.problems:
        return {}
    if not isinstance(document.value, dict):
        message = f"accepted losses are a list under the key 'accepted', saw {describe(document.value)}"
        raise InputError([*document.problems, Problem(document.span(()), message, ADD)])
    value: Mapping[str, Any] = document.value
    if value.get("accepted", ()) is None:  # nothing below the heading
        value = {**value, "accepted": []}
    found, wrong = validate(AcceptedFormat, value, document, PARTS)
    problems = [*document.problems, *wrong]
    accepted: dict[Acceptance, Span] = {}
    first: dict[str, int] = {}
    for number, item in enumerate(found.accepted if found else ()):
        span = document.span(("accepted", number, "probe"))
        if item.probe in first:
            message = f"the loss of '{item.probe}' is accepted twice, first in line {first[item.probe]}"
            problems.append(Problem(span, message, "keep one of them"))
        first.setdefault(item.probe, span.line)
        accepted[_acceptance(item, f"{shown_path(span.path)}:{span.line}")] = span
    if problems:
        raise InputError(problems)
    return accepted


def _acceptance(item: AcceptanceFormat, place: str) -> Acceptance:
    suite, _, probe = item.probe.partition("::")
    return Acceptance(
        suite=suite,
        probe=probe,
        because=item.because,
        by=item.by,
        on=date.fromisoformat(item.date),
        until=date.fromisoformat(item.until) if item.until else None,
        baseline=item.baseline.name,
        weights=item.baseline.weights,
        base_weights=item.baseline.base_weights,
        asked=item.asked,
        place=place,
    )


def text_with(path: Path, losses: Sequence[Acceptance]) -> tuple[str, list[Acceptance]]:
    """The text of a file of accepted losses with others, everything else in it as it was, and the older entries of their probes.

    Those are taken out, such as one that has expired.

    Raises:
        SuiteError: the file cannot be read, or its form leaves no place to add to.
    """
    if path.is_file() and sniff(path).kind == "suite":
        raise SuiteError.at(None, f"{shown_path(path)}: is a suite, so no accepted loss can be written there")
    known: Mapping[Acceptance, Span] = _known(path)
    older = [item for item in known if item.id in {loss.id for loss in losses}]
    text = path.read_bytes().decode("utf-8-sig") if path.is_file() else ""
    for loss in losses:
        text, known = _with(path, text, known, loss)
    return text, older


def _with(
    path: Path, text: str, known: Mapping[Acceptance, Span], new: Acceptance
) -> tuple[str, Mapping[Acceptance, Span]]:
    """The text with one more loss, and what it then holds."""
    end = "\r\n" if "\r\n" in text else "\n"
    text = "".join(_without(text.splitlines(keepends=True), known, new.id))
    if not known:
        text = _EMPTY.sub("accepted:", text) if text.strip() else HEADING
    dash = _DASH.search(text)
    added = indent(dedent(entry(new)), dash[1] if dash else "  ").replace("\n", end)
    text = (text if not text or text.endswith("\n") else text + end) + added
    try:
        now = _read(document_of(path, text))
    except InputError:
        now = {}
    if list(now) != [*(item for item in known if item.id != new.id), new]:
        message = f"{shown_path(path)}: its form leaves no place to add an entry"
        raise SuiteError.at(
            None, message, "let it end with a list under 'accepted:', each entry beginning with '- probe:'"
        )
    return text, now


def _known(path: Path) -> dict[Acceptance, Span]:
    if not path.is_file():
        return {}
    try:
        return _read(read_document(path))
    except InputError as error:
        raise SuiteError(error.problems) from error


def _without(lines: list[str], known: Mapping[Acceptance, Span], id: str) -> list[str]:
    """The lines without those of the entry of a probe: up to the next line that is no deeper than its dash."""
    line = next((span.line for item, span in known.items() if item.id == id), None)
    if line is None:
        return lines
    first = line - 1
    depth = Line(lines[first]).indent
    after = (
        number
        for number in range(line, len(lines))
        if lines[number].strip() and Line(lines[number]).indent <= depth
    )
    return [*lines[:first], *lines[next(after, len(lines)) :]]


def entry(new: Acceptance) -> str:
    """An accepted loss as YAML."""
    lines = [
        f"  - probe: {double_quoted(new.id)}",
        f"    because: {double_quoted(new.because)}",
        f"    by: {double_quoted(new.by)}",
        f'    date: "{new.on}"',
        *([f'    until: "{new.until}"'] if new.until else []),
        "    baseline:",
        f"      name: {double_quoted(new.baseline)}",
        *([f'      weights: "{new.weights}"'] if new.weights else []),
        *([f'      base_weights: "{new.base_weights}"'] if new.base_weights else []),
        f'    asked: "{new.asked}"',
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
