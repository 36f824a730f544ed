"""The workers of an xdist run in, what each gets of the machine out: a GPU of its own where there are several, and its cores."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, MutableMapping

WORKER = "PYTEST_XDIST_WORKER"
"""The variable with the name of a worker: gw0, gw1 and so on; unset elsewhere."""

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Either tells torch how many threads to use."""

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")
"""Each tells threads how to wait for work: the first every OpenMP, the second GNU's, the others Intel's and LLVM's."""

BRIEFLY = {"GOMP_SPINCOUNT": "1000"}
"""Idle threads spin for microseconds, not for a millisecond, in which they hold a core that another process needs.

On two cores, this costs nothing on an idle machine, and beside one busy process a model answers 1.6 times as fast.
"""


def worker_environment(workers: int, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a worker beside those given, to be set before torch starts.

    By default, each worker has a thread for every core, and its idle threads hold the cores that those of other workers need.
    """
    found = {}
    if given.keys().isdisjoint(THREADS):
        found["OMP_NUM_THREADS"] = str(threads_for_each(workers))
    if all(given.get(name) in (None, BRIEFLY.get(name)) for name in WAITING):
        found |= {**BRIEFLY, "KMP_BLOCKTIME": "0"}
    return found


def wait_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have the threads of this process wait BRIEFLY, unless its user says how they wait; in vain once torch is imported."""
    if "torch" not in sys.modules and environment.keys().isdisjoint(WAITING):
        environment.update(BRIEFLY)


def threads_for_each(workers: int) -> int:
    """How many threads each of several workers may use, so that together they use every core once."""
    return max(1, cores() // workers)


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def own_gpu(worker: str | None, gpus: int) -> int | None:
    """The number of the GPU that a worker uses, of so many; None for the default where there is no choice.

    Workers take turns: of four on two GPUs, two are on each.
    """
    number = re.search(r"\d+$", worker or "")
    return int(number[0]) % gpus if number and gpus > 1 else None
