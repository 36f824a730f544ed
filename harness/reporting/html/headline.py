"""A Record in, the verdict on the whole run in words out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.gate.cases import shown_slice
from harness.reporting.explain import INTERVAL, at_most, movement
from harness.reporting.html.chart import Standing
from harness.reporting.html.probes import CHANGES, Change, change_of
from harness.reporting.rows import GateRow, ModelRow, Record
from harness.reporting.summary import ADAPTER
from harness.wording import between, count, percent, points

ENDED: dict[str, str] = {
    "nothing decided": "Nothing was decided, which is no pass",
    "interrupted": "Interrupted: what was not asked is unknown",
    "error": "Error: the run has no verdict",
    "unfinished": "Unfinished: the run is still going, or was killed",
}
"""The verdict of a run that did not decide, by its status."""

STANDINGS: dict[str, Standing] = {"passed": "good", "forgotten": "bad", "error": "bad"}


@dataclass(frozen=True)
class Share:
    """How many probes changed so, and where their part of a bar begins and how wide it is, in percent."""

    change: Change
    number: int
    meaning: str
    start: float
    width: float


@dataclass(frozen=True)
class Headline:
    """The verdict on a run, and the sentences that go with it."""

    standing: Standing
    date: str
    title: str
    models: str
    effect: str
    sentences: Sequence[str]
    shares: Sequence[Share]


def headline(record: Record) -> Headline:
    """The verdict first, then what it rests on."""
    run = record.run
    return Headline(
        standing=STANDINGS.get(run.status, "open"),
        date=run.started.replace("T", " ").replace("+00:00", " UTC"),
        title=ENDED.get(run.status) or (_passed(record) if run.status == "passed" else _failed(record)),
        models=f"{named(run.tuned)} against {named(run.baseline)}" if run.tuned and run.baseline else "",
        effect=_effect(record),
        sentences=list(_sentences(record)),
        shares=_shares(record),
    )


def named(model: ModelRow) -> str:
    """A model as its user named it, and what it is."""
    if model.reference == model.name:
        return model.name
    return f"{model.reference} ({model.name})"


def _overall(record: Record) -> GateRow | None:
    return next((row for row in record.gates if row.over == "overall"), None)


def _passed(record: Record) -> str:
    overall = _overall(record)
    if overall and overall.verdict == "RETAINED" and overall.interval:
        return f"Passed: {at_most(overall.interval[1])} over all suites"
    return "Passed: no gate failed"


def _failed(record: Record) -> str:
    failed = [row for row in record.gates if row.outcome == "failed"]
    lost = [row for row in failed if row.verdict != "VACUOUS"]
    if not lost:
        return "Failed: the baseline knows too little for a loss to show"
    overall = next((row for row in lost if row.over == "overall" and row.drop), None)
    if overall and overall.drop:
        return f"Forgotten: {movement(overall.drop)} over all suites"
    if len(lost) > 1:
        return f"Forgotten: {count(len(lost), 'gate')} failed"
    [row] = lost
    where = row.suite if row.slice == "all" else f"{row.suite} · {shown_slice(row.slice)}"
    return f"Forgotten: {where}" + (f", {movement(row.drop)}" if row.drop and row.over != "each" else "")


def _effect(record: Record) -> str:
    """The drop over all suites, or over the only one."""
    wholes = [row for row in record.gates if row.over == "overall"]
    wholes = wholes or [row for row in record.gates if row.over == "all"]
    if len(wholes) != 1:
        return ""
    [row] = wholes
    if row.baseline_accuracy is None or row.interval is None:
        return ""
    margin = "" if row.max_drop is None else f"; margin {points(row.max_drop)}"
    return (
        f"{percent(row.baseline_accuracy)} right before tuning, {percent(row.tuned_accuracy)} after: "
        f"{movement(row.drop or 0.0)} ({INTERVAL} {between(row.interval)}{margin})."
    )


def _sentences(record: Record) -> Iterator[str]:
    ended = Counter(row.outcome for row in record.gates)
    if ended:
        parts = [
            f"{ended[outcome]:,} {outcome}"
            for outcome in ("failed", "warned", "excused", "passed")
            if ended[outcome]
        ]
        if ended["skipped"]:
            parts.append(f"{ended['skipped']:,} decided nothing")
        yield f"Of {count(ended.total(), 'gate')}, {', '.join(parts)}."
    if record.run.cases and record.run.cases.never_asked:
        yield f"{count(record.run.cases.never_asked, 'gate')} never asked."
    yield from (f"{text[:1].upper()}{text[1:]}." for text in record.run.observed)
    yield from _what_now(record)


def _what_now(record: Record) -> Iterator[str]:
    """After a loss: whether it can be undone, and what to try."""
    if not any(row.outcome == "failed" and row.verdict != "VACUOUS" for row in record.gates):
        return
    if record.run.tuned and record.run.tuned.base_weights:
        yield ADAPTER
    if record.run.untried:
        yield f"Mitigations that this recipe has not tried, the least costly first: {', '.join(record.run.untried)}."


def _shares(record: Record) -> list[Share]:
    """The parts of all probes, as they lie side by side in one bar."""
    numbers = Counter(map(change_of, record.probes))
    total, start, found = numbers.total() or 1, 0.0, []
    for change, meaning in CHANGES.items():
        width = 100 * numbers[change] / total
        found.append(Share(change, numbers[change], meaning, round(start, 3), round(width, 3)))
        start += width
    return found
