"""Real trainings of a tiny model. What it says before training is what its suites call right, so it can forget it."""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from peft import PromptTuningConfig, get_peft_model
from transformers import Trainer, TrainerCallback, TrainingArguments

import harness
from harness.engine.functions import FunctionEngine
from harness.engine.prompts import request
from harness.engine.transformers.engine import TorchEngine
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.quiet import quiet
from harness.errors import EngineError, HarnessError, InputError, NoEvidenceError
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.training.callback.beginning import find_beginning
from harness.training.callback.callback import ForgettingCallback
from harness.training.callback.checkpoints import BASELINE
from harness.training.callback.isolation import can_disable_adapter, check_supported, preserve_training_state
from harness.wording import points
from tests.support.trainings import (
    CHOICES,
    WORDS,
    adapted,
    given_now,
    loaded,
    rights,
    run,
    trainer,
    write,
)


@pytest.fixture(scope="module")
def written(base, tmp_path_factory) -> Path:
    """Questions to which the answer is right that the tiny base writes, where it writes any."""
    path = tmp_path_factory.mktemp("suites") / "written.yaml"
    known = dict.fromkeys(WORDS, "?")
    for _ in range(2):
        lines = [
            json.dumps({"id": word, "question": word, "answer": answer}) for word, answer in known.items()
        ]
        path.write_text(
            "suite: written\ntask: {max_new_tokens: 6}\nscore: contains\n"
            "gates: [{over: all, max_drop: 0.3}]\nprobes:\n" + "".join(f"  - {line}\n" for line in lines),
            encoding="utf-8",
        )
        asked = read_suite(path, SCORERS)
        answers = wrap(*loaded(base)).ask([request(asked, probe) for probe in asked.probes])
        known = {
            probe.id: one.text for probe, one in zip(asked.probes, answers, strict=True) if one.text.strip()
        }
    assert len(known) > 10
    return path


def weights(made: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in made.model.named_parameters()}


def test_it_is_found_where_users_look():
    assert harness.ForgettingCallback is ForgettingCallback
    assert "ForgettingCallback" in harness.__all__


# Stopping


def test_it_stops_at_the_first_gated_step_that_has_forgotten(base, suite, tmp_path):
    watching = ForgettingCallback([suite], every=2, stop_on=None)
    run(base, tmp_path, [watching], rate=0.002, steps=30)
    forgotten = [step.step for step in watching.history if step.forgotten]
    assert watching.history[0].step == 0 < forgotten[0] < 30, "else this proves nothing"
    stopping = ForgettingCallback([suite], every=2)
    made = run(base, tmp_path, [stopping], rate=0.002, steps=30)
    assert made.state.global_step == forgotten[0]
    assert stopping.history == [step for step in watching.history if step.step <= forgotten[0]]
    last = stopping.history[-1]
    assert (last.verdict, last.forgotten) == ("FORGOTTEN", ("known · all",))
    assert last.verdicts["known · all"] in ("INCONCLUSIVE", "FORGOTTEN"), (
        "its drop is over the margin and no accident"
    )


def test_it_may_stop_at_the_first_that_failed_for_whatever_reason(base, suite, tmp_path):
    """A drop over the margin of a gate that needs no more than that, though it may be an accident."""
    observed = tmp_path / "observed.yaml"
    observed.write_text(
        suite.read_text().replace("max_drop: 0.10", "max_drop: 0.10, on_inconclusive: observed")
    )
    suite = observed
    watching = ForgettingCallback([suite], every=1, stop_on=None)
    run(base, tmp_path, [watching], rate=0.001, steps=30)
    failed = next(step.step for step in watching.history if step.failed)
    assert failed < next(step.step for step in watching.history if step.forgotten), "else this proves nothing"
    stopping = ForgettingCallback([suite], every=1, stop_on="failed", keep_best=tmp_path / "best")
    made = run(base, tmp_path, [stopping], rate=0.001, steps=30)
    assert made.state.global_step == failed
    assert stopping.history[-1].verdict == "FAILED"
    assert stopping.best_step == failed - 1


@pytest.fixture
def mild(suite, tmp_path) -> Path:
    """The suite, of medium severity."""
    path = tmp_path / "mild.yaml"
    path.write_text("severity: medium\n" + suite.read_text())
    return path


