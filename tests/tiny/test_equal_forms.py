"""Forms of a tiny model through `equal`: an adapter, the same merged, and forms with a fault, which it names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from harness import compare_forms
from harness.cli.main import main
from harness.engine.requests import Chat, Generate, Message
from harness.engine.transformers.quiet import quiet
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from tests.support.engines import load_reference
from tests.support.models import (
    TEMPLATE,
    change_tokenizer,
    save_adapter,
    save_tokenizer,
)

ROOT = Path(__file__).parents[2]
QUESTIONS = [f"What is {number}?" for number in range(60)]


@pytest.fixture(scope="module")
def known(adapter, tmp_path_factory) -> Path:
    """A folder of suites of which the adapter has all right: it writes, chooses, and is measured."""
    requests = [Generate(Chat((Message("user", question),)), 8) for question in QUESTIONS]
    answers = load_reference(str(adapter)).ask(requests)
    folder = tmp_path_factory.mktemp("suites")
    probes = [
        {"id": f"q{number}", "question": question, "answer": answer.text}
        for number, (question, answer) in enumerate(zip(QUESTIONS, answers, strict=True))
        if answer.text.strip()
    ]
    write(
        folder / "writes.yaml",
        "task: {max_new_tokens: 8}\nscore: equals\ngates: [{over: all, max_drop: 0.1}]",
        probes,
    )
    texts = [{"id": f"q{number}", "text": question * 3} for number, question in enumerate(QUESTIONS[:10])]
    write(
        folder / "texts.yaml",
        "task: {format: text, answer: likelihood}\ngates: [{over: all, max_rise: 0.1}]",
        texts,
    )
    return folder


def write(path: Path, head: str, probes) -> None:
    lines = "".join(f"  - {json.dumps(probe)}\n" for probe in probes)
    path.write_text(f"suite: {path.stem}\n{head}\nprobes:\n{lines}")


@pytest.fixture
def merged(base, adapter, tmp_path):
    def merge(name="merged", dtype=torch.float32, source=adapter) -> Path:
        with quiet():
            model = LlamaForCausalLM.from_pretrained(base, dtype=dtype)
            PeftModel.from_pretrained(model, str(source)).merge_and_unload().save_pretrained(tmp_path / name)
        save_tokenizer(tmp_path / name)
        return tmp_path / name

    return merge


def test_a_merge_in_float32_is_the_same_and_one_in_bfloat16_is_explained(
    adapter, merged, known, capsys, tmp_path
):
    forms = [adapter, merged(), merged("half", torch.bfloat16)]
    report = tmp_path / "report"
    code = main(
        ["equal", *map(str, forms), "--suite", str(known), "--report", str(report), "--device", "cpu"]
    )
    assert code == 1
    out = capsys.readouterr().out
    rows = {line.split()[0]: line for line in out.splitlines() if " of " in line and "up to" in line}
    assert rows[str(forms[1])].endswith("up to 0.0000  the same")
    writes, texts = (len(read_suite(known / name, SCORERS).probes) for name in ("writes.yaml", "texts.yaml"))
    assert f" {writes} of {writes} 0.0 % of {writes + texts} " in " ".join(rows[str(forms[1])].split())
    assert "\nflips count texts too (bits that change by more than 2 %), same answers do not\n" in out
    assert rows[str(forms[2])].endswith("DIFFERS")
    assert f"because {forms[2]} was merged or saved in bfloat16: rounding lost" in out
    run = json.loads((report / "2/record.json").read_text())["run"]
    assert (run["status"], run["equal"]["causes"], run["device"]) == ("passed", [], "cpu")
    run = json.loads((report / "3/record.json").read_text())["run"]
    assert [cause["kind"] for cause in run["equal"]["causes"]] == ["rounded"]
    assert {row["unit"] for row in run["equal"]["differences"]} == {"token"}
    assert run["equal"]["suites"]["texts"]["same"] is None


def test_the_python_of_its_page_runs(adapter, merged, known, tmp_path, monkeypatch):
    [block] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/equal.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    merged()
    for name, target in (("adapter", adapter), ("suites", known)):
        Path(name).symlink_to(target, target_is_directory=True)
    exec(block)


def kinds(first, other, suites) -> list[str]:
    [record] = compare_forms([str(first), str(other)], suites, device="cpu")
    return [cause.kind for cause in record.run.equal.causes]


def test_another_chat_template_is_named(adapter, merged, known):
    def change(tokenizer):
        tokenizer.chat_template = TEMPLATE.replace("<end>", "<end>\n")

    assert kinds(adapter, change_tokenizer(merged(), change), known / "writes.yaml") == ["template"]


def test_a_template_that_begins_twice_is_named(adapter, merged, known):
    def once(tokenizer):
        tokenizer.chat_template = "<s>" + TEMPLATE

    def twice(tokenizer):
        tokenizer.chat_template = "<s><s>" + TEMPLATE

    forms = change_tokenizer(merged("once"), once), change_tokenizer(merged("twice"), twice)
    [record] = compare_forms([str(form) for form in forms], known / "writes.yaml", device="cpu")
    [cause] = record.run.equal.causes
    assert cause.kind == "start token"
    assert cause.seen.startswith(f"{forms[1]} reads the start token 0 twice")


def test_another_tokenizer_is_named(adapter, merged, known):
    other = merged()
    path = other / "tokenizer.json"
    told = json.loads(path.read_text())
    numbers = told["model"]["vocab"]
    numbers["e"], numbers["h"] = numbers["h"], numbers["e"]
    path.write_text(json.dumps(told))
    [record] = compare_forms([str(adapter), str(other)], known / "texts.yaml", device="cpu")
    [cause] = record.run.equal.causes
    assert cause.kind == "tokenizer"
    assert cause.seen == (
        "the tokenizers differ: in 10 of 10 requests they read a text and number the same tokens differently"
    )


def test_other_end_tokens_are_named(adapter, merged, known):
    other = merged()
    (other / "generation_config.json").write_text(json.dumps({"eos_token_id": list(range(100, 261))}))
    assert kinds(adapter, other, known / "writes.yaml") == ["end tokens"]


def test_a_weak_adapter_on_another_scale_is_named(base, merged, known, tmp_path):
    other = save_adapter(tmp_path / "other", base, scale=0.9)
    assert kinds(other, merged(), known / "writes.yaml") == ["scaled"]


CONFTEST = """
from harness import engine_for
from tests.support.engines import load_reference


@engine_for("served")
def served(endpoint, settings):
    return load_reference(endpoint.rest)
"""


def test_a_server_without_the_adapter_is_named(base, adapter, known, tmp_path, capsys, monkeypatch):
    from harness.engine import registry

    monkeypatch.setattr(registry, "OPENERS", {})
    monkeypatch.setattr(registry, "_PLACES", {})
    (tmp_path / "conftest.py").write_text(CONFTEST)
    arguments = ["--suite", str(known / "writes.yaml"), "--conftest", str(tmp_path / "conftest.py")]
    assert main(["equal", str(adapter), f"served:{base}", *arguments]) == 1
    assert (
        f"because served:{base} answers as the adapter's base, {base}: 20 of the 20 answers"
        in capsys.readouterr().out
    )
