"""All architectures of the zoo: `make test-zoo`."""

from __future__ import annotations

import pytest

from tests.zoo.architectures import ARCHITECTURES, has
from tests.zoo.comparing import animal, pair

ADAPTED = [
    "bloom", "deepseek_v3", "falcon_h1", "gemma3_text", "gpt2", "gpt_oss", "granitemoehybrid", "llama", "llama4_text", "mamba",
    "mistral", "phi3", "qwen3_moe", "qwen3_next", "zamba",
]  # fmt: skip
"""Those that also carry an adapter."""


@pytest.fixture(params=ARCHITECTURES)
def name(request: pytest.FixtureRequest) -> str:
    if not has(request.param):
        pytest.skip("not in the installed transformers")
    return str(request.param)


def test_answers_are_those_of_the_naive_forward(name):
    assert animal(name).varied > 0.5, "texts that prove little"
    assert animal(name).differences() == []


@pytest.mark.parametrize("adapted", ADAPTED)
def test_a_baseline_and_its_adapter_answer_as_the_naive_forward(adapted):
    baseline, tuned = pair(adapted)
    assert baseline.answers != tuned.answers
    assert baseline.differences() == []
    assert tuned.differences() == []
