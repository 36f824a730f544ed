"""Jobs on standard input in, their results on standard output out, one line of JSON each.

A script that `harness.bounded.bounded` starts in a process of its own. The kernel limits the time and memory of a job, for
Python cannot interrupt itself in the middle of an operation.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any


def main() -> None:
    """Do jobs until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    settings = json.loads(sys.stdin.readline())
    sys.path[:] = settings["path"]
    jobs: dict[str, Callable[..., Any]] = import_module(settings["module"]).JOBS
    bound_memory(settings["memory_mb"])
    left = settings["seconds"]
    say({"ready": True})
    for line in sys.stdin:
        job = json.loads(line)
        left = min(settings["seconds"], left + settings["seconds_more"] * len(line))
        timer(left)
        answer = done(jobs[job["name"]], job["arguments"])
        left = timer(0) or left
        say(answer)


def say(answer: dict[str, Any]) -> None:
    """Write one line of JSON."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def bound_memory(megabytes: int) -> None:
    """Limit the address space of this process, where the system can."""
    if sys.platform == "win32":
        return
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = megabytes * 1024 * 1024
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def timer(seconds: float) -> float:
    """Kill this process after so many seconds of processor time; returns the rest of the previous limit."""
    if sys.platform == "win32":  # the process that started this one has a clock
        return 0.0
    return signal.setitimer(signal.ITIMER_PROF, seconds)[0]


def done(job: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of a job, or that it takes too much memory, or the error that it raised, which is a bug of ours."""
    try:
        return {"value": job(**arguments)}
    except MemoryError:
        return {"memory": True}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
