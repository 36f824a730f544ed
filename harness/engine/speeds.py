"""How fast models run on this machine: kept in the cache folder by each run, read to tell how long the next will take."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from harness.digest import digest
from harness.engine.abilities import Timed
from harness.engine.estimate import Estimate
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import Engine
from harness.errors import ModelError
from harness.models.cache import cache_folder
from harness.models.json_file import read_json
from harness.visible import visible
from harness.wording import percent
from harness.writing import write_whole

FILE = "speeds.json"
MOST_KEPT = 50
"""Speeds in the file; the oldest give way."""

MUCH_LONGER = 10
"""How many times as many tokens a measurement has that a later one of the same kind of model does not replace."""

SHORTEST = 1e-6
"""A time in seconds that stands for none, to divide by."""

SLOWEST, FASTEST = 1e-3, 1e9
"""Bounds of what is kept, in tokens a second."""

Rate = Annotated[float, Field(gt=0, le=FASTEST, strict=True)]
Count = Annotated[int, Field(gt=0, lt=1e15, strict=True)]


@dataclass(frozen=True)
class Speed:
    """Tokens that a model reads and writes a second.

    `share` is how much of their limit answers take, and `more` how many tokens a prompt has besides its words, as of a chat
    template.
    """

    reads: float
    writes: float
    share: float = 1.0
    more: float = 0.0

    def seconds(self, size: Estimate) -> float:
        """How long a model takes for so many tokens."""
        read = size.read + size.prompts * self.more
        return read / self.reads + size.written * self.share / self.writes


@dataclass(frozen=True)
class Timing:
    """The speed to reckon with, at least and at most, and in words where it comes from."""

    slow: Speed
    fast: Speed
    source: str

    @property
    def known(self) -> bool:
        """Whether it is one speed, not a range."""
        return self.slow == self.fast


ASSUMED = Timing(
    Speed(300, 150, 1.0, 30),
    Speed(30_000, 7_500, 0.5, 30),
    "as nothing was measured on this machine yet: from a large GPU (30,000 tokens read and 7,500 written a second, answers half as "
    "long as they may be) to a small model on two CPU cores (300 and 150, as long as they may be); the first run measures it",
)
"""What to reckon with before anything was measured."""


def given_speed(tokens_per_second: float) -> Timing:
    """The speed that a user gives, of reading and writing alike."""
    speed = Speed(tokens_per_second, tokens_per_second)
    return Timing(speed, speed, f"at {tokens_per_second:g} tokens a second")


class Row(BaseModel):
    """A measured speed in the file."""

    model: str
    parameters: Count
    device: str
    dtype: str
    engine: str
    read_per_second: Rate
    written_per_second: Rate
    share: Rate
    more: Annotated[float, Field(ge=0, le=FASTEST, strict=True)]
    tokens: Count
    measured: date

    @property
    def timing(self) -> Timing:
        """The speed to reckon with."""
        model, device, dtype = map(visible, (self.model, self.device, self.dtype))
        speed = Speed(self.read_per_second, self.written_per_second, self.share, self.more)
        source = (
            f"as measured on this machine on {self.measured} with {model} ({self.parameters / 1e6:,.0f} M parameters, {device}, "
            f"{dtype}): {speed.reads:,.0f} tokens read and {speed.writes:,.0f} written a second, answers {percent(speed.share)} "
            "as long as they may be"
        )
        return Timing(speed, speed, source)


def remember(engine: Engine) -> None:
    """Keep the speed of an engine, if it measured one; a cache that cannot be read or written keeps none."""
    if not isinstance(engine, Timed) or not engine.pace.telling:
        return
    with suppress(ModelError, OSError):
        path, runs_on = _file(), engine.runs_on
        rows, new = _read(path)[0], _row(runs_on, engine.pace)
        key = digest(new.engine, new.device, new.dtype, new.parameters)[:16]
        old = rows.pop(key, new)
        # in small batches a model is slower by the token, so a few probes say little about many
        rows[key] = old if old.tokens > MUCH_LONGER * new.tokens else new
        newest = {key: row.model_dump(mode="json") for key, row in list(rows.items())[-MOST_KEPT:]}
        write_whole(path, json.dumps({"version": 1, "speeds": newest}, indent=2) + "\n")


def measured() -> tuple[Timing, str | None]:
    """The speed that was measured last on this machine, or what is assumed without one; and a note on a damaged file."""
    try:
        rows, note = _read(_file())
    except ModelError as error:
        return ASSUMED, error.text
    return list(rows.values())[-1].timing if rows else ASSUMED, note


def _row(runs_on: RunsOn, pace: Pace) -> Row:
    reads = _rate(pace.read, pace.reading)
    return Row(
        **asdict(runs_on),
        read_per_second=reads,
        # of a model that only read, the speed of writing is not known
        written_per_second=_rate(pace.written, pace.writing) if pace.written else reads,
        share=pace.written / pace.size.written if pace.written and pace.size.written else 1.0,
        more=max(0.0, pace.read - pace.size.read) / max(1, pace.size.prompts),
        tokens=max(1, pace.read + pace.written),
        measured=datetime.now(UTC).date(),
    )


def _rate(tokens: int, seconds: float) -> float:
    return round(min(max(tokens / max(seconds, SHORTEST), SLOWEST), FASTEST), 3)


def _file() -> Path:
    return cache_folder() / FILE


def _read(path: Path) -> tuple[dict[str, Row], str | None]:
    """The speeds in a file, the newest last, and what is wrong with it."""
    if not path.exists():
        return {}, None
    again = "\n  it is ignored, and written anew by the next run"
    try:
        speeds = read_json(path)["speeds"].items()
    except (KeyError, AttributeError):
        return {}, f"{path}: it holds no speeds{again}"
    except ModelError as error:
        return {}, f"{error.text}{again}"
    rows, damaged = {}, 0
    for key, value in speeds:
        try:
            rows[key] = Row.model_validate(value)
        except ValidationError:
            damaged += 1
    return rows, f"{path}: {damaged} of its speeds make no sense, and are ignored" if damaged else None