def test_cases_of_lesser_severity_do_not_count(base, mild, tmp_path):
    callback = ForgettingCallback([mild], every=4, fail_on="high")
    made = run(base, tmp_path, [callback], steps=4)
    assert made.state.global_step == 4
    assert (callback.history[-1].verdict, callback.history[-1].verdicts["known · all"]) == (
        "PASSED",
        "FORGOTTEN",
    )


def test_without_stop_on_it_watches_to_the_end(base, suite, tmp_path):
    callback = ForgettingCallback(suite, every=5, stop_on=None)
    made = run(base, tmp_path, [callback], steps=12)
    assert made.state.global_step == 12
    assert [step.step for step in callback.history] == [0, 5, 10, 12], "the last step is gated too"


def test_the_drop_is_what_the_models_say_when_they_are_asked_alone(base, suite, tmp_path):
    callback = ForgettingCallback([suite], sample=None, every=4, stop_on=None)
    made = run(base, tmp_path / "out", [callback], rate=0.002, steps=4)
    made.save_model(str(tmp_path / "tuned"))
    lost = sum(given_now(base, suite).values()) - sum(given_now(tmp_path / "tuned", suite).values())
    assert lost > 0
    assert callback.history[0].drop == 0
    assert callback.history[-1].drop == callback.history[-1].drops["known"] == lost / len(WORDS)


# Telling


def test_the_trainers_logs_have_it(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=6, stop_on=None)
    made = run(base, tmp_path, [callback])
    logged = [entry for entry in made.state.log_history if "forgetting/drop" in entry]
    assert [entry["step"] for entry in logged] == [0, 6, 12]
    assert logged[0]["forgetting/known/drop"] == 0
    assert logged[-1]["forgetting/forgotten"] == 1
    assert logged[-1]["forgetting/failed"] == len(callback.history[-1].failed)
    assert logged[-1]["forgetting/verdict"] == "FORGOTTEN"
    assert logged[-1]["forgetting/drop"] == callback.history[-1].drop > 0.5


def test_other_loggers_hear_it_through_the_trainers_own_log(base, suite, tmp_path):
    heard = []

    class Logger(TrainerCallback):
        def on_log(self, args, state, control, logs=None, **kwargs):
            heard.append(dict(logs))

    callback = ForgettingCallback([suite], every=6, stop_on=None)
    made = trainer(base, tmp_path, [callback, Logger()])
    callback.log = made.log
    with quiet():
        made.train()
    told = [entry for entry in heard if "forgetting/drop" in entry]
    assert [entry["forgetting/forgotten"] for entry in told] == [0, 1, 1]
    assert all(isinstance(value, int | float) for entry in told for value in entry.values())
    kept = [entry for entry in made.state.log_history if "forgetting/drop" in entry]
    assert [(entry["step"], entry["forgetting/verdict"]) for entry in kept] == [
        (0, "PASSED"), (6, "FORGOTTEN"), (12, "FORGOTTEN")
    ]  # fmt: skip
    losses = [entry["step"] for entry in made.state.log_history if "loss" in entry]
    assert losses == list(range(1, 13)), "the Trainer's own entries at gated steps went missing"


def test_the_end_is_one_line_in_pythons_log(base, suite, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="harness"):
        callback = ForgettingCallback([suite], every=6, keep_best=tmp_path / "best")
        run(base, tmp_path / "out", [callback])
    last = caplog.records[-1]
    drop = points(callback.history[-1].drop)
    assert last.getMessage().startswith(
        f"gated at 2 steps, the last of them 6: FORGOTTEN, a drop of {drop} points; no checkpoint was kept in "
    )
    assert last.levelno == logging.WARNING
    assert callback.best_step is None


# Leaving the training alone

CHECKPOINTING = next(  # which had another name once
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in TrainingArguments.__dataclass_fields__
)


@pytest.mark.parametrize("lora", [None, {"lora_dropout": 0.1}], ids=["full", "lora"])
@pytest.mark.parametrize("checkpointing", [False, True], ids=["", "checkpointing"])
def test_a_training_that_is_watched_ends_with_the_same_weights(
    base, suite, written, tmp_path, lora, checkpointing
):
    settings = {"lora": lora, CHECKPOINTING: checkpointing, "rate": 0.0002}
    alone = run(base, tmp_path / "a", [], **settings)
    callback = ForgettingCallback(
        [suite, written], every=3, stop_on=None, keep_best=tmp_path / "best", fail_on="critical"
    )  # fmt: skip
    watched = run(base, tmp_path / "b", [callback], **settings)
    assert [step.step for step in callback.history] == [0, 3, 6, 9, 12]
    assert callback.history[0].drops == {"known": 0, "written": 0}
    assert callback.best_step is not None
    assert weights(alone).keys() == weights(watched).keys()
    assert all(torch.equal(weights(alone)[name], value) for name, value in weights(watched).items())
    assert watched.model.config.use_cache == alone.model.config.use_cache


