"""What a probe shows a model: prompts, shots and the kinds of request."""

from __future__ import annotations

import pytest

from harness.engine.prompts import prompt, request, under
from harness.engine.requests import Chat, Generate, Message, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.settings import Settings
from harness.scoring import SCORERS
from harness.suites.suite import MarginGate, Probe, Shot, Suite, Task
from harness.suites.template import fill, template_fields

SHOTS = (Shot({"question": "One?"}, "1"), Shot({"question": "Two?"}, "2"))
PROBE = Probe("p", SCORERS["mentions"](), {"question": "Why?"}, ("b",), choices=("b", "c"), text="Hello.")


def suite_asking(task: Task) -> Suite:
    return Suite("s", (MarginGate(over="all", max_drop=0.1),), (PROBE,), task=task)


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
        (Task(answer="choose"), MultipleChoice(Chat((Message("user", "Why?"),)), ("b", "c"))),
        (Task("text", answer="choose"), MultipleChoice(Plain("Why?"), (" b", " c"))),
        (Task("text", answer="likelihood", prompt="{gone}"), RollingLogLikelihood("Hello.")),
    ],
)
def test_requests(task, expected):
    assert request(suite_asking(task), PROBE) == expected


def test_the_same_probe_makes_the_same_request():
    assert hash(request(suite_asking(Task()), PROBE)) == hash(request(suite_asking(Task()), PROBE))


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


def test_what_templates_are_given_is_part_of_the_prompt():
    given = (("enable_thinking", "false"),)
    asked = request(suite_asking(Task(template=given, thinking_tokens=9)), PROBE)
    assert asked == Generate(Chat((Message("user", "Why?"),), given), 64, (), 9)
    assert asked != request(suite_asking(Task()), PROBE)
    assert len({asked, request(suite_asking(Task(template=given, thinking_tokens=9)), PROBE)}) == 1


def test_a_runs_settings_go_before_the_suites():
    settings = Settings(template_arguments=(("a", "1"), ("c", "3")), thinking_tokens=7)
    task = under(suite_asking(Task(template=(("a", "0"), ("b", "2")), thinking_tokens=9)), settings).task
    assert (task.template, task.thinking_tokens) == ((("a", "1"), ("b", "2"), ("c", "3")), 7)
    assert under(suite_asking(Task(thinking_tokens=9)), Settings()).task == Task(thinking_tokens=9)
    text = under(suite_asking(Task("text", answer="choose")), settings).task
    assert (text.template, text.thinking_tokens) == ((), None)
