"""Exit codes of the commands that read suites: 2, and one clear error, for a suite that cannot be read."""

from __future__ import annotations

import pytest

from harness.cli.main import main

SMALL = (
    "suite: small\nscore: mentions\ngates: [{over: each}]\nprobes: [{id: a, question: Why?, answer: blue}]\n"
)
COMMANDS = {
    "lint": (["lint", "{path}"], "1 problem\n"),
    "lint --strict": (["lint", "--strict", "{path}"], "1 problem\n"),
    "plan": (["plan", "{path}"], ""),
    "plan --json": (["plan", "--json", "{path}"], ""),
    "preview": (["preview", "{path}"], ""),
    "preview a slice": (["preview", "{path}::probe[a]"], ""),
    "preview --model": (["preview", "{path}", "--model", "nowhere"], ""),
    "calibrate": (["calibrate", "{path}", "--model", "nowhere"], ""),
}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command over a path; gives its exit code, its output and its errors."""
    monkeypatch.chdir(tmp_path)

    def run(arguments: list[str], path: str) -> tuple[int, str, str]:
        code = main([argument.format(path=path) for argument in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_not_there(run, name):
    arguments, told = COMMANDS[name]
    error = f"missing.yaml: cannot be read: No such file or directory\n{told}"
    assert run(arguments, "missing.yaml") == (2, "", error)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_no_suite(run, tmp_path, name):
    (tmp_path / "list.yaml").write_text("- a\n")
    code, out, err = run(COMMANDS[name][0], "list.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("list.yaml:1:1: a suite is a mapping of keys to values, saw a list\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_there_is_read(run, tmp_path, name):
    """So that the tests above cannot pass for another reason."""
    (tmp_path / "small.yaml").write_text(SMALL)
    code, _, err = run(COMMANDS[name][0], "small.yaml")
    assert code == (4 if "nowhere" in COMMANDS[name][0] else 0)
    assert "cannot be read" not in err
