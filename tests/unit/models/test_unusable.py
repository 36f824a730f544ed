"""Folders that hold no model that can be used, and what is said of them."""

from __future__ import annotations

import json
import re

import pytest

from harness.errors import ModelError
from harness.models.allowed import Allowed
from harness.models.folder import find_folder
from harness.models.json_file import read_json
from harness.models.reference import (
    Adapter,
    FullModel,
    find_full_model,
    find_pair,
)
from tests.support.references import adapter, model, model_error

AGAIN = "\n  copy the whole folder again, or save the model again"

# what cannot be used


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("./tunde", "./tunde: no such folder\n  did you mean 'tuned'?"),
        ("tunde", "tunde: no such folder\n  did you mean 'tuned'?"),
        ("tuned/a/b", "tuned/a/b: no such folder\n  a hub id has the form org/name or org/name@revision"),
        ("/nowhere/x", "/nowhere/x: no such folder\n  a hub id has the form org/name or org/name@revision"),
        ("a b", "a b: no such folder\n  a hub id has the form org/name or org/name@revision"),
        ("file.bin", "file.bin: is a file; a model is a folder, a hub id or a fixture (.yaml)"),
        ("m.zip", "m.zip: is a file; a model is a folder, a hub id or a fixture (.yaml)\n  unpack it"),
        (
            "m.gguf",
            "m.gguf: is a file; a model is a folder, a hub id or a fixture (.yaml)\n"
            "  a GGUF file can only be asked; name the model that it was converted from",
        ),
        (
            "tuned/model.safetensors",
            "tuned/model.safetensors: is a file; a model is a folder, a hub id or a fixture (.yaml)\n"
            "  did you mean its folder, 'tuned'?",
        ),
        ("x" * 300, f"{'x' * 200}: cannot be opened: File name too long"),
        ("x\0y", "x\\u0000y: no such folder\n  a hub id has the form org/name or org/name@revision"),
    ],
)
def test_no_such_folder(here, reference, message):
    model("tuned")
    for name in ("file.bin", "m.zip", "m.gguf"):
        (here / name).write_bytes(b"")
    with model_error(message):
        find_folder(reference)


def test_a_home_of_nobody(here):
    with model_error("~nobody-has-this-name/model: there is no such home folder"):
        find_folder("~nobody-has-this-name/model")


@pytest.mark.parametrize(("files", "seen"), [([], "nothing"), (["b.txt", "a.txt"], "a.txt, b.txt")])
def test_a_folder_without_a_model(here, files, seen):
    (here / "empty").mkdir()
    for name in files:
        (here / "empty" / name).write_text("")
    with model_error(
        "empty: a folder without a model: neither config.json nor adapter_config.json is in it\n"
        f"  saw: {seen}"
    ):
        find_full_model("empty")


def test_a_folder_without_weights(here):
    folder = model("tuned", weights="notes.txt")
    with model_error(f"tuned: no weights: there is no model.safetensors in {folder}{AGAIN}"):
        find_full_model("tuned")
    model("base")
    folder = adapter("lora", "./base", weights="notes.txt")
    with model_error(f"lora: no weights: there is no adapter_model.safetensors in {folder}{AGAIN}"):
        find_pair("lora", None)


def test_a_decoy_beside_pickled_weights_is_not_taken_for_them(here):
    model("base")
    folder = adapter("lora", "./base", weights="adapter_model.bin")
    (folder / "model.safetensors").write_bytes(b"")
    with model_error(PICKLED.format("lora")):
        find_pair("lora", None)
    (folder / "adapter_model.bin").unlink()
    with model_error(
        f"lora: no weights: there is no adapter_model.safetensors in {folder}; saw model.safetensors, which no loader reads\n"
        "  was the adapter merged into its base? then remove adapter_config.json from the folder"
    ):
        find_pair("lora", None)


@pytest.mark.parametrize("place", ["tuned", "base"])
def test_a_pointer_of_git_lfs_is_no_model(here, place):
    model("base")
    adapter("tuned", "./base")
    name = "model.safetensors" if place == "base" else "adapter_model.safetensors"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 269060552\n"
    (here / place / name).write_bytes(pointer)
    with pytest.raises(ModelError, match=r"is a git-lfs pointer of 73 bytes.*\n  fetch them: git lfs pull"):
        find_pair("tuned", None)


def test_a_missing_shard_is_named(here):
    folder = model("tuned", weights="model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    with model_error(
        "tuned: the shard model-00002-of-00002.safetensors, which model.safetensors.index.json names, is missing"
        + AGAIN
    ):
        find_full_model("tuned")
    (folder / shards["b"]).write_bytes(b"")
    assert find_full_model("tuned").folder == folder
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"two sets of weights: .*only the first would be read"):
        find_full_model("tuned")


PICKLED = (
    "{}: its weights are pickled (.bin), which can run code when they are read\n"
    "  save them as safetensors, or allow it: --allow-pickle"
)


def test_pickled_weights_are_refused_unless_allowed(here):
    model("base")
    folder = model("tuned", weights="pytorch_model.bin")
    with model_error(PICKLED.format("tuned")):
        find_pair("tuned", "base")
    assert find_pair("tuned", "base", Allowed(pickle=True)).tuned == FullModel("tuned", folder)


