"""An engine in, ways to ask it that should make no difference out."""

from __future__ import annotations

from dataclasses import dataclass

from harness.engine.abilities import Backed, Batches
from harness.engine.place import place_of
from harness.engine.prompts import request
from harness.engine.requests import Engine
from harness.engine.reshaped import smaller_batches
from harness.errors import EngineError
from harness.suites.suite import Suite


@dataclass(frozen=True)
class Condition:
    """A way to ask the baseline that should make no difference, as an engine."""

    name: str
    engine: Engine


def equivalent_conditions(engine: Engine, suite: Suite) -> list[Condition]:
    """The engine with its own batches and with smaller ones, so that the suite takes several; or, without batches, twice."""
    smaller = smaller_batches(engine, [request(suite, probe) for probe in suite.probes])
    if not isinstance(engine, Batches):
        return [Condition("asked once", engine), Condition("asked again", smaller)]
    return [
        Condition(f"batches of {asked.budget.tokens} tokens", asked)
        for asked in (engine, smaller)
        if isinstance(asked, Batches)
    ]


def two_engines(engine: Engine, other: Engine) -> list[Condition]:
    """Two engines of one model, each with its own batches.

    Raises:
        EngineError: both run on the same, as far as they tell.
    """
    if isinstance(engine, Backed) and isinstance(other, Backed) and engine.backend == other.backend:
        raise EngineError(
            f"{engine.label} and {other.label} both run on {engine.backend}, so nothing would be measured between engines\n"
            "  name the second as it will run, such as vllm:REF"
        )
    return [Condition(f"{asked.label} on {_what_computes(asked)}", asked) for asked in (engine, other)]


def _what_computes(engine: Engine) -> str:
    return engine.backend if isinstance(engine, Backed) else place_of(engine)
