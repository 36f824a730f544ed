"""What a baseline must have shown before a gate may say that it was retained."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from harness.engine.requests import Ended, Generated, LogLikelihood, Reasoning
from harness.gate.compare import Pair
from harness.gate.evidence import (
    chance,
    chance_of_guessing,
    cut,
    no_better_than_guessing,
    nothing_known,
)
from harness.scoring import SCORERS, Score
from harness.suites.suite import Probe

CHOICES = ("a", "b", "c", "d")


Asked = list[tuple[Probe, Score]]


def choosing(
    right: int, n: int, answers: tuple[str, ...] = ("a",), choices: tuple[str, ...] = CHOICES
) -> Asked:
    probe = Probe("p", SCORERS["choice"](), answers=answers, choices=choices)
    return [(probe, Score(i < right, "")) for i in range(n)]


def writing(right: int, n: int) -> Asked:
    return [(Probe("p", SCORERS["mentions"]()), Score(i < right, "")) for i in range(n)]


def measured(bits: float, vocabulary: int | None, text: str = "abcd", tokens: int = 2) -> Asked:
    answer = LogLikelihood(-bits * math.log(2), tokens, vocabulary)
    return [(Probe("p", SCORERS["likelihood"](), text=text), Score(True, "", answer))]


@pytest.mark.parametrize(
    ("right", "n", "known"), [(0, 20, False), (1, 20, True), (20, 20, True), (0, 1, False)]
)
def test_written_answers_are_known_once_one_is_right(right, n, known):
    assert (nothing_known(writing(right, n)) is None) is known


@pytest.mark.parametrize(("n", "choices"), [(1, 4), (12, 4), (40, 4), (40, 2), (200, 5)])
def test_choices_are_held_against_the_exact_binomial(n, choices):
    enough = int(binom.isf(0.05, n, 1 / choices)) + 1  # the fewest right with P(X >= right) <= 0.05
    names = tuple("abcde"[:choices])
    if enough <= n:
        assert nothing_known(choosing(enough, n, choices=names)) is None
    said = nothing_known(choosing(enough - 1, n, choices=names))
    assert said is not None
    assert f"guessing is right on {n / choices:.1f} on average" in said or enough == 1


def test_the_chance_of_guessing_is_exact_where_chances_differ():
    assert chance_of_guessing(2, [0.5, 0.25, 0.1]) == pytest.approx(
        0.5 * 0.25 * 0.9 + 0.5 * 0.75 * 0.1 + 0.5 * 0.25 * 0.1 + 0.5 * 0.25 * 0.1
    )
    assert chance_of_guessing(3, [0.3] * 9) == pytest.approx(binom.sf(2, 9, 0.3))
    assert chance_of_guessing(0, [0.3] * 9) == pytest.approx(1)


def test_a_probe_with_two_right_choices_is_guessed_twice_as_often():
    assert chance(choosing(1, 1)[0][0]) == 0.25
    assert chance(choosing(1, 1, answers=("a", "b"))[0][0]) == 0.5
    assert chance(writing(1, 1)[0][0]) == 0


@pytest.mark.parametrize(
    ("bits", "vocabulary", "known"),
    [
        (16.0, 256, False),  # as the uniform model: 2 tokens of 8 bits
        (30.0, 256, False),  # random weights are worse
        (12.9, 256, False),
        (12.7, 256, True),  # 1.25 times better
        (32.0, None, False),  # of an unknown vocabulary: 8 bits a byte, 4 bytes
        (25.0, None, True),
    ],
)
def test_likelihoods_are_held_against_the_uniform_model(bits, vocabulary, known):
    assert (nothing_known(measured(bits, vocabulary)) is None) is known


def answered(ended: Ended | None, reasoning: Reasoning | None = None) -> Score:
    return Score(False, "", Generated("", 0, ended, reasoning))


THINKING = Reasoning("<think>Is it", 5, closed=False)
THOUGHT = Reasoning("<think>It is</think>", 5)


@pytest.mark.parametrize(
    ("score", "is_cut", "in_reasoning"),
    [
        (answered("limit"), True, False),
        (answered("limit", THOUGHT), True, False),
        (answered("limit", THINKING), True, True),
        (answered(None, THINKING), True, True),
        (answered("turn", THINKING), False, False),  # the model ended it
        (answered("turn", THOUGHT), False, False),
        (answered(None), False, False),
    ],
)
def test_reasoning_without_an_end_is_an_answer_that_was_cut(score, is_cut, in_reasoning):
    probe = Probe("p", SCORERS["mentions"]())
    found = cut([Pair(probe, score, answered("turn")), Pair(probe, answered("turn"), score)])
    assert (found.baseline, found.tuned) == (int(is_cut), int(is_cut))
    assert (found.thinking_baseline, found.thinking_tuned) == (int(in_reasoning), int(in_reasoning))
    assert ("thinking: {max_tokens: …}" in found.remedy) == in_reasoning
    assert ("enable_thinking: false" in found.remedy) == in_reasoning


@given(st.lists(st.sampled_from([0.0, 0.2, 0.25, 1 / 3, 0.5, 1.0]), max_size=12), st.integers(0, 13))
def test_guesses_are_counted_exactly(chances, right):
    outcomes = product([False, True], repeat=len(chances))
    exact = sum(
        math.prod(p if hit else 1 - p for hit, p in zip(outcome, chances, strict=True))
        for outcome in outcomes
        if sum(outcome) >= right
    )
    assert chance_of_guessing(right, chances) == pytest.approx(exact, abs=1e-12)


def test_many_guesses_are_no_matter():
    assert chance_of_guessing(25_000, [0.25] * 100_000) == pytest.approx(0.5, abs=0.01)


def among(right: int, n: int, options: int = 3) -> list[tuple[Probe, Score]]:
    scorer = SCORERS["mentions"].model_validate({"among": [f"o{i}" for i in range(options)]})
    return [(Probe("p", scorer, answers=("o0",)), Score(i < right, "")) for i in range(n)]


@pytest.mark.parametrize(
    ("asked", "guesses"),
    [
        (among(0, 30), True), (among(10, 30), True), (among(14, 30), True), (among(20, 30), False),
        (among(3, 30, 30), True), (among(6, 30, 30), False),
    ],
)  # fmt: skip
def test_of_options_that_a_question_lists_a_guess_is_one(asked, guesses):
    assert (no_better_than_guessing(asked) is not None) is guesses
    assert (nothing_known(asked) is not None) is not any(score.right for _, score in asked)


def test_an_open_question_is_not_guessed():
    scorer = SCORERS["mentions"]()
    asked = [(Probe("p", scorer, answers=("x",)), Score(i < 1, "")) for i in range(40)]
    assert no_better_than_guessing(asked) is None