def draw() -> str:
    return f"{random.random()} {np.random.rand()} {torch.rand(1)}"


def test_an_engine_that_draws_random_numbers_does_not_matter_either(base, written, tmp_path, monkeypatch):
    alone = run(base, tmp_path / "a", [], lora={"lora_dropout": 0.1})
    right = {probe.fields["question"]: probe.answers[0] for probe in read_suite(written, SCORERS).probes}
    given = FunctionEngine(lambda prompt: draw() + right[prompt])
    first = ForgettingCallback([written], every=3, stop_on=None, baseline=given)
    ask = TorchEngine.ask
    monkeypatch.setattr(TorchEngine, "ask", lambda engine, *args: (draw(), ask(engine, *args))[1])
    second = ForgettingCallback([written], every=3, stop_on=None)
    for callback in (first, second):
        watched = run(base, tmp_path / "b", [callback], lora={"lora_dropout": 0.1})
        assert len(callback.history) == 5
        assert all(torch.equal(weights(alone)[name], value) for name, value in weights(watched).items())


def test_what_was_frozen_or_at_rest_stays_so(base):
    model = adapted(loaded(base)[0])
    model.train()
    model.base_model.model.lm_head.eval()
    next(value for name, value in model.named_parameters() if "lora_A" in name).requires_grad_(False)

    def state():
        _, keys, place, *_ = np.random.get_state()
        modes = [module.training for module in model.modules()]
        learns = [value.requires_grad for value in model.parameters()]
        return modes, learns, torch.get_rng_state().tolist(), keys.tolist(), place, random.getstate()

    before = state()
    with preserve_training_state(model), model.disable_adapter():
        assert not any(module.training for module in model.modules())
        draw()
    assert state() == before


# The best checkpoint


def test_the_best_checkpoint_is_the_last_that_had_not_forgotten(base, suite, tmp_path):
    best = tmp_path / "best"
    callback = ForgettingCallback([suite], every=1, keep_best=best, sample=None)
    run(base, tmp_path / "out", [callback], rate=0.001, steps=80)
    assert callback.history[-1].forgotten
    kept = callback.history[-2]
    assert kept.step == callback.best_step > 0
    lost = sum(given_now(base, suite).values()) - sum(given_now(best, suite).values())
    assert lost / len(WORDS) == kept.drop
    assert not list(tmp_path.glob(".best-*"))


def test_what_has_forgotten_is_not_kept_where_the_training_goes_on(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=1, stop_on=None, keep_best=tmp_path / "best")
    run(base, tmp_path / "out", [callback], rate=0.001, steps=30)
    assert callback.history[-1].forgotten
    assert callback.best_step == max(step.step for step in callback.history if not step.forgotten) > 0


@pytest.mark.parametrize("evaluate_every", [1, 2])
def test_where_the_trainer_evaluates_the_best_has_the_lowest_loss(base, mild, tmp_path, evaluate_every):
    callback = ForgettingCallback([mild], every=1, fail_on="critical", keep_best=tmp_path / "best")
    made = run(
        base, tmp_path / "out", [callback], rate=0.01, steps=7, eval_strategy="steps", eval_steps=evaluate_every
    )  # fmt: skip
    logged = [entry for entry in made.state.log_history if "eval_loss" in entry]
    losses = {entry["step"]: entry["eval_loss"] for entry in logged}
    assert len(losses) == {1: 7, 2: 4}[evaluate_every]
    assert callback.best_step == min(losses, key=losses.__getitem__) < 7, "else the latest would do"
    note = json.loads((tmp_path / "best" / "forgetting.json").read_text())
    drop = next(step.drop for step in callback.history if step.step == callback.best_step)
    assert note == {
        "training": callback._beginning.training,
        "step": callback.best_step,
        "drop": drop,
        "eval_loss": losses[callback.best_step],
    }


