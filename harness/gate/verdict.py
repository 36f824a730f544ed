"""A Comparison and a gate in, a Verdict and what follows from it out.

RETAINED      the whole interval is at or below the margin
FORGOTTEN     the whole interval is above it
INCONCLUSIVE  it straddles the margin: the suite is too small to tell
VACUOUS       losing all that the baseline had would still be within the margin: nothing to lose
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.errors import NoEvidenceError
from harness.gate.cases import Case
from harness.gate.compare import CONFIDENCE, Comparison, Pair, compare
from harness.stats.paired import probes_to_settle
from harness.suites.format import SEVERITIES, Severity

Verdict = Literal["RETAINED", "FORGOTTEN", "INCONCLUSIVE", "VACUOUS"]
Outcome = Literal["passed", "failed", "warned", "skipped"]

ROUNDING = 1e-9
"""Slack for margins such as 0.1 that have no exact binary form."""


class Compared(Protocol):
    """What a verdict is drawn from: a Comparison, or one pooled over runs."""

    @property
    def baseline_accuracy(self) -> float: ...

    @property
    def interval(self) -> tuple[float, float]: ...


@dataclass(frozen=True)
class Policy:
    """What a run makes of verdicts: `strict` fails the inconclusive, `fail_on` is the least severity that fails."""

    strict: bool = False
    fail_on: Severity = "low"

    def fails(self, severity: Severity) -> bool:
        return SEVERITIES.index(severity) <= SEVERITIES.index(self.fail_on)


@dataclass(frozen=True)
class Decision:
    """What a case came to.

    `verdict` is None for a case that asks the tuned model alone, and `comparison` likewise; `settling` is the
    number of further probes that would settle an inconclusive verdict, None if none would.
    """

    case: Case
    pairs: tuple[Pair, ...]
    comparison: Comparison | None
    verdict: Verdict | None
    outcome: Outcome
    settling: int | None = None


def decide(case: Case, pairs: Sequence[Pair], policy: Policy, all_missed: bool = False) -> Decision:
    """Judge a case by its pairs.

    Args:
        all_missed: both models miss every probe for which this gate over `each` was asked, so that
            skipping them all would let a run pass on no evidence.

    Raises:
        NoEvidenceError: there are no pairs, or some lack a baseline that the gate needs.
    """
    if not pairs:
        raise NoEvidenceError(f"no probe was asked for {case.title}")
    if case.tuned_alone:
        right = all(pair.tuned.right for pair in pairs)
        return Decision(case, tuple(pairs), None, None, _outcome(right, case, policy))
    comparison = compare(pairs)
    if case.gate.over == "each":
        verdict, outcome = _decide_probe(comparison, case, policy, all_missed)
        return Decision(case, tuple(pairs), comparison, verdict, outcome)
    assert case.gate.max_drop is not None, "the reader lets no such gate pass"
    margin = case.gate.max_drop
    verdict = judge(comparison, margin)
    if verdict != "INCONCLUSIVE":
        outcome = _outcome(verdict == "RETAINED", case, policy)
        return Decision(case, tuple(pairs), comparison, verdict, outcome)
    rule = "fail" if policy.strict else case.gate.on_inconclusive
    passes = rule == "pass" or (rule == "observed" and comparison.drop <= margin + ROUNDING)
    needed = probes_to_settle(comparison.lost, comparison.gained, comparison.n, margin, CONFIDENCE)
    return Decision(
        case,
        tuple(pairs),
        comparison,
        verdict,
        "warned" if passes else _outcome(False, case, policy),
        None if needed is None else needed - comparison.n,
    )


def judge(comparison: Compared, margin: float) -> Verdict:
    """The verdict on a slice, from its interval against `margin` (a fraction)."""
    if comparison.baseline_accuracy <= margin + ROUNDING:
        return "VACUOUS"
    low, high = comparison.interval
    if high <= margin + ROUNDING:
        return "RETAINED"
    return "FORGOTTEN" if low > margin + ROUNDING else "INCONCLUSIVE"


def _decide_probe(
    comparison: Comparison, case: Case, policy: Policy, all_missed: bool
) -> tuple[Verdict, Outcome]:
    if comparison.missed:
        return "VACUOUS", _outcome(False, case, policy) if all_missed else "skipped"
    if comparison.lost:
        return "FORGOTTEN", _outcome(False, case, policy)
    return "RETAINED", "passed"


def _outcome(passes: bool, case: Case, policy: Policy) -> Outcome:
    if passes:
        return "passed"
    return "failed" if policy.fails(case.severity) else "warned"
