"""Answers of 60 KB that were written to take for ever: judged by every score, in a process that is given minutes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from harness.engine.requests import Generated
from harness.errors import ScorerError
from harness.scoring import SCORERS
from harness.scoring.score import score
from harness.suites.suite import Probe

N = 60_000
ANSWERS = {
    "brackets": "[" * N,
    "objects": '{"a":' * (N // 5),
    "lists": "[1," * (N // 3),
    "an open text": "[" * 900 + '"' + "x" * N,
    "open texts": '["' * (N // 2),
    "names": "[n" * (N // 2),
    "deep groups": ("[" * 900 + "x") * (N // 901),
    "a fence and lines": "```\n" + "\n" * N,
    "a fence and spaces": "```" + " " * N,
    "fences": "```\n" * (N // 4),
    "a fence and a tick": "```" + " " * N + "`",
    "waves and a tick": "~" * N + "`",
    "ticks": "`" * N,
    "a digit and a comma": "1," * (N // 2),
    "thousands": "1" + ",111" * (N // 4),
    "an ordinal": "1" + ",111" * (N // 4) + "th",
    "ordinals": "1th " * (N // 4),
    "digits": "9" * N,
    "refusals": "if I can't really, and will not, talk, " * (N // 40),
    "signs": "-$" * (N // 2),
    "exponents": "1e" * (N // 2),
    "points": "1.1." * (N // 4),
    "spaces": " " * N + "x",
    "lines": "\n" * N + "x",
    "items": "- " * (N // 2),
    "questions of its own": "x\nQ: a\n" * (N // 7),
    "an item": "-" + " " * N,
    "words": "a b c d " * (N // 8),
    "letters": "a" * N,
    "dashes": "- - " * (N // 4),
    "marks": "a" + "\u0301\u0327" * (N // 2),
    "a ligature": "\ufdfa" * N,
    "dollars": "$" * N,
    "open formulas": "\\(" * (N // 2),
    "formulas": "$x_1$ " * (N // 6),
    "boxes": "\\boxed{" * (N // 7),
    "fractions": "\\frac{1}" * (N // 8),
    "stars": "**a" * (N // 3),
    "underscores": "_a" * (N // 2),
    "links": "[a](" * (N // 4),
    "table rows": "|a|\n|-|\n" * (N // 8),
    "dashes in a row": "-" * N,
    "quotes": ">" * N,
    "thoughts": "<think>" * (N // 7),
    "ends of thoughts": "</think>" * (N // 8),
    "tags": "<span " * (N // 6),
    "entities": "&amp" * (N // 4),
    "numbers in words": "twenty one " * (N // 11),
    "answers": "answer " * (N // 7),
    "answers that are": "answer is " * (N // 10),
    "denials": "not a " * (N // 6),
    "denied quotes": "isn't " + "'-" * (N // 2),
    "reasons": "1, because " * (N // 11),
    "brackets around": "(1" * (N // 2),
    "hundreds": "123 " * (N // 4),
    "slashes": "1/" * (N // 2),
    "colons": "1:" * (N // 2),
    "carets": "1^" * (N // 2),
    "minus signs": "\u2212 " * (N // 2),
    "superscripts": "1\u00b2" * (N // 2),
    "ideographs": "日本" * (N // 2),
    "comparisons": "1, more than " * (N // 13),
    "sentences": "1. " * (N // 3),
    "questions": "1\nWhat is 2?\n" * (N // 14),
    "labels": "1. Q: 2 " * (N // 8),
    "ranges": "between 1 and 2 to 3 " * (N // 21),
    "parts": "one third and a half " * (N // 21),
}
RULE = {
    "min_words": 1,
    "max_lines": 9,
    "min_items": 1,
    "titlecase_words": 1,
    "no_repetition": True,
    "json_keys": ["a"],
}
SCORES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("contains", {}, ["- " * 20_000 + "b", "a" * 20_000 + "b"]),
    ("mentions", {}, ["- " * 20_000 + "b", "a " * 20_000 + "b", "a" * 20_000]),
    ("equals", {}, ["a" * 20_000]),
    ("number", {}, ["4"]),
    ("json", {}, ['{"a": 1}']),
    ("refusal", {}, []),
    ("refusal", {"expected": False}, ["a"]),
    ("json_schema", {"json_schema": {"uniqueItems": True, "multipleOf": 0.01}}, []),
    *(("check", {key: value}, []) for key, value in RULE.items()),
]  # fmt: skip
JUDGE = """
import json, sys
from harness.scoring import SCORERS
answers, scores = json.load(sys.stdin)
for name, parameters, expected in scores:
    scorer = SCORERS[name].model_validate(parameters)
    for kind, text in answers.items():
        print(name, list(parameters)[:1], kind, flush=True)
        assert scorer.right(text, expected) in (True, False)
"""


def test_no_answer_takes_for_ever():
    done = subprocess.run(
        [sys.executable, "-c", JUDGE], input=json.dumps([ANSWERS, SCORES]),
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)
    assert len(done.stdout.splitlines()) == len(ANSWERS) * len(SCORES)


@pytest.mark.parametrize(
    ("name", "parameters", "expected", "text", "what"),
    [
        ("regex", {}, [r"^(\w+\s?)+$"], "word " * 20 + "!", "the regular expression '^(\\\\w+\\\\s?)+$'"),
        ("check", {"regex": "(x+x+)+y"}, [], "x" * 60, "the regular expression '(x+x+)+y'"),
        ("json_schema", {"json_schema": {"pattern": "^(a+)+$"}}, [], f'"{"a" * 60}!"', "the json_schema"),
        (
            "json_schema", {"json_schema": {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}}, [],
            json.dumps({"a" * 60 + "!": 1}), "the json_schema",
        ),
    ],
)  # fmt: skip
def test_a_pattern_without_an_end_is_an_error_and_no_judgement(name, parameters, expected, text, what):
    probe = Probe("p", SCORERS[name].model_validate(parameters), answers=tuple(expected))
    with pytest.raises(ScorerError) as caught:
        score(probe, Generated(text, 1))
    first, second, third, fourth = str(caught.value).splitlines()
    assert first == f"the score '{name}' cannot judge the probe 'p'"
    assert second == (
        f"  {what} does not finish: it was stopped after 1 s of processor time, on {len(text)} characters"
    )
    assert "without a repeat inside a repeat, as in (a+)+" in third
    assert fourth.startswith("  the answer was ")
    assert score(probe, Generated("...", 1)).right is False
