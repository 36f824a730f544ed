"""A few architectures of the zoo, one of each way that a model can remember; `make test-zoo` compares all."""

from __future__ import annotations

import pytest

from harness.engine.transformers.loading import load_pair
from harness.models.reference import find_pair
from tests.zoo.architectures import build, tokenizer
from tests.zoo.asking import REQUESTS
from tests.zoo.comparing import animal, pair


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("llama", "branching"),
        ("mistral", "branching"),
        ("gpt_oss", "branching"),
        ("deepseek_v3", "branching"),
        ("bloom", "cached"),
        ("mamba", "cached"),
        ("qwen3_next", "cached"),
        ("rwkv", "whole"),
    ],
)
def test_answers_are_those_of_the_naive_forward(name, kind):
    assert animal(name).engine.kind == kind
    assert animal(name).differences() == []


@pytest.mark.parametrize("name", ["mamba", "rwkv"])
def test_a_recurrent_model_is_gated_from_its_folder(name, tmp_path):
    build(name).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    loaded = load_pair(find_pair(str(tmp_path), "same")).tuned
    assert loaded.kind == animal(name).engine.kind
    assert loaded.ask(REQUESTS) == animal(name).engine.ask(REQUESTS)


@pytest.mark.parametrize("name", ["llama", "falcon_h1"])
def test_a_baseline_and_its_adapter_answer_as_the_naive_forward(name):
    baseline, tuned = pair(name)
    assert baseline.answers != tuned.answers
    assert baseline.differences() == []
    assert tuned.differences() == []
