"""The score python: code that is right and wrong, its bounds, and what is left of it; test_sandbox has what it may not do."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

import harness.scoring.python as module
from harness.bounded.bounded import EndedError
from harness.errors import ScorerError
from harness.scoring.python import Python, code_of, holds, refusal

UNCONFINED = refusal()
"""Why code cannot be run here, or None."""

ADD = "def add(a, b):\n    return a + b\n"
TESTS = ["assert add(1, 2) == 3", "assert add(-1, 1) == 0"]
SECONDS = 20.0
"""Long enough for a busy machine, for code that ends by itself."""


def right(code: str, tests: list[str] | None = None, timeout: float = SECONDS, memory_mb: int = 256) -> bool:
    if UNCONFINED is not None:
        pytest.skip(UNCONFINED)
    return holds(code, tests or TESTS, timeout, memory_mb)


def all_raise(error: str, *lines: str) -> str:
    """Code that is right only if each of `lines` raises `error`."""
    tries = "".join(f"try:\n    {line}\nexcept {error}:\n    caught += 1\n" for line in lines)
    return f"{ADD}caught = 0\n{tries}assert caught == {len(lines)}\n"


@pytest.mark.parametrize(
    "code",
    [
        ADD,
        "add = lambda a, b: a + b",
        "from operator import add",
        ADD + "print('x' * 1000)\n",
        ADD + "if __name__ == '__main__':\n    print(add(int(input()), 2))\n",
        ADD.replace("\n", "\r\n"),
        ADD + "# größer \U0001f600\n",
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n"
        "@dataclass\nclass Pair:\n    a: int\n    b: int\n\n"
        "def add(a, b):\n    pair = Pair(a, b)\n    return pair.a + pair.b\n",
        "import asyncio\nasync def sum_of(a, b):\n    return a + b\n"
        "def add(a, b):\n    return asyncio.run(sum_of(a, b))\n",
        "import threading\ndef add(a, b):\n    out = []\n"
        "    t = threading.Thread(target=lambda: out.append(a + b))\n    t.start()\n    t.join()\n    return out[0]\n",
        "def add(a, b):\n    with open('note.txt', 'w') as file:\n        file.write(str(a + b))\n"
        "    return int(open('note.txt').read())\n",
    ],
)  # fmt: skip
def test_right(code):
    assert right(code)


@pytest.mark.parametrize(
    "code",
    [
        "def add(a, b):\n    return a - b\n",
        "def add(a, b):\n    return 3\n",
        "def plus(a, b):\n    return a + b\n",
        "def add(a, b):\n",
        "Sure! Here is the function.\n" + ADD,
        ADD + "raise ValueError\n",
        ADD + "1 / 0\n",
        "def add(a, b):\n    return add(a, b)\n",
        "import numpy\n" + ADD,
        "add = input",
        "\x00",
        "\ud800",
        "(" * 100_000,
        "x = 1",
    ],
)
def test_wrong(code):
    assert not right(code)


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nsys.exit(0)",
        "import os\nos._exit(0)",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "import sys\ndef add(a, b):\n    sys.exit(0)\n",
        "import os\ndef add(a, b):\n    os._exit(0)\n",
        "import os, signal\ndef add(a, b):\n    signal.raise_signal(signal.SIGKILL)\n",
        "import sys\nsys.stdout.write('right token ok passed True')\n",
        "import os\nfor fd in range(64):\n    try:\n        os.write(fd, b'0' * 32)\n    except OSError:\n        pass\n",
        "import atexit\natexit.register(print, 'ok')\n",
        "import builtins\nbuiltins.AssertionError = None\ndef add(a, b):\n    return 4\n",
        "import ctypes\nctypes.string_at(0)\n",
    ],
)
def test_leaving_early_or_talking_is_not_right(code):
    assert not right(code)


def test_tests_run_in_order_where_the_code_ran():
    assert right("items = []\n", ["items.append(1)", "items.append(2)", "assert items == [1, 2]"])


def test_every_test_must_hold():
    assert not right(ADD, [*TESTS, "assert add(2, 2) == 5"])
    assert not right(ADD, ["assert add(2, 2) == 5", *TESTS])


def test_a_test_may_demand_an_error():
    tests = ["try:\n    half(3)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError"]
    assert right("def half(n):\n    if n % 2:\n        raise ValueError\n    return n // 2\n", tests)
    assert not right("def half(n):\n    return n // 2\n", tests)


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass\n",
        "import time\ntime.sleep(1000)\n",
        "import signal\nfor one in signal.valid_signals():\n"
        "    try:\n        signal.signal(one, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\n"
        "while True:\n    pass\n",
        "while True:\n    print('x' * 1_000_000)\n",
        "def add(a, b):\n    while True:\n        try:\n            while True:\n                pass\n"
        "        except BaseException:\n            pass\n",
        "import threading\nthreading.Thread(target=threading.Event().wait).start()\nthreading.Event().wait()\n",
    ],
)  # fmt: skip
def test_code_without_an_end_is_stopped_in_time(code):
    began = time.monotonic()
    assert not right(code, timeout=0.4)
    assert time.monotonic() - began < 10
    assert not runners()


def test_threads_that_do_not_end_do_not_hold_up_code_that_is_right():
    assert right("import threading\nthreading.Thread(target=threading.Event().wait).start()\n" + ADD)


def test_memory_is_bounded():
    bomb = f"x = 'x' * (200 * 1024 * 1024)\n{ADD}"
    assert right(bomb, memory_mb=512)
    assert not right(bomb, memory_mb=128)
    assert not right("x = []\nwhile True:\n    x.append('x' * 1_000_000)\n", memory_mb=128)
    assert not right(f"{ADD}import threading, time\n"
                     "for _ in range(10_000):\n    threading.Thread(target=time.sleep, args=(60,)).start()\n")  # fmt: skip


def test_a_fork_bomb_is_none():
    code = f"{ADD}import os\nmade = 0\nfor _ in range(1000):\n    try:\n        made += os.fork() >= 0\n"
    assert right(code + "    except OSError:\n        pass\nassert made == 0\n")
    assert not runners()


def test_a_file_is_bounded():
    assert right(all_raise("OSError", "open('big', 'wb').write(bytes(2_000_000))"))
    assert right(all_raise("OSError", "[open(str(i), 'w') for i in range(100)]"))


def test_the_folder_and_the_environment_are_empty(monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    assert right(f"import os\nassert not os.environ\nassert os.listdir() == []\n{ADD}")
    assert right(f"import sys\nassert not [p for p in sys.path if 'site-packages' in p or p == '']\n{ADD}")
    assert right(f"import sys\nassert sys.stdin.read() == ''\n{ADD}")


def test_a_set_has_one_order_in_every_run():
    code = "print_order = list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})\nfirst = print_order[0]\n"
    assert sum(right(code, [f"assert first == {letter!r}"]) for letter in "abcdefg") == 1
    orders = {tuple(right(code, [f"assert first == {letter!r}"]) for letter in "abcdefg") for _ in range(3)}
    assert len(orders) == 1


def test_nothing_is_left_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mess = "import os\nos.makedirs('a/b/c')\nopen('a/b/c/d', 'w').write('x')\nos.mkdir('e', 0)\n"
    assert right(mess + ADD)
    assert not right(mess + "while True:\n    pass\n", timeout=0.3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(UNCONFINED is not None, reason=str(UNCONFINED))
def test_a_run_that_is_killed_leaves_no_code_running(tmp_path):
    code = "import time\nopen('began', 'w')\ntime.sleep(600)\n"
    call = f"from harness.scoring.python import holds; holds({code!r}, ['assert x'], 600.0, 256)"
    root = Path(module.__file__).parents[2]
    run = subprocess.Popen(
        [sys.executable, "-c", call], cwd=root, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert soon(lambda: list(tmp_path.glob("answer-*/began")))
    children = runners(run.pid)
    run.kill()
    run.wait()
    assert len(children) == 1
    assert soon(lambda: not any(child.exists() for child in children))


def soon(condition) -> bool:
    deadline = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_a_python_that_does_not_start_is_an_error_and_not_a_wrong_answer(monkeypatch, tmp_path):
    broken = tmp_path / "runner.py"
    broken.write_text("raise SystemError('no floor')")
    monkeypatch.setattr(module, "RUNNER", broken)
    with pytest.raises(
        ScorerError, match="^an answer's code cannot be confined here: SystemError: no floor$"
    ):
        right(ADD)


@pytest.mark.parametrize(
    ("system", "machine"), [("darwin", "arm64"), ("win32", "AMD64"), ("linux", "riscv64")]
)
def test_on_other_systems_no_code_is_run(monkeypatch, system, machine):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: pytest.fail("started"))
    refusal.cache_clear()
    said = (
        "an answer's code cannot be confined here: that takes 64-bit Linux on x86-64 or arm64, and this is "
    )
    assert (Python.model_validate({"tests": TESTS}).refusal() or "").startswith(said)
    with pytest.raises(ScorerError, match=re.escape(said)):
        holds(ADD, TESTS, SECONDS, 256)
    refusal.cache_clear()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("_RESTRICT_SELF = 444, ", "_RESTRICT_SELF = 1444, ",
         "this kernel has no Landlock, or it is switched off (Linux 5.13 and later have it)"),
        ("445, 446", "445, 1446", "this kernel has Landlock, and something forbids to use it"),
        ("_MODE_FILTER = 2", "_MODE_FILTER = 99", "this kernel filters no system calls (seccomp), or something forbids to"),
        ("os.getppid() != parent", "os.getppid() == parent", "the run that asked is gone"),
    ],
)  # fmt: skip
def test_where_a_bound_is_missing_no_code_is_run(monkeypatch, tmp_path, old, new, reason):
    source = module.RUNNER.read_text(encoding="utf-8")
    assert source.count(old) == 1
    runner = tmp_path / "runner.py"
    runner.write_text(source.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(module, "RUNNER", runner)
    with pytest.raises(ScorerError) as caught:
        right(ADD)
    assert str(caught.value) == f"an answer's code cannot be confined here: {reason}"


def runners(parent: int | None = None) -> list[Path]:
    """The runners that a process has, this one unless another is named, as folders in /proc; none elsewhere."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            runs = b"python_runner.py" in (folder / "cmdline").read_bytes()
            above = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # gone by now
            continue
        if runs and above == (parent or os.getpid()):
            found.append(folder)
    return found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = 1", "x = 1"),
        ("```python\nx = 1\n```", "x = 1\n"),
        ("Here:\n\n```python\nx = 1\n```\nIt sets x.", "x = 1\n"),
        ("```\nx = 1\n```\n```\ny = 1\n```", "x = 1\n"),
        ("```\nx =\n```\n```\ny = 1\n```", "y = 1\n"),
        ("```py\nx = 1", "x = 1"),
        ("```python\nx = '`'\ny = 2\n```", "x = '`'\ny = 2\n"),
        ("1. So:\n   ```python\n   x = 1\n   if x:\n       y = 2\n   ```", "x = 1\nif x:\n    y = 2\n"),
        ("~~~\nx = 1\n~~~", "x = 1\n"),
        ("````\nx = '''```'''\n````", "x = '''```'''\n"),
        ("Use `x = 1`.", "Use `x = 1`."),
        ("    x = 1\n    y = 2\n", "x = 1\ny = 2\n"),
    ],
)
def test_the_code_of_an_answer(text, code):
    assert code_of(text) == code