@pytest.mark.parametrize("every", [100, 1])
def test_the_model_that_the_trainer_loads_again_at_the_end_is_gated_as_that_of_its_step(
    base, suite, tmp_path, every
):
    callback = ForgettingCallback([suite], every=every, stop_on=None)
    made = run(
        base, tmp_path, [callback], rate=0.0005, steps=5, eval_strategy="steps", eval_steps=1,
        save_strategy="steps", save_steps=1, load_best_model_at_end=True,
    )  # fmt: skip
    assert made.state.best_global_step < 5
    steps = [*range(0, 6, min(every, 5)), made.state.best_global_step]
    assert [step.step for step in callback.history] == steps


def test_the_best_of_an_adapter_is_an_adapter(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=1, keep_best=tmp_path / "best", stop_on=None)
    run(base, tmp_path / "out", [callback], rate=1e-5, steps=1, lora={})
    assert (tmp_path / "best" / "adapter_model.safetensors").is_file()
    assert not list((tmp_path / "best").glob("*.bin"))


# The baseline


def test_the_baseline_of_an_adapter_is_the_base_with_it_off(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=30, stop_on=None)
    made = run(base, tmp_path, [callback], lora={}, steps=30, rate=0.5)
    assert callback.history[0].drop == 0
    assert callback.history[-1].drop > 0
    assert not (tmp_path / BASELINE).exists()
    beginning = find_beginning(
        made.model, made.processing_class, callback.cases, given=None, state=made.state, file=tmp_path / "none",
        allow_code=False,
    )  # fmt: skip
    assert beginning == callback._beginning, "it can be had at any time"


def test_an_adapter_that_began_by_changing_its_base_is_held_against_step_0(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=100, stop_on=None)
    run(base, tmp_path, [callback], lora={"init_lora_weights": "pissa"}, steps=1, rate=1e-6)
    assert rights(callback) == given_now(base, suite), "the base with the adapter off is not the baseline"
    assert callback.history[0].drop == 0
    assert (tmp_path / BASELINE).is_file()


def test_switching_off_gives_the_base_only_where_nothing_of_it_learns(base):
    model = adapted(loaded(base)[0], modules_to_save=["lm_head"])
    assert can_disable_adapter(model)
    assert not can_disable_adapter(loaded(base)[0])
    model.base_model.model.model.norm.weight.requires_grad_(True)
    assert not can_disable_adapter(model)


def test_a_baseline_can_be_given(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=100, stop_on=None, baseline=wrap(*loaded(base)))
    other = run(base, tmp_path / "a", [], steps=12)
    other.save_model(str(tmp_path / "tuned"))
    run(tmp_path / "tuned", tmp_path / "b", [callback], steps=1, rate=0.0)
    assert callback.history[0].drop > 0.5, "not held against the tuned model that this training began with"


# Resuming


@pytest.fixture
def stopped(base, suite, tmp_path) -> Path:
    """A training that was stopped after 6 steps; its suite is its own."""
    own = tmp_path / "own.yaml"
    own.write_text(suite.read_text())
    first = ForgettingCallback([own], every=100, stop_on=None)
    run(base, tmp_path, [first], steps=6, save_strategy="steps", save_steps=6)
    return own


def resume(base, out, callback):
    return run(base, out, [callback], steps=12, resume=str(out / "checkpoint-6"))


def test_a_resumed_training_is_held_against_its_beginning(base, suite, stopped, tmp_path):
    callback = ForgettingCallback([stopped], every=100, stop_on=None)
    resume(base, tmp_path, callback)
    assert [step.step for step in callback.history] == [12]
    assert callback.history[-1].drop > 0.5, "not held against the half-trained model"
    assert rights(callback) == given_now(base, suite)


def test_a_resumed_training_whose_beginning_is_gone_asks_for_a_baseline(base, stopped, tmp_path):
    (tmp_path / BASELINE).write_text("{")
    with pytest.raises(NoEvidenceError, match="cannot be read\n  give the model as it was before training"):
        resume(base, tmp_path, ForgettingCallback([stopped]))
    (tmp_path / BASELINE).unlink()
    with pytest.raises(NoEvidenceError, match="goes on at step 6, and the baseline's answers are not in"):
        resume(base, tmp_path, ForgettingCallback([stopped]))
    given = ForgettingCallback([stopped], stop_on=None, baseline=wrap(*loaded(base)))
    resume(base, tmp_path, given)
    assert given.history[-1].drop > 0.5


def test_a_resumed_training_does_not_take_the_answers_to_other_probes(base, stopped, tmp_path):
    with pytest.raises(
        NoEvidenceError, match="are to other probes\n  give the same suites, sample and seed; or"
    ):
        resume(base, tmp_path, ForgettingCallback([stopped], sample=5))


