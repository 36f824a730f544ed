"""A Record in, the verdict on the whole run in sentences out, the same in every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.gate.cases import FLIPS, shown_slice
from harness.gate.compare import MOVED
from harness.models.reference import SAME
from harness.reporting.changes import Change, changes_of
from harness.reporting.exit_code import undecided_suites
from harness.reporting.explain import INTERVAL, at_most, movement, rise_movement
from harness.reporting.only_accepted import losses, turned_gates
from harness.reporting.rows import GateRow, ModelRow, Record
from harness.wording import between, count, percent, points, some

ENDED: dict[str, str] = {
    "nothing decided": "Nothing was decided, which is no pass",
    "interrupted": "Interrupted: what was not asked is unknown",
    "error": "Error: the run has no verdict",
    "unfinished": "Unfinished: the run is still going, or was killed",
}
"""The verdict of a run that did not decide, by its status."""

ADAPTER = (
    "The tuned model is an adapter, so the forgetting is removable: with the adapter off, the base is unchanged. "
    "With it on, the model has forgotten."
)

COUNTED: dict[Change, str] = {
    "kept": "kept", "lost": "lost", "gained": "gained", "missed": "missed", "alone": "asked of the tuned model alone",
    "texts": "measured as texts",
}  # fmt: skip


def title(record: Record) -> str:
    """The verdict: "Forgotten: 28.5 points lost over all suites"."""
    status = record.run.status
    if status == "nothing decided" and any(row.outcome in ("passed", "warned") for row in record.gates):
        return _decided_in_part(record)
    if status == "nothing decided" and (lost := lost_ungated(record)):
        return f"Nothing was decided, which is no pass, but too few probes show a loss: {lost}"
    return ENDED.get(status) or (_passed(record) if status == "passed" else _failed(record))


def lost_ungated(record: Record) -> str:
    """What was lost of the slice with the most losses of those with too few probes for a gate; empty if it may be chance."""
    shown = [row for row in record.gates if row.not_gated and row.verdict == "FORGOTTEN" and row.drop]
    worst = max(shown, key=lambda row: row.lost or 0, default=None)
    return f"{gate_name(worst)}, {movement(worst.drop or 0.0)}" if worst else ""


def _decided_in_part(record: Record) -> str:
    names = undecided_suites(record.gates, record.run.named)
    what = (
        f"{some(names)} {'was' if len(names) == 1 else 'were'} not decided"
        if names
        else "Gates were left out"
    )
    return f"{what}, which is no pass"


def named(model: ModelRow) -> str:
    """A model as its user named it, and what it is."""
    return model.name if model.reference == model.name else f"{model.reference} ({model.name})"


def models(record: Record) -> str:
    """ "TUNED against BASELINE"; empty if none was asked."""
    tuned, baseline = record.run.tuned, record.run.baseline
    if not (tuned and baseline):
        return ""
    return f"{named(tuned)} against {'itself' if baseline.reference == SAME else named(baseline)}"


def gate_name(row: GateRow, separator: str = " · ") -> str:
    """A gate's slice for people: "general-qa · math", "general-qa", "all suites"."""
    if row.over == "overall":
        return "all suites" if row.max_flips is None else FLIPS
    return row.suite if row.slice == "all" else f"{row.suite}{separator}{shown_slice(row.slice)}"


def _is_overall(row: GateRow) -> bool:
    """Whether a row is that of the drop over all suites."""
    return row.over == "overall" and row.max_flips is None


def flips_gate(record: Record) -> GateRow | None:
    """The gate over answers that flip, if the run has one."""
    return next((row for row in record.gates if row.max_flips is not None), None)


def flips_of_texts(record: Record) -> str:
    """What a flip of a text is, if the run has a gate over flips and measured texts; else empty."""
    if flips_gate(record) is None or all(row.tuned.kind != "likelihood" for row in record.probes):
        return ""
    return f"A text counts as flipped if its bits change by more than {points(MOVED)} %."


def _passed(record: Record) -> str:
    if turned := turned_gates(record.run.status, (row.without_accepted for row in record.gates)):
        accepted = sum(row.accepted for row in record.probes)
        return f"Passed only because {losses(accepted)}: {count(turned, 'gate')} would have failed"
    overall, flips = next(filter(_is_overall, record.gates), None), flips_gate(record)
    if flips and flips.verdict == "RETAINED" and flips.flips_interval:
        what = "The same model" if record.run.equal else "Passed"
        return f"{what}: at most {points(flips.flips_interval[1])} % of the probes flip"
    if overall and overall.verdict == "RETAINED" and overall.interval:
        return f"Passed: {at_most(overall.interval[1])} over all suites"
    return "Passed: no gate failed"


def _failed(record: Record) -> str:
    lost = failed_for_a_loss(record)
    if not lost:
        return _failed_without_loss(failed_by_answers(record))
    overall = next((row for row in lost if _is_overall(row) and row.drop), None)
    flips = next((row for row in lost if row.flips is not None), None)
    if overall and overall.drop and not (flips and record.run.equal):
        return f"Forgotten: {movement(overall.drop)} over all suites"
    if flips and flips.flips is not None:
        return f"Not the same model: {percent(flips.flips)} of the probes flip"
    if len(lost) > 1:
        return f"Forgotten: {count(len(lost), 'gate')} failed"
    [row] = lost
    return f"Forgotten: {gate_name(row)}" + (f", {moved}" if (moved := _moved(row)) else "")