def test_a_fenced_answer_is_judged_by_its_code():
    asked = Python.model_validate({"tests": TESTS, "timeout": SECONDS})
    assert asked.right(f"Here it is:\n```python\n{ADD}```\nIt adds.", []) is True
    assert asked.right(f"Here it is:\n```python\n{ADD}```\nNot `add = max`.", []) is True
    assert asked.right("```python\nadd = max\n```", []) is False


CLASS = "class Sums:\n    def add(self, a, b):\n        return a + b\n"
WITH_A_SIGN = CLASS.replace(
    "    def add", "    def __init__(self, sign):\n        self.sign = sign\n\n    def add", 1
)


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        (f"```bash\ntouch add.py\n```\n```python\n{ADD}```", True),
        (f"Here it is:\n{ADD}It returns the sum. It's done.", True),
        (f"```python\n{ADD}```\nSo:\n```python\nadd(1, x)\n```", True),
        (f"{CLASS}", True),
        (f"{CLASS}\nadder = Sums()\nprint(adder.add(1, 2))", True),
        (f"{CLASS.replace('Sums', 'Sums(object)')}\n{CLASS.replace('Sums', 'More')}", False),
        (f"{WITH_A_SIGN}", False),
        (f"{CLASS.replace('self, ', '')}", False),
        (f"<think>\n```python\nadd = max\n```\n</think>\n```python\n{ADD}```", True),
        (f"<think>\n```python\n{ADD}```\n</think>\n```python\nadd = max\n```", False),
        (f"<think>\n```python\n{ADD}```", False),
        (f"```python\n{ADD}\nx = int(input())\n```", True),
        (f"```python\nx = int(input())\n{ADD}\n```", False),
        (f"```python\n{ADD}1 / 0\n```", False),
        (f"```python\ndef add(a, b):\n    return a - b\n```\nNo, it is:\n```python\n{ADD}```", True),
        (f"```python\n{ADD}```\nNo, it is:\n```python\ndef add(a, b):\n    return a - b\n```", False),
    ],
)
def test_the_answer_is_found_among_other_code_and_words(text, is_right):
    right("", ["assert True"])
    assert Python.model_validate({"tests": TESTS, "timeout": SECONDS}).right(text, []) is is_right


