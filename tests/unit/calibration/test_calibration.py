"""benchmarks/calibration: its rules over many runs at once are those by which the gate decides one run."""

from __future__ import annotations

import json
from dataclasses import replace
from math import exp
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.calibration.__main__ import write
from benchmarks.calibration.draw import Drawn, Truth, draw
from benchmarks.calibration.policies import CURVE, FLIPS
from benchmarks.calibration.rules import (
    checklist,
    observed,
    overall,
    slices,
    strict_checklist,
    strict_overall,
    strict_slices,
)
from benchmarks.calibration.shape import Shape, shape
from benchmarks.tables import Table
from harness.engine.requests import LogLikelihood
from harness.gate.cases import Case, cases, with_overall
from harness.gate.compare import Pair
from harness.gate.decide import LEVEL, decide
from harness.gate.finding import Finding, find
from harness.gate.overall import find_overall
from harness.gate.policy import MAX_DROP_OVERALL, Policy
from harness.scoring import SCORERS, Score
from harness.stats.checklist import chance_red, lost_by_majority
from harness.stats.paired import least_to_retain
from harness.stats.power import Confirmed, power
from harness.suites.severity import SEVERITIES
from harness.suites.suite import EachGate, MarginGate, Probe, RiseGate, SliceGate, Suite

RUNS = 200
SCORER = SCORERS["mentions"]()
CHANGES = {"kept": (True, True), "lost": (True, False), "gained": (False, True), "missed": (False, False)}


def suites() -> list[Suite]:
    """Of independent probes, of templates that cross categories, of a single template, of texts, and of single items."""

    def margins(over_all: float, over_category: float, **losses: float) -> tuple[MarginGate, ...]:
        return tuple(
            MarginGate(over=over, max_drop=drop, **losses)
            for over, drop in (("all", over_all), ("category", over_category))
        )

    def probes(name: str, n: int, cluster=lambda number: None, categories: int = 3) -> tuple[Probe, ...]:
        return tuple(
            Probe(f"{name}-{i}", SCORER, category=str(i % categories), cluster=cluster(i)) for i in range(n)
        )

    def text(i: int) -> Probe:
        return Probe(f"text-{i}", SCORER, text="x", category=str(i % 2 if i < 24 else 2))

    def item(i: int) -> Probe:
        return Probe(f"item-{i}", SCORER, severity=SEVERITIES[i % 4], also_ask=({"question": "x"},) * (i % 3))

    rises = tuple(RiseGate(over=over, max_rise=rise) for over, rise in (("all", 0.005), ("category", 0.01)))
    return [
        Suite("plain", margins(0.05, 0.15, max_loss=0.3), probes("plain", 90)),
        Suite("templates", margins(0.10, 0.20), probes("templates", 96, lambda i: f"t{i // 8}")),
        Suite("passages", margins(0.10, 0.15), probes("passages", 50, lambda i: f"p{i}" if i % 5 else "one")),
        Suite("single", margins(0.10, 0.20, max_loss=0.35), probes("single", 26, lambda i: "one", 2)),
        Suite("texts", rises, tuple(map(text, range(25)))),
        Suite("items", (EachGate(),), tuple(map(item, range(8)))),
    ]


