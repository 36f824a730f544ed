"""Every error of the suite reader about scores, kinds of answers and YAML, with its exact text and place."""

from __future__ import annotations

import pytest

from tests.support.suites import suite_with

RULES = (
    "a rule needs a check, such as 'min_words'; there are: min_words, max_words, min_lines, max_lines, "
    "min_items, max_items, starts_with, ends_with, contains, mentions, regex, titlecase_words, json_keys, "
    "no_repetition, lowercase, uppercase, refusal, all, any, not"
)


SHAPE = "a score must be a name, or a mapping of one name to its parameters"


LIKELY = "[{over: all, max_rise: 0.02}]"


def form(score: str) -> str:
    """A suite under a score whose probes have no answer."""
    return suite_with("{id: a, question: Why?}", score=score)


def choose(probe: str, **parts: str) -> str:
    return suite_with(probe, **{"task": "{answer: choose}", "score": "choice", **parts})


SCORES = [
    (suite_with(score="mention"), "4:1: unknown score 'mention'\n  did you mean 'mentions'?"),
    (
        suite_with(score="vibes"),
        "4:1: unknown score 'vibes'\n  there are: all, any, check, choice, contains, equals, json, json_schema, "
        "likelihood, mentions, not, number, python, refusal, regex",
    ),
    (suite_with(score="[mentions]"), f"4:1: {SHAPE}, saw a list"),
    (
        suite_with(score="{mentions: {}, equals: {}}"),
        f"4:1: {SHAPE}, saw a mapping\n  for several write 'any: [...]' or 'all: [...]'",
    ),
    (suite_with(score="null"), f"4:1: {SHAPE}, saw nothing"),
    (
        suite_with(score=None),
        (
            "5:5: no score for the probe 'a'\n"
            "  give the suite a 'score', such as 'score: mentions', or the probe its own"
        ),
    ),
    (suite_with(score="{mentions: 5}"), "4:19: 'mentions' must be a mapping, saw 5"),
    (
        suite_with(score="choice"),
        "4:1: the score 'choice' judges 'answer: choose', but the task says 'answer: generate'",
    ),
    (
        suite_with(score="regex", probe="{id: a, question: Why?, answer: '('}"),
        "6:29: not a regular expression: missing ), unterminated subpattern at position 0",
    ),
    (
        suite_with(score="regex", probe="{id: a, question: Why?, answer: '[[a]'}"),
        "6:29: not a regular expression: Possible nested set at position 1",
    ),
    (
        suite_with(score="regex", probe="{id: a, question: Why?, answer: 'x*'}"),
        "6:29: this regular expression matches empty text, so it matches anything",
    ),
    (
        suite_with(score="equals", probe="{id: a, question: Why?, answer: '...'}"),
        "6:29: an answer under 'equals' must not be punctuation alone",
    ),
    (
        suite_with(score="{number: {tolerence: 1}}", probe="{id: a, question: Why?, answer: 1}"),
        "4:18: unknown key 'tolerence' in the score 'number'\n  did you mean 'tolerance'?",
    ),
    (
        suite_with(score="{number: {tolerance: -1}}", probe="{id: a, question: Why?, answer: 1}"),
        ("4:29: 'tolerance' must be at least 0, saw -1\n  write: score: {number: {tolerance: 1}}"),
    ),
    (
        suite_with(score="{number: {tolerance: .nan}}", probe="{id: a, question: Why?, answer: 1}"),
        "4:29: 'tolerance' must be a finite number, saw nan",
    ),
    *(
        (
            suite_with(score="number", probe=f"{{id: a, question: Why?, answer: {answer}}}"),
            f"6:29: an answer under 'number' must be one number, saw {answer!r}",
        )
        for answer in ["many", "1/0", "1e999", "2 or 3"]
    ),
    (
        suite_with(score="json"),
        "6:29: an answer under 'json' must be JSON: Expecting value: line 1 column 1 (char 0)",
    ),
    (
        suite_with(score="json", probe="{id: a, question: Why?, answer: NaN}"),
        "6:29: an answer under 'json' must be JSON: NaN is not JSON",
    ),
    (
        form("{json_schema: {type: objct}}"),
        "4:9: not a JSON Schema: 'objct' is not valid under any of the given schemas",
    ),
    (form("{json_schema: {pattern: '('}}"), "4:9: not a JSON Schema: '(' is not a 'regex'"),
    (form("{json_schema: [a]}"), "4:9: 'json_schema' must be a mapping, saw a list"),
    (form("json_schema"), "4:1: 'json_schema' must be a non-empty mapping, saw an empty mapping"),
    (
        form("{json_schema: {}}"),
        "4:9: 'json_schema' must be a non-empty mapping, saw an empty mapping",
    ),
    (
        form("{json_schema: {$ref: '#/a'}}"),
        "4:9: a '$ref' is not supported in a json_schema; write the schema out",
    ),
    (
        form("{json_schema: {items: {$dynamicRef: '#a'}}}"),
        "4:9: a '$dynamicRef' is not supported in a json_schema; write the schema out",
    ),
    (suite_with(score="{check: {min_words: 1}}"), "6:29: 'answer' has no meaning under the score 'check'"),
    (form("check"), f"4:1: {RULES}"),
    (form("{check: {}}"), f"4:16: {RULES}"),
    (form("{check: {not: {}}}"), f"4:22: {RULES}"),
    (
        form("{check: {min_wrods: 1}}"),
        "4:17: unknown key 'min_wrods' in the score 'check'\n  did you mean 'min_words'?",
    ),
    (
        form("{check: {all: [{min_wrods: 1}]}}"),
        "4:24: unknown key 'min_wrods' in 'all'\n  did you mean 'min_words'?",
    ),
    (
        form("{check: {not: {any: [{regex: x, ends_wth: y}]}}}"),
        "4:40: unknown key 'ends_wth' in 'any'\n  did you mean 'ends_with'?",
    ),
    (form("{check: {min_words: x}}"), "4:28: 'min_words' must be a whole number, saw text 'x'"),
    (form("{check: {min_words: 1.5}}"), "4:28: 'min_words' must be a whole number, saw 1.5"),
    (
        form("{check: {min_words: -1}}"),
        ("4:28: 'min_words' must be at least 0, saw -1\n  write: score: {check: {min_words: 1}}"),
    ),
    (
        form("{check: {min_words: 3, max_words: 2}}"),
        "4:16: 'min_words' is more than 'max_words': nothing can be right",
    ),
    (form("{check: {no_repetition: false}}"), "4:32: 'no_repetition' must be true, saw false"),
    (form("{check: {mentions: 5}}"), "4:17: 'mentions' must be text, saw 5"),
    (
        form("{check: {mentions: [a, 5]}}"),
        (
            "4:31: 'mentions' must be text, saw 5\n"
            '  a text like this needs quotes; write: score: {check: {mentions: [a, "5"]}}'
        ),
    ),
    (form("{check: {mentions: []}}"), "4:27: 'mentions' must be a non-empty list, saw an empty list"),
    (form("{check: {contains: ''}}"), "4:17: 'contains' must be non-empty text, saw empty text"),
    (
        form("{check: {contains: [a, ' ']}}"),
        "4:31: text of a check must not be blank: it would match anything",
    ),
    (form("{check: {all: []}}"), "4:22: 'all' must be a non-empty list, saw an empty list"),
    (form("{check: {all: {min_words: 1}}}"), "4:22: 'all' must be a list, saw a mapping"),
    (form("{check: {all: [x]}}"), "4:23: 'all' must be a mapping, saw text 'x'"),
    (
        form("{check: {regex: '('}}"),
        "4:24: not a regular expression: missing ), unterminated subpattern at position 0",
    ),
    (
        form("{check: {regex: 'a?'}}"),
        "4:24: this regular expression matches empty text, so it matches anything",
    ),
]


