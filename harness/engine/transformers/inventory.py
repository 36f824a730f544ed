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

DTYPES = ("float32", "bfloat16", "float16")
"""The values of the option `dtype` besides "auto"."""


def devices() -> Iterator[dict[str, Any]]:
    """Every device, the one that "auto" chooses first.

    Each has its `device` as the option takes it, its `name`, `memory` and `free` in bytes (None if unknown), the `dtypes`
    in which it multiplied correctly, and a `fault`: why it does not in one (None if it does in all).
    """
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free = total = None
            with suppress(RuntimeError):
                free, total = torch.cuda.mem_get_info(index)
            yield _device(f"cuda:{index}", torch.cuda.get_device_name(index), total, free)
    if torch.backends.mps.is_available():
        yield _device("mps", "Apple GPU", torch.mps.recommended_max_memory(), None)
    yield _device("cpu", f"{os.cpu_count()} cores", _memory_of_machine(), None)


def _device(device: str, name: str, memory: int | None, free: int | None) -> dict[str, Any]:
    fault = None
    dtypes = []
    for dtype in DTYPES:
        try:
            ones = torch.ones((8, 8), dtype=getattr(torch, dtype), device=device)
            if (ones @ ones).sum().item() == 512:
                dtypes.append(dtype)
        except (RuntimeError, TypeError) as error:
            fault = fault or f"{dtype}: {str(error).strip().splitlines()[0]}"
    return {
        "device": device, "name": name, "memory": memory, "free": free, "dtypes": dtypes, "fault": fault,
    }  # fmt: skip


def _memory_of_machine() -> int | None:
    if sys.platform == "win32":
        return None
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def main() -> int:
    """Print the devices, and the warnings of torch."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = list(devices())
    print(json.dumps({"devices": found, "warnings": [str(warning.message) for warning in caught]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
