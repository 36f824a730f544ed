"""What is weak in a suite is found once, until the suite or the code that looks for it changes."""

from __future__ import annotations

import pytest

from harness.authoring import lint_rules, linted
from harness.authoring.linted import weaknesses_of
from harness.scoring import SCORERS, load_scorers, scorer
from harness.scoring.text import Mentions
from harness.suites.read import read_suite

SUITE = """\
suite: capitals
task: {prompt: "{question}"}
score: SCORE
gates: [{over: all, max_drop: 0.5}]
probes:
  - {id: a, question: "What is the capital of France, Paris?", answer: Paris}
  - {id: b, question: "What is the capital of France, Paris then?", answer: Paris}
"""


@pytest.fixture
def looked_at(monkeypatch):
    """The names of the suites that were looked through."""
    names = []
    look = lint_rules.weaknesses

    def counted(suite, **how):
        names.append(suite.name)
        return look(suite, **how)

    monkeypatch.setattr(lint_rules, "weaknesses", counted)
    return names


@pytest.fixture
def lint(tmp_path, monkeypatch, looked_at):
    """Lint a suite; gives its weaknesses and how often it was looked through."""
    monkeypatch.setenv("FORGETTING_GATE_STORE", str(tmp_path / "answers.db"))

    def lint(score="mentions", change=("", ""), battery=True):
        looked_at.clear()
        path = tmp_path / "capitals.yaml"
        path.write_text(SUITE.replace("SCORE", score).replace(*change), encoding="utf-8")
        found = list(weaknesses_of([read_suite(path, load_scorers())], with_battery=battery))
        return found, len(looked_at)

    return lint


def test_an_unchanged_suite_is_looked_through_once(lint):
    found, times = lint()
    assert (len(found) > 1, times) == (True, 1)
    again, times = lint()
    assert ([*map(vars_of, again)], times) == ([*map(vars_of, found)], 0)


def vars_of(problem):
    return problem.span, problem.message, problem.hint, problem.alike, problem.text


@pytest.mark.parametrize(
    "changed",
    [
        {"change": ("of France, Paris then", "of France, Paris now")},
        {"change": ("probes:", "# a line more\nprobes:")},
        {"change": ("max_drop: 0.5", "max_drop: 0.2")},
        {"score": "contains"},
        {"score": "{mentions: {denied: true}}"},
        {"battery": False},
    ],
)
def test_what_changed_is_looked_through_again(lint, changed):
    lint()
    assert lint(**changed)[1] == 1


def test_other_code_looks_again(lint, monkeypatch):
    lint()
    monkeypatch.setattr(linted, "code_digest", lambda *rooms: "of another version")
    assert lint()[1] == 1


def test_scores_of_the_users_own_are_tried_every_time(lint):
    try:

        @scorer("own-of-linted")
        class Own(Mentions):
            pass

        lint("own-of-linted")
        assert lint("own-of-linted")[1] == 1
    finally:
        SCORERS.pop("own-of-linted", None)


def test_a_store_that_is_off_or_broken_is_done_without(lint, monkeypatch, tmp_path):
    monkeypatch.setenv("FORGETTING_GATE_STORE", "off")
    found, _ = lint()
    assert lint()[1] == 1
    (tmp_path / "broken.db").write_text("this is no database, and much too long for one that is empty" * 50)
    monkeypatch.setenv("FORGETTING_GATE_STORE", str(tmp_path / "broken.db"))
    assert ([*map(vars_of, lint()[0])], lint()[1]) == ([*map(vars_of, found)], 1)
