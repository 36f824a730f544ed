"""Replay: general data among the corpus, with its own answers or, as self-replay, with the baseline's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from harness.recipes.mitigations.mitigation import Cost, Key, Mitigation
from harness.recipes.plain import PlainRecipe
from harness.recipes.shapes import Answers, GeneralFormat


class ReplayFormat(GeneralFormat):
    """General data mixed in, so that training on the narrow task does not overwrite the rest."""

    fraction: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="Share of the mixed data, 0 to 1.")


REPLAY_KEY: Key[ReplayFormat] = Key("replay", ReplayFormat, "General data mixed into the corpus.")

_WHOSE = {"corpus": "the file's answers", "baseline": "the baseline's own answers"}


@dataclass(frozen=True, eq=False, kw_only=True)
class _Replay(Mitigation):
    """Replay with answers of one kind; the larger its share of the data, the more it mitigates."""

    answers: Answers
    key: Key[ReplayFormat] = REPLAY_KEY
    settings: tuple[str, ...] = ("fraction", "answers")

    def adds(self, old: PlainRecipe, new: PlainRecipe) -> str | None:
        before, after = self.key.of(old), self.key.of(new)
        if after is None or after.answers != self.answers:
            return None
        share = f"{100 * after.fraction:g} % of the data"
        if before is None:
            return share
        if before.answers != self.answers:
            return f"{share}, with {_WHOSE[self.answers]}"
        return f"{share} instead of {100 * before.fraction:g} %" if before.fraction < after.fraction else None


REPLAY = _Replay(
    answers="corpus",
    name="replay",
    cost=Cost.GENERAL_DATA,
    published="1 % of rehearsal kept about 100 % (Scialom 2022); 5 % for continual pretraining (Ibrahim 2024)",
)

SELF_REPLAY = _Replay(
    answers="baseline",
    name="self-replay",
    cost=Cost.OWN_ANSWERS,
    published="replay of the model's own answers works without the old data (SDFT 2024, Marek 2026)",
)
