"""Write record.json, set the exit code and print the summary; runs in the controller of an xdist run."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from harness.errors import HarnessError, shown_path
from harness.models.secrets import without_secrets
from harness.plugin.gathered import Gathered
from harness.plugin.junit import describe_run
from harness.plugin.names import UNREAD, names_of, registering, usage_errors
from harness.plugin.options import RunOptions, shows_only
from harness.plugin.remembered import option_that_leaves_out, why_no_pass
from harness.plugin.state import SUITES
from harness.plugin.tally import Tally
from harness.plugin.workers import Workers
from harness.visible import encodable_data
from harness.wording import now

if TYPE_CHECKING:
    from harness.reporting.latest import Latest
    from harness.reporting.rows import Record


class RecordWriter:
    """Locks the report folder when a run begins, and writes its record when it ends."""

    def __init__(self, config: pytest.Config, options: RunOptions) -> None:
        self.options = options
        self.config = config
        self.tally = Tally()
        self.gathered = Gathered(self.tally)
        self.began = time.monotonic()
        self.started = now()
        self.latest: Latest | None = None
        self.record: Record | None = None
        self.path: Path | None = None
        self.unwritten = ""
        self.leaves_out: str | None = None
        """The option by which the run leaves out gates."""
        self.kept = ""
        """Where the run is in the history, or why it is not, in words."""
        self.key = uuid4().hex
        self.folded = ""
        """What pytest's own sections do not show, in words."""
        self.workers = Workers(config, gates=lambda: self.latest is not None)

    # At the start

    def begin(self) -> None:
        """Lock the folder and write an unfinished record, so that an older one cannot pass for this run's.

        Raises:
            HarnessError: no record can be written there.
        """
        if self.latest is not None or self.options.only_lost:
            return
        from harness.reporting.latest import Latest

        latest = Latest(self.options.report, self.options.report_html, self.options.report_markdown)
        self.config.add_cleanup(latest.release)
        latest.claim()
        self.latest = latest
        self.config.add_cleanup(self.end_without_session)
        latest.write(self._record())

    def end_without_session(self) -> None:
        """Write why no session began: wrong usage has its exit code, anything else stays unfinished."""
        if self.latest is None or self.record is not None:
            return
        error = sys.exception()
        refused = isinstance(error, pytest.UsageError)
        if error is not None:
            self.gathered.errors.append(str(error) if refused else f"{type(error).__name__}: {error}")
        with suppress(HarnessError):  # the run ends in an error already
            self.latest.write(self._record(pytest.ExitCode.USAGE_ERROR if refused else None))

    def pytest_sessionstart(self) -> None:
        """Look into pytest's memory before the run changes it."""
        self.leaves_out = option_that_leaves_out(self.config)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin a run that names no model: its cases show that fixtures give the engines.

        So do suites of which nothing was selected, where nothing else was.
        """
        self._begin_with_cases(SUITES in self.config.stash and not session.items)

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """The same under xdist, where only workers collect."""
        self._begin_with_cases()

    def _begin_with_cases(self, empty: bool = False) -> None:
        if (self.tally.selected or empty) and not shows_only(self.config.option):
            with usage_errors(self.config):
                self.begin()

    # At the end

    def status(self, code: int) -> int:
        """The exit code: pytest's, but never 0 without evidence, and that of wrong usage after an input error.

        A suite that cannot be read is pytest's collection error; xdist would exit with 1 there.
        """
        if shows_only(self.config.option):
            return code
        if self.gathered.input_errors or self.unwritten:
            return pytest.ExitCode.USAGE_ERROR
        if self.gathered.unread and code == pytest.ExitCode.TESTS_FAILED:
            return pytest.ExitCode.INTERRUPTED
        if self.options.model is None and not self.tally.selected:
            # another plugin may have left out the suites that were named
            idle = self.options.only_lost or (self.latest is not None and not self.tally.others)
            return pytest.ExitCode.NO_TESTS_COLLECTED if idle and code == pytest.ExitCode.OK else code
        if self.gathered.broken and code == pytest.ExitCode.OK:
            return pytest.ExitCode.INTERNAL_ERROR
        code = self.tally.status(code, self.gathered.stopped or self.gathered.uncollected)
        if code != pytest.ExitCode.OK:
            return code
        if self.workers.died:
            return pytest.ExitCode.TESTS_FAILED
        in_part = self.options.only_lost or self.leaves_out or self.gathered.undecided
        return pytest.ExitCode.NO_TESTS_COLLECTED if in_part else code

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Set the exit code after all plugins inside, which may have changed it."""
        if self.tally.selected:
            describe_run(self.config, self.gathered.run, self.tally.row(), self.gathered.gates)
        try:
            return (yield)
        except pytest.exit.Exception as stop:
            if stop.returncode is not None:
                session.exitstatus = stop.returncode = self.status(stop.returncode)
            raise
        finally:
            if self.record is None or self.record.run.exit_status != session.exitstatus:
                self.pytest_sessionfinish_innermost(session)

    @pytest.hookimpl(trylast=True, specname="pytest_sessionfinish")
    def pytest_sessionfinish_innermost(self, session: pytest.Session) -> None:
        """Set the exit code and write the record, before the terminal's summary shows both."""
        session.exitstatus = self.status(session.exitstatus)
        gathered = self.gathered
        gated = self.latest or gathered.gates or gathered.input_errors or self.options.names_a_model
        if not gated or self.options.only_lost or shows_only(self.config.option):
            return
        error = sys.exception()  # wrap_session is about to end in it
        if isinstance(error, pytest.UsageError) and str(error) not in gathered.errors:
            gathered.errors.append(str(error))
        gathered.note(*self.config.stash.get(UNREAD, ()))
        gathered.note(*self.tally.replaced())
        gathered.run["not_measured"] = self.workers.not_measured()
        if self.leaves_out:
            gathered.note(why_no_pass(self.leaves_out))
        gathered.run["notes"] = [names_of(self.config).here(note) for note in gathered.run["notes"]]
        record = self.record = self._write(session)
        if self.options.diagnose and any(row.change == "lost" for row in record.probes):
            from harness.plugin.diagnosing import diagnose

            diagnose(self.config, record, gathered)
            self.record = self._write(session)

    def _write(self, session: pytest.Session) -> Record:
        from harness.reporting.history.file import where_kept

        try:
            self.begin()
            assert self.latest is not None
            record = self._record(session.exitstatus)
            self.path = self.latest.write(record)
            self.kept = where_kept(self.options.report, self.options.history, self.key, record)
        except HarnessError as error:
            self.unwritten = names_of(self.config).here(error.text)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            record = self._record(session.exitstatus)
            with suppress(HarnessError):  # where the page alone cannot be written
                if self.latest is not None:
                    self.latest.write(record)
        return record

    def _record(self, exit_status: int | None = None) -> Record:
        """The record so far; unfinished without an exit status."""
        from harness import __version__
        from harness.evaluation.record import versions
        from harness.reporting.rows import Record

        return Record.model_validate(encodable_data({
            "run": {
                "harness": __version__,
                "started": self.started,
                "ended": None if exit_status is None else now(),
                "status": self._status(exit_status),
                "seconds": round(time.monotonic() - self.began, 1),
                "command": [without_secrets(str(argument)) for argument in self.config.invocation_params.args],
                "exit_status": None if exit_status is None else int(exit_status),
                "errors": [*self.gathered.input_errors, *self.gathered.errors],
                "versions": versions(),
                "strict": self.options.strict,
                "fail_on": self.options.fail_on,
                "sample": self.options.sample,
                "sample_seed": self.options.sample_seed,
                "cases": self.tally.row(),
                **self.gathered.run,
                "named": self.gathered.named,
                "observed": self._observed(),
            },
            "gates": self.gathered.gates,
            "probes": self.gathered.probes,
        }))  # fmt: skip

    def _status(self, exit_status: int | None) -> str:
        from harness.reporting.run_rows import run_status

        failed = any(row["outcome"] == "failed" for row in self.gathered.gates)
        stopped = self.gathered.stopped or (
            exit_status == pytest.ExitCode.INTERRUPTED and not self.gathered.uncollected
        )
        return run_status(exit_status, failed, stopped)

    def _observed(self) -> list[str]:
        lost = [row for row in self.gathered.probes if row["change"] == "lost"]
        if not lost:
            return []  # without loading scores
        from harness.reporting.rows import ProbeRow
        from harness.reporting.standing_out import standing_out

        return standing_out(map(ProbeRow.model_validate, lost))

    def pytest_unconfigure(self) -> None:
        """Tell GitHub, if the run is there, once all else is written."""
        if self.record is not None and not hasattr(self.config, "workerinput"):
            from harness.plugin.github import report

            report(self.config, self.record, self.path)

    @pytest.hookimpl(wrapper=True, tryfirst=True, specname="pytest_terminal_summary")
    def pytest_terminal_summary_around(self, terminalreporter: Any) -> Generator[None, object, object]:
        """Keep a screenful of failed gates from pytest's own sections."""
        if self.record is None:
            return (yield)
        from harness.plugin.screen import folded

        with folded(terminalreporter) as self.folded:
            return (yield)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the summary."""
        if self.gathered.looks and self.options.only_lost:
            from harness.plugin.look import look_lines

            terminalreporter.section("a look at what was lost")
            for line in look_lines(self.gathered.looks, self.options.only_lost, self.gathered.run["notes"]):
                terminalreporter.line(names_of(self.config).here(line))
        if self.record is None:
            return
        from harness.plugin.screen import show_summary

        terminalreporter.section("forgetting gate")
        show_summary(
            self.config, terminalreporter, self.record, self._saved(), list(self._steps()), self.folded
        )
        if self.workers.died:
            died = ", ".join(self.workers.died)
            terminalreporter.line(f"no pass: workers of xdist died ({died})", red=True)
        if self.leaves_out and self.record.run.exit_status == pytest.ExitCode.NO_TESTS_COLLECTED:
            terminalreporter.line(why_no_pass(self.leaves_out), red=True)
        if self.unwritten:
            terminalreporter.line(self.unwritten, red=True)

    def _saved(self) -> list[str]:
        """What was written, and where."""
        if self.unwritten or self.path is None:
            return []
        options = self.options
        written = {"record": self.path, "page": options.report_html, "Markdown": options.report_markdown}
        said = [f"{name}: {shown_path(path)}" for name, path in written.items() if path is not None]
        return [*said, *([f"history: {self.kept}"] if self.kept else [])]

    def _steps(self) -> Iterator[str]:
        """What to do next, each of our options under its name here."""
        from harness.reporting.next_steps import next_steps

        if self.unwritten or self.path is None or self.record is None:
            return
        conftests, engine = registering(self.config), self.options.engine_arguments
        for line in next_steps(self.record, self.path.parent, conftests, engine):
            ours = "python -m harness" in line  # has its own options, whose names nobody takes
            yield line if ours else names_of(self.config).here(line)
