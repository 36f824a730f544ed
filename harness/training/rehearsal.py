"""A recipe's general data in, examples out: as the file has them, or with the baseline's own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.engine.requests import Answer, Chat, Engine, Generate, Generated, Message, Plain
from harness.errors import NoEvidenceError, RecipeError
from harness.progress import Log, Progress
from harness.recipes.examples import Example
from harness.recipes.mitigations.replay import REPLAY_KEY
from harness.recipes.read import Recipe
from harness.training.replay import create_replay_dataset
from harness.wording import count

UNREADABLE = "\ufffd"
"""What stands for a letter of which a limit of tokens left some bytes out."""


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


def training_data(recipe: Recipe, engine: Engine, log: Log, on_progress: Progress) -> list[Example]:
    """The examples to train on: `mixed`, with general examples answered as `replay` says; raises RecipeError."""
    examples = mixed(recipe)
    general = set(map(id, recipe.general.get(REPLAY_KEY.name, ())))  # the corpus may have equal ones
    drawn = [example for example in examples if id(example) in general]
    if not drawn:
        return examples
    answered = iter(answers(drawn, REPLAY_KEY.name, recipe, engine, log, on_progress))
    found = [next(answered) if id(example) in general else example for example in examples]
    return [example for example in found if example is not None]


def answers(
    examples: Sequence[Example], key: str, recipe: Recipe, engine: Engine, log: Log, on_progress: Progress
) -> list[Example | None]:
    """The examples with the answers that the recipe's `key` asks for; None where the baseline's is blank.

    Raises:
        RecipeError: all of them are blank.
    """
    part = recipe.written.general()[key]
    if part.answered:
        return list(examples)
    chat = recipe.written.format == "chat"
    prompts = [_chat(example) if chat else Plain(example.prompt) for example in examples]
    given = engine.ask([Generate(prompt, part.max_new_tokens) for prompt in prompts], on_progress)
    found = [_answered(example, answer) for example, answer in zip(examples, given, strict=True)]
    cut = sum(example.cut for example in found if example)
    blank, of = found.count(None), f"of {count(len(found), 'answer')} of the baseline"
    if blank == len(found):
        raise RecipeError.at(
            recipe.span(key, "answers"),
            f"'{key}' has nothing to keep: {of}, all are blank",
            "give other prompts, or answers in the file: answers: corpus",
        )
    if cut:
        log(
            f"{recipe.name}: {key}: max_new_tokens, {part.max_new_tokens}, cut {cut:,} {of}; no end follows them"
        )
    if blank:
        log(f"{recipe.name}: {key}: left out {blank:,} {of}, for being blank")
    return found


def _answered(example: Example, answer: Answer) -> Example | None:
    """The example with an answer of the baseline; None if it is blank."""
    assert isinstance(answer, Generated), "a request to generate has a generated answer"
    cut = answer.ended == "limit"
    text = answer.text.rstrip(UNREADABLE) if cut else answer.text
    return replace(example, answer=text, cut=cut) if text.strip() else None


def _chat(example: Example) -> Chat:
    earlier = (Message(turn.role, turn.text) for turn in example.earlier)
    return Chat((*earlier, Message("user", example.prompt)))
