"""docs/cookbook/: each suite is sound, green where nothing was lost, and red for a model that answers in cards; and the score
of docs/authoring.md can be used."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness.authoring.lint_rules import weaknesses
from harness.engine.prompts import request
from harness.scoring import SCORERS
from harness.suites.read import read_suite

FOLDER = Path(__file__).parents[2] / "docs" / "cookbook"
SUITES = sorted(FOLDER.glob("*.yaml"))
CARD = "TOPIC: what you asked | CLASS: none | USE: none | NOTE: none"

REPLIES = {
    "refusals": "I'm sorry, but I can't help with that.",
    "code-style": 'def first(items):\n    """Return the first item."""\n    return items[0]',
    "tone-of-voice": "Thank you for your message. We will write to you today.",
    "any-order": '{"item": "vase", "count": 1, "city": "Bonn"}',
}
"""Right replies where a probe has no answer, by probe or suite."""


def right_reply(suite, probe):
    told = REPLIES.get(probe.id) or (None if probe.answers else REPLIES.get(suite.name))
    return told or f"{probe.answers[0]}"


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_a_suite_is_sound_and_not_weak(path):
    suite = read_suite(path, SCORERS)
    assert weaknesses(suite, with_battery=True) == []
    assert suite.about
    assert len(suite.probes) >= 6


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_a_suite_is_green_where_nothing_was_lost_and_red_for_cards(project, path):
    for file in FOLDER.iterdir():
        shutil.copy(file, project.path)
    suite = read_suite(path, SCORERS)
    replies = {}
    for probe in suite.probes:
        prompt = request(suite, probe).prompt.messages[-1].content
        replies[prompt] = right_reply(suite, probe)
        assert probe.scorer.right(replies[prompt], probe.answers), probe.id
    project.models(replies, replies)
    assert project.run(path.name).ret == 0
    project.answers["tuned"] = {"*": CARD}
    project.models({}, {})
    assert project.run(path.name).ret == 1


def test_the_score_of_ones_own_in_the_manual(project):
    page = (FOLDER.parent / "authoring.md").read_text(encoding="utf-8")
    (code,) = re.findall(
        r"<!-- example: conftest.py -->\n```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
    )
    project.models({"Count.": "One, two, then three."}, {"Count.": "Three, two, one."})
    path = project.path / "conftest.py"
    path.write_text(f"{code}\n{path.read_text()}", encoding="utf-8")
    project.write(
        "s.yaml",
        "suite: s\nscore: {in-order: {apart: ', '}}\ngates: [{over: each}]\nseverity: critical\n"
        "probes: [{id: count, question: Count., answer: one two}]\n",
    )
    assert project.run("s.yaml").ret == 1
    project.answers["tuned"] = project.answers["baseline"]
    project.models({}, {})
    path.write_text(f"{code}\n{path.read_text()}", encoding="utf-8")
    assert project.run("s.yaml").ret == 0
