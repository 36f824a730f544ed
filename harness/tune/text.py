"""The record of a run of `tune` in; the ladder so far and the result as lines for a terminal out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from harness.repair.record import RepairRecord
from harness.reporting.explain import INTERVAL
from harness.sweep.record import SweepRecord
from harness.sweep.text import WIDTH, opening
from harness.tune.record import StepRow, TuneRecord
from harness.visible import visible_lines
from harness.wording import between, duration, tenths

NONE = {
    "none": "No recipe learnt enough and passes, as trained or repaired.",
    "budget used": "The budget was used up before a recipe learnt enough and passed. The same command with a larger budget goes on from here.",
    "not confirmed": "The model that was chosen is not confirmed by the probes that had no part in choosing it; they are no fresh judge "
    "of another, so the run ends here. Give more probes, or other recipes: python -m harness ladder.",
    "undecided": "The probes that had no part in the choice decide nothing: there are too few. Give larger suites.",
}
"""What is said of a run without a model, by its outcome."""


def terminal_lines(
    record: TuneRecord, ladder: SweepRecord, repair: RepairRecord | None, out: str
) -> Iterator[str]:
    """The run for a terminal.

    Args:
        repair: of the model that was found; None if there is none.
        out: the folder, as text.
    """
    for text in _terminal(record, ladder, repair, out):
        yield from visible_lines(text)


def _terminal(
    record: TuneRecord, ladder: SweepRecord, repair: RepairRecord | None, out: str
) -> Iterator[str]:
    yield from opening(ladder)
    yield ""
    for text in (*(f"{step.recipe}: {step.said}" for step in record.steps), *_result(record, repair, out)):
        yield from textwrap.wrap(
            text, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
        )
    yield f"ladder: {out}/ladder/ladder.html; record: {out}/tune.json"


def _result(record: TuneRecord, repair: RepairRecord | None, out: str) -> Iterator[str]:
    if repair is None or repair.confirmed is None:
        yield NONE[record.outcome]
        if (best := _best(record.steps)) is not None and record.outcome in ("none", "budget used"):
            gain, drop = tenths(best.gain or 0.0), tenths(best.drop or 0.0)
            yield f"The best so far is '{best.recipe}', as trained: a gain of {gain} points, a drop of {drop}; it does not pass."
        return
    effect = repair.confirmed.effect
    lost = ""
    if effect.drop is not None and effect.drop_interval is not None:
        lost = f", and {tenths(effect.drop)} points are lost over all suites ({INTERVAL} {between(effect.drop_interval)})"
    yield (
        f"The model is in {out}/model ({record.chosen}, {duration(record.seconds)}). On probes that had no part in the choice it gains "
        f"{tenths(effect.gain)} points ({INTERVAL} {between(effect.gain_interval)}){lost}."
    )
    yield f"report: {out}/report/record.json; page: {out}/report/page.html"


def _best(steps: list[StepRow]) -> StepRow | None:
    """Of those that were measured, one that learnt enough before all others, and of these the one with most gain less drop."""
    measured = [step for step in steps if step.gain is not None]
    return max(
        measured, key=lambda step: (step.learnt, (step.gain or 0.0) - (step.drop or 0.0)), default=None
    )
