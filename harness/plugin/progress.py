"""Progress in pytest's terminal: one line that moves on a TTY, otherwise a line now and then."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from harness import progress
from harness.plugin.state import EXCHANGE
from harness.progress import Meter, Rest
from harness.visible import visible_lines
from harness.wording import a_second, count, cut
from harness.writing import write_whole

ENDING = ".progress"
"""Of the files in which the workers of xdist leave their lines, for the controller to show."""

ANSWERS = "answers"

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
        self.answers = 0
        """How many answers this process has got so far."""

    @property
    def reporter(self) -> Any:
        """pytest's terminal, once pytest is configured; None where there is nothing to write to."""
        reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        return None if reporter is None or reporter.verbosity <= SILENT else reporter

    def say(self, text: str) -> None:
        """Write a line of its own."""
        self._write(text, final=True)

    def counter(self, label: str, unit: str = ANSWERS, rest: Rest = lambda share: "") -> progress.Progress:
        """A callback (done, total) that shows the progress of the work named `label`."""
        show, most = self.meter.counter(label, unit, rest), 0

        def counted(done: int, total: int) -> None:
            nonlocal most
            if unit == ANSWERS and done > most:
                self.answers, most = self.answers + done - most, done
            show(done, total)

        return counted

    def show(self, text: str) -> None:
        """Write a line on work that is under way, if one is due."""
        self.meter.begin()
        if self.meter.is_due():
            self._write(text, final=False)

    def close(self) -> None:
        """Leave no line on work that is under way; of a worker, only its number of answers."""
        if self._file is not None:
            self._write("", final=True)
        elif self.open:
            self._show("", final=True)

    def _write(self, text: str, final: bool) -> None:
        text = "\n  ".join(visible_lines(text))
        if (file := self._file) is not None:
            with suppress(OSError):  # the run has ended
                write_whole(file, f"{self.answers}\n{text}")
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
    """Shows in the controller of an xdist run how far its workers are together, and what each is at.

    Nothing of those on other machines.
    """

    def __init__(self, folder: Path, shown: Progress) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.shown = shown
        self.ended = threading.Event()
        self.began = 0.0
        """When the first line was seen."""

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
        """The answers of all workers, how far the run is by one that is at work, and what each is at; nothing if none is."""
        found: dict[str, tuple[str, str, str]] = {}
        answers = 0
        for file in sorted(self.folder.glob(f"*{ENDING}")):
            with suppress(OSError):  # it is just being replaced
                number, _, line = file.read_text(encoding="utf-8").partition("\n")
                answers += int(number)
                if line:
                    found[file.stem] = line.rpartition(REST)
        if not found:
            return ""
        run = next((rest for line, _, rest in found.values() if line), "")
        each = [f"{name}: {line or rest}" for name, (line, _, rest) in found.items()]
        return " | ".join([*filter(None, [REST.join(filter(None, [self._together(answers), run]))]), *each])

    def _together(self, answers: int) -> str:
        """ "1,240 answers, 22 a second"."""
        self.began = self.began or time.monotonic()
        seconds = time.monotonic() - self.began
        if not answers:
            return ""
        return count(answers, "answer") + (f", {a_second(answers / seconds)}" if seconds >= 1 else "")

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
