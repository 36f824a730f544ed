"""Every error of the suite reader, with its exact text and place."""

from __future__ import annotations

import pytest

from tests.support.suites import NAME, suite_with

SHAPE = "a score must be a name, or a mapping of one name to its parameters"


TOP = [
    (
        "",
        (
            "1:1: the file is empty: it has no suite\n"
            "  begin with 'suite: name', or have one written: python -m harness new NAME"
        ),
    ),
    (
        "# so\n",
        (
            "1:1: the file is empty: it has no suite\n"
            "  begin with 'suite: name', or have one written: python -m harness new NAME"
        ),
    ),
    ("- a\n", "1:1: a suite is a mapping of keys to values, saw a list\n  begin with 'suite: name'"),
    ("text", "1:1: a suite is a mapping of keys to values, saw text 'text'\n  begin with 'suite: name'"),
    ("42", "1:1: a suite is a mapping of keys to values, saw 42\n  begin with 'suite: name'"),
    (
        "suite: s\n",
        (
            "1:1: a suite needs 'gates'\n"
            "  write: gates: [{over: each}], or for 30 probes and more: gates: [{over: all, max_drop: 0.10}]\n"
            "1:1: a suite needs 'probes'\n"
            '  write: probes: [{id: capital, question: "What is the capital of France?", answer: Paris}]'
        ),
    ),
    (
        suite_with().replace("suite: s", "suit: s"),
        ("1:1: unknown key 'suit' in a suite\n  did you mean 'suite'?"),
    ),
    (suite_with(more="abuot: x\n"), "7:1: unknown key 'abuot' in a suite\n  did you mean 'about'?"),
    (suite_with(more="zzz: x\n"), "7:1: unknown key 'zzz' in a suite"),
    (
        suite_with(more="suite: t\n"),
        "7:1: repeated key 'suite'\n  the first is in line 1; YAML would keep only the last",
    ),
    (
        suite_with().replace("suite: s", "suite: 12"),
        ("1:8: 'suite' must be text, saw 12\n  a text like this needs quotes; write: suite: \"12\""),
    ),
    (suite_with().replace("suite: s", "suite: ''"), f"1:8: 'suite' must be {NAME}, saw empty text"),
    (
        suite_with().replace("suite: s", "suite: a/b"),
        (
            "1:8: 'suite' must be a name without spaces, colons, slashes, backslashes and square brackets, saw text 'a/b'\n"
            "  write: suite: a-b"
        ),
    ),
    (
        suite_with(more="about: [a]\n"),
        (
            "7:8: 'about' must be text, saw a list\n"
            '  write: about: "What the assistant knows about our products."'
        ),
    ),
    (
        suite_with(more="severity: hihg\n"),
        "7:11: 'severity' must be critical, high, medium or low, saw text 'hihg'\n  did you mean 'high'?",
    ),
    (
        "suite: s\nscore: mentions\ngates: []\nprobes: []\n",
        "3:8: 'gates' must be a non-empty list, saw an empty list\n"
        "4:9: 'probes' must be a non-empty list, saw an empty list",
    ),
    (
        "suite: s\nscore: mentions\ngates:\nprobes:\n",
        (
            "3:7: 'gates' must be a list, saw nothing\n"
            "  write: - {over: all, max_drop: 0.10}\n"
            "4:8: 'probes' must be a list, saw nothing"
        ),
    ),
]


