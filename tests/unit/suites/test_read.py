"""Every error of the suite reader, with its exact text and place."""

from __future__ import annotations

import pytest

from tests.support.suites import NAME, suite_with

RULES = (
    "a rule needs a check, such as 'min_words'; there are: min_words, max_words, min_lines, max_lines, "
    "min_items, max_items, starts_with, ends_with, contains, mentions, regex, titlecase_words, json_keys, "
    "no_repetition, lowercase, uppercase, refusal, all, any, not"
)


CATEGORY = "a name in one line without colons, square brackets, tabs and spaces at its ends"


SHAPE = "a score must be a name, or a mapping of one name to its parameters"


LIKELY = "[{over: all, max_rise: 0.02}]"


def form(score: str) -> str:
    """A suite under a score whose probes have no answer."""
    return suite_with("{id: a, question: Why?}", score=score)


def choose(probe: str, **parts: str) -> str:
    return suite_with(probe, **{"task": "{answer: choose}", "score": "choice", **parts})


TOP = [
    ("", "1:1: a suite is a mapping of keys to values, saw nothing\n  begin with 'suite: name'"),
    ("# so\n", "1:1: a suite is a mapping of keys to values, saw nothing\n  begin with 'suite: name'"),
    ("- a\n", "1:1: a suite is a mapping of keys to values, saw a list\n  begin with 'suite: name'"),
    ("text", "1:1: a suite is a mapping of keys to values, saw text 'text'\n  begin with 'suite: name'"),
    ("42", "1:1: a suite is a mapping of keys to values, saw 42\n  begin with 'suite: name'"),
    ("suite: s\n", "1:1: a suite needs 'gates'\n1:1: a suite needs 'probes'"),
    (
        suite_with().replace("suite: s", "suit: s"),
        "1:1: a suite needs 'suite'\n1:1: unknown key 'suit' in a suite\n  did you mean 'suite'?",
    ),
    (suite_with(more="abuot: x\n"), "7:1: unknown key 'abuot' in a suite\n  did you mean 'about'?"),
    (suite_with(more="zzz: x\n"), "7:1: unknown key 'zzz' in a suite"),
    (
        suite_with(more="suite: t\n"),
        "7:1: repeated key 'suite'\n  the first is in line 1; YAML would keep only the last",
    ),
    (suite_with().replace("suite: s", "suite: 12"), "1:8: 'suite' must be text, saw 12"),
    (suite_with().replace("suite: s", "suite: ''"), f"1:8: 'suite' must be {NAME}, saw empty text"),
    (suite_with().replace("suite: s", "suite: a/b"), f"1:8: 'suite' must be {NAME}, saw text 'a/b'"),
    (suite_with(more="about: [a]\n"), "7:8: 'about' must be text, saw a list"),
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
        "3:7: 'gates' must be a list, saw nothing\n4:8: 'probes' must be a list, saw nothing",
    ),
]


