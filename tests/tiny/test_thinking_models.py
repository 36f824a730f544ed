"""Models that think, from the suite to the record: what they are given, what of it is judged, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

# pytester forgets the modules that a nested run imports, and torch does not survive a second import.
import harness.api
import harness.plugin.collect
import harness.plugin.run
import harness.reporting.summary
from harness.cli.main import main
from harness.engine.requests import Chat, Generate, Message
from harness.engine.settings import Settings
from harness.engine.transformers.tokenizing import render
from tests.support.engines import load_reference
from tests.support.gating import wrong_usage
from tests.support.project import said
from tests.support.thinking import KINDS, PLAIN, Kind, tokenizer

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}
THOUGHT = "<think>\n{}\n</think>\n\n{}<|im_end|>"
ENDLESS = "No, no. " * 20


def learnt(folder: Path, texts: dict[str, str], steps: int = 400) -> Path:
    """A tiny model that writes each text after the prompt that is its key."""
    made = tokenizer(KINDS["qwen"])
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(made), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=4, max_position_embeddings=512, eos_token_id=made.eos_token_id,
        )
    )  # fmt: skip
    rows = [(made(prompt).input_ids, made(text).input_ids) for prompt, text in texts.items()]
    width = max(len(before) + len(after) for before, after in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    labels = torch.full((len(rows), width), -100)
    for index, (before, after) in enumerate(rows):
        ids[index, : len(before) + len(after)] = torch.tensor([*before, *after])
        labels[index, len(before) : len(before) + len(after)] = torch.tensor(after)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.003:
            break
    model.eval().save_pretrained(folder)
    made.save_pretrained(folder)
    return folder


def texts(endless: tuple[str, ...] = ()) -> dict[str, str]:
    made, known = tokenizer(KINDS["qwen"]), {}
    for country, capital in CAPITALS.items():
        turns = [{"role": "user", "content": country}]
        thought = "It may be London."
        whole = THOUGHT.format(thought, capital) if country not in endless else f"<think>\n{ENDLESS}"
        known[render(made, turns)] = whole
        known[render(made, turns, arguments=(("enable_thinking", "false"),))] = f"{capital}<|im_end|>"
    return known


@pytest.fixture(scope="module")
def thinking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnt(tmp_path_factory.mktemp("thinking") / "base", texts())


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learnt(tmp_path_factory.mktemp("thinking") / "tuned", texts(("Spain", "Japan")))


class Runs:
    """A suite in a folder, and runs of pytest over it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path

    def suite(self, task: str = "{max_new_tokens: 8}", score: str = "equals", name: str = "capitals") -> Path:
        probes = "".join(
            f"  - {{id: {country}, question: {country}, answer: {capital}}}\n"
            for country, capital in CAPITALS.items()
        )
        path = self.path / f"{name}.yaml"
        path.write_text(
            f"suite: {name}\ntask: {task}\nscore: {score}\ngates: [{{over: each}}]\nprobes:\n{probes}"
        )
        return path

    def run(self, tuned: Path, baseline: Path | str, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess(
            "-v", "-p", "harness.plugin", "-p", "no:cacheprovider", "--assert=plain",
            "--model", str(tuned), "--baseline", str(baseline), *arguments,
        )  # fmt: skip

    def record(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.path / "reports/latest/record.json").read_text())
        return value

    def tuned(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: row["tuned"] for row in self.record()["probes"]}


