"""What a gated step found in, a line for the person who waits and numbers for the Trainer's trackers out."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerCallback

from harness.errors import shown_path
from harness.terminal import say
from harness.training.callback.checkpoints import BestCheckpoint
from harness.training.callback.step import GatedStep
from harness.visible import visible
from harness.wording import count, some

logger = logging.getLogger("harness")

PRINTERS = (PrinterCallback, ProgressCallback)
"""The Trainer's callbacks that print what is logged; a line of ours says it in words."""


def trainer_of(callback: TrainerCallback) -> Trainer | None:
    """The Trainer that is calling `callback`: it passes no reference to itself, but it is on the stack."""
    frame = sys._getframe()
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, Trainer) and callback in caller.callback_handler.callbacks:
            return caller
        frame = frame.f_back  # type: ignore[assignment]
    return None


def tell_trackers(trainer: Trainer, callback: TrainerCallback, numbers: Mapping[str, float]) -> None:
    """Log numbers with the trackers of a Trainer (`report_to`) and its other callbacks, as the Trainer logs a loss.

    Not through `Trainer.log`, which subclasses replace to add numbers of their own to the next loss.
    """
    state, handler = trainer.state, trainer.callback_handler
    epoch = {} if state.epoch is None else {"epoch": state.epoch}
    for other in handler.callbacks:
        if other is not callback and not isinstance(other, PRINTERS):
            model, tokenizer = handler.model, handler.processing_class
            other.on_log(
                trainer.args,
                state,
                trainer.control,
                model=model,
                processing_class=tokenizer,
                logs={**numbers, **epoch},
            )


def tell_person(step: GatedStep, trainer: Trainer | None) -> None:
    """Show a line on stderr, above the Trainer's progress bar."""
    failed = f": {some(list(step.failed))}" if step.failed else ""
    line = visible(f"forgetting gate, step {step.step}: {step.shown}{failed}")
    callbacks = trainer.callback_handler.callbacks if trainer else ()
    bars: list[Any] = [getattr(callback, "training_bar", None) for callback in callbacks]
    bar = next(filter(None, bars), None)
    with suppress(BrokenPipeError):  # no reason to end a training
        if bar is None:
            say(line)
        else:
            bar.write(line, file=bar.fp)


def conclude(history: Sequence[GatedStep], best: BestCheckpoint | None) -> None:
    """Log one line on the whole training."""
    last, kept = history[-1], ""
    if best:
        what = "no checkpoint" if best.step is None else f"the checkpoint of step {best.step}"
        kept = f"; {what} was kept in {shown_path(best.folder)}"
        kept += ", which holds one of an earlier training" if best.left_over else ""
    level = logging.WARNING if last.forgotten else logging.INFO
    steps = count(len(history), "step")
    logger.log(level, "gated at %s, the last of them %d: %s%s", steps, last.step, last.shown, kept)