KINDS = [
    (choose("{id: a, question: Why?, answer: b}"), "6:5: a probe under 'answer: choose' needs 'choices'"),
    (choose("{id: a, question: Why?, answer: b, choices: [b]}"), "6:40: there must be at least two choices"),
    (choose("{id: a, question: Why?, answer: b, choices: [b, b]}"), "6:40: two choices are the same"),
    (
        choose("{id: a, question: Why?, answer: [b, c], choices: [b, c]}"),
        "6:29: every choice is a right answer: none would be wrong",
    ),
    (
        choose("{id: a, question: Why?, answer: Paris, choices: [Pariss, Rome]}"),
        "6:29: the answer 'Paris' is not one of the choices\n  did you mean 'Pariss'?",
    ),
    (
        choose("{id: a, question: Why?, answer: [b, z], choices: [b, c]}"),
        "6:29: the answer 'z' is not one of the choices",
    ),
    (
        choose("{id: a, question: Why?, choices: [b, c]}"),
        "6:5: the probe 'a' needs 'answer': the score 'choice' compares with it",
    ),
    (
        choose("{id: a, question: Why?, answer: b, choices: []}"),
        "6:29: the answer 'b' is not one of the choices\n6:40: there must be at least two choices",
    ),
    (
        choose("{id: a, question: Why?, answer: b, choices: [b, '']}"),
        "6:53: a choice must be non-empty text, saw empty text",
    ),
    (
        choose("{id: a, question: Why?, answer: b, choices: b}"),
        (
            "6:49: 'choices' must be a list, saw text 'b'\n"
            "  write: - {id: a, question: Why?, answer: b, choices: [b]}"
        ),
    ),
    (
        choose("{id: a, question: Why?, answer: b, choices: [b, c]}", score="contains"),
        "4:1: the score 'contains' judges 'answer: generate', but the task says 'answer: choose'",
    ),
    (
        choose(
            "{id: a, question: Why?, answer: b, choices: [b, c]}",
            task="{answer: choose, max_new_tokens: 5, stop: [x]}",
        ),
        "3:24: 'max_new_tokens' has a meaning only under 'answer: generate'\n"
        "3:43: 'stop' has a meaning only under 'answer: generate'",
    ),
    (
        choose("{id: a, question: Why?, answer: b, choices: [b, c]}", task="{answer: choose, promt: x}"),
        "3:24: unknown key 'promt' in the task\n  did you mean 'prompt'?",
    ),
    (
        suite_with("{id: a, text: Hello}", LIKELY, task="{answer: likelihood}", score=None),
        "3:8: 'answer: likelihood' measures plain text\n  write 'format: text'",
    ),
    (
        suite_with(
            "{id: a, question: Why?, answer: b, choices: [b, c]}",
            gates="[{over: each, require: pass}]",
            task="{answer: likelihood, format: text, prompt: '{x}', shots: [{x: a, answer: b}]}",
            score=None,
        ),
        (
            "2:22: 'require: pass' cannot judge a likelihood: only a comparison can\n"
            "3:42: 'answer: likelihood' takes no 'prompt'; its probes have 'text'\n"
            "3:57: 'answer: likelihood' takes no 'shots'; its probes have 'text'\n"
            "5:5: a probe under 'answer: likelihood' needs 'text'\n"
            "5:13: unknown key 'question' in a probe: the prompt does not use it\n"
            "  use 'note' for remarks, or write '{question}' into the prompt to ask it\n"
            "5:29: 'answer' has no meaning under the score 'likelihood'\n"
            "5:40: 'choices' has no meaning under 'answer: likelihood'\n"
            "  write 'answer: choose' in the task"
        ),
    ),
    (
        suite_with("{id: a, text: Hello}", LIKELY, task="{answer: likelihood, format: text}"),
        "4:1: the score 'mentions' judges 'answer: generate', but the task says 'answer: likelihood'",
    ),
]