def _failed_without_loss(failed: list[GateRow]) -> str:
    if not failed:
        return "Failed: the baseline knows too little for a loss to show"
    cut = [row for row in failed if row.cut_unlike]
    told = cut or failed
    what = gate_name(told[0]) if len(told) == 1 else count(len(told), "gate")
    why = "because a token limit cut the answers of one model" if cut else "though no loss was seen"
    return f"Failed: {what}, {why}"


def _moved(row: GateRow) -> str:
    """The loss of a gate's slice; empty where it is told by single probes."""
    if row.max_rise is not None:
        return "" if row.rise is None else rise_movement(row.rise)
    return movement(row.drop) if row.drop and row.over != "each" else ""


def effect(record: Record) -> str:
    """The drop, or the rise of texts, over all suites or over the only one; empty if there are several and no gate over all."""
    wholes = [row for row in record.gates if _is_overall(row)]
    wholes = wholes or [row for row in record.gates if row.over == "all"]
    if len(wholes) != 1:
        return ""
    [row] = wholes
    if row.max_rise is not None:
        if row.rise is None or row.rise_interval is None:
            return ""
        given = f"{INTERVAL} {between(row.rise_interval)} %; margin {points(row.max_rise)} %"
        return f"{rise_movement(row.rise).capitalize()} ({given})."
    if row.baseline_accuracy is None or row.interval is None:
        return ""
    margin = "" if row.max_drop is None else f"; margin {points(row.max_drop)}"
    sides = ("in the first form", "in this one") if record.run.equal else ("before tuning", "after")
    return (
        f"{percent(row.baseline_accuracy)} right {sides[0]}, {percent(row.tuned_accuracy)} {sides[1]}: "
        f"{movement(row.drop or 0.0)} ({INTERVAL} {between(row.interval)}{margin})."
    )


def probes_sentence(record: Record) -> str:
    """ "2,691 probes: 402 kept, 779 lost, 52 gained, 1,305 missed."; empty if none was asked."""
    numbers = changes_of(record.probes)
    if not record.probes:
        return ""
    paired = any(numbers[change] for change in ("kept", "lost", "gained", "missed"))
    parts = [
        f"{numbers[change]:,} {words}"
        for change, words in COUNTED.items()
        if numbers[change] or (paired and change not in ("alone", "texts"))
    ]
    return f"{count(len(record.probes), 'probe')}: {', '.join(parts)}."


def gates_sentence(record: Record) -> str:
    """ "Of 86 gates, 44 failed, 11 warned, 26 passed, 5 decided nothing."; empty if there is none."""
    ended = Counter(row.outcome for row in record.gates)
    if not ended:
        return ""
    parts = [
        f"{ended[outcome]:,} {outcome}"
        for outcome in ("failed", "warned", "excused", "passed")
        if ended[outcome]
    ]
    if ended["skipped"]:
        parts.append(f"{ended['skipped']:,} decided nothing")
    return f"Of {count(ended.total(), 'gate')}, {', '.join(parts)}."


def cases_told(record: Record) -> str:
    """How many cases were selected, how they ended, and how many were left out; empty if the gates say it all."""
    cases = record.run.cases
    if cases is None:
        return ""
    told = record.gates and cases.decided and cases.decided + cases.skipped == cases.selected
    if told and not cases.left_out and not cases.own:
        return ""
    endings = {
        "decided": cases.decided,
        "skipped": cases.skipped,
        "excused (xfail)": cases.excused,
        "ended in an error": cases.errors,
        "never asked": cases.never_asked,
    }
    came_to = ", ".join(f"{number:,} {ending}" for ending, number in endings.items() if number)
    parts = [f"{count(cases.selected, 'case')} selected" + (f": {came_to}" if came_to else "")]
    if cases.left_out:
        parts.append(f"{cases.left_out:,} left out")
    if cases.own:
        parts.append(f"{count(cases.own, 'test')} of your own asked the tuned model")
    return "; ".join(parts)


def failed_by_answers(record: Record) -> list[GateRow]:
    """The gates that failed, and not because the baseline knows too little."""
    return [row for row in record.gates if row.outcome == "failed" and row.verdict != "VACUOUS"]


def failed_for_a_loss(record: Record) -> list[GateRow]:
    """Those of them in which something was lost: the tuned model alone shows no loss, nor does a strict gate with too few probes.

    Nor do answers that were cut, and the gate that pools them with others.
    """
    cut = any(row.cut_unlike for row in record.gates)
    return [
        row
        for row in failed_by_answers(record)
        if row.verdict == "FORGOTTEN" or max(row.drop or 0.0, row.rise or 0.0, row.flips or 0.0) > 0
        if not row.cut_unlike and not (cut and row.over == "overall")
    ]


def forgot(record: Record) -> bool:
    """Whether a gate failed for a loss by tuning, which two forms of one model do not have."""
    return record.run.equal is None and bool(failed_for_a_loss(record))


def after_a_loss(record: Record) -> Iterator[str]:
    """Whether a loss can be undone, and what to try; nothing if no gate failed for one."""
    if not forgot(record):
        return
    if record.run.tuned and record.run.tuned.base_weights:
        yield ADAPTER
    if record.run.untried:
        yield f"Mitigations that this recipe has not tried, the least costly first: {', '.join(record.run.untried)}."
