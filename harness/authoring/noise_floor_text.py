"""Show a SuiteCalibration as the lines of `calibrate`."""

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
    """The accuracy under each condition, a table of slices, remarks, and the probes that are always, never or at times right."""
    yield f"{found.suite}: {count(found.n, 'probe')}, asked of {found.model} under {len(found.conditions)} equivalent conditions"
    for name, accuracy in zip(found.conditions, found.slices[0].accuracies, strict=True):
        yield f"  {name}: {percent(accuracy)} right"
    flipped = len(found.flipped)
    yield (
        f"  {flipped} of {count(found.n, 'probe')} flipped ({percent(found.flip_rate)}), "
        f"{count(found.reworded, 'answer')} worded differently"
    )
    yield ""
    yield from aligned([COLUMNS, *map(_cells, found.slices)])
    yield "right in %, noise floor and margins in points; retained: how often, in %, an unchanged model would be RETAINED"
    remarks = [(part.slice, remark) for part in found.slices for remark in part.remarks]
    if remarks:
        yield ""
    yield from (f"warning: {found.suite} · {shown_slice(slice)}: {remark}" for slice, remark in remarks)
    yield ""
    yield from _listed("always right", found.always)
    yield from _listed("never right", found.never)
    yield from _listed("right at times", found.flipped)


def _cells(part: SliceCalibration) -> tuple[str, ...]:
    margin = suggested = "-"
    if part.margin is not None:
        margin = points(part.margin)
        suggested = "none" if part.suggested is None else points(part.suggested)
    return (
        shown_slice(part.slice),
        str(part.n),
        " / ".join(dict.fromkeys(map(tenths, part.accuracies))),
        tenths(part.noise_floor),
        margin,
        chance(part.retained),
        suggested,
    )


def _listed(title: str, ids: Sequence[str]) -> list[str]:
    text = f"{title} ({len(ids)})" + (f": {', '.join(ids)}" if ids else "")
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
