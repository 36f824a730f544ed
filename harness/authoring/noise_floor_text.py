"""A SuiteCalibration in, the lines that a person reads of it out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from harness.authoring.noise_floor import SliceCalibration, SuiteCalibration
from harness.authoring.power_text import chance
from harness.gate.cases import shown_slice
from harness.tables import aligned
from harness.wording import count, percent, points, tenths

COLUMNS = ("slice", "n", "right", "noise floor", "margin", "retained", "suggested")
WIDTH = 110


def calibration_lines(found: SuiteCalibration) -> Iterator[str]:
    """The suite's accuracy under each condition, a line a slice, remarks, and which probes are never right."""
    yield f"{found.suite}: {count(found.n, 'probe')}, asked of {found.model} under {len(found.conditions)} equivalent conditions"
    for name, accuracy in zip(found.conditions, found.slices[0].accuracies, strict=True):
        yield f"  {name}: {percent(accuracy)} right"
    flipped = len(found.flipped)
    yield (
        f"  {flipped} of {count(found.n, 'probe')} flipped ({percent(found.flip_rate)}), "
        f"{count(found.reworded, 'answer')} worded differently"
    )
    yield ""
    yield from aligned([COLUMNS, *(_cells(one) for one in found.slices)])
    yield "right in %, noise floor and margins in points; retained: how often, in %, an unchanged model would be RETAINED"
    if any(one.remarks for one in found.slices):
        yield ""
    for one in found.slices:
        for remark in one.remarks:
            yield f"warning: {found.suite} · {shown_slice(one.slice)}: {remark}"
    yield ""
    yield from _listed("always right", found.always)
    yield from _listed("never right", found.never)
    yield from _listed("right at times", found.flipped)


def _cells(one: SliceCalibration) -> tuple[str, ...]:
    if one.margin is None:
        margin = suggested = "-"
    else:
        margin = points(one.margin)
        suggested = "none" if one.suggested is None else points(one.suggested)
    return (
        shown_slice(one.slice),
        str(one.n),
        " / ".join(dict.fromkeys(map(tenths, one.accuracies))),
        tenths(one.noise_floor),
        margin,
        chance(one.retained),
        suggested,
    )


def _listed(title: str, ids: Sequence[str]) -> Iterator[str]:
    heading = f"{title} ({len(ids)})"
    if not ids:
        yield heading
        return
    yield from textwrap.wrap(
        f"{heading}: {', '.join(ids)}",
        WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