@pytest.mark.parametrize("place", ["tuned", "base"])
def test_pickled_adapters_and_bases_too(here, place):
    model("base", weights="pytorch_model.bin" if place == "base" else "model.safetensors")
    adapter(
        "lora", "./base", weights="adapter_model.bin" if place == "tuned" else "adapter_model.safetensors"
    )
    with pytest.raises(ModelError, match="which can run code when they are read"):
        find_pair("lora", None)
    assert isinstance(find_pair("lora", None, Allowed(pickle=True)).tuned, Adapter)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON: Expecting property name"),
        ("", "cannot be read as JSON: Expecting value"),
        ("[]", "is not a JSON object"),
        (None, "cannot be read as JSON: "),
        ('{"a": NaN}', "cannot be read as JSON: NaN is not a number"),
        ('{"a": -Infinity}', "cannot be read as JSON: -Infinity is not a number"),
        ('{"a": "\\ud800"}', "cannot be read as JSON: it holds half a surrogate pair"),
        ('{"\\udfff": 1}', "cannot be read as JSON: it holds half a surrogate pair"),
        (
            '{"a": %s}' % ("[" * 99_999 + "]" * 99_999),
            "cannot be read as JSON: its brackets are nested too deeply",
        ),
        ('{"a": %s}' % ("9" * 9999), "cannot be read as JSON: Exceeds the limit"),
    ],
)
def test_read_json(here, text, message):
    if text is not None:
        (here / "a.json").write_text(text)
    with pytest.raises(ModelError, match=f"a.json: {message}"):
        read_json(here / "a.json")


def test_a_file_beyond_all_bounds_is_not_read(here):
    folder = model("tuned", card="---\nbase_model: base\n---\n" + "x" * 3_000_000)
    model("base")
    assert find_pair("tuned", None).baseline.name == "base"
    with (folder / "config.json").open("ab") as file:
        file.truncate(40 << 20)
    with model_error(
        f"{folder}/config.json: is 40 MB, and at most 32 MB are read\n  is it really a model's config.json?"
    ):
        find_pair("tuned", None)


@pytest.mark.parametrize(
    "name", ["config.json", "generation_config.json", "tokenizer_config.json", "added_tokens.json"]
)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 99_999, "its brackets are nested too deeply"),
        ('{"a": "\\ud800"}', "it holds half a surrogate pair"),
        ("{", "Expecting property name"),
    ],
)
def test_what_transformers_reads_is_read_by_us_first(here, name, text, message):
    folder = model("tuned")
    (folder / name).write_text(text)
    with pytest.raises(
        ModelError, match=rf"\A{re.escape(f'{folder}/{name}: cannot be read as JSON: {message}')}"
    ):
        find_full_model("tuned")


def test_numbers_of_transformers_may_be_infinite(here):
    folder = model("tuned")
    (folder / "config.json").write_text('{"time_step_limit": [0.0, Infinity]}')
    assert find_full_model("tuned").folder == folder


@pytest.mark.parametrize("shard", ["../base/model.safetensors", "/etc/passwd", "sub/model.safetensors"])
def test_an_index_leads_nowhere_else(here, shard):
    folder = model("tuned", weights="notes.txt")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": shard}}))
    with model_error(
        f"{folder}/model.safetensors.index.json: the shard {shard} is not in the model's folder"
    ):
        find_full_model("tuned")


# what trainers leave behind


@pytest.mark.parametrize(
    ("folders", "hint"),
    [
        (["checkpoint-2"], "did you mean 'run/checkpoint-2'?"),
        (
            ["checkpoint-9", "checkpoint-10", "checkpoint-100"],
            "did you mean 'run/checkpoint-100'?; there are checkpoint-9, checkpoint-10 too",
        ),
        (["checkpoint-100", "final"], "did you mean 'run/final'?; there are checkpoint-100 too"),
        (["a/b"], "did you mean 'run/a/b'?"),
        (["snapshots/0123"], "did you mean 'run/snapshots/0123'?"),
        (["a/b/c"], "saw: a"),
        ([".best-unfinished"], "saw: .best-unfinished"),
    ],
)
def test_a_folder_that_holds_models_is_none(here, folders, hint):
    for name in folders:
        model(f"run/{name}")
    with model_error(
        f"run: a folder without a model: neither config.json nor adapter_config.json is in it\n  {hint}"
    ):
        find_pair("run", None)


@pytest.mark.parametrize(
    ("left", "hint"),
    [
        (
            "pytorch_model_fsdp.bin",
            "pytorch_model_fsdp.bin is FSDP's own; join its shards: accelerate merge-weights ",
        ),
        (
            "pytorch_model_fsdp_0/__0_0.distcp",
            "pytorch_model_fsdp_0 is FSDP's own; join its shards: accelerate ",
        ),
        (
            "global_step4/mp_rank_00.pt",
            "global_step4 is DeepSpeed's own; join its shards: python zero_to_fp32.py ",
        ),
        (
            "model-q4.gguf",
            "model-q4.gguf is GGUF; name the file itself, or the model that it was converted from",
        ),
        (
            "consolidated.00.pth",
            "consolidated.00.pth is in the format of the model's author; convert it to that of",
        ),
        ("checkpoint-8/config.json", "did you mean 'tuned/checkpoint-8'?"),
    ],
)
def test_other_weights_are_named_with_what_to_do(here, left, hint):
    folder = model("tuned", weights="training_args.bin")
    (folder / left).parent.mkdir(exist_ok=True)
    (folder / left).write_bytes(b"")
    with pytest.raises(
        ModelError,
        match=rf"\A{re.escape(f'tuned: no weights: there is no model.safetensors in {folder}')}\n  {re.escape(hint)}",
    ):
        find_full_model("tuned", Allowed(pickle=True))


@pytest.mark.parametrize("left", ["training_args.bin", "optimizer.bin", "scheduler.pt"])
def test_what_a_trainer_keeps_for_itself_is_no_weights(here, left):
    folder = model("tuned", weights=left)
    with model_error(f"tuned: no weights: there is no model.safetensors in {folder}{AGAIN}"):
        find_full_model("tuned")
