"""What the configs of two forms say differently: end tokens, tied embeddings and quantisation."""

from __future__ import annotations

import json

import pytest

from harness.models.reference import FullModel
from harness.models.saved import config_causes

BITS = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}


def model(folder, config, generation=None):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation))
    return FullModel(folder.name, folder)


@pytest.mark.parametrize(
    ("first", "other", "seen"),
    [
        (({"eos_token_id": 2},), ({"eos_token_id": 2},), []),
        (({"eos_token_id": 2},), ({"eos_token_id": [2]},), []),
        (({"eos_token_id": 2},), ({"eos_token_id": 2}, {"eos_token_id": [2, 7]}), ["end tokens: other tokens end a turn: 2 (a), 2, 7 (b)"]),
        (({"eos_token_id": 2},), ({},), []),
        (({"tie_word_embeddings": False},), ({"tie_word_embeddings": True},), ["tied: tie_word_embeddings is false in a and true in b"]),
        (({"tie_word_embeddings": False},), ({},), []),
        (({},), (BITS,), ["quantised: quantised differently: a is not, b bitsandbytes, 4 bits"]),
        ((BITS,), (BITS,), []),
        (({"quantization_config": "none"},), ({"eos_token_id": "x"},), []),
    ],
)  # fmt: skip
def test_what_configs_say_differently_is_found(tmp_path, first, other, seen):
    forms = model(tmp_path / "a", *first), model(tmp_path / "b", *other)
    assert [f"{cause.kind}: {cause.seen}" for cause in config_causes(*forms)] == seen
