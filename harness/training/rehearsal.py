"""A recipe's general data in, examples out: as the file has them, or with the baseline's own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.engine.requests import Chat, Engine, Generate, Generated, Message, Plain
from harness.errors import NoEvidenceError, RecipeError
from harness.progress import Progress
from harness.recipes.examples import Example
from harness.recipes.mitigations.replay import REPLAY_KEY
from harness.recipes.read import Recipe
from harness.recipes.shapes import GeneralFormat
from harness.training.replay import create_replay_dataset


def mixed(recipe: Recipe) -> list[Example]:
    """The corpus, with its share of general examples where the recipe has `replay`.

    Raises:
        RecipeError: there are too few general examples for the fraction.
    """
    replay = REPLAY_KEY.of(recipe.written)
    if replay is None:
        return list(recipe.examples)
    try:
        return create_replay_dataset(
            recipe.examples, recipe.general["replay"], replay.fraction, recipe.written.seed
        )
    except NoEvidenceError as error:
        raise RecipeError.at(recipe.span("replay", "fraction"), str(error)) from error


def training_data(recipe: Recipe, engine: Engine, on_progress: Progress) -> list[Example]:
    """The examples to train on: `mixed`, with general examples answered as `replay` says; raises RecipeError."""
    examples, replay = mixed(recipe), REPLAY_KEY.of(recipe.written)
    if replay is None:
        return examples
    general = set(recipe.general["replay"])
    drawn = [example for example in examples if example in general]
    answered = dict(zip(drawn, answers(drawn, replay, recipe, engine, on_progress), strict=True))
    return [answered.get(example, example) for example in examples]


def answers(
    examples: Sequence[Example], part: GeneralFormat, recipe: Recipe, engine: Engine, on_progress: Progress
) -> list[Example]:
    """The examples with the answers that `part` asks for; where the baseline's is blank, the file's stays."""
    if part.answers == "corpus":
        return list(examples)
    chat = recipe.written.format == "chat"
    prompts = [_chat(example) if chat else Plain(example.prompt) for example in examples]
    given = engine.ask([Generate(prompt, part.max_new_tokens) for prompt in prompts], on_progress)
    return [
        replace(example, answer=answer.text)
        if isinstance(answer, Generated) and answer.text.strip()
        else example
        for example, answer in zip(examples, given, strict=True)
    ]


def _chat(example: Example) -> Chat:
    earlier = (Message(turn.role, turn.text) for turn in example.earlier)
    return Chat((*earlier, Message("user", example.prompt)))