CUT = "\n  what line {} opens is never closed; is the file complete?"


TAG = "the tag '{}' is not allowed\n  remove the tag"


EMPTY = "6:13: 'question' must be non-empty text, saw nothing\n"


def asked(question: str) -> str:
    return suite_with(f"{{id: a, question: {question}, answer: b}}")


YAML = [
    (
        suite_with().replace("  - {id", "\t- {id"),
        (
            "6:1: not YAML: a tab where YAML allows only spaces\n"
            "  indent with spaces; write it with 2 of them before it: - {id: a, question: Why?, answer: b}"
        ),
    ),
    (
        suite_with(more="note:\n  -\ta: b\n    c: d\n"),
        (
            "7:1: unknown key 'note' in a suite\n"
            "  it belongs to a probe: write it below 'probes:', two spaces deeper\n"
            "8:4: not YAML: a tab where YAML allows only spaces\n"
            "  indent with spaces; write it with 2 of them before it: - a: b"
        ),
    ),
    (
        suite_with(more="a:\tb: c\n"),
        (
            "7:4: not YAML: text with ': ' in it needs quotes: YAML takes what stands before it for a key\n"
            '  write: a:\\t"b: c"'
        ),
    ),
    (
        suite_with(more="a: 'b\n"),
        ('7:4: not YAML: the quote \' that opens here is never closed\n  write: a: "b"'),
    ),
    (
        suite_with(more="a: [b\n"),
        ("7:4: not YAML: '[' opens here and is never closed\n  write: a: [b]"),
    ),
    (
        suite_with(more="a: b\n\nabou"),
        (
            "7:1: unknown key 'a' in a suite\n"
            "9:1: not YAML: this line is neither 'key: value' nor an item of a list; does it belong to 'a' above?\n"
            "  indent it by 2 spaces: the lines of a text stand deeper than its key"
        ),
    ),
    (
        suite_with(more="a: [b\nc: d\n"),
        (
            "7:4: not YAML: '[' opens here and is never closed\n"
            "  write: a: [b]\n"
            "8:1: unknown key 'c' in a suite"
        ),
    ),
    (
        " " + suite_with(),
        (
            "1:2: not YAML: 'suite' is indented deeper than its neighbour 'gates' in line 2\n"
            "  write it with no space before it: suite: s"
        ),
    ),
    (
        "a: 1\n---\nb: 2\n",
        (
            "2:1: not YAML: a second document begins here\n"
            "  a file holds one suite or recipe: write each into a file of its own, without '---' between them\n"
            "what follows was not read; run again once this is mended"
        ),
    ),
    (b"suite: \xff\n", "1:8: not UTF-8 text: saw byte 0xff\n  save the file as UTF-8"),
    (b"a: 1\n\xc3\xa9\xc3\xa9: \xff\n", "2:5: not UTF-8 text: saw byte 0xff\n  save the file as UTF-8"),
    (b"\xef\xbb\xbfsuite: \xe9\n", "1:8: not UTF-8 text: saw byte 0xe9\n  save the file as UTF-8"),
    *(
        (suite_with().encode(encoding), f"1:1: not UTF-8 text: it is {name}\n  save the file as UTF-8")
        for encoding, name in [
            ("utf-16", "UTF-16"),
            ("utf-16-le", "UTF-16"),
            ("utf-16-be", "UTF-16"),
            ("utf-32", "UTF-32"),
            ("utf-32-le", "UTF-32"),
            ("utf-32-be", "UTF-32"),
        ]
    ),
    (
        b"s\0",
        (
            "1:2: not YAML: character U+0000 is not allowed\n"
            "  remove it\n"
            "what follows was not read; run again once this is mended"
        ),
    ),
    (
        "suite: a\x01b\n",
        (
            "1:9: not YAML: character U+0001 is not allowed\n"
            "  remove it\n"
            "what follows was not read; run again once this is mended"
        ),
    ),
    (
        "a: b\nsuite: \x1b[31m\n",
        (
            "2:8: not YAML: character U+001B is not allowed\n"
            "  remove it\n"
            "what follows was not read; run again once this is mended"
        ),
    ),
    (
        'suite: "\\ud800"\n',
        (
            "1:11: not YAML: while parsing a quoted scalar found invalid Unicode character escape code\n"
            "  half a surrogate pair is not a character; write the character itself\n"
            "what follows was not read; run again once this is mended"
        ),
    ),
    (
        asked("!!python/object/apply:os.system ['true']"),
        (
            "6:23: '!!python/object/apply:os.system' is a tag for YAML, and not allowed\n"
            "  remove it; text that begins with '!' needs quotes"
        ),
    ),
    (
        asked("!!python/name:os.system"),
        (
            "6:23: '!!python/name:os.system' is a tag for YAML, and not allowed\n"
            "  remove it; text that begins with '!' needs quotes"
        ),
    ),
    (
        asked("!foo bar"),
        (
            "6:23: '!foo' is a tag for YAML, and not allowed\n"
            "  remove it; text that begins with '!' needs quotes"
        ),
    ),
    (
        asked("!!binary aGk="),
        (
            "6:23: '!!binary' is a tag for YAML, and not allowed\n"
            "  remove it; text that begins with '!' needs quotes"
        ),
    ),
    (
        asked("!!set {x}"),
        (
            "6:23: '!!set' is a tag for YAML, and not allowed\n"
            "  remove it; text that begins with '!' needs quotes"
        ),
    ),
    (
        suite_with().replace("question:", "!foo question:"),
        (
            "6:13: '!foo' is a tag for YAML, and not allowed\n"
            "  remove it; text that begins with '!' needs quotes"
        ),
    ),
    (asked("!!int foo"), "6:23: 'foo' is not a value of type int\n  quote it to mean text"),
    (asked("!!bool yes"), "6:23: 'yes' is not a value of type bool\n  quote it to mean text"),
    (suite_with(more="<<: {about: x}\n"), "7:1: merge keys ('<<') are not supported\n  write the keys out"),
    (
        suite_with(more="? [a, b]\n: c\n"),
        ("7:3: a key must be text, saw a list or mapping\n  text that begins with '{' or '[' needs quotes"),
    ),
    (
        asked("*x"),
        (
            "6:23: not YAML: text that begins with '*' needs quotes\n"
            '  write: - {id: a, question: "*x", answer: b}'
        ),
    ),
    (
        asked("&x [*x]"),
        "6:13: 'question' must be non-empty text, saw a list\n"
        "6:23: an alias that contains itself\n  write the value out",
    ),
    ("a: " + "[" * 100 + "]" * 100, "1:43: nested more than 40 levels deep"),
    ("a: " + "{a: " * 100_000, "1:160: nested more than 40 levels deep"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(text, expected, id=expected.splitlines()[0][:70])
        for text, expected in [*SCORES, *KINDS, *YAML]
    ],
)
def test_error_text(problems, text, expected):
    assert problems(text) == expected
