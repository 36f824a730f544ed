"""A generator as YAML has it in; its probes, as YAML would have written them out, out. The same seed, the same probes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from harness.suites.expression import fill
from harness.suites.filler import filler
from harness.suites.validate import Shape

TRIES = 200
"""How often a draw that was made before is made again."""


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
            raise ValueError("a draw is one of 'whole', 'choice' and 'filler'")
        if self.whole is not None and self.whole[0] > self.whole[1]:
            raise ValueError(f"'whole' goes from low to high, saw {self.whole}")
        return self


class GeneratorFormat(Shape):
    """Probes made by drawing values; each text of `probe` is a template with {expressions} over the draws."""

    count: Annotated[int, Field(ge=1, le=10_000)] = Field(description="How many probes to make.")
    seed: int = Field(0, description="What the draws depend on.")
    draw: dict[str, DrawFormat] = Field(default={}, description="The values to draw, by name, in this order.")
    probe: dict[str, Any] = Field(
        min_length=1,
        description="A probe as under `probes`; `{n}` counts from 1, and a text that is nothing but an {expression} "
        "becomes its value.",
    )


def generate(written: GeneratorFormat) -> list[dict[str, Any]]:
    """The probes of a generator, no two of which ask the same.

    Raises:
        ValueError: a template is wrong, or the draws do not give so many different probes.
    """
    chance = random.Random(written.seed)
    probes: list[dict[str, Any]] = []
    seen: set[str] = set()
    for n in range(1, written.count + 1):
        for _ in range(TRIES):
            values = _draw(written.draw, chance)
            made = _filled(
                {key: value for key, value in written.probe.items() if key != "id"}, {**values, "n": n}
            )
            if repr(made) not in seen:
                break
        else:
            raise ValueError(
                f"the draws give only about {len(probes)} different probes, and 'count' is {written.count}"
            )
        seen.add(repr(made))
        identity = {"id": fill(str(written.probe["id"]), {**values, "n": n})} if "id" in written.probe else {}
        probes.append({**identity, **made})
    return probes


def _draw(draws: Mapping[str, DrawFormat], chance: random.Random) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, draw in draws.items():
        if draw.whole is not None:
            values[name] = chance.randint(*draw.whole)
        elif draw.choice is not None:
            values[name] = chance.choice(draw.choice)
        else:
            words = fill(draw.filler, values) if isinstance(draw.filler, str) else draw.filler
            if not isinstance(words, int):
                raise ValueError(f"'filler' must be a whole number of words, saw {words!r}")
            values[name] = filler(words, chance)
    return values


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    return value