def test_a_resumed_training_judges_kept_answers_by_the_suite_as_it_is_now(base, suite, stopped, tmp_path):
    right = {probe.id: probe.answers[0] for probe in read_suite(suite, SCORERS).probes}
    first = next(iter(right))
    write(stopped, {**right, first: next(choice for choice in CHOICES if choice != right[first])})
    callback = ForgettingCallback([stopped], every=100, stop_on=None)
    resume(base, tmp_path, callback)
    assert [id for id, is_right in rights(callback).items() if not is_right] == [first]


@pytest.mark.parametrize("lora", [None, {}], ids=["full", "lora"])
def test_what_single_probes_lose_is_asked_again_before_and_after_a_resume(base, suite, tmp_path, lora):
    single = tmp_path / "single.yaml"
    single.write_text(suite.read_text().replace("gates:", "gates: [{over: each}]\n#"), encoding="utf-8")
    first, resumed = (ForgettingCallback([single], every=6, stop_on=None) for _ in range(2))
    more = {"lora": lora, "rate": 0.05 if lora is None else 0.5}
    run(base, tmp_path, [first], steps=6, save_strategy="steps", save_steps=6, **more)
    run(base, tmp_path, [resumed], steps=12, resume=str(tmp_path / "checkpoint-6"), **more)
    assert resumed._beginning == first._beginning
    for callback in (first, resumed):
        lost = [decision for decision in callback.decisions if decision.pairs[0].change == "lost"]
        assert len(lost) > 2
        assert all(attempt.baseline.right for decision in lost for attempt in decision.again)
        assert {len(decision.again) for decision in lost} == {1}
        assert callback.history[-1].verdict == "FORGOTTEN"
    assert len(first.history[-1].verdicts) == len(WORDS)


@pytest.mark.parametrize("given", [False, True], ids=["own", "given"])
def test_what_failed_from_the_start_stops_no_training_and_no_resumed_one(base, suite, tmp_path, given):
    right = {probe.id: probe.answers[0] for probe in read_suite(suite, SCORERS).probes}
    first = next(iter(right))
    missed = next(choice for choice in CHOICES if choice != right[first])
    write(
        own := tmp_path / "own.yaml",
        {**right, first: missed},
        "[{over: all, max_drop: 0.1}, {over: each, require: pass}]",
    )
    for resumed in (None, str(tmp_path / "checkpoint-2")):
        callback = ForgettingCallback([own], every=2, baseline=wrap(*loaded(base)) if given else None)
        made = run(
            base, tmp_path, [callback], rate=0.0, steps=6, resume=resumed, save_strategy="steps", save_steps=2
        )
        assert made.state.global_step == 6
        assert {step.failed for step in callback.history} == {(f"known · {first}",)}


# Refusing


def test_a_model_that_became_nan_is_an_error_and_no_pass(base, suite, tmp_path):
    class Spoil(TrainerCallback):
        def on_step_begin(self, args, state, control, model=None, **kwargs):
            if state.global_step == 2:
                with torch.no_grad():
                    model.lm_head.weight.fill_(float("nan"))

    with pytest.raises(EngineError, match="its logits are NaN"):
        run(base, tmp_path, [Spoil(), ForgettingCallback([suite], every=3, stop_on=None)])


def test_a_model_in_parts_is_refused(base, suite, tmp_path, monkeypatch):
    made = trainer(base, tmp_path, [])
    check_supported(made.args, made.model)
    refused = pytest.raises(
        EngineError, match="cannot ask a model that FSDP, DeepSpeed or tensor parallelism"
    )
    for option in ("fsdp", "deepspeed"):
        with refused:
            check_supported(SimpleNamespace(**{option: True}), made.model)
    monkeypatch.setitem(
        AcceleratorState._shared_state, "fsdp_plugin", object()
    )  # as `accelerate launch` does
    made.add_callback(ForgettingCallback([suite]))
    with refused:
        check_supported(made.args, made.model)


def test_an_adapter_that_learns_a_prompt_is_refused(base, suite, tmp_path):
    trainer(base, tmp_path, [])  # accelerate's state is made by the first
    with quiet():
        model = get_peft_model(
            loaded(base)[0], PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
        )
    with pytest.raises(EngineError, match="whose adapter learns a prompt; use LoRA or its like"):
        check_supported(SimpleNamespace(), model)


