"""Suites of up to a megabyte that were written to take for ever or all memory: read in bounded time and space, and told so.

All are read by one process that may take 2 GB of memory; it is given minutes where seconds are enough.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.limits import MOST_PROBLEMS

READER = """
import json, resource, sys
from pathlib import Path
from harness.errors import SuiteError
from harness.scoring import SCORERS
from harness.suites.read import read_suite
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
for path in map(Path, sys.argv[1:]):
    try:
        print(json.dumps({path.stem: f"{len(read_suite(path, SCORERS).probes)} probes"}), flush=True)
    except SuiteError as error:
        print(json.dumps({path.stem: str(error)}), flush=True)
"""
GATES = "gates: [{over: all, max_drop: 0.1}]\n"
HEAD = f"suite: s\nscore: contains\n{GATES}"
PROBE = "probes: [{id: a, question: b, answer: c}]\n"
MADE = "draw and write more than 60,000,000 characters\n  make fewer or shorter probes"


def listed(item: str, times: int) -> str:
    """A list of items, in which `%` is the number of each."""
    return "\n" + "".join(f"  - {item.replace('%', str(number))}\n" for number in range(times))


def probes(item: str, times: int, head: str = HEAD) -> str:
    return f"{head}probes:{listed(item, times)}"


def made(generator: str, times: int = 1) -> str:
    return f"{HEAD}generators:{listed(generator, times)}"


def unknown(times: int) -> str:
    return ", ".join(f"unknown{number}: 1" for number in range(times))


def scored(score: str) -> str:
    return f"suite: s\n{GATES}probes: [{{id: a, question: b, score: {score}}}]\n"


HOSTILE = {
    "sound": (probes("{id: p%, category: c%, question: What is the number % of all?, answer: a%}", 8000), "8000 probes"),
    "rules": (probes("{id: p%, question: b, score: {check: {min_words: 3, not: {contains: x}}}}", 8000), "8000 probes"),
    "schemas": (probes("{id: p%, question: b, score: {json_schema: {required: [a%]}}}", 2000), "2000 probes"),
    "patterns": (probes("{id: p%, question: b, score: regex, answer: 'a%+b(c|d)'}", 5000), "5000 probes"),
    "keys of a suite": (f"{HEAD}{PROBE}" + "".join(f"unknown{n}: 1\n" for n in range(15_000)), "after 10,000 problems the rest was not read"),
    "keys of a probe": (probes(f"{{id: a, question: b, answer: c, {unknown(15_000)}}}", 1), "after 10,000 problems the rest was not read"),
    "keys of a task": (f"{HEAD}task: {{{unknown(5_000)}}}\n{PROBE}", "and 4,900 more problems"),
    "keys of all probes": (probes("{id: p%, qestion: b, anwser: c}", 9000), "did you mean 'answer'?"),
    "one key twice": (probes("{id: p%, id: b, question: why, answer: c}", 15_000), "the first is in line 5"),
    "long keys": (f"{HEAD}{PROBE}? {'k' * 500_000}\n: 1\n? {'gates' * 10_000}\n: 1\n", "unknown key 'kkk"),
    "one id": (probes("{id: p, question: why, answer: c}", 15_000), "repeated id 'p'"),
    "gates": (f"suite: s\nscore: contains\ngates:{listed('{over: each}', 10_000)}{PROBE}", "a second gate over 'each'"),
    "categories": (probes("{id: p%, category: c%, question: q%, answer: c}", 8000, HEAD.replace("all", "category")), "8000 probes"),
    "fields of a prompt": (
        probes("{id: p%, answer: c}", 1000, HEAD + "task: {prompt: '" + "".join(f"{{f{n}}}" for n in range(3000)) + "'}\n"),
        "after 10,000 problems the rest was not read",
    ),
    "shots": (
        probes("{id: p%, question: q%, answer: c}", 8000, f"{HEAD}task:\n  shots:{listed('  {question: q%, answer: a}', 8000)}"),
        "the prompts of a suite may have 200,000,000 characters together, saw 7,415,238,890",
    ),
    "a long prompt": (f"{HEAD}task: {{prompt: '{'{question}' * 50_000}'}}\nprobes: [{{id: a, question: {'x' * 400_000}, answer: c}}]\n", "together, saw 20,"),
    "answers": (probes("{id: a, question: b, answer: [" + "c," * 80_000 + "]}", 1), "a probe may have at most 1,000 answers, saw 80,000"),
    "a long number": (
        f"suite: s\ntask: {{answer: choose}}\n{GATES}probes: [{{id: a, question: b, choices: [c, d], answer: '{'9' * 5000}'}}]\n",
        "is not one of the choices",
    ),
    "an empty text among quotes": (
        made("\n      count: 1\n      draw:\n        a:\n          choice:\n            - | # \u201cx\n\n            - y\n      probe: {question: '{a}', answer: x}"),
        "1 probes",
    ),
    "stop texts": (f"{HEAD}task: {{stop: [{'x,' * 50_000}]}}\n{PROBE}", "a task may have at most 100 stop texts, saw 50,000"),
    "tokens": (f"{HEAD}task: {{max_new_tokens: {'9' * 300}}}\n{PROBE}", "'max_new_tokens' must be at most 1,000,000"),
    "tokens of reasoning": (f"{HEAD}task: {{thinking: {{max_tokens: 1000001}}}}\n{PROBE}", "'max_tokens' must be at most 1,000,000, saw 1000001"),
    "a long name": (f"{HEAD.replace('suite: s', 'suite: ' + 's' * 500_000)}{PROBE}", "'suite' must be a name of at most 500 characters"),
    "flow": ("suite: " + "[" * 500_000, "nested more than 40 levels deep"),
    "dashes": ("- " * 300_000, "nested more than 40 levels deep"),
    "checks in checks": (scored("{check: " + "{not: " * 30 + "{min_words: 1}" + "}" * 31), "1 probes"),
    "aliases": ("a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{'*' + chr(97 + n)}, {'*' + chr(97 + n)}]\n" for n in range(24)), "aliases expand to more than 10000 values"),
    "aliases of a text": (f"about: &a '{'x' * 100_000}'\nprobes:{listed('{id: p%, question: *a, answer: c}', 9000)}", "aliases expand to more than 4,000,000 characters"),
    "tags": ("".join(f"%TAG !a{n}! tag:x\n" for n in range(40_000)) + "---\na: 1\n", "more than 20 lines that begin with '%'"),
    "a filler": (made("{count: 1, draw: {a: {filler: 100000000}}, probe: {question: '{a}', answer: x}}"), "a filler may have at most 200,000 words, saw 100,000,000"),
    "fillers": (made("{count: 10000, draw: {a: {filler: 99999}}, probe: {question: '{a}', answer: x}}"), MADE),
    "made texts": (made("{count: 10000, probe: {question: '{\"ab\" * 100000}{n}', answer: x}}"), MADE),
    "a made text": (made("{count: 1, probe: {question: '" + "{\"a\" * 2000000}" * 50 + "', answer: x}}"), "at most 2,000,000 characters"),
    "made lists": (made("{count: 10000, draw: {a: {choice: [[" + "1," * 20_000 + "]]}}, probe: {question: '{n}', answer: x, choices: '{a}'}}"), MADE),
    "draws": (made("{count: 10000, draw: {" + ", ".join(f"a{n}: {{whole: [1, 9]}}" for n in range(10_000)) + "}, probe: {question: '{n}', answer: x}}"), MADE),
    "expressions": (made("{count: 10000, probe: {question: '" + "{n + n}" * 20_000 + "', answer: x}}"), MADE),
    "generators": (made("{count: 10000, probe: {question: '{n} x', answer: x}}", 500), "a suite may have at most 100,000 probes, and this one has more"),
    "a power": (made("{count: 1, probe: {question: '{9**9**9}', answer: x}}"), "'9 ** 9 ** 9' is not allowed"),
    "products": (made("{count: 1, probe: {question: '{" + "*".join(["9" * 17] * 50) + "}', answer: x}}"), "a number of more than 400 digits"),
    "a long expression": (made("{count: 1, probe: {question: '{" + "1+" * 100_000 + "1}', answer: x}}"), "an expression may have at most 1,000 characters, saw 200,001"),
    "places": (made("{count: 1, probe: {question: '{round(n, -999999999)}', answer: x}}"), "'round' takes at most 400 places, saw -999999999"),
    "a width": (made("{count: 1, probe: {question: '{n:1000000000}', answer: x}}"), "is not an expression"),
    "a width in a prompt": (f"{HEAD}task: {{prompt: '{{question:1000000000}}'}}\n{PROBE}", "is not a plain field name"),
    "braces": (made("{count: 1, probe: {question: '" + "{" * 100_001 + "', answer: x}}"), "a single '{'"),
    "a pattern that is long to read": (scored("regex, answer: '(?i)" + "[\\x00-\\uffff]" * 700 + "'"), "this regular expression does not finish"),
    "a pattern that is long to try": (scored("regex, answer: '(?:(?=)|(?!x)){40}(?=z)'"), "this regular expression does not finish"),
    "a long pattern": (scored("regex, answer: '" + "(" * 60_000 + "a" + ")" * 60_000 + "'"), "a regular expression may have 100,000 characters, and this one has 120,001"),
    "a pattern in a check": (scored("{check: {regex: '(?i)" + "[\\x00-\\uffff]" * 700 + "'}}"), "this regular expression does not finish"),
    "a pattern in a schema": (scored("{json_schema: {pattern: '(?i)" + "[\\x00-\\uffff]" * 700 + "'}}"), "this json_schema does not finish"),
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What reading each suite came to, by its name."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (text, _) in HOSTILE.items():
        assert len(text) <= 1_100_000, name
        (folder / f"{name}.yaml").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", READER, *(f"{name}.yaml" for name in HOSTILE)],
        capture_output=True, text=True, check=False, cwd=folder, timeout=600,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0), done.stdout[-300:]
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        found |= json.loads(line)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="memory cannot be bounded there")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_suite_ends_in_words(ended, name):
    said = ended[name]
    assert HOSTILE[name][1] in said
    assert len(said) < 250_000


def test_so_many_problems_are_told_and_the_rest_is_counted(problems):
    told = problems(probes("{id: p%, question: why, answer: ''}", 150)).splitlines()
    assert len(told) == 101
    assert told[-1] == "and 50 more problems"


def test_there_is_an_end_to_problems(problems):
    lines = problems(probes("{id: p%, question: why, answer: ''}", MOST_PROBLEMS + 1)).splitlines()
    assert lines[-2:] == ["and 9,900 more problems", "after 10,000 problems the rest was not read"]


def test_problems_that_are_alike_are_told_as_one(problems):
    assert problems(probes("{id: p%, qestion: why, answer: b}", 2000)) == (
        "5:14: unknown key 'qestion' in a probe: the prompt does not use it; so in 1,999 more places: lines 6, 7, 8, 9, 10, "
        "11, 12, 13 and 1,991 more\n  did you mean 'question'?"
    )


def test_a_suite_may_have_only_so_many_probes(problems, monkeypatch):
    monkeypatch.setattr("harness.suites.read.MOST_PROBES", 3)
    assert problems(probes("{id: p%, question: why, answer: c}", 4)) == (
        "1:1: a suite may have at most 3 probes, and this one has more\n"
        "  take a part of the data: 'sample' under 'probes_from', 'count' under 'generators'"
    )


def test_a_file_may_have_only_so_many_values(problems):
    assert problems(f"{HEAD}x: [{'[],' * 1_000_000}]\n{PROBE}") == (
        "4:4: more than 1,000,000 values\n"
        "  put the probes into a data file, which may be larger: 'probes_from: probes.jsonl'"
    )


def test_a_file_may_have_only_so_many_bytes(problems):
    assert problems(f"{HEAD}{PROBE}# {'x' * (32 << 20)}") == (
        " cannot be read: it is larger than 32 MB; use a part of it\n"
        "  put the probes into a data file, which may be larger: 'probes_from: probes.jsonl'"
    )


def test_a_long_value_is_shown_in_part(problems):
    said = problems(f"{HEAD}{PROBE}? {'k' * 900}{'j' * 10_000}\n: 1\n")
    assert said == f"5:3: unknown key '{'k' * 487} ... {'j' * 488}' in a suite"


def test_lint_ends_in_2_and_counts_all(tmp_path):
    (tmp_path / "a.yaml").write_text(probes("{id: p%, question: b, answer: ''}", 4000))
    done = subprocess.run(
        [sys.executable, "-m", "harness", "lint", "a.yaml"],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[-2:] == ["and 3,900 more problems", "4,000 problems"]
