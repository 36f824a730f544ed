"""What a watched training keeps on disk: the baseline's answers, and the best checkpoint that has not forgotten.

Both are written beside their place and renamed, so that a kill leaves the older one whole.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.engine.requests import Answer, Chosen, Generated, Measured
from harness.engine.transformers.quiet import quiet
from harness.errors import HarnessError, NoEvidenceError, shown_path
from harness.gate.cases import Case
from harness.models.cache import remedy, write_fault

BASELINE = "forgetting_baseline.json"
"""The baseline's answers and the fingerprint of its weights, in the Trainer's output folder."""

BEST = "forgetting.json"
"""In the folder of the best checkpoint: the training and the step it is of, the drop there, and its `eval_loss` if there is
one."""

GIVE_BASELINE = "give the model as it was before training: baseline=Engine"

DIGITS = 12
"""So many digits of a fingerprint are enough for a person."""

KINDS: dict[str, Callable[..., Answer]] = {kind.__name__: kind for kind in (Generated, Chosen, Measured)}

NOT_OURS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What a file raises that is no longer as it was written."""

Answers = Mapping[str, Mapping[str, Answer]]
"""By suite and id."""


def keep_answers(file: Path, watched: Sequence[Case], weights: str, answers: Answers) -> None:
    """Write answers down with what they answer. Scores are not: a suite may be corrected before they are read.

    Args:
        weights: the fingerprint of the model that gave the answers.

    Raises:
        HarnessError: the file cannot be written.
    """
    suites = {
        suite: {id: {"kind": type(one).__name__, **asdict(one)} for id, one in given.items()}
        for suite, given in answers.items()
    }
    with _writing("the baseline's answers", file):
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, {"baseline": weights, "asked": _asked(watched), "suites": suites})


def holds(file: Path, watched: Sequence[Case], weights: str) -> bool:
    """Whether a file has the answers of these weights to these probes."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return bool(kept["baseline"] == weights and kept["asked"] == _asked(watched))
    except (OSError, *NOT_OURS):
        return False


def kept_answers(file: Path, watched: Sequence[Case], step: int, weights: str | None) -> Answers:
    """Read the baseline's answers again in a training that goes on at `step`.

    Args:
        weights: the fingerprint of what the training began with, as its checkpoint has it; None if it does not.

    Raises:
        NoEvidenceError: they are not there, answer something else, or are not proven to be of these weights.
    """
    on = f"the training goes on at step {step}, and"
    why = f"{on} the baseline's answers"
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        asked, kept_weights = kept["asked"], kept.get("baseline")
        answers = {
            suite: {id: _answer(one) for id, one in given.items()} for suite, given in kept["suites"].items()
        }
    except OSError as error:
        raise NoEvidenceError(f"{why} are not in {shown_path(file)}\n  {GIVE_BASELINE}") from error
    except NOT_OURS as error:
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
    if asked != _asked(watched):
        raise NoEvidenceError(
            f"{why} in {shown_path(file)} are to other probes\n  give the same suites, sample and seed; or {GIVE_BASELINE}"
        )
    return answers


class BestCheckpoint:
    """A folder for the best of the checkpoints that it is offered.

    One with a lower `eval_loss` is better, and one with any is better than one without; of those without, the later
    one is, for it has learnt more.

    Attributes:
        step: of which step of this training the kept one is; None if nothing was kept yet.

    Raises:
        HarnessError: the folder holds something else, which would be lost.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.step: int | None = None
        self.loss: float | None = None
        self._training = ""
        self._unfinished = folder.with_name(f".{folder.name}-unfinished")
        self._older = folder.with_name(f".{folder.name}-older")
        if folder.exists() and not (folder / BEST).is_file() and (folder.is_file() or any(folder.iterdir())):
            raise HarnessError(
                f"keep_best={shown_path(folder)}: it holds something other than a best checkpoint, which would be lost\n"
                "  name a folder that is empty or not there yet"
            )

    @property
    def left_over(self) -> bool:
        """Whether the folder holds another training's best, for this one has kept none."""
        return self.step is None and (self.folder / BEST).is_file()

    def begin(self, training: str, step: int) -> None:
        """Forget an earlier training's best; take up this one's own where it goes on at `step`.

        One of a later step is not taken up: that step is made again.
        """
        if self._older.exists() and not self.folder.exists():  # killed between two renames
            self._older.rename(self.folder)
        self._training = training
        self.step = self.loss = None
        if not (self.folder / BEST).is_file():
            return
        try:
            kept = json.loads((self.folder / BEST).read_text(encoding="utf-8"))
            if kept["training"] == training and kept["step"] <= step:
                self.step, self.loss = kept["step"], kept["eval_loss"]
        except NOT_OURS:  # whatever it is the best of, this training has kept none
            return

    def offer(self, step: int, drop: float | None, loss: float | None, model: Any, tokenizer: Any) -> None:
        """Keep the model as it is now if it is the best so far.

        Raises:
            HarnessError: the folder cannot be written; the best that was kept before is there still.
        """
        if not self._better(step, loss):
            return
        note = {"training": self._training, "step": step, "drop": drop, "eval_loss": loss}
        with _writing("the best checkpoint", self.folder):
            if step == self.step:  # it was kept before its loss was known
                _write(self.folder / BEST, note)
            else:
                self._save(model, tokenizer, note)
        self.step, self.loss = step, loss

    def _better(self, step: int, loss: float | None) -> bool:
        if loss is None:
            return self.loss is None and (self.step is None or step > self.step)
        return self.loss is None or loss < self.loss

    def _save(self, model: Any, tokenizer: Any, note: Mapping[str, Any]) -> None:
        shutil.rmtree(self._unfinished, ignore_errors=True)
        try:
            with quiet():
                model.save_pretrained(self._unfinished)
                tokenizer.save_pretrained(self._unfinished)
            _write(self._unfinished / BEST, note)
        except BaseException:
            shutil.rmtree(self._unfinished, ignore_errors=True)
            raise
        if self.folder.exists():
            shutil.rmtree(self._older, ignore_errors=True)
            self.folder.rename(self._older)
        try:
            self._unfinished.rename(self.folder)
        except BaseException:
            if self._older.exists() and not self.folder.exists():
                self._older.rename(self.folder)
            raise
        shutil.rmtree(self._older, ignore_errors=True)


def _asked(watched: Sequence[Case]) -> str:
    """SHA-256 of all that the baseline's answers depend on besides the model."""
    content = [
        (case.suite.name, case.suite.task, [(p.id, p.fields, p.choices, p.text) for p in case.probes])
        for case in watched
    ]
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _answer(kept: Mapping[str, Any]) -> Answer:
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in kept.items() if name != "kind"}
    return KINDS[kept["kind"]](**values)


@contextmanager
def _writing(what: str, place: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # safetensors has errors of its own for a full disk
        if (fault := write_fault(error)) is None:
            raise
        raise HarnessError(
            f"{what} cannot be written to {shown_path(place)}: {fault}\n  {remedy(fault)}"
        ) from error


def _write(file: Path, content: Mapping[str, Any]) -> None:
    unfinished = file.with_name(f".{file.name}-unfinished")
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    unfinished.replace(file)
