"""A generator as it is written in, its probes as an author would write them out. The same seed gives the same probes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from harness.documents.validate import Shape
from harness.documents.written import text_of
from harness.errors import LimitError
from harness.limits import DRAW, EXPRESSION, MOST_MADE, MOST_WORDS, PIECE
from harness.suites.expression import fill
from harness.suites.haystack import filler

TRIES = 200
"""How often the values of a probe are drawn before its generator counts as exhausted."""


class DrawFormat(Shape):
    """How one value is drawn."""

    whole: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        None, description="A whole number from the first to the second, both included."
    )
    choice: Annotated[list[Any], Field(min_length=1)] | None = Field(None, description="One of these.")
    filler: int | str | None = Field(
        None, description="Plain sentences of about so many words; may be an {expression} over earlier draws."
    )

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a draw has one of 'whole', 'choice' and 'filler'")
        if self.whole is not None and self.whole[0] > self.whole[1]:
            raise ValueError(f"'whole' goes from low to high, saw {self.whole}")
        return self


class GeneratorFormat(Shape):
    """Probes made by drawing values; each text of a probe is a template with {expressions} over the draws."""

    count: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="How many probes to make, or with `probes` how many times all of these."
    )
    seed: int = Field(0, description="What the draws depend on.")
    draw: dict[str, DrawFormat] = Field(default={}, description="The values to draw, by name, in this order.")
    probe: dict[str, Any] = Field(
        min_length=1,
        description="A probe as under `probes`; `{n}` counts from 1, and a text that is nothing but an {expression} "
        "becomes its value.",
    )
    probes: list[dict[str, Any]] = Field(
        default=[],
        description="Several probes of the same draws, such as questions about one text: the keys in which each differs "
        "from `probe`, which has what they share.",
    )

    @field_validator("draw", mode="after")
    @classmethod
    def _has_no_n(cls, draw: dict[str, DrawFormat]) -> dict[str, DrawFormat]:
        if "n" in draw:
            raise ValueError(
                "a draw cannot be called 'n': {n} is the number of the probe\n"
                "  choose another name, in 'draw' and in the texts of 'probe', such as 'number'"
            )
        return draw


class Allowance:
    """How many characters the generators of one suite may still draw and write."""

    def __init__(self) -> None:
        self.left = MOST_MADE

    def take(self, characters: int) -> None:
        """Raises LimitError if fewer are left."""
        self.left -= characters
        if self.left < 0:
            raise LimitError(
                f"the generators of this suite draw and write more than {MOST_MADE:,} characters",
                "make fewer or shorter probes",
            )


def generate(written: GeneratorFormat, allowance: Allowance) -> list[dict[str, Any]]:
    """The probes of a generator, those of each draw one after the other; no two draws make the same.

    Args:
        allowance: shared by the generators of a suite.

    Raises:
        ValueError: a template is wrong, or the draws do not give `count` different probes.
        LimitError: the allowance is used up.
    """
    chance = random.Random(written.seed)
    templates = [{**written.probe, **own} for own in written.probes or ({},)]
    asked = [{key: value for key, value in template.items() if key != "id"} for template in templates]
    probes: list[dict[str, Any]] = []
    seen: set[str] = set()
    for n in range(1, written.count + 1):
        for _ in range(TRIES):
            values = {**_draw(written.draw, chance, allowance), "n": n}
            made = _filled(asked, values, allowance)
            shown = repr(made)
            allowance.take(len(shown))
            if shown not in seen:
                break
        else:
            raise ValueError(
                f"the draws give only about {len(seen)} different probes, but 'count' is {written.count}"
            )
        seen.add(shown)
        for template, probe in zip(templates, made, strict=True):
            identity = {"id": fill(str(template["id"]), values)} if "id" in template else {}
            probes.append({**identity, **probe})
    return probes


def _draw(draws: Mapping[str, DrawFormat], chance: random.Random, allowance: Allowance) -> dict[str, Any]:
    values: dict[str, Any] = {}
    allowance.take(DRAW * len(draws))
    for name, draw in draws.items():
        if draw.whole is not None:
            values[name] = chance.randint(*draw.whole)
        elif draw.choice is not None:
            values[name] = chance.choice(draw.choice)
        else:
            words = fill(draw.filler, values) if isinstance(draw.filler, str) else draw.filler
            if not isinstance(words, int):
                raise ValueError(f"'filler' must be a whole number of words, saw {words!r}")
            if words > MOST_WORDS:
                raise ValueError(f"a filler may have at most {MOST_WORDS:,} words, saw {words:,}")
            values[name] = text = filler(words, chance)
            allowance.take(len(text))
    return values


def _filled(value: Any, values: Mapping[str, Any], allowance: Allowance) -> Any:
    if isinstance(value, str):
        allowance.take(PIECE + EXPRESSION * value.count("{"))
        made = fill(value, values)
        allowance.take(len(made) if isinstance(made, str) else 10 * len(repr(made)))
        return made
    if isinstance(value, list):
        return [_filled(item, values, allowance) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, values, allowance) for key, item in value.items()}
    return value


def as_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """A generated probe with numbers as the text that an author would write; raises ValueError, with the key."""
    made: dict[str, Any] = {}
    for key, value in values.items():
        try:
            made[key] = value if key == "score" or value is None else text_of(value)
        except ValueError as error:
            raise ValueError(f"'{key}' would hold {error}") from error
    return made
