"""A Decision in, the text of a case out: a sentence, and the evidence for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.gate.compare import Comparison, Pair
from harness.gate.verdict import Decision, Policy
from harness.spelling import option
from harness.stats.paired import CONFIDENCE
from harness.suites.suite import EachGate, MarginGate, Probe
from harness.visible import visible
from harness.wording import between, count, cut, one_line, percent, points

INTERVAL = f"{100 * CONFIDENCE:.0f} % interval"

MOST_SHOWN = 10
"""Lost probes listed under a failed gate; the record has all of them."""


def explain(decision: Decision, policy: Policy) -> str:
    """Explain why a case did not pass: a sentence, the counts, and the probes that prove it."""
    case = decision.case
    if decision.comparison is None:
        head = [f"{case.title}: FAILED, the tuned model's answer is wrong (require: pass)"]
    elif isinstance(case.gate, EachGate):
        head = [_probe_sentence(decision)]
    else:
        head = list(_slice_sentences(decision, case.gate, decision.comparison, policy))
    if decision.outcome == "warned" and (decision.why or decision.verdict != "INCONCLUSIVE"):
        head.append(
            f"  a warning only: its severity is {case.severity}, and {option('fail_on')} is {policy.fail_on}"
        )
    return "\n".join(map(visible, [*head, *_evidence(decision)]))


def _probe_sentence(decision: Decision) -> str:
    title = decision.case.title
    if decision.verdict == "VACUOUS" and decision.outcome == "skipped":
        return f"{title}: both models miss it, so there is nothing to lose here"
    if decision.verdict == "VACUOUS":
        return _vacuous_sentence(decision)
    return f"{title}: FORGOTTEN, the baseline was right and the tuned model is wrong"


def _vacuous_sentence(decision: Decision) -> str:
    return f"{decision.case.title}: VACUOUS, {decision.why}, so no loss could show"


def _slice_sentences(
    decision: Decision, gate: MarginGate, comparison: Comparison, policy: Policy
) -> Iterator[str]:
    title, margin = decision.case.title, points(gate.max_drop)
    if decision.outcome == "skipped":
        yield f"{title}: undecided, {decision.why}"
    elif decision.verdict == "VACUOUS" and decision.why:
        yield _vacuous_sentence(decision)
    elif decision.verdict == "VACUOUS":
        yield (
            f"{title}: VACUOUS, the baseline is right on {percent(comparison.baseline_accuracy)}, "
            f"so even losing all of it would be within the margin of {margin} points"
        )
    else:
        interval = shown_interval(comparison.interval)
        yield f"{title}: {decision.verdict}, {movement(comparison.drop)} (margin {margin}; {interval})"
    yield f"  {counts(comparison)}"
    if decision.outcome == "skipped" or decision.verdict != "INCONCLUSIVE":
        return
    if decision.why:
        yield f"  {decision.why}"
        yield f"  {decision.cut.remedy if decision.cut else decision.why}"
    else:
        rule = option("strict") if policy.strict else f"on_inconclusive: {gate.on_inconclusive}"
        ending = "passes with this warning" if decision.outcome == "warned" else "fails"
        yield f"  too few probes to tell; it {ending} under {rule}"
        yield f"  {settling(decision.settling)}"


def settling(number: int | None) -> str:
    """How many more probes would settle an inconclusive verdict, in words."""
    if number is None:
        return "the drop is so near the margin that no number of probes would settle it"
    return f"about {count(number, 'more probe')} like these would settle it"


def movement(drop: float) -> str:
    """ "32 points lost", "1.5 points gained", "nothing lost"."""
    if drop == 0:
        return "nothing lost"
    return f"{points(abs(drop))} points {'lost' if drop > 0 else 'gained'}"


def shown_interval(interval: tuple[float, float]) -> str:
    """ "90 % interval 19 to 45", in points."""
    return f"{INTERVAL} {between(interval)}"


def counts(comparison: Comparison) -> str:
    """ "30 probes: 9 kept, 11 lost, 1 gained, 9 missed"."""
    return (
        f"{count(comparison.n, 'probe')}: {comparison.kept} kept, {comparison.lost} lost, "
        f"{comparison.gained} gained, {comparison.missed} missed"
    )


def _evidence(decision: Decision) -> Iterator[str]:
    if isinstance(decision.case.gate, EachGate):
        for pair in decision.pairs:
            yield from _in_full(pair)
        return
    lost = [pair for pair in decision.pairs if pair.change == "lost"]
    width = max((len(pair.probe.id) for pair in lost[:MOST_SHOWN]), default=0)
    for pair in lost[:MOST_SHOWN]:
        assert pair.baseline is not None
        yield (
            f"  lost  {pair.probe.id:<{width}}  expected {expected(pair.probe)}  "
            f"baseline {one_line(pair.baseline.shown)}  tuned {one_line(pair.tuned.shown)}"
        )
    if len(lost) > MOST_SHOWN:
        yield f"  and {len(lost) - MOST_SHOWN} more lost; the record has all of them"


def _in_full(pair: Pair) -> Iterator[str]:
    probe = pair.probe
    for name, value in probe.fields.items():
        yield f"  {name:<9} {one_line(value, 200)}"
    yield f"  expected  {expected(probe)}"
    if pair.baseline is not None:
        yield f"  baseline  {one_line(pair.baseline.shown, 200)}"
    yield f"  tuned     {one_line(pair.tuned.shown, 200)}"


def expected(probe: Probe) -> str:
    """The right answers of a probe, or its score and parameters."""
    if probe.answers:
        return " or ".join(cut(visible(answer), 40) for answer in probe.answers[:4])
    parameters = json.dumps(probe.scorer.written(), ensure_ascii=False)
    return cut(visible(f"{probe.scorer.name} {parameters}"), 120)
