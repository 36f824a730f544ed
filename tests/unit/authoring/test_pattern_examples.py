"""Texts that a regular expression matches."""

from __future__ import annotations

import re
import time

import pytest

from harness.authoring.pattern_examples import MOST, examples


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"\bParis\b", "Paris"),
        (r"(?i)\b(blue|azure)\b", "blue"),
        (r"(?is)\A(?:(?!\b(?:turtle|man)\b).)*\btrains?\b", "trains"),
        (r"(?<![\w:])0?8:30(?![\w:])", "8:30"),
        (r"(?<![\w:])23:00(?!:?\d)", "23:00"),
        (r"^\s*[Ww]ait!\s*$", "Wait!"),
        (r"^\s*\[door\]\s*$", "[door]"),
        (r"(?i)^\W*hand[-‐‑]made\W*$", "hand-made"),
        (r"New\ York", "New York"),
        (r"3\.14", "3.14"),
        (r"\$ ?5\.50\b", "$5.50"),
        ("2024-01-01", "2024-01-01"),
    ],
)
def test_the_first_that_matches(pattern, found):
    assert next(text for text in examples(pattern) if re.search(pattern, text)) == found


def test_none_of_what_has_no_simple_example():
    assert not any(re.search(r"(\d\d)\1{3}x{7}", text) for text in examples(r"(\d\d)\1{3}x{7}"))


@pytest.mark.parametrize("piece", ["(", "(?=", "[", "\\", "a|", "(?:", "x?", "(?!a", "[^", "(?P<", ".*"])
def test_a_hostile_pattern_takes_a_moment(piece):
    start = time.process_time()
    assert len(list(examples(piece * 100_000))) <= MOST
    assert time.process_time() - start < 2
