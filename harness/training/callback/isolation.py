"""Evaluate a model in the middle of its training without changing the training."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from accelerate import PartialState
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list
from peft import PeftModel

from harness.engine.transformers.device import keep_random_state
from harness.errors import EngineError
from harness.training.penalties.penalty import evaluating, keeping_what_learns

T = TypeVar("T")

CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Initialisations of LoRA that subtract the new adapter from the base."""


@contextmanager
def preserve_training_state(model: Any) -> Iterator[None]:
    """Evaluation mode inside the block; modes, `requires_grad` and the states of random numbers are restored."""
    states = random.getstate(), np.random.get_state()
    try:
        with keep_random_state(), evaluating(model), keeping_what_learns(model):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def can_disable_adapter(model: Any) -> bool:
    """Whether switching the adapter off gives the base as it was before training.

    It does not where a part of the base learns too, as biases may, or where the adapter began by changing the base.
    """
    if not isinstance(model, PeftModel):
        return False
    outside = [
        name
        for name, value in model.named_parameters()
        if value.requires_grad and not of_adapter(model, name)
    ]
    begun = [str(getattr(config, "init_lora_weights", "")).lower() for config in model.peft_config.values()]
    return not outside and not any(way.startswith(CHANGES_BASE) for way in begun)


def of_adapter(model: PeftModel, name: str) -> bool:
    """Whether the parameter `name` is the adapter's rather than the base's."""
    return any(part in name for part in (model.base_model.prefix, "modules_to_save", "trainable_tokens"))


def check_supported(args: Any, model: Any) -> None:
    """Refuse a model that no single process can evaluate, or that the engine cannot run.

    Raises:
        EngineError: it writes no text, FSDP, DeepSpeed or tensor parallelism divides it, or its adapter learns a prompt.
    """
    if not callable(getattr(model, "generate", None)):
        raise EngineError(
            f"ForgettingCallback asks questions, and a {type(model).__name__} writes no text: it may be a reward model or an "
            "encoder\n  gate the training of a causal language model"
        )
    shared = AcceleratorState()
    plugins = [getattr(shared, name, None) for name in ("fsdp_plugin", "deepspeed_plugin")]
    arguments = [getattr(args, name, None) for name in ("fsdp", "deepspeed")]
    if any((*plugins, *arguments)) or _in_parts(model):
        raise EngineError(
            "ForgettingCallback cannot ask a model that FSDP, DeepSpeed or tensor parallelism divides between "
            "processes\n  gate its checkpoints instead: pytest suites/ --model=CHECKPOINT"
        )
    if isinstance(model, PeftModel) and any(
        config.is_prompt_learning for config in model.peft_config.values()
    ):
        raise EngineError(
            "ForgettingCallback cannot ask a model whose adapter learns a prompt; use LoRA or its like"
        )


def broadcast_from_main(ask: Callable[[], T]) -> T:
    """Call `ask` on the main process alone, and return its result on every process; the others wait for it.

    Raises:
        EngineError: on the others, if `ask` raised on the main one, so that none waits forever.
    """
    process = PartialState()
    if process.num_processes == 1:
        return ask()
    message: list[Any] = [None, None]  # the result, or the error in words
    if process.is_main_process:
        try:
            message[0] = ask()
        except BaseException as error:
            message[1] = f"{type(error).__name__}: {error}"
            raise
        finally:
            broadcast_object_list(message)
    else:
        broadcast_object_list(message)
        if message[1] is not None:
            raise EngineError(f"the main process could not gate the model\n  {message[1]}")
    result: T = message[0]
    return result


def _in_parts(model: Any) -> bool:
    """Whether tensor parallelism divides the model."""
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return False
    from torch.distributed.tensor import DTensor

    return any(isinstance(parameter, DTensor) for parameter in model.parameters())
