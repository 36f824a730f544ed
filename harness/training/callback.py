"""A model in training in, a verdict every so many steps out: forgetting is seen while it happens, and stops it."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from peft import PeftModel
from transformers import TrainerCallback

from harness.engine.loading import without_adapter, wrap
from harness.engine.requests import Chosen, Engine, Generated, Measured
from harness.errors import EngineError, HarnessError, InputError, NoEvidenceError, Problem
from harness.gate.asking import Answered, ask
from harness.gate.cases import Case, cases
from harness.gate.compare import compare, pair
from harness.gate.verdict import Decision, Policy, decide
from harness.scoring import Score, load_scorers
from harness.suites.format import Severity
from harness.suites.read import read_suite
from harness.suites.sampling import stratified
from harness.suites.suite import Probe, Suite
from harness.training.penalty import evaluating

BASELINE = "forgetting_baseline.json"
"""The baseline's answers, kept in the Trainer's output folder for a training that is resumed."""

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Generated, Chosen, Measured)}

logger = logging.getLogger("harness")

Log = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class GatedStep:
    """What the gates said at one step.

    `drop` is over all sampled probes of gates with a margin, `drops` by suite: fractions, positive when worse.
    `forgotten` and `failed` name cases ("general-qa · all").
    """

    step: int
    drop: float
    drops: Mapping[str, float]
    forgotten: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def verdict(self) -> Literal["FORGOTTEN", "FAILED", "PASSED"]:
        """FORGOTTEN if any case is; FAILED if one failed without being sure, as over its margin."""
        return "FORGOTTEN" if self.forgotten else "FAILED" if self.failed else "PASSED"


class ForgettingCallback(TrainerCallback):  # type: ignore[misc]
    """Gates a sample of suites at step 0, every `every` steps and at the end of a Hugging Face training.

    The baseline is the model as it stands at step 0, or the base of a PEFT model, its adapter switched off. Asking
    changes nothing of the training: the same weights come out, bit by bit.

    What it finds is in `history`, in `trainer.state.log_history` under `forgetting/...`, and in Python's log
    "harness". Set `callback.log = trainer.log` to send it to the Trainer's other loggers too.

    Args:
        suites: suite files, or folders of them.
        every: steps from one gate to the next.
        sample: how many probes to ask at most, each suite and category with its share; None for all. Gates over
            `each` keep all of their probes.
        stop_on: stop when a case is "forgotten", or when one "failed" for whatever reason; None never stops.
        keep_best: a folder for the best checkpoint: that of the latest gated step at which nothing was forgotten,
            which has learnt the most of those.
        baseline: what to compare with instead.
        tokenizer: where the Trainer has no `processing_class`.
        fail_on: cases of lesser severity do not count.
        allow_code: run code that the model writes, where a score does.

    Raises:
        InputError: a suite cannot be read, before anything is trained.
    """

    def __init__(
        self,
        suites: Sequence[str | Path] | str | Path,
        every: int = 100,
        sample: int | None = 100,
        stop_on: Literal["forgotten", "failed"] | None = "forgotten",
        keep_best: str | Path | None = None,
        baseline: Engine | None = None,
        tokenizer: Any = None,
        fail_on: Severity = "low",
        seed: int = 0,
        allow_code: bool = False,
    ) -> None:
        if every < 1:
            raise HarnessError(f"every must be at least 1 step, saw {every}")
        if stop_on not in ("forgotten", "failed", None):
            raise HarnessError(f"stop_on must be 'forgotten', 'failed' or None, saw {stop_on!r}")
        self.suites = _read(suites, allow_code)
        self.cases = _sampled(self.suites, sample, seed)
        self.every = every
        self.stop_on = stop_on
        self.keep_best = None if keep_best is None else Path(keep_best)
        self.baseline = baseline
        self.tokenizer = tokenizer
        self.policy = Policy(fail_on=fail_on)
        self.allow_code = allow_code
        self.log: Log | None = None
        self.history: list[GatedStep] = []
        self._before: dict[str, Answered] = {}

    # What the Trainer calls

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        _check_whole(args)
        model, tokenizer = kwargs["model"], self._tokenizer(kwargs)
        file = Path(args.output_dir) / BASELINE
        self._before = self._ask_baseline(model, tokenizer, state.global_step, file)
        if state.global_step == 0:
            self._gate(state, model, tokenizer)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero and state.global_step % self.every == 0:
            self._gate_and_act(state, control, kwargs)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        gated = self.history and self.history[-1].step == state.global_step
        if state.is_world_process_zero and not gated:
            self._gate_and_act(state, control, kwargs)

    # Gating

    def _gate_and_act(self, state: Any, control: Any, kwargs: Mapping[str, Any]) -> None:
        model, tokenizer = kwargs["model"], self._tokenizer(kwargs)
        step = self._gate(state, model, tokenizer)
        if not step.forgotten and self.keep_best is not None:
            _save(model, tokenizer, self.keep_best)
        if (self.stop_on and step.forgotten) or (self.stop_on == "failed" and step.failed):
            logger.warning("step %d: training stops, %s: %s", step.step, step.verdict, ", ".join(step.failed))
            control.should_training_stop = True

    def _gate(self, state: Any, model: Any, tokenizer: Any) -> GatedStep:
        with _as_it_was(model):
            after = self._ask(wrap(model, tokenizer, "the model in training"), self._before)
        decisions = [
            decide(
                case,
                pair(
                    case.probes,
                    None if case.tuned_alone else self._before[case.suite.name].scores,
                    after[case.suite.name].scores,
                ),
                self.policy,
            )
            for case in self.cases
        ]
        step = self._summed(state.global_step, after, decisions)
        self.history.append(step)
        self._tell(step, state)
        return step

    def _summed(self, number: int, after: Mapping[str, Answered], decisions: Sequence[Decision]) -> GatedStep:
        counting = [one for one in decisions if self.policy.fails(one.case.severity)]
        drops, pairs = {}, []
        for suite, probes in self._compared().items():
            these = pair(probes, self._before[suite].scores, after[suite].scores)
            drops[suite] = compare(these).drop
            pairs += these
        return GatedStep(
            number,
            compare(pairs).drop if pairs else 0.0,
            drops,
            tuple(
                one.case.title for one in counting if one.verdict == "FORGOTTEN" and one.outcome == "failed"
            ),
            tuple(one.case.title for one in counting if one.outcome == "failed"),
        )

    def _tell(self, step: GatedStep, state: Any) -> None:
        entry: dict[str, Any] = {
            "forgetting/drop": step.drop,
            **{f"forgetting/{name}/drop": drop for name, drop in step.drops.items()},
            "forgetting/forgotten": int(bool(step.forgotten)),
            "forgetting/failed": len(step.failed),
            "forgetting/verdict": step.verdict,
        }
        if self.log is not None:
            self.log(entry)
        else:
            state.log_history.append({**entry, "epoch": state.epoch, "step": step.step})
        logger.info("step %d: drop %.1f points, %s", step.step, 100 * step.drop, step.verdict)

    # Asking

    def _wanted(self) -> dict[str, dict[str, Probe]]:
        """The probes that the cases need, by suite and id."""
        wanted: dict[str, dict[str, Probe]] = {}
        for case in self.cases:
            wanted.setdefault(case.suite.name, {}).update({probe.id: probe for probe in case.probes})
        return wanted

    def _compared(self) -> dict[str, list[Probe]]:
        """The probes of gates with a margin, by suite."""
        compared: dict[str, dict[str, Probe]] = {}
        for case in self.cases:
            if case.gate.max_drop is not None:
                compared.setdefault(case.suite.name, {}).update({probe.id: probe for probe in case.probes})
        return {suite: list(probes.values()) for suite, probes in compared.items()}

    def _ask(self, engine: Engine, before: Mapping[str, Answered] | None) -> dict[str, Answered]:
        suites = {suite.name: suite for suite in self.suites}
        return {
            name: ask(
                engine,
                suites[name],
                list(probes.values()),
                baseline=None if before is None else before[name].answers,
                allow_code=self.allow_code,
            )
            for name, probes in self._wanted().items()
        }

    def _ask_baseline(self, model: Any, tokenizer: Any, step: int, file: Path) -> dict[str, Answered]:
        """The baseline's answers; those of step 0 are read again where the model has been trained since."""
        if self.baseline is not None:
            return self._ask(self.baseline, None)
        if isinstance(model, PeftModel):
            with _as_it_was(model), without_adapter(model):
                return self._ask(wrap(model, tokenizer, "the baseline"), None)
        if step == 0:
            with _as_it_was(model):
                asked = self._ask(wrap(model, tokenizer, "the baseline"), None)
            _keep(file, self._key(), asked)
            return asked
        return self._kept(file, step)

    def _key(self) -> str:
        """Of all that the baseline's answers depend on besides the model."""
        content = [
            (case.suite.name, case.suite.task, [(p.id, p.fields, p.choices, p.text) for p in case.probes])
            for case in self.cases
        ]
        return hashlib.sha256(repr(content).encode()).hexdigest()

    def _kept(self, file: Path, step: int) -> dict[str, Answered]:
        why = f"the training goes on at step {step}, and the baseline's answers"
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise NoEvidenceError(
                f"{why} are not in {file}\n  give the model as it was before training: baseline=Engine"
            ) from error
        if kept.get("key") != self._key():
            raise NoEvidenceError(
                f"{why} in {file} are to other probes\n  give baseline=Engine, or the same suites"
            )
        return {
            suite: Answered(
                {id: KINDS[one["kind"]](**one["answer"]) for id, one in given.items()},
                {id: Score(**one["score"]) for id, one in given.items()},
            )
            for suite, given in kept["suites"].items()
        }

    def _tokenizer(self, kwargs: Mapping[str, Any]) -> Any:
        found = self.tokenizer or kwargs.get("processing_class")
        if found is None:
            raise HarnessError(
                "ForgettingCallback needs the model's tokenizer\n"
                "  give processing_class=tokenizer to the Trainer, or tokenizer= to the callback"
            )
        return found


