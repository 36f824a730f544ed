"""A model in the middle of its training in, the same out: it can be asked meanwhile, and trains on as if it had not been."""

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

from harness.errors import EngineError
from harness.training.penalties.penalty import evaluating

T = TypeVar("T")

CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Ways to begin a LoRA that take out of the base what they put into the adapter."""


@contextmanager
def preserve_training_state(model: Any) -> Iterator[None]:
    """No dropout inside; afterwards modes, what learns, and the random numbers to come are what they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    on_device = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    # peft freezes an adapter that it switches off, and thaws it all when it switches it on.
    learns = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        with evaluating(model):
            yield
    finally:
        for parameter, before in learns:
            parameter.requires_grad_(before)
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if on_device is not None:
            torch.cuda.set_rng_state_all(on_device)


def can_disable_adapter(model: Any) -> bool:
    """Whether the base of a model can be had at any time by switching its adapter off.

    Not where something of the base learns too, as biases may, nor where the adapter began by changing the base.
    """
    if not isinstance(model, PeftModel):
        return False
    outside = [
        name
        for name, value in model.named_parameters()
        if value.requires_grad and not of_adapter(model, name)
    ]
    begun = [str(getattr(one, "init_lora_weights", "")).lower() for one in model.peft_config.values()]
    return not outside and not any(way.startswith(CHANGES_BASE) for way in begun)


def of_adapter(model: PeftModel, name: str) -> bool:
    """Whether the parameter `name` is the adapter's rather than the base's."""
    return any(part in name for part in (model.base_model.prefix, "modules_to_save", "trainable_tokens"))


def check_supported(args: Any, model: Any) -> None:
    """Refuse a model that one process cannot ask alone, or that the engine cannot run.

    Raises:
        EngineError: FSDP, DeepSpeed or tensor parallelism divides it, or its adapter learns a prompt.
    """
    shared = AcceleratorState()
    plugins = (getattr(shared, name, None) for name in ("fsdp_plugin", "deepspeed_plugin"))
    asked_for = (getattr(args, name, None) for name in ("fsdp", "deepspeed"))
    if any(plugins) or any(asked_for) or _in_parts(model):
        raise EngineError(
            "ForgettingCallback cannot ask a model that FSDP, DeepSpeed or tensor parallelism divides between "
            "processes\n  gate its checkpoints instead: pytest suites/ --model CHECKPOINT"
        )
    if isinstance(model, PeftModel) and any(one.is_prompt_learning for one in model.peft_config.values()):
        raise EngineError(
            "ForgettingCallback cannot ask a model whose adapter learns a prompt; use LoRA or its like"
        )


def broadcast_from_main(ask: Callable[[], T]) -> T:
    """What the main process finds, on every process; the others wait for it.

    Raises:
        EngineError: on the others, what it raised on the main one, so that none waits for it forever.
    """
    process = PartialState()
    if process.num_processes == 1:
        return ask()
    told: list[Any] = [None, None]
    if process.is_main_process:
        try:
            told[0] = ask()
        except BaseException as error:
            told[1] = f"{type(error).__name__}: {error}"
            raise
        finally:
            broadcast_object_list(told)
    else:
        broadcast_object_list(told)
        if told[1] is not None:
            raise EngineError(f"the main process could not gate the model\n  {told[1]}")
    found: T = told[0]
    return found


def _in_parts(model: Any) -> bool:
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return False
    from torch.distributed.tensor import DTensor

    return any(isinstance(parameter, DTensor) for parameter in model.parameters())
