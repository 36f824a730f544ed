"""A Comparison and a gate in, a Verdict and what follows from it out.

RETAINED      the whole interval is at or below the margin
FORGOTTEN     the whole interval is above it
INCONCLUSIVE  it straddles the margin: the suite is too small to tell
VACUOUS       nothing to lose: losing all that the baseline had would still be within the margin, or the baseline is not
              shown to know anything of the suite

A slice that is too small to be RETAINED whatever its answers decides nothing, unless it is FORGOTTEN all the same; and a
slice in which one side's answers were cut short so much more often that this alone may have made the verdict cannot be
decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from harness.errors import NoEvidenceError
from harness.gate.cases import Case
from harness.gate.compare import Comparison, Pair, compare
from harness.gate.evidence import Cut, cut
from harness.stats.paired import ROUNDING, least_to_retain, probes_to_settle
from harness.suites.severity import SEVERITIES, Severity
from harness.suites.suite import EachGate

MARGIN = 0.10
"""The largest acceptable drop, a fraction, where no suite and no caller says another."""

Verdict = Literal["RETAINED", "FORGOTTEN", "INCONCLUSIVE", "VACUOUS"]
Outcome = Literal["passed", "failed", "warned", "skipped", "excused"]
"""What a case comes to in a run. A skipped one decided nothing; an excused one failed, and was expected to (xfail)."""


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
    number of further probes that would settle an inconclusive verdict, None if none would. `why` says why nothing was
    decided: the slice is too small, its answers were cut, the baseline knows nothing; "" otherwise.
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
        nothing_known: why the baseline is not shown to know anything of the whole suite (see `harness.gate.evidence`).

    Raises:
        NoEvidenceError: there are no pairs, or some lack a baseline that the gate needs.
    """
    if not pairs:
        raise NoEvidenceError(f"no probe was asked for {case.title}")
    if case.tuned_alone:
        right = all(pair.tuned.right for pair in pairs)
        return Decision(case, tuple(pairs), None, None, _outcome(right, case, policy))
    comparison, cut_off = compare(pairs), cut(pairs)

    def decision(verdict: Verdict, outcome: Outcome, why: str = "", settling: int | None = None) -> Decision:
        return Decision(case, tuple(pairs), comparison, verdict, outcome, settling, why, cut_off)

    if nothing_known:
        return decision("VACUOUS", _outcome(False, case, policy), nothing_known)
    if isinstance(case.gate, EachGate):
        return decision(*_decide_probe(comparison, case, policy))
    margin, n = case.gate.max_drop, comparison.n
    verdict = judge(comparison, margin)
    rule = "fail" if policy.strict else case.gate.on_inconclusive
    needed = least_to_retain(margin)
    if rule != "fail" and verdict != "FORGOTTEN" and needed is not None and n < needed:
        why = f"{n} of the {needed} probes that a margin of {100 * margin:g} points needs"
        return decision(verdict, "skipped", why, needed - n)
    if rule != "fail" and verdict == "INCONCLUSIVE" and needed is None and comparison.drop <= 0:
        return decision(verdict, "skipped", "no number of probes can show that nothing at all was lost")
    if verdict != "VACUOUS" and cut_off.unlike(margin) and not _harmless(cut_off, verdict, pairs, margin):
        return decision("INCONCLUSIVE", _outcome(False, case, policy), _unlike_cut(cut_off))
    if verdict != "INCONCLUSIVE":
        return decision(verdict, _outcome(verdict == "RETAINED", case, policy))
    passes = rule == "pass" or (rule == "observed" and comparison.drop <= margin + ROUNDING)
    settled = probes_to_settle(comparison.lost, comparison.gained, n, margin)
    return decision(
        verdict,
        "warned" if passes else _outcome(False, case, policy),
        settling=None if settled is None else settled - n,
    )


def _harmless(cut_off: Cut, verdict: Verdict, pairs: Sequence[Pair], margin: float) -> bool:
    """Whether cutting can only have made the verdict less likely: it costs right answers on the side that is cut more.

    Not where a right answer could have become a wrong one, in more than the margin.
    """
    open_ended = cut([pair for pair in pairs if not pair.probe.scorer.settles])
    if max(open_ended.baseline, open_ended.tuned) > (margin + ROUNDING) * len(pairs):
        return False
    costs_tuned = cut_off.tuned > cut_off.baseline
    return verdict == "RETAINED" if costs_tuned else verdict == "FORGOTTEN"


def _unlike_cut(cut_off: Cut) -> str:
    return f"{cut_off.described('max_new_tokens')} each: the difference is more than the margin, and a cut answer is no whole one"


def judge(comparison: Compared, margin: float) -> Verdict:
    """The verdict on a slice, from its interval against `margin` (a fraction)."""
    if comparison.baseline_accuracy <= margin + ROUNDING:
        return "VACUOUS"
    low, high = comparison.interval
    if high <= margin + ROUNDING:
        return "RETAINED"
    return "FORGOTTEN" if low > margin + ROUNDING else "INCONCLUSIVE"


def _decide_probe(comparison: Comparison, case: Case, policy: Policy) -> tuple[Verdict, Outcome]:
    if comparison.missed:
        return "VACUOUS", "skipped"
    if comparison.lost:
        return "FORGOTTEN", _outcome(False, case, policy)
    return "RETAINED", "passed"


def _outcome(passes: bool, case: Case, policy: Policy) -> Outcome:
    if passes:
        return "passed"
    return "failed" if policy.fails(case.severity) else "warned"
