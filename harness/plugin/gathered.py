"""pytest's reports in, the rows of the record and all errors of the run out; runs in the controller of an xdist run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harness.plugin.tally import Tally, is_case_id, worse

NOTES = "forgetting_notes"
"""The key under which a worker of xdist sends its notes."""

REST = "forgetting_rest"
"""The key under which it sends the data of cases that were asked and not run, by node id."""

MODELS = "forgetting_models"
"""The key under which it sends the rows of the models that it asked, among others."""

OF_ENGINES = ("engines", "engine_flips")
"""Known to a worker only if it opened the models; one that took over what another asked has none."""

BY_SUITE = (
    "suites",
    "seconds_asking",
    "template",
    "thinking_tokens",
    "nothing_known",
    "noise",
    "sequential",
    "accepted",
)
"""Values of a run by suite, each sent by the worker that asks the suite."""

Row = dict[str, Any]


class Gathered:
    """The rows of a record as plain data, and the errors of a run.

    Reruns and workers repeat rows: of a gate that came twice, and of a probe, the worse row is kept.
    """

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._gates: dict[tuple[str, str], Row] = {}
        self._nodeids: dict[tuple[str, str], str] = {}
        self._probes: dict[tuple[str, str], Row] = {}
        self._places: dict[tuple[str, str], int] = {}
        self.run: Row = {"notes": [], **{name: {} for name in BY_SUITE}}
        self.input_errors: list[str] = []
        self.errors: list[str] = []
        self.looks: dict[str, tuple[int, int]] = {}
        """Of the items of a look, how many probes are lost still, of how many."""
        self.unread = False
        self.uncollected = False
        self.stopped = False
        self.broken = False
        self._rest: dict[str, Row] = {}
        self._asked: dict[str, Row] = {}
        """The rows of both models as the first worker that asked them found them, by side."""

    @property
    def gates(self) -> list[Row]:
        """The rows of all gates, in the order of their cases, whichever worker was first."""
        order = self.tally.order
        known = sorted(self._gates, key=lambda key: order.get(self._nodeids[key], len(order)))
        return [self._gates[key] for key in known]

    @property
    def probes(self) -> list[Row]:
        """The rows of all probes, suite by suite in the order of their cases, and in the order of their suites."""
        suites = {name: place for place, name in enumerate(dict.fromkeys(row["suite"] for row in self.gates))}
        known = sorted(self._probes, key=lambda key: (suites[key[0]], self._places[key]))
        return [self._probes[key] for key in known]

    @property
    def undecided(self) -> bool:
        """Whether a suite decided nothing, which is no pass."""
        from harness.reporting.exit_code import undecided_suites
        from harness.reporting.rows import GateRow

        gates = [GateRow.model_validate(row) for row in self.gates]
        return bool(undecided_suites(gates, self.named))

    @property
    def named(self) -> list[str]:
        """What must decide something: what the user named, and selected suites of which no case got as far as a model."""
        asked = {suite for suite, _ in self._gates}
        return list(dict.fromkeys([*self.run.get("named", ()), *sorted(self.run["suites"].keys() - asked)]))

    def note(self, *notes: str) -> None:
        """Keep notes for the user, each once."""
        self.run["notes"] = list(dict.fromkeys([*self.run["notes"], *notes]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a report carries."""
        data: Row | None = getattr(report, "forgetting", None)
        if data is None:
            self._keep_other(report)
            return
        if "error" in data:
            if data["error"] not in self.input_errors:
                self.input_errors.append(data["error"])
            return
        if "own" in data:
            self.tally.own.add(report.nodeid)
        self.add(report.nodeid, data)
        if "gate" in data:
            if str(report.longrepr).startswith("[XPASS(strict)]"):
                self.errors.append(f"{report.nodeid}: {report.longrepr}")
        elif report.failed:
            self.errors.append(f"{report.nodeid}: failed in {report.when}")

    def add(self, nodeid: str, data: Row) -> None:
        """Keep how a case ended, and its rows."""
        if "ending" in data:
            self.tally.end(nodeid, data["ending"])
        if "look" in data:
            self.looks[nodeid] = data["look"]
        if "gate" in data:
            self._add_rows(nodeid, data)

    def add_rest(self, rest: Mapping[str, Row]) -> None:
        """Keep the data of cases that were asked and not run by any process, because the run ended early."""
        for nodeid, data in {**self._rest, **rest}.items():
            if not self.tally.has_ended(nodeid):
                self.add(nodeid, data)

    def _keep_other(self, report: pytest.TestReport) -> None:
        """Keep a report without data: of a crashed worker, or of an item that is no case."""
        if report.failed:
            self.errors.append(f"{report.nodeid}: failed in {report.when}")
        if report.when in ("setup", "call", "teardown"):
            self.tally.others.add(report.nodeid)
        elif report.nodeid in self.tally.selected:
            self.tally.end(report.nodeid, "error")

    def _add_rows(self, nodeid: str, data: Row) -> None:
        """Add the rows of one case."""
        gate = data["gate"]
        key = gate["suite"], gate["slice"]
        known = self._gates.get(key)
        self._nodeids[key] = nodeid
        if known is None or worse(gate["outcome"], known["outcome"]) != known["outcome"]:
            self._gates[key] = gate
        for row, place in zip(data["probes"], data["places"], strict=True):
            key = row["suite"], row["id"]
            self._places[key] = place
            if key not in self._probes or _rank(row) > _rank(self._probes[key]):
                self._probes[key] = row
        run = data["run"]
        by_suite = {name: {**self.run[name], **run[name]} for name in BY_SUITE}
        before = {key: self.run[key] for key in OF_ENGINES if self.run.get(key) and not run.get(key)}
        self.run = {**self.run, **run, "notes": self.run["notes"], **by_suite, **before}
        self.note(*run["notes"])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the error of a file that could not be collected."""
        if report.failed:
            self.uncollected = True
            self.errors.append(f"{report.nodeid}: could not be collected")
            self.unread |= is_case_id(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Keep the notes of a worker; one that crashed sends none, and is an error of the run."""
        sent = getattr(node, "workeroutput", {})
        self.note(*sent.get(NOTES, ()))
        self._check_models(sent.get(MODELS, {}))
        self._rest |= sent.get(REST, {})
        if error and not hasattr(node, "workeroutput"):
            self.errors.append(f"the worker '{node.gateway.id}' died: {error}")

    def _check_models(self, rows: Mapping[str, Row]) -> None:
        """Keep an error for a model whose files are not what another worker found: the run may have asked both."""
        from harness.models.digests import changed_since

        for side in ("baseline", "tuned"):
            row = rows.get(side, {})
            first = self._asked.setdefault(side, row) if row.get("source") == "reference" else row
            if row and any(row[weights] != first[weights] for weights in ("weights", "base_weights")):
                text = changed_since(row["name"])
                self.input_errors += [] if text in self.input_errors else [text]
                self.note(text.replace("\n  ", "; "))

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep the error of pytest, a plugin or a worker."""
        self.broken = True
        self.errors.append(f"INTERNALERROR: {excinfo.typename}: {excinfo.value}")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep the reason of an early end: Ctrl-C or pytest.exit()."""
        if excinfo.type is KeyboardInterrupt or excinfo.errisinstance(pytest.exit.Exception):
            self.stopped = True
            self.errors.append(f"stopped by {excinfo.typename}: {excinfo.value}")


def _rank(row: Row) -> tuple[bool, bool, bool, int]:
    """The order of rows of one probe: those with both answers count more, then the worse ones, then those with attempts."""
    return row["baseline"] is not None, row["change"] == "lost", not row["tuned"]["right"], len(row["again"])
