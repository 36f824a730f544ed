"""What the summary says of the noise of the baseline."""

from __future__ import annotations

from harness.reporting.noise import noise_lines
from harness.reporting.rows import NoiseRow
from harness.stats.rates import wilson_interval


def row(flipped, probes, conditions=2, rate=None, ids=()):
    rate = flipped / probes if rate is None else rate
    at_most = wilson_interval(rate * probes, probes)[1]
    return NoiseRow(
        conditions=conditions, probes=probes, flipped=flipped, flip_rate=rate, at_most=at_most, ids=list(ids)
    )


def test_nothing_was_measured():
    assert list(noise_lines({})) == []


def test_one_suite():
    assert list(noise_lines({"facts": row(3, 336, ids=["a", "b", "c"])})) == [
        "noise: 3 of 336 answers of the baseline flipped over 2 conditions (0.9 %, at most 2.2 %)",
        "  facts: 3 of 336, a, b, c",
    ]


def test_several_suites_over_several_conditions():
    rows = {"facts": row(6, 336, 3, 4 / 336, ids=list("abcdef")), "checks": row(0, 1000, 3)}
    assert list(noise_lines(rows)) == [
        "noise: 6 of 1,336 answers of the baseline flipped over 3 conditions (0.3 % between two of them, at most 0.7 %)",
        "  facts: 6 of 336, a, b, c, d, e and 1 more",
    ]


def test_texts_rise():
    rows = {"texts": NoiseRow(conditions=3, probes=40, reach={"all": 0.00021, "category[a]": 0.0004})}
    assert list(noise_lines(rows)) == [
        "noise: texts: bits per byte of the baseline rise by up to 0.04 % over 3 conditions"
    ]
