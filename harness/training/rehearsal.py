"""A recipe's general data in, examples out: as the file has them, or with the baseline's own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.engine.requests import Chat, Engine, Generate, Generated, Message, Plain
from harness.errors import NoEvidenceError, Problem, RecipeError
from harness.progress import Progress
from harness.recipes.mitigations.replay import REPLAY_KEY
from harness.recipes.read import Example, Recipe
from harness.recipes.shapes import GeneralFormat
from harness.training.replay import create_replay_dataset


def mixed(recipe: Recipe, engine: Engine, on_progress: Progress) -> list[Example]:
    """What to train on: the corpus, with its share of general examples where the recipe has `replay`.

    Raises:
        RecipeError: there are too few general examples for the fraction.
    """
    replay = REPLAY_KEY.of(recipe.written)
    if replay is None:
        return list(recipe.examples)
    general = list(recipe.general["replay"])
    try:
        whole = create_replay_dataset(recipe.examples, general, replay.fraction, recipe.written.seed)
    except NoEvidenceError as error:
        raise RecipeError([Problem(recipe.span("replay", "fraction"), str(error))]) from error
    known = set(general)
    drawn = [example for example in whole if example in known]
    answered = dict(zip(drawn, answers(drawn, replay, recipe, engine, on_progress), strict=True))
    return [answered.get(example, example) for example in whole]


def answers(
    examples: Sequence[Example], part: GeneralFormat, recipe: Recipe, engine: Engine, on_progress: Progress
) -> list[Example]:
    """The examples as `part` wants them answered; one that the baseline leaves blank keeps the file's answer."""
    if part.answers == "corpus":
        return list(examples)
    chat = recipe.written.format == "chat"
    requests = [
        Generate(
            Chat((Message("user", example.prompt),)) if chat else Plain(example.prompt), part.max_new_tokens
        )
        for example in examples
    ]
    given = engine.ask(requests, on_progress)
    return [
        replace(example, answer=answer.text)
        if isinstance(answer, Generated) and answer.text.strip()
        else example
        for example, answer in zip(examples, given, strict=True)
    ]
