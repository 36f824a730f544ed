"""The devices of this machine: find one by name, tell when its memory runs out, share the cores between workers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch

from harness.engine.sharing import THREADS, WORKER, own_gpu, threads_for_each
from harness.engine.transformers.unused import unused_gpu
from harness.errors import ModelError, first_line
from harness.spelling import option
from harness.wording import count

CPU = torch.device("cpu")

DTYPES = ("float32", "bfloat16", "float16")
"""The values of the option `dtype` besides "auto"."""

ACCELERATORS = ("cuda", "mps", "xpu")
"""The kinds of GPU that torch is built for, ROCm under CUDA's name."""

ALIASES = {
    "gpu": "auto",
    "nvidia": "cuda",
    "rocm": "cuda",
    "hip": "cuda",
    "amd": "cuda",
    "metal": "mps",
    "apple": "mps",
    "intel": "xpu",
}
"""Other names for devices that people write."""

OUT_OF_MEMORY = (
    "out of memory",  # CUDA's driver, MPS
    "not enough memory",  # a CPU under Windows
    "can't allocate memory",  # a CPU elsewhere
    "Invalid buffer size",  # MPS, for one tensor beyond its memory
    "ALLOC_FAILED",  # cuBLAS, cuDNN
    "OUT_OF_DEVICE_MEMORY",  # Intel's Level Zero
    "OUT_OF_HOST_MEMORY",
)
"""Words in torch's errors when memory runs out and there is no class of error for it."""


def devices() -> list[torch.device]:
    """Every device that torch can use here: the GPUs, as "cuda:0" and so on, then the CPU."""
    found = torch.accelerator.current_accelerator(check_available=True)
    if found is None:
        return [CPU]
    if found.type == "mps":  # there is one, and nobody numbers it
        return [found, CPU]
    return [*(torch.device(found.type, index) for index in range(torch.accelerator.device_count())), CPU]


def find_device(wanted: str) -> torch.device:
    """The torch device of that name; "auto" is the accelerator that torch finds, else the CPU.

    Raises:
        ModelError: there is none of that name here, or it computes nothing.
    """
    if wanted == "auto":
        device = torch.accelerator.current_accelerator(check_available=True) or CPU
    else:
        device = _named(wanted)
    device = _own(device)
    if device != CPU and (fault := dtype_fault(device, torch.float32)):
        raise ModelError(
            f"{option('device', wanted)}: {device_name(device)} computes nothing: {fault}; {_this_machine_has()}\n"
            f"  run on the CPU: {option('device', 'cpu')}"
        )
    return device


def _own(device: torch.device) -> torch.device:
    """Of several GPUs of a kind, a worker of xdist's own; any other device, and a numbered one, as it is."""
    if device.index is not None or device.type in ("cpu", "mps"):
        return device
    index = own_gpu(os.environ.get(WORKER), torch.accelerator.device_count())
    if index is None:
        return device
    torch.accelerator.set_device_index(index)  # for what names no device
    return torch.device(device.type, index)


def _named(wanted: str) -> torch.device:
    """The device of a name such as "cuda", "cuda:1" or "cpu"; raises ModelError."""
    there = devices()
    for device in there:
        if wanted in (device.type, f"{device.type}:{device.index or 0}"):
            return device if device.type == "cpu" else torch.device(wanted)
    kind = wanted.partition(":")[0].lower()
    hint = f"write {option('device', ALIASES[kind])}" if kind in ALIASES else unused_gpu()
    raise ModelError(
        f"{option('device', wanted)}: {_why_missing(kind, there)}; {_this_machine_has()}"
        + (f"\n  {hint}" if hint else "")
    )


def _why_missing(kind: str, there: Sequence[torch.device]) -> str:
    built = torch.accelerator.current_accelerator()
    if kind not in ACCELERATORS or kind in {device.type for device in there}:
        return "there is no such device"
    if built is None or built.type != kind:
        return f"torch {torch.__version__} is built without it"
    return dtype_fault(torch.device(kind), torch.float32) or "torch finds none"


def _this_machine_has() -> str:
    return f"this machine has: {', '.join(map(str, devices()))}"


def device_name(device: torch.device) -> str:
    """A device as people know it: "cpu, 8 threads", "cuda, NVIDIA H100", "cuda (ROCm), AMD Instinct MI300X", "mps, Apple M3"."""
    if device.type == "cpu":
        return f"cpu, {count(torch.get_num_threads(), 'thread')}"
    kind = "cuda (ROCm)" if device.type == "cuda" and torch.version.hip else device.type
    name = gpu_name(device)
    return f"{kind}, {name}" if name else kind


def gpu_name(device: torch.device) -> str | None:
    """The name of a GPU's model, such as "NVIDIA H100"; None if torch cannot tell."""
    if device.type == "mps":
        return torch.backends.mps.get_name()
    named = getattr(torch.get_device_module(device), "get_device_name", None)
    return named and str(named(device))


def dtype_fault(device: torch.device, dtype: torch.dtype) -> str | None:
    """Why a device does not compute in a dtype, in torch's words; None if it does."""
    try:
        ones = torch.ones((8, 8), dtype=dtype, device=device)
        right = (ones @ ones).sum().item() == 512
    except (RuntimeError, TypeError, AssertionError) as error:
        return first_line(error)
    return None if right else "a product of matrices is wrong"


def dtype_name(model: Any) -> str:
    """The name of the dtype of a model's weights, as the option `dtype` takes it."""
    return str(model.dtype).removeprefix("torch.")


def default_dtype(device: torch.device, saved: str) -> str:
    """The dtype that "auto" means for weights saved in `saved`: the same where a GPU computes in it, else float32."""
    able = device.type != "cpu" and dtype_fault(device, getattr(torch, saved)) is None
    return saved if able else "float32"


def check_dtype(device: torch.device, wanted: str) -> None:
    """Refuse a dtype that the user asked for and the device does not compute in; raises ModelError."""
    fault = None if wanted == "auto" else dtype_fault(device, getattr(torch, wanted))
    if fault:
        able = [name for name in DTYPES if not dtype_fault(device, getattr(torch, name))]
        raise ModelError(
            f"{option('dtype', wanted)}: {device_name(device)} does not compute in it: {fault}\n"
            f"  it computes in {', '.join(able)}"
        )


@contextmanager
def unrounded() -> Iterator[None]:
    """Products of float32 as they are, inside the block; many a script lets torch round what it multiplies (TF32, "medium")."""
    kinds = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    own = [kind.fp32_precision for kind in kinds]
    try:
        for kind in kinds:
            kind.fp32_precision = "ieee"
        yield
    finally:
        for kind, precision in zip(kinds, own, strict=True):
            kind.fp32_precision = precision


def limit_threads() -> None:
    """Share the cores between the workers of an xdist run, where no variable says how many threads there are."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1 and os.environ.keys().isdisjoint(THREADS):
        torch.set_num_threads(threads_for_each(workers))


def out_of_memory(error: BaseException) -> bool:
    """Whether torch ran out of memory, on any kind of GPU or in its CPU allocator."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def free_memory() -> None:
    """Give cached blocks back to the device."""
    device = torch.accelerator.current_accelerator(check_available=True)
    if device is not None:
        torch.get_device_module(device).empty_cache()


def keep_random_state() -> AbstractContextManager[None]:
    """A block that leaves torch's random numbers as they were, on the CPU and on all GPUs."""
    device = torch.accelerator.current_accelerator(check_available=True)
    if device is None:
        return torch.random.fork_rng(devices=[])
    return torch.random.fork_rng(range(torch.accelerator.device_count()), device_type=device.type)
