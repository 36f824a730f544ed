"""The devices of this machine: find one by name, tell when its memory runs out, share the cores between workers."""

from __future__ import annotations

import os

import torch

from harness.errors import ModelError, first_line
from harness.spelling import option
from harness.wording import count


def find_device(wanted: str) -> torch.device:
    """The torch device of that name; raises ModelError if it cannot be used."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"{option('device', wanted)}: {first_line(error)}") from error
    return device


def device_name(device: torch.device) -> str:
    """A device as people know it: "cpu, 8 threads", "cuda, NVIDIA H100"."""
    if device.type == "cpu":
        return f"cpu, {count(torch.get_num_threads(), 'thread')}"
    return f"cuda, {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type


def limit_threads() -> None:
    """Share the cores between the workers of an xdist run."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))


def out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of memory, on a GPU or in its CPU allocator."""
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)


def free_memory() -> None:
    """Give cached blocks back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
