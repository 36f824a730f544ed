"""--noise-floor over scripted baselines: what flips between conditions, and which margins that refuses."""

from __future__ import annotations

import pytest

from harness.engine.batching import Budget
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Generated, LogLikelihood
from harness.errors import HarnessError
from harness.evaluation.noise import flips
from harness.evaluation.session import PairSession
from harness.gate.cases import cases
from harness.stats.power import noise_drop
from harness.stats.rates import wilson_interval
from tests.support.suites import suite_text


class Shaped:
    """Right on all probes, but for as many as it has lost in smaller batches; notes the budgets that it was asked with."""

    label = "base"
    kinds = frozenset({"generate"})

    def __init__(self, flipped: int, seen: list[int] | None = None) -> None:
        self.budget = Budget(8192)
        self.flipped = flipped
        self.seen = [] if seen is None else seen

    def ask(self, requests, progress=None):
        self.seen.append(self.budget.tokens)
        lost = self.flipped if self.budget.tokens < 8192 else 0
        return [Generated("wrong" if i < lost else "right", 1) for i, _ in enumerate(requests)]

    def render(self, prompt):
        return prompt.messages[-1].content


RIGHT = FunctionEngine(lambda prompt: "right", "tuned")


def asked(suite, baseline, more=1, **arguments):
    session = PairSession(noise_floor=more, **arguments)
    selected = list(cases(suite))
    session.need(selected)
    session.ask_both(suite.name, {"baseline": baseline, "tuned": RIGHT}.__getitem__)
    return session, selected


# The flip rate


def test_flips_are_counted_by_pair_of_conditions():
    found = flips({"a": [True, True, False], "b": [False, True, False], "c": [True] * 3, "d": [False] * 3})
    assert found.ids == ("a", "b")
    assert found.rate == pytest.approx((2 / 3 + 2 / 3) / 4)
    assert found.at_most == wilson_interval(4 / 3, 4)[1]


def test_flips_that_cancel_count_all_the_same():
    assert flips({"a": [True, False], "b": [False, True]}).rate == 1.0


def test_the_baseline_is_asked_in_another_shape_each_time(read):
    baseline = Shaped(3)
    session, _ = asked(read(suite_text("facts", 100)), baseline, more=2)
    assert len(baseline.seen) == 3
    assert sorted(set(baseline.seen), reverse=True) == baseline.seen
    noise = session.noise["facts"]
    assert (noise.conditions, noise.probes, noise.flipped, noise.ids) == (
        3, 100, 3, ["facts-0", "facts-1", "facts-2"],
    )  # fmt: skip
    assert noise.flip_rate == pytest.approx(0.02), "of three pairs of conditions, two differ"
    assert noise.at_most == pytest.approx(wilson_interval(2, 100)[1])
    assert noise.reach == {"all": noise_drop(100, noise.at_most)}


def test_the_tuned_model_is_not_compared_with_other_answers(read):
    session, selected = asked(read(suite_text("facts", 100)), Shaped(3))
    (decision,) = session.decide(selected)
    assert (decision.verdict, decision.comparison.lost, decision.comparison.kept) == ("RETAINED", 0, 100)


def test_nothing_more_is_asked_without_the_option(read):
    baseline = Shaped(3)
    session, _ = asked(read(suite_text("facts", 100)), baseline, more=0)
    assert (baseline.seen, session.noise) == ([8192], {})


def test_a_suite_is_measured_once(read):
    baseline = Shaped(0)
    session, _ = asked(read(suite_text("facts", 100)), baseline)
    session.ask_both("facts", {"baseline": baseline, "tuned": RIGHT}.__getitem__)
    assert len(baseline.seen) == 2


def test_an_engine_without_batches_is_asked_again(read):
    prompts = []

    def answer(prompt):
        prompts.append(prompt)
        return "right" if prompts.count(prompt) != 2 or "facts 7?" not in prompt else "no"

    session, _ = asked(read(suite_text("facts", 100)), FunctionEngine(answer, "base"), more=2)
    assert len(prompts) == 300
    assert session.noise["facts"].ids == ["facts-7"]


def test_what_the_tuned_model_alone_is_asked_has_no_noise(read):
    session, selected = asked(read(suite_text("facts", 4, "{over: each, require: pass}")), Shaped(4))
    assert session.noise == {}
    assert len(session.decide(selected)) == 4


def test_progress_names_the_attempt(read):
    labels = []

    def progress(label, side):
        labels.append((label, side))
        return lambda done, total: None

    asked(read(suite_text("facts", 100)), Shaped(0), more=2, progress=progress)
    assert labels == [
        ("facts", "baseline"), ("facts", "tuned"), ("facts, noise 1 of 2", "baseline"), ("facts, noise 2 of 2", "baseline"),
    ]  # fmt: skip


# Margins


