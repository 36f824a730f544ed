"""Progress in pytest's terminal: one live line on a TTY, otherwise a line every 20 seconds."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from harness import progress
from harness.visible import visible_lines

SECONDS_BETWEEN_LINES = 20.0


class Progress:
    """Writes around pytest's capture; silent in xdist's workers, which have no terminal, and under -q."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @property
    def reporter(self) -> Any:
        """pytest's terminal, once pytest is configured; None where there is nothing to write to."""
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        return None if reporter is None or reporter.verbosity < 0 else reporter

    def say(self, text: str) -> None:
        """Write a line of its own."""
        self._write(text, final=True)

    def counter(self, label: str, unit: str = "answers") -> progress.Progress:
        """A callback (done, total) that shows the progress of the work named `label`."""
        return progress.throttled(label, unit, self._write, self._live, SECONDS_BETWEEN_LINES)

    def _write(self, text: str, final: bool) -> None:
        reporter, text = self.reporter, "\n  ".join(visible_lines(text))
        if reporter is None:
            return
        capture: Any = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            if self._live():
                reporter.rewrite(f"  {text}", erase=True)
                if final:
                    reporter.line("")
            else:
                reporter.ensure_newline()
                reporter.line(f"  {text}")
            reporter.currentfspath = None
            reporter.flush()

    def _live(self) -> bool:
        return bool(self.reporter and self.reporter.isatty)
