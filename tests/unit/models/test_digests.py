"""A large file is read once, unless anything about it changed, or may have."""

from __future__ import annotations

import os
import sqlite3
import time

import pytest

from harness.digest import bytes_digest
from harness.models import digests
from harness.models.digests import file_digest


@pytest.fixture
def reads(tmp_path, monkeypatch):
    """The files that were read."""
    monkeypatch.setenv("FORGETTING_GATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digests, "LARGE", 4)
    monkeypatch.setattr(digests, "RACY", -1)
    read = []
    monkeypatch.setattr(digests, "bytes_digest", lambda path: (read.append(path.name), bytes_digest(path))[1])
    return read


@pytest.fixture
def weights(tmp_path):
    (tmp_path / "weights").write_bytes(b"abcd")
    return tmp_path / "weights"


def test_it_is_read_once(reads, weights):
    assert file_digest(weights) == file_digest(weights) == bytes_digest(weights)
    assert reads == ["weights"]


def test_a_small_one_is_not_remembered(reads, weights, tmp_path):
    weights.write_bytes(b"abc")
    assert file_digest(weights) == file_digest(weights)
    assert reads == ["weights"] * 2
    assert not (tmp_path / "cache").exists()


def content(path):
    path.write_bytes(b"abce")


def content_and_time(path):
    seen = path.stat()
    path.write_bytes(b"abce")
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def another(path):
    path.rename(path.with_name("old"))
    path.write_bytes(b"abce")


@pytest.mark.parametrize("change", [content, content_and_time, another])
def test_a_changed_one_is_read_again(reads, weights, change):
    first = file_digest(weights)
    time.sleep(0.02)  # the finest step of a file system's clock
    change(weights)
    assert file_digest(weights) == bytes_digest(weights) != first


def test_one_that_was_just_changed_is_read_again(reads, weights, monkeypatch):
    monkeypatch.setattr(digests, "RACY", 10**10)
    assert file_digest(weights) == file_digest(weights)
    assert reads == ["weights"] * 2


@pytest.mark.parametrize("damage", ["text", "digest", "folder"])
def test_a_damaged_memory_is_not_trusted(reads, weights, tmp_path, damage):
    expected = file_digest(weights)
    memory = tmp_path / "cache" / "digests.db"
    if damage == "text":
        memory.write_text("no database" * 99)
    elif damage == "digest":
        connection = sqlite3.connect(memory)
        connection.execute("UPDATE digests SET digest = 'f' || substr(digest, 2)")
        connection.commit()
        connection.close()
    else:
        memory.unlink()
        memory.mkdir()
    assert file_digest(weights) == expected
    assert reads == ["weights"] * 2
