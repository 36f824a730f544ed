"""The files of a watched training: the baseline's answers, and the best checkpoint that has not forgotten.

Both are written beside their place and renamed, so that a kill leaves the older one intact.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine.answers import as_answer, as_data
from harness.engine.requests import Answer
from harness.engine.transformers.quiet import quiet
from harness.errors import HarnessError, NoEvidenceError, shown_path
from harness.evaluation.ask import Answered
from harness.evaluation.keys import asked_key
from harness.evaluation.suite_run import further_attempts
from harness.gate.cases import Case
from harness.writing import restore_folder, whole_folder, write_whole, writing

BASELINE = "forgetting_baseline.json"
"""The baseline's answers and the fingerprint of its weights, in the Trainer's output folder."""

BEST = "forgetting.json"
"""In the folder of the best checkpoint: its training and step, the drop there, and its `eval_loss` if there is one."""

GIVE_BASELINE = "give the model as it was before training: baseline=Engine"

DIGITS = 12
"""How many digits of a fingerprint are shown to a person."""

DAMAGED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""The errors that reading a file raises if it is no longer as it was written."""

Answers = Mapping[str, Mapping[str, Answer]]
"""By suite and id."""


@dataclass(frozen=True)
class Kept:
    """The baseline's answers as a file keeps them, and its further attempts at single probes."""

    answers: Answers
    attempts: Answers


def keep_answers(file: Path, watched: Sequence[Case], weights: str, baseline: Mapping[str, Answered]) -> None:
    """Write answers down with a key of their questions, and without scores: a suite may be corrected before they are read.

    Args:
        weights: the fingerprint of the model that gave the answers.

    Raises:
        HarnessError: the file cannot be written.
    """
    attempts = {suite: answered.attempts for suite, answered in baseline.items() if answered.attempts}
    kept = {
        "baseline": weights,
        "asked": _asked(watched),
        "suites": _data(baseline),
        "attempts": _data(attempts),
    }
    with writing(f"the baseline's answers cannot be written to {shown_path(file)}", "name another folder"):
        write_whole(file, json.dumps(kept))