def _keep(file: Path, key: str, asked: Mapping[str, Answered]) -> None:
    suites = {
        suite: {
            id: {
                "kind": type(answer).__name__,
                "answer": asdict(answer),
                "score": asdict(one.scores[id]),
            }
            for id, answer in one.answers.items()
        }
        for suite, one in asked.items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}-unfinished")
    unfinished.write_text(json.dumps({"key": key, "suites": suites}), encoding="utf-8")
    unfinished.replace(file)


def _read(paths: Sequence[str | Path] | str | Path, allow_code: bool) -> list[Suite]:
    """The suites of files and folders, each name once; raises InputError with all that is wrong."""
    given = [paths] if isinstance(paths, str | Path) else paths
    problems: list[Problem] = []
    suites: dict[str, Suite] = {}
    for file in _files([Path(path) for path in given]):
        try:
            suite = read_suite(file, load_scorers())
        except InputError as error:
            problems += error.problems
            continue
        if suite.name in suites:
            problems.append(Problem(suite.span, f"a second suite called '{suite.name}'"))
        if any(probe.scorer.runs_code for probe in suite.probes) and not allow_code:
            problems.append(
                Problem(
                    suite.span,
                    f"the suite '{suite.name}' runs code that a model wrote",
                    "allow_code=True lets it",
                )
            )
        suites[suite.name] = suite
    if problems:
        raise InputError(problems)
    if not suites:
        raise NoEvidenceError("ForgettingCallback has no suites, so it would see nothing")
    return list(suites.values())


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.y*ml")) if path.is_dir() else [path]


