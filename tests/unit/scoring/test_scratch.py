"""The folder of code that cannot be trusted: counted while it is filled, and gone afterwards, however it was filled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.scoring.scratch import MOST_BYTES, MOST_ENTRIES, overfull, scratch_folder

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no code runs elsewhere")


def deep(folder: str, levels: int) -> None:
    """Folders in each other, deeper than a path can name."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 200, dir_fd=here)
        os.symlink("/etc", "link", dir_fd=here)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def links(folder: str, outside: Path) -> None:
    Path(folder, "file").symlink_to(outside / "kept")
    Path(folder, "folder").symlink_to(outside)
    Path(folder, "hard").hardlink_to(outside / "kept")
    Path(folder, "self").symlink_to("self")


def locked(folder: str) -> None:
    Path(folder, "a/b").mkdir(parents=True)
    Path(folder, "a/b/c").write_text("x")
    Path(folder, "a/b").chmod(0)
    Path(folder, "a").chmod(0)
    Path(folder, "e").mkdir(0)


@pytest.mark.parametrize(
    "fill",
    [
        lambda folder, outside: None,
        lambda folder, outside: [Path(folder, str(n)).touch() for n in range(2 * MOST_ENTRIES + 1)],
        lambda folder, outside: [Path(folder, str(n)).mkdir() for n in range(40)],
        lambda folder, outside: deep(folder, 60),
        lambda folder, outside: links(folder, outside),
        lambda folder, outside: locked(folder),
        lambda folder, outside: os.mkfifo(Path(folder, "fifo")),
        lambda folder, outside: Path(folder, "\udcff\n").touch(),
    ],
    ids=["empty", "many", "folders", "deep", "links", "locked", "fifo", "a name that is no text"],
)
def test_it_is_gone_and_nothing_else(tmp_path, fill):
    (tmp_path / "kept").write_text("kept")
    before = len(list(Path("/dev/fd").iterdir()))
    with scratch_folder() as folder:
        fill(folder, tmp_path)
    assert not Path(folder).exists()
    assert (tmp_path / "kept").read_text() == "kept"
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_more_levels_than_python_can_recurse():
    with scratch_folder() as folder:
        deep(folder, 1100)
        assert overfull(folder)
    assert not Path(folder).exists()


def test_it_is_gone_after_an_error():
    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        raise ZeroDivisionError
    assert not Path(folder).exists()


def test_what_is_overfull():
    with scratch_folder() as folder:
        inside = Path(folder, "a/b")
        inside.mkdir(parents=True)
        assert not overfull(folder)
        for n in range(MOST_ENTRIES - 2):
            (inside / str(n)).symlink_to("/usr")
        assert not overfull(folder), "links are not followed"
        (inside / "last").touch()
        assert overfull(folder)
    with scratch_folder() as folder:
        Path(folder, "sparse").touch()
        os.truncate(Path(folder, "sparse"), 2 * MOST_BYTES)
        assert not overfull(folder), "it takes no room"
        Path(folder, "large").write_bytes(bytes(MOST_BYTES + 4096))
        assert overfull(folder)
    assert not overfull(folder), "it is gone"


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root looks into every folder")
def test_a_folder_that_nobody_may_look_into_hides_nothing():
    with scratch_folder() as folder:
        Path(folder, "locked").mkdir(0)
        assert overfull(folder)
