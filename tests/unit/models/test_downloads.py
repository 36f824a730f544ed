"""Which files of a model on the hub arrive: those that cannot run code, and those that a user allows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import huggingface_hub
import pytest

from harness.engine.settings import Settings
from harness.errors import ModelError
from harness.models.allowed import NOTHING, Allowed
from harness.models.reference import find_full_model, find_pair
from tests.support.references import model_error


@pytest.fixture
def repository(here: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put files into the one model of a hub, which gives those that are asked for."""
    there, cache = here / "there", here / "snapshot"
    there.mkdir()
    cache.mkdir()

    def download(
        repo: str, *, revision: str | None, allow_patterns: list[str], ignore_patterns: list[str]
    ) -> str:
        for file in there.iterdir():
            wanted, unwanted = (
                any(fnmatch(file.name, pattern) for pattern in patterns)
                for patterns in (allow_patterns, ignore_patterns)
            )
            if wanted and not unwanted:
                shutil.copy(file, cache)
        return str(cache)

    def fill(*names: str, **contents: str) -> None:
        for name in names:
            (there / name).write_text(contents.get(name, "{}"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return fill


def arrived(here: Path) -> set[str]:
    return {path.name for path in (here / "snapshot").iterdir()}


def test_pickled_weights_arrive_only_if_they_are_allowed(repository, here):
    repository("config.json", "pytorch_model.bin", "training_args.bin", "optimizer.bin", "code.py")
    with model_error(
        f"org/name: no weights: there is no model.safetensors in {here / 'snapshot'}\n"
        "  if they are pickled there (.bin), they were not downloaded; to allow it: --allow-pickle"
    ):
        find_full_model("org/name")
    assert arrived(here) == {"config.json"}
    assert find_full_model("org/name", Allowed(pickle=True)).folder == here / "snapshot"
    assert arrived(here) == {"config.json", "pytorch_model.bin"}


def test_pickled_shards_that_were_not_downloaded_are_not_missing(repository):
    index = json.dumps({"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}})
    name = "pytorch_model.bin.index.json"
    repository("config.json", "pytorch_model-00001-of-00001.bin", name, **{name: index})
    with pytest.raises(ModelError, match=r"its weights are pickled \(\.bin\)"):
        find_full_model("org/name")
    find_full_model("org/name", Allowed(pickle=True))
    repository("model.safetensors")
    find_full_model("org/name")


@pytest.mark.parametrize("allowed", [NOTHING, Allowed(pickle=True)])
def test_pickled_weights_stay_where_there_are_others(repository, here, allowed):
    name = "pytorch_model.bin.index.json"
    index = json.dumps({"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}})
    repository("config.json", "model.safetensors", name, "pytorch_model-00001-of-00001.bin", **{name: index})
    find_full_model("org/name", allowed)
    assert arrived(here) == {"config.json", "model.safetensors", name}


def test_code_arrives_only_if_it_is_allowed(repository, here):
    repository("config.json", "model.safetensors", "modeling_own.py", "own.tiktoken", "pytorch_model.bin")
    find_full_model("org/name")
    assert arrived(here) == {"config.json", "model.safetensors"}
    find_pair("org/name", "same", Settings(allow_remote_code=True).allowed)
    assert arrived(here) == {"config.json", "model.safetensors", "modeling_own.py", "own.tiktoken"}
