"""The same bytes have the same name, and a changed byte another."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.models.files import TEXT_FILES
from harness.models.identity import file_digests, tokenizer_identity, weights_identity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "one")


def write(folder: Path) -> Path:
    folder.mkdir()
    for name in (
        "model-1.safetensors",
        "model-2.safetensors",
        "tokenizer.json",
        "chat_template.jinja",
        "README.md",
    ):
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_copy_has_the_same_identity(folder, tmp_path):
    copy = write(tmp_path / "two")
    assert weights_identity(copy) == weights_identity(folder)
    assert tokenizer_identity(copy) == tokenizer_identity(folder)
    assert len(weights_identity(folder)) == 64


@pytest.mark.parametrize(
    ("name", "weights", "tokenizer"),
    [
        ("model-1.safetensors", True, False),
        ("model-2.safetensors", True, False),
        ("tokenizer.json", False, True),
        ("chat_template.jinja", False, True),
        ("README.md", False, False),
    ],
)
def test_a_changed_byte_changes_it(folder, name, weights, tokenizer):
    before = weights_identity(folder), tokenizer_identity(folder)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert (weights_identity(folder) != before[0]) is weights
    assert (tokenizer_identity(folder) != before[1]) is tokenizer


@pytest.mark.parametrize(
    "name", ["added_tokens.json", "tekken.json", "qwen.tiktoken", "spiece.model", "vocab.txt"]
)
def test_any_file_of_a_tokenizer_counts(folder, name):
    before = tokenizer_identity(folder)
    (folder / name).write_text("{}")
    assert tokenizer_identity(folder) != before
    assert name in file_digests(folder, TEXT_FILES)


def test_files_that_trade_their_content_change_it(folder):
    before = weights_identity(folder)
    one, two = folder / "model-1.safetensors", folder / "model-2.safetensors"
    held = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(held)
    assert weights_identity(folder) != before


def test_nothing_has_no_identity(tmp_path):
    assert weights_identity(tmp_path) == ""
    assert tokenizer_identity(tmp_path) == ""
