"""References that name the engine of a model on this disk, and which engine runs the models of a pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.engine.registry import check_acts, local_engine, open_pair, own_settings, together
from harness.engine.settings import Settings
from harness.errors import ModelError
from harness.models.reference import ELSEWHERE, Adapter, Endpoint, FullModel, ModelPair, find_pair, resolve
from harness.spelling import in_python
from harness.store.content import conditions, installed, model_content
from tests.support.references import adapter, model


def test_a_full_model_on_an_engine(here):
    folder = model("tuned")
    assert resolve("vllm:tuned") == FullModel("vllm:tuned", folder, engine="vllm")
    assert resolve("transformers:./tuned") == FullModel("transformers:./tuned", folder, engine="transformers")


def test_an_adapter_brings_its_base_there(here):
    base = model("base")
    lora = adapter("lora", "./base")
    pair = find_pair("vllm:lora", None)
    assert pair.tuned == Adapter("vllm:lora", lora, FullModel("./base", base, engine="vllm"), "vllm")
    assert pair.baseline == FullModel("./base", base, engine="vllm")
    apart = find_pair("vllm:lora", "transformers:base")
    assert (apart.baseline.engine, apart.tuned.base.engine) == ("transformers", "vllm")


def test_one_model_on_two_engines_is_no_mistake(here):
    model("tuned")
    pair = find_pair("vllm:tuned", "tuned")
    assert pair.notes == (ELSEWHERE,)
    with pytest.raises(ModelError, match="would be compared with itself"):
        find_pair("vllm:tuned", "vllm:./tuned")


def test_what_is_not_there(here):
    with pytest.raises(ModelError, match=r"\Avllm:nothing: |\Anothing: "):
        resolve("vllm:nothing")


@pytest.mark.parametrize(
    ("reference", "engine", "runs"),
    [
        ("tuned", "auto", "transformers"),
        ("tuned", "vllm", "vllm"),
        ("vllm:tuned", "auto", "vllm"),
        ("transformers:tuned", "vllm", "transformers"),
    ],
)
def test_which_engine_runs_a_model(here, reference, engine, runs):
    model("tuned")
    assert local_engine(resolve(reference), Settings(engine=engine)) == runs


def test_two_models_of_one_engine_are_opened_together(here):
    model("base")
    model("tuned")
    apart = find_pair("vllm:tuned", "base")
    assert together(apart, Settings()) is None
    assert together(apart, Settings(engine="vllm")) == apart
    assert together(ModelPair(apart.baseline, Endpoint("fake", "x")), Settings()) is None


def test_an_engine_for_models_that_have_their_own(here):
    pair = ModelPair(Endpoint("fake", "a"), Endpoint("fake", "b"))
    with pytest.raises(
        ModelError,
        match="^engine: would do nothing, for fake:a and fake:b have engines of their own\n  leave that out",
    ):
        open_pair(pair, Settings(engine="vllm"))


def idle_among(*references, **given):
    models = [Endpoint(*reference.split(":", 1)) for reference in references]
    try:
        check_acts(models, Settings(**given))
    except ModelError as error:
        return in_python(error.text).partition(":")[0]
    return None


@pytest.mark.parametrize(
    ("name", "value", "of_gguf"),
    [
        ("engine_args", (("nonsense", "1"),), None),
        ("device", "cuda", None),
        ("batch_tokens", 64, None),
        ("dtype", "bfloat16", "dtype"),
        ("allow_keys", ("x",), "allow_keys"),
        ("allow_remote_code", True, "allow_remote_code=True"),
        ("allow_conversion", True, "allow_conversion=True"),
        ("store", "a.db", None),
        ("thinking_tokens", 9, None),
    ],
)
def test_settings_that_act_on_no_model_are_refused(name, value, of_gguf):
    given = {name: value}
    idle = of_gguf or (name if name in ("engine_args", "device", "batch_tokens") else None)
    assert idle_among("http://h#a", "https://h#b", **given) == idle
    assert idle_among("http://h#a", "gguf:b.gguf", **given) == of_gguf
    assert idle_among("http://h#a", "fake:b", **given) is None


def test_code_of_a_tokenizer_is_for_a_server_that_is_asked_through_one():
    assert idle_among("http://h?tokenizer=org/base#a", "http://h#b", allow_remote_code=True) is None


def test_a_model_is_opened_with_the_settings_that_act_on_it(here):
    given = Settings(device="cuda", dtype="bfloat16", thinking_tokens=9, engine_args=(("n_parallel", "1"),))
    assert own_settings(Endpoint("http", "//h#a"), given) == Settings(thinking_tokens=9)
    assert own_settings(Endpoint("gguf", "a.gguf"), given) == replace(given, dtype="auto")
    assert own_settings(Endpoint("fake", "a"), given) == given


def test_arguments_are_for_engines_that_take_some(here):
    pair = find_pair(str(model("tuned")), str(model("base")))
    with pytest.raises(ModelError, match="engine_args='x': transformers takes no such argument"):
        open_pair(pair, Settings(engine_args=(("x", "1"),)))


def test_answers_of_two_engines_are_kept_apart(here, monkeypatch):
    model("tuned")
    contents = {
        name: model_content(resolve(f"{name}:tuned"), resolve("tuned"), Settings())
        for name in ("transformers", "vllm")
    }
    assert contents["vllm"]["engine"] == "vllm"
    assert contents["transformers"] == model_content(resolve("tuned"), resolve("tuned"), Settings())
    assert conditions(contents["vllm"]) == installed("vllm") != installed()
    given = Settings(engine_args=(("quantization", '"fp8"'),))
    assert model_content(resolve("vllm:tuned"), resolve("tuned"), given) != contents["vllm"]
    monkeypatch.setenv("VLLM_BATCH_INVARIANT", "0")
    assert model_content(resolve("vllm:tuned"), resolve("tuned"), Settings()) != contents["vllm"]
