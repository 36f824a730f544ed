"""A probe's other words: texts for the only field of the prompt, or mappings of several."""

from __future__ import annotations

import pytest

from tests.support.suites import suite_with

TWO = "{prompt: '{who} {what}'}"


def one(also: str) -> str:
    return suite_with(f"{{id: a, question: Why?, answer: b, also_ask: {also}}}")


def two(also: str) -> str:
    return suite_with(f"{{id: a, who: I, what: see, answer: b, also_ask: {also}}}", task=TWO)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (suite_with(), ()),
        (one("[What for?]"), ({"question": "What for?"},)),
        (one("[What for?, {question: How so?}]"), ({"question": "What for?"}, {"question": "How so?"})),
        (one("[12, true]"), ({"question": "12"}, {"question": "true"})),
        (two("[{what: hear}]"), ({"who": "I", "what": "hear"},)),
        (
            two("[{who: You, what: hear}, {who: You}]"),
            ({"who": "You", "what": "hear"}, {"who": "You", "what": "see"}),
        ),
    ],
)
def test_the_same_in_other_words(read, text, expected):
    assert read(text).probes[0].also_ask == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (one("[Why?]"), "6:51: 'also_ask' repeats the probe itself\n  ask the same in other words"),
        (
            one("[{question: Why?}]"),
            "6:51: 'also_ask' repeats the probe itself\n  ask the same in other words",
        ),
        (
            two("[So?]"),
            "6:54: the prompt has 2 fields\n  write a mapping: {who: …, what: …}",
        ),
        (
            two("[{wath: hear}]"),
            "6:55: the prompt does not use 'wath'\n  did you mean 'what'?",
        ),
        (two("[{zzz: hear}]"), "6:55: the prompt does not use 'zzz'"),
        (two("[{what: see}]"), "6:54: 'also_ask' repeats the probe itself\n  ask the same in other words"),
        (one("[]"), "6:50: 'also_ask' must be a non-empty list, saw an empty list"),
        (
            one("What for?"),
            "6:50: 'also_ask' must be a list, saw text 'What for?'\n"
            '  write: - {id: a, question: Why?, answer: b, also_ask: ["What for?"]}',
        ),
    ],
)
def test_wrong_words(problems, text, message):
    assert problems(text) == message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("['']", "6:51: 'also_ask' must be non-empty text, saw empty text"),
        ("[{question: ''}]", "6:62: 'question' must be non-empty text, saw empty text"),
        ("[null]", "6:51: 'also_ask' must be text or a mapping, saw nothing"),
        ("[[So?]]", "6:51: 'also_ask' must be text or a mapping, saw a list"),
        ("[{question: [So?]}]", "6:62: 'question' must be text, saw a list"),
        ("[{question: null}]", "6:62: 'question' must be text, saw nothing"),
        ("[{}]", "6:51: 'also_ask' repeats the probe itself\n  ask the same in other words"),
    ],
)
def test_words_that_are_no_text(problems, words, message):
    assert problems(one(words)) == message


def test_a_prompt_without_fields_has_no_other_words(problems):
    text = suite_with("{id: a, answer: b, also_ask: [Hi]}", task="{prompt: Hello}")
    assert problems(text) == "6:24: 'also_ask' has no meaning: the prompt has no fields"
    text = suite_with(
        "{id: a, text: Hello, also_ask: [Hi]}",
        gates="[{over: all, max_rise: 0.02}]",
        task="{answer: likelihood, format: text}",
        score=None,
    )
    assert problems(text) == "5:26: 'also_ask' has no meaning: the prompt has no fields"


def test_a_generated_probe_has_other_words_too(read):
    text = """\
suite: s
score: number
gates: [{over: each}]
generators:
  - count: 1
    draw: {a: {choice: [4]}}
    probe: {question: "{a} + 1?", answer: "{a + 1}", also_ask: ["1 + {a}?", {question: "What is {a} + 1?"}]}
"""
    assert read(text).probes[0].also_ask == ({"question": "1 + 4?"}, {"question": "What is 4 + 1?"})
