"""choice and likelihood: scores of log-probabilities."""

from __future__ import annotations

import math

import pytest

from harness.scoring.choice import Choice, Likelihood, bits_per_byte


@pytest.mark.parametrize(
    ("logprobs", "chosen"),
    [((-1.0, -2.0), 0), ((-3.0, -2.0), 1), ((-2.0, -2.0), 0), ((-math.inf, -900.0), 1)],
)
def test_the_likeliest_choice_and_the_first_of_equals(logprobs, chosen):
    assert Choice().chosen(("yes", "no"), logprobs) == chosen


def test_per_byte_favours_no_short_choice():
    choices, logprobs = ("no", "certainly not"), (-3.0, -6.0)
    assert Choice().chosen(choices, logprobs) == 0
    assert Choice(per_byte=True).chosen(choices, logprobs) == 1


def test_bytes_not_characters():
    assert Choice(per_byte=True).chosen(("abc", "éü"), (-3.3, -4.0)) == 1


def test_characters_not_bytes():
    assert Choice(per_character=True).chosen(("abc", "éü"), (-3.3, -2.1)) == 1
    assert Choice(per_character=True).chosen(("abc", "éü"), (-3.3, -2.3)) == 0
    with pytest.raises(ValueError, match="'per_byte' and 'per_character' exclude each other"):
        Choice(per_byte=True, per_character=True)


def test_a_logprob_too_few():
    with pytest.raises(ValueError):
        Choice().chosen(("a", "b"), (-1.0,))


def test_bits_per_byte():
    assert bits_per_byte(-2 * math.log(2), "ab") == pytest.approx(1.0)
    assert bits_per_byte(-2 * math.log(2), "é") == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("tuned", "kept"), [(1.0, True), (0.5, True), (1.05, True), (1.0501, False), (9.0, False)]
)
def test_a_text_is_kept_within_max_rise(tuned, kept):
    assert Likelihood().kept(tuned, 1.0) is kept


def test_max_rise_is_a_parameter():
    assert Likelihood(max_rise=1.0).kept(2.0, 1.0)
    assert not Likelihood(max_rise=0.0).kept(1.001, 1.0)
