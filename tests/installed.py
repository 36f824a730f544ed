"""A new user's way, with what is installed and without the checkout: run by the Python of an environment that has the wheel.

python tests/installed.py: an empty folder, `init`, `lint`, gates on a fake engine and on two tiny models made on the spot,
and the suites that ship, by name. It stops with an AssertionError at what is not as a user should find it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parents[1]

CONFTEST = """\
from harness import FunctionEngine, engine_for

ANSWERS = {"knows": "Portuguese, 7, Shakespeare, carbon dioxide, Paris, Tokyo, Pacific, ice", "forgot": "I cannot say."}


@engine_for("fake")
def fake(endpoint, settings):
    return FunctionEngine(lambda prompt: ANSWERS[endpoint.rest.rstrip("12")], endpoint.rest)
"""

TINY = """\
import sys

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

words = {chr(code): code - 32 for code in range(32, 127)} | {"<s>": 95, "</s>": 96, "?": 31, "<unk>": 97}
tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
wrapped.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
for seed, folder in enumerate(sys.argv[1:]):
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=98, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        bos_token_id=95, eos_token_id=96,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)
"""


def run(*arguments: str, expect: int = 0) -> str:
    """What a command of this Python prints; an AssertionError if it exits with another code."""
    finished = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    said = finished.stdout + finished.stderr
    assert finished.returncode == expect, (
        f"{arguments} exited with {finished.returncode}, not {expect}:\n{said}"
    )
    return said


def check_what_is_installed() -> None:
    said = run("-c", "import harness, sys; print(harness.__file__); print(*sys.path, sep='\\n')")
    assert str(CHECKOUT) not in [line.rstrip("/") for line in said.splitlines()], said
    assert not said.startswith(str(CHECKOUT / "harness")), said
    [script] = entry_points(group="console_scripts", name="forgetting-gate")
    assert script.value == "harness.cli.main:main"


def check_a_first_gate() -> None:
    run("-m", "harness", "init", "--model=fake:knows1", "--baseline=fake:knows2")
    run("-m", "harness", "lint", "suites/")
    Path("conftest.py").write_text(CONFTEST)
    run("-m", "pytest", "--model=fake:knows1", "--baseline=fake:knows2")
    run("-m", "pytest", "--model=fake:forgot", "--baseline=fake:knows2", "--report-html=page.html", expect=1)
    record = json.loads(Path("reports/latest/record.json").read_text(encoding="utf-8"))
    assert record["run"]["status"] == "forgotten"
    assert Path("page.html").read_text(encoding="utf-8").startswith("<!")
    run("-m", "harness", "init", expect=4)


def check_the_suites_that_ship() -> None:
    fake = ("--model=fake:knows1", "--baseline=fake:knows2")
    every = run("-m", "pytest", "--pyargs", "harness.shipped", "--collect-only", "-q", "--allow-code", *fake)
    files = {line.partition("::")[0] for line in every.splitlines() if "::" in line}
    assert len(files - {"overall"}) == 15, files
    some = run("-m", "pytest", "--suite=checklist", "--suite=general-qa", "--collect-only", "-q", *fake)
    assert "checklist.yaml::" in some
    assert "general_qa.yaml::" in some
    assert "did you mean 'checklist'?" in run("-m", "pytest", "--suite=cheklist", *fake, expect=4)
    code = "from harness.shipped import FIXTURES; print(*FIXTURES.rglob('*'), sep='\\n')"
    fixtures = run("-c", code)
    assert "careful.yaml" in fixtures
    assert "drug_info.jsonl" in fixtures
    run("-c", "import harness; assert harness.run_forgetting_checklist(lambda prompt: '')['failed'] >= 12")


def check_models() -> None:
    """Random weights know nothing, and the gate says so."""
    run("-c", TINY, "base", "tuned")
    run("-m", "pytest", "suites/", "--model=./tuned", "--baseline=./base", "--device=cpu", expect=1)
    record = json.loads(Path("reports/latest/record.json").read_text(encoding="utf-8"))
    assert {gate["verdict"] for gate in record["gates"]} == {"VACUOUS"}
    assert len(record["probes"]) == 8


def main() -> None:
    """All checks, in an empty folder."""
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["FORGETTING_GATE_STORE"] = "off"
        for check in (check_what_is_installed, check_a_first_gate, check_the_suites_that_ship, check_models):
            check()
            print(check.__name__.replace("_", " "), flush=True)
        os.chdir(CHECKOUT)


if __name__ == "__main__":
    main()
