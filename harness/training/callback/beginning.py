"""A model at the beginning of a training in, the baseline that it is compared with out, through restarts and resumes.

The name of the training, the fingerprint of its first weights and the cases that fail on them go into the Trainer's
`log_history`, and so into each of its checkpoints. Transformers' `ExportableState` is no place for them: a training that is
resumed from a checkpoint without such a state dies at its next save, and one that restores it replaces the caller's callback
by a new one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate.state import AcceleratorState

from harness.engine.batching import EXACT
from harness.engine.requests import Engine, EnginePair
from harness.engine.settings import Settings
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.fingerprint import fingerprint
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.memory import memory_content
from harness.errors import NoEvidenceError
from harness.evaluation.ask import Answered, judged
from harness.evaluation.course import follow
from harness.evaluation.session import PairSession
from harness.evaluation.suite_run import further_attempts
from harness.gate.cases import Case
from harness.gate.policy import Policy
from harness.progress import passing
from harness.store.opening import keep_given, keep_loaded
from harness.training.callback.cases import note_unmeasured
from harness.training.callback.checkpoints import (
    DIGITS,
    GIVE_BASELINE,
    Kept,
    holds,
    keep_answers,
    kept_answers,
)
from harness.training.callback.isolation import can_disable_adapter, of_adapter

logger = logging.getLogger("harness")

TRAINING = "forgetting/training"
"""Key of `log_history`: a unique name for each training."""

WEIGHTS = "forgetting/baseline"
"""Key of `log_history`: the fingerprint of the weights that the training began with."""

FAILING = "forgetting/failing"
"""Key of `log_history`: the titles of the cases that failed before the first step, which stop no training."""

Log = Sequence[Mapping[str, Any]]
"""The Trainer's `log_history`."""


@dataclass(frozen=True)
class Beginning:
    """Where a training began.

    `training` is its name: a resumed training keeps its own, one that begins anew gets another. `weights` is the
    fingerprint of the model at the beginning, of the base alone where the adapter can be switched off; None if unknown.
    `baseline` holds the baseline's answers by suite, with its further attempts at the single probes that it got right.
    """

    training: str
    weights: str | None
    baseline: Mapping[str, Answered]


def find_beginning(
    model: Any,
    tokenizer: Any,
    cases: Sequence[Case],
    *,
    given: Engine | None,
    state: Any,
    file: Path,
    allow_code: bool,
    quiet: bool = False,
    settings: Settings = Settings(),
) -> Beginning:
    """Ask the baseline, or read its answers back where the model has been trained since it gave them.

    Args:
        given: the baseline, if the user gave one.
        state: the Trainer's, of step 0 or of a checkpoint.
        file: keeps the answers of a baseline that training changes.
        quiet: show no progress.
        settings: their `store` keeps the baseline's answers for other trainings.

    Raises:
        NoEvidenceError: the training goes on, and nothing proves which weights it began with.
        EngineError: the baseline cannot be asked.
    """
    step, recorded = int(state.global_step), _recorded(WEIGHTS, state.log_history)
    off = can_disable_adapter(model)
    weights = _starting_weights(model) if off or step == 0 else recorded
    if given is not None:
        _check_apart(given, model, step)
        kept = keep_given(EnginePair(given, given), settings, logger.warning).baseline
        baseline = _ask_baseline(kept, cases, allow_code, quiet)
    elif off:
        _check_base(weights, recorded, step)
        base = _stored(
            wrap(model, tokenizer, "the baseline", adapter=False), weights, settings, adapter=False
        )
        baseline = _ask_baseline(base, cases, allow_code, quiet)
    elif step > 0:
        note_unmeasured(cases)
        baseline = _judged(kept_answers(file, cases, step, recorded), cases, allow_code)
    else:
        assert weights is not None, "a model that begins has weights"
        note_unmeasured(cases)
        engine = _stored(wrap(model, tokenizer, "the baseline"), weights, settings)
        baseline = _ask_baseline(engine, cases, allow_code, quiet, by_rule=True)
        keep_answers(file, cases, weights, baseline)
    return Beginning(_training_name(state), weights, baseline)


def lasting_baseline(given: Engine | None, model: Any, tokenizer: Any) -> Engine | None:
    """The baseline as it can be asked while the model trains; None where training changes it."""
    if given is None and can_disable_adapter(model):
        return wrap(model, tokenizer, "the baseline", adapter=False)
    return given


def begin_anew(beginning: Beginning, model: Any, state: Any, touched: bool) -> Beginning | None:
    """The beginning of a training that did not end, for a second training of the same model, which shares its baseline.

    Args:
        touched: whether the first one began an update, so that the model may be half-trained.

    Returns:
        None if the second one goes on from a checkpoint with another beginning, or on weights that no training changed.
    """
    if state.global_step > 0:
        if _recorded(WEIGHTS, state.log_history) != beginning.weights:
            return None
    elif not touched and _starting_weights(model) != beginning.weights:
        return None
    logger.warning(
        "a training that did not end begins anew at step %d, on %s; its baseline stays the model that it first began with, "
        "and is not asked again",
        state.global_step,
        "weights that may be half-trained" if touched else "the weights that it began with",
    )
    return replace(beginning, training=_training_name(state))


