"""Progress in pytest's terminal: one line that moves on a TTY, otherwise a line now and then."""

from __future__ import annotations

import threading
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from harness import progress
from harness.plugin.state import EXCHANGE
from harness.progress import Meter, Rest
from harness.visible import visible_lines
from harness.wording import cut
from harness.writing import write_whole

ENDING = ".progress"
"""Of the files in which the workers of xdist leave their lines, for the controller to show."""

REST = "; "
"""Before the words on the whole run in a line."""

LOOK = 0.5
"""Seconds between two looks at them."""

SILENT = -2
"""The verbosity from which on nothing is shown: -qq."""


class Progress:
    """Writes around pytest's capture: everything; under -q only what is under way; under -qq nothing."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.meter = Meter(self._write, self._live)
        self.open = False
        """Whether the last line is one to write over."""

    @property
    def reporter(self) -> Any:
        """pytest's terminal, once pytest is configured; None where there is nothing to write to."""
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        return None if reporter is None or reporter.verbosity <= SILENT else reporter

    def say(self, text: str) -> None:
        """Write a line of its own."""
        self._write(text, final=True)

    def counter(self, label: str, unit: str = "answers", rest: Rest = lambda share: "") -> progress.Progress:
        """A callback (done, total) that shows the progress of the work named `label`."""
        return self.meter.counter(label, unit, rest)

    def show(self, text: str) -> None:
        """Write a line on work that is under way, if one is due."""
        self.meter.begin()
        if self.meter.is_due():
            self._write(text, final=False)

    def close(self) -> None:
        """Leave no line on work that is under way."""
        if (file := self._file) is not None:
            with suppress(OSError):
                file.unlink(missing_ok=True)
        elif self.open:
            self._show("", final=True)

    def _write(self, text: str, final: bool) -> None:
        text = "\n  ".join(visible_lines(text))
        if (file := self._file) is not None:
            with suppress(OSError):  # the run has ended
                write_whole(file, text)
        elif self.reporter is not None and not (final and self.reporter.verbosity < 0):
            self._show(text, final)

    def _show(self, text: str, final: bool) -> None:
        reporter, writer = self.reporter, self.config.get_terminal_writer()
        capture: Any = self.config.pluginmanager.get_plugin("capturemanager")
        aside = capture.global_and_fixture_disabled() if capture else nullcontext()
        with aside, suppress(OSError, ValueError):  # pytest itself notices that a pipe was closed
            if not self.open and writer.width_of_current_line:
                reporter.line("")
            over = self._live() and not final
            line = f"  {text}" if text else ""
            if self.open or over:
                reporter.rewrite(cut(line, writer.fullwidth - 1) if over else line, erase=True)
            else:
                reporter.write(line)
            if not over:
                reporter.line("")
            self.open = over
            reporter.currentfspath = None
            reporter.flush()

    @property
    def _file(self) -> Path | None:
        """Where a worker of xdist leaves its lines, which has no terminal."""
        given = getattr(self.config, "workerinput", {})
        folder = Path(given.get(EXCHANGE, "/dev/null"))
        return folder / f"{given['workerid']}{ENDING}" if folder.is_dir() else None

    def _live(self) -> bool:
        return self._file is not None or bool(self.reporter and self.reporter.isatty)


class Watch(threading.Thread):
    """Shows in the controller of an xdist run what its workers are at; nothing of those on other machines."""

    def __init__(self, folder: Path, shown: Progress) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.shown = shown
        self.ended = threading.Event()

    def run(self) -> None:
        """Look for lines until the run ends."""
        before = ""
        while not self.ended.wait(LOOK):
            if (text := self.text()) and text != before:
                self.shown.show(text)
            elif not text:
                self.shown.close()
            before = text

    def text(self) -> str:
        """How far the run is by one worker that is at work, and what each is at; nothing if none is."""
        found: dict[str, tuple[str, str, str]] = {}
        for file in sorted(self.folder.glob(f"*{ENDING}")):
            with suppress(OSError):  # its worker has just finished
                found[file.stem] = file.read_text(encoding="utf-8").rpartition(REST)
        run = next((rest for line, _, rest in found.values() if line), "")
        each = [f"{name}: {line or rest}" for name, (line, _, rest) in found.items()]
        return " | ".join([*([run] if run else []), *each])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Leave the terminal to pytest's summary."""
        self.end()

    def end(self) -> None:
        """End the thread."""
        self.ended.set()
        if self.is_alive():
            self.join()
            self.shown.close()
