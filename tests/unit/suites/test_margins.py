"""The margins of a gate, as they are read and where they are wrong."""

from __future__ import annotations

import pytest

from harness.suites.suite import MarginGate, RiseGate
from tests.support.suites import suite_with

LIKELIHOOD = "{answer: likelihood, format: text}"
TEXT = "{id: a, text: Some words.}"
INSTEAD = "\n  write 'max_rise', the largest acceptable mean rise of bits per byte, such as 0.02 for 2 %"


@pytest.mark.parametrize(
    ("written", "gate"),
    [
        ("{over: all, max_drop: 0.1}", MarginGate(over="all", max_drop=0.1, max_loss=0.15)),
        ("{over: all, max_drop: 0.1, max_loss: null}", MarginGate(over="all", max_drop=0.1, max_loss=0.15)),
        ("{over: all, max_drop: 0.1, max_loss: 0.5}", MarginGate(over="all", max_drop=0.1, max_loss=0.5)),
        ("{over: all, max_drop: 0.1, max_loss: 1}", MarginGate(over="all", max_drop=0.1, max_loss=1.0)),
        ("{over: all, max_drop: 0, max_loss: 0}", MarginGate(over="all", max_drop=0.0, max_loss=0.0)),
        ("{over: category, max_drop: 0.2}", MarginGate(over="category", max_drop=0.2, max_loss=0.35)),
        *(
            (
                f"{{over: all, max_drop: 0.1, on_inconclusive: {rule}}}",
                MarginGate(over="all", max_drop=0.1, max_loss=0.15, on_inconclusive=rule),
            )
            for rule in ("confirmed", "observed", "fail", "pass")
        ),
    ],
)
def test_margins_of_accuracy(read, written, gate):
    (found,) = read(suite_with("{id: a, question: q, answer: b, category: c}", gates=f"[{written}]")).gates
    assert found == gate


@pytest.mark.parametrize(
    ("written", "gate"),
    [
        ("{over: all, max_rise: 0.02}", RiseGate(over="all", max_rise=0.02)),
        ("{over: all, max_rise: 0}", RiseGate(over="all", max_rise=0.0)),
        ("{over: category, max_rise: 2}", RiseGate(over="category", max_rise=2.0)),
        (
            "{over: all, max_rise: 0.02, max_drop: null, on_inconclusive: fail}",
            RiseGate(over="all", max_rise=0.02, on_inconclusive="fail"),
        ),
    ],
)
def test_margins_of_likelihood(read, written, gate):
    text = suite_with("{id: a, text: So., category: c}", gates=f"[{written}]", task=LIKELIHOOD, score=None)
    assert read(text).gates == (gate,)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (
            "{over: all, max_loss: 0.1}",
            "2:9: a gate over 'all' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'\n"
            "  write: - {over: all, max_drop: 0.10}",
        ),
        (
            "{over: all, max_drop: 0.1, max_loss: 15}",
            "2:46: 'max_loss' must be at most 1, saw 15\n"
            "  a fraction of 1: 0.1 means 10 %; write: gates: [{over: all, max_drop: 0.1, max_loss: 0.15}]",
        ),
        (
            "{over: all, max_drop: 0.1, max_loss: -0.1}",
            "2:46: 'max_loss' must be at least 0, saw -0.1\n"
            "  write: gates: [{over: all, max_drop: 0.1, max_loss: 0.1}]",
        ),
        (
            "{over: all, max_drop: 0.1, max_loss: 15 %}",
            "2:46: 'max_loss' must be a number, saw text '15 %'\n"
            "  a fraction of 1: 0.1 means 10 %; write: gates: [{over: all, max_drop: 0.1, max_loss: 0.15}]",
        ),
        (
            "{over: all, max_drop: 0.1, max_los: 0.1}",
            "2:36: unknown key 'max_los' in a gate\n  did you mean 'max_loss'?",
        ),
        (
            "{over: each, max_loss: 0.1}",
            "2:9: a gate over 'each' takes no 'max_loss': each probe is kept or lost",
        ),
        (
            "{over: each, max_rise: 0.1}",
            "2:9: a gate over 'each' takes no 'max_rise': each probe is kept or lost",
        ),
        (
            "{over: all, max_drop: 0.1, max_rise: 0.02}",
            "2:9: a gate has 'max_drop', for accuracy, or 'max_rise', for likelihood, not both",
        ),
        (
            "{over: all, max_rise: 0.02, max_loss: 0.1}",
            "2:9: a gate with 'max_rise' takes no 'max_loss': a text is not known or unknown",
        ),
        (
            "{over: all, max_rise: 0.02}",
            "2:21: 'max_rise' has no meaning under 'answer: generate'\n"
            "  write 'max_drop', the largest acceptable drop in accuracy",
        ),
    ],
)
def test_wrong_margins_of_accuracy(problems, gate, message):
    assert problems(suite_with(gates=f"[{gate}]")) == message


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (
            "{over: all, max_drop: 0.1}",
            f"2:21: 'max_drop' cannot judge a likelihood, which is neither right nor wrong{INSTEAD}",
        ),
        (
            "{over: all, max_drop: 0.1, max_loss: 0.2}",
            f"2:21: 'max_drop' cannot judge a likelihood, which is neither right nor wrong{INSTEAD}",
        ),
        ("{over: all, max_rise: 11}", "2:31: 'max_rise' must be at most 10, saw 11"),
        (
            "{over: all, max_rise: -0.1}",
            "2:31: 'max_rise' must be at least 0, saw -0.1\n  write: gates: [{over: all, max_rise: 0.1}]",
        ),
        ("{over: all, max_rise: 2 %}", "2:31: 'max_rise' must be a number, saw text '2 %'"),
    ],
)
def test_wrong_margins_of_likelihood(problems, gate, message):
    assert problems(suite_with(TEXT, gates=f"[{gate}]", task=LIKELIHOOD, score=None)) == message


def test_the_name_of_the_gate_over_all_suites_is_taken(problems):
    assert problems(suite_with().replace("suite: s", "suite: overall")) == (
        "1:1: 'overall' is the name of the gate over all suites\n  choose another name"
    )
