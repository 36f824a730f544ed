"""Whatever a model writes, a score says right or wrong of it, for both readers alike, or that a pattern of the suite has no end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engine.requests import Generated
from harness.errors import ScorerError
from harness.normalise.figures import enumerated, figures, only_figure
from harness.scoring import SCORERS, score
from harness.scoring.python import code_of
from harness.suites.suite import Probe
from tests.fuzz.inputs import NASTY, often

SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "number", "multipleOf": 0.01}}}
SCORES: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("contains", {}, ("four", "4")),
    ("mentions", {}, ("four", "東京")),
    ("equals", {}, ("four", "“4”")),
    ("regex", {}, (r"^(\w+\s?)+$", r"\b4\b")),
    ("number", {"tolerance": 0.01}, ("4",)),
    ("json", {}, ('{"a": [4, null]}',)),
    ("refusal", {}, ()),
    ("json_schema", {"json_schema": SCHEMA}, ()),
    ("check", {"min_words": 2, "titlecase_words": 1, "no_repetition": True, "json_keys": ["a"]}, ()),
]
PIECES = st.sampled_from([
    *NASTY, "4", "four", "4.0", "-4", "1,000", "1e5", "½", "٤", "{", "}", '{"a": ', "[", "]", '"', ", ", "\n", "```", "```json\n",
    "```\n", "~~~", ">>> ", "def four():\n    return 4\n", "class A:\n    def four(self): return 4\n", "    ", "import os\n", "<think>", "</think>", "**", "|", "I can't help, ", "but ", "1.", "- ", "a b ", "A. ", "\\boxed{4}", "$4$", "1/0", "1e400", "NaN", "Infinity",
])  # fmt: skip
ANSWERS = st.builds(
    "".join, st.lists(PIECES | st.text(max_size=5) | st.builds(lambda piece, n: piece * n, PIECES, st.sampled_from([2, 50, 500])), max_size=8)
)  # fmt: skip

FIGURES = st.sampled_from([
    "9" * 400, "1", "0", "1,000", "1 000", "1/2", "0^-2", "10^-300", "1e999", "e999", "E+308", " x 10^", "-", "minus ", "nineteen ", "million ",
    "one", "and ", "half ", "%", " per cent", "k", " ", "(", ")", ",", ".", "'", "^", "/", ":", "٤", "½", "²", "$", "= ", "inf", "nan",
    ",-2", "eleven ", "and a half ", "thirds ", " to ", "M", "\ud83d",
])  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "expected"), SCORES)
@often
@given(text=ANSWERS)
def test_a_score_judges_any_answer(
    name: str, parameters: dict[str, Any], expected: tuple[str, ...], text: str
) -> None:
    probe = Probe("p", SCORERS[name].model_validate(parameters), answers=expected)
    try:
        first = score(probe, Generated(text, 1))
    except ScorerError as error:
        if name != "regex" or "does not finish" not in str(error):
            raise
        return
    assert first.right in (True, False)
    assert score(probe, Generated(text, 1)) == first


@often
@given(
    st.builds("".join, st.lists(FIGURES | st.builds(lambda piece, n: piece * n, FIGURES, st.sampled_from([2, 400])), max_size=8)),
    st.sampled_from(["en", "de", "fr", "ja", "xx"]),
)  # fmt: skip
def test_the_numbers_of_any_text_are_found(text: str, language: str) -> None:
    found = figures(text, language)
    assert all(0 <= figure.start < figure.end <= len(text) for figure in found)
    only_figure(text, language)
    enumerated(text, found)


@often
@given(ANSWERS)
def test_code_is_found_in_any_answer(text: str) -> None:
    assert isinstance(code_of(text, ["four"]), str)
