"""Whatever stands in a model's configs: it is loaded as it was meant, or refused in words; no traceback, and no long wait."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.engine.requests import Chat, Generate, Message, MultipleChoice, Plain, RollingLogLikelihood
from harness.engine.transformers.loading import load_pair, wrap
from harness.errors import HarnessError, ModelError
from harness.models.reference import find_pair
from tests.support.engines import load_reference

ASK = [
    *(Generate(Chat((Message("user", text),)), 4, ("\n",)) for text in ("hello", "what is this?")),
    MultipleChoice(Plain("one two"), (" three", " four")),
    RollingLogLikelihood("The quick brown fox."),
]

WRONG = ["x", "", -1, 10**30, 1.5, True, None, [], [1, "x"], [[1]], {"a": 1}, float("inf")]


@pytest.fixture
def model(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "model"))


@pytest.fixture
def tuned(base: Path, adapter: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(adapter, tmp_path / "tuned"))


def change(folder: Path, name: str, **changes: Any) -> None:
    file = folder / name
    written = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps({**written, **changes}))


def no_model(message: str) -> pytest.RaisesExc[ModelError]:
    return pytest.raises(ModelError, match=rf"\A{re.escape(message)}")


# Tokens that are none


@pytest.mark.parametrize("file", ["generation_config.json", "config.json"])
@pytest.mark.parametrize("token", [261, 999_999, -1, 10**30])
def test_an_end_of_text_beyond_the_vocabulary_ends_nothing_and_is_said(base, model, file, token):
    if file == "config.json":
        (model / "generation_config.json").unlink()
    change(model, file, eos_token_id=token)
    pair = load_pair(find_pair(str(model), "same"))
    assert (
        f"{model}: its eos_token_id {token} is outside its vocabulary of 261 tokens and ends no answer"
        in pair.notes
    )
    assert pair.tuned.ask(ASK) == load_reference(str(base)).ask(ASK)  # its tokenizer's own ends them


def test_those_of_a_list_that_are_tokens_end_answers_still(base, model):
    change(model, "generation_config.json", eos_token_id=[999_999, 3])
    engine = load_reference(str(model))
    assert engine.prompting.end_tokens == (3, 1)


@pytest.mark.parametrize("value", ["x", "", 1.5, True, [1, "x"], [[1]], [True], {"a": 1}, float("nan")])
def test_an_end_of_text_of_a_wrong_kind_is_refused(model, value):
    change(model, "generation_config.json", eos_token_id=value)
    with no_model(
        f"{model}/generation_config.json: eos_token_id must be the number of a token, or a list of them, saw {value!r}"
    ):
        load_reference(str(model))


@pytest.mark.parametrize("token", [261, 999_999, -300])
def test_a_padding_token_beyond_the_vocabulary_is_replaced_and_said(base, model, token):
    change(model, "config.json", pad_token_id=token)
    pair = load_pair(find_pair(str(model), "same"))
    assert any(
        note.endswith(
            f"its pad_token_id {token} is outside its vocabulary of 261 tokens; another token is used"
        )
        for note in pair.notes
    )
    assert pair.tuned.ask(ASK) == load_reference(str(base)).ask(ASK)


@pytest.mark.parametrize("token", ["pad_token", "eos_token"])
def test_a_token_that_was_added_without_an_embedding_is_never_read(base, model, token):
    change(model, "tokenizer_config.json", **{token: "<|new|>"})
    engine = load_reference(str(model))
    assert max((*engine.prompting.end_tokens, engine.pad_token)) < 261
    assert engine.ask(ASK[2:]) == load_reference(str(base)).ask(ASK[2:])


def test_the_end_of_a_given_model_is_held_to_its_vocabulary_too(reference):
    model, tokenizer = reference
    before = model.generation_config.eos_token_id
    try:
        model.generation_config.eos_token_id = [999_999, "x", 1]
        assert wrap(model, tokenizer).prompting.end_tokens == (1,)
    finally:
        model.generation_config.eos_token_id = before


# Numbers that do not belong to the weights


@pytest.mark.parametrize("size", [200, 300, 999_999_999])
def test_a_vocabulary_of_another_size_than_the_embeddings(model, size):
    change(model, "config.json", vocab_size=size)
    with pytest.raises(
        ModelError,
        match=rf"its weights do not fit its config.json: '.*' is \[261, 32\] in its file, but \[{size}, 32\] by its config",
    ):
        load_reference(str(model))


@pytest.mark.parametrize("layers", [999_999, 10**30])
def test_more_layers_than_there_are_weights_are_never_made(model, layers):
    change(model, "config.json", num_hidden_layers=layers)
    with no_model(
        f"{model}: its config.json claims {layers} layers, but its weights are 21 tensors\n"
        "  does its config.json belong to its weights?"
    ):
        load_reference(str(model))


# Values of a wrong kind


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        (
            "config.json",
            {"hidden_size": "x"},
            "its config.json cannot be used: .*'hidden_size' expected int, got str",
        ),
        (
            "config.json",
            {"vocab_size": None},
            "its config.json cannot be used: .*'vocab_size' expected int, got None",
        ),
        (
            "config.json",
            {"architectures": 3},
            "('architectures' in its config.json must be a list of names, saw 3"
            "|its config.json cannot be used: .*'architectures' with value 3 )",  # as some releases say it
        ),
        (
            "config.json",
            {"architectures": [[1]]},
            r"('architectures' in its config.json .*, saw \[\[1\]\]"
            r"|its config.json cannot be used: .*'architectures' with value \[\[1\]\] )",
        ),
        ("config.json", {"model_type": "x"}, "its config.json cannot be used: "),
        ("config.json", {"model_type": [1]}, "its config.json cannot be used: "),
        (
            "generation_config.json",
            {"suppress_tokens": 3},
            "its generation_config.json cannot be used: TypeError",
        ),
        (
            "generation_config.json",
            {"pad_token_id": "x"},
            "its generation_config.json cannot be used: TypeError",
        ),
        ("tokenizer_config.json", {"model_max_length": "x"}, "its tokenizer cannot be loaded from "),
        ("tokenizer_config.json", {"tokenizer_class": 3}, "its tokenizer cannot be loaded from "),
        ("tokenizer_config.json", {"added_tokens_decoder": 3}, "its tokenizer cannot be loaded from "),
    ],
)
def test_a_value_of_a_wrong_kind_is_said_with_its_file(model, file, changes, message):
    change(model, file, **changes)
    with pytest.raises(ModelError, match=rf"\A{re.escape(str(model))}: {message}"):
        load_reference(str(model))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"r": "x"}, "'r' has a value of the wrong type: saw 'x'"),
        ({"lora_alpha": [1]}, r"'lora_alpha' has a value of the wrong type: saw \[1\]"),
        ({"target_modules": 3}, "'target_modules' has a value of the wrong type: saw 3"),
        ({"trainable_token_indices": -1}, "'trainable_token_indices' has a value of the wrong type: saw -1"),
        ({"modules_to_save": 3}, "'modules_to_save' has a value of the wrong type: saw 3"),
    ],
)
def test_a_value_of_an_adapters_config_of_a_wrong_kind_is_named(tuned, changes, message):
    change(tuned, "adapter_config.json", **changes)
    with pytest.raises(ModelError, match=rf"cannot be loaded: .*\n  adapter_config.json: {message}"):
        load_pair(find_pair(str(tuned), None))


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("config.json", "num_attention_heads"),
        ("config.json", "rope_parameters"),
        ("config.json", "dtype"),
        ("config.json", "max_position_embeddings"),
        ("generation_config.json", "bos_token_id"),
        ("generation_config.json", "max_length"),
        ("tokenizer_config.json", "bos_token"),
        ("tokenizer_config.json", "chat_template"),
        ("tokenizer_config.json", "extra_special_tokens"),
    ],
)
def test_no_value_of_a_config_ends_in_a_traceback(model, file, key, value):
    if key == "chat_template":
        (model / "chat_template.jinja").unlink()
    change(model, file, **{key: value})
    try:
        answers = load_reference(str(model)).ask(ASK)
    except HarnessError as error:
        assert str(model) in str(error)  # noqa: PT017
    else:
        assert len(answers) == len(ASK)


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize(
    "key", ["alora_invocation_tokens", "bias", "layer_replication", "peft_type", "task_type"]
)
def test_no_value_of_an_adapters_config_ends_in_a_traceback(tuned, key, value):
    change(tuned, "adapter_config.json", **{key: value})
    try:
        pair = load_pair(find_pair(str(tuned), None))
    except HarnessError as error:
        assert str(tuned) in str(error)  # noqa: PT017
    else:
        assert pair.tuned.ask(ASK[2:]) != pair.baseline.ask(ASK[2:])


@pytest.mark.parametrize("name", ["tokenizer.json", "chat_template.jinja"])
@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b'{"a": ' + b"[" * 99_999, b""], ids=["bytes", "nested", "empty"]
)
def test_a_damaged_tokenizer_is_refused(model, name, content):
    (model / name).write_bytes(content)
    try:
        load_reference(str(model)).ask(ASK)
    except HarnessError as error:
        assert str(model) in str(error)  # noqa: PT017
    else:
        pytest.fail("it was asked")


def test_a_recipe_of_another_program_beside_an_adapter_is_none_of_ours(tuned):
    for text in ("{", "[]", '{"base": 3}', '{"base": {"weights": 3}}'):
        (tuned / "recipe.json").write_text(text)
        assert any(
            "is unknown: nothing records" in note for note in load_pair(find_pair(str(tuned), None)).notes
        )
