"""Trainings of a tiny model to be watched, and a suite of what it says before: it can forget all of that."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

from harness.engine.prompts import request
from harness.engine.transformers.loading import wrap
from harness.engine.transformers.quiet import quiet
from harness.recipes.examples import Example
from harness.scoring import SCORERS, score
from harness.suites.read import read_suite
from harness.training.callback.callback import ForgettingCallback
from harness.training.encode import Collator, encode
from tests.support.models import save_model

HEAD = "suite: known\ntask: {answer: choose}\nscore: choice\ngates: GATES\nprobes:\n"
CHOICES = ("red", "ten", "cat", "sun", "wet")
ALL = "[{over: all, max_drop: 0.10}, {over: category, max_drop: 0.20}]"
WORDS = [f"{a}{b}" for a in "bdfgk" for b in "aeiou"]


def loaded(folder: Path):
    with quiet():
        return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def known_suite(base: Path, folder: Path) -> Path:
    """25 questions to which the answer is right that the tiny base chooses."""
    path = folder / "known.yaml"
    write(path, dict.fromkeys(WORDS, CHOICES[0]))
    model, tokenizer = loaded(base)
    asked = read_suite(path, SCORERS)
    answers = wrap(model, tokenizer).ask([request(asked, probe) for probe in asked.probes])
    scores = {probe.id: score(probe, answer) for probe, answer in zip(asked.probes, answers, strict=True)}
    write(path, {word: one.shown for word, one in scores.items()})
    return path


def write(path: Path, answers: dict[str, str], gates: str = ALL) -> None:
    lines = [
        json.dumps({"id": word, "question": word, "choices": CHOICES, "answer": answer, "category": word[0]})
        for word, answer in answers.items()
    ]
    path.write_text(
        HEAD.replace("GATES", gates) + "".join(f"  - {line}\n" for line in lines), encoding="utf-8"
    )


def adapted(model, **settings):
    with quiet():
        return get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], **settings))


def trainer(
    base, out: Path, callbacks, rate=0.05, steps=12, lora=None, processing=True, of=Trainer, model=None, **more
):  # fmt: skip
    """A training that teaches the tiny model to say the same to everything; evaluated on something else.

    Args:
        base: the folder of the model.
        of: the kind of Trainer.
        model: a model, or a function that makes one, to train instead.
    """
    torch.manual_seed(3)
    fresh, tokenizer = loaded(base)
    if model is None:
        model = fresh if lora is None else adapted(fresh, **lora)
    arguments = {
        "output_dir": str(out), "max_steps": steps, "learning_rate": rate, "per_device_train_batch_size": 4,
        "use_cpu": True, "report_to": [], "disable_tqdm": True, "save_strategy": "no", "logging_steps": 1,
        "dataloader_pin_memory": False, "remove_unused_columns": False, "seed": 1, **more,
    }  # fmt: skip
    return of(
        **{"model" if isinstance(model, torch.nn.Module) else "model_init": model},
        args=TrainingArguments(**arguments),
        train_dataset=encode(tokenizer, [Example(f"x{n}", "zzzz") for n in range(8)]),
        eval_dataset=encode(tokenizer, [Example(f"x{n}", "qqqq") for n in range(4)]),
        data_collator=Collator(1),
        callbacks=callbacks,
        processing_class=tokenizer if processing else None,
    )


def run(*args, resume=None, **more):
    made = trainer(*args, **more)
    with quiet():
        made.train(resume_from_checkpoint=resume)
    return made


def right_now(model, tokenizer, suite: Path) -> dict[str, bool]:
    """Which probes a model gets right, asked on its own."""
    asked = read_suite(suite, SCORERS)
    answers = wrap(model, tokenizer).ask([request(asked, probe) for probe in asked.probes])
    return {probe.id: score(probe, answer).right for probe, answer in zip(asked.probes, answers, strict=True)}


def given_now(folder: Path, suite: Path) -> dict[str, bool]:
    """Which probes the model in a folder gets right, asked on its own."""
    return right_now(*loaded(folder), suite)


def rights(callback: ForgettingCallback) -> dict[str, bool]:
    """Which probes the callback's baseline got right."""
    return {id: one.right for id, one in callback._beginning.baseline["known"].scores.items()}


def taught(folder: Path, lessons: dict[str, str], steps: int = 120) -> Path:
    """A tiny model that answers each of these prompts as it was taught to, which takes a second or two."""
    with quiet():
        model, tokenizer = loaded(save_model(folder))
        batch = Collator(1)(encode(tokenizer, [Example(*lesson) for lesson in lessons.items()]))
        with torch.no_grad():
            for value in model.parameters():
                if value.ndim > 1:
                    value.mul_(0.2)  # random weights of this size would learn each prompt by heart
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for _ in range(steps):
            model(**batch).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        model.save_pretrained(folder)
    return folder


def says(path: Path, lessons: dict[str, str]) -> Path:
    """A suite of prompts and what a model says to them."""
    head = f"suite: {path.stem}\ntask: {{max_new_tokens: 6}}\nscore: equals\ngates: [{{over: all, max_drop: 0.1}}]\nprobes:\n"
    probes = (json.dumps({"id": asked, "question": asked, "answer": said}) for asked, said in lessons.items())
    path.write_text(head + "".join(f"  - {probe}\n" for probe in probes), encoding="utf-8")
    return path
