"""Reach a verdict: a case and its pairs in, a Decision out.

RETAINED      the whole interval is at or below the margin
FORGOTTEN     the whole interval is above it
INCONCLUSIVE  it straddles the margin: the suite is too small to tell
VACUOUS       nothing to lose: a total loss would be within the margin, or the baseline only guesses

A slice too small to be RETAINED whatever its answers decides nothing, unless it is FORGOTTEN all the same. A slice in
which one side's answers were cut so much more often that cutting alone may explain the verdict is INCONCLUSIVE and fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from harness.errors import NoEvidenceError
from harness.gate.cases import Case
from harness.gate.compare import Comparison, Pair, compare
from harness.gate.evidence import Cut, cut
from harness.gate.pooling import Pooled
from harness.stats.paired import ROUNDING, least_to_retain, probes_to_settle
from harness.suites.severity import SEVERITIES, Severity
from harness.suites.suite import EachGate

MARGIN = 0.10
"""The default largest acceptable drop, a fraction."""

Verdict = Literal["RETAINED", "FORGOTTEN", "INCONCLUSIVE", "VACUOUS"]
Outcome = Literal["passed", "failed", "warned", "skipped", "excused"]
"""The outcome of a case in a run. A skipped case decided nothing; an excused one failed as expected (xfail)."""


@dataclass(frozen=True)
class Policy:
    """How verdicts become outcomes: `strict` fails inconclusive cases, `fail_on` is the lowest severity that fails."""

    strict: bool = False
    fail_on: Severity = "low"

    def fails(self, severity: Severity) -> bool:
        return SEVERITIES.index(severity) <= SEVERITIES.index(self.fail_on)


@dataclass(frozen=True)
class Decision:
    """The result of a case.

    Attributes:
        comparison, verdict: None for a case that judges the tuned model alone.
        settling: how many more probes would settle an inconclusive verdict, None if no number would.
        why: why nothing was decided (the slice is too small, answers were cut, the baseline only guesses), else "".
    """

    case: Case
    pairs: tuple[Pair, ...]
    comparison: Comparison | None
    verdict: Verdict | None
    outcome: Outcome
    settling: int | None = None
    why: str = ""
    cut: Cut | None = None


def decide(case: Case, pairs: Sequence[Pair], policy: Policy, nothing_known: str | None = None) -> Decision:
    """Judge a case by its pairs.

    Args:
        nothing_known: why there is no evidence that the baseline knows anything about the suite (see
            `harness.gate.evidence`).

    Raises:
        NoEvidenceError: there are no pairs, or some lack the baseline that the gate needs.
    """
    if not pairs:
        raise NoEvidenceError(f"no probe was asked for {case.title}")
    failing: Outcome = "failed" if policy.fails(case.severity) else "warned"
    if case.tuned_alone:
        right = all(pair.tuned.right for pair in pairs)
        return Decision(case, tuple(pairs), None, None, "passed" if right else failing)
    comparison, cut_off = compare(pairs), cut(pairs)
    decision = partial(Decision, case, tuple(pairs), comparison, cut=cut_off)
    if nothing_known:
        return decision("VACUOUS", failing, why=nothing_known)
    if isinstance(case.gate, EachGate):
        if comparison.missed:
            return decision("VACUOUS", "skipped")
        return decision("FORGOTTEN", failing) if comparison.lost else decision("RETAINED", "passed")
    margin, n = case.gate.max_drop, comparison.n
    verdict = judge(comparison, margin)
    rule = "fail" if policy.strict else case.gate.on_inconclusive
    needed = least_to_retain(margin)
    if rule != "fail" and verdict != "FORGOTTEN" and needed is not None and n < needed:
        why = f"{n} of the {needed} probes that a margin of {100 * margin:g} points needs"
        return decision(verdict, "skipped", needed - n, why)
    if rule != "fail" and verdict == "INCONCLUSIVE" and needed is None and comparison.drop <= 0:
        return decision(verdict, "skipped", why="no number of probes can show that nothing at all was lost")
    if verdict != "VACUOUS" and cut_off.unlike(margin) and not _harmless(cut_off, verdict, pairs, margin):
        why = (
            f"{cut_off.described('max_new_tokens')} each: the difference is more than the margin, and a cut answer is "
            "incomplete"
        )
        return decision("INCONCLUSIVE", failing, why=why)
    if verdict != "INCONCLUSIVE":
        return decision(verdict, "passed" if verdict == "RETAINED" else failing)
    passes = rule == "pass" or (rule == "observed" and comparison.drop <= margin + ROUNDING)
    settled = probes_to_settle(comparison.lost, comparison.gained, n, margin)
    return decision(verdict, "warned" if passes else failing, None if settled is None else settled - n)


def _harmless(cut_off: Cut, verdict: Verdict, pairs: Sequence[Pair], margin: float) -> bool:
    """Whether cutting can only have worked against the verdict, because it costs the side that is cut more right answers.

    A score that does not settle may find a complete answer wrong and its beginning right; if more cut answers than the
    margin allows have such a score, cutting could have worked either way.
    """
    open_ended = cut([pair for pair in pairs if not pair.probe.scorer.settles])
    if max(open_ended.baseline, open_ended.tuned) > (margin + ROUNDING) * len(pairs):
        return False
    costs_tuned = cut_off.tuned > cut_off.baseline
    return verdict == "RETAINED" if costs_tuned else verdict == "FORGOTTEN"


def judge(comparison: Comparison | Pooled, margin: float) -> Verdict:
    """The verdict on a slice: its interval compared with `margin` (a fraction)."""
    if comparison.baseline_accuracy <= margin + ROUNDING:
        return "VACUOUS"
    low, high = comparison.interval
    if high <= margin + ROUNDING:
        return "RETAINED"
    return "FORGOTTEN" if low > margin + ROUNDING else "INCONCLUSIVE"
