"""The noise of the baseline in a run, as lines of the summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.reporting.rows import NoiseRow
from harness.stats.rates import wilson_interval
from harness.wording import percent, some

MOST_IDS = 5


def noise_lines(noise: Mapping[str, NoiseRow]) -> Iterator[str]:
    """How many answers flipped between equal conditions, in all and in each suite with some; nothing if it was not measured."""
    asked = {suite: row for suite, row in noise.items() if row.flip_rate is not None}
    if asked:
        n = sum(row.probes for row in asked.values())
        flipped = sum(row.flipped or 0 for row in asked.values())
        rate = sum((row.flip_rate or 0.0) * row.probes for row in asked.values()) / n
        at_most = percent(wilson_interval(rate * n, n)[1])
        conditions = max(row.conditions for row in asked.values())
        between = "" if conditions == 2 else " between two of them"
        yield (
            f"noise: {flipped:,} of {n:,} answers of the baseline flipped over {conditions} conditions "
            f"({percent(rate)}{between}, at most {at_most})"
        )
    for suite, row in asked.items():
        if row.ids:
            yield f"  {suite}: {row.flipped} of {row.probes:,}, {some(row.ids, MOST_IDS)}"
    for suite, row in noise.items():
        if row.flip_rate is None and row.reach:
            rise = f"{100 * max(row.reach.values()):.2g} %"
            yield f"noise: {suite}: bits per byte of the baseline rise by up to {rise} over {row.conditions} conditions"