GATES = [
    ("[{over: all, max_dorp: 1}]", "2:21: unknown key 'max_dorp' in a gate\n  did you mean 'max_drop'?"),
    ("[{max_drop: 0.1}]", ("2:9: a gate needs 'over'\n  write: over: all")),
    (
        "[{over: eech}]",
        "2:16: 'over' must be all, category or each, saw text 'eech'\n  did you mean 'each'?",
    ),
    (
        "[{over: all, max_drop: 1.5}]",
        (
            "2:31: 'max_drop' must be at most 1, saw 1.5\n"
            "  a fraction of 1: 0.1 means 10 %; write: gates: [{over: all, max_drop: 0.015}]"
        ),
    ),
    (
        "[{over: all, max_drop: -0.1}]",
        ("2:31: 'max_drop' must be at least 0, saw -0.1\n  write: gates: [{over: all, max_drop: 0.1}]"),
    ),
    ("[{over: all, max_drop: .nan}]", "2:31: 'max_drop' must be a finite number, saw nan"),
    ("[{over: all, max_drop: .inf}]", "2:31: 'max_drop' must be a finite number, saw inf"),
    ("[{over: all, max_drop: -.INF}]", "2:31: 'max_drop' must be a finite number, saw -inf"),
    ("[{over: all, max_drop: 1e999}]", "2:31: 'max_drop' must be a finite number, saw inf"),
    ("[{over: all, max_drop: ten}]", "2:31: 'max_drop' must be a number, saw text 'ten'"),
    (
        "[{over: all, max_drop: '0.1'}]",
        ("2:31: 'max_drop' must be a number, saw text '0.1'\n  write: gates: [{over: all, max_drop: 0.1}]"),
    ),
    (
        "[{over: all, max_drop: 10 %}]",
        (
            "2:31: 'max_drop' must be a number, saw text '10 %'\n"
            "  a fraction of 1: 0.1 means 10 %; write: gates: [{over: all, max_drop: 0.1}]"
        ),
    ),
    ("[{over: all, max_drop: true}]", "2:31: 'max_drop' must be a number, saw true"),
    (
        "[{over: all}]",
        (
            "2:9: a gate over 'all' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'\n"
            "  write: - {over: all, max_drop: 0.10}"
        ),
    ),
    (
        "[{over: category}]",
        (
            "2:9: a gate over 'category' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'\n"
            "  write: - {over: category, max_drop: 0.20}"
        ),
    ),
    (
        "[{over: all, max_drop: null}]",
        (
            "2:9: a gate over 'all' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'\n"
            "  write: - {over: all, max_drop: 0.10}"
        ),
    ),
    (
        "[{over: each, max_drop: 0.1}]",
        "2:9: a gate over 'each' takes no 'max_drop': each probe is kept or lost",
    ),
    (
        "[{over: each, on_inconclusive: pass}]",
        "2:9: a gate over 'each' takes no 'on_inconclusive': each probe is kept or lost",
    ),
    (
        "[{over: all, max_drop: 0.1, require: pass}]",
        "2:9: a gate over 'all' takes no 'require'; it has 'max_drop'",
    ),
    (
        "[{over: each, require: retaned}]",
        "2:31: 'require' must be retained or pass, saw text 'retaned'\n  did you mean 'retained'?",
    ),
    (
        "[{over: all, max_drop: 0.1, on_inconclusive: fial}]",
        "2:53: 'on_inconclusive' must be confirmed, observed, fail or pass, saw text 'fial'\n  did you mean 'fail'?",
    ),
    (
        "[{over: category, max_drop: 0.1}]",
        "2:10: a gate over 'category', but no probe has a category",
    ),
    (
        "[{over: all, max_drop: 0.1}, {over: all, max_drop: 0.2}]",
        "2:37: a second gate over 'all'\n  line 2 has one already",
    ),
    ("all", ("2:8: 'gates' must be a list, saw text 'all'\n  write: gates: [{over: all, max_drop: 0.10}]")),
    ("{over: all}", ("2:8: 'gates' must be a list, saw a mapping\n  write: gates: [{over: all}]")),
    ("[all]", ("2:9: a gate must be a mapping, saw text 'all'\n  write: - {over: all, max_drop: 0.10}")),
]


