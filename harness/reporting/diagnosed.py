"""The diagnosis of a run in, sentences out, the same in every report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.reporting.diagnosis_rows import Cause, DiagnosisRow, LossCauseRow, WayName, WayRow
from harness.reporting.explain import INTERVAL
from harness.wording import between, count, percent

WAYS: dict[WayName, str] = {
    "choices": "as choices", "shots": "after examples", "restated": "under a plain system prompt",
    "begun": "with the answer begun", "stripped": "with the form taken off",
}  # fmt: skip
"""Each way of asking, in words."""

CAUSES: dict[Cause, str] = {
    "format takeover": "takeover", "knowledge lost": "gone", "refuses": "refusing", "rambles or cuts off": "rambling",
    "other language": "foreign", "undetermined": "unclear",
}  # fmt: skip
"""The causes in their order, each with its class on a page."""

MEANINGS: dict[Cause, str] = {
    "format takeover": "the answer has a form that the baseline's has not; asked otherwise, the tuned model knows it",
    "knowledge lost": "asked otherwise, where the baseline is right, the tuned model is wrong too",
    "refuses": "the tuned model declines, and the baseline answers",
    "rambles or cuts off": "the answer goes round in circles, is cut off, far too long or blank",
    "other language": "the answer is in another language than the baseline's",
    "undetermined": "nothing that was asked decides it",
}
"""Each cause, in words."""


def why_lost(diagnosis: Mapping[str, DiagnosisRow]) -> Iterator[str]:
    """A line for each suite, the one that lost most first: "facts: format takeover in 33 of 40 lost probes (82.5 %, 90 % interval 70.5 to 90.4)"."""
    for suite, row in sorted(diagnosis.items(), key=lambda item: -item[1].lost):
        yield f"{suite}: {sentence(row)}"


def sentence(row: DiagnosisRow) -> str:
    """The verdict on a suite, with counts and the interval of its share."""
    of = _of(row)
    if row.verdict == "mixed":
        return f"mixed, in {of}: {_counts(row.causes)}"
    main = next(cause for cause in row.causes if cause.cause == row.verdict)
    others = [cause for cause in row.causes if cause is not main]
    said = (
        f"{main.cause} in {main.probes} of {of} ({percent(main.share)}, {INTERVAL} {between(main.interval)})"
    )
    return f"{said}; {_counts(others)}" if others else said


def _of(row: DiagnosisRow) -> str:
    if row.diagnosed == row.lost:
        return count(row.lost, "lost probe")
    return f"{row.diagnosed} drawn from {count(row.lost, 'lost probe')}"


def _counts(causes: list[LossCauseRow]) -> str:
    return ", ".join(f"{cause.cause} in {cause.probes}" for cause in causes)


def way_sentence(row: WayRow) -> str:
    """ "as choices: 36 of 40 lost are right (by luck 6.2 %); of the baseline's 38; of 20 kept, 19 (the baseline 20)"."""
    said = (
        f"{WAYS[row.way]}: the tuned model has {row.tuned} of {row.lost} lost probes right "
        f"({INTERVAL} {between(row.interval)} %; by luck {percent(row.chance)})"
    )
    if row.way != "stripped":
        said += f", the baseline {row.baseline}"
    if row.kept:
        said += f"; of {row.kept} kept ones {row.kept_tuned}, the baseline {row.kept_baseline}"
    return said if row.tells or row.way == "stripped" else f"{said}: a wrong answer so tells nothing"
