"""The Record of a run on GitHub Actions in, annotations of its failed gates, a summary of its job and the step's outputs out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError, reason
from harness.reporting.explain import INTERVAL, movement
from harness.reporting.formats import render
from harness.reporting.gate_lines import verdict_word
from harness.reporting.gate_table import WORST_FIRST
from harness.reporting.in_short import gate_name, title
from harness.reporting.markdown_text import prose
from harness.reporting.only_accepted import turned_gates
from harness.reporting.rows import GateRow, Record
from harness.terminal import show_marked
from harness.visible import visible
from harness.wording import between, count, percent, points

MOST = 10
"""Annotations of one kind that GitHub shows of a step."""

MOST_BYTES = 1024 * 1024
"""Of the summary of a step; GitHub drops a longer one."""

_PLACE = re.compile(r"(.*?):(\d+)(?::\d+)?", re.DOTALL)


def report(
    config: pytest.Config, record: Record, written: Path | None, environment: Mapping[str, str] = os.environ
) -> None:
    """Annotate the failed gates of a run on GitHub Actions, append its report to the summary of the step, and set its outputs.

    Args:
        written: where the record is, if it could be written.
    """
    lines: list[str] = []
    root = Path(environment.get("GITHUB_WORKSPACE") or ".")
    if environment.get("GITHUB_ACTIONS") == "true":
        lines += commands(record, root)
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        lines += append_summary(record, Path(path))
    if path := environment.get("GITHUB_OUTPUT"):
        at = _from(root, written) if written else ""
        lines += set_outputs({"verdict": record.run.status, "record": at}, Path(path))
    if not lines:
        return
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    aside = capture.global_and_fixture_disabled() if capture else nullcontext()
    with aside, suppress(BrokenPipeError, HarnessError):  # whoever reads has gone
        show_marked("\n".join(lines))


def append_summary(record: Record, path: Path) -> Iterator[str]:
    """Append the report to a file, or its first line where there is no room for more; yields why nothing was."""
    text = f"{render(record, 'markdown')}\n\n"
    try:
        size = path.stat().st_size if path.exists() else 0
        if size + len(text.encode("utf-8", "backslashreplace")) > MOST_BYTES:
            text = f"{prose(title(record))}\n\n"
        if size + len(text.encode()) > MOST_BYTES:
            yield "the summary of this step is full, so the gate's report is not in it: --report-markdown=FILE writes it elsewhere"
            return
        with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
    except OSError as error:
        yield f"GITHUB_STEP_SUMMARY: {visible(str(path))} cannot be written: {reason(error)}"


def set_outputs(outputs: Mapping[str, str], path: Path) -> Iterator[str]:
    """Append the outputs of the step to a file, each on a line of its own; yields why none was."""
    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{name}={visible(value)}\n" for name, value in outputs.items())
    except OSError as error:
        yield f"GITHUB_OUTPUT: {visible(str(path))} cannot be written: {reason(error)}"


def commands(record: Record, root: Path) -> Iterator[str]:
    """A command for each failed gate, the worst first; the last one counts those that GitHub would not show.

    A run that passed only for accepted losses has one that says so.

    Args:
        root: the folder that GitHub's paths are relative to.
    """
    failed = [row for row in record.gates if row.outcome == "failed"]
    failed.sort(key=_worst_first)
    shown = failed if len(failed) <= MOST else failed[: MOST - 1]
    for row in shown:
        yield _command(_properties(row, root), _message(row))
    if len(failed) > len(shown):
        rest = count(len(failed) - len(shown), "more gate")
        yield _command({"title": "forgetting gate"}, f"{rest} failed; the summary of the run has them all")
    if turned_gates(record.run.status, (row.without_accepted for row in record.gates)):
        yield _command({"title": "forgetting gate"}, title(record), "warning")


def _worst_first(row: GateRow) -> tuple[bool, int, float]:
    size = row.drop if row.drop is not None else row.rise
    return row.over != "overall", WORST_FIRST.index(row.outcome), -(size or 0.0)


def _properties(row: GateRow, root: Path) -> dict[str, str]:
    """The title, and the place of the gate in its YAML file if it has one."""
    found = _PLACE.fullmatch(row.place)
    named = {"title": f"{visible(gate_name(row))}: {verdict_word(row)}"}
    return {"file": _from(root, Path(found[1])), "line": found[2], **named} if found else named


def _from(root: Path, path: Path) -> str:
    """A path as GitHub reads it: from the root of the checkout, with slashes."""
    # a link stays a link
    whole = Path(os.path.abspath(path))  # noqa: PTH100
    start = Path(os.path.abspath(root))  # noqa: PTH100
    return (whole.relative_to(start) if whole.is_relative_to(start) else whole).as_posix()


def _message(row: GateRow) -> str:
    if row.over == "each":
        return "the tuned model is wrong" + (", the baseline was right" if row.verdict == "FORGOTTEN" else "")
    if row.rise is not None and row.rise_interval is not None:
        return (
            f"bits per byte up by {points(row.rise)} % (margin {points(row.max_rise or 0.0)} %; "
            f"{INTERVAL} {between(row.rise_interval)} %)"
        )
    if row.flips is not None and row.flips_interval is not None and row.verdict != "VACUOUS":
        return (
            f"{percent(row.flips)} of the probes flip (margin {points(row.max_flips or 0.0)} %; "
            f"{INTERVAL} {between(row.flips_interval)} %)"
        )
    if row.drop is None or row.interval is None or row.verdict == "VACUOUS" or row.cut_unlike:
        return row.undecided or "nothing that could be lost"
    margin = "" if row.max_drop is None else f"margin {points(row.max_drop)}; "
    counts = f"{row.n:,} probes: {row.kept} kept, {row.lost} lost, {row.gained} gained, {row.missed} missed"
    return f"{movement(row.drop)} ({margin}{INTERVAL} {between(row.interval)})\n{counts}"


def _command(properties: Mapping[str, str], message: str, kind: str = "error") -> str:
    """A workflow command as GitHub reads it."""
    shown = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{kind} {shown}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for sign in f"%\r\n{more}":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text
