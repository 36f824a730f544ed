"""Gate a model while it trains: a verdict every few steps, which can stop the training."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from transformers import TrainerCallback

from harness.documents.within import Reach
from harness.engine.requests import Engine
from harness.engine.settings import Settings
from harness.engine.transformers.loading import wrap
from harness.errors import HarnessError
from harness.evaluation.arguments import check_flags, paths_of
from harness.evaluation.sample import sampled
from harness.gate.cases import Case, cases, with_overall
from harness.gate.decide import Decision
from harness.gate.policy import Policy
from harness.suites.severity import Severity
from harness.training.callback.beginning import (
    Beginning,
    begin_anew,
    failing_at_start,
    find_beginning,
    keep_beginning,
    lasting_baseline,
    session_of,
    unrecorded,
)
from harness.training.callback.cases import check_arguments, check_power, failing_unchanged, read_watched
from harness.training.callback.checkpoints import BASELINE, BestCheckpoint, eval_loss, settle, step_of_model
from harness.training.callback.isolation import broadcast_from_main, check_supported, preserve_training_state
from harness.training.callback.step import GatedStep, gated_step
from harness.training.callback.telling import conclude, tell_person, tell_trackers, trainer_of
from harness.wording import count, some

logger = logging.getLogger("harness")


class ForgettingCallback(TrainerCallback):  # type: ignore[misc]
    """Gates a sample of suites before the first step, every `every` steps and at the end of a Trainer's training.

    The baseline is the model at step 0 or, for a PEFT model, its base with the adapter switched off, which is the same for a
    new adapter. Its answers are kept: in the store for other trainings on the same weights, and those of a full model in the
    Trainer's `output_dir` for a resumed training; a fingerprint in them and in the Trainer's checkpoints proves that they belong
    together. A training that begins anew on the same model before it ended, as `auto_find_batch_size` does when memory runs out,
    keeps its first baseline: give a new callback to compare with the half-trained model. Evaluation does not change the training:
    the same weights come out, bit by bit. A schedule-free optimizer is switched to its weights for evaluation, as the Trainer does.

    The results are in `history` and, as `forgetting/drop`, `forgetting/SUITE/drop` (of texts `forgetting/SUITE/rise`),
    `forgetting/forgotten` (0 or 1), `forgetting/failed` (the number of cases) and `forgetting/verdict`, in
    `trainer.state.log_history` and with the Trainer's trackers (`report_to`). On stderr are its progress and each step's verdict.

    Scores that are `fluent` ask the baseline for word order. Where training changes it, as with a full model and no `baseline`,
    both models are judged without that, with a warning. The gates of a step are decided together, with that over all suites where
    there are several. A probe lost under a gate over `each` is asked again, in other batches and in its other words (`also_ask`);
    the baseline is asked so at the start.

    Of several processes the main one asks and the others wait, so gating a step must take less than the Trainer's
    `ddp_timeout`; only the main one has a `history`.

    Args:
        suites: suite files, folders of them, or names of suites that ship.
        every: steps from one gated step to the next.
        sample: at most this many probes are asked, each suite and category with its share; None for all. Gates over
            `each` keep all of their probes.
        stop_on: stop when a case "failed", as in `pytest`, unless it fails where training has changed nothing, such as one
            that the baseline only guesses; or only when one is "forgotten": a loss fails it, because it is FORGOTTEN, or over
            its margin and too clear to be an accident among all gates of the step (which INCONCLUSIVE may be); None never.
        keep_best: a folder for the best checkpoint: of the gated steps that would not have stopped the training (for
            None: at which nothing was forgotten), the one with the lowest `eval_loss`; if the Trainer does not evaluate at
            gated steps, the latest, which has learnt the most. `best_step` is its step.
        baseline: another baseline to compare with.
        tokenizer: needed if the Trainer has no `processing_class`, or one that is no tokenizer.
        fail_on: cases of lesser severity do not count.
        seed: of the sample.
        allow_code: run code that the model writes, where a score does.
        allow_outside: let suites take their probes from outside their folders and the working folder.
        allow_task_code: run Python that comes with tasks of lm-evaluation-harness, unconfined.
        quiet: show no line at gated steps, and no progress.
        store: the file that keeps the baseline's answers, "off" for none; None for answers.db in the cache folder.

    Raises:
        InputError: a suite cannot be read, or runs code. Like the others, it is raised before anything is trained.
        NoEvidenceError: there are no suites.
        HarnessError: another argument makes no sense.
    """

    def __init__(
        self,
        suites: Sequence[str | Path] | str | Path,
        every: int = 100,
        sample: int | None = 100,
        stop_on: Literal["forgotten", "failed"] | None = "failed",
        keep_best: str | Path | None = None,
        baseline: Engine | None = None,
        tokenizer: Any = None,
        fail_on: Severity = "low",
        seed: int = 0,
        allow_code: bool = False,
        allow_outside: bool = False,
        allow_task_code: bool = False,
        quiet: bool = False,
        store: str | None = None,
    ) -> None:
        check_arguments(every, sample, seed, stop_on, fail_on, baseline)
        check_flags(
            allow_code=allow_code, allow_outside=allow_outside, allow_task_code=allow_task_code, quiet=quiet
        )
        reach = Reach(anywhere=allow_outside, code=allow_task_code)
        self.suites = read_watched(paths_of(suites), allow_code, reach)
        self.cases = sampled((case for suite in self.suites for case in cases(suite)), sample, seed)
        self.decisions: list[Decision] = []
        """The decisions at the latest gated step, case by case."""
        self.every = every
        self.stop_on = stop_on
        self.baseline = baseline
        self.tokenizer = tokenizer
        self.policy = Policy(fail_on=fail_on)
        self.allow_code = allow_code
        self.quiet = quiet
        self.settings = Settings(store=store)
        self.log: Callable[[dict[str, float]], object] | None = None
        """Takes the numbers of a step instead of the Trainer's trackers."""
        self.history: list[GatedStep] = []
        self._best = None if keep_best is None else BestCheckpoint(Path(keep_best))
        self._beginning: Beginning | None = None
        self._underway: weakref.ref[Any] | None = None
        """The model of a training that has begun and not ended."""
        self._touched = False
        """Whether that training has begun an update, even if it began anew since."""
        self._failing: set[str] = set()
        """Cases that fail although training has changed nothing."""
        self._latest: int | None = None
        """The step of this training that was gated last, known to every process."""
        self._offered: GatedStep | None = None
        """The latest step offered as the best, which the Trainer may still evaluate."""

    @property
    def best_step(self) -> int | None:
        """The step of the checkpoint in `keep_best`; None if there is none."""
        return self._best.step if self._best else None

    # What the Trainer calls

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        model, tokenizer = self._given(kwargs)
        check_supported(args, model)
        broadcast_from_main(lambda: self._begin(args, state, control, model, tokenizer))
        self._offered = None
        self._latest = None if state.global_step else 0

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._touched = True

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % self.every == 0 or state.global_step >= state.max_steps:
            self._gate_and_act(state.global_step, state, control, kwargs)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._best and self._latest == state.global_step:
            broadcast_from_main(lambda: self._offer(self._offered, state, *self._given(kwargs)))

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        step = step_of_model(args, state)
        if step != self._latest:  # the Trainer may have loaded an earlier model again
            self._gate_and_act(step, state, control, kwargs)
        self._offered = self._underway = self._latest = None
        if state.is_world_process_zero:
            conclude(self.history, self._best)

    # Gating

    def _begin(self, args: Any, state: Any, control: Any, model: Any, tokenizer: Any) -> None:
        earlier, step, file = self._beginning, int(state.global_step), Path(args.output_dir) / BASELINE
        beginning = self._again(state, model)
        again = beginning is not None
        if beginning is None:
            with preserve_training_state(model):
                beginning = find_beginning(
                    model, tokenizer, self.cases, given=self.baseline, state=state, file=file,
                    allow_code=self.allow_code, quiet=self.quiet, settings=self.settings,
                )  # fmt: skip
            self._touched = False
        elif self.baseline is None:
            keep_beginning(beginning, model, self.cases, file)
        goes_on = (again and step == 0) or (earlier is not None and earlier.training == beginning.training)
        self.history = [gated for gated in self.history if goes_on and gated.step <= step]
        self._beginning, self._underway = beginning, weakref.ref(model)
        check_power(self._decided, beginning.baseline)
        self._failing = failing_unchanged(self._decided, beginning.baseline)
        self._failing |= failing_at_start(state.log_history)
        if self._best:
            self._best.begin(beginning.training, step)
        if step == 0:
            self._begin_at_0(state, control, model, tokenizer)

    def _again(self, state: Any, model: Any) -> Beginning | None:
        """The beginning of an earlier training of this model that did not end, if this one shares its baseline."""
        if self._beginning is None or self._underway is None or self._underway() is not model:
            return None
        return begin_anew(self._beginning, model, state, self._touched)

    def _begin_at_0(self, state: Any, control: Any, model: Any, tokenizer: Any) -> None:
        # of this training, if it begins anew
        first = self.history[0] if self.history else self._gate(0, model, tokenizer)
        unchanged = {case.title for case in self._decided if self.baseline is None or case.tuned_alone}
        self._failing |= unchanged.intersection(first.failed)
        self._report(first, state, control)
        if self._failing and self.stop_on == "failed":
            fails = count(len(self._failing), "case fails", "cases fail")
            which = some(sorted(self._failing), 5)
            logger.warning("before the first step, %s, which stops no training: %s", fails, which)

    def _gate_and_act(self, step: int, state: Any, control: Any, kwargs: Mapping[str, Any]) -> None:
        model, tokenizer = self._given(kwargs)

        def gate() -> bool:
            gated = self._gate(step, model, tokenizer)
            self._report(gated, state, control)
            if self._stops(gated):
                logger.warning(
                    "step %d: training stops, %s: %s", step, gated.verdict, ", ".join(gated.failed)
                )
                return True
            if not gated.forgotten:
                self._offer(gated, state, model, tokenizer)
            return False

        self._offered = None
        if step == state.global_step:  # else the Trainer has loaded weights as they were saved
            settle(kwargs.get("optimizer"))
        if broadcast_from_main(gate):
            control.should_training_stop = True
        self._latest = step

    def _stops(self, gated: GatedStep) -> bool:
        new = self.stop_on == "failed" and not self._failing.issuperset(gated.failed)
        return new or bool(self.stop_on and gated.forgotten)

    def _offer(self, gated: GatedStep | None, state: Any, model: Any, tokenizer: Any) -> None:
        if self._best and gated is not None:
            self._best.offer(gated.step, gated.drop, eval_loss(state, gated.step), model, tokenizer)
            self._offered = gated

    def _gate(self, number: int, model: Any, tokenizer: Any) -> GatedStep:
        with preserve_training_state(model):
            baseline = lasting_baseline(self.baseline, model, tokenizer)
            who = None if self.quiet else f"step {number}"
            session = session_of(self.cases, self.policy, self.allow_code, baseline is None, who)
            session.know("baseline", self._begun().baseline)
            session.ask("tuned", wrap(model, tokenizer, "the model in training"), baseline=baseline)
        self.decisions = session.decide(self._decided)
        self.history.append(step := gated_step(number, self.decisions, session))
        return step

    @property
    def _decided(self) -> list[Case]:
        """The cases, and the one over all suites."""
        return with_overall(self.cases, self.policy.max_drop_overall)

    def _begun(self) -> Beginning:
        assert self._beginning is not None, "the Trainer begins a training before its first step"
        return self._beginning

    def _given(self, kwargs: Mapping[str, Any]) -> tuple[Any, Any]:
        """The model as it is where `torch.compile` wrapped it, and its tokenizer."""
        found = self.tokenizer if self.tokenizer is not None else kwargs.get("processing_class")
        if found is None:
            raise HarnessError(
                "ForgettingCallback needs the model's tokenizer\n"
                "  give processing_class=tokenizer to the Trainer, or tokenizer= to the callback"
            )
        return getattr(kwargs["model"], "_orig_mod", kwargs["model"]), found

    # Reporting

    def _report(self, step: GatedStep, state: Any, control: Any) -> None:
        place, trainer = len(state.log_history), trainer_of(self)
        if self.log is None and trainer is not None:
            tell_trackers(trainer, self, step.numbers())
        elif self.log is not None:
            wanted = control.should_log
            self.log(step.numbers())
            control.should_log = wanted  # any log resets it, and the Trainer's own loss is still to come
        if len(state.log_history) == place:
            state.log_history.append({**step.numbers(), "epoch": state.epoch})
        # Added after logging: loggers that draw take no text.
        state.log_history[place] |= {
            "forgetting/verdict": step.verdict,
            "step": step.step,
            **unrecorded(self._begun(), self._failing, state.log_history),
        }
        logger.info("step %d: %s", step.step, step.shown)
        if not self.quiet:
            tell_person(step, trainer)
