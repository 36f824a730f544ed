"""Jobs in a process of their own: bounded in time and memory, ended and started again, never mixed up."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.bounded.bounded import Bounded, EndedError

PATTERNS = "harness.bounded.pattern_jobs"
ENDLESS = {"pattern": "(x+x+)+y", "text": "x" * 60}
HALF = {"pattern": "(x+x+)+y", "text": "x" * 18}


@pytest.fixture
def patterns() -> Bounded:
    return Bounded(PATTERNS)


def test_after_a_job_that_was_ended_others_are_done(patterns):
    assert patterns.do("found", pattern="a", text="cat") is True
    first = patterns.process
    with pytest.raises(EndedError, match=r"^does not finish: it was stopped after 1 s of processor time$"):
        patterns.do("found", **ENDLESS)
    assert patterns.do("found", pattern="a", text="dog") is False
    assert patterns.process is not first
    assert first is not None
    assert first.poll() is not None


def test_memory_is_bounded(tmp_path, monkeypatch):
    (tmp_path / "greedy.py").write_text("JOBS = {'take': lambda size: len(bytes(size))}\n")
    monkeypatch.syspath_prepend(tmp_path)
    greedy = Bounded("greedy")
    assert greedy.do("take", size=10**6) == 10**6
    with pytest.raises(EndedError, match=r"^takes more than 512 MB of memory$"):
        greedy.do("take", size=10**9)
    assert greedy.do("take", size=10**6) == 10**6


def test_many_slow_jobs_take_no_more_than_one(patterns):
    with pytest.raises(EndedError):
        all(patterns.do("found", **HALF) is False for _ in range(10_000))


def test_what_is_wrong_with_a_job_is_a_fault_of_ours(patterns):
    with pytest.raises(RuntimeError, match=r"pattern_jobs\.found: (error|PatternError): missing \)"):
        patterns.do("found", pattern="(", text="a")
    assert patterns.do("found", pattern="a", text="a") is True


def test_threads_do_not_get_each_others_answers(patterns):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: patterns.do("found", pattern="[02468]$", text=str(n)), range(200)))
    assert found == [n % 2 == 0 for n in range(200)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_has_a_process_of_its_own():
    code = (
        "import os\n"
        "from harness.scoring.pattern import is_found\n"
        "assert is_found('a', 'a')\n"
        "child = os.fork()\n"
        "assert [is_found('[02468]$', str(n)) for n in range(50)] == [n % 2 == 0 for n in range(50)]\n"
        "if child:\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    assert is_found('a', 'a')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
