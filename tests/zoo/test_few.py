"""A few architectures of the zoo, one of each way that a model can remember; `make test-zoo` compares all."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("name", ["llama", "falcon_h1"])
def test_a_baseline_and_its_adapter_answer_as_the_naive_forward(name):
    baseline, tuned = pair(name)
    assert baseline.answers != tuned.answers
    assert baseline.differences() == []
    assert tuned.differences() == []