def drawn_at_random(asked: list[Case], random: np.random.Generator) -> Drawn:
    """Runs of every kind: of baselines that know little or much, and of models that lost nothing, a slice, or everything."""
    run = shape(asked)
    n = len(run.probes)
    known = random.choice([0.1, 0.4, 0.6, 0.95], (RUNS, 1))
    loses = random.choice([0.02, 0.1, 0.3, 0.6], (RUNS, n // 10 + 1)).repeat(10, axis=1)[:, :n]
    loses[random.random(RUNS) < 0.5] = 0.05
    right, lost = random.random((RUNS, n)) < known, random.random((RUNS, n)) < loses
    gained = random.random((RUNS, n)) < 0.08
    return Drawn(
        run,
        right & ~lost,
        right & lost,
        ~right & gained,
        random.normal(random.choice([0, 0.006, 0.012], (RUNS, 1)), 0.02, (RUNS, len(run.texts))),
        (random.random((RUNS, len(run.items), int(run.asks.max()))) < random.choice([0.1, 0.6], (RUNS, 1, 1)))
        & (np.arange(run.asks.max()) < run.asks[:, None]),
    )


def findings(drawn: Drawn, run: int) -> list[Finding]:
    """What the gate finds in one of the runs."""

    places = {
        key: place for keys in (drawn.shape.probes, drawn.shape.texts) for place, key in enumerate(keys)
    }

    def pairs(case: Case) -> list[Pair]:
        return [_pair(drawn, run, places[case.suite.name, probe.id], probe) for probe in case.probes]

    asked = [*drawn.shape.margins, *drawn.shape.rises]
    found = [find(case, pairs(case)) for case in asked]
    for case, asks in zip(drawn.shape.items, drawn.lost_asks[run], strict=True):
        first, *again = (
            _changed(case.probes[0], "lost" if lost else "kept")
            for lost in asks[: 2 + len(case.probes[0].also_ask)]
        )
        found.append(find(case, [first], again=again if asks[0] else ()))
    *_, last = with_overall(asked, MAX_DROP_OVERALL)
    return [*found, find_overall(last, found)]


def _pair(drawn: Drawn, run: int, place: int, probe: Probe) -> Pair:
    if probe.text is not None:
        worse = exp(drawn.ratios[run, place])
        answers = (LogLikelihood(-100.0 * factor, 10) for factor in (1.0, worse))
        return Pair(probe, *(Score(True, "", answer=answer) for answer in answers))
    changes = (name for name in ("kept", "lost", "gained") if getattr(drawn, name)[run, place])
    return _changed(probe, next(changes, "missed"))


def _changed(probe: Probe, change: str) -> Pair:
    return Pair(probe, *(Score(right, "") for right in CHANGES[change]))


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return drawn_at_random([case for suite in suites() for case in cases(suite)], np.random.default_rng(0))


@pytest.fixture(scope="module")
def found(drawn) -> list[list[Finding]]:
    with pytest.MonkeyPatch.context() as patch:
        # How many more probes would settle a verdict is slow to find, and decides nothing.
        patch.setattr("harness.gate.finding.more_to_settle", lambda *counts: None)
        return [findings(drawn, run) for run in range(RUNS)]


def under(finding: Finding, on_inconclusive: str) -> Finding:
    gate = finding.case.gate
    if not isinstance(gate, SliceGate):
        return finding
    return replace(finding, case=replace(finding.case, gate=replace(gate, on_inconclusive=on_inconclusive)))


@pytest.mark.parametrize(
    ("rules", "policy", "on_inconclusive"),
    [
        ((slices, checklist, overall), Policy(), "confirmed"),
        ((observed, checklist, overall), Policy(), "observed"),
        ((strict_slices, strict_checklist, strict_overall), Policy(strict=True), "confirmed"),
    ],
    ids=["default", "observed", "strict"],
)
def test_the_rules_decide_as_the_gate_does(drawn, found, rules, policy, on_inconclusive):
    fails = np.concatenate([rule(drawn) for rule in rules], axis=1)
    runs = [decide([under(finding, on_inconclusive) for finding in run], policy) for run in found]
    outcomes = np.array([[decision.outcome == "failed" for decision in run] for run in runs])
    assert fails.shape == outcomes.shape
    assert np.argwhere(fails != outcomes).tolist() == []  # [[run, gate], ...]
    assert (outcomes.mean(axis=0) > 0.02).mean() > 0.7  # most gates fail in some runs


def test_a_sample_that_is_too_small_has_no_gate():
    small = Suite("small", (MarginGate(over="all", max_drop=0.10),), ())
    n = (least_to_retain(0.10) or 0) - 1
    probes = tuple(Probe(str(i), SCORER) for i in range(n))
    run = shape(list(cases(replace(small, probes=probes))))
    lost = np.ones((3, n), dtype=bool)
    none = np.zeros((3, n), dtype=bool)
    drawn = Drawn(run, none, lost, none, np.zeros((3, 0)), np.zeros((3, 0, 1), dtype=bool))
    assert not slices(drawn).any()
    assert overall(drawn).shape == (3, 0)


@pytest.mark.parametrize("margins", [{"max_drop": 0.0}, {"max_drop": 0.1, "max_loss": 0.0}])
def test_a_margin_of_zero_is_not_simulated(margins):
    suite = Suite("none", (MarginGate(over="all", **margins),), (Probe("p", SCORER),))
    with pytest.raises(ValueError, match="a margin of 0"):
        shape(list(cases(suite)))


def one(clusters: int | None = None) -> Shape:
    probes = tuple(
        Probe(str(i), SCORER, cluster=None if clusters is None else str(i % clusters)) for i in range(100)
    )
    return shape(list(cases(Suite("one", (MarginGate(over="all", max_drop=0.10),), probes))))


@pytest.mark.parametrize("drop", [0.0, 0.15])
def test_one_gate_fails_as_often_as_enumerated(drop):
    trials, flips = 4000, 0.20
    fails = slices(draw(one(), Truth(flips, drop), trials, np.random.default_rng(0)))
    expected = power(100, drop, flips / 2, Confirmed(0.10, LEVEL))
    assert abs(fails.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / trials)


def test_probes_that_go_together_have_the_design_effect_of_their_correlation():
    drawn = draw(one(clusters=20), Truth(0.10, common=0.5), 4000, np.random.default_rng(0))
    independent = draw(one(), Truth(0.10), 4000, np.random.default_rng(0))
    effect = drawn.gates.drop.var() / independent.gates.drop.var()
    assert effect == pytest.approx(1 + (100 / 20 - 1) * 0.5**2, rel=0.1)
    assert drawn.gates.drop.mean() == pytest.approx(0, abs=0.005)


def test_a_checklist_is_red_as_often_as_enumerated():
    trials, flips = 20_000, 0.30
    run = shape(list(cases(suites()[-1])))
    lost = np.array([case.severity == "critical" for case in run.items])
    chances = np.array([lost_by_majority(int(asks), flips / 2) for asks in run.asks])
    expected = chance_red(chances[lost], chances[~lost])
    fails = checklist(draw(run, Truth(flips), trials, np.random.default_rng(0))).any(axis=1).mean()
    assert abs(fails - expected) < 4 * np.sqrt(expected * (1 - expected) / trials)


def test_the_page_says_what_made_it_and_the_picture_has_both_themes(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.calibration.__main__.DOCS", tmp_path)
    table = Table("Red", "", ["policy", "2 % flip"], [["now", "0.1"]])
    lines = {f"full run, {when}": [0.1] * len(FLIPS) for when in ("before", "now")}
    power = {name: [0.5] * len(CURVE) for name in lines}
    found = {"summary": [table], "tables": [], "curves": {"alarms": lines, "power": power}}
    write("python -m benchmarks.calibration", 7, found)
    page = (tmp_path / "calibration.md").read_text(encoding="utf-8")
    assert page.startswith("<!-- Generated by `python -m benchmarks.calibration`; 7 trials a cell, suites ")
    assert "| now    |      0.1 |" in page
    assert json.loads((tmp_path / "calibration.json").read_text())["summary"][0]["rows"] == table.rows
    picture = (tmp_path / "calibration.svg").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in picture
    labels = {element.text for element in ElementTree.fromstring(picture).iter() if element.text}
    assert {"Red where nothing was lost", "full run, before", "full run, now"} <= labels
