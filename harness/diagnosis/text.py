"""A diagnosis in, its text for a terminal out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.reporting.diagnosed import MEANINGS, sentence, way_sentence
from harness.reporting.diagnosis_rows import DiagnosisRow, ExampleRow, LossCauseRow
from harness.wording import one_line

LONGEST = 76
"""Characters of a text in an example."""


def lines(diagnosis: Mapping[str, DiagnosisRow]) -> Iterator[str]:
    """Each suite, the one that lost most first: its verdict, what came of asking otherwise, what the answers have in common, and examples."""
    if not diagnosis:
        yield "nothing was lost, so there is nothing to diagnose"
    for suite, row in sorted(diagnosis.items(), key=lambda item: -item[1].lost):
        yield ""
        yield f"{suite}: {sentence(row)}"
        yield from (f"  {way_sentence(way)}" for way in row.ways)
        yield from (f"  {text}" for text in row.form)
        if row.words:
            yield f"  words in common: {', '.join(row.words)}"
        yield from (f"  not asked: {note}" for note in row.notes)
        for cause in row.causes:
            yield from _cause(cause)


def _cause(cause: LossCauseRow) -> Iterator[str]:
    yield f"  {cause.cause}, {cause.probes}: {MEANINGS[cause.cause]}"
    for example in cause.examples:
        yield from _example(example)


def _example(example: ExampleRow) -> Iterator[str]:
    expected = " or ".join(example.expected) or "as its score judges"
    yield f"    {example.probe}  {one_line(example.question, LONGEST)}  expected {one_line(expected, LONGEST)}"
    yield f"      baseline   {one_line(example.baseline, LONGEST)}"
    yield f"      tuned      {one_line(example.tuned, LONGEST)}"
    if example.otherwise is not None:
        yield f"      otherwise  {one_line(example.otherwise, LONGEST)}"
    yield f"      {example.because}"
