"""Shipped suites asked in two ways of the engine, which must agree: branching, and each row by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.engine.estimate import estimated
from harness.engine.prompts import request
from harness.engine.requests import ChoiceLogProbs, Generate, Generated, LogLikelihood, Request
from harness.engine.transformers.engine import TorchEngine
from harness.scoring import SCORERS
from harness.suites.read import read_suite

SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.yaml"))


def requests_of(path: Path, words: float | None, most: int = 6) -> list[Request]:
    """Requests from all over a suite, for about so many words, or all; answers of at most `most` tokens."""
    suite = read_suite(path, SCORERS)
    asked = [request(suite, probe) for probe in suite.probes]
    if words is not None:
        whole = estimated(asked).tokens
        asked = asked[:: max(1, round(whole / words))]
    return [replace(one, max_new_tokens=most) if isinstance(one, Generate) else one for one in asked]


def check_ways(engine: TorchEngine, requests: Sequence[Request]) -> None:
    """The same text, and log-probabilities within 1e-4; of a text, whose tokens add up, 1e-5 more a token."""
    assert engine.kind == "branching"
    branching = engine.ask(requests)
    engine.kind = "cached"
    try:
        alone = engine.ask(requests)
    finally:
        engine.kind = "branching"
    for ours, naive in zip(branching, alone, strict=True):
        match ours, naive:
            case Generated(), Generated():
                assert ours == naive
            case ChoiceLogProbs(), ChoiceLogProbs():
                assert ours.logprobs == pytest.approx(naive.logprobs, abs=1e-4)
            case LogLikelihood(), LogLikelihood():
                assert ours.logprob == pytest.approx(naive.logprob, abs=1e-4 + 1e-5 * ours.tokens)
            case _:
                raise AssertionError((ours, naive))
