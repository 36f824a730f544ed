"""A model, token rows and terms in, a trained model out: transformers' Trainer with the settings of a recipe."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.utils import is_torch_bf16_gpu_available

from harness.engine.transformers.device import out_of_memory
from harness.errors import HarnessError, ModelError, first_line
from harness.models.json_file import read_json
from harness.progress import Progress
from harness.recipes.read import Recipe
from harness.training.encode import Collator, Row
from harness.training.terms import Terms
from harness.training.update import TermsTrainer
from harness.writing import write_fault, write_whole

SECONDS_BETWEEN_CHECKPOINTS = 60.0
"""The most that a killed training loses."""

WHOLE = "whole.json"
"""Written last into a checkpoint: the sizes of its other files."""


def fit(
    model: Any,
    recipe: Recipe,
    rows: Sequence[Row],
    terms: Terms,
    collator: Collator,
    folder: Path,
    on_progress: Progress,
) -> list[dict[str, float]]:
    """Train `model` in place, from the last complete checkpoint in `folder` if there is one.

    Args:
        rows: what to learn; `collator` makes batches of them.
        terms: what the recipe's mitigations add.
        on_progress: called with the number of updates done and of all updates.

    Returns:
        The loss curve: {"step", "loss", "learning_rate"} for each update, the loss in nats per answer token,
        penalties and weights included.

    Raises:
        ModelError: the loss or a weight became NaN or infinite, or the memory was too small.
    """
    watch = _Watch(on_progress)
    trainer = TermsTrainer(
        terms,
        model=model,
        args=_arguments(recipe, updates(recipe, len(rows)), folder, model.device),
        train_dataset=list(rows),
        data_collator=collator,
        callbacks=[*terms.callbacks, watch],
    )
    for printer in (PrinterCallback, ProgressCallback):  # on_progress takes their place
        trainer.remove_callback(printer)
    _train(trainer, watch, last_checkpoint(folder), recipe)
    curve = [
        {key: float(entry[key]) for key in ("step", "loss", "learning_rate")}
        for entry in trainer.state.log_history
        if "loss" in entry
    ]
    _check_finite(model, curve, recipe)
    return curve


def _arguments(recipe: Recipe, steps: int, folder: Path, device: torch.device) -> TrainingArguments:
    """The settings of a recipe in the Trainer's words."""
    written = recipe.written
    constant = "constant_with_warmup" if written.warmup else "constant"
    return _Arguments(
        on=str(device),
        output_dir=str(folder),
        per_device_train_batch_size=written.batch,
        gradient_accumulation_steps=written.accumulation,
        max_steps=steps,
        learning_rate=written.learning_rate,
        lr_scheduler_type=constant if written.schedule == "constant" else written.schedule,
        warmup_steps=rising(recipe, steps),
        weight_decay=written.weight_decay,
        seed=written.seed,
        data_seed=written.seed,
        use_cpu=device.type == "cpu",
        **_precision(recipe, device),
        save_strategy="no",
        save_total_limit=1,
        logging_steps=1,
        logging_nan_inf_filter=False,  # else a NaN loss is logged as the mean of the other losses
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
    )


def _train(trainer: TermsTrainer, watch: _Watch, checkpoint: Path | None, recipe: Recipe) -> None:
    try:
        if checkpoint is not None and trainer.terms.own_answers is not None:
            trainer.terms.own_answers.resume(checkpoint)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except HarnessError:
        raise
    except Exception as error:  # torch, pickle and safetensors may raise anything for a damaged checkpoint
        if isinstance(error, RuntimeError) and out_of_memory(error):
            raise ModelError(
                f"{recipe.span('batch')}: training ran out of the memory of {trainer.model.device}\n"
                "  lower 'batch' and raise 'accumulation', or train adapters: method: {lora: {}}"
            ) from error
        if checkpoint is None or watch.began or write_fault(error):
            raise
        raise ModelError(
            f"{checkpoint}: the training cannot go on from it: {type(error).__name__}: {first_line(error)}\n"
            "  it was removed; run it again, and the training begins anew"
        ) from error


def updates(recipe: Recipe, rows: int) -> int:
    """How many updates a recipe makes over `rows` rows."""
    written = recipe.written
    if written.steps is not None:
        return written.steps
    assert written.epochs is not None, "a recipe has epochs or steps"
    return written.epochs * math.ceil(math.ceil(rows / written.batch) / written.accumulation)


def rising(recipe: Recipe, steps: int) -> int:
    """In how many of `steps` updates the rate rises."""
    return round(recipe.written.warmup * steps)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint; what a kill or a full disk left half written is skipped."""
    steps = {path.name.rpartition("-")[2]: path for path in folder.glob("checkpoint-*")}
    for step in sorted(filter(str.isdecimal, steps), key=int, reverse=True):
        with suppress(ModelError):  # without a readable WHOLE
            if read_json(steps[step] / WHOLE) == _sizes(steps[step]):
                return steps[step]
    return None


def _sizes(checkpoint: Path) -> dict[str, int]:
    """The sizes of the files of a checkpoint, in bytes."""
    files = [path for path in checkpoint.rglob("*") if path.is_file() and path.name != WHOLE]
    return {path.relative_to(checkpoint).as_posix(): path.stat().st_size for path in sorted(files)}


def _precision(recipe: Recipe, device: torch.device) -> dict[str, bool]:
    """Autocast's switches."""
    wanted = recipe.written.precision
    if wanted == "auto":
        wanted = "bfloat16" if device.type != "cpu" and is_torch_bf16_gpu_available() else "float32"
    if wanted == "float16" and device.type == "cpu":
        raise ModelError(f"{recipe.span('precision')}: float16 needs a GPU, and this runs on {device}")
    return {"bf16": wanted == "bfloat16", "fp16": wanted == "float16"}


def _check_finite(model: Any, curve: Sequence[dict[str, float]], recipe: Recipe) -> None:
    sound = curve and all(math.isfinite(entry["loss"]) for entry in curve)
    if not sound or not all(bool(torch.isfinite(value).all()) for value in model.parameters()):
        raise ModelError(
            f"{recipe.span('learning_rate')}: training failed: the loss or a weight became NaN or infinite\n"
            f"  lower the learning_rate, saw {recipe.written.learning_rate:g}"
        )


@dataclass
class _Arguments(TrainingArguments):  # type: ignore[misc]
    """Trains on the device `on`, where the model is; by itself the Trainer takes the first GPU, or all of them together."""

    on: str = "cpu"

    @property
    def device(self) -> torch.device:
        super().device  # noqa: B018  # it also prepares what the Trainer needs
        device = torch.device(self.on)
        if device.index is not None and torch.accelerator.device_count() > 1:
            torch.accelerator.set_device_index(device.index)
        return device

    @property
    def n_gpu(self) -> int:
        return 0 if self.use_cpu else 1


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Reports each update, and asks for a checkpoint every SECONDS_BETWEEN_CHECKPOINTS; short trainings need none."""

    def __init__(self, on_progress: Progress) -> None:
        self.on_progress = on_progress
        self.began = False
        self.saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.began = True
        self.on_progress(state.global_step, state.max_steps)
        due = time.monotonic() - self.saved >= SECONDS_BETWEEN_CHECKPOINTS
        if due and state.global_step < state.max_steps:
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.saved = time.monotonic()
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        write_whole(checkpoint / WHOLE, json.dumps(_sizes(checkpoint)))
