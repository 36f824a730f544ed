"""Files that are there whole or not at all, and what is said of those that cannot be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.reporting.latest import Latest
from harness.sweep.record import write_sweep
from harness.writing import clear_report, restore_folder, whole_folder, write_wanted, write_whole, writing
from tests.support.ladders import ladder, recipe, rung

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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files on this system")
def test_what_is_no_file_is_written_to_and_stays(tmp_path):
    """As /dev/null and /dev/full have to, which root could replace."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "new")
    assert os.read(reader, 10) == b"new"
    os.close(reader)
    assert pipe.is_fifo()
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("name", ["n" * 240, "\N{SEEDLING}" * 60], ids=["letters", "four bytes each"])
def test_a_long_name(tmp_path, name):
    write_whole(tmp_path / f"{name}.txt", "x")
    assert names(tmp_path) == [f"{name}.txt"]


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


def test_files_of_an_earlier_report_are_cleared_and_no_others(tmp_path):
    clear_report(tmp_path / "new", ["a.json"])
    assert names(tmp_path) == []
    for name in ("a.json", "mine.txt"):
        (tmp_path / name).write_text("")
    clear_report(tmp_path, ["a.json", "a.html"])
    assert names(tmp_path) == ["mine.txt"]


def test_a_report_that_cannot_be_cleared(tmp_path, monkeypatch):
    def touch(path):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", touch)
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    with pytest.raises(HarnessError) as caught:
        clear_report(Path("out"), ["a.json"], "out")
    assert caught.value.on_command_line == (
        "--out=out: nothing can be written there: Read-only file system\n  name another folder: --out=DIR"
    )


def test_the_record_of_a_ladder(tmp_path, full):
    record = ladder(rung(recipe("a"), (38, 5)), rung(recipe("b"), (38, 9)))
    with pytest.raises(HarnessError) as caught:
        write_sweep(record, tmp_path)
    assert caught.value.on_command_line == (
        f"--report={tmp_path}: no record can be written there: No space left on device\n"
        "  make room there, or name another folder: --report=DIR"
    )
    assert names(tmp_path) == []


def test_a_folder_in_which_nothing_can_be_locked(tmp_path, monkeypatch):
    def acquire(self, timeout):
        raise NotImplementedError("flock")

    monkeypatch.setattr("harness.reporting.holding.FileLock.acquire", acquire)
    with pytest.raises(HarnessError, match="no record can be written there: no file can be locked there"):
        Latest(tmp_path).claim()


# Folders


class Killed(BaseException):
    pass


def fill(folder, text):
    """A folder with one file, written whole."""
    with whole_folder(folder) as unfinished:
        (unfinished / "a.txt").write_text(text)


def break_off(folder, error, goes_on=lambda unfinished: False, name="a.txt"):
    """Write half of a folder."""
    with whole_folder(folder, goes_on) as unfinished:
        (unfinished / name).write_text("half")
        raise error


def test_a_folder_is_made_and_replaced(tmp_path):
    for text in ("old", "new"):
        fill(tmp_path / "b/c", text)
        assert (tmp_path / "b/c/a.txt").read_text() == text
        assert names(tmp_path / "b") == ["c"]


@pytest.mark.parametrize("error", [FULL, Killed()], ids=["full", "interrupted"])
def test_an_error_leaves_the_folder_that_was_there(tmp_path, error):
    fill(tmp_path / "c", "old")
    with pytest.raises(type(error)):
        break_off(tmp_path / "c", error)
    assert (tmp_path / "c/a.txt").read_text() == "old"
    assert names(tmp_path) == ["c"]


@pytest.mark.parametrize("again", ["restored", "written"])
def test_a_kill_between_the_renames_loses_nothing(tmp_path, again):
    """As a kill leaves it: the older folder has another name, and the newer none yet."""
    fill(tmp_path / ".c-older", "old")
    fill(tmp_path / ".c-unfinished", "new")
    if again == "restored":
        restore_folder(tmp_path / "c")
        assert (tmp_path / "c/a.txt").read_text() == "old"
    else:
        fill(tmp_path / "c", "newer")
        assert (tmp_path / "c/a.txt").read_text() == "newer"
        assert names(tmp_path) == ["c"]


@pytest.mark.parametrize(("started", "left"), [(True, [".c-unfinished"]), (False, [])])
def test_what_is_unfinished_stays_where_there_is_something_to_go_on_from(tmp_path, started, left):
    def goes_on(unfinished):
        return (unfinished / "checkpoint").is_file()

    with pytest.raises(Killed):
        break_off(tmp_path / "c", Killed(), goes_on, "checkpoint" if started else "other")
    assert names(tmp_path) == left
    with whole_folder(tmp_path / "c", goes_on) as unfinished:
        assert names(unfinished) == (["checkpoint"] if started else [])
    assert names(tmp_path) == ["c"]


# What is said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FULL, "a: cannot be written: the disk is full\n  make room there, or go elsewhere"),
        (RuntimeError("unexpected pos 576 vs 534"), "a: cannot be written: the disk is full\n  make room there, or go elsewhere"),
        (PermissionError(errno.EACCES, "no"), "a: cannot be written: it may not be written\n  go elsewhere"),
    ],
)  # fmt: skip
def test_why_it_cannot_be_written(error, said):
    with pytest.raises(HarnessError) as caught, writing("a: cannot be written", "go elsewhere"):
        raise error
    assert str(caught.value) == said


@pytest.mark.parametrize("error", [KeyError("x"), FileNotFoundError(errno.ENOENT, "x"), HarnessError("said")])
def test_another_error_stays_what_it_is(error):
    with pytest.raises(type(error)) as caught, writing("a: cannot be written", "go elsewhere"):
        raise error
    assert caught.value is error
