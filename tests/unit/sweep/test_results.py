"""Which general probes choose the first of a ladder, and that the others alone report it; records of earlier versions."""

from __future__ import annotations

import json
import random
from collections import Counter
from itertools import compress

import numpy as np
import pytest

from harness.gate.pooling import pool
from harness.reporting.rows import AnswerRow
from harness.sweep.record import FILE, AskedRow, SuiteRow, read_sweep
from harness.sweep.results import compared, deciding, measured_again, ranked
from tests.support.ladders import SUITES, ladder, recipe, rung, shipped, suite_row


def suite(name: str, categories: list[str | None], clusters: list[str | None] | None = None) -> SuiteRow:
    given = clusters or [None] * len(categories)
    probes = [
        AskedRow(
            id=f"p{place}",
            category=category,
            cluster=cluster,
            fields={},
            expected=[],
            baseline=AnswerRow(answer="", right=True),
        )
        for place, (category, cluster) in enumerate(zip(categories, given, strict=True))
    ]
    return suite_row(name, 0, 0, probes=probes)


def test_each_suite_and_category_is_halved():
    suites = [suite("a", ["x"] * 10 + ["y"] * 7 + [None] * 4), suite("b", ["x"] * 30)]
    decides = deciding(suites)
    places = [(each.name, probe.category) for each in suites for probe in each.probes]
    chosen = Counter(compress(places, decides))
    assert sum(chosen.values()) == 26
    assert (chosen["a", "x"], chosen["a", None], chosen["b", "x"]) == (5, 2, 15)
    assert chosen["a", "y"] in (3, 4)
    assert deciding(suites) == decides


def test_the_halves_depend_on_no_order():
    suites = [suite("a", ["x", "y"] * 20), suite("b", [None] * 15)]
    ids = {(each.name, probe.id) for each in suites for probe in each.probes}

    def chosen(given: list[SuiteRow]) -> set[tuple[str, str]]:
        keys = [(each.name, probe.id) for each in given for probe in each.probes]
        return set(compress(keys, deciding(given)))

    shuffled = [
        each.model_copy(update={"probes": random.Random(1).sample(each.probes, len(each.probes))})
        for each in reversed(suites)
    ]
    assert chosen(shuffled) == chosen(suites)
    assert 0 < len(chosen(suites)) < len(ids)


def test_probes_of_a_cluster_stay_together():
    clusters = [f"passage {place // 6}" for place in range(60)]
    decides = deciding([suite("a", ["x"] * 60, clusters), suite("b", ["x"] * 60, clusters)])
    for start in range(0, 120, 6):
        assert len(set(decides[start : start + 6])) == 1
    assert sum(decides[:60]) == sum(decides[60:]) == 30


@pytest.mark.parametrize("n", [0, 1])
def test_one_probe_cannot_be_halved(n):
    assert deciding([suite("a", [None] * n)]) == [True] * n


def test_the_first_is_reported_on_the_other_half():
    record = shipped()
    decides = deciding(record.suites)
    first, *others = [row for row in record.rungs if row.rank]
    before = [right for each in record.suites for right in each.baseline]
    after = first.seeds[0].right(record.suites)
    rest = [not one for one in decides]
    units = [unit for each in record.suites for unit in each.units]
    expected = pool(
        list(compress(units, rest)), [list(compress(before, rest))], [list(compress(after, rest))]
    )
    assert record.held_out.effect.drop == expected.drop
    assert record.held_out.effect.interval == expected.interval
    assert (record.held_out.ranked_on, record.held_out.effect.n) == (sum(decides), len(before) - sum(decides))
    on_half = [list(compress(before, decides))], [list(compress(after, decides))]
    assert first.ranking_drop == pool(list(compress(units, decides)), *on_half).drop
    assert first.ranking_drop == min(row.ranking_drop for row in (first, *others))


def test_of_equals_the_first_is_reported_without_bias():
    """Seven recipes truly lose 10 points; the least of their drops is far less, the one on the other half is not."""
    draws = np.random.default_rng(3)
    names = [f"recipe-{place}" for place in range(7)]
    reported, flattering = [], []
    for _ in range(25):
        rows = [rung(recipe(name), (38, 0)) for name in names]
        for place, row in enumerate(rows):
            suites = {
                each.name: [
                    AnswerRow(answer="", right=bool(right))
                    for right in np.array(each.baseline) & (draws.random(len(each.probes)) >= 1 / 6)
                ]
                for each in SUITES
            }
            rows[place] = row.model_copy(
                update={"seeds": [row.seeds[0].model_copy(update={"suites": suites})]}
            )
        record = ranked(measured_again(ladder(*rows)))
        reported.append(record.held_out.effect.drop)
        flattering.append(min(row.measured.drop for row in record.rungs))
    assert np.mean(reported) == pytest.approx(0.10, abs=0.02)
    assert np.mean(flattering) < 0.08


def test_a_comparison_of_the_chosen_probes_alone():
    before, after = rung(recipe("a"), (38, 10)), rung(recipe("b"), (38, 4))
    first = [place < 50 for place in range(100)] + [False] * 100
    found = compared(SUITES, before.seeds, after.seeds, first)
    assert (found.n, found.lost, found.gained) == (50, 0, 6)
    assert compared(SUITES, None, after.seeds).lost == 8


NEW = {"learning", "ranking_drop", "cluster", "held_out"}


def test_a_record_of_before_is_read_and_ranked_anew(tmp_path):
    """It has neither halves nor what was learnt, and its intervals over seeds ignore the variance between them."""
    now = ladder(rung(recipe("a"), (38, 10), (38, 20)), rung(recipe("b"), (38, 5), (38, 6)))

    def without(value):
        if isinstance(value, dict):
            return {key: without(inner) for key, inner in value.items() if key not in NEW}
        return [without(inner) for inner in value] if isinstance(value, list) else value

    before = without(json.loads(now.model_dump_json()))
    before["rungs"][0]["measured"]["drop_interval"] = [0.0, 0.1]
    (tmp_path / FILE).write_text(json.dumps(before), encoding="utf-8")
    old = read_sweep(tmp_path)
    assert (old.held_out, old.rungs[0].learning, old.suites[0].probes[0].cluster) == (None, None, None)
    assert old.verdict(old.rungs[0]) == old.rungs[0].measured.verdict
    assert ranked(measured_again(old)) == now
