"""The torch of this environment in, its devices out, as JSON on the last line of stdout.

It is run in a process of its own, so that a torch that cannot be loaded, or that ends its process, ends no other.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import torch

DTYPES = ("float32", "bfloat16", "float16")
"""What `dtype` may be, apart from "auto"."""


@dataclass(frozen=True)
class Device:
    """Where models can run."""

    device: str
    """As the option `device` takes it."""
    name: str
    memory: int | None
    """Bytes in all; None where that is not known."""
    free: int | None
    """Of them, bytes that nothing uses."""
    dtypes: Sequence[str]
    """In which it really multiplied."""
    fault: str | None
    """Why it does not in one."""


def devices() -> Iterator[Device]:
    """Every device, the one that "auto" takes first."""
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free = total = None
            with suppress(RuntimeError):
                free, total = torch.cuda.mem_get_info(index)
            yield _device(f"cuda:{index}", torch.cuda.get_device_name(index), total, free)
    if torch.backends.mps.is_available():
        yield _device("mps", "Apple GPU", torch.mps.recommended_max_memory(), None)
    yield _device("cpu", f"{os.cpu_count()} cores", _memory_of_machine(), None)


def _device(device: str, name: str, memory: int | None, free: int | None) -> Device:
    fault = None
    dtypes = []
    for dtype in DTYPES:
        try:
            ones = torch.ones((8, 8), dtype=getattr(torch, dtype), device=device)
            if (ones @ ones).sum().item() == 512:
                dtypes.append(dtype)
        except (RuntimeError, TypeError) as error:
            fault = fault or f"{dtype}: {str(error).strip().splitlines()[0]}"
    return Device(device, name, memory, free, dtypes, fault)


def _memory_of_machine() -> int | None:
    if sys.platform == "win32":
        return None
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def main() -> int:
    """Print the devices, and what torch warned of meanwhile."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = [asdict(device) for device in devices()]
    print(json.dumps({"devices": found, "warnings": [str(one.message) for one in caught]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
