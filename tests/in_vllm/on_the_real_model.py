"""The embedded model and an adapter on it in vLLM's build for CPUs, against the engine transformers: `make test-vllm`."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from harness.engine.prompts import request
from harness.engine.registry import open_pair
from harness.engine.requests import Chat, ChoiceLogProbs, Generate, Generated, LogLikelihood, Message
from harness.engine.settings import Settings
from harness.engine.transformers.gguf import ensure_embedded
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError
from harness.models.reference import Adapter, FullModel, ModelPair, find_full_model
from harness.scoring import SCORERS
from harness.suites.read import read_suite

ROOT = Path(__file__).parents[2]
ARGUMENTS = (("enforce_eager", "true"), ("max_model_len", "2048"))
CLOSE = 2e-3
"""Nats by which a log-probability of some tokens may differ in float32."""


@pytest.fixture(scope="session")
def base() -> FullModel:
    found = find_full_model("embedded")
    ensure_embedded()
    return found


@pytest.fixture(scope="session")
def adapter(base: FullModel, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    folder = tmp_path_factory.mktemp("adapter")
    with quiet(), torch.no_grad():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_pretrained(base.folder)
        adapted = get_peft_model(
            model, LoraConfig(r=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        )
        for name, value in adapted.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 0.02)
        adapted.save_pretrained(folder)
    return Adapter(str(folder), folder, base)


@pytest.fixture(scope="session")
def pairs(base, adapter):
    """The same pair on each engine."""
    pair = ModelPair(base, adapter)
    return open_pair(pair), open_pair(pair, Settings(engine="vllm", engine_args=ARGUMENTS))


def some(suite: str, most: int):
    read = read_suite(ROOT / "suites" / f"{suite}.yaml", SCORERS)
    return [request(read, probe) for probe in read.probes[:most]]


@pytest.mark.parametrize("side", ["baseline", "tuned"])
@pytest.mark.parametrize(("suite", "most"), [("general_qa", 12), ("grammar", 12), ("perplexity", 6)])
def test_answers_are_those_of_transformers(pairs, side, suite, most):
    asked = some(suite, most)
    known, found = (pair.of(side).ask(asked) for pair in pairs)
    for one, two in zip(known, found, strict=True):
        match one:
            case Generated():
                assert (two.text, two.tokens, two.ended) == (one.text, one.tokens, one.ended)
            case ChoiceLogProbs(logprobs=logprobs):
                assert two.logprobs == pytest.approx(logprobs, abs=CLOSE)
            case LogLikelihood(logprob=logprob, tokens=tokens):
                assert two.tokens == tokens
                assert two.logprob / tokens == pytest.approx(logprob / tokens, abs=CLOSE)


def test_the_adapter_acts(pairs):
    asked = some("perplexity", 2)  # a weak adapter may leave a few short answers as they are
    before, after = (pairs[1].of(side).ask(asked) for side in ("baseline", "tuned"))
    assert any(one != two for one, two in zip_longest(before, after))


def test_a_stop_text_and_a_limit(pairs):
    prompt = Chat((Message("user", "Count from one to twenty, in words."),))
    asked = [Generate(prompt, 8), Generate(prompt, 60, stop=("seven", "7"))]
    known, found = (pair.baseline.ask(asked) for pair in pairs)
    assert [(answer.text, answer.ended) for answer in found] == [
        (answer.text, answer.ended) for answer in known
    ]
    assert found[0].ended == "limit"


def test_answers_do_not_depend_on_what_else_is_asked(pairs):
    asked = some("general_qa", 8)
    engine = pairs[1].baseline
    assert [engine.ask([one])[0] for one in asked[:3]] == engine.ask(asked)[:3]


def test_an_adapter_of_zeros_is_refused(base, tmp_path):
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(base.folder)
        get_peft_model(
            model, LoraConfig(r=8, target_modules=["q_proj"], task_type="CAUSAL_LM")
        ).save_pretrained(tmp_path)
    pair = ModelPair(base, Adapter("zeros", tmp_path, base))
    with pytest.raises(EngineError, match="zeros: the adapter changes nothing that is asked"):
        open_pair(pair, Settings(engine="vllm", engine_args=ARGUMENTS), asked=some("general_qa", 6))