GATES = [
    ("[{over: all, max_dorp: 1}]", "2:21: unknown key 'max_dorp' in a gate\n  did you mean 'max_drop'?"),
    ("[{max_drop: 0.1}]", "2:9: a gate needs 'over'"),
    (
        "[{over: eech}]",
        "2:16: 'over' must be all, category or each, saw text 'eech'\n  did you mean 'each'?",
    ),
    ("[{over: all, max_drop: 1.5}]", "2:31: 'max_drop' must be at most 1, saw 1.5"),
    ("[{over: all, max_drop: -0.1}]", "2:31: 'max_drop' must be at least 0, saw -0.1"),
    ("[{over: all, max_drop: .nan}]", "2:31: 'max_drop' must be a finite number, saw nan"),
    ("[{over: all, max_drop: .inf}]", "2:31: 'max_drop' must be a finite number, saw inf"),
    ("[{over: all, max_drop: -.INF}]", "2:31: 'max_drop' must be a finite number, saw -inf"),
    ("[{over: all, max_drop: 1e999}]", "2:31: 'max_drop' must be a finite number, saw inf"),
    ("[{over: all, max_drop: ten}]", "2:31: 'max_drop' must be a number, saw text 'ten'"),
    ("[{over: all, max_drop: '0.1'}]", "2:31: 'max_drop' must be a number, saw text '0.1'"),
    ("[{over: all, max_drop: 10 %}]", "2:31: 'max_drop' must be a number, saw text '10 %'"),
    ("[{over: all, max_drop: true}]", "2:31: 'max_drop' must be a number, saw true"),
    (
        "[{over: all}]",
        "2:9: a gate over 'all' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'",
    ),
    (
        "[{over: category}]",
        "2:9: a gate over 'category' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'",
    ),
    (
        "[{over: all, max_drop: null}]",
        "2:9: a gate over 'all' needs 'max_drop', the largest acceptable drop, or under 'likelihood' 'max_rise'",
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
    ("all", "2:8: 'gates' must be a list, saw text 'all'"),
    ("{over: all}", "2:8: 'gates' must be a list, saw a mapping"),
    ("[all]", "2:9: a gate must be a mapping, saw text 'all'"),
]


TASKS = [
    ("{promt: x}", "3:8: unknown key 'promt' in the task\n  did you mean 'prompt'?"),
    ("[]", "3:7: 'task' must be a mapping, saw an empty list"),
    ("null", "3:7: 'task' must be a mapping, saw nothing"),
    ("{format: chatt}", "3:16: 'format' must be chat or text, saw text 'chatt'\n  did you mean 'chat'?"),
    ("{format: text, system: x}", "3:22: a system message needs 'format: chat'"),
    ("{system: ''}", "3:16: 'system' must be non-empty text, saw empty text"),
    ("{prompt: 12}", "3:16: 'prompt' must be text, saw 12"),
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
    ("{stop: x}", "3:14: 'stop' must be a list, saw text 'x'"),
    ("{stop: ['']}", "3:15: a stop text must be non-empty text, saw empty text"),
    ("{shots: x}", "3:15: 'shots' must be a list, saw text 'x'"),
    ("{shots: [x]}", "3:16: a shot must be a mapping, saw text 'x'"),
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
    ("nonsense", "6:5: a probe must be a mapping, saw text 'nonsense'"),
    ("{question: Why?, answer: b}", "6:5: a probe needs 'id'"),
    ("{id: a b, question: Why?, answer: b}", f"6:10: 'id' must be {NAME}, saw text 'a b'"),
    ("{id: null, question: Why?, answer: b}", "6:10: 'id' must be text, saw nothing"),
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
        "6:5: the probe 'a' needs 'answer': the score 'mentions' compares with it\n"
        "6:29: unknown key 'anwser' in a probe: the prompt does not use it\n  did you mean 'answer'?",
    ),
    (
        "{id: a, qestion: Why?, answer: b}",
        "6:5: the prompt uses '{question}', which the probe 'a' does not have\n"
        "6:13: unknown key 'qestion' in a probe: the prompt does not use it\n  did you mean 'question'?",
    ),
    (
        "{id: a, question: Why?, answer: b, hobby: x}",
        "6:40: unknown key 'hobby' in a probe: the prompt does not use it\n  use 'note' for remarks",
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
    ("{id: a, question: Why?, answer: null}", "6:29: an answer must be text, saw nothing"),
    ("{id: a, question: Why?, answer: {x: y}}", "6:29: an answer must be text, saw a mapping"),
    (
        "{id: a, question: Why?, answer: b, choices: [a, b]}",
        "6:40: 'choices' has no meaning under 'answer: generate'",
    ),
    (
        "{id: a, question: Why?, answer: b, text: x}",
        "6:40: 'text' has no meaning under 'answer: generate'",
    ),
    (
        "{id: a, question: Why?, answer: b, severity: hihg}",
        "6:50: 'severity' must be critical, high, medium or low, saw text 'hihg'\n  did you mean 'high'?",
    ),
    (
        "{id: a, question: Why?, answer: b, category: 'a[b]'}",
        f"6:50: 'category' must be {CATEGORY}, saw text 'a[b]'",
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


SCORES = [
    (suite_with(score="mention"), "4:1: unknown score 'mention'\n  did you mean 'mentions'?"),
    (
        suite_with(score="vibes"),
        "4:1: unknown score 'vibes'\n  there are: check, choice, contains, equals, json, json_schema, "
        "likelihood, mentions, number, python, refusal, regex",
    ),
    (suite_with(score="[mentions]"), f"4:1: {SHAPE}, saw a list"),
    (suite_with(score="{mentions: {}, equals: {}}"), f"4:1: {SHAPE}, saw a mapping"),
    (suite_with(score="null"), f"4:1: {SHAPE}, saw nothing"),
    (
        suite_with(score=None),
        "5:5: no score for the probe 'a'\n  give the suite a 'score', or the probe its own",
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
        "4:29: 'tolerance' must be at least 0, saw -1",
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
    (form("{check: {min_words: -1}}"), "4:28: 'min_words' must be at least 0, saw -1"),
    (
        form("{check: {min_words: 3, max_words: 2}}"),
        "4:16: 'min_words' is more than 'max_words': nothing can be right",
    ),
    (form("{check: {no_repetition: false}}"), "4:32: 'no_repetition' must be true, saw false"),
    (form("{check: {mentions: 5}}"), "4:17: 'mentions' must be text, saw 5"),
    (form("{check: {mentions: [a, 5]}}"), "4:31: 'mentions' must be text, saw 5"),
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
        "6:49: 'choices' must be a list, saw text 'b'",
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
        "2:22: 'require: pass' cannot judge a likelihood: only a comparison can\n"
        "3:42: 'answer: likelihood' takes no 'prompt'; its probes have 'text'\n"
        "3:57: 'answer: likelihood' takes no 'shots'; its probes have 'text'\n"
        "5:5: a probe under 'answer: likelihood' needs 'text'\n"
        "5:13: unknown key 'question' in a probe: the prompt does not use it\n  use 'note' for remarks\n"
        "5:29: 'answer' has no meaning under the score 'likelihood'\n"
        "5:40: 'choices' has no meaning under 'answer: likelihood'",
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
        "6:1: not YAML: a tab where YAML allows only spaces\n  indent with spaces",
    ),
    (
        suite_with(more="note:\n  -\ta: b\n    c: d\n"),
        "8:4: not YAML: a tab where YAML allows only spaces\n  indent with spaces",
    ),
    (
        suite_with(more="a:\tb: c\n"),
        "7:5: not YAML: mapping values are not allowed in this context\n  "
        "a key begins its line, in the column of its neighbours; text with ': ' in it needs quotes",
    ),
    (
        suite_with(more="a: 'b\n"),
        "8:1: not YAML: while scanning a quoted scalar found unexpected end of stream" + CUT.format(7),
    ),
    (
        suite_with(more="a: [b\n"),
        "8:1: not YAML: while parsing a flow sequence did not find expected ',' or ']'" + CUT.format(7),
    ),
    (
        suite_with(more="a: b\n\nabou"),
        "10:1: not YAML: while scanning a simple key could not find expected ':'" + CUT.format(9),
    ),
    (
        suite_with(more="a: [b\nc: d\n"),
        "8:2: not YAML: while parsing a flow sequence did not find expected ',' or ']'",
    ),
    (
        " " + suite_with(),
        "2:1: not YAML: did not find expected <document start>\n  "
        "all keys at the top begin in the same column: is the first one indented?",
    ),
    (
        "a: 1\n---\nb: 2\n",
        "2:1: not YAML: expected a single document in the stream but found another document\n  "
        "write one document per file, without '---' between them",
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
    (b"s\0", "1:2: not YAML: character U+0000 is not allowed"),
    ("suite: a\x01b\n", "1:9: not YAML: character U+0001 is not allowed"),
    ("a: b\nsuite: \x1b[31m\n", "2:8: not YAML: character U+001B is not allowed"),
    (
        'suite: "\\ud800"\n',
        "1:11: not YAML: while parsing a quoted scalar found invalid Unicode character escape code\n"
        "  half a surrogate pair is not a character; write the character itself",
    ),
    (
        asked("!!python/object/apply:os.system ['true']"),
        EMPTY + "6:23: " + TAG.format("!!python/object/apply:os.system"),
    ),
    (asked("!!python/name:os.system"), EMPTY + "6:23: " + TAG.format("!!python/name:os.system")),
    (asked("!foo bar"), EMPTY + "6:23: " + TAG.format("!foo")),
    (asked("!!binary aGk="), EMPTY + "6:23: " + TAG.format("!!binary")),
    (asked("!!set {x}"), EMPTY + "6:23: " + TAG.format("!!set")),
    (suite_with().replace("question:", "!foo question:"), "6:13: " + TAG.format("!foo")),
    (asked("!!int foo"), "6:23: 'foo' is not a value of type int\n  quote it to mean text"),
    (asked("!!bool yes"), "6:23: 'yes' is not a value of type bool\n  quote it to mean text"),
    (suite_with(more="<<: {about: x}\n"), "7:1: merge keys ('<<') are not supported\n  write the keys out"),
    (suite_with(more="? [a, b]\n: c\n"), "7:3: a key must be text, saw a list or mapping"),
    (asked("*x"), "6:23: not YAML: found undefined alias"),
    (
        asked("&x [*x]"),
        "6:13: 'question' must be non-empty text, saw a list\n"
        "6:23: an alias that contains itself\n  write the value out",
    ),
    ("a: " + "[" * 100 + "]" * 100, "1:43: nested more than 40 levels deep"),
    ("a: " + "{a: " * 100_000, "1:160: nested more than 40 levels deep"),
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
    SCORES,
    KINDS,
    YAML,
)


@pytest.mark.parametrize(("text", "expected"), ALL)
def test_error_text(problems, text, expected):
    assert problems(text) == expected
