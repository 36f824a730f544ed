"""vLLM as this package uses it: imported once, with the settings that make its answers repeatable."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any

from harness.engine.sharing import WORKER
from harness.engine.transformers.quiet import quiet
from harness.errors import ModelError
from harness.versions import needs_extra

DEFAULTS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # requests are scheduled in the same order in each run
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
"""Variables that are set before vLLM is imported, unless they are."""

INVARIANT = "VLLM_BATCH_INVARIANT"
HOPPER = 90
"""The compute capability of GPUs from which on vLLM computes a row alike in any batch; times ten."""

CPU_CACHE = ("VLLM_CPU_KVCACHE_SPACE", "4")
"""GiB of keys and values on a CPU; by default, vLLM takes nearly all memory."""


@dataclass(frozen=True)
class Library:
    """The parts of vLLM that are used, and what it runs on.

    Attributes:
        arguments: the names of all arguments that `vllm.LLM` takes.
        device: the type of torch's devices that it uses: "cpu", "cuda" and so on.
        device_name: of such a device.
        invariant: whether what else is in a batch changes no answer.
    """

    llm: Any
    sampling: Any
    delta: Any
    tokens_prompt: Any
    lora_request: Any
    arguments: frozenset[str]
    device: str
    device_name: str
    invariant: bool


def library() -> Library:
    """vLLM.

    Raises:
        VersionError: it is not installed.
        ModelError: this is one of several processes of pytest-xdist.
    """
    if os.environ.get(WORKER):
        raise ModelError("vllm reads all requests together, in one process\n  leave out -n")
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    with needs_extra("vllm", "the engine vllm"), quiet():
        from vllm.platforms import current_platform
    device = str(current_platform.device_type)
    if device == "cpu":
        os.environ.setdefault(*CPU_CACHE)
    elif current_platform.is_cuda() and current_platform.has_device_capability(HOPPER):
        os.environ.setdefault(INVARIANT, "1")
    with needs_extra("vllm", "the engine vllm"), quiet():
        from vllm import LLM, EngineArgs, SamplingParams
        from vllm.inputs import TokensPrompt
        from vllm.lora.request import LoRARequest
        from vllm.sampling_params import RequestOutputKind
    return Library(
        LLM,
        SamplingParams,
        RequestOutputKind.DELTA,
        TokensPrompt,
        LoRARequest,
        frozenset(field.name for field in fields(EngineArgs)),
        device,
        device if device == "cpu" else str(current_platform.get_device_name()),
        os.environ.get(INVARIANT, "0") not in ("", "0"),
    )