def test_code_on_which_the_parser_finds_no_end_is_the_first_block(monkeypatch):
    tried = []

    def ended(name: str, **_: object) -> None:
        tried.append(name)
        raise EndedError("was stopped")

    monkeypatch.setattr(module.JOBS, "do", ended)
    assert code_of(f"```text\nx\n```\n```python\n{ADD}```", ["add"]) == "x\n"
    assert tried == ["program", "program"]
    assert code_of("x" * (module.MOST_CODE + 1), ["add"]) == "x" * (module.MOST_CODE + 1)
    assert len(tried) == 2


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"tests": []}, "at least 1 item"),
        ({}, "Field required"),
        ({"tests": ["assert add(1, 2) = 3"]}, "a test must be Python, saw 'assert add(1, 2) = 3': "),
        ({"tests": ["assert x", "# later"]}, "a test must be a statement, saw '# later'"),
        ({"tests": ["x == 3", "assert x"]}, "a test that only compares cannot fail, saw 'x == 3'; write 'assert' before it"),
        ({"tests": ["assert (x == 3, 'three')"]}, "assertion is always true"),
        ({"tests": ["add(1, 2)"]}, "no test has an 'assert' or a 'raise'"),
        ({"tests": ["return 3"]}, "'return' outside function"),
        ({"tests": ["assert x"], "timeout": 0}, "greater than 0"),
        ({"tests": ["assert x"], "timeout": float("inf")}, "finite number"),
        ({"tests": ["assert x"], "memory_mb": 5}, "greater than or equal to 64"),
        ({"tests": ["assert x"], "memory": 500}, "Extra inputs"),
    ],
)  # fmt: skip
def test_parameters_that_mean_nothing(parameters, problem):
    with pytest.raises(ValidationError) as caught:
        Python.model_validate(parameters)
    assert problem in str(caught.value)


