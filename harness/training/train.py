"""A Recipe in, a trained model in the cache folder out; trained once for the same recipe, data and base."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock
from peft import LoraConfig, get_peft_model
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed

from harness.engine.loading import Loader
from harness.engine.quiet import quiet
from harness.engine.requests import Chat, Generate, Generated, Message
from harness.engine.settings import Settings
from harness.errors import ModelError, NoEvidenceError, Problem, RecipeError
from harness.models.cache import cache_folder
from harness.models.identity import tokenizer_identity, weights_identity
from harness.models.reference import SourcePair, Weights, find_pair, find_weights
from harness.training.encode import Collator, encode
from harness.training.recipe import Example, Recipe, base_reference
from harness.training.replay import create_replay_dataset

VERSION = "1"
"""Of this module's way of training; part of the name under which results are kept."""

Say = Callable[[str], None]


class Counter(Protocol):
    """Gives a callback (done, total) for work that has a name and a unit."""

    def __call__(self, label: str, unit: str = ..., /) -> Callable[[int, int], None]: ...


DONE = "recipe.json"


def trained_sources(
    recipe: Recipe, baseline: str | None, settings: Settings, say: Say, counter: Counter
) -> SourcePair:
    """Train the recipe unless that was done before, and find the pair that the gate compares.

    Raises:
        RecipeError, ModelError: the recipe cannot be trained.
    """
    reference = base_reference(recipe)
    base = find_weights(reference, settings.allow_pickle)
    folder = train(recipe, base, settings, say, counter)
    pair = find_pair(str(folder), baseline or reference, settings.allow_pickle)
    return replace(pair, tuned=replace(pair.tuned, name=str(recipe.path)))


def train(recipe: Recipe, base: Weights, settings: Settings, say: Say, counter: Counter) -> Path:
    """The folder of the trained model; a lock keeps xdist workers from training it twice."""
    loader = Loader(settings, say)
    loader.engine(base)  # converts the embedded model, whose content is part of the key
    folder = cache_folder() / "trained" / f"{recipe.name}-{recipe_key(recipe, base, str(loader.device))[:16]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if (folder / DONE).is_file():
            say(f"{recipe.name}: trained before, kept in {folder}")
            return folder
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            with quiet():
                _train_into(unfinished, recipe, base, loader, say, counter)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return folder


def recipe_key(recipe: Recipe, base: Weights, device: str) -> str:
    """A name for all that the result depends on: recipe, corpora, base, device and library versions."""
    parts = {
        "recipe": recipe.written.model_dump(mode="json", exclude={"about", "recipe"}),
        "examples": [[example.prompt, example.answer] for example in (*recipe.examples, *recipe.general)],
        "base": [weights_identity(base.folder), tokenizer_identity(base.folder)],
        "device": device.partition(":")[0],
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "accelerate")},
        "training": VERSION,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _train_into(
    folder: Path, recipe: Recipe, base: Weights, loader: Loader, say: Say, counter: Counter
) -> None:
    written = recipe.written
    examples = _mixed(recipe, base, loader, counter)
    engine = loader.engine(base)
    tokenizer, model = engine.tokenizer, engine.model
    set_seed(written.seed)
    if written.method.lora:
        model = _with_lora(model, recipe)
    rows = encode(tokenizer, examples)
    steps = written.epochs * -(-len(rows) // (written.batch * written.accumulation))
    say(
        f"{recipe.name}: training on {len(rows)} examples, {steps} steps at a rate of {written.learning_rate:g}"
    )
    model.config.use_cache = False
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=scratch,
                per_device_train_batch_size=written.batch,
                gradient_accumulation_steps=written.accumulation,
                num_train_epochs=written.epochs,
                learning_rate=written.learning_rate,
                lr_scheduler_type=written.schedule,
                warmup_steps=round(written.warmup * steps),
                weight_decay=written.weight_decay,
                seed=written.seed,
                data_seed=written.seed,
                use_cpu=loader.device.type == "cpu",
                save_strategy="no",
                logging_steps=1,
                report_to=[],
                disable_tqdm=True,
                dataloader_pin_memory=False,
                remove_unused_columns=False,
            ),
            train_dataset=rows,
            data_collator=Collator(engine.pad_token),
            callbacks=[_Watch(counter(f"{recipe.name}, training", "steps"))],
        )
        _drop_printers(trainer)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    if not losses or not all(loss == loss and abs(loss) != float("inf") for loss in losses):
        raise ModelError(f"{recipe.path}: training failed: the loss became NaN; lower the learning_rate")
    model.config.use_cache = True
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / DONE).write_text(
        json.dumps({"recipe": written.model_dump(mode="json"), "losses": losses}, indent=1) + "\n",
        encoding="utf-8",
    )


def _mixed(recipe: Recipe, base: Weights, loader: Loader, counter: Counter) -> list[Example]:
    replay = recipe.written.replay
    if replay is None:
        return list(recipe.examples)
    general = list(recipe.general)
    try:
        mixed = create_replay_dataset(recipe.examples, general, replay.fraction, recipe.written.seed)
    except NoEvidenceError as error:
        raise RecipeError([Problem(None, f"{recipe.path}: {error}")]) from error
    if replay.answers == "corpus":
        return mixed
    return _answered_by_baseline(
        mixed, set(general), replay.max_new_tokens, base, loader, counter(f"{recipe.name}, self-replay")
    )


def _answered_by_baseline(
    mixed: list[Example], general: set[Example], most: int, base: Weights, loader: Loader, progress: Any
) -> list[Example]:
    """Self-replay: the general prompts that were drawn, with the baseline's own answers."""
    asked = [example for example in mixed if example in general]
    requests = [Generate(Chat((Message("user", example.prompt),)), most) for example in asked]
    answers = dict(zip(asked, loader.engine(base).ask(requests, progress), strict=True))
    replayed = []
    for example in mixed:
        answer = answers.get(example)
        if isinstance(answer, Generated) and answer.text.strip():
            example = replace(example, answer=answer.text)
        replayed.append(example)
    return replayed


def _with_lora(model: Any, recipe: Recipe) -> Any:
    lora = recipe.written.method.lora
    assert lora is not None
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
        task_type="CAUSAL_LM",
    )
    try:
        model = get_peft_model(model, config)
    except ValueError as error:
        raise ModelError(
            f"{recipe.path}: the base has none of the target_modules: {str(error)[:200]}"
        ) from error
    thawed = [name for name, value in model.named_parameters() if value.requires_grad and "lora_" not in name]
    assert not thawed, f"LoRA would train base weights: {thawed[:3]}"
    return model


def _drop_printers(trainer: Any) -> None:
    """transformers prints each log entry; the counter shows progress instead."""
    for callback in list(trainer.callback_handler.callbacks):
        if type(callback).__name__ in ("PrinterCallback", "ProgressCallback"):
            trainer.remove_callback(callback)


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Shows how many steps are done."""

    def __init__(self, show: Callable[[int, int], None]) -> None:
        self.show = show

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.show(state.global_step, state.max_steps)
