"""Write what surrounds the weights of a repaired model, so that every program loads it as it does the tuned model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch

from harness.engine.transformers.weights import GENERATION
from harness.models.files import has_tokenizer
from harness.models.json_file import read_json
from harness.models.layout import ADAPTER_CONFIG, CONFIG
from harness.models.origin import RECIPE
from harness.models.reference import Adapter
from harness.writing import write_whole

TEXTS = (
    "tokenizer*", "*.jinja", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt", "*.model", "*.tiktoken",
    "spiece.model", "tekken.json",
)  # fmt: skip
"""Files of a tokenizer and its chat templates."""

CODE = "*.py"
"""Code that comes with a model, which users allow by name."""

SAVED_DTYPE = ("dtype", "torch_dtype")


def copy_texts(source: Path, folder: Path) -> None:
    """Copy the tokenizer and the chat templates of a model."""
    for pattern in TEXTS:
        for path in source.glob(pattern):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
    if (templates := source / "additional_chat_templates").is_dir():
        shutil.copytree(templates, folder / templates.name)


def write_adapter_config(source: Adapter, folder: Path) -> None:
    """Write the adapter's config; a base that is named by a path beside the adapter is named by its whole path.

    What is known of the base that it was trained on goes along.
    """
    config = read_json(source.folder / ADAPTER_CONFIG)
    named = config.get("base_model_name_or_path")
    if isinstance(named, str) and (Path(named).is_dir() or (source.folder / named).is_dir()):
        config["base_model_name_or_path"] = str(source.base.folder)
    write_whole(folder / ADAPTER_CONFIG, json.dumps(config, indent=2) + "\n")
    recipe = source.folder / RECIPE
    if recipe.is_file() and isinstance(base := read_json(recipe).get("base"), dict):
        write_whole(folder / RECIPE, json.dumps({"base": base}, indent=1) + "\n")


def write_full(model: Any, state: dict[str, torch.Tensor], like: Path, text: Path, folder: Path) -> None:
    """Write a full model.

    Args:
        model: a model of transformers, whose config is written.
        state: its tensors, in the dtypes to save.
        like: the folder of a full model of the same architecture, whose dtype and settings of generation hold.
        text: the folder whose tokenizer it reads.
    """
    model.save_pretrained(folder, state_dict=state)
    config, kept = read_json(folder / CONFIG), read_json(like / CONFIG)
    for key in SAVED_DTYPE:
        config.pop(key, None)
    config |= {key: kept[key] for key in SAVED_DTYPE if key in kept}
    write_whole(folder / CONFIG, json.dumps(config, indent=2, sort_keys=True) + "\n")
    (folder / GENERATION).unlink(missing_ok=True)
    for path in (like / GENERATION, *like.glob(CODE)):
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    copy_texts(text if has_tokenizer(text) else like, folder)


def saved_dtype(folder: Path) -> torch.dtype | None:
    """The dtype in which a full model is saved, by its config; None if that does not say."""
    config = read_json(folder / CONFIG)
    parts = [part for part in (config, config.get("text_config")) if isinstance(part, dict)]
    named = next((part[key] for part in parts for key in SAVED_DTYPE if part.get(key)), None)
    found = getattr(torch, str(named).removeprefix("torch."), None)
    return found if isinstance(found, torch.dtype) else None


def with_rows(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """The rows of `start` as many as `end` has, in its dtype; new tokens have no start, and stay as they are in `end`."""
    if start.shape == end.shape:
        return start.to(end)
    rows = min(len(start), len(end))
    return torch.cat([start[:rows].to(end), end[rows:]])