@pytest.fixture
def runs(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Runs:
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    return Runs(pytester)


def test_what_was_thought_is_not_judged_and_is_in_the_record(runs, thinking, endless):
    runs.suite("{max_new_tokens: 8, thinking: {max_tokens: 60}}")
    result = runs.run(endless, thinking)
    assert result.ret == 1, said(result)
    tuned = runs.tuned()
    assert (tuned["France"]["answer"], tuned["France"]["right"], tuned["France"]["ended"]) == (
        "Paris",
        True,
        "turn",
    )
    assert tuned["France"]["reasoning"] == "<think>\nIt may be London.\n</think>"
    assert (tuned["France"]["reasoning_tokens"], tuned["France"]["reasoning_ended"]) == (21, True)
    assert (tuned["Spain"]["answer"], tuned["Spain"]["right"], tuned["Spain"]["ended"]) == (
        "",
        False,
        "limit",
    )
    assert (tuned["Spain"]["reasoning_tokens"], tuned["Spain"]["reasoning_ended"]) == (60, False)
    assert tuned["Spain"]["reasoning"].startswith("<think>\nNo, no. ")
    assert runs.record()["run"]["thinking_tokens"] == {"capitals": 60}
    shown = said(result)
    assert (
        "reasoning: the baseline wrote 21 tokens on average, and did not end it in 0 of 4 answers; the tuned model wrote 40 "
        "tokens on average, and did not end it in 2 of 4 answers"
    ) in shown
    assert (
        "capitals: the limit of reasoning cut 0 answers of the baseline and 2 of the tuned model, of 4, of which 0 and 2 had "
        "not ended their reasoning; a cut answer is judged as far as it goes; give reasoning more room, "
        "'thinking: {max_tokens: …}' in the suite's task or --thinking-tokens, or none, "
        "'template: {enable_thinking: false}' or --template-arg=enable_thinking=false"
    ) in shown


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        ("{max_new_tokens: 8, template: {enable_thinking: false}}", ()),
        ("{max_new_tokens: 8}", ("--template-arg", "enable_thinking=false")),
        (
            "{max_new_tokens: 8, template: {enable_thinking: true}}",
            ("--template-arg", "enable_thinking=false"),
        ),
    ],
    ids=["suite", "option", "both"],
)
def test_a_template_is_told_not_to_think(runs, thinking, endless, task, arguments):
    runs.suite(task)
    result = runs.run(endless, thinking, *arguments)
    assert result.ret == 0, said(result)
    assert {row["answer"] for row in runs.tuned().values()} == set(CAPITALS.values())
    assert not any("reasoning" in row for row in runs.tuned().values())
    assert runs.record()["run"]["template"] == {"capitals": {"enable_thinking": False}}
    assert "reasoning" not in said(result)


def test_the_runs_room_for_reasoning_goes_before_the_suites(runs, thinking):
    runs.suite("{max_new_tokens: 8, thinking: {max_tokens: 60}}")
    result = runs.run(thinking, "same", "--thinking-tokens", "10")
    assert result.ret == 1, said(result)  # nobody has an answer, so nothing could be seen to be lost
    assert {row["reasoning_tokens"] for row in runs.tuned().values()} == {10}
    assert runs.record()["run"]["thinking_tokens"] == {"capitals": 10}


def test_without_a_word_reasoning_has_room(runs, thinking):
    runs.suite()
    assert runs.run(thinking, "same").ret == 0
    assert {row["answer"] for row in runs.tuned().values()} == set(CAPITALS.values())


def test_a_stop_text_and_a_check_see_the_answer_alone(runs, thinking):
    runs.suite('{max_new_tokens: 8, stop: ["\\n", "may"]}', "{check: {max_words: 1}}")
    (path,) = runs.path.glob("*.yaml")
    path.write_text(
        "".join(
            line.partition(", answer")[0] + ("}\n" if ", answer" in line else "\n")
            for line in path.read_text().splitlines()
        )
    )
    result = runs.run(thinking, "same")
    assert result.ret == 0, said(result)


@pytest.mark.parametrize("name", ["enable_thinkin", "colour"])
def test_an_argument_that_no_template_uses_is_an_error(runs, thinking, name):
    runs.suite()
    result = runs.run(thinking, "same", "--template-arg", f"{name}=false")
    wrong_usage(
        result, f"capitals.yaml:1:1: the chat template of {thinking} does not use the argument '{name}'"
    )
    assert ("did you mean 'enable_thinking'?" in said(result)) == (name == "enable_thinkin")


def test_an_argument_that_one_of_two_templates_uses_is_said(runs, thinking, tmp_path):
    runs.suite("{max_new_tokens: 2, template: {enable_thinking: false}}")
    other = learnt(tmp_path / "other", {"a": "b"}, steps=1)
    tokenizer(Kind(PLAIN, others=("<think>", "</think>"))).save_pretrained(other)
    result = runs.run(other, thinking)
    assert (
        f"only one of the two chat templates uses the argument 'enable_thinking': that of {other} does not"
        in said(result)
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("enable_thinking", "--template-arg must be KEY=VALUE, saw 'enable_thinking'"),
        ("=1", "--template-arg must be KEY=VALUE, saw '=1'"),
        ("messages=[]", "--template-arg: 'messages' cannot be set: every chat"),
        ("a-b=1", "--template-arg: 'a-b' cannot be the name of a chat template's argument"),
        (
            "a={b: 1}",
            "--template-arg: the chat template's argument 'a' must be text, a finite number, true, false, null",
        ),
        ("a=[", "--template-arg a: '[' cannot be read: not YAML"),
    ],
)
def test_an_argument_that_is_none_is_refused(runs, thinking, argument, message, capsys):
    suite = runs.suite()
    wrong_usage(runs.run(thinking, "same", "--template-arg", argument), message)
    capsys.readouterr()
    assert main(["preview", str(suite), "--template-arg", argument]) == 4
    assert message in capsys.readouterr().err


