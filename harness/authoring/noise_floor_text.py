"""Show a SuiteCalibration as the lines of `calibrate`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from harness.authoring.noise_floor import SliceCalibration, SuiteCalibration
from harness.authoring.power_text import chance
from harness.gate.cases import shown_slice
from harness.spelling import option
from harness.stats.power import POWER
from harness.tables import aligned
from harness.wording import count, percent, points, tenths

WIDTH = 110


def calibration_lines(found: SuiteCalibration) -> Iterator[str]:
    """The accuracy under each condition, a table of slices, remarks, and the probes that are always, never or at times right."""
    yield f"{found.suite}: {count(found.n, 'probe')}, asked of {found.model} under {len(found.conditions)} equivalent conditions"
    for name, accuracy in zip(found.conditions, found.slices[0].accuracies, strict=True):
        yield f"  {name}: {percent(accuracy)} right"
    yield (
        f"  {len(found.flipped)} of {count(found.n, 'probe')} flipped ({percent(found.flip_rate)}, with 95 % confidence at most "
        f"{percent(found.flip_rate_at_most)}), {count(found.reworded, 'answer')} worded differently"
    )
    yield ""
    columns = _columns(found)
    rows = [_cells(part) for part in found.slices]
    yield from aligned([columns, *([row[name] for name in columns] for row in rows)])
    yield from textwrap.wrap(_legend(found), WIDTH, break_on_hyphens=False)
    remarks = [(part.slice, remark) for part in found.slices for remark in part.remarks]
    if remarks:
        yield ""
    yield from (f"warning: {found.suite} · {shown_slice(slice)}: {remark}" for slice, remark in remarks)
    yield ""
    yield from _listed("always right", found.always)
    yield from _listed("never right", found.never)
    yield from _listed("right at times", found.flipped)


def _columns(found: SuiteCalibration) -> tuple[str, ...]:
    clusters = ["clusters"] if any(part.clusters for part in found.slices) else []
    return ("slice", "n", *clusters, "right", "flips", "noise", "margin", "retained", "suggested")


def _legend(found: SuiteCalibration) -> str:
    flip_rate = max(found.flip_rate_at_most, found.tuning_flips)
    which = (
        "that bound"
        if found.flip_rate_at_most >= found.tuning_flips
        else f"assumed of a fine-tune ({option('tuning_flips')})"
    )
    return (
        f"right and retained in %, the rest in points, at {percent(flip_rate)} flips and no loss ({which}): noise is the drop "
        f"that 5 % of runs exceed; retained, how often the gate is RETAINED; suggested, the smallest margin at which it is in "
        f"{100 * POWER:.0f} % of runs."
    )


def _cells(part: SliceCalibration) -> dict[str, str]:
    unit = " %" if part.of_texts else ""
    margin = suggested = "-"
    if part.margin is not None:
        margin = points(part.margin) + unit
        suggested = "none" if part.suggested is None else points(part.suggested) + unit
    return {
        "slice": shown_slice(part.slice),
        "n": str(part.n),
        "clusters": "" if part.clusters is None else str(part.clusters),
        "right": " / ".join(dict.fromkeys(map(tenths, part.accuracies))),
        "flips": str(part.flips),
        "noise": "-" if part.of_texts else tenths(part.noise),
        "margin": margin,
        "retained": chance(part.retained),
        "suggested": suggested,
    }


def _listed(title: str, ids: Sequence[str]) -> list[str]:
    text = f"{title} ({len(ids)})" + (f": {', '.join(ids)}" if ids else "")
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