def test_all_margins_within_noise_are_one_error(read):
    suite = read(suite_text("facts", 100, "{over: all, max_drop: 0.05}, {over: category, max_drop: 0.1}"))
    session, selected = asked(suite, Shaped(16))
    with pytest.raises(HarnessError) as caught:
        session.decide(selected)
    bound = wilson_interval(16, 100)[1]
    reached = {n: 100 * noise_drop(n, bound) for n in (50, 100)}
    assert (reached[100], reached[50]) == (8.0, 12.0)
    lines = str(caught.value).splitlines()
    assert lines[:2] == [
        "s.yaml:3:9: facts · all: a margin of 5 points is within the noise of the baseline, which alone drops 100 probes by up "
        "to 8 points in 95 % of runs: 16 of its 100 answers flipped over 2 equal conditions (16.0 %, at most 22.9 %)",
        "  raise 'max_drop' to 0.081 or more, add probes, or run in another dtype: dtype='float32'",
    ]
    assert [line.partition(":")[0] for line in lines[2::2]] == ["s.yaml", "s.yaml"]
    assert [
        "facts · a: a margin of 10 points" in lines[2],
        "facts · b: a margin of 10 points" in lines[4],
    ] == [True] * 2
    assert "--dtype=float32" in caught.value.on_command_line


def test_the_margin_that_the_error_names_is_accepted(read):
    session, selected = asked(read(suite_text("facts", 100, "{over: all, max_drop: 0.081}")), Shaped(16))
    assert session.decide(selected)[0].verdict == "RETAINED"


def test_gates_of_several_suites_are_refused_together(read):
    session, everything = PairSession(noise_floor=1), []
    for name in ("one", "two"):
        suite = read(suite_text(name, 100, "{over: all, max_drop: 0.05}"))
        everything += cases(suite)
        session.need(cases(suite))
        session.ask_both(name, {"baseline": Shaped(16), "tuned": RIGHT}.__getitem__)
    with pytest.raises(HarnessError, match=r"(?s)one · all: a margin.*two · all: a margin"):
        session.decide(everything)
    assert session.decide([]) == []


def test_a_slice_too_small_for_a_gate_is_not_refused(read):
    suite = read(suite_text("facts", 100, "{over: all, max_drop: 0.3}, {over: category, max_drop: 0.02}"))
    session, selected = asked(suite, Shaped(16))
    assert [decision.outcome for decision in session.decide(selected)] == ["passed", "skipped", "skipped"]
    assert session.noise["facts"].reach.keys() == {"all"}


def test_single_probes_that_flip_are_listed_and_refuse_nothing(read):
    session, selected = asked(read(suite_text("facts", 10, "{over: each}")), Shaped(2))
    assert session.noise["facts"].ids == ["facts-0", "facts-1"]
    assert session.noise["facts"].reach == {}
    assert {decision.outcome for decision in session.decide(selected)} == {"passed"}


# Texts


TEXTS = (
    "suite: texts\ntask: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: %s}]\nprobes:\n"
    + "\n".join(f"  - {{id: t{i}, text: one two {i}}}" for i in range(40))
    + "\n"
)


class Reader:
    """Needs up to 1 % more bits for a text in smaller batches, or 1 % less."""

    label = "base"
    kinds = frozenset({"likelihood"})

    def __init__(self, noise: float) -> None:
        self.budget = Budget(8192)
        self.noise = noise

    def ask(self, requests, progress=None):
        noise = self.noise if self.budget.tokens < 8192 else 0.0
        return [LogLikelihood(-10.0 * (1 + noise * (-1) ** i), 5, 50_000) for i, _ in enumerate(requests)]

    def render(self, prompt):
        return prompt.text


def read_by(read, margin, noise):
    suite = read(TEXTS % margin)
    session = PairSession(noise_floor=1)
    session.need(cases(suite))
    session.ask_both("texts", {"baseline": Reader(noise), "tuned": Reader(0.0)}.__getitem__)
    return session, list(cases(suite))


def test_texts_rise_between_conditions(read):
    session, selected = read_by(read, 0.01, 0.01)
    noise = session.noise["texts"]
    assert (noise.conditions, noise.probes, noise.flipped, noise.flip_rate) == (2, 40, None, None)
    assert noise.reach["all"] == pytest.approx(0.0027, abs=0.0001), "1.685 * 0.0101 / sqrt(40)"
    assert session.decide(selected)[0].verdict == "RETAINED"


def test_a_rise_within_noise(read):
    session, selected = read_by(read, 0.002, 0.01)
    with pytest.raises(HarnessError) as caught:
        session.decide(selected)
    assert str(caught.value) == (
        "s.yaml:3:9: texts · all: a margin of 0.2 % is within the noise of the baseline: between 2 equal conditions, the bits "
        "per byte of these 40 texts rise by up to 0.28 % on average (with 95 % confidence)\n"
        "  raise 'max_rise' to 0.00276 or more, add probes, or run in another dtype: dtype='float32'"
    )


def test_texts_that_do_not_change(read):
    session, selected = read_by(read, 0.002, 0.0)
    assert session.noise["texts"].reach == {"all": 0.0}
    assert session.decide(selected)[0].verdict == "RETAINED"
