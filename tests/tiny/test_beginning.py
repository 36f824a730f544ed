"""What a training is held against when it runs out of memory, dies, is resumed or follows another in one process."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import pytest
import torch
from transformers import Trainer, TrainerCallback

from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.fingerprint import fingerprint
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.quiet import quiet
from harness.errors import NoEvidenceError
from harness.training.callback.beginning import TRAINING, WEIGHTS
from harness.training.callback.callback import ForgettingCallback
from harness.training.callback.checkpoints import BASELINE
from tests.support.trainings import (
    WORDS,
    adapted,
    given_now,
    loaded,
    right_now,
    rights,
    run,
    trainer,
)


@pytest.fixture(scope="module")
def other(base, tmp_path_factory) -> Path:
    """A model of other weights, which knows most of what the base knows."""
    folder = tmp_path_factory.mktemp("models") / "other"
    model, tokenizer = loaded(base)
    torch.manual_seed(0)
    with torch.no_grad(), quiet():
        for value in model.parameters():
            value.add_(0.03 * torch.randn_like(value))
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def callback(suite) -> ForgettingCallback:
    return ForgettingCallback([suite], sample=None, every=4, stop_on=None)


def short_of_memory(dies_at: dict[int, int]) -> type[Trainer]:
    """A Trainer that has no memory at some sizes of a batch, from some step on; it begins with 4 and goes on to 3 and 2."""

    class Short(Trainer):
        def training_step(self, *args, **more):
            if self.state.global_step >= dies_at.get(self._train_batch_size, math.inf):
                raise RuntimeError("CUDA out of memory. Tried to allocate")
            return super().training_step(*args, **more)

    return Short


TWICE = {"of": short_of_memory({4: 9, 3: 0}), "auto_find_batch_size": True, "rate": 0.01}
"""Out of memory after 9 updates, and, half-trained, again before the first."""


class Begins(TrainerCallback):
    """Remembers what the model was right on whenever a training began."""

    def __init__(self, suite: Path) -> None:
        self.suite = suite
        self.rights: list[dict[str, bool]] = []

    def on_train_begin(self, args, state, control, model=None, processing_class=None, **kwargs):
        self.rights.append(right_now(model, processing_class, self.suite))


class Dies(TrainerCallback):
    """Ends a training at a step, the first time; before the update there, or after it."""

    def __init__(
        self, step: int, error: type[BaseException] = KeyboardInterrupt, before: bool = False
    ) -> None:
        self.step, self.error, self.before = step, error, before

    def die(self, state) -> None:
        if state.global_step == self.step:
            self.step = -1
            raise self.error

    def on_step_begin(self, args, state, control, **kwargs):
        if self.before:
            self.die(state)

    def on_step_end(self, args, state, control, **kwargs):
        if not self.before:
            self.die(state)


def again(made: Trainer, **more) -> None:
    with quiet():
        made.train(**more)


def steps(callback: ForgettingCallback) -> list[int]:
    return [gated.step for gated in callback.history]


def told(made: Trainer) -> list[int]:
    return [entry["step"] for entry in made.state.log_history if "forgetting/drop" in entry]


def lost(before: dict[str, bool], after: dict[str, bool]) -> float:
    return (sum(before.values()) - sum(after.values())) / len(WORDS)


def test_a_fingerprint_is_of_the_bytes_whatever_their_layout():
    table = torch.arange(6.0).reshape(2, 3)
    assert fingerprint([("a", table)]) == fingerprint([("a", table.T.contiguous().T)])
    nearly = torch.nextafter(table, table + 1)
    others = [("a", table.reshape(3, 2)), ("b", table), ("a", table.to(torch.bfloat16)), ("a", nearly)]
    edges = [("a", torch.tensor(1.0)), ("a", torch.tensor([1.0])), ("a", torch.zeros(0, 3))]
    prints = {fingerprint([one]) for one in [("a", table), *others, *edges]}
    assert len(prints) == 8


# Out of memory


def full(base: Path):
    return loaded(base)[0]


def pissa(base: Path):
    """An adapter that begins by changing its base."""
    return adapted(full(base), init_lora_weights="pissa")


def norm_learns(base: Path):
    """An adapter beside which something of the base learns."""
    model = adapted(full(base))
    model.base_model.model.model.norm.weight.requires_grad_(True)
    return model


def lora(base: Path):
    return adapted(full(base), init_lora_weights=True)


def trained_lora(base: Path):
    """An adapter that was trained before."""
    model = adapted(full(base))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_B" in name:
                value.normal_(0, 1)
    return model


@pytest.mark.parametrize(
    ("make", "rate"), [(full, 0.01), (pissa, 0.5), (norm_learns, 0.5), (lora, 0.5), (trained_lora, 0.5)]
)
def test_a_training_that_ran_out_of_memory_is_held_against_what_it_first_began_with(
    base, suite, tmp_path, callback, make, rate
):
    begins = Begins(suite)
    made = run(base, tmp_path, [callback, begins], model=make(base), **{**TWICE, "rate": rate})
    assert (len(begins.rights), made._train_batch_size) == (3, 2)
    before, after = given_now(base, suite), right_now(made.model, made.processing_class, suite)
    half = begins.rights[1]
    assert half == begins.rights[2]
    assert sum(half.values()) < sum(before.values()), "else the half-trained model would do for the baseline"
    assert rights(callback) == before
    assert callback.history[-1].drop == pytest.approx(lost(before, after))
    assert callback.history[0].drop == pytest.approx(lost(before, begins.rights[0]))
    assert (callback.history[0].drop > 0) == (make is trained_lora)


def test_the_steps_of_a_training_that_ran_out_of_memory_are_those_of_its_last_attempt(
    base, tmp_path, callback
):
    made = trainer(base, tmp_path, [callback], **TWICE)
    attempts = []

    class Looks(TrainerCallback):
        def on_train_begin(self, args, state, control, **kwargs):
            attempts.append((steps(callback), told(made)))

    made.add_callback(Looks())
    again(made)
    assert attempts == [([0], [0])] * 3
    assert steps(callback) == told(made) == [0, 4, 8, 12]


def test_a_restart_asks_nothing_and_writes_nothing_and_says_so(base, suite, tmp_path, caplog, monkeypatch):
    asked = []
    ask = TorchEngine.ask
    monkeypatch.setattr(
        TorchEngine, "ask", lambda engine, *args: (asked.append(engine.label), ask(engine, *args))[1]
    )
    file, seen = tmp_path / BASELINE, []

    class Looks(TrainerCallback):
        def on_train_begin(self, args, state, control, **kwargs):
            seen.append((file.read_bytes(), file.stat().st_mtime_ns))

    run(base, tmp_path, [ForgettingCallback([suite], every=100, stop_on=None), Looks()], **TWICE)
    assert asked == ["the baseline", "the model in training", "the model in training"]
    assert seen == [seen[0]] * 3
    lines = [line for line in caplog.messages if "begins anew" in line]
    assert lines == [
        "a training that did not end begins anew at step 0, on weights that may be half-trained; its baseline stays the "
        "model that it first began with, and is not asked again"
    ] * 2  # fmt: skip


def test_out_of_memory_before_the_first_update_leaves_the_weights_that_it_began_with(
    base, suite, tmp_path, caplog, monkeypatch
):
    asked = []
    ask = TorchEngine.ask
    monkeypatch.setattr(
        TorchEngine, "ask", lambda engine, *args: (asked.append(engine.label), ask(engine, *args))[1]
    )
    callback = ForgettingCallback([suite], every=100, stop_on=None)
    run(base, tmp_path, [callback], of=short_of_memory({4: 0}), auto_find_batch_size=True)
    assert asked == ["the baseline", "the model in training", "the model in training"]
    assert "begins anew at step 0, on the weights that it began with; its baseline stays" in caplog.text
    assert rights(callback) == given_now(base, suite)
    assert callback.history[-1].drop > 0.5


def test_a_given_baseline_is_not_asked_again_either(base, suite, tmp_path):
    given = wrap(*loaded(base), "the given one")
    asked = []
    ask = given.ask
    given.ask = lambda *args: (asked.append(1), ask(*args))[1]
    callback = ForgettingCallback([suite], every=100, stop_on=None, baseline=given)
    run(base, tmp_path, [callback], **TWICE)
    assert len(asked) == 1
    assert steps(callback) == [0, 12]
    assert not (tmp_path / BASELINE).exists()


def test_a_model_that_the_trainer_makes_is_made_once_to_a_training(base, suite, tmp_path, callback):
    """Transformers makes one for the Trainer and one for each training; a restart goes on with the half-trained one."""
    made_models = []

    def make():
        made_models.append(full(base))
        return made_models[-1]

    begins = Begins(suite)
    made = run(base, tmp_path, [callback, begins], model=make, **TWICE)
    before = given_now(base, suite)
    assert (len(made_models), len(begins.rights)) == (2, 3)
    assert begins.rights[0] == before != begins.rights[2]
    first = callback._beginning
    assert rights(callback) == before
    assert callback.history[-1].drop == pytest.approx(
        lost(before, right_now(made.model, made.processing_class, suite))
    )
    again(made)  # with the size that was found, and a third model
    assert len(made_models) == 3
    assert begins.rights[3] == rights(callback) == before
    assert callback._beginning.weights == first.weights
    assert callback._beginning.training != first.training
    assert steps(callback) == [0, 4, 8, 12]


def test_the_best_of_an_attempt_that_ran_out_of_memory_is_not_the_best_of_the_next(base, suite, tmp_path):
    best, out = tmp_path / "best", tmp_path / "out"

    def watched(**more):
        callback = ForgettingCallback([suite], sample=None, every=1, stop_on=None, keep_best=best)
        run(base, out, [callback], save_strategy="steps", save_steps=6, **{**TWICE, "rate": 0.002, **more})
        return callback

    callback = watched()
    assert steps(callback) == list(range(13))
    assert all(gated.forgotten for gated in callback.history[1:]), "else this proves nothing"
    kept = json.loads((best / "forgetting.json").read_text())
    assert 0 < kept["step"] < 6
    assert kept["training"] != callback._beginning.training
    assert callback.best_step is None
    resumed = watched(resume=str(out / "checkpoint-6"), of=Trainer)
    assert resumed._beginning == callback._beginning
    assert resumed.best_step is None


# Died, and begun again


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_training_that_died_and_is_started_again_is_held_against_what_it_first_began_with(
    base, suite, tmp_path, callback, error
):
    begins = Begins(suite)
    made = trainer(base, tmp_path, [callback, Dies(6, error), begins], rate=0.01)
    with pytest.raises(error):
        again(made)
    assert steps(callback) == [0, 4]
    again(made)
    before, after = given_now(base, suite), right_now(made.model, made.processing_class, suite)
    assert sum(begins.rights[1].values()) < sum(before.values()), "else this proves nothing"
    assert rights(callback) == before
    assert steps(callback) == [0, 4, 8, 12]
    assert callback.history[-1].drop == pytest.approx(lost(before, after))


def test_a_new_trainer_for_the_model_of_one_that_died_is_held_against_the_same_and_can_be_resumed(
    base, suite, tmp_path, callback
):
    died = trainer(base, tmp_path / "a", [callback, Dies(6)], rate=0.01)
    with pytest.raises(KeyboardInterrupt):
        again(died)
    more = {"save_strategy": "steps", "save_steps": 2}
    run(base, tmp_path / "b", [callback], model=died.model, steps=2, **more)
    assert rights(callback) == given_now(base, suite)
    resumed = ForgettingCallback([suite], sample=None, every=4, stop_on=None)
    run(base, tmp_path / "b", [resumed], steps=4, resume=str(tmp_path / "b" / "checkpoint-2"))
    assert rights(resumed) == given_now(base, suite)


def test_the_weights_of_the_start_put_back_are_the_same_baseline(base, suite, tmp_path, callback):
    made = trainer(base, tmp_path, [callback, Dies(6)])
    with pytest.raises(KeyboardInterrupt):
        again(made)
    made.model.load_state_dict(full(base).state_dict())
    run(base, tmp_path, [callback], model=made.model, rate=0.0)
    assert rights(callback) == given_now(base, suite)
    assert [gated.drop for gated in callback.history] == [0, 0, 0, 0]


def test_weights_that_no_training_changed_are_a_new_baseline(base, other, suite, tmp_path, callback):
    made = trainer(base, tmp_path, [callback, Dies(0, before=True)])
    with pytest.raises(KeyboardInterrupt):
        again(made)
    made.model.load_state_dict(full(other).state_dict())
    again(made)
    assert rights(callback) == given_now(other, suite) != given_now(base, suite)
    assert callback.history[0].drop == 0


def test_another_model_begins_another_training(base, other, suite, tmp_path, callback):
    with pytest.raises(KeyboardInterrupt):
        run(base, tmp_path, [callback, Dies(6)])
    run(other, tmp_path, [callback], steps=4)
    assert rights(callback) == given_now(other, suite) != given_now(base, suite)
    assert steps(callback) == [0, 4]
    assert callback.history[0].drop == 0


# One after another


def test_a_second_training_is_held_against_what_it_began_with(base, suite, tmp_path, caplog):
    best = tmp_path / "best"
    callback = ForgettingCallback([suite], sample=None, every=4, stop_on=None, keep_best=best)
    begins = Begins(suite)
    made = run(base, tmp_path / "out", [callback, begins], rate=0.0005, steps=4)
    assert (steps(callback), callback.best_step) == ([0, 4], 4)
    first, history = callback._beginning, callback.history
    made.args.learning_rate, made.args.max_steps, made.optimizer = 0.05, 8, None
    with caplog.at_level(logging.INFO, logger="harness"):
        again(made)
    assert not [line for line in caplog.messages if "begins anew" in line]
    assert rights(callback) == begins.rights[1] != begins.rights[0]
    assert steps(callback) == told(made) == [0, 4, 8]
    assert [gated.step for gated in history] == [0, 4], "what was read of the first is left alone"
    assert callback.history[0].drop == 0
    assert callback._beginning.weights != first.weights
    assert all(gated.forgotten for gated in callback.history[1:]), "else this proves nothing"
    assert callback.best_step is None, "the first training's best passes for the second's"
    assert caplog.messages[-1].endswith(", which holds one of an earlier training")


def test_a_second_training_of_an_adapter_begins_with_what_the_first_has_lost(base, suite, tmp_path, callback):
    made = run(base, tmp_path, [callback], lora={}, rate=0.5)
    first = callback.history
    again(made)
    assert rights(callback) == given_now(base, suite)
    assert callback.history[0].drop == first[-1].drop > first[0].drop == 0
    assert steps(callback) == [0, 4, 8, 12]


# Resumed


def saved(base: Path, out: Path, suite: Path, **more) -> ForgettingCallback:
    """A training that is saved at step 6, where it ends."""
    callback = ForgettingCallback([suite], sample=None, every=3, stop_on=None)
    run(base, out, [callback], steps=6, save_strategy="steps", save_steps=6, **more)
    return callback


def resume(base: Path, out: Path, callback: ForgettingCallback, **more) -> Trainer:
    return run(base, out, [callback], resume=str(out / "checkpoint-6"), **more)


def state_of(out: Path) -> Path:
    return out / "checkpoint-6" / "trainer_state.json"


def strip(file: Path, *keys: str) -> None:
    """Make a file what an older version would have written."""
    content = json.loads(file.read_text())
    for part in (content, *content.get("log_history", [])):
        for key in keys:
            part.pop(key, None)
    file.write_text(json.dumps(content))


def test_a_checkpoint_names_its_training_and_the_weights_that_it_began_with(base, suite, tmp_path, callback):
    first = saved(base, tmp_path, suite)
    log = json.loads(state_of(tmp_path).read_text())["log_history"]
    named = [(entry["step"], entry[TRAINING], entry[WEIGHTS]) for entry in log if TRAINING in entry]
    assert named == [(0, first._beginning.training, first._beginning.weights)]
    assert json.loads((tmp_path / BASELINE).read_text())["baseline"] == first._beginning.weights
    resume(base, tmp_path, callback)
    assert callback._beginning == first._beginning
    assert steps(callback) == [8, 12]


def test_a_training_resumed_in_its_own_process_keeps_the_steps_that_it_does_not_make_again(
    base, suite, tmp_path
):
    callback = ForgettingCallback([suite], sample=None, every=4, stop_on=None)
    made = run(base, tmp_path, [callback], save_strategy="steps", save_steps=6)
    assert steps(callback) == [0, 4, 8, 12]
    again(made, resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
    assert steps(callback) == told(made) == [0, 4, 8, 12]
    assert rights(callback) == given_now(base, suite)


def test_the_steps_of_an_attempt_do_not_pass_for_those_of_the_one_before_that_is_resumed(
    base, suite, tmp_path, callback
):
    more = {
        "save_strategy": "steps",
        "save_steps": 6,
        "of": short_of_memory({4: 7}),
        "auto_find_batch_size": True,
    }

    class DiesInTheSecond(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.train_batch_size == 3 and state.global_step == 5:
                raise KeyboardInterrupt

    made = trainer(base, tmp_path, [callback, DiesInTheSecond()], **more)
    with pytest.raises(KeyboardInterrupt):
        again(made)
    assert steps(callback) == [0, 4]
    second = callback._beginning.training
    again(made, resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
    assert callback._beginning.training != second, "the checkpoint is the first attempt's"
    assert rights(callback) == given_now(base, suite)
    assert steps(callback) == [8, 12]


def test_a_resumed_training_that_runs_out_of_memory_is_held_against_its_beginning(
    base, suite, tmp_path, callback
):
    saved(base, tmp_path, suite, auto_find_batch_size=True)
    made = resume(base, tmp_path, callback, of=short_of_memory({4: 9, 3: 6}), auto_find_batch_size=True)
    assert made._train_batch_size == 2
    assert rights(callback) == given_now(base, suite)
    assert steps(callback) == [8, 12]


def test_a_checkpoint_of_another_training_than_the_kept_answers_is_refused(
    base, other, suite, tmp_path, callback
):
    saved(base, tmp_path, suite)
    run(base, tmp_path, [ForgettingCallback([suite], sample=None, stop_on=None)], steps=1)
    resume(base, tmp_path, callback)  # begun with the same weights, so the same baseline
    run(other, tmp_path, [ForgettingCallback([suite], sample=None, stop_on=None)], steps=1)
    with pytest.raises(
        NoEvidenceError,
        match=r"goes on at step 6, and the baseline's answers in .*forgetting_baseline\.json are another training's: the "
        r"weights \w{12} gave them, and this one began with \w{12}\n  resume a checkpoint of the training that wrote them",
    ):
        resume(base, tmp_path, ForgettingCallback([suite], sample=None))
    given = ForgettingCallback([suite], sample=None, stop_on=None, baseline=wrap(*loaded(base)))
    resume(base, tmp_path, given)
    assert given.history[-1].drop > 0.5


def test_a_half_trained_model_does_not_pass_for_the_start_of_another_checkpoint(
    base, other, suite, tmp_path, callback
):
    saved(base, tmp_path / "a", suite)
    made = trainer(other, tmp_path / "b", [callback, Dies(6)])
    with pytest.raises(KeyboardInterrupt):
        again(made)
    with pytest.raises(NoEvidenceError, match="are another training's"):
        again(made, resume_from_checkpoint=str(tmp_path / "a" / "checkpoint-6"))


def test_what_an_older_version_left_proves_nothing(base, suite, tmp_path, callback):
    saved(base, tmp_path, suite)
    whole = state_of(tmp_path).read_text()
    strip(state_of(tmp_path), TRAINING, WEIGHTS)
    with pytest.raises(
        NoEvidenceError,
        match="goes on at step 6, and its checkpoint does not say which weights it began with: it was trained without this "
        "callback, or with an older version of it\n  give the model as it was before training: baseline=Engine",
    ):
        resume(base, tmp_path, callback)
    state_of(tmp_path).write_text(whole)
    strip(tmp_path / BASELINE, "baseline")
    with pytest.raises(
        NoEvidenceError,
        match="do not say which weights gave them: an older version wrote them\n  give the model as it was",
    ):
        resume(base, tmp_path, callback)


@pytest.mark.parametrize("lora", [None, {}], ids=["full", "lora"])
def test_a_baseline_that_is_the_half_trained_model_itself_is_refused(base, suite, tmp_path, lora):
    saved(base, tmp_path, suite, lora=lora)
    model, tokenizer = loaded(base)
    given = ForgettingCallback([suite], stop_on=None, baseline=wrap(model, tokenizer))
    with pytest.raises(
        NoEvidenceError,
        match="goes on at step 6, and the given baseline shares the weights that it trains: it is the half-trained model\n"
        "  load the model as it was before training a second time",
    ):
        resume(base, tmp_path, given, model=model if lora is None else adapted(model, **lora))


def test_an_adapter_that_goes_on_over_another_base_is_refused(base, other, suite, tmp_path, callback):
    saved(base, tmp_path, suite, lora={})
    with pytest.raises(
        NoEvidenceError,
        match=r"goes on at step 6 over another base: its checkpoint began with the weights \w{12}, and with the adapter off "
        r"they are \w{12}\n  load the base that the adapter began with",
    ):
        resume(other, tmp_path, callback, lora={})
    resume(base, tmp_path, callback, lora={})
    assert rights(callback) == given_now(base, suite)


def test_an_adapter_trained_without_the_callback_is_held_against_its_base_with_a_warning(
    base, suite, tmp_path, callback, caplog
):
    run(base, tmp_path, [], steps=6, save_strategy="steps", save_steps=6, lora={})
    made = resume(base, tmp_path, callback, lora={})
    assert "its checkpoint does not say which base it began with" in caplog.text
    assert rights(callback) == given_now(base, suite)
    named = [entry for entry in made.state.log_history if WEIGHTS in entry]
    assert [(entry["step"], entry[WEIGHTS]) for entry in named] == [(8, callback._beginning.weights)]


def test_the_best_of_another_training_is_not_taken_up_where_this_one_goes_on(base, suite, tmp_path):
    best = tmp_path / "best"

    def watched(**more):
        callback = ForgettingCallback([suite], sample=None, every=3, stop_on=None, keep_best=best)
        run(base, tmp_path / "out", [callback], save_strategy="steps", save_steps=6, **more)
        return callback

    mild = watched(rate=1e-5, steps=6)
    assert mild.best_step == 6
    assert watched(rate=1e-5, steps=6, resume=str(tmp_path / "out" / "checkpoint-6")).best_step == 6
    assert watched(rate=0.05, steps=6).best_step is None
    assert json.loads((best / "forgetting.json").read_text())["training"] == mild._beginning.training
    went_on = watched(rate=0.05, steps=9, resume=str(tmp_path / "out" / "checkpoint-6"))
    assert went_on._beginning.weights == mild._beginning.weights
    assert went_on.best_step is None
