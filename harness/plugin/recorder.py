"""Reports of a run in, record.json, the summary and the exit code out; works in the controller of an xdist run."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from harness.errors import HarnessError, reason, shown_path
from harness.plugin.junit import describe_run
from harness.plugin.names import UNREAD, names_of
from harness.plugin.options import RunOptions
from harness.plugin.remembered import option_that_leaves_out, remember, weights_of
from harness.plugin.rows import Rows
from harness.plugin.tally import Tally, is_case_id
from harness.spelling import option
from harness.visible import encodable

if TYPE_CHECKING:
    from harness.reporting.latest import Latest
    from harness.reporting.record import Record

NOTES = "forgetting_notes"
"""Under which a worker of xdist sends its notes."""

SHOWS_ONLY = (
    "collectonly", "help", "version", "showfixtures", "show_fixtures_per_test", "markers", "cacheshow", "looponfail",
)  # fmt: skip
"""Options with which pytest runs nothing itself."""


class RecordWriter:
    """Gathers what cases came to, and writes it down when the session ends."""

    def __init__(self, config: pytest.Config, options: RunOptions) -> None:
        self.options = options
        self.config = config
        self.tally = Tally()
        self.began = time.monotonic()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.rows = Rows()
        self.input_errors: list[str] = []
        self.errors: list[str] = []
        self.seen: set[str] = set()
        self.failed: set[str] = set()
        self.unread = False
        self.broken = False
        self.latest: Latest | None = None
        self.record: Record | None = None
        self.path: Path | None = None
        self.unwritten = ""

    # From the start

    def begin(self) -> None:
        """Hold the folder of the record, and write one that is unfinished; an older run's is not this one's.

        Raises:
            pytest.UsageError: no record can be written there.
        """
        if self.latest is not None:
            return
        from harness.reporting.latest import Latest

        latest = Latest(self.options.report)
        self.config.add_cleanup(latest.release)
        try:
            latest.claim()
            latest.write(self._record("unfinished", None))
        except HarnessError as error:
            raise pytest.UsageError(error.on_command_line) from error
        except OSError as error:
            raise pytest.UsageError(self._cannot_write(error)) from error
        self.latest = latest
        self.config.add_cleanup(self.refused)

    def refused(self) -> None:
        """Say in the record why there was no session: a refusal has its exit code, anything else stays unfinished."""
        if self.latest is None or self.record is not None:
            return
        error = sys.exception()
        refused = isinstance(error, pytest.UsageError)
        if error is not None:
            self.errors.append(str(error) if refused else f"{type(error).__name__}: {error}")
        record = self._record("finished", 4) if refused else self._record("unfinished", None)
        with suppress(OSError, HarnessError):  # the run ends in an error of its own
            self.latest.write(record)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """A run of engines of the user's own is known for one by its cases."""
        self._begin_with_cases()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """The controller knows the cases from its workers."""
        self._begin_with_cases()

    def _begin_with_cases(self) -> None:
        if self.tally.selected and not shows_only(self.config.option):
            self.begin()

    # Reports

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report brings along."""
        self._remember(report)
        data: dict[str, Any] | None = getattr(report, "forgetting", None)
        if data is None:
            self._keep_other(report)
            return
        if "error" in data:
            if data["error"] not in self.input_errors:
                self.input_errors.append(data["error"])
            return
        if "own" in data:
            self.tally.own.add(report.nodeid)
        if "ending" in data:
            self.tally.end(report.nodeid, data["ending"])
        if "gate" in data:
            self.rows.add(data)
            if str(report.longrepr).startswith("[XPASS(strict)]"):
                self.errors.append(f"{report.nodeid}: {report.longrepr}")
        elif report.failed:
            self.errors.append(f"{report.nodeid}: failed in {report.when}")

    def _remember(self, report: pytest.TestReport) -> None:
        """Note a case as failed by the rule of pytest's `--lf`."""
        if not is_case_id(report.nodeid):
            return
        self.seen.add(report.nodeid)
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.skipped or (report.passed and report.when == "call"):
            self.failed.discard(report.nodeid)

    def _keep_other(self, report: pytest.TestReport) -> None:
        """A report that brings nothing: a worker's crash, or an item that is no case."""
        if report.failed:
            self.errors.append(f"{report.nodeid}: failed in {report.when}")
        if report.when in ("setup", "call", "teardown"):
            self.tally.is_other(report.nodeid)
        elif report.nodeid in self.tally.selected:
            self.tally.end(report.nodeid, "error")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected."""
        if report.failed:
            self.errors.append(f"{report.nodeid}: could not be collected")
            if is_case_id(report.nodeid):
                self.unread = True
                self.seen.add(report.nodeid)
                self.failed.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Keep what a worker noted; one that crashed cannot say."""
        self.rows.note(*getattr(node, "workeroutput", {}).get(NOTES, ()))

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep that pytest, a plugin or a worker broke."""
        self.broken = True
        self.errors.append(f"INTERNALERROR: {excinfo.typename}: {excinfo.value}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep what stopped the run from outside: Ctrl-C, or a pytest.exit() with its reason."""
        if excinfo.type is KeyboardInterrupt or excinfo.errisinstance(pytest.exit.Exception):
            self.errors.append(f"stopped by {excinfo.typename}: {excinfo.value}")

    # At the end

    def status(self, code: int) -> int:
        """The exit code: pytest's, but never 0 without evidence, and that of wrong usage after an input error.

        A suite that cannot be read is pytest's collection error under xdist too, which says 1.
        """
        if shows_only(self.config.option):
            return code
        if self.input_errors or self.unwritten:
            return pytest.ExitCode.USAGE_ERROR
        if self.unread and code == pytest.ExitCode.TESTS_FAILED:
            return pytest.ExitCode.INTERRUPTED
        if self.options.model is None and not self.tally.selected:
            idle = (
                self.latest is not None and not self.tally.others
            )  # another plugin left out the suites that were named
            return pytest.ExitCode.NO_TESTS_COLLECTED if idle and code == pytest.ExitCode.OK else code
        if self.broken and code == pytest.ExitCode.OK:
            return pytest.ExitCode.INTERNAL_ERROR
        return self.tally.status(code)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Outermost: the last word on the exit code, which plugins inside may have changed."""
        if self.tally.selected:
            describe_run(self.config, self.rows.run, self._cases())
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
        """Settle the exit code and write the record, before the terminal's summary shows it."""
        session.exitstatus = self.status(session.exitstatus)
        gated = self.latest or self.rows.gates or self.input_errors or self.options.names_a_model
        if gated and not shows_only(self.config.option):
            self._note_refusal()
            self.rows.note(*self.config.stash.get(UNREAD, ()))
            if option := option_that_leaves_out(self.config):
                self.rows.note(f"{option}: gates that passed before were left out, and not measured again")
            self.rows.run["notes"] = [names_of(self.config).here(note) for note in self.rows.run["notes"]]
            self._finish(session)
            self._remember_model()

    def _finish(self, session: pytest.Session) -> None:
        try:
            self.begin()
            assert self.latest is not None
            self.record = self._record("finished", int(session.exitstatus))
            self.path = self.latest.write(self.record)
        except pytest.UsageError as error:
            self.unwritten = names_of(self.config).here(str(error))
        except HarnessError as error:
            self.unwritten = names_of(self.config).here(error.text)
        except OSError as error:
            self.unwritten = self._cannot_write(error)
        if self.unwritten:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            self.record = self._record("finished", int(session.exitstatus))

    def _cannot_write(self, error: OSError) -> str:
        from harness.writing import ELSEWHERE, cannot_write

        sentence = f"{option('report', str(self.options.report))}: no record can be written there"
        return names_of(self.config).here(cannot_write(sentence, error, ELSEWHERE, reason(error)).text)

    def _note_refusal(self) -> None:
        error = sys.exception()  # of wrap_session, which is about to end in it
        if isinstance(error, pytest.UsageError) and str(error) not in self.errors:
            self.errors.append(str(error))

    def _remember_model(self) -> None:
        if self.record and (self.rows.gates or self.failed):
            weights = weights_of(self.record.run.tuned, self.record.run.baseline)
            remember(self.config, self.options.model, weights, self.failed, self.seen)

    def _record(self, status: Literal["unfinished", "finished"], exit_status: int | None) -> Record:
        from harness import __version__
        from harness.evaluation.record import versions
        from harness.reporting.record import Record

        return Record.model_validate(_writable({
            "run": {
                "harness": __version__,
                "started": self.started,
                "status": status,
                "seconds": round(time.monotonic() - self.began, 1),
                "command": [str(argument) for argument in self.config.invocation_params.args],
                "exit_status": exit_status,
                "errors": [*self.input_errors, *self.errors],
                "versions": versions(),
                "strict": self.options.strict,
                "fail_on": self.options.fail_on,
                "cases": self._cases(),
                **self.rows.run,
            },
            "gates": list(self.rows.gates.values()),
            "probes": list(self.rows.probes.values()),
        }))  # fmt: skip

    def _cases(self) -> dict[str, int]:
        tally = self.tally
        return {
            "selected": len(tally.selected),
            "decided": tally.decided,
            "skipped": tally.count("skipped"),
            "excused": tally.count("excused"),
            "errors": tally.count("error"),
            "never_asked": tally.never_asked,
            "left_out": tally.left_out,
            "own": len(tally.own),
        }

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the summary."""
        if self.record is None:
            return
        from harness.reporting.formats import render

        terminalreporter.section("forgetting gate")
        for line in render(self.record, "terminal").splitlines():
            terminalreporter.line(names_of(self.config).here(line))
        if self.unwritten:
            terminalreporter.line(self.unwritten, red=True)
        elif self.path is not None:
            terminalreporter.line(f"record: {shown_path(self.path)}")


def shows_only(option: Any) -> bool:
    """Whether a run is asked to show something, and not to run."""
    return any(getattr(option, name, False) for name in SHOWS_ONLY)


def _writable(value: Any) -> Any:
    """The same with what UTF-8 cannot hold escaped: a path or an argument need not be text."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {key: _writable(inner) for key, inner in value.items()}
    return [_writable(inner) for inner in value] if isinstance(value, list) else value
