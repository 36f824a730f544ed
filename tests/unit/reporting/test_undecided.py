"""The exit code of a run by its gates: what was not decided is no pass."""

from __future__ import annotations

from typing import Any

import pytest

from harness.reporting.exit_code import TOGETHER, exit_code, undecided_suites
from harness.reporting.rows import GateRow


def row(suite: str, outcome: str, over: str = "all", **more: Any) -> GateRow:
    margin = {"max_drop": 0.1} if over != "each" and "max_rise" not in more else {}
    return GateRow.model_validate({
        "suite": suite, "slice": over, "over": over, "severity": "high", "place": "", "n": 10, "tuned_accuracy": 1.0,
        "outcome": outcome, **margin, **more,
    })  # fmt: skip


def overall(outcome: str) -> GateRow:
    return row("overall", outcome, "overall")


def flips(outcome: str) -> GateRow:
    return overall(outcome).model_copy(update={"max_drop": None, "max_flips": 0.1, "slice": "flips"})


A = row("a", "passed")
UNKNOWN = row(
    "u", "skipped", verdict="VACUOUS", undecided="the baseline is right on none of the 9 probes asked"
)
SMALL, SMALLER = row("b", "skipped"), row("b", "skipped", "category")


@pytest.mark.parametrize(
    ("gates", "named", "code", "undecided"),
    [
        ([], [], 5, []),
        ([A], [], 0, []),
        ([A], ["a"], 0, []),
        ([row("a", "warned")], [], 0, []),
        ([A, row("b", "failed")], [], 1, []),
        ([row("a", "failed"), SMALL], ["b"], 1, ["b"]),  # a failure is one whatever else is unknown
        ([SMALL], [], 5, ["b"]),
        ([row("a", "excused")], [], 5, []),
        ([A, row("b", "excused")], [], 0, []),
        # a slice that is too small, in a suite that is not
        ([row("a", "passed"), row("a", "skipped", "category")], ["a"], 0, []),
        # a suite that is too small
        ([A, SMALL, SMALLER], [], 5, ["b"]),
        ([A, SMALL, SMALLER, overall("passed")], [], 0, []),
        ([A, SMALL, SMALLER, overall("warned")], [], 0, []),
        ([A, SMALL, SMALLER, overall("skipped")], [], 5, ["b"]),
        ([A, SMALL, SMALLER, overall("passed")], ["b"], 5, ["b"]),
        ([A, SMALL, SMALLER, overall("passed")], ["a"], 0, []),
        ([SMALL, overall("passed")], [], 0, []),
        ([overall("skipped")], [], 5, []),
        # a suite that was named and not asked, and an overall gate that was asked for
        ([A], ["a", "b"], 5, ["b"]),
        ([A, overall("passed")], ["b"], 5, ["b"]),
        ([A, overall("skipped")], ["a"], 0, []),
        ([A, overall("skipped")], ["a", "overall"], 5, [TOGETHER]),
        ([A, overall("passed")], ["a", "overall"], 0, []),
        ([A], ["a", "overall"], 5, [TOGETHER]),
        ([A, overall("skipped"), flips("passed")], ["overall"], 5, [TOGETHER]),
        # what the baseline does not know, of which flips alone count
        ([A, UNKNOWN, overall("passed")], [], 5, ["u"]),
        ([A, UNKNOWN, overall("passed"), flips("passed")], [], 0, []),
        # what the overall gate does not pool
        ([A, row("c", "skipped", "each"), overall("passed")], [], 5, ["c"]),
        ([A, row("t", "skipped", max_rise=0.02), overall("passed")], [], 5, ["t"]),
        ([A, SMALL, row("c", "skipped", "each")], [], 5, ["b", "c"]),
    ],
)
def test_the_exit_code(gates, named, code, undecided):
    assert exit_code(gates, named) == code
    assert undecided_suites(gates, named) == undecided
