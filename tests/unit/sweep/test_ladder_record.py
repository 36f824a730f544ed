"""The record of a ladder: what it derives from the answers, its ranks, and that it is read back as it was written."""

from __future__ import annotations

import math

import pytest

from harness import __version__
from harness.engine.requests import LogLikelihood
from harness.errors import HarnessError
from harness.gate.pooling import pool
from harness.reporting.rows import AnswerRow
from harness.scoring.score import Score
from harness.stats.paired import tango_interval
from harness.sweep.record import (
    FILE,
    SweepRecord,
    read_sweep,
    write_sweep,
)
from harness.sweep.results import ranked, recipe_row
from tests.support.ladders import (
    GENERAL,
    LORA,
    REPLAY,
    RIGHT,
    SUITES,
    TARGET,
    TARGET_SUITE,
    ladder,
    recipe,
    rung,
    shipped,
)


def test_gain_and_drop_of_one_seed():
    measured = rung(recipe("a"), (38, 12, 4)).measured
    assert measured.gain == pytest.approx(38 / TARGET)
    low, high = tango_interval(0, 38, TARGET)
    assert measured.gain_interval == (-high, -low)
    assert measured.drop == pytest.approx(2 * (12 - 4) / (2 * GENERAL))
    assert measured.drop_interval == tango_interval(24, 8, 2 * GENERAL)
    assert measured.general.n == 2 * GENERAL
    assert measured.general.baseline_accuracy == pytest.approx(RIGHT / GENERAL)
    assert measured.by_suite["checklist"].drop == pytest.approx((12 - 4) / GENERAL)
    assert measured.by_suite["checklist"].interval == tango_interval(12, 4, GENERAL)
    assert measured.verdict == "INCONCLUSIVE"


def test_no_gain_is_not_less_than_none():
    measured = rung(recipe("idle"), (0, 3)).measured
    assert (measured.gain, math.copysign(1, measured.gain)) == (0.0, 1.0)


def test_seeds_are_averaged_and_are_no_more_probes():
    measured = rung(recipe("a"), (38, 10), (36, 20), (37, 12)).measured
    assert measured.gain == pytest.approx(37 / TARGET)
    assert (measured.general.lost, measured.general.n) == (2 * 14, 2 * GENERAL)
    low, high = tango_interval(2 * 14, 0, 2 * GENERAL)
    assert measured.drop_interval[0] < low
    assert high < measured.drop_interval[1]
    assert (measured.general.smallest_drop, measured.general.largest_drop) == (0.1, 0.2)


def test_a_recipe_that_lacks_a_seed_or_failed_is_not_measured():
    whole = rung(recipe("a"), (38, 10), (36, 20))
    part = recipe_row("a.yaml", whole.recipe, whole.seeds[:1], TARGET_SUITE, SUITES, of=2)
    failed = recipe_row("a.yaml", whole.recipe, whole.seeds, TARGET_SUITE, SUITES, of=2, error="NaN")
    assert part.measured is None
    assert failed.measured is None
    assert ladder(part).missing == ["a"]
    assert ladder(failed).missing == []


def test_rungs_stand_in_the_order_of_their_ranks():
    record = shipped()
    names = [one.name for one in record.rungs]
    assert names[:3] == ["careful-lora-replay", "self-replay", "careful-lora"]
    assert names[-3:] == ["careless", "careful-full", "too-high"]
    assert [one.rank for one in record.rungs] == [*range(1, 13), None, None]
    assert [one.learning for one in record.rungs[-2:]] == ["less", None]
    drops = [one.ranking_drop for one in record.rungs if one.rank]
    assert drops == sorted(drops)
    assert record.reference == "careless"
    assert [one.name for one in record.rungs if one.front] == ["careful-lora-replay"]


def test_ranked_again_by_other_rules():
    record = shipped()
    again = ranked(record.model_copy(update={"matched": 0.5, "asked_for": "replay"}))
    assert again.reference == "replay"
    assert again.recipe("careful-full").learning == "cannot be told"
    assert again.recipe("last-layers").learning == "matched"
    assert ranked(again.model_copy(update={"matched": 0.9, "asked_for": None})) == record


def test_nothing_learnt_is_said_and_not_ranked():
    record = ladder(rung(recipe("a"), (1, 2)), rung(recipe("b"), (0, 1)))
    assert record.unranked.startswith("no ranking is possible: no recipe has shown to learn its target task")
    assert [one.rank for one in record.rungs] == [None, None]
    assert [one.front for one in record.rungs] == [True, True]
    assert record.reference is None


def test_a_reference_that_is_no_recipe():
    with pytest.raises(HarnessError) as caught:
        ladder(rung(recipe("careless"), (38, 50)), asked_for="carless")
    assert (
        str(caught.value)
        == "--from carless: no recipe of this ladder has that name\n  did you mean 'careless'?"
    )


def test_a_reference_that_failed_is_none():
    record = ladder(rung(recipe("a"), (38, 5)), rung(recipe("b"), error="NaN"), asked_for="b")
    assert record.reference is None


def test_the_record_is_read_back_as_it_was_written(tmp_path):
    record = shipped()
    probe = record.suites[0].probes[0].model_copy(update={"measured": LogLikelihood(-12.5, 7)})
    suites = [record.suites[0].model_copy(update={"probes": [probe, *record.suites[0].probes[1:]]})]
    record = record.model_copy(update={"suites": [*suites, record.suites[1]]})
    write_sweep(record, tmp_path / "new")
    again = read_sweep(tmp_path / "new")
    assert again == record
    assert again.suites[0].probes[0].measured == LogLikelihood(-12.5, 7)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE]


def test_half_a_surrogate_pair_can_be_written(tmp_path):
    row = AnswerRow.of(Score(True, "\ud83d and so on"))
    assert row.answer == "\\ud83d and so on"
    row.model_dump_json().encode()


def test_a_record_of_another_version(tmp_path):
    text = shipped().model_dump_json().replace('"version":1', '"version":2')
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(HarnessError) as caught:
        read_sweep(tmp_path)
    assert str(caught.value).startswith(
        f"{tmp_path / FILE}: the record of a ladder was written by a newer version than {__version__}: version: "
    )


def test_no_record(tmp_path):
    with pytest.raises(HarnessError) as caught:
        read_sweep(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / FILE}: the record of a ladder cannot be read: No such file or directory\n"
        "  name another, or run again what wrote it"
    )


def test_numbers_follow_from_the_answers_in_the_record():
    """Everything that a report shows can be worked out again from the record alone."""
    record = SweepRecord.model_validate_json(shipped().model_dump_json())
    for one in record.rungs:
        if one.measured:
            before = [right for suite in record.suites for right in suite.baseline]
            units = [unit for suite in record.suites for unit in suite.units]
            assert one.measured.drop == pool(units, [before], [one.seeds[0].right(record.suites)]).drop
    assert record.recipe("replay").recipe == recipe("replay", replay=REPLAY)
    assert record.recipe("careful-lora").recipe.method.lora.r == LORA["lora"]["r"]
