"""What a suite or a command line gives to chat templates, and the room that it gives to reasoning."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError, SuiteError
from harness.scoring import SCORERS
from harness.suites.arguments import checked_arguments, read_arguments
from harness.suites.read import read_suite

TASK = "suite: s\nscore: mentions\ntask:\n{}gates: [{{over: each}}]\nprobes: [{{id: a, question: Why?, answer: b}}]\n"


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def suite(*lines: str, probe: str = ""):
        path = tmp_path / "s.yaml"
        text = TASK.format("".join(f"  {line}\n" for line in lines))
        path.write_text(text.replace("question: Why?, answer: b", probe) if probe else text, encoding="utf-8")
        return read_suite(path, SCORERS)

    return suite


def test_arguments_and_room_are_read(read):
    task = read(
        "template: {enable_thinking: false, effort: low, n: 2, t: 0.5, nil: null, listed: [a, 1, [true]]}",
        "thinking: {max_tokens: 512}",
    ).task
    assert task.template == (
        ("effort", '"low"'), ("enable_thinking", "false"), ("listed", '["a", 1, [true]]'), ("n", "2"), ("nil", "null"), ("t", "0.5"),
    )  # fmt: skip
    assert task.thinking_tokens == 512
    assert read("template: {b: 1, a: 2}").task == read("template: {a: 2, b: 1}").task


def test_without_a_word_there_are_none(read):
    task = read("stop: []").task
    assert (task.template, task.thinking_tokens) == ((), None)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["template:", "  enable_thinking: false", "  messages: []"],
            "s.yaml:6:5: 'messages' cannot be set: every chat is rendered with its own",
        ),
        (["template: {tokenize: true}"], "s.yaml:4:14: 'tokenize' cannot be set"),
        (["template: {add_generation_prompt: false}"], "s.yaml:4:14: 'add_generation_prompt' cannot be set"),
        (["template: {range: 1}"], "s.yaml:4:14: 'range' cannot be the name of a chat template's argument"),
        (["template: {no name: 1}"], "s.yaml:4:14: 'no name' cannot be the name"),
        (["template: {a: {b: 1}}"], "s.yaml:4:14: the chat template's argument 'a' must be text, a finite number, true"),
        (["template: {a: .nan}"], "s.yaml:4:14: the chat template's argument 'a' must be text, a finite number"),
        (["template: [a]"], "s.yaml:4:13: 'template' must be a mapping, saw a list"),
        (["template: {a: 1}", "format: text"], "s.yaml:4:3: arguments of the chat template need 'format: chat'"),
        (["thinking: 5"], "s.yaml:4:13: 'thinking' must be a mapping, saw 5"),
        (["thinking: {}"], "s.yaml:4:3: 'thinking' needs 'max_tokens'"),
        (["thinking: {max_tokens: 0}"], "s.yaml:4:26: 'max_tokens' must be at least 1, saw 0"),
        (["thinking: {max_token: 5}"], "s.yaml:4:14: unknown key 'max_token' in 'thinking'\n  did you mean 'max_tokens'?"),
    ],
)  # fmt: skip
def test_what_is_none_is_said_at_its_place(read, lines, message):
    with pytest.raises(SuiteError) as error:
        read(*lines)
    assert message in str(error.value)


def test_choices_are_given_no_room_to_think(read):
    with pytest.raises(SuiteError, match="'thinking' has a meaning only under 'answer: generate'"):
        read(
            "answer: choose", "thinking: {max_tokens: 5}", probe="question: Why?, answer: b, choices: [a, b]"
        )


@pytest.mark.parametrize(
    ("written", "value"),
    [("a=false", "false"), ("a=no", '"no"'), ("a=1e-3", "0.001"), ("a=", "null"), ("a==", '"="'), ("a=[x, 2]", '["x", 2]'),
     ("a='7'", '"7"'), ("a=b=c", '"b=c"')],
)  # fmt: skip
def test_the_value_of_an_option_is_yaml(written, value):
    assert read_arguments([written]) == (("a", value),)


def test_an_option_may_come_again_but_for_one_name():
    assert read_arguments(["b=1", "a=2"]) == (("a", "2"), ("b", "1"))
    with pytest.raises(HarnessError, match="template_arguments gives 'b' twice"):
        read_arguments(["b=1", "b=2"])


def test_arguments_of_a_program():
    assert checked_arguments({"enable_thinking": False}) == (("enable_thinking", "false"),)
    with pytest.raises(HarnessError, match="^template_arguments: 'tools' cannot be set"):
        checked_arguments({"tools": []})