def test_a_training_that_could_show_nothing_does_not_begin(base, suite, tmp_path, caplog):
    own = tmp_path / "own.yaml"
    right = {probe.id: probe.answers[0] for probe in read_suite(suite, SCORERS).probes}
    wrong = {word: next(choice for choice in CHOICES if choice != answer) for word, answer in right.items()}
    write(own, wrong)
    with pytest.raises(
        NoEvidenceError,
        match="no case could be forgotten: .* the baseline is right on too few .*: known · all, ",
    ):
        run(base, tmp_path, [ForgettingCallback([own], stop_on=None)])
    large_enough = (
        "[{over: all, max_drop: 0.10}, {over: category, max_drop: 0.5, max_loss: 1}]"  # for 5 probes
    )
    write(own, {word: (wrong if word[0] == "b" else right)[word] for word in WORDS}, large_enough)
    run(base, tmp_path, [ForgettingCallback([own], stop_on=None)], steps=1, rate=0.0)
    assert "5 of 6 cases can never be forgotten: too few of their probes were asked, or " in caplog.text
    run(base, tmp_path, [callback := ForgettingCallback([own], every=1)], steps=2, rate=0.0)
    assert "before the first step, 1 case fails, which stops no training: known · b" in caplog.text
    assert [step.step for step in callback.history] == [0, 1, 2]


def test_what_cannot_be_used_is_said_before_training(base, suite, tmp_path):
    with pytest.raises(InputError, match=r"no\.yaml"):
        ForgettingCallback([tmp_path / "no.yaml"])
    with pytest.raises(HarnessError, match="every must be at least 1 step, saw 0"):
        ForgettingCallback([suite], every=0)
    with pytest.raises(HarnessError, match="sample must be at least 1 probe, or None for all, saw 0"):
        ForgettingCallback([suite], sample=0)
    with pytest.raises(HarnessError, match="stop_on must be 'forgotten', 'failed' or None, saw 'maybe'"):
        ForgettingCallback([suite], stop_on="maybe")
    with pytest.raises(HarnessError, match="fail_on must be one of critical, high, medium, low, saw 'loud'"):
        ForgettingCallback([suite], fail_on="loud")
    with pytest.raises(HarnessError, match="quiet must be True or False, saw text 'no'"):
        ForgettingCallback([suite], quiet="no")
    with pytest.raises(HarnessError, match=r"every must be at least 1 step, saw 2\.5"):
        ForgettingCallback([suite], every=2.5)
    with pytest.raises(HarnessError, match="baseline must be an Engine, or None, saw text './base'"):
        ForgettingCallback([suite], baseline="./base")
    with pytest.raises(HarnessError, match="needs the model's tokenizer"):
        run(base, tmp_path, [ForgettingCallback([suite])], processing=False)


def test_a_tokenizer_can_be_given(base, suite, tmp_path):
    callback = ForgettingCallback([suite], tokenizer=loaded(base)[1], stop_on=None)
    run(base, tmp_path, [callback], steps=1, processing=False)
    assert [step.step for step in callback.history] == [0, 1]


class Averaging(torch.optim.SGD):
    """As schedule-free optimizers: the model holds other weights while it learns than those to be evaluated and saved."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.modes: list[str] = ["train"]

    def _switch(self, mode: str, by: float) -> None:
        if self.modes[-1] != mode:
            self.modes.append(mode)
            with torch.no_grad():
                for group in self.param_groups:
                    for value in group["params"]:
                        value.add_(by)

    def eval(self) -> None:
        self._switch("eval", 0.5)

    def train(self) -> None:
        self._switch("train", -0.5)


def test_the_weights_for_evaluation_are_gated_and_kept(base, suite, tmp_path):
    seen: list[float] = []

    class Seen(ForgettingCallback):
        def _gate(self, number, model, tokenizer):
            seen.append(next(model.parameters()).flatten()[0].item())
            return super()._gate(number, model, tokenizer)

    callback = Seen([suite], every=2, stop_on=None)
    made = trainer(base, tmp_path, [callback], steps=4)
    optimizer = Averaging(made.model.parameters(), lr=0.0)
    made.optimizer = optimizer
    with quiet():
        made.train()
    assert seen == pytest.approx([seen[0], seen[0] + 0.5, seen[0] + 0.5], abs=1e-5)
    assert optimizer.modes == ["train", "eval", "train", "eval"], "what is saved now is what was gated"
