"""Which cases were selected and what each came to in; what was decided and what was not, out.

Cases go by their node ids: the controller of an xdist run knows nothing else of them. A YAML item of another plugin looks
like a case there until its report comes, which brings nothing of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest

Ending = Literal["failed", "warned", "excused", "passed", "skipped", "error"]
"""What a case came to; an error is one that ended before anything was decided."""

WORST_FIRST: Sequence[Ending] = ("failed", "warned", "excused", "passed", "skipped", "error")
"""A case that ran twice (a rerun, two workers) counts as the first of these: no rerun turns a failed gate green."""

DECIDED = {"failed", "warned", "passed"}
LEFT_OUT = "forgetting_left_out"


def is_case_id(nodeid: str) -> bool:
    """Whether a node id is of an item in a YAML file."""
    return nodeid.partition("::")[0].lower().endswith((".yaml", ".yml"))


def _is_case(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and is_case_id(item.nodeid)


def worse(left: Ending, right: Ending) -> Ending:
    """The one of two endings that counts."""
    return min(left, right, key=WORST_FIRST.index)


class Tally:
    """Counts cases from their collection to their end; a worker of xdist sends what its controller cannot see."""

    def __init__(self) -> None:
        self.left_out = 0
        self.own: set[str] = set()
        self._collected = 0
        self._selected: set[str] = set()
        self.others: set[str] = set()
        """The node ids of items that ran and are no cases of ours."""
        self._endings: dict[str, Ending] = {}

    # Selected

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note a case, whoever leaves it out later: -k, --deselect, --sample or a hook that says nothing."""
        self._collected += _is_case(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which cases are to run."""
        cases = [item.nodeid for item in session.items if _is_case(item)]
        self._selected = set(cases)
        self.left_out = max(0, self._collected - len(cases))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller how many cases this worker left out; all workers leave out the same."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[LEFT_OUT] = self.left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note which cases a worker is to run."""
        self._selected.update(filter(is_case_id, ids))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker left out; one that crashed cannot say."""
        self.left_out = max(self.left_out, getattr(node, "workeroutput", {}).get(LEFT_OUT, 0))

    # Ended

    def end(self, nodeid: str, ending: Ending) -> None:
        """A case ended so."""
        self._endings[nodeid] = worse(self._endings.get(nodeid, ending), ending)

    def is_other(self, nodeid: str) -> None:
        """An item is no case of ours."""
        self.others.add(nodeid)

    # Counted

    @property
    def selected(self) -> set[str]:
        """The node ids of the cases that were to run."""
        return self._selected - self.others

    @property
    def decided(self) -> int:
        """How many cases were decided."""
        return sum(ending in DECIDED for ending in self._endings.values())

    @property
    def never_asked(self) -> int:
        """How many cases were to run, and ended in nothing at all."""
        return len(self.selected - self._endings.keys())

    def count(self, *endings: Ending) -> int:
        """How many cases ended in one of these ways."""
        return sum(ending in endings for ending in self._endings.values())

    def status(self, code: int) -> int:
        """pytest's exit code; 0 only where something was decided, nothing failed, and no selected case was lost."""
        if code != pytest.ExitCode.OK:
            return code
        if self.count("failed", "error"):
            return pytest.ExitCode.TESTS_FAILED
        if not self.decided and not self.own:
            return pytest.ExitCode.NO_TESTS_COLLECTED
        return pytest.ExitCode.TESTS_FAILED if self.never_asked else pytest.ExitCode.OK