def holds(file: Path, watched: Sequence[Case], weights: str) -> bool:
    """Whether a file has the answers of these weights to these probes."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return bool(kept["baseline"] == weights and kept["asked"] == _asked(watched))
    except (OSError, *DAMAGED):
        return False


def kept_answers(file: Path, watched: Sequence[Case], step: int, weights: str | None) -> Kept:
    """Read the baseline's answers back in a training that goes on at `step`.

    Args:
        weights: the fingerprint of the first weights, as the training's checkpoint has it; None if it does not.

    Raises:
        NoEvidenceError: they are missing, answer other questions, or are not proven to be of these weights.
    """
    on = f"the training goes on at step {step}, and"
    why = f"{on} the baseline's answers"
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        asked, kept_weights = kept["asked"], kept.get("baseline")
        found = Kept(_answers(kept["suites"]), _answers(kept.get("attempts", {})))
    except OSError as error:
        raise NoEvidenceError(f"{why} are not in {shown_path(file)}\n  {GIVE_BASELINE}") from error
    except DAMAGED as error:
        raise NoEvidenceError(f"{why} in {shown_path(file)} cannot be read\n  {GIVE_BASELINE}") from error
    if weights is None:
        raise NoEvidenceError(
            f"{on} its checkpoint does not say which weights it began with: it was trained without this callback, or with "
            f"an older version of it\n  {GIVE_BASELINE}"
        )
    if kept_weights is None:
        raise NoEvidenceError(
            f"{why} in {shown_path(file)} do not say which weights gave them: an older version wrote them\n  {GIVE_BASELINE}"
        )
    if kept_weights != weights:
        raise NoEvidenceError(
            f"{why} in {shown_path(file)} are another training's: the weights {kept_weights[:DIGITS]} gave them, and this "
            f"one began with {weights[:DIGITS]}\n"
            f"  resume a checkpoint of the training that wrote them, or in the output_dir of this one; or {GIVE_BASELINE}"
        )
    if "attempts" not in kept and any(case.single for case in watched):
        raise NoEvidenceError(
            f"{why} in {shown_path(file)} lack the further attempts at single probes: an older version wrote them\n"
            f"  {GIVE_BASELINE}"
        )
    if asked != _asked(watched):
        raise NoEvidenceError(
            f"{why} in {shown_path(file)} are to other probes\n  give the same suites, sample and seed; or {GIVE_BASELINE}"
        )
    return found


def _data(baseline: Mapping[str, Answered]) -> dict[str, Any]:
    return {
        suite: {id: as_data(answer) for id, answer in answered.answers.items()}
        for suite, answered in baseline.items()
    }


def _answers(data: Mapping[str, Any]) -> Answers:
    return {
        suite: {id: as_answer(answer) for id, answer in answers.items()} for suite, answers in data.items()
    }


class BestCheckpoint:
    """A folder for the best of the checkpoints that it is offered.

    A lower `eval_loss` is better, and any is better than none; of checkpoints without, the later is better, because it has
    learnt more.

    Attributes:
        step: the step of this training that was kept; None if nothing was kept yet.

    Raises:
        HarnessError: the folder holds other files, which would be lost.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.step: int | None = None
        self.loss: float | None = None
        self._training = ""
        if folder.exists() and not (folder / BEST).is_file() and (folder.is_file() or any(folder.iterdir())):
            raise HarnessError(
                f"keep_best={shown_path(folder)}: it holds something other than a best checkpoint, which would be lost\n"
                "  name a folder that is empty or not there yet"
            )

    @property
    def left_over(self) -> bool:
        """Whether the folder holds another training's best, because this one has kept none."""
        return self.step is None and (self.folder / BEST).is_file()

    def begin(self, training: str, step: int) -> None:
        """Forget an earlier training's best, but go on from this one's own where it goes on at `step`.

        The best of a later step is forgotten too: that step is made again.
        """
        restore_folder(self.folder)
        self._training = training
        self.step = self.loss = None
        if (self.folder / BEST).is_file():
            with suppress(*DAMAGED):  # then it is no best of this training
                kept = json.loads((self.folder / BEST).read_text(encoding="utf-8"))
                if kept["training"] == training and kept["step"] <= step:
                    self.step, self.loss = kept["step"], kept["eval_loss"]

    def offer(self, step: int, drop: float | None, loss: float | None, model: Any, tokenizer: Any) -> None:
        """Keep the model as it is now if it is the best so far.

        Raises:
            HarnessError: the folder cannot be written; the best so far stays.
        """
        if not self._better(step, loss):
            return
        note = {"training": self._training, "step": step, "drop": drop, "eval_loss": loss}
        with writing(
            f"the best checkpoint cannot be written to {shown_path(self.folder)}", "name another folder"
        ):
            if step == self.step:  # it was kept before its loss was known
                write_whole(self.folder / BEST, json.dumps(note))
            else:
                self._save(model, tokenizer, note)
        self.step, self.loss = step, loss

    def _better(self, step: int, loss: float | None) -> bool:
        if loss is None:
            return self.loss is None and (self.step is None or step > self.step)
        return self.loss is None or loss < self.loss

    def _save(self, model: Any, tokenizer: Any, note: Mapping[str, Any]) -> None:
        with whole_folder(self.folder) as unfinished:
            with quiet():
                model.save_pretrained(unfinished)
                tokenizer.save_pretrained(unfinished)
            write_whole(unfinished / BEST, json.dumps(note))


def _asked(watched: Sequence[Case]) -> str:
    """A key for everything that the baseline's answers depend on besides the model."""
    return asked_key(
        (case.suite, [*case.probes, *(further_attempts(case.probes[0]) if case.single else ())])
        for case in watched
    )


def settle(optimizer: Any) -> None:
    """Put the weights for evaluation into the model, where an optimizer learns with others; the Trainer's next step does the reverse."""
    if callable(switch := getattr(optimizer, "eval", None)):
        switch()


def step_of_model(args: Any, state: Any) -> int:
    """The step of the weights at the end of a training: not the last one if the Trainer loads its best again."""
    if args.load_best_model_at_end and state.best_model_checkpoint is not None:
        return int(state.best_global_step)
    return int(state.global_step)


def eval_loss(state: Any, step: int) -> float | None:
    """The Trainer's latest `eval_loss` at this step; None if it did not evaluate, or the loss is NaN or infinite."""
    losses = [
        entry["eval_loss"]
        for entry in state.log_history
        if entry.get("step") == step and "eval_loss" in entry
    ]
    return float(losses[-1]) if losses and math.isfinite(losses[-1]) else None
