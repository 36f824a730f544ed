"""Scores from the user's conftest.py: by name in YAML, checked, in every worker, and never green when they break."""

from __future__ import annotations

import pytest

from harness.cli.main import main
from tests.support.project import CONFTEST, not_green, said

SCORES = '''
from typing import Literal

from harness.scoring import Scorer, scorer


@scorer("shouts")
class Shouts(Scorer):
    """The answer in capitals, with so many exclamation marks."""

    least: int = 1

    def right(self, text, expected):
        return any(one.upper() in text for one in expected) and text.count("!") >= self.least


@scorer("polite")
def polite(text: str, *, word: str = "please", side: Literal["start", "end"] = "end") -> bool:
    return text.startswith(word) if side == "start" else text.endswith(word)
'''
SUITE = """\
suite: tone
score: {shouts: {least: 2}}
gates:
  - {over: all, max_drop: 0.1}
  - {over: each}
probes:
  - {id: loud, question: Loud?, answer: yes}
  - {id: quiet, question: Quiet?, answer: yes, severity: critical}
  - {id: kind, question: Kind?, score: {polite: {word: thanks}}}
"""
ANSWERS = {"Loud?": "YES!!", "Quiet?": "YES!!!", "Kind?": "Well, thanks"}


@pytest.fixture
def tone(project):
    project.write("tone.yaml", SUITE)
    project.models(ANSWERS, ANSWERS | {"Quiet?": "yes..."})
    project.write("conftest.py", CONFTEST + SCORES)
    return project


def test_scores_of_the_conftest_judge(tone):
    assert tone.run().ret == 1
    assert tone.outcomes() == {
        "tone all": ("INCONCLUSIVE", "skipped"),
        "tone probe[loud]": ("RETAINED", "passed"),
        "tone probe[quiet]": ("FORGOTTEN", "failed"),
        "tone probe[kind]": ("RETAINED", "passed"),
    }


def test_they_are_checked_as_the_built_in_ones_are(tone):
    tone.write(
        "tone.yaml",
        SUITE.replace("least: 2", "leest: 2").replace("{word: thanks}", "{side: begin, words: x}"),
    )
    result = tone.run()
    assert result.ret == 2
    text = not_green(result)
    assert "tone.yaml:2:18: unknown key 'leest' in the score 'shouts'\n  did you mean 'least'?" in text
    assert "tone.yaml:9:56: 'side' must be start or end, saw text 'begin'" in text
    assert "tone.yaml:9:63: unknown key 'words' in the score 'polite'\n  did you mean 'word'?" in text


def test_a_score_that_nobody_registered(tone):
    tone.write("conftest.py", CONFTEST)
    result = tone.run()
    assert result.ret == 2
    assert "tone.yaml:2:9: unknown score 'shouts'\n  there are: all, any, check, " in not_green(result)


def test_a_conftest_below_is_known_to_the_suites_there(tone):
    tone.write("conftest.py", CONFTEST)
    tone.write("low/conftest.py", SCORES)
    (tone.path / "tone.yaml").rename(tone.path / "low/tone.yaml")
    assert tone.run().ret == 1
    assert len(tone.outcomes()) == 4


def test_a_taken_name_stops_the_run(tone):
    tone.write("conftest.py", CONFTEST + SCORES.replace('"polite"', '"mentions"'))
    result = tone.run_alone()
    assert result.ret == 4
    assert "there is a score 'mentions' already, from " in said(result)
    assert not tone.has_record()


BREAKS = [
    ("raise ValueError('no vowel')", "it raised ValueError: no vowel (conftest.py:"),
    ("pytest.skip('not today')", "it raised Skipped: not today (conftest.py:"),
    ("raise SystemExit(0)", "it raised SystemExit: 0 (conftest.py:"),
    ("return None", "it must return True or False, returned NoneType"),
    ("return text.count('!')", "it must return True or False, returned int"),
    ("return 0.5", "it must return True or False, returned float"),
    ("return float('nan')", "it must return True or False, returned float"),
    ("import numpy; return numpy.bool_(True)", "it must return True or False, returned numpy.bool"),
]


