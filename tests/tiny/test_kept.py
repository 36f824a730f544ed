"""What the cache keeps: a damaged model is made again, what cannot be written is said, and what is half written never counts."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlamaForCausalLM

from harness.cli.main import main
from harness.engine.settings import Settings
from harness.engine.transformers import gguf as convert
from harness.engine.transformers.gguf import ensure_embedded
from harness.engine.transformers.quiet import quiet
from harness.errors import HarnessError, ModelError
from harness.models import making
from harness.models.embedded import embedded_folder
from harness.models.identity import fault_of
from harness.models.reference import find_full_model
from harness.store.carrying import export
from harness.store.content import model_content
from harness.store.database import Database, Stored
from harness.training import trainer as trainer_module
from harness.training.callback.checkpoints import BEST, BestCheckpoint, keep_answers
from harness.training.penalties.ewc import EWCRegularizer
from harness.training.trained import DONE
from tests.support.kitchen import FULL, LORA, Kitchen

FULL_DISK = OSError(errno.ENOSPC, "No space left on device")
READ_ONLY = OSError(errno.EROFS, "Read-only file system")
RUST = RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)")


def fails(error: Exception) -> Callable[..., Any]:
    def raises(*_: object, **__: object) -> None:
        raise error

    return raises


def trained(kitchen: Kitchen) -> list[Path]:
    return [path for path in (kitchen.folder / "cache" / "trained").glob("*") if (path / DONE).is_file()]


# Trained models


@pytest.mark.parametrize("text", [LORA, FULL], ids=["lora", "full"])
@pytest.mark.parametrize("damage", ["cut", "garbage"])
def test_a_damaged_model_is_trained_again_and_that_is_said(kitchen, text, damage):
    first = {
        name: value.clone() for name, value in kitchen.weights(text).items()
    }  # read from the file as needed
    folder = trained(kitchen)[0]
    file = next(folder.glob("*model.safetensors"))
    size = file.stat().st_size
    if damage == "cut":
        os.truncate(file, 100)
    else:
        file.write_bytes(b"\x00" * size)
    again = kitchen.weights(text)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert (
        f"r: the model kept in {folder} is trained again: its weights changed since it was saved"
        in kitchen.said
    )


def test_damaged_settings_are_made_again_too(kitchen):
    folder = kitchen.train(FULL).tuned.folder
    (folder / "generation_config.json").write_text("{")
    kitchen.train(FULL)
    assert kitchen.said[-1].startswith("r: loss") or any(
        "its settings changed" in line for line in kitchen.said
    )
    assert json.loads((folder / "generation_config.json").read_text())


@pytest.mark.parametrize("error", [FULL_DISK, READ_ONLY, RUST], ids=["full", "read-only", "safetensors"])
@pytest.mark.parametrize("place", ["save", "checkpoint", "record"])
def test_what_cannot_be_written_is_said_and_nothing_counts(kitchen, monkeypatch, error, place):
    """At the end of a training, at a checkpoint, and where the record is written that makes it count."""
    with monkeypatch.context() as patched:
        if place == "save":
            patched.setattr("peft.PeftModel.save_pretrained", fails(error))
        elif place == "checkpoint":
            patched.setattr(trainer_module, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
            patched.setattr("transformers.Trainer._save_optimizer_and_scheduler", fails(error))
        else:
            patched.setattr(making, "kept_identities", fails(error))
        with pytest.raises(
            ModelError, match=r"\Ar: cannot be kept in .*/cache/trained: .*\n.*FORGETTING_GATE_CACHE=FOLDER"
        ):
            kitchen.train(LORA)
    assert trained(kitchen) == []
    assert not list((kitchen.folder / "cache" / "trained").glob(".*-unfinished"))
    kitchen.train(LORA)
    assert len(trained(kitchen)) == 1


def test_a_cache_that_is_no_folder_is_said(kitchen):
    (kitchen.folder / "cache").write_text("")
    with pytest.raises(
        ModelError,
        match=r"\Ar: cannot be kept in .*/cache/trained: a part of its path is no folder\n  name another folder",
    ):
        kitchen.train(LORA)


def test_a_model_in_a_cache_that_may_not_be_written_is_served(kitchen, monkeypatch):
    first = kitchen.train(LORA).tuned.folder
    monkeypatch.setattr(making, "FileLock", fails(READ_ONLY))
    assert kitchen.train(LORA).tuned.folder == first
    os.truncate(first / "adapter_model.safetensors", 100)
    with pytest.raises(
        ModelError,
        match=r"\Ar, which must be trained again \(its weights changed since it was saved\): cannot be kept in .*: it is read-only",
    ):
        kitchen.train(LORA)


def interrupted(label: str, unit: str = "") -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        if unit == "steps" and done == 5:
            raise KeyboardInterrupt

    return show


@pytest.fixture
def checkpoint(kitchen, monkeypatch):
    """The last checkpoint of a training that was killed."""
    monkeypatch.setattr(trainer_module, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        kitchen.train(LORA, interrupted)
    (found,) = (kitchen.folder / "cache" / "trained").glob(".r-*-unfinished/checkpoint-*")
    return found


@pytest.mark.parametrize(
    "name", ["adapter_model.safetensors", "optimizer.pt", "trainer_state.json", "whole.json"]
)
def test_a_checkpoint_that_is_not_whole_is_passed_over(kitchen, checkpoint, name):
    os.truncate(checkpoint / name, 10)
    kitchen.train(LORA)
    assert not any("going on from a checkpoint" in line for line in kitchen.said)
    assert len(trained(kitchen)) == 1


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "optimizer.pt", "trainer_state.json"])
def test_a_checkpoint_that_cannot_be_read_is_removed_and_that_is_said(kitchen, checkpoint, name):
    file = checkpoint / name
    file.write_bytes(b"\x01" * file.stat().st_size)
    with pytest.raises(
        ModelError,
        match=r"checkpoint-\d+: the training cannot go on from it: .*\n  it was removed; run it again",
    ):
        kitchen.train(LORA)
    assert not checkpoint.exists()
    kitchen.train(LORA)
    assert len(trained(kitchen)) == 1


# The converted model


@pytest.fixture
def embedded(base, tmp_path, monkeypatch):
    """The embedded model, as if its package held the tiny base; how often it was converted."""
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    converted: list[Path] = []

    class Models:
        @staticmethod
        def from_pretrained(folder: Path, **_: object) -> LlamaForCausalLM:
            converted.append(folder)
            return LlamaForCausalLM.from_pretrained(base)

    class Tokenizers:
        @staticmethod
        def from_pretrained(folder: Path, **_: object) -> Any:
            return AutoTokenizer.from_pretrained(base)

    monkeypatch.setattr(convert, "AutoModelForCausalLM", Models)
    monkeypatch.setattr(convert, "AutoTokenizer", Tokenizers)
    monkeypatch.setattr(convert, "embedded_gguf", lambda: tmp_path / "model.gguf")
    return converted


def test_it_is_converted_once(embedded):
    ensure_embedded()
    ensure_embedded()
    assert len(embedded) == 1
    assert fault_of(embedded_folder(), convert.DONE, "converted") is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("model.safetensors", "its weights changed since it was saved"),
        ("config.json", "its weights changed since it was saved"),
        ("tokenizer.json", "its tokenizer changed since it was saved"),
        ("generation_config.json", "its settings changed since it was saved"),
        ("converted.json", "its converted.json cannot be read"),
    ],
)
@pytest.mark.parametrize("damage", ["cut", "garbage", "gone"])
def test_a_damaged_one_is_converted_again_and_that_is_said(embedded, name, why, damage):
    ensure_embedded()
    file = embedded_folder() / name
    whole, said = file.read_bytes(), []
    if damage == "gone":
        file.unlink()
        why = why.replace("cannot be read", "is gone")
    else:
        file.write_bytes(whole[:9] if damage == "cut" else b"\x01" * len(whole))
    ensure_embedded(said.append)
    assert (
        said[0] == f"SmolLM2-135M-Instruct: the model kept in {embedded_folder()} is converted again: {why}"
    )
    assert len(embedded) == 2
    assert file.read_bytes() == whole


def test_its_answers_are_carried_to_where_it_was_never_asked(embedded, tmp_path, monkeypatch):
    ensure_embedded()
    source = find_full_model("embedded")
    content = {**model_content(source, source, Settings()), "dtype": "float32", "device": "cpu"}
    there = Database(tmp_path / "there.db")
    there.keep(Stored("base", content), {"r": {"kind": "generate", "text": "Paris", "tokens": 1}})
    export(there, there.models(), tmp_path / "base.answers")
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "other"))
    carried, here = str(tmp_path / "base.answers"), f"--store={tmp_path / 'here.db'}"
    assert main(["store", "import", carried, "--model=embedded", here]) == 0


@pytest.mark.parametrize("error", [FULL_DISK, READ_ONLY, RUST], ids=["full", "read-only", "safetensors"])
def test_a_conversion_that_cannot_be_written_is_said_and_nothing_counts(embedded, monkeypatch, error):
    with monkeypatch.context() as patched:
        patched.setattr(LlamaForCausalLM, "save_pretrained", fails(error))
        with pytest.raises(
            ModelError, match=r"\ASmolLM2-135M-Instruct: cannot be kept in .*/cache/models: .*\n  .*FOLDER\Z"
        ):
            ensure_embedded()
    assert [path.name for path in embedded_folder().parent.iterdir() if path.is_dir()] == []
    ensure_embedded()
    assert load_file(embedded_folder() / "model.safetensors")


def test_what_a_killed_conversion_left_is_cleared_away(embedded):
    folder = embedded_folder()
    left = folder.with_name(f".{folder.name}-unfinished")
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    ensure_embedded()
    assert not left.exists()


# What a training of the user's keeps


class Full:
    """A model, or a tokenizer, that cannot be saved."""

    def save_pretrained(self, folder: Path) -> None:
        (folder / "half").write_bytes(b"half")
        raise RUST


def test_a_best_checkpoint_that_cannot_be_written_leaves_the_one_before(tmp_path, base):
    best = BestCheckpoint(tmp_path / "best")
    best.begin("t", 0)
    with quiet():
        model, tokenizer = LlamaForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    best.offer(1, 0.0, None, model, tokenizer)
    with pytest.raises(
        HarnessError,
        match=r"\Athe best checkpoint cannot be written to .*best: the disk is full\n  make room",
    ):
        best.offer(2, 0.0, None, Full(), tokenizer)
    assert best.step == 1
    assert json.loads((tmp_path / "best" / BEST).read_text())["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"training": "t"}', '{"training": "t", "step": "x"}', "[" * 99_999]
)
def test_a_note_of_a_best_checkpoint_that_cannot_be_read_is_of_another(tmp_path, text):
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / BEST).write_text(text)
    best = BestCheckpoint(tmp_path / "best")
    best.begin("t", 5)
    assert best.step is None
    assert best.left_over


def test_answers_that_cannot_be_written_say_where(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        HarnessError,
        match=r"\Athe baseline's answers cannot be written to .*file/out/a.json: a part of its path is no folder",
    ):
        keep_answers(tmp_path / "file" / "out" / "a.json", [], "w", {})


def test_fisher_information_that_cannot_be_written_or_read(tmp_path, base):
    with quiet():
        model = LlamaForCausalLM.from_pretrained(base)
    regularizer = EWCRegularizer(model, 1.0)
    tokens = torch.tensor([[5, 6, 7]])
    regularizer.update_fisher(
        model, [{"input_ids": tokens, "attention_mask": tokens * 0 + 1, "labels": tokens}]
    )
    (tmp_path / "file").write_text("")
    with pytest.raises(
        HarnessError, match=r"file/a.safetensors: cannot be written: a part of its path is no folder"
    ):
        regularizer.save(tmp_path / "file" / "a.safetensors")
    regularizer.save(tmp_path / "a.safetensors")
    whole = (tmp_path / "a.safetensors").read_bytes()
    for settings in (b'"{', b'"x'):
        damaged = whole.replace(b'"{', settings + b" ", 1).replace(b"importance", b"importancX")
        (tmp_path / "a.safetensors").write_bytes(damaged[: len(whole)])
        with pytest.raises(ModelError):
            EWCRegularizer.load(tmp_path / "a.safetensors", model)
