"""Print torch's devices as JSON, on the last line of stdout.

Run in a process of its own: a torch that cannot be loaded, or that kills its process, then kills no other.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import torch

from harness.engine.transformers.device import DTYPES, devices, dtype_fault, gpu_name
from harness.engine.transformers.products import onednn_is_faster
from harness.engine.transformers.unused import unused_gpu


def inventory() -> Iterator[dict[str, Any]]:
    """Every device, those that "auto" chooses first.

    Each has its `device` as the option takes it, its `name`, `memory` and `free` in bytes (None if unknown), the `dtypes`
    in which it multiplied correctly, and a `fault`: why it does not in one (None if it does in all).
    """
    for device in devices():
        faults = {dtype: dtype_fault(device, getattr(torch, dtype)) for dtype in DTYPES}
        free, memory = _memory(device)
        yield {
            "device": str(device),
            "name": _name_of_cpu() if device.type == "cpu" else _name(device),
            "memory": memory,
            "free": free,
            "dtypes": [dtype for dtype, fault in faults.items() if fault is None],
            "fault": next((f"{dtype}: {fault}" for dtype, fault in faults.items() if fault), None),
        }


def _name_of_cpu() -> str:
    return f"{os.cpu_count()} cores{', float32 by oneDNN' if onednn_is_faster() else ''}"


def _name(device: torch.device) -> str:
    name = gpu_name(device) or f"a GPU of kind {device.type}"
    return f"{name}, ROCm" if device.type == "cuda" and torch.version.hip else name


def _memory(device: torch.device) -> tuple[int | None, int | None]:
    """The free and the whole memory of a device in bytes; None where torch cannot tell."""
    if device.type == "cpu":
        return None, _memory_of_machine()
    if device.type == "mps":  # a share of the machine's
        return None, torch.mps.recommended_max_memory()
    with suppress(RuntimeError, AttributeError):
        free, memory = torch.get_device_module(device).mem_get_info(device)
        return free, memory
    return None, None


def _memory_of_machine() -> int | None:
    if sys.platform == "win32":
        return None
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def main() -> int:
    """Print the devices, the GPU that torch cannot use, and the warnings of torch."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = {"devices": list(inventory()), "unused": unused_gpu()}
    print(json.dumps({**found, "warnings": [str(warning.message) for warning in caught]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
