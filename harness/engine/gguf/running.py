"""The settings of a run in, how llama.cpp runs a file out: on which device, by how many threads, how many requests at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import xllamacpp

from harness.engine.engine_args import engine_args
from harness.engine.gguf.serving import Running
from harness.engine.settings import Settings
from harness.engine.sharing import THREADS, WORKER, own_gpu, threads_for_each
from harness.errors import ModelError
from harness.spelling import option
from harness.wording import count

BATCH_TOKENS = 8192
ARGUMENTS = ("n_gpu_layers", "n_parallel", "n_threads")
"""What `--engine-args` may set, under llama.cpp's own names."""

GPUS = (
    xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_GPU,
    xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_IGPU,
)
WHEELS = "its wheels for GPUs are at https://github.com/xorbitsai/xllamacpp#installation"


def gpus() -> list[str]:
    """The GPUs that the installed llama.cpp can use, by what they are called."""
    return [str(device["description"]) for device in xllamacpp.get_device_info() if device["type"] in GPUS]


def running(settings: Settings) -> Running:
    """How a file is run: one request at a time, unless more are asked for, as what is computed together changes last digits.

    Raises:
        ModelError: there is no such device, or no such argument.
    """
    given = engine_args(settings.engine_args, ARGUMENTS, "a GGUF file")
    for name, value in given.items():
        if type(value) is not int or value < (-1 if name == "n_gpu_layers" else 1):
            raise ModelError(f"{option('engine_args', name)} must be a whole number, saw {value!r}")
    layers, gpu = _place(settings.device, given)
    return Running(
        threads=given.get("n_threads") or _threads(),
        layers=layers,
        gpu=gpu,
        at_once=given.get("n_parallel", 1),
        tokens=settings.batch_tokens or BATCH_TOKENS,
    )


def device_of(running: Running) -> str:
    """A device as people know it: "cpu, 8 threads"."""
    there = gpus()
    if running.layers == 0 or not there:
        return f"cpu, {count(running.threads, 'thread')}"
    return there[running.gpu] if running.gpu is not None else " and ".join(dict.fromkeys(there))


def _place(device: str, given: Mapping[str, Any]) -> tuple[int, int | None]:
    """Layers on a GPU, and its number."""
    there = gpus()
    kind, colon, number = device.partition(":")
    if kind == "cpu" or not there:
        if kind not in ("auto", "cpu"):
            raise ModelError(
                f"{option('device', device)}: the installed llama.cpp finds no GPU\n  {WHEELS}; or: {option('device', 'cpu')}"
            )
        return 0, None
    gpu = own_gpu(os.environ.get(WORKER), len(there))
    if colon:
        if not number.isdecimal() or int(number) >= len(there):
            raise ModelError(
                f"{option('device', device)}: there is no such GPU; llama.cpp finds: {', '.join(there)}"
            )
        gpu = int(number)
    return given.get("n_gpu_layers", -1), gpu


def _threads() -> int:
    """As torch has them: of the environment, else a share of the cores."""
    named = next((os.environ[name] for name in THREADS if os.environ.get(name, "").isdecimal()), None)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return max(1, int(named)) if named else threads_for_each(workers)
