"""A Decision in, the text of a case out: a sentence, and the evidence for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.gate.compare import Comparison, Pair
from harness.gate.decide import LEVEL, LEVEL_OVERALL, Decision, rule
from harness.gate.finding import comparable
from harness.gate.policy import Policy
from harness.reporting.only_accepted import losses
from harness.scoring.why import why_wrong
from harness.spelling import option
from harness.stats.clusters import FEW_CLUSTERS
from harness.stats.paired import CONFIDENCE
from harness.stats.power import POWER
from harness.suites.suite import EachGate, FlipsGate, MarginGate, OverallGate, Probe, RiseGate
from harness.tables import columns, fitted
from harness.visible import visible
from harness.wording import between, count, cut, one_line, percent, points, tenths

INTERVAL = f"{100 * CONFIDENCE:.0f} % interval"

ENDS = {"failed": "fails", "warned": "warns"}

MOST_SHOWN = 10
"""Lost probes listed under a failed gate; the record has all of them."""

ASK_WHAT_IT_KNOWS = (
    "ask what the baseline can answer (`preview` shows its replies), or gate what only a tuned model knows against the "
    f"release that knew it: {option('baseline', './last-release')}"
)


def explain(decision: Decision, policy: Policy) -> str:
    """Explain why a case did not pass: a sentence, the counts, and the probes that prove it."""
    case = decision.case
    if decision.comparison is None and isinstance(case.gate, EachGate):
        head = [f"{case.title}: FAILED, the tuned model's answer is wrong (require: pass)"]
    elif isinstance(case.gate, EachGate):
        head = list(_probe_sentences(decision, policy))
    else:
        head = list(_slice_sentences(decision, policy))
    low = f"its severity is {case.severity}, and {option('fail_on')} is {policy.fail_on}"
    if decision.outcome == "warned" and not policy.fails(case.severity):
        head.append(f"  a warning only: {low}")
    if decision.outcome == "skipped" and decision.lacks_evidence:
        head.append(f"  it decides nothing: {low}")
    return "\n".join(map(visible, [*head, *_evidence(decision)]))


def _probe_sentences(decision: Decision, policy: Policy) -> Iterator[str]:
    title = decision.case.title
    if decision.verdict == "INCONCLUSIVE":
        yield f"{title}: undecided, {decision.why}"
        return
    if decision.verdict == "VACUOUS":
        if decision.standing == "undecided":
            yield f"{title}: both models miss it, so there is nothing to lose here"
        else:
            yield from _nothing_known(decision)
        return
    yield f"{title}: FORGOTTEN, the baseline was right and the tuned model is wrong"
    if decision.again:
        yield f"  {_attempts(decision)}"
    if decision.accepted:
        yield f"  {losses(decision.accepted)}"
    if decision.outcome == "warned" and policy.fails(decision.case.severity):
        yield "  a warning only: a suite may lose one probe that is not critical"


def _attempts(decision: Decision) -> str:
    """ "lost in 2 of 3 attempts, 1 of them in other words; the baseline is wrong in 1 more"."""
    attempts = [*decision.pairs, *decision.again]
    known = comparable(attempts)
    lost = sum(pair.change == "lost" for pair in known)
    other = sum(pair.probe.fields != attempts[0].probe.fields for pair in known)
    text = f"lost in {lost} of {len(known)} attempts"
    text += f", {other} of them in other words" if other else ""
    unknown = len(attempts) - len(known)
    return f"{text}; the baseline is wrong in {unknown} more" if unknown else text


def _nothing_known(decision: Decision) -> Iterator[str]:
    yield f"{decision.case.title}: VACUOUS, {decision.why}, so no loss could show"
    yield f"  {ASK_WHAT_IT_KNOWS}"


def _slice_sentences(decision: Decision, policy: Policy) -> Iterator[str]:
    title, comparison, gate = decision.case.title, decision.comparison, decision.case.gate
    if decision.standing == "not gated":
        yield f"{title}: {decision.why}"
    elif decision.standing == "undecided":
        yield f"{title}: undecided, {decision.why}"
    elif decision.verdict == "VACUOUS" and decision.why:
        yield from _nothing_known(decision)
    elif decision.verdict == "VACUOUS" and comparison is not None:
        yield (
            f"{title}: VACUOUS, the baseline is right on {percent(comparison.baseline_accuracy)}, "
            f"so even losing all of it would be within the margin of {_margin(decision)} points"
        )
        yield f"  {ASK_WHAT_IT_KNOWS}"
    else:
        yield f"{title}: {decision.verdict}, {_effect(decision)}"
    if isinstance(gate, FlipsGate) and comparison is not None:
        yield f"  {comparison.lost} lost and {comparison.gained} gained of {count(comparison.n, 'probe')}"
    elif comparison is not None and not isinstance(gate, RiseGate):
        yield f"  {counts(comparison)}"
        if decision.verdict != "VACUOUS":
            yield from _loss(comparison, gate)
        yield from _clusters(comparison)
    for name, part in decision.parts:
        yield f"  {name}: {counts(part)}"
    if decision.accepted and decision.outcome != "skipped":
        same = (
            ""
            if decision.without_accepted
            else f", and it {ENDS.get(decision.outcome, 'ends')} without them too"
        )
        yield f"  {losses(decision.accepted)}{same}"
    if decision.outcome != "skipped" and decision.verdict != "VACUOUS":
        yield from _reasons(decision, policy)


def _effect(decision: Decision) -> str:
    """ "32 points lost (margin 10; 90 % interval 19 to 45)", and the same of bits per byte in percent."""
    if decision.rise is not None:
        rise = decision.rise
        return (
            f"{rise_movement(rise.mean)} (margin {_margin(decision)}; {INTERVAL} {between(rise.interval)} %)"
        )
    if decision.flips is not None:
        given = f"margin {_margin(decision)} %; {INTERVAL} {between(decision.flips.interval)} %"
        return f"{percent(decision.flips.share)} of the probes flip ({given})"
    assert decision.comparison is not None, "a slice of right and wrong answers has a comparison"
    interval = shown_interval(decision.comparison.interval)
    return f"{movement(decision.comparison.drop)} (margin {_margin(decision)}; {interval})"


def _margin(decision: Decision) -> str:
    match decision.case.gate:
        case RiseGate(max_rise=margin):
            return f"{points(margin)} %"
        case MarginGate(max_drop=margin) | OverallGate(max_drop=margin) | FlipsGate(max_flips=margin):
            return points(margin)
    raise AssertionError("a gate over each probe has no margin")


def _loss(comparison: Comparison, gate: object) -> Iterator[str]:
    """The share lost of what the baseline knew, where the gate has a margin for it and something was lost."""
    if isinstance(gate, MarginGate) and gate.max_loss < 1 and comparison.share_lost > 0 and comparison.loss:
        yield (
            f"  {percent(comparison.share_lost)} of what the baseline knew was lost "
            f"(margin {points(gate.max_loss)} %; {shown_interval(comparison.loss)} %)"
        )


def _clusters(comparison: Comparison) -> Iterator[str]:
    if comparison.clusters is None:
        return
    few = "; so few templates say little about others" if comparison.clusters < FEW_CLUSTERS else ""
    yield (
        f"  the probes come in {count(comparison.clusters, 'cluster')}, with a design effect of "
        f"{comparison.design_effect:.1f}{few}"
    )


def _reasons(decision: Decision, policy: Policy) -> Iterator[str]:
    """Why the gate failed or only warns, and what would settle it."""
    if decision.stop is not None:
        yield f"  {decision.stop.described}, {decision.stop.why.partition(' after ')[0]}"
        return
    if isinstance(decision.case.gate, FlipsGate):
        return
    if decision.standing == "bad":
        yield f"  {decision.why}"
        yield f"  {decision.cut.remedy if decision.cut else decision.why}"
        return
    how = rule(decision, policy)
    if how != "confirmed":
        named = option("strict") if policy.strict else f"on_inconclusive: {how}"
        ending = "passes with this warning" if decision.outcome == "warned" else "fails"
        yield f"  it {ending} under {named}"
    elif not decision.over:
        few = "texts" if decision.rise else "probes"
        yield f"  what was observed is within the margin, but on too few {few} to be sure"
    else:
        yield f"  {_significance(decision)}"
    if decision.verdict == "INCONCLUSIVE" and not isinstance(decision.case.gate, RiseGate | OverallGate):
        yield f"  {settling(decision.settling)}"


def _significance(decision: Decision) -> str:
    """How likely such a loss is by chance, and what follows."""
    if isinstance(decision.case.gate, OverallGate):
        p, adjusted, level = decision.p, "", LEVEL_OVERALL
    else:
        adjusted = f", adjusted for {decision.tests} gates" if decision.tests > 1 else ""
        p, level = decision.adjusted_p, LEVEL
    how = "no accident" if decision.significant else "may be an accident, so only a warning"
    return f"{how}: p = {p:.2g}{adjusted} (fails at {level:g} or less)"


def settling(number: int | None) -> str:
    """How many more probes would settle an inconclusive verdict, in words."""
    if number is None:
        return "the drop is so near the margin that no number of probes would settle it"
    return f"about {count(number, 'more probe')} like these would settle it in {10 * POWER:.0f} of 10 runs"


def at_most(high: float) -> str:
    """The upper bound of an interval as a claim."""
    return f"at most {points(max(high, 0.0))} points lost"


def movement(drop: float) -> str:
    """ "32 points lost", "1.5 points gained", "nothing lost"."""
    if drop == 0:
        return "nothing lost"
    return f"{points(abs(drop))} points {'lost' if drop > 0 else 'gained'}"


def rise_movement(rise: float) -> str:
    """ "bits per byte up by 4.5 %", of the mean rise of texts, a fraction."""
    return f"bits per byte {'up' if rise > 0 else 'down'} by {tenths(abs(rise))} %"


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
    lost.sort(key=lambda pair: pair.accepted)  # what is new comes first
    width = max((columns(pair.probe.id) for pair in lost[:MOST_SHOWN]), default=0)
    for pair in lost[:MOST_SHOWN]:
        assert pair.baseline is not None
        why = why_wrong(pair.probe, pair.tuned)
        yield (
            f"  lost  {fitted(pair.probe.id, width)}  expected {expected(pair.probe)}  "
            f"baseline {one_line(pair.baseline.shown)}  tuned {one_line(pair.tuned.shown)}"
            + (f"  ({why})" if why else "")
            + ("  accepted" if pair.accepted else "")
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
    if why := why_wrong(probe, pair.tuned):
        yield f"  why       {why}"


def expected(probe: Probe) -> str:
    """The right answers of a probe, or its score and parameters."""
    if probe.answers:
        return " or ".join(cut(visible(answer), 40) for answer in probe.answers[:4])
    parameters = json.dumps(probe.scorer.written(), ensure_ascii=False)
    return cut(visible(f"{probe.scorer.name} {parameters}"), 120)
