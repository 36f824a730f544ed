"""Replay: general data among the corpus, with its own answers or, as self-replay, with the baseline's."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from harness.recipes.mitigations.mitigation import Cost, Mitigation
from harness.recipes.plain import PlainRecipe
from harness.recipes.shapes import Answers, GeneralFormat, Key


class ReplayFormat(GeneralFormat):
    """General data mixed in, so that training on the narrow task does not overwrite the rest."""

    fraction: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="Share of the mixed data, 0 to 1.")


REPLAY_KEY: Key[ReplayFormat] = Key(
    "replay", ReplayFormat, "General data mixed into the corpus.", called="the replay"
)

_WHOSE = {"corpus": "the file's answers", "baseline": "the baseline's own answers"}


def _adds(answers: Answers, old: PlainRecipe, new: PlainRecipe) -> str | None:
    before, after = REPLAY_KEY.of(old), REPLAY_KEY.of(new)
    if after is None or after.answers != answers:
        return None
    share = f"{100 * after.fraction:g} % of the data"
    if before is None:
        return share
    if before.answers != answers:
        return f"{share}, with {_WHOSE[answers]}"
    return f"{share} instead of {100 * before.fraction:g} %" if after.fraction > before.fraction else None


def _has(answers: Answers, recipe: PlainRecipe) -> bool:
    replay = REPLAY_KEY.of(recipe)
    return replay is not None and replay.answers == answers


REPLAY = Mitigation(
    kind="replay",
    name="replay",
    cost=Cost.GENERAL_DATA,
    published="1 % of rehearsal kept about 100 % (Scialom 2022); 5 % for continual pretraining (Ibrahim 2024)",
    adds=partial(_adds, "corpus"),
    shows_in=("replay.fraction", "replay.answers"),
    has=partial(_has, "corpus"),
    key=REPLAY_KEY,
)

SELF_REPLAY = Mitigation(
    kind="self_replay",
    name="self-replay",
    cost=Cost.OWN_ANSWERS,
    published="replay of the model's own answers works without the old data (SDFT 2024, Marek 2026)",
    adds=partial(_adds, "baseline"),
    shows_in=REPLAY.shows_in,
    has=partial(_has, "baseline"),
    key=REPLAY_KEY,
)