def _sampled(suites: Sequence[Suite], n: int | None, seed: int) -> list[Case]:
    """The cases of the suites; of gates with a margin, those that have a probe in the sample, narrowed to it."""
    every = [case for suite in suites for case in cases(suite)]
    if n is None:
        return every
    pool = {
        (case.suite.name, probe.id): probe
        for case in every
        if case.gate.over != "each"
        for probe in case.probes
    }
    keys = sorted(pool)
    chosen = set(stratified(keys, lambda key: (key[0], pool[key].category), n, seed))
    narrowed = []
    for case in every:
        if case.gate.over != "each":
            probes = tuple(probe for probe in case.probes if (case.suite.name, probe.id) in chosen)
            case = replace(case, probes=probes)
        if case.probes:
            narrowed.append(case)
    return narrowed


def _check_whole(args: Any) -> None:
    """A model whose weights lie in parts on several devices cannot be asked by one of them alone."""
    if getattr(args, "deepspeed", None) or getattr(args, "fsdp", None):
        raise EngineError(
            "ForgettingCallback cannot ask a model that FSDP or DeepSpeed has divided\n"
            "  gate its checkpoints instead: pytest suites/ --model CHECKPOINT"
        )


@contextmanager
def _as_it_was(model: Any) -> Iterator[None]:
    """Whatever is asked inside, the training goes on as if nothing had been: modes, caches and random numbers."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    on_device = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    use_cache = model.config.use_cache
    learns = [
        (parameter, parameter.requires_grad) for parameter in model.parameters()
    ]  # peft freezes adapters
    try:
        model.config.use_cache = True
        with evaluating(model):
            yield
    finally:
        model.config.use_cache = use_cache
        for parameter, before in learns:
            parameter.requires_grad_(before)
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if on_device is not None:
            torch.cuda.set_rng_state_all(on_device)


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    """A kill leaves the older checkpoint, or this one, whole."""
    unfinished = folder.with_name(f".{folder.name}-unfinished")
    older = folder.with_name(f".{folder.name}-older")
    for leftover in (unfinished, older):
        shutil.rmtree(leftover, ignore_errors=True)
    model.save_pretrained(unfinished)
    tokenizer.save_pretrained(unfinished)
    if folder.exists():
        folder.rename(older)
    unfinished.rename(folder)
    shutil.rmtree(older, ignore_errors=True)
