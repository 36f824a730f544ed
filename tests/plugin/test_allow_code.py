"""--allow-code: suites that run what a model wrote are refused without it, by name, and judged with it."""

from __future__ import annotations

import pytest

import harness.scoring.python as python
from tests.support.project import SMALL, not_green, said

needs_confining = pytest.mark.skipif(python.refusal() is not None, reason=str(python.refusal()))

SUITE = """\
suite: coding
gates:
  - {over: all, max_drop: 0.1}
  - {over: each}
probes:
  - {id: double, question: double?, score: {python: {tests: [assert double(2) == 4], timeout: 30}}}
  - {id: halve, severity: critical, question: halve?, score: {python: {tests: [assert halve(4) == 2], timeout: 30}}}
  - {id: word, question: word?, answer: def, score: mentions}
"""
DOUBLE = "```python\ndef double(n):\n    return 2 * n\n```"
HALVE = "def halve(n):\n    return n // 2\n"
REFUSED = (
    "coding.yaml:6:5: the suite 'coding' runs code that a model wrote: the probe 'double' has the score 'python'\n"
    "  allow it: --allow-code (it runs confined: no network, no other process, no file but its own)\n"
    "  or leave the suite out: --deselect coding.yaml"
)


@pytest.fixture
def coding(project, monkeypatch):
    """A suite with code, whose runner leaves a mark when it is started; the tuned model no longer halves."""
    mark = f"open({str(project.path / 'ran.txt')!r}, 'a').close()\n"
    source = python.RUNNER.read_text(encoding="utf-8").replace("import ctypes\n", f"import ctypes\n{mark}", 1)
    monkeypatch.setattr(python, "RUNNER", project.write("runner.py", source))
    answers = {"double?": DOUBLE, "halve?": HALVE, "word?": "def"}
    project.models(answers, answers | {"halve?": "def halve(n): return n"})
    project.write("coding.yaml", SUITE)
    return project


def has_run(project):
    return (project.path / "ran.txt").exists()


def test_without_permission_it_is_a_usage_error(coding):
    result = coding.run()
    assert result.ret == 4
    assert REFUSED in not_green(result)
    assert not has_run(coding)
    assert coding.asked("tuned") == []


def test_beside_other_suites_it_is_left_out_and_that_is_said(coding):
    coding.write("a.yaml", SMALL)
    coding.models({"Why?": "yes"}, {"Why?": "yes"})
    result = coding.run()
    assert result.ret == 0
    note = "coding: left out, because it runs code that a model wrote; include it with --allow-code"
    assert note in said(result)
    assert coding.record()["run"]["notes"] == [note]
    assert coding.asked("tuned") == ["Why?"]


@pytest.mark.parametrize("arguments", [[], ["."], ["low"], [".", "low/a.yaml"]])
def test_it_may_be_left_out_only_where_it_came_along_with_a_folder(coding, arguments):
    coding.write("low/a.yaml", SMALL)
    (coding.path / "coding.yaml").rename(coding.path / "low/coding.yaml")
    coding.models({"Why?": "yes"}, {"Why?": "yes"})
    result = coding.run(*arguments)
    assert result.ret == 0, said(result)
    assert "coding: left out, because it runs code that a model wrote" in said(result)
    assert coding.asked("tuned") == ["Why?"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["coding.yaml", "a.yaml"],
        ["a.yaml", "coding.yaml"],
        ["coding.yaml::probe[double]", "a.yaml"],
        ["coding.yaml::all", "a.yaml::probe[a]"],
        ["low/../coding.yaml", "low"],
        [".", "coding.yaml"],
        ["coding.yaml", "."],
        ["--suite", "coding", "--suite", "small"],
        ["--suite", "small", "--suite", "coding", "."],
        ["coding.yaml", "a.yaml", "--suite", "coding", "--suite", "small"],
        ["-c", "named.ini"],
    ],
)
def test_where_it_is_named_it_is_refused_beside_others_too(coding, arguments):
    coding.write("a.yaml", SMALL)
    coding.write("low/b.yaml", SMALL.replace("suite: small", "suite: low"))
    coding.write("named.ini", "[pytest]\ntestpaths = a.yaml coding.yaml\n")
    coding.models({"Why?": "yes"}, {"Why?": "yes"})
    result = coding.run(*arguments)
    assert result.ret == 4, said(result)
    assert REFUSED in not_green(result)
    assert not has_run(coding)
    assert coding.asked("tuned") == []