def test_defaults():
    asked = Python.model_validate({"tests": ["assert x"]})
    assert (asked.timeout, asked.memory_mb, asked.expects, asked.runs_code) == (5.0, 256, "none", True)


HEAD = "suite: s\ngates: [{over: each}]\nprobes:\n"


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("{python: {test: ['assert x']}}",
         "4:46: unknown key 'test' in the score 'python'\n  did you mean 'tests'?"),
        ("{python: {tests: [assert x, 'x ==']}}",
         "4:64: a test must be Python, saw 'x ==': invalid syntax (<test>, line 1)"),
        ("{python: {tests: [y = 1]}}",
         "4:53: no test has an 'assert' or a 'raise': nothing could be wrong but code that breaks"),
        ("{python: {tests: assert x}}", "4:53: 'tests' must be a list, saw text 'assert x'\n"
         "  write: - {id: a, question: Why?, score: {python: {tests: [assert x]}}}"),
        ("{python: {tests: [assert x], timeout: 0}}", "4:74: 'timeout' must be more than 0, saw 0"),
        ("python", "4:29: the score 'python' needs 'tests'"),
    ],
)  # fmt: skip
def test_a_suite_with_a_mistake_names_its_place(problems, score, said):
    text = problems(f"{HEAD}  - {{id: a, question: Why?, score: {score}}}\n")
    assert sorted(text.splitlines()) == sorted(said.splitlines())
