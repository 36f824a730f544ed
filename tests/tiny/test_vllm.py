"""The engine vllm reads, writes and measures what the engine transformers does; vLLM itself is a stand-in (`make test-vllm` has it)."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest
from peft import get_peft_model
from transformers import LlamaForCausalLM

from harness.engine.abilities import Backed, Batches, Streams, Templated, Timed, Tokenizes
from harness.engine.registry import open_pair
from harness.engine.requests import (
    Chat,
    ChatText,
    Continuations,
    Generate,
    Message,
    MultipleChoice,
    Plain,
    RollingLogLikelihood,
)
from harness.engine.settings import Settings
from harness.engine.transformers.quiet import quiet
from harness.engine.vllm.engine import VllmEngine
from harness.errors import EngineError, ModelError
from harness.models.reference import LocalPair, ModelPair, find_local_model, find_pair
from harness.versions import VersionError
from tests.support.engines import load_reference
from tests.support.fake_vllm import vllm as vllm
from tests.support.models import lora, save_adapter, save_model

VLLM = Settings(engine="vllm")


def chat(text: str) -> Chat:
    return Chat((Message("user", text),))


PROMPTS = ["a", "hello", "the quick brown fox", "what is 15 x 7?", "abc " * 12]
REQUESTS = [
    *(Generate(chat(text), 6 + 3 * n) for n, text in enumerate(PROMPTS)),
    *(Generate(Plain(text), 8, stop=("a", "e")) for text in PROMPTS),
    Generate(ChatText((Message("user", "x" * 300),), begun="So"), 5),
    MultipleChoice(chat("two"), ("a", "bc", "bcd ")),
    MultipleChoice(Plain("two "), ("a", "bc")),
    Continuations(((Plain("hello"), " you"), (Plain(""), "there"), (Plain("y" * 200), "z" * 20))),
    RollingLogLikelihood("the quick brown fox"),
    RollingLogLikelihood("w" * 400, windows=True),
]


def pair_of(adapter, settings=VLLM, asked=(), baseline=None):
    return open_pair(find_pair(str(adapter), baseline), settings, asked=asked)


def alone(reference, settings=VLLM):
    model = find_local_model(str(reference))
    return open_pair(LocalPair(model, model), settings).tuned


def same(left, right):
    assert type(left) is type(right)
    for field in dataclasses.fields(left):
        one, two = getattr(left, field.name), getattr(right, field.name)
        if field.name in ("logprob", "logprobs"):
            assert one == pytest.approx(two, abs=1e-4)
        else:
            assert one == two


@pytest.mark.parametrize("budget", [None, 30])
def test_answers_are_those_of_transformers(vllm, base, budget):
    engine = alone(base, Settings(engine="vllm", batch_tokens=budget))
    other = load_reference(str(base))
    other.prompting.context = engine.prompting.context  # vLLM reads two tokens less where a prompt is cut
    assert isinstance(engine, VllmEngine)
    for request, mine, its in zip(REQUESTS, engine.ask(REQUESTS), other.ask(REQUESTS), strict=True):
        assert engine.request_tokens(request) == other.request_tokens(request)
        same(mine, its)
    assert (vllm.made[0].llm_engine.most_underway > 3) == (budget is None)


def test_a_base_and_its_adapter_are_one_vllm(vllm, base, adapter):
    engines = pair_of(adapter, asked=REQUESTS)
    local = pair_of(adapter, Settings())
    assert len(vllm.made) == 1
    arguments = vllm.made[0].arguments
    assert (arguments["enable_lora"], arguments["max_loras"], arguments["max_lora_rank"]) == (True, 1, 8)
    assert arguments["lora_target_modules"] == ["q_proj", "v_proj"]
    asked = REQUESTS[:6] + REQUESTS[11:14]
    for side in ("baseline", "tuned"):
        for mine, its in zip(engines.of(side).ask(asked), local.of(side).ask(asked), strict=True):
            same(mine, its)
    assert engines.tuned.ask(asked) != engines.baseline.ask(asked)


def test_what_it_is_asked_for(vllm, base):
    alone(
        base, Settings(engine="vllm", engine_args=(("tensor_parallel_size", "2"), ("max_model_len", "128")))
    )
    arguments = vllm.made[0].arguments
    assert arguments["model"] == str(base)
    assert (arguments["dtype"], arguments["load_format"], arguments["seed"]) == ("float32", "safetensors", 0)
    assert arguments["enable_prefix_caching"] is arguments["skip_tokenizer_init"] is True
    assert (arguments["tensor_parallel_size"], arguments["max_model_len"]) == (2, 128)
    assert "enable_lora" not in arguments


def test_two_full_models_share_the_memory(vllm, base, tmp_path):
    other = save_model(tmp_path / "other", seed=5)
    engines = pair_of(other, baseline=str(base))
    assert [llm.arguments["gpu_memory_utilization"] for llm in vllm.made] == [0.45, 0.45]
    assert (engines.baseline.label, engines.tuned.label) == (str(base), str(other))


def test_it_can_tell_what_the_engine_transformers_tells(vllm, base):
    engine = alone(base)
    assert all(isinstance(engine, kind) for kind in (Tokenizes, Templated, Streams, Batches, Timed, Backed))
    assert (engine.backend, engine.dtype, engine.device_kind) == ("vllm", "float32", "cpu")
    assert (engine.runs_on.engine, engine.runs_on.parameters > 1000) == ("vllm", True)
    engine.ask(REQUESTS)
    assert (
        engine.pace.written > 30,
        engine.pace.read > 30,
        engine.pace.reading > 0,
        engine.pace.writing > 0,
    ) == (True,) * 4
    other = load_reference(str(base))
    assert engine.render(chat("hi")) == other.render(chat("hi"))
    assert engine.reading(chat("hi"), choosing=True) == other.reading(chat("hi"), choosing=True)
    assert engine.template_names == other.template_names


def test_what_is_underway_ends_with_an_error(vllm, base, monkeypatch):
    engine = alone(base)
    own = vllm.made[0].llm_engine
    monkeypatch.setattr(own, "step", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engine.ask(REQUESTS[:3])
    assert own.underway == {}


# What is refused


def test_an_adapter_that_changes_nothing(vllm, base, tmp_path):
    adapter = save_adapter(tmp_path / "zero", base, scale=0)
    said = "the adapter changes nothing that is asked: with it on and off, the log-probabilities of all 16 prompts are the same"
    with pytest.raises(EngineError, match=said):
        pair_of(adapter, asked=REQUESTS)
    with pytest.raises(EngineError, match="the adapter changes nothing: with it on and off"):
        pair_of(adapter)


def test_a_full_model_that_is_the_baseline(vllm, base, tmp_path):
    copy = save_model(tmp_path / "copy")
    with pytest.raises(EngineError, match="its weights are those of the baseline, .*nothing was tuned"):
        pair_of(copy, baseline=str(base))
    assert pair_of(
        copy, Settings(engine="vllm", allow_conversion=True), baseline=str(base)
    ).tuned.label == str(copy)
    assert pair_of(base, baseline="same").tuned.label == str(base)


def test_an_adapter_that_is_the_baseline_is_told_as_by_the_engine_transformers(vllm, base, tmp_path):
    adapter = save_adapter(tmp_path / "adapter", base)
    shutil.copytree(adapter, tmp_path / "copy")
    told = []
    for settings in (VLLM, Settings()):
        with pytest.raises(EngineError, match=f"^{adapter}: its weights are those of the baseline") as caught:
            pair_of(adapter, settings, REQUESTS, baseline=str(tmp_path / "copy"))
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_an_adapter_on_the_output_head(vllm, base, tmp_path):
    with quiet():
        model = get_peft_model(
            LlamaForCausalLM.from_pretrained(base), lora(target_modules=["q_proj", "lm_head"])
        )
        model.save_pretrained(tmp_path, save_embedding_layers=False)
    with pytest.raises(
        ModelError, match=r"vllm cannot run an adapter on the output head \(lm_head\) and tell log-prob"
    ):
        pair_of(tmp_path)


def change_config(adapter, **values):
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return adapter


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules saved whole (modules_to_save)"),
        ({"bias": "all"}, "trained biases"),
        ({"init_lora_weights": "pissa"}, "adapters that change their base (init_lora_weights: pissa)"),
        ({"rank_pattern": {"q_proj": 1024}}, "ranks beyond 512"),
        ({"r": "8"}, "ranks beyond 512"),
        ({"peft_type": "IA3"}, "adapters of type IA3"),
    ],
)
def test_an_adapter_that_vllm_cannot_run(vllm, base, tmp_path, values, what):
    adapter = change_config(save_adapter(tmp_path / "adapter", base), **values)
    with pytest.raises(ModelError) as error:
        pair_of(adapter)
    assert error.value.text.splitlines()[0] == f"{adapter}: vllm cannot run {what}"
    assert vllm.made == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"engine_args": (("max_len", "1"),)}, "engine_args='max_len': vllm takes no such argument"),
        ({"engine_args": (("model", '"x"'),)}, "engine_args='model': cannot be set: it is decided by the reference of the model"),
        ({"engine_args": (("load_format", '"pt"'),)}, "engine_args='load_format': may read weights that are not safetensors"),
        ({"device": "cuda:1"}, "device='cuda:1': this vllm uses the devices of the type cpu that it sees"),
    ],
)  # fmt: skip
def test_settings_that_vllm_does_not_take(vllm, base, settings, said):
    with pytest.raises(ModelError) as error:
        alone(base, Settings(engine="vllm", **settings))
    assert str(error.value).startswith(said)


def test_what_vllm_says_of_a_model_that_it_cannot_run(vllm, base, monkeypatch):
    def refuse(self, llm):
        raise ValueError("1 validation error\n  max seq len is larger")

    monkeypatch.setattr("tests.support.fake_vllm.Engine.__init__", refuse)
    with pytest.raises(ModelError) as error:
        alone(base)
    first, second = str(error.value).splitlines()
    assert first == f"{base}: vllm cannot run it: ValueError: 1 validation error max seq len is larger"
    assert (
        second == "  what vllm takes goes through engine_args=KEY=VALUE; or run it by engine='transformers'"
    )


def test_several_processes(vllm, base, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    with pytest.raises(ModelError, match="vllm reads all requests together, in one process"):
        alone(base)


def test_vllm_is_not_installed(base, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "vllm", None)
    monkeypatch.setitem(__import__("sys").modules, "vllm.platforms", None)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    with pytest.raises(VersionError) as error:
        alone(base)
    first, second = str(error.value).splitlines()
    assert first.startswith("the engine vllm cannot run here: ")
    assert second == "  run: python -m pip install 'forgetting-gate[vllm]'"


def test_a_prompt_that_does_not_fit(vllm, base):
    with pytest.raises(EngineError, match="a prompt and its answer take 310 tokens, and vllm reads 256: "):
        alone(base).ask([Generate(Plain("x" * 300), 10)])


def test_models_on_two_engines_by_their_references(vllm, base, adapter):
    engines = open_pair(find_pair(f"vllm:{adapter}", f"transformers:{base}"))
    assert [engines.of(side).backend for side in ("baseline", "tuned")] == ["transformers", "vllm"]
    pair = find_pair(f"vllm:{base}", str(base))
    assert "compared with itself on another engine" in pair.notes[0]
    engines = open_pair(ModelPair(pair.baseline, pair.tuned))
    for mine, its in zip(engines.tuned.ask(REQUESTS[:3]), engines.baseline.ask(REQUESTS[:3]), strict=True):
        same(mine, its)
