"""Word order as a model of this machine measures it: in a gate, and while a model trains."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from statistics import mean

import pytest

from harness.engine.requests import Generated, RollingLogLikelihood
from harness.engine.transformers.loading import wrap
from harness.evaluation.word_order import WordOrder
from harness.scoring import score, word_order
from harness.suites.suite import Suite
from harness.training.callback.callback import ForgettingCallback
from tests.support.trainings import WORDS, loaded, run

REPLY = "Roses need water, light and air."


@pytest.fixture
def prose(tmp_path, monkeypatch) -> Path:
    """A suite that takes all that the tiny base writes, be it short and in no order."""
    monkeypatch.setattr(word_order, "LEAST_WORDS", 1)
    monkeypatch.setattr(sys.modules[score.__module__], "LEAST_GAIN", -100.0)
    probes = "".join(f"  - {{id: {word}, question: {word}}}\n" for word in WORDS)
    path = tmp_path / "prose.yaml"
    path.write_text(
        "suite: prose\ntask: {max_new_tokens: 6}\nscore: {check: {not: {contains: never}, fluent: true}}\n"
        f"gates: [{{over: all, max_drop: 0.3}}]\nprobes:\n{probes}"
    )
    return path


def measured_by(engine, text: str) -> float:
    answers = engine.ask([RollingLogLikelihood(order) for order in word_order.orders(text)])
    return word_order.gain(text, [answer.logprob for answer in answers])


def test_it_is_the_mean_gain_in_nats_a_word(base):
    engine = wrap(*loaded(base))
    found = WordOrder(engine).measured(Suite("s", (), ()), {"a": Generated(REPLY, 8)})
    first, *others = [
        answer.logprob
        for answer in engine.ask([RollingLogLikelihood(order) for order in word_order.orders(REPLY)])
    ]
    by_hand = (first - mean(others)) / len(REPLY.split())
    assert found["a"].word_order == pytest.approx(by_hand, abs=1e-3)


def measured(callback: ForgettingCallback) -> dict[str, float]:
    """By reply, the word order of what the trained model said at the last step, where it said anything."""
    (decision,) = callback.decisions
    answers = [pair.tuned.answer for pair in decision.pairs if pair.tuned.right]
    return {answer.text: answer.word_order for answer in answers if word_order.orders(answer.text)}


def test_an_adapter_is_measured_by_its_base(base, prose, tmp_path):
    callback = ForgettingCallback([prose], every=4, stop_on=None)
    made = run(base, tmp_path / "out", [callback], lora={}, steps=4)
    found = measured(callback)
    assert found
    untrained, tuned = wrap(*loaded(base)), wrap(made.model, made.processing_class)
    assert found == {text: pytest.approx(measured_by(untrained, text), abs=1e-3) for text in found}
    assert any(value != pytest.approx(measured_by(tuned, text), abs=1e-3) for text, value in found.items())


def test_a_baseline_that_is_trained_itself_measures_nothing_and_says_so_once(base, prose, tmp_path, caplog):
    callback = ForgettingCallback([prose], every=2, stop_on=None)
    with caplog.at_level(logging.WARNING, "harness"):
        run(base, tmp_path / "out", [callback], steps=4)
    assert set(measured(callback).values()) == {None}
    (said,) = [record.message for record in caplog.records if "fluent" in record.message]
    assert said == (
        "training changes the baseline, so it cannot measure the word order that 'fluent' asks for; both models are judged "
        "without it in: prose"
    )
