"""Files that are there whole or not at all, and what is said of those that cannot be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from ladders import ladder, recipe, rung

from harness.errors import HarnessError
from harness.reporting.latest import Latest
from harness.sweep.record import write_ladder
from harness.writing import write_wanted, write_whole

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def full(monkeypatch):
    """A disk on which a file gets no further than its first half."""

    def write_bytes(path, content):
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise FULL

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_folders_are_made_and_line_feeds_stay(tmp_path):
    write_whole(tmp_path / "a/b/c.txt", "é\n")
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"\xc3\xa9\n"
    assert names(tmp_path / "a/b") == ["c.txt"]


def test_what_was_there_stays_where_nothing_new_can_be_written(tmp_path, full):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a.txt", "new and long")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_stays_one(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_whole(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_long_name(tmp_path):
    write_whole(tmp_path / f"{'n' * 240}.txt", "x")
    assert names(tmp_path) == [f"{'n' * 240}.txt"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FULL, "No space left on device\n  make room there, or name another place: --out FILE"),
        (
            OSError(errno.EROFS, "Read-only file system"),
            "Read-only file system\n  name another place: --out FILE",
        ),
        (OSError("odd"), "odd\n  name another place: --out FILE"),
        (OSError(), "OSError\n  name another place: --out FILE"),
    ],
)
def test_what_is_said(tmp_path, monkeypatch, error, said):
    def write_bytes(path, content):
        raise error

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarnessError) as caught:
        write_wanted(Path("a.txt"), "x", "name another place: --out FILE")
    assert str(caught.value) == f"a.txt: cannot be written: {said}"


def test_a_part_of_the_path_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        HarnessError, match=r"file/a\.txt: cannot be written: (Not a directory|File exists)\n  name"
    ):
        write_wanted(tmp_path / "file/a.txt", "x", "name another place: --out FILE")


def test_the_record_of_a_ladder(tmp_path, full):
    record = ladder(rung(recipe("a"), (38, 5)), rung(recipe("b"), (38, 9)))
    with pytest.raises(HarnessError) as caught:
        write_ladder(record, tmp_path)
    assert str(caught.value) == (
        f"--report {tmp_path}: no record can be written there: No space left on device\n"
        "  make room there, or name another folder: --report DIR"
    )
    assert names(tmp_path) == []


def test_a_folder_in_which_nothing_can_be_locked(tmp_path, monkeypatch):
    def acquire(self, timeout):
        raise NotImplementedError("flock")

    monkeypatch.setattr("harness.reporting.latest.FileLock.acquire", acquire)
    with pytest.raises(OSError, match="no file can be locked there"):
        Latest(tmp_path).claim()
