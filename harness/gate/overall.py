"""The findings of a run's slices in, what they show together out: the drop over all suites, and the answers that flip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.gate.cases import Case
from harness.gate.compare import Comparison, FlipRate, Pair, compare, flip_rate, pooled
from harness.gate.finding import Finding
from harness.gate.verdict import judge, judge_flips
from harness.stats.paired import ROUNDING, least_to_retain
from harness.stats.settling import more_to_settle
from harness.suites.suite import EachGate, FlipsGate, MarginGate, OverallGate, SliceGate
from harness.wording import count, points


def find_overall(case: Case, findings: Sequence[Finding]) -> Finding:
    """What the findings show together: their probes pooled, each suite a stratum, each probe once.

    Suites of which the baseline knows nothing have nothing to lose, and gates over `each` probe and over texts have rules of
    their own; none of these is pooled. A gate over flips pools texts and `each` probe too, and
    what the baseline does not know where any of it flips.
    """
    found, pairs = _find_overall(case, findings)
    if not (accepted := sum(pair.accepted for pair in pairs)):
        return found
    accepting, _ = _find_overall(case, [finding.accepting or finding for finding in findings])
    return replace(found, accepted=accepted, accepting=accepting)


def _find_overall(case: Case, findings: Sequence[Finding]) -> tuple[Finding, list[Pair]]:
    """The finding, and the pairs that it pools."""
    by_suite: dict[str, dict[str, Pair]] = {}
    of_flips = isinstance(case.gate, FlipsGate)
    for finding in findings:
        if not isinstance(finding.case.gate, SliceGate | EachGate if of_flips else MarginGate):
            continue
        known = {pair.probe.id: pair.by_bits for pair in finding.pairs if pair.baseline is not None}
        any_flips = of_flips and any(pair.change in ("lost", "gained") for pair in known.values())
        if any_flips or not (finding.verdict == "VACUOUS" and finding.why):
            by_suite.setdefault(finding.case.suite.name, {}).update(known)
    parts = tuple((name, compare(list(pairs.values()))) for name, pairs in by_suite.items() if pairs)
    every = [pair for pairs in by_suite.values() for pair in pairs.values()]
    if isinstance(case.gate, FlipsGate) and parts:
        flips = flip_rate(list(pairs.values()) for pairs in by_suite.values() if pairs)
        return _flipping(case, parts, flips, case.gate.max_flips), every
    return _pooled(case, parts), every


def _pooled(case: Case, parts: tuple[tuple[str, Comparison], ...]) -> Finding:
    if not parts:
        return Finding(case, (), "undecided", why="no suite has a gate whose probes could be pooled")
    whole = pooled([comparison for _, comparison in parts])
    assert isinstance(case.gate, OverallGate)
    margin = case.gate.max_drop
    finding = Finding(
        case,
        (),
        "tested",
        comparison=whole,
        verdict=judge(whole, margin),
        over=whole.drop > margin + ROUNDING,
        p=whole.mid_p,
        parts=parts,
    )
    needed = least_to_retain(margin, whole.quantile)
    if needed is not None and whole.n < needed:
        why = f"not gated, {count(whole.n, 'probe')}: a margin of {points(margin)} points needs {needed}"
        return replace(finding, standing="not gated", why=why, settling=needed - whole.n)
    return replace(finding, standing="bad") if finding.verdict == "VACUOUS" else finding


def _flipping(
    case: Case, parts: tuple[tuple[str, Comparison], ...], found: FlipRate, margin: float
) -> Finding:
    """What flips show; unlike a drop's, an interval that straddles the margin decides nothing: nobody showed them alike."""
    whole = pooled([comparison for _, comparison in parts])
    verdict = judge_flips(found, whole, margin)
    finding = Finding(
        case,
        (),
        "fine" if verdict == "RETAINED" else "bad",
        comparison=whole,
        verdict=verdict,
        over=found.share > margin + ROUNDING,
        flips=found,
        parts=parts,
    )
    if verdict != "INCONCLUSIVE":
        return finding
    low, high = found.interval
    more = more_to_settle(round(found.share * whole.n), 0, whole.n, margin)
    why = (
        f"between {points(low)} and {points(high)} % of the probes flip, by {count(whole.n, 'probe')}: with a margin of "
        f"{points(margin)} % that can be either"
    )
    return replace(finding, standing="undecided", why=why, settling=more)


def of_forms(found: Finding) -> Finding:
    """The finding about two forms of one model: undecided, rather than bad, if both know too little of a slice."""
    if found.verdict != "VACUOUS" or found.standing != "bad":
        return found
    return replace(found, standing="undecided", why=found.why or "the first form knows too little of it")
