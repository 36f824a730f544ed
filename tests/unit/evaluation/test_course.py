"""How far a run is: which suite of how many, and what is left of all."""

from __future__ import annotations

import pytest

from harness.engine.functions import FunctionEngine
from harness.evaluation import course
from harness.evaluation.course import follow
from harness.evaluation.session import PairSession
from harness.gate.cases import cases

SUITE = """\
suite: {name}
score: mentions
gates: [{{over: all, max_drop: 0.1}}]
probes:
{probes}
"""


def suite_of(read, name, n):
    probes = "\n".join(f"  - {{id: p{i}, question: What is {i}?, answer: yes}}" for i in range(n))
    return read(SUITE.format(name=name, probes=probes))


class Lines:
    """A counter that keeps the words on the rest, each with its work; every answer takes a second."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        self.lines = []
        monkeypatch.setattr(course.time, "monotonic", lambda: self.now)

    def counter(self, label, unit, rest):
        def show(done, total):
            self.now += 1
            self.lines.append(f"{label} {done}/{total}{rest(done / total)}")

        return show


def asked(read, monkeypatch, sizes, **options):
    session = PairSession(**options)
    session.need(case for name, n in sizes.items() for case in cases(suite_of(read, name, n)))
    lines = Lines(monkeypatch)
    follow(session, lines.counter)
    engine = FunctionEngine(lambda prompt: "Yes.", "fake")
    for name in sizes:
        session.ask_both(name, lambda side: engine)
    return lines.lines


def test_the_suite_and_what_is_left_of_the_whole_run(read, monkeypatch):
    lines = asked(read, monkeypatch, {"one": 20, "two": 60})
    assert lines[0] == "one, baseline 1/20; suite 1 of 2"
    assert lines[11] == "one, baseline 12/20; suite 1 of 2, about 2 min left in all"
    assert lines[39] == "one, tuned 20/20; suite 1 of 2, about 2 min left in all"
    assert lines[99] == "two, baseline 60/60; suite 2 of 2, about 60 s left in all"
    assert lines[100] == "two, tuned 1/60; suite 2 of 2"


def test_of_one_suite_only_the_other_model_is_left(read, monkeypatch):
    lines = asked(read, monkeypatch, {"one": 20})
    assert lines[19] == "one, baseline 20/20; about 20 s left in all"
    assert lines[39] == "one, tuned 20/20"


def test_a_run_that_may_stop_early_says_at_most(read, monkeypatch):
    lines = asked(read, monkeypatch, {"one": 80, "two": 200}, sequential=0)
    assert any(", at most " in line for line in lines)
    assert not any(", about " in line for line in lines)


@pytest.mark.parametrize("noise_floor", [0, 2])
def test_other_work_says_nothing_of_the_run(read, monkeypatch, noise_floor):
    lines = asked(read, monkeypatch, {"one": 20, "two": 20}, noise_floor=noise_floor)
    noise = [line for line in lines if "noise" in line]
    assert len(noise) == 2 * noise_floor * 20
    assert all(";" not in line for line in noise)
