"""What a model writes is untrusted: nothing of it reaches a terminal, a log or XML as anything but visible text."""

from __future__ import annotations

import json
import unicodedata

import pytest

from .project import said

NASTY = {
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;owned\x07",
    "clear": "\x1b[2J\x1b[H",
    "c1": "\x9b31m",
    "backspaces": "abc\b\b\bxyz",
    "NUL": "a\x00b",
    "line": "a\nFAKE PASSED\n=== 1 passed ===",
    "return": "secret\rPASSED",
    "right-to-left": "a\u202eb\u2066c",
    "separator": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "markup": "[red]x[/red] <script>alert(1)</script> ]]> & %s {0} {x}",
    "surrogate": "\ud83d",
    "byte order mark": "\ufeffa",
    "tag characters": "a\U000e0041",
    "workflow": "::error file=x::y\n::set-output name=a::b\n",
    "long": "x" * 100_000,
}
GATES = "[{over: all, max_drop: 0.0}, {over: each}]"


def shown(project, text, *arguments):
    project.write("s.yaml", f"suite: s\nscore: equals\ngates: {GATES}\n"
                  "probes: [{id: a, question: A?, answer: yes}]\n")  # fmt: skip
    project.models({"*": "yes"}, {"*": text})
    return project.run(*arguments)


@pytest.mark.parametrize("name", sorted(NASTY))
def test_nothing_that_a_terminal_would_obey_is_printed(project, name):
    result = shown(project, NASTY[name], "-rA", "--strict", "-vv", "--junitxml", "out.xml")
    assert result.ret == 1
    text = said(result)
    control = {
        c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and c != "\n"
    }
    assert control == set()
    assert max(map(len, text.splitlines())) < 400
    assert not any(line.startswith(("::", "FAKE", "PASSED", "=== 1 passed")) for line in text.splitlines())


def test_how_it_is_shown(project):
    result = shown(project, "\x1b[31mDRUG\n\tX\x00", "--strict")
    assert '  tuned     "\\u001b[31mDRUG\\n\\tX\\u0000"' in said(result)


@pytest.mark.parametrize("name", sorted(NASTY))
def test_the_record_holds_it_as_it_was(project, name):
    shown(project, NASTY[name])
    raw = (project.path / "reports/latest/record.json").read_bytes()
    assert b"\x1b" not in raw
    answer = json.loads(raw)["probes"][0]["tuned"]["answer"]
    assert answer == ("\\ud83d" if name == "surrogate" else NASTY[name])


def test_a_warning_is_as_careful(project):
    project.write("s.yaml", "suite: s\nscore: equals\nseverity: low\ngates: [{over: each}]\n"
                  "probes: [{id: a, question: A?, answer: yes}]\n")  # fmt: skip
    project.models({"*": "yes"}, {"*": NASTY["clear"]})
    result = project.run("--fail-on", "high")
    assert result.ret == 0
    text = said(result)
    assert "\x1b" not in text
    assert '"\\u001b[2J\\u001b[H"' in text


def test_what_a_model_writes_is_never_a_template(project):
    """Braces and percent signs in an answer are text, in prompts and in messages."""
    result = shown(project, "{question} {0.__class__} %(x)s %d")
    assert '"{question} {0.__class__} %(x)s %d"' in said(result)


def test_workers_send_it_as_safely(project):
    pytest.importorskip("xdist")
    result = shown(project, NASTY["surrogate"] + NASTY["colour"], "-p", "xdist", "-n", "1", "--strict")
    assert result.ret == 1
    assert "\x1b" not in said(result)
    assert project.record()["probes"][0]["tuned"]["answer"] == "\\ud83d\x1b[31mred\x1b[0m"
