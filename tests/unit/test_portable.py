"""Windows and macOS: what only POSIX has is asked for late, and files do not depend on the machine's encoding."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import harness.bounded.bounded as bounded
from harness.bounded.bounded import Bounded, EndedError
from harness.documents.within import is_address
from harness.errors import ModelError
from harness.models.reference import find_folder
from harness.scoring.python import RUNNER

ROOT = Path(__file__).parents[2]
ONLY_POSIX = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")

IMPORT_ALL = f"""
import builtins, pkgutil

everywhere = builtins.__import__

def on_windows(name, names=None, *rest, **more):
    if name in {ONLY_POSIX} and (names or {{}}).get("__name__", "").startswith("harness."):
        raise ModuleNotFoundError(name)
    return everywhere(name, names, *rest, **more)

builtins.__import__ = on_windows
import harness
names = [module.name for module in pkgutil.walk_packages(harness.__path__, "harness.", onerror=print)]
for name in names:
    if not name.endswith("__main__"):
        everywhere(name)
print(len(names) > 100)
"""


def test_everything_is_imported_where_only_windows_modules_are():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_the_runner_of_code_is_imported_on_windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("a library without a name"))
    assert "main" in runpy.run_path(str(RUNNER))


@pytest.mark.parametrize("command", ["lint", "plan"])
def test_no_file_is_opened_in_the_encoding_of_the_machine(command):
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-W", "always::EncodingWarning", "-m", "harness", command,
         "suites/general_qa.yaml"],
        cwd=ROOT, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert str(ROOT / "harness") not in done.stderr, "older versions of other packages warn too"


def test_where_a_process_has_no_timer_the_clock_ends_it(monkeypatch, tmp_path):
    source = bounded.RUNNER.read_text(encoding="utf-8")
    assert source.count('sys.platform == "win32"') == 2
    runner = tmp_path / "runner.py"
    runner.write_text(source.replace('sys.platform == "win32"', "True"), encoding="utf-8")
    monkeypatch.setattr(bounded, "RUNNER", runner)
    monkeypatch.setattr(bounded, "CLOCK_SECONDS", 1.0)
    monkeypatch.setattr(sys, "platform", "win32")
    patterns = Bounded("harness.bounded.pattern_jobs")
    with pytest.raises(EndedError):
        patterns.do("found", pattern="(x+x+)+y", text="x" * 60)
    assert patterns.do("found", pattern="a", text="cat") is True


@pytest.mark.parametrize(
    "written", [r"C:\models\tuned", "C:/models/tuned", r"c:tuned", r"models\tuned", r"\\server\tuned"]
)
def test_a_path_of_windows_is_no_hub_id(written):
    with pytest.raises(ModelError, match=f"^{re.escape(written)}: no such folder"):
        find_folder(written)


@pytest.mark.parametrize(
    ("written", "address"),
    [(r"C:\data\test.jsonl", False), ("c:/data/test.jsonl", False), ("data/a:b.jsonl", False), ("test.jsonl", False),
     ("hf://datasets/a/b.jsonl", True), ("file:///data/test.jsonl", True), ("zip://a.jsonl::https://b.c/d.zip", True)],
)  # fmt: skip
def test_a_drive_is_no_scheme(written, address):
    assert is_address(written) is address
