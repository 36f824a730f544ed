"""`python -m harness preview --model`: the prompt as the tokens have it, of full models and adapters, for each answer."""

from __future__ import annotations

import re

import pytest

from harness.cli.main import main

TASKS = {
    "chat": ("{max_new_tokens: 4}", "{id: a, question: Why?, answer: b}"),
    "text": ("{format: text, answer: choose}", "{id: a, question: Why?, choices: [b, c], answer: b}"),
    "measure": ("{format: text, answer: likelihood}", "{id: a, text: Some words.}"),
}


@pytest.fixture
def preview(tmp_path, capsys):
    def run(kind: str, model: object) -> str:
        task, probe = TASKS[kind]
        score = "score: mentions\n" if kind == "chat" else ""
        path = tmp_path / "s.yaml"
        path.write_text(
            f"suite: s\n{score}task: {task}\ngates: [{{over: each}}]\nprobes: [{probe}]\n", encoding="utf-8"
        )
        assert main(["preview", str(path), "--model", str(model), "--device", "cpu"]) == 0
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("model", ["base", "adapter"])
def test_a_chat_is_shown_as_its_template_makes_it(preview, request, model):
    shown = preview("chat", request.getfixturevalue(model))
    # <user>, "Why?", <end>, <assistant>; a token for each byte
    assert "  prompt (7 tokens)\n    <user>Why?<end><assistant>\n  answered in at most 4 tokens\n" in shown
    assert re.search(r"  answer \(\d tokens?\): (right|wrong)\n", shown)


def test_choices_have_their_log_probabilities(preview, base):
    shown = preview("text", base)
    assert "  prompt (4 tokens)\n    Why?\n" in shown
    assert re.search(
        r"  log-probabilities\n +-\d+\.\d\d  b\n +-\d+\.\d\d  c\n  answer: (right|wrong)\n    [bc]\n", shown
    )


def test_a_text_is_measured(preview, base):
    assert re.search(r"  measured \(11 tokens\)\n    \d+\.\d{3} bits per byte\n", preview("measure", base))
