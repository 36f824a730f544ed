"""Why an answer is wrong: the rule, the path, the number or the test that decided it, in a few words."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from harness.engine.requests import ChoiceLogProbs, Generated
from harness.scoring import Score, Scorer, load_scorers, python
from harness.scoring.why import MOST_CHARACTERS, why_wrong
from harness.suites.suite import Probe

PRICE = {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]}
NESTED = {"properties": {"a": {"properties": {"b/c": {"items": {"maxLength": 3}}}}}}
ADD = "```python\ndef add(a, b):\n    return a - b\n```"


def why(name, text, answers=(), written=None):
    kind = load_scorers()[name]
    scorer = kind.model_validate(kind.parameters(written))
    assert not scorer.right(text, answers)
    return why_wrong(
        Probe(id="p", scorer=scorer, answers=tuple(answers)), Score(False, text, Generated(text, 3))
    )


@pytest.mark.parametrize(
    ("rule", "text", "said"),
    [
        ({"max_words": 2}, "one two three", "max_words: 2: has 3"),
        ({"min_words": 2}, "one", "min_words: 2: has 1"),
        ({"min_lines": 2}, "one", "min_lines: 2: has 1"),
        ({"max_lines": 1}, "one\ntwo", "max_lines: 1: has 2"),
        ({"min_items": 1}, "one", "min_items: 1: has 0"),
        ({"max_items": 1}, "- one\n- two", "max_items: 1: has 2"),
        ({"starts_with": "x"}, "one", "starts_with: 'x': begins with \"one\""),
        ({"ends_with": ["x", "y"]}, "one", "ends_with: 'x', 'y': ends with \"one\""),
        ({"contains": "x"}, "one", "contains: 'x': not found"),
        ({"mentions": "on"}, "one", "mentions: 'on': not found"),
        ({"regex": "^x"}, "one", "regex: ^x: not found"),
        ({"titlecase_words": 2}, "One", "titlecase_words: 2: has 1"),
        ({"json_keys": ["a", "b"]}, '{"a": 1}', "json_keys: 'a', 'b': lacks 'b'"),
        ({"json_keys": "a"}, "one", "json_keys: 'a': there is no JSON object"),
        ({"no_repetition": True}, "a b c d " * 4, "no_repetition: it repeats itself"),
        ({"lowercase": True}, "One", "lowercase: it has a capital letter, or none at all"),
        ({"uppercase": True}, "One", "uppercase: it has a small letter, or none at all"),
        ({"refusal": False}, "I cannot help with that.", "refusal: false: it declines"),
        ({"refusal": True}, "Sure, it is blue.", "refusal: true: it answers"),
        ({"not": {"contains": "one"}}, "one", 'not: {"contains": ["one"]} holds'),
        ({"all": [{"contains": "one"}, {"max_words": 1}]}, "one two", "all: rule 2: max_words: 1: has 2"),
        (
            {"any": [{"min_words": 3}, {"contains": "x"}]},
            "one",
            "any: none of 2: min_words: 3: has 1 | contains: 'x': not found",
        ),
        (
            {"max_words": 1, "contains": "x"},
            "one two",
            "max_words: 1: has 2; contains: 'x': not found",
        ),
    ],
)
def test_the_checks_that_do_not_hold(rule, text, said):
    assert why("check", text, written=rule) == said


@pytest.mark.parametrize(
    ("schema", "text", "said"),
    [
        (PRICE, '{"price": "abc"}', "/price: 'abc' is not of type 'number'"),
        (PRICE, "{}", "the whole: 'price' is a required property"),
        (PRICE, "abc", "there is no JSON in it"),
        (NESTED, '{"a": {"b/c": ["long"]}}', "/a/b~1c/0: 'long' is too long"),
    ],
)
def test_the_path_that_does_not_fit_a_schema(schema, text, said):
    assert why("json_schema", text, written=schema) == said


@pytest.mark.parametrize(
    ("wanted", "text", "said"),
    [
        ('{"a": [1, 3]}', '{"a": [1, 2]}', "/a/1: is 2, expected 3"),
        ('{"a": 1}', '{"b": 1}', 'the whole: lacks "a"'),
        ('{"a": 1}', '{"a": 1, "b": 2}', 'the whole: "b" is not expected'),
        ("[1]", "[1, 2]", "the whole: has 2 items, expected 1"),
        ('{"a": true}', '{"a": 1}', "/a: is 1, expected true"),
    ],
)
def test_the_path_of_json_that_differs(wanted, text, said):
    assert why("json", text, [wanted]) == said


@pytest.mark.parametrize(
    ("final", "text", "said"),
    [
        ("auto", "I see 3 and 5, so 8 it is", "took 8 of the numbers 3, 5, 8"),
        ("auto", "8", "took 8"),
        ("auto", "none", "it has no number"),
        ("auto", "5 or 6", "it leaves open which of the numbers 5, 6"),
        ("boxed", "8", "final: boxed: there is no such number"),
    ],
)
def test_the_numbers_that_were_read(final, text, said):
    assert why("number", text, ["9"], {"final": final}) == said


@pytest.mark.parametrize(
    ("name", "parameters", "text", "said"),
    [
        (
            "mentions",
            {"final": "auto"},
            "The answer is Rome. Not that.",
            'taken as the final answer: "Rome."',
        ),
        ("equals", {"final": "after_answer"}, "The answer is 5 cats", 'taken as the final answer: "5 cats"'),
        ("equals", {"final": "boxed"}, "Rome", "final: boxed: there is no such part"),
        ("contains", {"max_words": 1}, "Rome it is", "max_words: 1: has 3"),
        ("mentions", {}, "It is not Paris", "it mentions a right answer, and denies it"),
        ("mentions", {"among": ["Paris", "Rome"]}, "Rome", 'it settles on "Rome"'),
        ("mentions", {"among": ["Paris", "Rome"]}, "Oslo", "it settles on none of the options"),
        ("contains", {}, "Rome", None),
        ("regex", {}, "Rome", None),
    ],
)
def test_what_was_taken_as_the_answer(name, parameters, text, said):
    assert why(name, text, ["Paris"], parameters) == said


def test_a_refusal():
    assert why("refusal", "Sure, it is blue.") == "it answers"
    assert why("refusal", "I cannot help with that.", written={"expected": False}) == "it declines"
    assert why("refusal", "Blue.", ["red"], {"expected": False}) == "it answers, and mentions no right answer"


CONFINED = pytest.mark.skipif(python.refusal() is not None, reason="no code is confined here")
TESTS = ["assert add(1, 0) == 1", "assert add(1, 2) == 3", "assert add(2, 2) == 4"]


@CONFINED
@pytest.mark.parametrize(
    ("text", "timeout", "said"),
    [
        (ADD, 60, "test 2 does not hold: assert add(1, 2) == 3"),
        ("```python\ndef add(a, b) return\n```", 60, "its code does not run"),
        (
            "```python\ndef add(a, b):\n    while b: pass\n    return a\n```",
            1,
            "test 2 does not hold within 1 s: ",
        ),
    ],
)
def test_the_test_that_does_not_hold(text, timeout, said):
    assert why("python", text, written={"tests": TESTS, "timeout": timeout}).startswith(said)


@CONFINED
def test_python_may_take_its_time_to_start(monkeypatch):
    started, start = [], python._start
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 100 * len(started))
    monkeypatch.setattr(python, "time", clock)
    monkeypatch.setattr(python, "_start", lambda folder: (started.append(folder), start(folder))[1])
    said = why("python", ADD, written={"tests": TESTS, "timeout": 59})
    assert said == "test 2 does not hold: assert add(1, 2) == 3"


@pytest.mark.parametrize(
    ("text", "said"), [(" \u200b\n", "it says nothing"), ("<think>Hm", "its reasoning does not end")]
)
def test_an_answer_that_says_nothing(text, said):
    assert why_wrong(probe(Silent()), Score(False, text, Generated(text, 3))) == said


class Silent(Scorer):
    """A score that cannot tell."""

    def right(self, text, expected):
        return False


class Says(Silent):
    """One that says something."""

    said: str

    def why(self, text, expected):
        return self.said


class Breaks(Silent):
    """One that breaks."""

    def why(self, text, expected):
        raise ZeroDivisionError


class Panics(Silent):
    """One that breaks as a compiled library does."""

    def why(self, text, expected):
        raise BaseException


def probe(scorer):
    return Probe(id="p", scorer=scorer)


@pytest.mark.parametrize("scorer", [Silent(), Breaks(), Panics(), Says(said="")])
def test_a_score_that_cannot_tell(scorer):
    assert why_wrong(probe(scorer), Score(False, "x", Generated("x", 1))) is None


def test_right_answers_and_choices_need_no_reason():
    score = Says(said="because")
    assert why_wrong(probe(score), Score(True, "x", Generated("x", 1))) is None
    assert why_wrong(probe(score), Score(False, "x", ChoiceLogProbs((-1.0,)))) is None
    assert why_wrong(probe(score), Score(False, "x")) is None


def test_hostile_answers_are_escaped_and_shortened():
    said = why_wrong(probe(Says(said="\x1b[31m\n" * 10_000)), Score(False, "x", Generated("x", 1)))
    assert len(said) == MOST_CHARACTERS
    assert said.startswith("\\u001b[31m\\n")
    deep = '{"a": ' * 99 + "1" + "}" * 99
    assert why("json", deep, [deep.replace("1", "2")]).endswith("/a: is 1, expected 2")
    assert len(why("json_schema", f'{{"price": "{"x" * 100_000}"}}', written=PRICE)) < MOST_CHARACTERS
