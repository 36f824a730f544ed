"""What commands print: nothing that a terminal obeys, in any encoding, into pipes that close and disks that are full."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import pytest

from harness import terminal
from harness.cli import lint
from harness.cli.main import main
from harness.reporting.record import write_record
from tests.support.records import hostile
from tests.support.signals import heeds_ctrl_c

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "harness"

HOSTILE = r"""
suite: "s\x1b\u202e\u200b"
about: "x\e[31m\u202e"
score: mentions
gates: [{over: each}, {over: category, max_drop: 0.1}]
probes:
  - {id: "a\x1b\a\u202e\u200b\0\x9b31m", category: "c\e2J\u2066\x9bm\rFAKE\u2028FAKE", question: "Why \e[31m\n::error::x\nFAKE",
     answer: ["x\e[31m\n::warning::y\u2028z", "##vso[task.complete]"]}
  - {id: "b\u200d", category: "日本", question: "##vso[task.complete]x", answer: "سلام é"}
"""
NEARLY = r'{suite: s, "k\e[31m\nFAKE": 1, gates: [{over: "e\e[2J\n::error::"}], probes: [{id: "a b\u202e"}]}'
RECIPE = r"""
recipe: "r\x1b"
base: embedded
target: "t\e[31m\nFAKE.yaml"
corpus: {file: x}
"k\e[31m\nFAKE": 1
"""
TASK = r'''
task: "t\e[31m"
dataset_path: csv
dataset_kwargs: {data_files: "d\e[31m\nFAKE.csv"}
output_type: multiple_choice
"k\e[31m\nFAKE": 1
'''  # fmt: skip
OF_TASK = "suite: l\nfrom: {lm_eval: t.yaml}\n"
NAME = "h\x1b[31m\n\u202e.yaml"
FILES = {"s.yaml": HOSTILE, "n.yaml": NEARLY, "r.yaml": RECIPE, "t.yaml": TASK, "l.yaml": OF_TASK}
COMMANDS = [
    ["lint", "s.yaml"],
    ["lint", "n.yaml"],
    ["lint", "l.yaml"],
    ["lint", NAME],
    ["lint", "none\x1b[31m\n::error::.yaml"],
    ["plan", "s.yaml"],
    ["plan", "--json", "s.yaml"],
    ["preview", "s.yaml"],
    ["preview", "s.yaml::probe[x\x1b[31m\nFAKE]"],
    ["preview", "s.yaml", "--model", "./m\x1b[31m\nFAKE"],
    ["calibrate", "s.yaml", "--model", "./m\x1b[31m\nFAKE"],
    ["schema"],
    ["advise", "r.yaml"],
    ["ladder", "r.yaml", "--suite", "s.yaml", "--from", "x\x1b[31m\nFAKE"],
    ["ladder", "--render", "d\x1b[31m\nFAKE"],
    ["new", "n\x1b[31m\nFAKE"],
    ["new", "x", "--score", "s\x1b[31m\nFAKE"],
    ["demo", "mechanism", "--out", "o\x1b[31m\nFAKE.gif"],
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    if os.name == "posix":
        (tmp_path / NAME).write_text(NEARLY, encoding="utf-8")
    return tmp_path


def obeyed(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")} - {
        "\n",
        "\u200d",
    }


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: ascii(" ".join(command)).strip("'"))
def test_no_command_prints_what_a_terminal_obeys(folder, capsys, command):
    code = main(command)
    out, err = capsys.readouterr()
    assert out + err
    assert code in (0, 2, 4)
    assert obeyed(out + err) == set()
    lines = (out + err).split("\n")
    assert not [line for line in lines if line.lstrip().startswith("::") or line.startswith("FAKE")]
    assert "##vso[" not in out + err
    if "--json" in command or command == ["schema"]:
        json.loads(out)


def test_an_option_that_argparse_refuses(folder, capsys):
    with pytest.raises(SystemExit):
        main(["preview", "s.yaml", "--limit", "x\x1b[31m"])
    assert obeyed(capsys.readouterr().err) == set()


def test_letters_of_every_script_stay_readable(folder, capsys):
    assert main(["preview", "s.yaml"]) == 0
    assert "    سلام é\n" in capsys.readouterr().out


def test_a_table_is_aligned_by_what_is_shown(folder, capsys):
    assert main(["plan", "s.yaml"]) == 0
    heading, *rows = capsys.readouterr().out.split("\n\n")[0].split("\n")
    end = heading.index(" margin") + len(" margin")
    assert {row[end - 2 : end].strip() for row in rows} == {"", "-", "10"}


def test_nothing_else_prints():
    """Each line goes through `show`, `say` or `rewrite`, but for what a process of its own tells the one that began it."""
    printing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if ast.unparse(node) in ("print", "sys.stdout", "sys.stderr")
    }
    processes = {"bounded/runner.py", "engine/transformers/inventory.py", "plugin/owners.py"}
    assert printing == {"terminal.py", *processes}


def run(*arguments, **named):
    """A command in a process of its own, with streams that are buffered."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **named.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments], env=environment, check=False, **named
    )


