"""A case and its pairs in, a Finding out: what the answers show, before the gates of a run are decided together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Literal

from harness.errors import NoEvidenceError
from harness.gate.cases import Case
from harness.gate.compare import Comparison, FlipRate, Pair, Rise, compare, rise
from harness.gate.evidence import Cut, cut, no_better_than_guessing
from harness.gate.stopping import Stop, compare_at
from harness.gate.verdict import (
    LEAST_TEXTS,
    Verdict,
    judge_gate,
    judge_rise,
    over,
    shortfall,
)
from harness.stats.paired import ROUNDING
from harness.stats.settling import more_to_settle
from harness.suites.suite import EachGate, MarginGate, RiseGate
from harness.wording import count

NO_LOSS = "no number of probes can show that nothing at all was lost"
"""Why a gate without a margin decides nothing where nothing was lost."""

CUT_UNLIKE = "each: the difference is more than the margin, and a cut answer is incomplete"
"""How the reason ends of a gate that cut answers keep from being decided."""

Standing = Literal["fine", "bad", "tested", "undecided", "not gated"]
"""fine and bad stand whatever the other gates of the run show; `tested` is decided with them. `undecided` decides nothing; nor does
`not gated`, of which too little was asked or known for any answers to decide it."""


@dataclass(frozen=True)
class Finding:
    """What the answers to a slice show.

    Attributes:
        comparison, verdict: None for a case that judges the tuned model alone.
        over: whether what was observed is over a margin.
        p: the one-sided p-value that nothing was lost; None without such a test.
        rise: of texts alone.
        flips: for the gate over answers that flip, their share.
        why: the reason why nothing was decided or the verdict holds in spite of the interval, else "".
        settling: how many more probes would settle an inconclusive verdict, None if no number would.
        again: for a lost probe, the pairs of its further attempts.
        parts: for the overall gate, the comparison of each suite.
        stop: where asking stopped early and so decided the case.
        accepted: how many of its lost probes are accepted losses.
        accepting: the same finding with those counted as kept; None if there are none.
    """

    case: Case
    pairs: tuple[Pair, ...]
    standing: Standing
    comparison: Comparison | None = None
    verdict: Verdict | None = None
    over: bool = False
    p: float | None = None
    rise: Rise | None = None
    flips: FlipRate | None = None
    why: str = ""
    settling: int | None = None
    cut: Cut | None = None
    again: tuple[Pair, ...] = ()
    parts: tuple[tuple[str, Comparison], ...] = ()
    stop: Stop | None = None
    accepted: int = 0
    accepting: Finding | None = None

    @property
    def lacks_evidence(self) -> bool:
        """Whether it is bad because the answers show too little, and not because something was lost."""
        return self.standing == "bad" and self.verdict in ("VACUOUS", "INCONCLUSIVE")


def find(
    case: Case,
    pairs: Sequence[Pair],
    nothing_known: str | None = None,
    again: Sequence[Pair] = (),
    stop: Stop | None = None,
) -> Finding:
    """What a case shows by its pairs.

    Args:
        nothing_known: why there is no evidence that the baseline knows anything about the suite (see
            `harness.gate.evidence`).
        again: for a lost probe under a gate over `each`, the pairs of the attempts in other words and another batch.
        stop: of a suite that was asked until it was decided, for which the pairs are in the order asked.

    Raises:
        NoEvidenceError: there are no pairs, or some lack the baseline that the gate needs.
    """
    found = _find(case, pairs, nothing_known, again, stop)
    if not (accepted := sum(pair.accepted for pair in pairs)):
        return found
    accepting = _find(case, [pair.as_decided for pair in pairs], nothing_known, again, stop)
    return replace(found, accepted=accepted, accepting=accepting)


def _find(
    case: Case, pairs: Sequence[Pair], nothing_known: str | None, again: Sequence[Pair], stop: Stop | None
) -> Finding:
    if stop is not None and stop.early and case.gate.over == "category":
        return _not_gated(case, pairs, stop)
    if not pairs:
        raise NoEvidenceError(f"no probe was asked for {case.title}")
    finding = partial(Finding, case, tuple(pairs))
    if case.tuned_alone:
        return finding("fine" if all(pair.tuned.right for pair in pairs) else "bad")
    finding = partial(finding, comparison=compare(pairs))
    if nothing_known:
        if case.needs:
            return finding("not gated", verdict="VACUOUS", why=_needs(case, nothing_known), cut=cut(pairs))
        return finding("bad", verdict="VACUOUS", why=nothing_known, cut=cut(pairs))
    match case.gate:
        case EachGate():
            return _probe(partial(finding, again=tuple(again)), [*pairs, *again])
        case RiseGate(max_rise=margin):
            return _texts(finding, pairs, margin)
        case MarginGate(over="all") as gate if stop is not None:
            return _slice(partial(finding, comparison=compare_at(pairs, stop)), pairs, gate, stop)
        case MarginGate() as gate:
            return _slice(finding, pairs, gate)
    raise AssertionError(f"a gate over '{case.gate.over}' has no pairs of its own")


def _probe(finding: partial[Finding], attempts: Sequence[Pair]) -> Finding:
    first = attempts[0]
    finding = partial(finding, cut=cut([first]))
    if first.change == "missed":
        return finding("undecided", verdict="VACUOUS")
    if first.change != "lost":
        return finding("fine", verdict="RETAINED")
    known = comparable(attempts)
    if len(known) == 1 < len(attempts):
        why = f"lost once, and the baseline is wrong in each further attempt ({len(attempts) - 1}), so none could show a loss"
        return finding("undecided", verdict="INCONCLUSIVE", why=why)
    lost = sum(pair.change == "lost" for pair in known)
    if 2 * lost <= len(known):
        return finding("fine", verdict="RETAINED", why=f"lost in {lost} of {len(known)} attempts")
    return finding("tested", verdict="FORGOTTEN", over=True)


def comparable(attempts: Sequence[Pair]) -> list[Pair]:
    """The attempts at a probe that can show a loss: those that the baseline answers right."""
    return [pair for pair in attempts if pair.change in ("kept", "lost")]


def _texts(finding: partial[Finding], pairs: Sequence[Pair], margin: float) -> Finding:
    if len(pairs) < LEAST_TEXTS:
        return finding(
            "not gated",
            verdict="INCONCLUSIVE",
            why=f"not gated, {count(len(pairs), 'text')}: a mean needs {LEAST_TEXTS}",
            settling=LEAST_TEXTS - len(pairs),
        )
    found = rise(pairs)
    return finding(
        "tested",
        rise=found,
        verdict=judge_rise(found, margin),
        over=found.mean > margin + ROUNDING,
        p=found.p,
    )


def _not_gated(case: Case, pairs: Sequence[Pair], stop: Stop) -> Finding:
    """A category of a suite that stopped early, which may have none of the probes that were asked."""
    return Finding(
        case,
        tuple(pairs),
        "not gated",
        comparison=compare(pairs) if pairs else None,
        verdict="INCONCLUSIVE",
        why=f"not gated: {stop.described}",
    )


def _slice(
    finding: partial[Finding], pairs: Sequence[Pair], gate: MarginGate, stop: Stop | None = None
) -> Finding:
    case, comparison, cut_off = finding.args[0], finding.keywords["comparison"], cut(pairs)
    verdict = judge_gate(comparison, gate)
    finding = partial(finding, cut=cut_off, over=over(comparison, gate))
    early = stop is not None and stop.early
    if case.needs and (unknown := _unknown(pairs, comparison, verdict)):
        return finding("not gated", verdict="VACUOUS", why=_needs(case, unknown))
    if not early and (missing := shortfall(comparison, gate)):
        more, why = missing
        return finding("not gated", verdict=verdict, why=why, settling=more)
    if verdict == "VACUOUS":
        if case.sampled:  # what the whole slice would show is unknown
            known = f"the baseline knew {comparison.baseline_right} of {count(comparison.n, 'probe')} of the sample"
            return finding("not gated", verdict=verdict, why=f"not gated, {known}")
        return finding("bad", verdict=verdict)
    if cut_off.unlike(gate.max_drop) and not _harmless(cut_off, verdict, pairs, gate.max_drop):
        why = f"{cut_off.still_open} {CUT_UNLIKE}"
        return finding("bad", verdict="INCONCLUSIVE", why=why)
    if early and verdict != "INCONCLUSIVE":
        return finding("fine" if verdict == "RETAINED" else "bad", verdict=verdict, stop=stop)
    settling = None
    if verdict == "INCONCLUSIVE":
        if 0 in (gate.max_drop, gate.max_loss) and comparison.drop <= 0:
            return finding("undecided", verdict=verdict, why=NO_LOSS)
        settling = _more_to_settle(comparison, gate)
    return finding("tested", verdict=verdict, p=comparison.mid_p, settling=settling)


def _needs(case: Case, why: str) -> str:
    return f"not gated, it needs a model of {case.needs}: {why}"


def _unknown(pairs: Sequence[Pair], comparison: Comparison, verdict: Verdict) -> str | None:
    """Why the baseline knows too little of a slice for a loss to show; None if it knows enough."""
    asked = [(pair.probe, pair.baseline) for pair in pairs if pair.baseline is not None]
    if guessing := no_better_than_guessing(asked):
        return guessing
    if verdict != "VACUOUS":
        return None
    known = f"the baseline is right on {comparison.baseline_right} of the {len(asked)} probes asked"
    return f"{known}, and losing all of that would be within the margin"


def _more_to_settle(comparison: Comparison, gate: MarginGate) -> int | None:
    """How many more probes settle the narrower of both margins, in points; of clusters, as many more as their design effect."""
    margin = min(gate.max_drop, gate.max_loss * comparison.baseline_accuracy)
    effect = comparison.design_effect
    lost, gained, n = (
        round(number / effect) for number in (comparison.lost, comparison.gained, comparison.n)
    )
    more = more_to_settle(lost, gained, max(n, lost + gained), margin)
    return None if more is None else max(1, ceil(more * effect))


def _harmless(cut_off: Cut, verdict: Verdict, pairs: Sequence[Pair], margin: float) -> bool:
    """Whether cutting can only have worked against the verdict, because it costs the side that is cut more right answers.

    A score that does not settle may find a complete answer wrong and its beginning right; if more cut answers than the
    margin allows have such a score, cutting could have worked either way.
    """
    open_ended = cut([pair for pair in pairs if not pair.probe.scorer.settles])
    if max(open_ended.baseline, open_ended.tuned) > (margin + ROUNDING) * len(pairs):
        return False
    costs_tuned = cut_off.open_tuned > cut_off.open_baseline
    return verdict == "RETAINED" if costs_tuned else verdict == "FORGOTTEN"
