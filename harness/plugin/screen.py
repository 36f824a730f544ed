"""pytest's terminal: its size, colours and letters in, the summary on it out; and the failed gates that do not fit on it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from harness.plugin.names import names_of
from harness.plugin.tally import is_case_id
from harness.reporting.bars import DRAWN
from harness.reporting.rows import Record
from harness.reporting.summary import summary
from harness.reporting.view import COLOURS, View, can_show
from harness.wording import count

UNKNOWN_HEIGHT = 40
"""Lines of a terminal whose height nobody knows, such as a log of CI."""

LEAST_HEIGHT = 24
"""A smaller one scrolls."""

BELOW = 4
"""Lines that pytest itself writes around the summary."""


def height() -> int:
    """The lines of the terminal."""
    return max(LEAST_HEIGHT, shutil.get_terminal_size((80, UNKNOWN_HEIGHT)).lines)


def view_of(writer: Any, verbosity: int, tail: int) -> View:
    """The terminal that pytest's writer writes to, without the `tail` lines that others need."""
    return View(
        width=writer.fullwidth,
        height=height() - tail,
        unicode=can_show(getattr(writer._file, "encoding", None), "".join(vars(DRAWN).values())),
        verbosity=verbosity,
    )


def show_summary(
    config: pytest.Config,
    reporter: Any,
    record: Record,
    saved: Sequence[str],
    steps: Sequence[str],
    folded: str,
) -> None:
    """Write the summary of a run, in the colours and the width of pytest's terminal writer."""
    writer: Any = config.get_terminal_writer()
    here = names_of(config).here
    tail = BELOW + min(len(reporter.stats.get("failed", ())), BELOW)
    view = view_of(writer, reporter.verbosity, tail)
    for line in summary(record, view, saved, steps, folded):
        for text, style in line:
            writer.write(here(text), **COLOURS[style])
        writer.line()


@contextmanager
def folded(reporter: Any) -> Iterator[str]:
    """Leave out of pytest's sections, inside the block, failed gates and warnings of gates beyond a screenful; in words, how many.

    Failures and warnings of others are all shown; so are all with `-v`.
    """
    if reporter.verbosity > 0:
        yield ""
        return
    kept = {name: reporter.stats[name] for name in ("failed", "warnings") if name in reporter.stats}
    shown = {
        name: _fitting(reports, _is_failed_gate if name == "failed" else _is_warned_gate)
        for name, reports in kept.items()
    }
    left_out = sum(len(kept[name]) - len(shown[name]) for name in kept)
    before = {name: len(reports) for name, reports in shown.items()}
    reporter.stats.update(shown)
    try:
        yield (
            f"-v shows {count(left_out, 'more failed or warned gate')} in full, with lost probes"
            if left_out
            else ""
        )
    finally:
        for name, reports in kept.items():  # a plugin may have added some meanwhile
            reporter.stats[name] = [*reports, *shown[name][before[name] :]]


def _fitting(reports: Sequence[Any], is_ours: Callable[[Any], bool]) -> list[Any]:
    """The reports that fit on a screen, and all that are not of gates."""
    room, shown = height(), []
    for report in reports:
        if is_ours(report):
            room -= len(_text(report).splitlines()) + 1
        if room >= 0 or not is_ours(report):
            shown.append(report)
    return shown


def _text(report: Any) -> str:
    return str(report.message if hasattr(report, "message") else report.longrepr)


def _is_failed_gate(report: Any) -> bool:
    return is_case_id(report.nodeid) and "gate" in getattr(report, "forgetting", {})


def _is_warned_gate(report: Any) -> bool:
    return "ForgettingWarning: " in report.message
