"""What a probe shows a model: prompts, shots and the kinds of request."""

from __future__ import annotations

import pytest

from harness.engine.planning import prompt, request
from harness.engine.requests import Chat, Choose, Generate, Measure, Message, Plain
from harness.scoring import SCORERS
from harness.suites.suite import Gate, Probe, Shot, Suite, Task
from harness.suites.template import fill, template_fields

SHOTS = (Shot({"question": "One?"}, "1"), Shot({"question": "Two?"}, "2"))
PROBE = Probe("p", SCORERS["mentions"](), {"question": "Why?"}, ("b",), choices=("b", "c"), text="Hello.")


def suite(task: Task) -> Suite:
    return Suite("s", (Gate("all", 0.1),), (PROBE,), task=task)


def test_chat():
    assert prompt(Task(), PROBE) == Chat((Message("user", "Why?"),))


def test_chat_with_a_system_message_and_shots_as_earlier_turns():
    assert prompt(Task(system="Be brief.", prompt="Q: {question}", shots=SHOTS), PROBE) == Chat(
        (
            Message("system", "Be brief."),
            Message("user", "Q: One?"),
            Message("assistant", "1"),
            Message("user", "Q: Two?"),
            Message("assistant", "2"),
            Message("user", "Q: Why?"),
        )
    )


def test_text_with_shots():
    task = Task("text", prompt="Q: {question}\nA:", shots=SHOTS)
    assert prompt(task, PROBE) == Plain("Q: One?\nA: 1\n\nQ: Two?\nA: 2\n\nQ: Why?\nA:")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (
            Task(max_new_tokens=5, stop=("\n",)),
            Generate(Chat((Message("user", "Why?"),)), 5, ("\n",)),
        ),
        (Task(answer="choose"), Choose(Chat((Message("user", "Why?"),)), ("b", "c"))),
        (Task("text", answer="choose"), Choose(Plain("Why?"), (" b", " c"))),
        (Task("text", answer="likelihood", prompt="{gone}"), Measure("Hello.")),
    ],
)
def test_requests(task, expected):
    assert request(suite(task), PROBE) == expected


def test_the_same_probe_makes_the_same_request():
    assert hash(request(suite(Task()), PROBE)) == hash(request(suite(Task()), PROBE))


@pytest.mark.parametrize(
    ("template", "fields", "filled"),
    [
        ("{a} and {b}", ("a", "b"), "1 and {a}"),
        ("{a}{a}", ("a",), "11"),
        ("{{a}} {a}", ("a",), "{a} 1"),
        ("no fields", (), "no fields"),
        ("", (), ""),
        ("{größe}", ("größe",), "x"),
    ],
)
def test_values_are_never_read_as_templates(template, fields, filled):
    assert template_fields(template) == fields
    assert fill(template, {"a": "1", "b": "{a}", "größe": "x"}) == filled