TASKS = [
    ("{promt: x}", "3:8: unknown key 'promt' in the task\n  did you mean 'prompt'?"),
    ("[]", ("3:7: 'task' must be a mapping, saw an empty list\n  write: task: {prompt: \"{question}\"}")),
    ("null", ("3:7: 'task' must be a mapping, saw nothing\n  its keys stand below it, two spaces deeper")),
    ("{format: chatt}", "3:16: 'format' must be chat or text, saw text 'chatt'\n  did you mean 'chat'?"),
    ("{format: text, system: x}", "3:22: a system message needs 'format: chat'"),
    ("{system: ''}", "3:16: 'system' must be non-empty text, saw empty text"),
    (
        "{prompt: 12}",
        (
            "3:16: 'prompt' must be text, saw 12\n"
            '  a text like this needs quotes; write: task: {prompt: "12"}'
        ),
    ),
    ("{prompt: ''}", "3:16: 'prompt' must be non-empty text, saw empty text"),
    (
        "{prompt: '{question'}",
        "3:8: expected '}' before end of string; write {{ and }} for braces that are text",
    ),
    (
        "{prompt: '}'}",
        "3:8: Single '}' encountered in format string; write {{ and }} for braces that are text",
    ),
    *(
        (
            f"{{prompt: '{{{field}}}'}}",
            f"3:8: '{{{shown}}}' is not a plain field name; write {{{{ and }}}} for braces that are text",
        )
        for field, shown in [
            ("", ""),
            ("0", "0"),
            ("a.b", "a.b"),
            ("a[0]", "a[0]"),
            ("question!r", "question"),
            ("question:>9", "question"),
        ]
    ),
    (
        "{prompt: '{question} {answer}'}",
        "3:8: the prompt uses '{answer}', but 'answer' has a meaning of its own in a "
        "probe\n  give the field another name",
    ),
    ("{max_new_tokens: 0}", "3:24: 'max_new_tokens' must be at least 1, saw 0"),
    ("{max_new_tokens: 1.5}", "3:24: 'max_new_tokens' must be a whole number, saw 1.5"),
    ("{max_new_tokens: many}", "3:24: 'max_new_tokens' must be a whole number, saw text 'many'"),
    ("{stop: x}", ("3:14: 'stop' must be a list, saw text 'x'\n  write: task: {stop: [x]}")),
    ("{stop: ['']}", "3:15: a stop text must be non-empty text, saw empty text"),
    (
        "{shots: x}",
        (
            "3:15: 'shots' must be a list, saw text 'x'\n"
            '  write: - {question: "What is the capital of Italy?", answer: Rome}'
        ),
    ),
    (
        "{shots: [x]}",
        (
            "3:16: a shot must be a mapping, saw text 'x'\n"
            '  write: - {question: "What is the capital of Italy?", answer: Rome}'
        ),
    ),
    (
        "{shots: [{qestion: x, answer: y}]}",
        "3:16: a shot needs 'question'\n3:17: unknown key 'qestion' in a shot\n  did you mean 'question'?",
    ),
    ("{shots: [{question: x}]}", "3:16: a shot needs 'answer'"),
    (
        "{shots: [{question: '', answer: [a]}]}",
        "3:17: 'question' must be non-empty text, saw empty text\n"
        "3:31: 'answer' must be non-empty text, saw a list",
    ),
]


