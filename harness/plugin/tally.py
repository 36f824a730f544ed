"""Count cases: how many were selected, decided, skipped or lost, and the exit code that follows.

Cases are known by their node ids, all that the controller of an xdist run has of them. A YAML item of another plugin looks
like a case there until its report comes without our data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pytest

from harness.plugin.state import SUITES
from harness.suites.detect import ENDINGS

Ending = Literal["failed", "warned", "excused", "passed", "skipped", "error"]
"""How a case ended; "error" is before anything was decided."""

PRECEDENCE: Sequence[Ending] = ("failed", "warned", "excused", "passed", "skipped", "error")
"""A case that ran twice (a rerun, two workers) counts as the worse ending: no rerun turns a failed gate green."""

LEFT_OUT = "forgetting_left_out"
OURS = "forgetting_ours"

OVERALL_IDS = ("overall::all", "overall::flips")
"""The node ids of the gates over all suites."""


LOOK = "::lost"
"""The end of the node id of an item that looks at what an earlier run lost."""


def is_case_id(nodeid: str) -> bool:
    """Whether a node id belongs to an item of a YAML file, or to a gate over all suites."""
    return nodeid in OVERALL_IDS or nodeid.partition("::")[0].lower().endswith(ENDINGS)


def _is_case(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and is_case_id(item.nodeid)


def worse(left: Ending, right: Ending) -> Ending:
    """The worse of two endings."""
    return min(left, right, key=PRECEDENCE.index)


class Tally:
    """Counts cases from collection to end; a worker of xdist sends the number of cases it left out."""

    def __init__(self) -> None:
        self.left_out = 0
        self.own: set[str] = set()
        self._collected = 0
        self._selected: dict[str, None] = {}
        self.others: set[str] = set()
        """The node ids of items of YAML files or tests whose reports came without our data: no cases, unless `_ours`."""
        self._ours: set[str] = set()
        """The node ids of selected cases, of the process that collected them, which knows."""
        self._endings: dict[str, Ending] = {}

    # Selected

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Count a case, whoever leaves it out later: -k, --deselect, --sample or another plugin's hook."""
        self._collected += _is_case(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the selected cases."""
        cases = [item.nodeid for item in session.items if _is_case(item)]
        self._selected = dict.fromkeys(cases)
        self.left_out = max(0, self._collected - len(cases))
        if SUITES in session.config.stash:
            from harness.plugin.collect import CaseItem

            self._ours = {item.nodeid for item in session.items if isinstance(item, CaseItem)}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the cases, and the number of those left out, which are equal in all workers, to the controller."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput |= {LEFT_OUT: self.left_out, OURS: sorted(self._ours)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note the selected cases of a worker."""
        self._selected.update(dict.fromkeys(filter(is_case_id, ids)))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take a worker's cases and number of those left out; one that crashed sends none."""
        sent = getattr(node, "workeroutput", {})
        self.left_out = max(self.left_out, sent.get(LEFT_OUT, 0))
        self._ours |= set(sent.get(OURS, ()))

    # Ended

    def end(self, nodeid: str, ending: Ending) -> None:
        """Note how a case ended."""
        self._endings[nodeid] = worse(self._endings.get(nodeid, ending), ending)

    def has_ended(self, nodeid: str) -> bool:
        """Whether it is known how a case ended."""
        return nodeid in self._endings

    # Counted

    @property
    def selected(self) -> set[str]:
        """The node ids of the selected cases."""
        return self._selected.keys() - (self.others - self._ours)

    def replaced(self) -> Iterator[str]:
        """A note for each case of which only reports without our data came."""
        for nodeid in sorted(self.others & self._ours - self._endings.keys()):
            yield (
                f"{nodeid}: its verdict is unknown, for a hook of a conftest.py or a plugin put another report in the place of "
                "its own; let the hook return the report that it was given"
            )

    @property
    def order(self) -> dict[str, int]:
        """The place of each selected case by its node id, as pytest runs them."""
        return {nodeid: place for place, nodeid in enumerate(self._selected)}

    @property
    def decided(self) -> int:
        """The number of decided cases."""
        return self.count("failed", "warned", "passed")

    @property
    def never_asked(self) -> int:
        """The number of selected cases without any ending."""
        return len(self.selected - self._endings.keys())

    def count(self, *endings: Ending) -> int:
        """The number of cases with one of these endings."""
        return sum(ending in endings for ending in self._endings.values())

    def row(self) -> dict[str, int]:
        """The values of a CasesRow."""
        return {
            "selected": len(self.selected),
            "decided": self.decided,
            "skipped": self.count("skipped"),
            "excused": self.count("excused"),
            "errors": self.count("error"),
            "never_asked": self.never_asked,
            "left_out": self.left_out,
            "own": len(self.own),
        }

    def status(self, code: int, stopped: bool) -> int:
        """pytest's exit code, but 0 only if something was decided, nothing failed, and no selected case was lost.

        Where a failed case ends the run (`--stepwise`, and `-x` under xdist), pytest says that it was interrupted.

        Args:
            stopped: whether something else ended it.
        """
        if code == pytest.ExitCode.INTERRUPTED and not stopped and self.count("failed", "error"):
            return pytest.ExitCode.TESTS_FAILED
        if code != pytest.ExitCode.OK:
            return code
        if self.count("failed", "error"):
            return pytest.ExitCode.TESTS_FAILED
        if not self.decided and not self.own:
            return pytest.ExitCode.NO_TESTS_COLLECTED
        return pytest.ExitCode.TESTS_FAILED if self.never_asked else pytest.ExitCode.OK
