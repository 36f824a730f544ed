"""Workers of xdist spread over the GPUs of a machine; everything else is on the default one."""

from __future__ import annotations

import pytest
import torch

from harness.engine.sharing import WORKER
from harness.engine.transformers import device
from harness.engine.transformers.device import find_device


@pytest.fixture
def four_gpus(monkeypatch):
    """Four GPUs, and the numbers of those that became the default."""
    chosen: list[int] = []
    monkeypatch.setattr(
        torch.accelerator, "current_accelerator", lambda check_available=False: torch.device("cuda")
    )
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 4)
    monkeypatch.setattr(torch.accelerator, "set_device_index", chosen.append)
    monkeypatch.setattr(device, "dtype_fault", lambda device, dtype: None)
    return chosen


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
@pytest.mark.parametrize(("worker", "index"), [("gw0", 0), ("gw3", 3), ("gw6", 2)])
def test_each_worker_has_its_own(four_gpus, monkeypatch, wanted, worker, index):
    monkeypatch.setenv(WORKER, worker)
    assert find_device(wanted) == torch.device("cuda", index)
    assert four_gpus == [index], "so that what names no device uses no other either"


def test_a_gpu_that_the_user_names_is_that_of_all(four_gpus, monkeypatch):
    monkeypatch.setenv(WORKER, "gw2")
    assert find_device("cuda:1") == torch.device("cuda", 1)
    assert find_device("cpu") == torch.device("cpu")
    assert four_gpus == []


def test_a_run_without_workers_uses_the_default(four_gpus, monkeypatch):
    monkeypatch.delenv(WORKER, raising=False)
    assert find_device("auto") == torch.device("cuda")
    assert four_gpus == []


def test_a_worker_with_threads_of_the_user_s_keeps_them(monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    chosen: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    device.limit_threads()
    assert chosen == []
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    device.limit_threads()
    assert chosen == [device.threads_for_each(2)]