PROBES = [
    (
        "nonsense",
        (
            "6:5: a probe must be a mapping, saw text 'nonsense'\n"
            '  write: - {id: capital, question: "What is the capital of France?", answer: Paris}'
        ),
    ),
    (
        "{question: Why?, answer: b}",
        ("6:5: a probe needs 'id'\n  write: id: capital, each probe under a name of its own"),
    ),
    (
        "{id: a b, question: Why?, answer: b}",
        (
            "6:10: 'id' must be a name without spaces, colons, slashes, backslashes and square brackets, saw text 'a b'\n"
            "  write: - {id: a-b, question: Why?, answer: b}"
        ),
    ),
    (
        "{id: null, question: Why?, answer: b}",
        ("6:10: 'id' must be text, saw nothing\n  write: id: capital, each probe under a name of its own"),
    ),
    (
        "{id: a, question: Why?, answer: b}\n  - {id: a, question: Who?, answer: c}",
        "7:6: repeated id 'a'\n  line 6 has it already",
    ),
    (
        "{id: a, id: b, question: Why?, answer: b}",
        "6:13: repeated key 'id'\n  the first is in line 6; YAML would keep only the last",
    ),
    (
        "{id: a, question: Why?, anwser: b}",
        ("6:29: unknown key 'anwser' in a probe: the prompt does not use it\n  did you mean 'answer'?"),
    ),
    (
        "{id: a, qestion: Why?, answer: b}",
        ("6:13: unknown key 'qestion' in a probe: the prompt does not use it\n  did you mean 'question'?"),
    ),
    (
        "{id: a, question: Why?, answer: b, hobby: x}",
        (
            "6:40: unknown key 'hobby' in a probe: the prompt does not use it\n"
            "  use 'note' for remarks, or write '{hobby}' into the prompt to ask it"
        ),
    ),
    (
        "{id: a, question: '', answer: b}",
        "6:13: 'question' must be non-empty text, saw empty text",
    ),
    ("{id: a, question: [x], answer: b}", "6:13: 'question' must be non-empty text, saw a list"),
    (
        "{id: a, question: Why?}",
        "6:5: the probe 'a' needs 'answer': the score 'mentions' compares with it",
    ),
    ("{id: a, question: Why?, answer: ''}", "6:29: an answer must not be empty: it would match anything"),
    (
        "{id: a, question: Why?, answer: [b, ' ']}",
        "6:41: an answer must not be empty: it would match anything",
    ),
    (
        "{id: a, question: Why?, answer: []}",
        "6:29: 'answer' must not be an empty list: no answer would be right",
    ),
    (
        "{id: a, question: Why?, answer: null}",
        ('6:29: an answer must be text, saw nothing\n  to mean the text write: answer: "null"'),
    ),
    (
        "{id: a, question: Why?, answer: {x: y}}",
        (
            "6:29: an answer must be text, saw a mapping\n  a text like this needs quotes; write: - {id: a, question: Why?, "
            """answer: '{"x": "y"}'}"""
        ),
    ),
    (
        "{id: a, question: Why?, answer: b, choices: [a, b]}",
        ("6:40: 'choices' has no meaning under 'answer: generate'\n  write 'answer: choose' in the task"),
    ),
    (
        "{id: a, question: Why?, answer: b, text: x}",
        ("6:40: 'text' has no meaning under 'answer: generate'\n  write 'answer: likelihood' in the task"),
    ),
    (
        "{id: a, question: Why?, answer: b, severity: hihg}",
        "6:50: 'severity' must be critical, high, medium or low, saw text 'hihg'\n  did you mean 'high'?",
    ),
    (
        "{id: a, question: Why?, answer: b, category: 'a[b]'}",
        (
            "6:50: 'category' must be a name in one line without colons, square brackets, tabs and spaces at its ends, saw text 'a[b]'\n"
            "  write: - {id: a, question: Why?, answer: b, category: a-b}"
        ),
    ),
    (
        "{id: a, question: Why?, answer: b, score: null}",
        f"6:40: {SHAPE}, saw nothing",
    ),
    (
        "{id: a, question: Why?, answer: '1', score: {number: {tolerence: 1}}}",
        "6:59: unknown key 'tolerence' in the score 'number'\n  did you mean 'tolerance'?",
    ),
]


def table(*tables: list[tuple[str | bytes, str]]) -> list[object]:
    return [
        pytest.param(text, expected, id=expected.splitlines()[0][:70])
        for rows in tables
        for text, expected in rows
    ]


ALL = table(
    TOP,
    [(suite_with(gates=written), expected) for written, expected in GATES],
    [(suite_with(task=written), expected) for written, expected in TASKS],
    [(suite_with(written), expected) for written, expected in PROBES],
)


@pytest.mark.parametrize(("text", "expected"), ALL)
def test_error_text(problems, text, expected):
    assert problems(text) == expected
