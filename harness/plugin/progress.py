"""How long work gets on, in pytest's terminal: a line that moves, or one now and then where nothing can move."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from harness.visible import visible_lines

SECONDS_BETWEEN_LINES = 20.0


class Progress:
    """Writes around pytest's capture, in the process that has a terminal; elsewhere it is silent."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.last = 0.0

    @property
    def reporter(self) -> Any:
        """pytest's terminal, which is there only once pytest is configured; None in xdist's workers."""
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        return None if reporter is None or reporter.verbosity < 0 else reporter

    def say(self, text: str) -> None:
        """A line of its own."""
        self._write(text, final=True)

    def counter(self, label: str, unit: str = "answers") -> Callable[[int, int], None]:
        """A callback (done, total) that shows how far the work named `label` is."""
        began = self.last = time.monotonic()

        def show(done: int, total: int) -> None:
            now = time.monotonic()
            final = done >= total
            if not final and not self._moves() and now - self.last < SECONDS_BETWEEN_LINES:
                return
            self.last = now
            seconds = now - began
            if final:
                text = f"{label}: {total} {unit} in {seconds:.0f} s"
            else:
                left = seconds / max(done, 1) * (total - done)
                text = f"{label}: {done}/{total} {unit}, about {left:.0f} s left"
            self._write(text, final)

        return show

    def _write(self, text: str, final: bool) -> None:
        reporter, text = self.reporter, "\n  ".join(visible_lines(text))
        if reporter is None:
            return
        capture: Any = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            if self._moves():
                reporter.rewrite(f"  {text}", erase=True)
                if final:
                    reporter.line("")
            else:
                reporter.ensure_newline()
                reporter.line(f"  {text}")
            reporter.currentfspath = None
            reporter.flush()

    def _moves(self) -> bool:
        return bool(self.reporter and self.reporter.isatty)
