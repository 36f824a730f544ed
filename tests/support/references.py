"""Folders that look like models, and what is said of references."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ModelError


def model(name: str, weights: str = "model.safetensors", card: str | None = None) -> Path:
    folder = Path(name)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / weights).write_bytes(b"")
    if card is not None:
        (folder / "README.md").write_text(card)
    return folder.resolve()


def adapter(name: str, base: object, weights: str = "adapter_model.safetensors") -> Path:
    folder = Path(name)
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    (folder / weights).write_bytes(b"")
    return folder.resolve()


def model_error(message: str) -> pytest.RaisesExc[ModelError]:
    """Expect a ModelError with exactly this text on a command line."""
    return pytest.raises(ModelError, check=lambda error: error.on_command_line == message)
