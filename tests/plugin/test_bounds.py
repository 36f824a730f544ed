"""What a suite or a model may take of a run's time: a pattern without an end stops it, and many cases take no longer each."""

from __future__ import annotations

import pytest

from tests.support.project import not_green, said

SUITE = """suite: s
score: regex
gates: [{over: each}]
probes:
  - {id: a, question: Why?, answer: '(x+x+)+y'}
  - {id: b, question: How?, answer: x}
"""


@pytest.mark.parametrize("side", ["baseline", "tuned"])
def test_a_pattern_without_an_end_decides_nothing(project, side):
    project.write("s.yaml", SUITE)
    project.models({"*": "x"}, {"*": "x"})
    project.models(**{"baseline": {}, "tuned": {}, side: {"Why?": "x" * 60}})
    result = project.run("s.yaml")
    text = not_green(result)
    assert result.ret == 4
    assert "s.yaml:5:5: the score 'regex' cannot judge the probe 'a'" in text
    assert "the regular expression '(x+x+)+y' does not finish: it was stopped after 1 s" in text
    assert "write a simpler one, without a repeat inside a repeat" in text
    assert "no gate was decided, so this run says nothing about the model" in text


def test_a_pattern_that_takes_too_long_to_read_is_an_error_of_the_suite(project):
    project.write("s.yaml", SUITE.replace("(x+x+)+y", "(?i)" + "[\\x00-\\uffff]" * 700))
    project.models({"*": "x"}, {"*": "x"})
    result = project.run("s.yaml")
    text = not_green(result)
    assert result.ret == 2
    assert "s.yaml:5:29: this regular expression does not finish" in text


def test_of_many_problems_the_first_are_told(project):
    probes = "".join(f"  - {{id: p{n}, q{n}: Why?}}\n" for n in range(2000))
    project.write("s.yaml", f"suite: s\nscore: contains\ngates: [{{over: each}}]\nprobes:\n{probes}")
    project.models({"*": "x"}, {"*": "x"})
    result = project.run("s.yaml")
    assert result.ret == 2
    assert len(not_green(result).splitlines()) < 400
    assert "and 1,902 more problems" in said(result)


def test_many_cases_ask_their_probes_once(project):
    number = 600
    project.capability("[{over: each}, {over: all, max_drop: 0.1}]", (number, 0, 0, 0))
    result = project.run("-q", "general.yaml")
    assert result.ret == 0, said(result)
    assert len(project.asked("tuned")) == len(project.asked("baseline")) == number