def keep_beginning(beginning: Beginning, model: Any, cases: Sequence[Case], file: Path) -> None:
    """Keep the answers of a baseline that training changes, unless the file has them."""
    if beginning.weights is None or can_disable_adapter(model) or holds(file, cases, beginning.weights):
        return
    keep_answers(file, cases, beginning.weights, beginning.baseline)


def unrecorded(beginning: Beginning, failing: Collection[str], log_history: Log) -> dict[str, Any]:
    """The entries about the beginning, and the cases `failing` there, that a log still lacks."""
    known = {TRAINING: beginning.training, WEIGHTS: beginning.weights, FAILING: sorted(failing)}
    return {key: value for key, value in known.items() if value and _recorded(key, log_history) is None}


def failing_at_start(log_history: Log) -> set[str]:
    """The titles of the cases that failed before the first step of the training that a log is of."""
    return {str(title) for entry in log_history for title in entry.get(FAILING, ())}


def session_of(
    cases: Sequence[Case], policy: Policy, allow_code: bool, by_rule: bool = False, who: str | None = None
) -> PairSession:
    """The session that asks and decides the cases of one step, `by_rule` alone where word order cannot be measured.

    `who` names the one model that it will ask where its progress is shown: "baseline" or "step 100".
    """
    session = PairSession(policy, allow_code=allow_code, by_rule=by_rule)
    session.need(cases)
    if who is not None:
        follow(session, passing().counter, who, ["baseline" if who == "baseline" else "tuned"])
    return session


def _stored(engine: TorchEngine, weights: str | None, settings: Settings, adapter: bool = True) -> Engine:
    """The engine of a model that begins a training, so that the next one on the same weights need not ask it again."""
    if weights is None or (content := memory_content(engine, weights, adapter=adapter)) is None:
        return engine
    autocast = AcceleratorState().mixed_precision
    exact = autocast == "no" and engine.dtype in EXACT
    name = Path(str(engine.model.config._name_or_path)).name
    content |= {"autocast": autocast}
    return keep_loaded(engine, f"{name}, before a training", content, exact, settings, logger.warning)


def _starting_weights(model: Any) -> str:
    """The fingerprint of the baseline of a training that begins with this model; as costly as reading it once."""
    off = can_disable_adapter(model)
    return fingerprint(
        (name, value) for name, value in model.named_parameters() if not (off and of_adapter(model, name))
    )


def _training_name(state: Any) -> str:
    """The name of the training that a log is of, or a new one."""
    return _recorded(TRAINING, state.log_history) or uuid.uuid4().hex


def _ask_baseline(
    engine: Engine, cases: Sequence[Case], allow_code: bool, quiet: bool, by_rule: bool = False
) -> dict[str, Answered]:
    """The answers of a model as the baseline, by suite, with its further attempts at what a trained one may lose."""
    session = session_of(cases, Policy(), allow_code, by_rule, None if quiet else "baseline")
    session.ask("baseline", engine)
    session.ask_ahead(engine)
    return {name: run.answered("baseline") for name, run in session.suites.items()}


def _judged(kept: Kept, cases: Sequence[Case], allow_code: bool) -> dict[str, Answered]:
    """Kept answers, judged by the suites as they are now; by their rules alone, for training changed the baseline."""
    found = {}
    for name, run in session_of(cases, Policy(), allow_code).suites.items():
        answers, attempts = kept.answers[name], kept.attempts.get(name, {})
        probes = [probe for probe in run.suite.probes if probe.id in answers]
        again = [attempt for probe in probes for attempt in further_attempts(probe)]
        further = [attempt for attempt in again if attempt.id in attempts]
        found[name] = judged(run.suite, probes, answers, allow_code=allow_code, by_rule=True)
        if further:
            judged_again = judged(run.suite, further, attempts, allow_code=allow_code, by_rule=True)
            found[name] = replace(found[name], attempts=judged_again)
    return found


def _check_apart(given: Engine, model: Any, step: int) -> None:
    """Refuse a given baseline that is the model into which a checkpoint has just been loaded."""
    learning = {id(value) for value in model.parameters() if value.requires_grad}
    other = getattr(given, "model", None)
    shares = isinstance(other, torch.nn.Module) and not learning.isdisjoint(map(id, other.parameters()))
    if step > 0 and shares:
        raise NoEvidenceError(
            f"the training goes on at step {step}, and the given baseline shares the weights that it trains: it is the "
            "half-trained model\n  load the model as it was before training a second time, and give that one: baseline=Engine"
        )


def _check_base(weights: str | None, recorded: str | None, step: int) -> None:
    """Refuse an adapter that goes on over another base than it began with."""
    if step == 0 or weights == recorded:
        return
    if recorded is None:
        logger.warning(
            "the training goes on at step %d, and its checkpoint does not say which base it began with: it was trained "
            "without this callback, or with an older version of it; the present base is taken for the baseline",
            step,
        )
        return
    assert weights is not None, "a base has weights"
    raise NoEvidenceError(
        f"the training goes on at step {step} over another base: its checkpoint began with the weights "
        f"{recorded[:DIGITS]}, and with the adapter off they are {weights[:DIGITS]}\n"
        f"  load the base that the adapter began with, in the same dtype; or {GIVE_BASELINE}"
    )


def _recorded(key: str, log_history: Log) -> str | None:
    """An entry of a log about the beginning of its training; None if it has none."""
    return next((str(entry[key]) for entry in log_history if key in entry), None)
