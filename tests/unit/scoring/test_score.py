"""A probe and an answer, judged; and no answer that is empty, of another kind or NaN."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.requests import ChoiceLogProbs, Generated, LogLikelihood
from harness.errors import NoEvidenceError, ScorerError, Span
from harness.scoring import SCORERS, Score, Scorer, score
from harness.suites.suite import Probe

PARAMETERS = {"check": {"max_words": 5}, "json_schema": {"json_schema": {"type": "object"}}}
ANSWERS = {"number": ("4",), "json": ("[4]",), "check": (), "json_schema": ()}
GENERATED = [name for name, kind in SCORERS.items() if kind.judges == "generate" and not kind.runs_code]


def probe(name: str, **more: object) -> Probe:
    kind = SCORERS[name].model_validate(PARAMETERS.get(name, {}))
    return Probe("p", kind, answers=ANSWERS.get(name, ("four",)), **more)


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\x00"])
def test_a_blank_answer_is_always_wrong(name, text):
    assert score(probe(name), Generated(text, 1)) == Score(False, text)


def test_a_blank_answer_is_wrong_though_its_form_holds():
    assert SCORERS["check"].model_validate({"max_words": 5}).right("", [])
    assert not score(probe("check"), Generated("", 1)).right


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("contains", "fourteen"), ("mentions", "It is four."), ("equals", "Four."), ("regex", "four"),
        ("number", "2 + 2 = 4"), ("json", "[4]"), ("json_schema", "{}"), ("check", "one two"),
    ],
)  # fmt: skip
def test_a_right_answer(name, text):
    assert score(probe(name), Generated(text, 3)) == Score(True, text)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(GENERATED), st.text(max_size=40) | st.text("0123456789.,-+e$[]{}\"':tru`\n ", max_size=40)
)
def test_any_text_is_right_or_wrong(name, text):
    assert score(probe(name), Generated(text, 1)).right in (True, False)


def test_choices():
    asked = probe("choice", choices=("three", "four"))
    assert score(asked, ChoiceLogProbs((-2.0, -1.0))) == Score(True, "four")
    assert score(asked, ChoiceLogProbs((-1.0, -2.0))) == Score(False, "three")


def test_likelihood_is_judged_against_the_baseline():
    asked = Probe("p", SCORERS["likelihood"](), text="ab")
    baseline = LogLikelihood(-2 * math.log(2), 1)
    assert score(asked, baseline) == Score(True, "1.000 bits per byte")
    assert score(asked, LogLikelihood(-2.1 * math.log(2), 1), baseline) == Score(True, "1.050 bits per byte")
    assert score(asked, LogLikelihood(-4 * math.log(2), 1), baseline) == Score(False, "2.000 bits per byte")


NAN = math.nan


@pytest.mark.parametrize(
    ("name", "answer", "baseline"),
    [
        ("choice", ChoiceLogProbs((NAN, -1.0)), None),
        ("choice", ChoiceLogProbs((-1.0, NAN)), None),
        ("likelihood", LogLikelihood(NAN, 1), None),
        ("likelihood", LogLikelihood(NAN, 1), LogLikelihood(-1.0, 1)),
        ("likelihood", LogLikelihood(-1.0, 1), LogLikelihood(NAN, 1)),
    ],
)
def test_nan_is_no_evidence(name, answer, baseline):
    with pytest.raises(NoEvidenceError, match="the probe 'p' has an answer whose log-probability is NaN"):
        score(probe(name, choices=("a", "b"), text="ab"), answer, baseline)


@pytest.mark.parametrize(
    ("name", "answer", "problem"),
    [
        ("choice", ChoiceLogProbs((-1.0, -math.inf)), "whose log-probability is infinite"),
        ("choice", ChoiceLogProbs((-1.0,)), "with 1 log-probabilities for 2 choices"),
        ("likelihood", LogLikelihood(-math.inf, 1), "whose log-probability is infinite"),
        ("likelihood", LogLikelihood(0.0, 0), "in which no token was measured"),
        ("likelihood", LogLikelihood(0.0, 3), "whose log-probability is 0: no model is certain of a text"),
        ("likelihood", LogLikelihood(0.5, 3), "whose log-probability is 0.5: no model is certain of a text"),
    ],
)
def test_numbers_from_which_nothing_follows(name, answer, problem):
    with pytest.raises(NoEvidenceError, match=f"^the probe 'p' has an answer {problem}$"):
        score(probe(name, choices=("a", "b"), text="ab"), answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("mentions", ChoiceLogProbs((-1.0,))),
        ("choice", Generated("a", 1)),
        ("likelihood", Generated("a", 1)),
        ("number", LogLikelihood(-1.0, 1)),
    ],
)
def test_an_answer_of_another_kind(name, answer):
    with pytest.raises(
        NoEvidenceError, match=f"'{name}', and the answer is of the kind {type(answer).__name__}"
    ):
        score(probe(name, choices=("a",), text="ab"), answer)


def test_a_score_that_judges_no_text_says_so():
    with pytest.raises(TypeError, match="the score 'choice' judges no generated text"):
        SCORERS["choice"]().right("a", ["a"])


class Broken(Scorer):
    name = "broken"

    def right(self, text, expected):
        return RETURNS[text]()


def _raise(error):
    raise error


RETURNS = {
    "value": lambda: _raise(ValueError("no vowel")),
    "bare": lambda: _raise(KeyError()),
    "skip": lambda: pytest.skip("not today"),
    "exit": lambda: _raise(SystemExit(0)),
    "input": lambda: _raise(NoEvidenceError("there is no oracle")),
    "none": lambda: None,
    "one": lambda: 1,
    "text": lambda: "True",
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("value", "it raised ValueError: no vowel (HERE)\n  the answer was 'value'"),
        ("bare", "it raised KeyError (HERE)\n  the answer was 'bare'"),
        ("skip", "it raised Skipped: not today (HERE)\n  the answer was 'skip'"),
        ("exit", "it raised SystemExit: 0 (HERE)\n  the answer was 'exit'"),
        ("input", "there is no oracle\n  the answer was 'input'"),
        ("none", "it must return True or False, returned NoneType"),
        ("one", "it must return True or False, returned int"),
        ("text", "it must return True or False, returned str"),
    ],
)
def test_a_score_that_breaks_is_an_error_and_neither_right_nor_wrong(text, said, monkeypatch):
    monkeypatch.chdir(Path(__file__).parent)
    here = f"test_score.py:{Broken.right.__code__.co_firstlineno + 1}"
    span = Span(Path("s.yaml"), 7, 5)
    with pytest.raises(ScorerError) as caught:
        score(Probe("p", Broken(), span=span), Generated(text, 1))
    assert str(caught.value) == (
        f"s.yaml:7:5: the score 'broken' cannot judge the probe 'p'\n  {said.replace('HERE', here)}"
    )


def test_an_interrupt_stays_one():
    RETURNS["stop"] = lambda: _raise(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        score(Probe("p", Broken()), Generated("stop", 1))


def test_no_code_runs_unless_it_is_allowed():
    asked = Probe("p", SCORERS["python"].model_validate({"tests": ["assert x == 1"]}))
    with pytest.raises(ScorerError) as caught:
        score(asked, Generated("x = 1", 1))
    assert str(caught.value) == (
        "the score 'python' cannot judge the probe 'p'\n  it runs code that a model wrote; allow it with allow_code=True"
    )
    assert score(asked, Generated("x = 1", 1), allow_code=True) == Score(True, "x = 1")
    assert score(asked, Generated(" ", 1), allow_code=True) == Score(False, " ")


@pytest.mark.parametrize(
    ("text", "right"),
    [("<think>no</think>yes", True), ("<think>yes</think>no", False), ("<think>yes", False)],
)
def test_reasoning_in_front_is_not_judged(text, right):
    found = score(Probe("p", SCORERS["regex"](), answers=("yes",)), Generated(text, 1))
    assert (found.right, found.shown) == (right, text)
