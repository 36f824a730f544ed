"""What cannot be kept in the cache is said with its folder; what was kept is taken only if it is still what it was."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest

from harness.errors import HarnessError, ModelError
from harness.models.cache import VARIABLE, cache_folder, keeping
from harness.models.identity import fault_of, kept_identities
from harness.writing import write_fault

FULL = "the disk is full"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full: the quota is used up"),
        (OSError(errno.EROFS, "Read-only file system"), "it is read-only"),
        (PermissionError(errno.EACCES, "Permission denied"), "it may not be written"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "a part of its path is no folder"),
        (FileExistsError(errno.EEXIST, "File exists"), "a part of its path is no folder"),
        # What safetensors and torch raise.
        (Exception("Error while serializing: I/O error: No space left on device (os error 28)"), FULL),
        (Exception('I/O error: Read-only file system (os error 30) at path "/x"'), "it is read-only"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"), FULL),
        (RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"), FULL),
        (FileNotFoundError(errno.ENOENT, "No such file"), None),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (KeyError("x"), None),
    ],
)
def test_why_something_cannot_be_written(error, fault):
    assert write_fault(error) == fault


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(errno.ENOSPC, "No space left"),
            "{0}: the disk is full\n  make room there, or name another folder: ",
        ),
        (OSError(errno.EROFS, "Read-only"), "{0}: it is read-only\n  name another folder: "),
    ],
)
def test_what_cannot_be_kept(tmp_path, error, message):
    expected = f"r: cannot be kept in {message.format(tmp_path)}{VARIABLE}=FOLDER"
    with pytest.raises(ModelError, match=rf"\A{re.escape(expected)}\Z"), keeping("r", tmp_path):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a bug of ours"),
        PermissionError(errno.EACCES, "Permission denied", "/base/model.safetensors"),
        ModelError("m: cannot be loaded: Permission denied"),
    ],
    ids=["bug", "elsewhere", "said already"],
)
def test_what_is_no_fault_of_the_cache_stays_what_it_is(tmp_path, error):
    with pytest.raises(type(error)) as caught, keeping("r", tmp_path / "cache"):
        raise error
    assert caught.value is error


def test_a_folder_whose_path_leads_through_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ModelError, match="a part of its path is no folder"),
        keeping("r", tmp_path / "file/a"),
    ):
        (tmp_path / "file" / "a").mkdir(parents=True)


def test_a_home_of_nobody(monkeypatch):
    monkeypatch.setenv(VARIABLE, "~nobody-has-this-name/cache")
    with pytest.raises(
        HarnessError, match=rf"\A{VARIABLE}=~nobody-has-this-name/cache: there is no such home"
    ):
        cache_folder()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A model that was kept, with its record."""
    for name, text in {
        "config.json": "{}", "model.safetensors": "weights", "tokenizer.json": "{}", "generation_config.json": "{}",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)
    (tmp_path / "done.json").write_text(json.dumps({"made": kept_identities(tmp_path)}))
    return tmp_path


def test_what_is_as_it_was_kept_has_no_fault(kept):
    assert fault_of(kept, "done.json", "made") is None


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("model.safetensors", b"weigh", "its weights changed since it was saved"),
        ("model.safetensors", b"WEIGHTS", "its weights changed since it was saved"),
        ("model.safetensors", None, "its weights changed since it was saved"),
        ("config.json", b"", "its weights changed since it was saved"),
        ("tokenizer.json", b"\x00", "its tokenizer changed since it was saved"),
        ("generation_config.json", b"{", "its settings changed since it was saved"),
        ("done.json", None, "its done.json is gone"),
        ("done.json", b"{", "its done.json cannot be read"),
        ("done.json", b"\xff", "its done.json cannot be read"),
        ("done.json", b'{"a": ' + b"[" * 99_999, "its done.json cannot be read"),
        ("done.json", b"{}", "its done.json does not say what was made"),
        ("done.json", b'{"made": 3}', "its done.json does not say what was made"),
        ("done.json", b'{"made": {}}', "its done.json does not say what was made"),
    ],
)
def test_what_changed_since_is_not_taken(kept, name, content, fault):
    if content is None:
        (kept / name).unlink()
    else:
        (kept / name).write_bytes(content)
    assert fault_of(kept, "done.json", "made") == fault


def test_an_older_record_knows_fewer_parts(kept):
    parts = kept_identities(kept)
    (kept / "done.json").write_text(json.dumps({"made": {k: parts[k] for k in ("weights", "tokenizer")}}))
    assert fault_of(kept, "done.json", "made") is None


def test_nothing_kept_is_a_fault(tmp_path):
    assert fault_of(tmp_path / "nowhere", "done.json", "made") == "its done.json is gone"
