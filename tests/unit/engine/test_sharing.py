"""What a worker of xdist gets of the machine: its GPU, its cores, and threads that wait without holding them."""

from __future__ import annotations

import sys

import pytest

from harness.engine import sharing
from harness.engine.sharing import cores, own_gpu, threads_for_each, wait_briefly, worker_environment

PATIENT = {"GOMP_SPINCOUNT": "1000", "KMP_BLOCKTIME": "0"}


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch):
    monkeypatch.setattr(sharing, "cores", lambda: 8)


@pytest.mark.parametrize(
    ("worker", "gpus", "number"),
    [("gw0", 4, 0), ("gw3", 4, 3), ("gw5", 4, 1), ("gw11", 2, 1), ("gw0", 1, None), ("gw1", 0, None), (None, 4, None),
     ("", 4, None), ("popen", 4, None), ("host2", 4, 2)],
)  # fmt: skip
def test_each_worker_has_a_gpu_of_its_own(worker, gpus, number):
    assert own_gpu(worker, gpus) == number


@pytest.mark.parametrize(("workers", "threads"), [(1, 8), (2, 4), (3, 2), (8, 1), (20, 1)])
def test_together_workers_use_every_core_once(workers, threads):
    assert threads_for_each(workers) == threads


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"OMP_NUM_THREADS": "4", **PATIENT}),
        ({"OMP_NUM_THREADS": "7"}, PATIENT),
        ({"MKL_NUM_THREADS": "7"}, PATIENT),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_NUM_THREADS": "4"}),
        ({"KMP_BLOCKTIME": "200"}, {"OMP_NUM_THREADS": "4"}),
        ({"GOMP_SPINCOUNT": "9", "OMP_NUM_THREADS": ""}, {}),
        ({"GOMP_SPINCOUNT": "1000"}, {"OMP_NUM_THREADS": "4", **PATIENT}),
        ({"PATH": "/bin"}, {"OMP_NUM_THREADS": "4", **PATIENT}),
    ],
)
def test_what_the_user_has_set_stays(given, expected):
    assert worker_environment(2, given) == expected


@pytest.mark.parametrize("given", [{}, {"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "9"}])
def test_threads_wait_briefly_unless_the_user_says_how(monkeypatch, given):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    environment = dict(given)
    wait_briefly(environment)
    assert environment == (given or {"GOMP_SPINCOUNT": "1000"})


def test_nothing_is_set_once_torch_has_read_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", object())
    environment: dict[str, str] = {}
    wait_briefly(environment)
    assert environment == {}


def test_there_is_a_core():
    assert cores() >= 1