LOCALE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "PYTHONIOENCODING": ""}
PIPED = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


@pytest.mark.parametrize(
    ("env", "arabic"),
    [
        ({"PYTHONIOENCODING": "ascii"}, b"\\u0633\\u0644\\u0627\\u0645 \\xe9"),
        ({"PYTHONIOENCODING": "cp1252"}, b"\\u0633\\u0644\\u0627\\u0645 \xe9"),
        ({"PYTHONIOENCODING": "latin-1"}, b"\\u0633\\u0644\\u0627\\u0645 \xe9"),
        ({"PYTHONIOENCODING": "ascii:replace"}, b"???? ?"),
        (LOCALE, b"\\u0633\\u0644\\u0627\\u0645 \\xe9"),
    ],
    ids=["ascii", "cp1252", "latin-1", "as the user wants", "C"],
)
def test_what_an_encoding_does_not_have_is_escaped(folder, env, arabic):
    done = run("preview", "s.yaml", env=env, **PIPED)
    assert done.returncode == 0, done.stdout
    assert b"\n    " + arabic + b"\n" in done.stdout


@pytest.mark.parametrize("form", ["json", "html", "markdown", "svg"])
def test_a_document_is_utf_8_in_any_encoding(tmp_path, form):
    write_record(hostile("日本 é 😀"), tmp_path)
    done, usual = (
        run("show", str(tmp_path), "--format", form, env={"PYTHONIOENCODING": encoding}, **PIPED).stdout
        for encoding in ("cp1252", "utf-8")
    )
    assert "日本 é" in done.decode("utf-8")
    assert done == usual


posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices of POSIX")


@posix
@pytest.mark.parametrize(
    "command", [["lint", "s.yaml"], ["plan", "s.yaml"], ["--version"], ["lint", "none.yaml"]]
)
def test_a_pipe_that_nobody_reads(folder, command):
    read, write = os.pipe()
    os.close(read)
    done = run(*command, stdout=write, stderr=write if "none.yaml" in command else subprocess.PIPE)
    os.close(write)
    assert done.returncode == terminal.CLOSED == 128 + signal.SIGPIPE
    assert not done.stderr


@posix
@pytest.mark.parametrize("command", [["lint", "s.yaml"], ["schema"], ["--version"]])
def test_an_output_that_is_full(folder, command):
    with Path("/dev/full").open("wb") as full:
        done = run(*command, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 4
    assert done.stderr == b"the output cannot be written: No space left on device\n"


@posix
def test_errors_that_cannot_be_told_keep_their_exit_code(folder):
    with Path("/dev/full").open("wb") as full:
        assert run("lint", "none.yaml", stdout=subprocess.PIPE, stderr=full).returncode == 2


@posix
@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_stream_that_is_closed(folder, closed):
    number = {"stdout": 1, "stderr": 2}[closed]
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m harness plan s.yaml {number}>&-', sys.executable],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert b"Traceback" not in done.stdout + done.stderr


def test_the_error_of_windows_for_a_closed_pipe(monkeypatch):
    class Closed:
        def write(self, text):
            raise OSError(22, "Invalid argument")

        def flush(self):
            raise OSError(22, "Invalid argument")

        def fileno(self):
            raise OSError("none")

    monkeypatch.setattr(terminal.sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        terminal.show("x")


def test_ctrl_c(monkeypatch, folder, capsys):
    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(lint, "run", stopped)
    assert main(["lint", "s.yaml"]) == terminal.STOPPED == 130
    assert capsys.readouterr().err == "stopped\n"


WAITS = "import pathlib, time\npathlib.Path('reached').touch()\ntime.sleep(600)\n"


@posix
def test_ctrl_c_at_a_real_command(folder):
    (folder / "conftest.py").write_text(WAITS, encoding="utf-8")
    command = [sys.executable, "-m", "harness", "lint", "s.yaml", "--conftest", "conftest.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heeds_ctrl_c,
    )
    while not (folder / "reached").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=120) == (b"", b"stopped\n")
    assert process.returncode == 130
