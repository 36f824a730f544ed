"""Reports of a run in, record.json and the terminal summary out; works in the controller of an xdist run."""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from harness.plugin.options import RunOptions

PACKAGES = ("torch", "transformers", "peft", "tokenizers", "pytest")


class Keeper:
    """Gathers what cases came to and writes it down when the session ends."""

    def __init__(self, config: pytest.Config) -> None:
        self.options = RunOptions.of(config)
        self.config = config
        self.began = time.monotonic()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.gates: list[dict[str, Any]] = []
        self.probes: dict[tuple[str, str], dict[str, Any]] = {}
        self.run: dict[str, Any] = {"notes": [], "seconds_asking": {}}
        self.input_errors: list[str] = []
        self.errors: list[str] = []
        self.unread = False
        self.record: Any = None
        self.path: Path | None = None
        self.unwritten = ""
        if self.options.names_a_model and not config.option.collectonly:
            _clear(self.options.report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report brings along."""
        data: dict[str, Any] | None = getattr(report, "forgetting", None)
        if data is None:
            if report.failed:
                self.errors.append(f"{report.nodeid}: failed in {report.when}")
            return
        if "error" in data:
            if data["error"] not in self.input_errors:
                self.input_errors.append(data["error"])
            return
        self.gates.append(data["gate"])
        for row in data["probes"]:  # two workers, or two gates, may both bring a probe
            known = self.probes.get((row["suite"], row["id"]))
            if known is None or known["baseline"] is None:
                self.probes[row["suite"], row["id"]] = row
        self._merge(data["run"])

    def _merge(self, run: dict[str, Any]) -> None:
        notes = [*self.run["notes"], *(note for note in run["notes"] if note not in self.run["notes"])]
        seconds = {**self.run["seconds_asking"], **run["seconds_asking"]}
        self.run = {**self.run, **run, "notes": notes, "seconds_asking": seconds}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected."""
        if report.failed:
            self.errors.append(f"{report.nodeid}: could not be collected")
            self.unread |= report.nodeid.endswith((".yaml", ".yml"))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the record; an input error makes the exit code that of wrong usage.

        A suite that cannot be read is pytest's collection error under xdist too, which says 1.
        """
        if self.input_errors:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif self.unread and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
        gated = self.gates or self.input_errors or self.options.names_a_model
        if self.config.option.collectonly or not gated:
            return
        from harness import __version__
        from harness.reporting.record import Record, write_record

        self.record = Record.model_validate({
            "run": {
                "harness": __version__,
                "started": self.started,
                "seconds": round(time.monotonic() - self.began, 1),
                "command": [str(argument) for argument in self.config.invocation_params.args],
                "exit_status": int(session.exitstatus),
                "errors": [*self.input_errors, *self.errors],
                "versions": {"python": platform.python_version(), **_versions()},
                "strict": self.options.strict,
                "fail_on": self.options.fail_on,
                **self.run,
            },
            "gates": self.gates,
            "probes": list(self.probes.values()),
        })  # fmt: skip
        try:
            self.path = write_record(self.record, self.options.report)
        except OSError as error:
            self.unwritten = _cannot_write(self.options.report, error)
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the summary."""
        if self.record is None:
            return
        from harness.errors import shown_path
        from harness.reporting.summary import summary_lines

        terminalreporter.section("forgetting gate")
        for line in summary_lines(self.record):
            terminalreporter.line(line)
        if self.path is not None:
            terminalreporter.line(f"record: {shown_path(self.path)}")
        else:
            terminalreporter.line(self.unwritten, red=True)


def _clear(folder: Path) -> None:
    """A run that breaks must not leave an older run's record behind as if it were its own.

    Raises:
        pytest.UsageError: no record could be written there either.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "record.json").unlink(missing_ok=True)
    except OSError as error:
        raise pytest.UsageError(_cannot_write(folder, error)) from error


def _cannot_write(folder: Path, error: OSError) -> str:
    return f"--report {folder}: no record can be written there: {error.strerror}"


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