@pytest.mark.parametrize(("body", "problem"), BREAKS)
def test_a_score_that_breaks_is_one_error(tone, body, problem):
    tone.write(
        "conftest.py", CONFTEST + SCORES.replace("        return any", f"        {body}\n        return any")
    )
    result = tone.run()
    assert result.ret == 4
    text = said(result)
    told = f"tone.yaml:7:5: the score 'shouts' cannot judge the probe 'loud'\n  {problem}"
    assert told in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    assert "passed" not in text.splitlines()[-1]
    record = tone.record()
    assert record["gates"] == []
    assert len(record["run"]["errors"]) == 1
    assert record["run"]["errors"][0].startswith(told)


def test_workers_know_them(tone):
    pytest.importorskip("xdist")
    result = tone.run("-p", "xdist", "-n", "2")
    assert result.ret == 1, said(result)
    assert tone.outcomes()["tone probe[quiet]"] == ("FORGOTTEN", "failed")
    assert tone.outcomes()["tone probe[kind]"] == ("RETAINED", "passed")


def test_a_score_that_breaks_in_a_worker(tone):
    pytest.importorskip("xdist")
    tone.write(
        "conftest.py", CONFTEST + SCORES.replace("        return any", "        1 / 0\n        return any")
    )
    result = tone.run("-p", "xdist", "-n", "2")
    assert result.ret == 4, said(result)
    assert "cannot judge the probe" in said(result)
    assert "Traceback" not in said(result)


@pytest.fixture
def lint(tone, capsys):
    """`python -m harness lint`: its exit code, its output and its errors."""

    def run(*arguments):
        code = main(["lint", *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    tone.write("scores/conftest.py", SCORES)
    return run


def test_lint_imports_no_code_unasked(lint):
    code, _, err = lint("tone.yaml")
    assert code == 2
    assert err.startswith("tone.yaml:2:9: unknown score 'shouts'\n  there are: all, any, check, ")
    assert err.endswith("\nfor scores that a conftest.py registers, add --conftest FILE\n2 problems\n")


def test_lint_knows_the_scores_of_a_conftest_that_is_named(lint):
    code, out, err = lint("tone.yaml", "--conftest", "scores/conftest.py")
    assert (code, "problem" in err) == (0, False)
    assert out.startswith("tone.yaml: tone, 3 probes")


def test_lint_checks_their_parameters(tone, lint):
    tone.write("tone.yaml", SUITE.replace("word: thanks", "wrod: thanks"))
    code, _, err = lint("--conftest", "scores/conftest.py", "tone.yaml")
    assert code == 2
    assert err.startswith(
        "tone.yaml:9:50: unknown key 'wrod' in the score 'polite'\n  did you mean 'word'?\n"
    )


def test_a_conftest_may_import_what_lies_beside_it(tone, lint):
    tone.write("scores/our_words.py", "WORDS = ['please']\n")
    tone.write("scores/conftest.py", "from our_words import WORDS\n" + SCORES)
    tone.write(
        "more/conftest.py",
        "from harness.scoring import scorer\n\n@scorer('whatever')\ndef any_text(text: str) -> bool:\n    return True\n",
    )
    tone.write(
        "b.yaml", "suite: b\nscore: whatever\ngates: [{over: each}]\nprobes: [{id: a, question: Why?}]\n"
    )
    code, _, err = lint(
        "tone.yaml", "b.yaml", "--conftest", "scores/conftest.py", "--conftest", "more/conftest.py"
    )
    assert (code, "problem" in err) == (0, False)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (None, "scores/conftest.py: no such file\n  --conftest takes the file that registers scores and engines\n"),
        ("import not_there_at_all\n", "scores/conftest.py:1: cannot be imported\n  ModuleNotFoundError: No module"),
        ("x = 1\n\n1 / 0\n", "scores/conftest.py:3: cannot be imported\n  ZeroDivisionError: division by zero\n"),
        ("x = 1\ndef f(:\n", "scores/conftest.py:2: cannot be imported\n  SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(0)\n", "scores/conftest.py:2: cannot be imported\n  SystemExit: 0\n"),
        (SCORES.replace('"polite"', '"equals"'),
         "scores/conftest.py:17: cannot be imported\n  ValueError: there is a score 'equals' already, from "),
    ],
)  # fmt: skip
def test_a_conftest_that_cannot_be_imported(tone, lint, source, problem):
    if source is None:
        (tone.path / "scores/conftest.py").unlink()
    else:
        tone.write("scores/conftest.py", source)
    code, out, err = lint("tone.yaml", "--conftest", "scores/conftest.py")
    assert (code, out) == (4, "")
    assert err.startswith(problem)
