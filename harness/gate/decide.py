"""Decide all gates of a run together: Findings in, Decisions out.

Of many gates one fails by chance, so no gate is decided alone. A slice fails if what was observed is over its margin and
the loss is significant among all slices of the run (Holm), the overall gate if it is significant by itself, and a suite of
single probes if it lost a critical one or several others, or has none right beside a lost one.

Accepted losses count as kept, and only in the gates over them: all others are decided as if nothing were accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from harness.gate.finding import Finding
from harness.gate.policy import Policy
from harness.stats.multiple import holm
from harness.stats.paired import ROUNDING
from harness.suites.suite import EachGate, RunGate, SliceGate

Outcome = Literal["passed", "failed", "warned", "skipped", "excused"]
"""The outcome of a case in a run. A skipped case decided nothing; an excused one failed as expected (xfail); a warned one decided
that what it saw is below what fails, which lack of evidence cannot."""

LEVEL = 0.05
"""How often the slices of a run may fail, all together, when nothing was lost."""

LEVEL_OVERALL = 0.01
"""The same of the overall gate, which sees far smaller drops."""

MOST_LOST = 1
"""How many probes of less than critical severity a suite of single probes may lose with a warning, if it has another right."""


@dataclass(frozen=True, kw_only=True)
class Decision(Finding):
    """The result of a case.

    Attributes:
        adjusted_p: Holm's, over the slices of the run; None for other cases.
        tests: how many slices these are.
        without_accepted: the outcome that it would have without accepted losses; None if that is the same.
    """

    outcome: Outcome
    adjusted_p: float | None = None
    tests: int = 0
    without_accepted: Outcome | None = None

    @property
    def significant(self) -> bool:
        """Whether so clear a loss is rare by chance among the gates of the run."""
        if isinstance(self.case.gate, RunGate):
            return self.p is not None and self.p <= LEVEL_OVERALL + ROUNDING
        return self.adjusted_p is not None and self.adjusted_p <= LEVEL + ROUNDING


def decide(findings: Sequence[Finding], policy: Policy) -> list[Decision]:
    """Decide the findings of a run together, in their order."""
    family = {id(finding): p for finding in findings if (p := _p_in_family(finding, policy)) is not None}
    adjusted = dict(zip(family, map(float, holm(list(family.values()))), strict=True))
    few = _few_lost(findings)
    decisions = [
        _decided(finding, policy, adjusted.get(id(finding)), len(family), finding.case.suite.name in few)
        for finding in findings
    ]
    return [
        _accepting(decision, finding, policy, family, finding.case.suite.name in few)
        for decision, finding in zip(decisions, findings, strict=True)
    ]


def _accepting(
    decision: Decision, finding: Finding, policy: Policy, family: Mapping[int, float], few: bool
) -> Decision:
    """The decision with accepted losses as kept, in this gate alone; a fault of the evidence stays as it is.

    Args:
        family: the p-values of the slices that are decided together, by the ids of their findings.
        few: whether so few lost probes of the suite, accepted or not, are only a warning.
    """
    kept = finding.accepting
    if kept is None or (decision.standing == "bad" and decision.stop is None):
        return decision
    others = [p for key, p in family.items() if key != id(finding)]
    adjusted, tests = None, len(others)
    if (p := _p_in_family(kept, policy)) is not None:
        adjusted, tests = float(holm([p, *others])[0]), tests + 1
    outcome = _decided(kept, policy, adjusted, tests, few).outcome
    better = decision.outcome == "failed" or (decision.outcome == "warned" and outcome == "passed")
    if outcome == decision.outcome or not better:
        return decision
    return replace(decision, outcome=outcome, without_accepted=decision.outcome)


def rule(finding: Finding, policy: Policy) -> str:
    """How a gate over a slice is decided: its own `on_inconclusive`, or `fail` for a strict run."""
    if policy.strict:
        return "fail"
    gate = finding.case.gate
    return gate.on_inconclusive if isinstance(gate, SliceGate) else "confirmed"


def _p_in_family(finding: Finding, policy: Policy) -> float | None:
    """The p-value of a slice that is decided with the others; None for a case that is not."""
    tested = isinstance(finding.case.gate, SliceGate) and finding.standing == "tested"
    return finding.p if tested and rule(finding, policy) == "confirmed" else None


def _few_lost(findings: Iterable[Finding]) -> set[str]:
    """The suites that lost few probes of less than critical severity, each a case of its own, and have another right.

    Without one that is right, all that was asked is lost: the only probe of a suite, or the only one that was selected.
    """
    single = [finding for finding in findings if isinstance(finding.case.gate, EachGate)]
    kept = {finding.case.suite.name for finding in single if finding.standing == "fine"}
    lost = Counter(
        finding.case.suite.name
        for finding in single
        if finding.standing == "tested" and finding.case.severity != "critical"
    )
    return {suite for suite in kept if lost[suite] <= MOST_LOST}


def _decided(finding: Finding, policy: Policy, adjusted: float | None, tests: int, few: bool) -> Decision:
    values = {field.name: getattr(finding, field.name) for field in fields(Finding)}
    decision = Decision(
        **values, outcome="passed", adjusted_p=adjusted, tests=0 if adjusted is None else tests
    )
    outcome = _outcome(decision, policy, few)
    if outcome == "failed" and not policy.fails(finding.case.severity):
        outcome = "skipped" if finding.lacks_evidence else "warned"
    return replace(decision, outcome=outcome)


def _outcome(decision: Decision, policy: Policy, few: bool) -> Outcome:
    """The outcome, whatever the case's severity."""
    match decision.standing:
        case "fine":
            return "passed"
        case "bad":
            return "failed"
        case "undecided" | "not gated":
            return "skipped"
    how = rule(decision, policy)
    if isinstance(decision.case.gate, EachGate):
        lenient = few and decision.case.severity != "critical" and how != "fail"
        return "warned" if lenient else "failed"
    if decision.verdict == "RETAINED":
        return "passed"
    fails = {
        "confirmed": decision.over and decision.significant,
        "observed": decision.over,
        "fail": True,
        "pass": decision.verdict == "FORGOTTEN",
    }
    return "failed" if fails[how] else "warned"
