"""Commands that write files, on a disk that is full and in a folder that cannot be: an error, and nothing half-written."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from harness.cli.main import main
from tools.docs.__main__ import main as write_docs

STALE = "# A page\n\n<!-- generated: keys-gate -->\n\nold\n\n<!-- end generated -->\n"
CHECKOUT = "run it in a writable checkout"
OUT = "name another file with --out"
COMMANDS = {
    "new": (["new", "s", "--out", "out/s.yaml"], "out/s.yaml", OUT),
    "schema": (["schema", "--write"], "docs/suite.schema.json", CHECKOUT),
    "docs": (["--write"], "docs/a.md", CHECKOUT),
}


def run(command: str) -> int:
    """The exit code of a command; that of the documentation is a tool of the checkout."""
    return (write_docs if command == "docs" else main)(COMMANDS[command][0])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"docs/a.md": STALE}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_disk_that_is_full(folder, monkeypatch, capsys, command):
    write = Path.write_bytes

    def write_bytes(path, content):
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    before = files(folder)
    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    _, path, remedy = COMMANDS[command]
    assert run(command) == 4
    said = f"{path}: cannot be written: No space left on device\n  make room there, or {remedy}\n"
    assert capsys.readouterr().err.endswith(said)
    assert files(folder) == before


@pytest.mark.parametrize("command", [name for name in COMMANDS if COMMANDS[name][2] == OUT])
def test_a_part_of_the_path_is_a_file(folder, capsys, command):
    (folder / "out").write_text("", encoding="utf-8")
    _, path, _ = COMMANDS[command]
    assert run(command) == 4
    said = tuple(f"{path}: cannot be written: {why}\n  {OUT}\n" for why in ("File exists", "Not a directory"))
    assert capsys.readouterr().err.endswith(said)


@pytest.mark.parametrize("command", COMMANDS)
def test_where_there_is_room_it_is_written(folder, capsys, command):
    """So that the tests above cannot pass for another reason."""
    _, path, _ = COMMANDS[command]
    assert run(command) == 0, capsys.readouterr().err
    assert (folder / path).stat().st_size > 100
