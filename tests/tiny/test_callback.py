"""Real trainings of a tiny model. What it says before training is what its suites call right, so it can forget it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

import harness
from harness.engine.loading import wrap
from harness.engine.planning import request
from harness.engine.quiet import quiet
from harness.errors import EngineError, HarnessError, InputError, NoEvidenceError
from harness.scoring import SCORERS, score
from harness.suites.read import read_suite
from harness.training.callback import BASELINE, ForgettingCallback
from harness.training.encode import Collator, encode
from harness.training.recipe import Example

HEAD = "suite: known\ntask: {answer: choose}\nscore: choice\ngates: GATES\nprobes:\n"
CHOICES = ("red", "ten", "cat", "sun", "wet")
ALL = "[{over: all, max_drop: 0.10}, {over: category, max_drop: 0.20}]"
WORDS = [f"{a}{b}" for a in "bdfgk" for b in "aeiou"]


def loaded(folder: Path):
    with quiet():
        return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def suite(base, tmp_path_factory) -> Path:
    """25 questions to which the answer is right that the tiny base chooses."""
    path = tmp_path_factory.mktemp("suites") / "known.yaml"
    write(path, dict.fromkeys(WORDS, CHOICES[0]))
    model, tokenizer = loaded(base)
    asked = read_suite(path, SCORERS)
    answers = wrap(model, tokenizer).ask([request(asked, probe) for probe in asked.probes])
    scores = {probe.id: score(probe, answer) for probe, answer in zip(asked.probes, answers, strict=True)}
    write(path, {word: one.shown for word, one in scores.items()})
    return path


def write(path: Path, answers: dict[str, str]) -> None:
    lines = [
        json.dumps({"id": word, "question": word, "choices": CHOICES, "answer": answer, "category": word[0]})
        for word, answer in answers.items()
    ]
    path.write_text(HEAD.replace("GATES", ALL) + "".join(f"  - {line}\n" for line in lines), encoding="utf-8")


def trainer(
    base: Path, out: Path, callbacks, rate: float = 0.05, steps: int = 12, lora: bool = False, **more
):
    """A training that teaches the tiny model to say the same to everything."""
    torch.manual_seed(3)
    model, tokenizer = loaded(base)
    if lora:
        with quiet():
            model = get_peft_model(
                model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], lora_dropout=0.1)
            )
    rows = encode(tokenizer, [Example(f"x{n}", "zzzz") for n in range(8)])
    arguments = {
        "output_dir": str(out), "max_steps": steps, "learning_rate": rate, "per_device_train_batch_size": 4,
        "use_cpu": True, "report_to": [], "disable_tqdm": True, "save_strategy": "no", "logging_steps": 1,
        "dataloader_pin_memory": False, "remove_unused_columns": False, "seed": 1, **more,
    }  # fmt: skip
    processing = {} if more.pop("without_tokenizer", False) else {"processing_class": tokenizer}
    arguments.pop("without_tokenizer", None)
    return Trainer(
        model=model, args=TrainingArguments(**arguments), train_dataset=rows, data_collator=Collator(1),
        callbacks=callbacks, **processing,
    )  # fmt: skip


def run(*args, resume=None, **more):
    made = trainer(*args, **more)
    with quiet():
        made.train(resume_from_checkpoint=resume)
    return made


def weights(made: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in made.model.named_parameters()}


def test_it_is_found_where_users_look():
    assert harness.ForgettingCallback is ForgettingCallback
    assert "ForgettingCallback" in harness.__all__


def test_at_step_0_nothing_is_lost_and_later_it_is_and_training_stops(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=4)
    made = run(base, tmp_path, [callback], steps=40)
    first, *_, last = callback.history
    assert (first.step, first.drop, first.verdict) == (0, 0.0, "PASSED")
    assert last.verdict == "FORGOTTEN"
    assert "known · all" in last.forgotten
    assert made.state.global_step == last.step < 40
    assert all(step.verdict == "PASSED" or step is last or not step.forgotten for step in callback.history)
    assert [step.step for step in callback.history] == list(range(0, last.step + 1, 4))


def test_without_stop_on_it_watches_to_the_end(base, suite, tmp_path):
    callback = ForgettingCallback(suite, every=5, stop_on=None)
    made = run(base, tmp_path, [callback], steps=12)
    assert made.state.global_step == 12
    assert [step.step for step in callback.history] == [0, 5, 10, 12], "the last step is gated too"


def test_the_trainers_logs_have_it(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=6, stop_on=None)
    made = run(base, tmp_path, [callback])
    logged = [entry for entry in made.state.log_history if "forgetting/drop" in entry]
    assert [entry["step"] for entry in logged] == [0, 6, 12]
    assert logged[0]["forgetting/known/drop"] == 0
    assert logged[-1]["forgetting/forgotten"] == 1
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
    assert [entry["forgetting/forgotten"] for entry in heard if "forgetting/drop" in entry] == [0, 1, 1]


@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
def test_a_training_that_is_watched_ends_with_the_same_weights(base, suite, tmp_path, lora):
    alone = weights(run(base, tmp_path / "a", [], lora=lora))
    callback = ForgettingCallback([suite], every=3, stop_on=None)
    watched = weights(run(base, tmp_path / "b", [callback], lora=lora))
    assert len(callback.history) == 5
    assert alone.keys() == watched.keys()
    assert all(torch.equal(alone[name], watched[name]) for name in alone)


def test_gradient_checkpointing_does_not_mind(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=6, stop_on=None)
    run(base, tmp_path, [callback], activation_checkpointing=True)
    assert callback.history[0].drop == 0


def test_the_best_checkpoint_is_the_last_that_had_not_forgotten(base, suite, tmp_path):
    best = tmp_path / "best"
    callback = ForgettingCallback([suite], every=1, keep_best=best)
    run(base, tmp_path / "out", [callback], rate=0.001, steps=80)
    assert callback.history[-1].forgotten
    kept = callback.history[-2]
    assert kept.step > 0
    model, tokenizer = loaded(best)
    again = ForgettingCallback([suite], baseline=wrap(*loaded(base)), stop_on=None)
    run_on = Trainer(
        model=model, processing_class=tokenizer, args=TrainingArguments(
            output_dir=str(tmp_path / "none"), max_steps=1, learning_rate=0.0, use_cpu=True, report_to=[],
            disable_tqdm=True, save_strategy="no", dataloader_pin_memory=False, remove_unused_columns=False,
        ), train_dataset=encode(tokenizer, [Example("x", "y")]), data_collator=Collator(1), callbacks=[again],
    )  # fmt: skip
    with quiet():
        run_on.train()
    assert again.history[0].drop == kept.drop
    assert not again.history[0].forgotten
    assert not list(tmp_path.glob(".best-*"))


def test_the_baseline_of_an_adapter_is_the_base_with_it_off(base, suite, tmp_path):
    callback = ForgettingCallback([suite], every=30, stop_on=None)
    made = run(base, tmp_path, [callback], lora=True, steps=30, rate=0.5)
    assert callback.history[0].drop == 0
    assert callback.history[-1].drop > 0
    assert not (tmp_path / BASELINE).exists()
    again = ForgettingCallback([suite], every=100, stop_on=None)
    again._before = again._ask_baseline(made.model, made.processing_class, 30, tmp_path / "none")
    assert {id: one.right for id, one in again._before["known"].scores.items()} == {
        id: one.right for id, one in callback._before["known"].scores.items()
    }


def test_a_resumed_training_is_held_against_its_beginning(base, suite, tmp_path):
    first = ForgettingCallback([suite], every=100, stop_on=None)
    run(base, tmp_path, [first], steps=6, save_strategy="steps", save_steps=6)
    second = ForgettingCallback([suite], every=100, stop_on=None)
    run(base, tmp_path, [second], steps=12, resume=str(tmp_path / "checkpoint-6"))
    assert second.history[-1].step == 12
    assert second.history[-1].drop > 0.5, "not held against the half-trained model"
    (tmp_path / BASELINE).unlink()
    with pytest.raises(NoEvidenceError, match="goes on at step 6, and the baseline's answers are not in"):
        run(base, tmp_path, [ForgettingCallback([suite])], steps=12, resume=str(tmp_path / "checkpoint-6"))


def test_a_resumed_training_does_not_take_the_answers_to_other_probes(base, suite, tmp_path):
    run(
        base,
        tmp_path,
        [ForgettingCallback([suite], stop_on=None)],
        steps=6,
        save_strategy="steps",
        save_steps=6,
    )
    other = ForgettingCallback([suite], sample=5)
    with pytest.raises(NoEvidenceError, match="are to other probes"):
        run(base, tmp_path, [other], steps=12, resume=str(tmp_path / "checkpoint-6"))


def test_a_sample_is_smaller_and_keeps_each_category(suite):
    whole, part = ForgettingCallback([suite], sample=None), ForgettingCallback([suite], sample=6)
    assert len(part._compared()["known"]) == 6
    assert len(whole._compared()["known"]) > 6
    assert {case.slice for case in part.cases} == {case.slice for case in whole.cases}


def test_a_model_that_became_nan_is_an_error_and_no_pass(base, suite, tmp_path):
    class Spoil(TrainerCallback):
        def on_step_begin(self, args, state, control, model=None, **kwargs):
            if state.global_step == 2:
                with torch.no_grad():
                    model.lm_head.weight.fill_(float("nan"))

    with pytest.raises(EngineError, match="its logits are NaN"):
        run(base, tmp_path, [Spoil(), ForgettingCallback([suite], every=3, stop_on=None)])


def test_what_cannot_be_used_is_said_before_training(base, suite, tmp_path):
    with pytest.raises(NoEvidenceError, match="has no suites"):
        ForgettingCallback([])
    with pytest.raises(InputError, match=r"no\.yaml"):
        ForgettingCallback([tmp_path / "no.yaml"])
    with pytest.raises(HarnessError, match="every must be at least 1 step, saw 0"):
        ForgettingCallback([suite], every=0)
    with pytest.raises(HarnessError, match="stop_on must be"):
        ForgettingCallback([suite], stop_on="maybe")
    code = tmp_path / "code.yaml"
    code.write_text(
        "suite: code\nscore: {python: {tests: [assert f() == 1]}}\ngates: [{over: all, max_drop: 0.1}]\n"
        "probes: [{id: a, question: Write f.}]\n"
    )
    with pytest.raises(InputError, match="runs code that a model wrote\n  allow_code=True lets it"):
        ForgettingCallback([code])
    with pytest.raises(HarnessError, match="needs the model's tokenizer"):
        run(base, tmp_path, [ForgettingCallback([suite])], without_tokenizer=True)