def test_of_a_named_suite_a_case_that_runs_no_code_is_asked_beside_others(coding):
    coding.write("a.yaml", SMALL)
    coding.models({"Why?": "yes"}, {"Why?": "yes"})
    result = coding.run("coding.yaml::probe[word]", "a.yaml")
    assert result.ret == 0, said(result)
    assert sorted(coding.asked("tuned")) == ["Why?", "word?"]
    assert "left out" not in said(result)


def test_workers_refuse_what_is_named_too(coding):
    pytest.importorskip("xdist")
    coding.write("a.yaml", SMALL)
    coding.models({"Why?": "yes"}, {"Why?": "yes"})
    result = coding.run("-p", "xdist", "-n", "2", "coding.yaml", "a.yaml")
    assert "runs code that a model wrote" in not_green(result)
    assert not has_run(coding)


@needs_confining
def test_with_permission_it_is_judged(coding):
    assert coding.run("--allow-code").ret == 1
    outcomes = coding.outcomes()
    assert outcomes["coding probe[double]"] == ("RETAINED", "passed")
    assert outcomes["coding probe[halve]"] == ("FORGOTTEN", "failed")
    assert outcomes["coding probe[word]"] == ("RETAINED", "passed")
    assert has_run(coding)


@needs_confining
def test_what_is_expected_is_shown(coding):
    text = said(coding.run("--allow-code"))
    assert 'expected  python {"tests": ["assert halve(4) == 2"], "timeout": 30.0}' in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["-k", "small or word"],
        ["--deselect", "coding.yaml"],
        ["a.yaml"],
        ["coding.yaml::probe[word]"],
        ["--ignore", "coding.yaml"],
    ],
)
def test_it_is_not_needed_where_no_code_would_run(coding, arguments):
    coding.write("a.yaml", SMALL)
    coding.models({"Why?": "yes"}, {"Why?": "yes"})
    result = coding.run(*arguments)
    assert result.ret == 0, said(result)
    assert not has_run(coding)


@pytest.mark.parametrize("arguments", [["-k", "halve"], ["coding.yaml::all"], ["-m", "high"]])
def test_it_is_needed_where_some_would(coding, arguments):
    result = coding.run(*arguments)
    assert result.ret == 4
    assert "runs code that a model wrote" in not_green(result)


def test_collecting_needs_no_permission(coding):
    result = coding.run("--collect-only", "-q")
    assert result.ret == 0
    assert "coding.yaml::probe[double]" in result.outlines


def test_workers_refuse_too(coding):
    pytest.importorskip("xdist")
    result = coding.run("-p", "xdist", "-n", "2")
    assert "runs code that a model wrote" in not_green(result)
    assert not has_run(coding)


@needs_confining
def test_workers_are_permitted_too(coding):
    pytest.importorskip("xdist")
    result = coding.run("-p", "xdist", "-n", "2", "--allow-code")
    assert result.ret == 1, said(result)
    assert coding.outcomes()["coding probe[double]"] == ("RETAINED", "passed")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "_RESTRICT_SELF = 444, ",
            "_RESTRICT_SELF = 1444, ",
            "this kernel has no Landlock, or it is switched off",
        ),
        ("_MODE_FILTER = 2\n", "_MODE_FILTER = 99\n", "this kernel filters no system calls (seccomp)"),
    ],
)
def test_where_code_cannot_be_confined_it_is_refused_before_a_model_is_asked(
    coding, monkeypatch, old, new, reason
):
    python.refusal.cache_clear()
    source = python.RUNNER.read_text(encoding="utf-8")
    assert source.count(old) == 1
    python.RUNNER.write_text(source.replace(old, new), encoding="utf-8")
    result = coding.run("--allow-code")
    python.refusal.cache_clear()
    text = not_green(result)
    assert result.ret == 4
    assert f"{REFUSED.splitlines()[0]}\n  an answer's code cannot be confined here: {reason}" in text
    assert "  leave the suite out: --deselect coding.yaml" in text
    assert coding.asked("tuned") == []
