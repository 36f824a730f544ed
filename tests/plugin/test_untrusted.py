"""What models and suites say is untrusted: nothing of it reaches a terminal, a log, XML or JSON but as visible text."""

from __future__ import annotations

import json
import os
import unicodedata
import xml.etree.ElementTree as ET

import pytest

from tests.support.project import said

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
    "Azure": "##vso[task.setvariable variable=a]b",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07",
    "link": "\x1b]8;;http://a\x1b\\b",
    "device": "\x1bP+q544e\x1b\\",
    "zero width": "a\u200bb\u2060c\u034fd",
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


# What a suite says

NAME = "s\x1b\u202e\u200b\x9b"
SUITE = r"""
suite: "s\x1b\u202e\u200b\x9b"
about: "x\e[31m\u202e"
score: mentions
gates: [{over: each}, {over: category, max_drop: 0.1, on_inconclusive: fail}, {over: all, max_drop: 0.1}]
probes:
  - {id: "a\x1b\a\u202e\u200b\0\x9b", category: "c\e2J\u2066\x9bm\rFAKE\u2028FAKE", question: "A\e[31m\n::error::x\nFAKE",
     answer: ["yes", "x\e[31m\n::warning::y\u2028z\nFAKE"]}
  - {id: "b\u200d", category: "日本", question: "##vso[task.complete]x", answer: [yes, سلام]}
"""
FILE = "h\x1b\n\u202e.yaml"
ENDINGS = {
    "failed": ("yes", "no", []),
    "skipped": ("no", "no", ["-rA"]),
    "warned": ("yes", "no", ["--fail-on", "critical"]),
    "an error": ("yes", None, []),
}


def characters(text):
    """Those of a text that should not be in it."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")} - {
        "\n",
        "\u200d",
    }


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("file", ["s.yaml", pytest.param(FILE, marks=pytest.mark.skipif(os.name != "posix", reason="no such names"))])  # fmt: skip
def test_no_text_of_a_suite_is_obeyed(project, ending, file):
    before, after, arguments = ENDINGS[ending]
    project.write(file, SUITE)
    project.models({"*": before}, {"*": after})
    result = project.run("-v", "-rA", "--junitxml", "out.xml", *arguments)
    text = said(result)
    assert "forgetting gate" in text
    assert characters(text) == set()
    lines = text.split("\n")
    assert not [line for line in lines if line.lstrip().startswith("::") or line.startswith("FAKE")]
    assert "##vso[" not in text
    xml = (project.path / "out.xml").read_text(encoding="utf-8")
    assert characters(xml) == set()
    names = {case.get("name") for case in ET.fromstring(xml).iter("testcase")}
    assert names >= {"probe[b\u200d]", "category[日本]"} or ending == "an error"
    raw = (project.path / "reports/latest/record.json").read_text(encoding="utf-8")
    assert characters(raw) == set()
    record = json.loads(raw)
    if ending != "an error":
        assert {row["suite"] for row in record["gates"]} == {NAME}
        assert record["probes"][1]["expected"] == ["yes", "سلام"]
        assert "سلام" in raw


@pytest.mark.skipif(os.name != "posix", reason="no such names")
@pytest.mark.parametrize("arguments", [[], ["-q"], ["-v"]])
def test_nor_where_cases_are_only_listed(project, arguments):
    project.write(FILE, SUITE)
    result = project.run("--collect-only", *arguments)
    assert result.ret == 0
    assert "probe[b\u200d]" in said(result)
    assert characters(said(result)) == set()


def test_a_suite_that_cannot_be_read(project):
    project.write("s.yaml", SUITE.replace("about:", '"k\\e[31m\\nFAKE":'))
    result = project.run("s.yaml")
    assert result.ret == 2
    assert characters(said(result)) == set()
    assert "s.yaml:3:1: unknown key 'k\\u001b[31m\\nFAKE' in a suite" in said(result)


def test_what_a_score_of_the_user_s_own_raises(project):
    project.models({"*": "yes"}, {"*": "yes"})
    conftest = (project.path / "conftest.py").read_text()
    project.write("conftest.py", conftest + """
from harness.scoring import scorer

@scorer("breaks")
def breaks(text):
    raise ValueError("\\x1b[31m\\n::error::\\u202e")
""")  # fmt: skip
    project.write(
        "s.yaml", "suite: s\nscore: breaks\ngates: [{over: each}]\nprobes: [{id: a, question: A?}]\n"
    )
    result = project.run("s.yaml", "-rA")
    assert result.ret == 4
    assert characters(said(result)) == set()
    assert not [line for line in said(result).split("\n") if line.lstrip().startswith("::")]
    assert characters((project.path / "reports/latest/record.json").read_text(encoding="utf-8")) == set()


def test_a_console_that_has_ascii_alone(project, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    project.write("s.yaml", SUITE)
    project.models({"*": "yes"}, {"*": "é 日本"})
    for arguments in (["-rA"], ["-s", "-v"]):
        result = project.run_alone("s.yaml", *arguments)
        assert result.ret == 1
        text = said(result)
        assert "Traceback" not in text
        assert "INTERNALERROR" not in text
        assert "xe9" in text
        assert text.isascii()


@pytest.mark.skipif(os.name != "posix", reason="locales of POSIX")
def test_a_locale_that_has_ascii_alone(project, monkeypatch):
    """In which pytest cannot put a name into the environment that is not in ASCII."""
    for name, value in {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    project.write("s.yaml", SUITE)
    project.models({"*": "yes"}, {"*": "yes"})
    result = project.run_alone("s.yaml", "-v")
    assert "UnicodeEncodeError" not in said(result)
    assert {row["slice"] for row in project.record()["gates"]} >= {"category[日本]", "probe[b\u200d]"}
