"""A probe and an answer, judged; and no answer that is empty, of another kind or NaN."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.engine.requests import Chosen, Generated, Measured
from harness.errors import NoEvidenceError
from harness.scoring import SCORERS, Score, score, scorer
from harness.suites.scorer import Scorer
from harness.suites.suite import Probe

PARAMETERS = {"check": {"max_words": 5}, "json_schema": {"json_schema": {"type": "object"}}}
ANSWERS = {"number": ("4",), "json": ("[4]",), "check": (), "json_schema": ()}
GENERATED = [name for name, kind in SCORERS.items() if kind.judges == "generate"]


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
    assert score(asked, Chosen((-2.0, -1.0))) == Score(True, "four")
    assert score(asked, Chosen((-1.0, -2.0))) == Score(False, "three")


def test_likelihood_is_judged_against_the_baseline():
    asked = Probe("p", SCORERS["likelihood"](), text="ab")
    baseline = Measured(-2 * math.log(2), 1)
    assert score(asked, baseline) == Score(True, "1.000 bits per byte")
    assert score(asked, Measured(-2.1 * math.log(2), 1), baseline) == Score(True, "1.050 bits per byte")
    assert score(asked, Measured(-4 * math.log(2), 1), baseline) == Score(False, "2.000 bits per byte")


NAN = math.nan


@pytest.mark.parametrize(
    ("name", "answer", "baseline"),
    [
        ("choice", Chosen((NAN, -1.0)), None),
        ("choice", Chosen((-1.0, NAN)), None),
        ("likelihood", Measured(NAN, 1), None),
        ("likelihood", Measured(NAN, 1), Measured(-1.0, 1)),
        ("likelihood", Measured(-1.0, 1), Measured(NAN, 1)),
    ],
)
def test_nan_is_no_evidence(name, answer, baseline):
    with pytest.raises(NoEvidenceError, match="the probe 'p' has an answer whose log-probability is NaN"):
        score(probe(name, choices=("a", "b"), text="ab"), answer, baseline)


@pytest.mark.parametrize(
    ("name", "answer", "problem"),
    [
        ("choice", Chosen((-1.0, -math.inf)), "whose log-probability is infinite"),
        ("choice", Chosen((-1.0,)), "with 1 log-probabilities for 2 choices"),
        ("likelihood", Measured(-math.inf, 1), "whose log-probability is infinite"),
        ("likelihood", Measured(0.0, 0), "in which no token was measured"),
    ],
)
def test_numbers_from_which_nothing_follows(name, answer, problem):
    with pytest.raises(NoEvidenceError, match=f"^the probe 'p' has an answer {problem}$"):
        score(probe(name, choices=("a", "b"), text="ab"), answer)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("mentions", Chosen((-1.0,))),
        ("choice", Generated("a", 1)),
        ("likelihood", Generated("a", 1)),
        ("number", Measured(-1.0, 1)),
    ],
)
def test_an_answer_of_another_kind(name, answer):
    with pytest.raises(
        NoEvidenceError, match=f"'{name}', and the answer is of the kind {type(answer).__name__}"
    ):
        score(probe(name, choices=("a",), text="ab"), answer)


def test_a_score_has_one_name():
    with pytest.raises(ValueError, match="there is a score 'mentions' already: Mentions"):
        scorer("mentions")(Scorer)


def test_a_score_that_judges_no_text_says_so():
    with pytest.raises(TypeError, match="the score 'choice' judges no generated text"):
        SCORERS["choice"]().right("a", ["a"])