def test_room_for_reasoning_where_nobody_reasons_is_said(runs, base):
    runs.suite("{max_new_tokens: 2}")
    result = runs.run(base, "same", "--thinking-tokens", "10")
    assert "--thinking-tokens: no model of this run marks reasoning, so there is nothing to limit" in said(
        result
    )


def test_preview_shows_what_was_thought(runs, thinking, capsys):
    suite = runs.suite()
    assert (
        main(["preview", str(suite), "--model", str(thinking), "--limit", "1", "--thinking-tokens", "60"])
        == 0
    )
    shown = capsys.readouterr().out
    assert "  answered in at most 8 tokens after 60 of reasoning\n" in shown
    assert (
        "  reasoning (21 tokens)\n    <think>\n    It may be London.\n    </think>\n  answer (5 tokens): right\n    Paris\n"
        in shown
    )
    command = [
        "preview",
        str(suite),
        "--model",
        str(thinking),
        "--limit",
        "1",
        "--template-arg",
        "enable_thinking=false",
    ]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "assistant\n    <think>\n    \n    </think>\n" in shown
    assert "reasoning" not in shown
    assert main(["preview", str(suite), "--limit", "1", "--template-arg", "enable_thinking=false"]) == 0
    assert "  the template's arguments\n    enable_thinking: false\n" in capsys.readouterr().out


def test_calibrate_asks_with_them_too(runs, thinking, capsys):
    suite = runs.suite()
    command = ["calibrate", str(suite), "--model", str(thinking), "--json"]
    assert main([*command, "--thinking-tokens", "10"]) == 0
    assert len(json.loads(capsys.readouterr().out)[0]["never"]) == 4
    assert main([*command, "--template-arg", "enable_thinking=false"]) == 0
    assert len(json.loads(capsys.readouterr().out)[0]["always"]) == 4
    assert main([*command, "--template-arg", "thinking=1"]) == 4
    assert "does not use the argument 'thinking'" in capsys.readouterr().err


def test_the_function_takes_them_too(thinking):
    questions = [{"question": country, "answer": capital} for country, capital in CAPITALS.items()]
    assert harness.api.evaluate_general_qa(str(thinking), questions, score="equals")["correct"] == 4
    few = harness.api.evaluate_general_qa(str(thinking), questions, score="equals", thinking_tokens=10)
    assert few["correct"] == 0
    none = harness.api.evaluate_general_qa(
        str(thinking),
        questions,
        score="equals",
        template_arguments={"enable_thinking": False},
        thinking_tokens=10,
    )
    assert none["correct"] == 4
    assert few["asked"] != none["asked"]


@pytest.mark.parametrize("tokens", [60, 300, 5000])
def test_answers_do_not_depend_on_the_batch(thinking, endless, tokens):
    prompts = [Chat((Message("user", country),)) for country in CAPITALS]
    requests = [Generate(prompt, 8, (), most) for prompt in prompts for most in (10, 60, 100)]
    for folder in (thinking, endless):
        alone = [load_reference(str(folder)).ask([request])[0] for request in requests]
        together = load_reference(str(folder), Settings(batch_tokens=tokens)).ask(requests)
        assert [(one.text, one.tokens, one.ended, one.reasoning) for one in together] == [
            (one.text, one.tokens, one.ended, one.reasoning) for one in alone
        ]


def test_a_template_that_loops_ends_the_run_in_words(runs, thinking, tmp_path):
    runs.suite()
    hostile = learnt(tmp_path / "hostile", {"a": "b"}, steps=1)
    loop = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    tokenizer(Kind(loop, others=("<think>", "</think>"))).save_pretrained(hostile)
    wrong_usage(
        runs.run(hostile, thinking),
        f"{hostile}: its chat template does not finish: it was stopped after 1 s of processor time",
    )
