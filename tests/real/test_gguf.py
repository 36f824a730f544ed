"""The embedded model's own GGUF file, beside what transformers makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine.prompts import request
from harness.engine.registry import open_engine, schemes
from harness.engine.requests import Chat, Message, MultipleChoice, RollingLogLikelihood
from harness.models.embedded import embedded_gguf
from harness.models.reference import resolve
from harness.scoring import SCORERS
from harness.suites.read import read_suite

OTHERWISE = {"perplexity": {"log-training-run", "shell-git-session"}}
"""Probes with white space before a digit, which llama.cpp divides otherwise for this vocabulary."""

SUITES = Path(__file__).parents[2] / "suites"


@pytest.fixture(scope="module")
def engine():
    return open_engine(resolve(str(embedded_gguf()), schemes()))


@pytest.mark.parametrize("name", ["coding", "formats", "grammar", "in_context", "languages", "perplexity"])
def test_llama_cpp_reads_what_transformers_reads(engine, baseline, name):
    suite = read_suite(SUITES / f"{name}.yaml", SCORERS)
    requests = {probe.id: request(suite, probe) for probe in suite.probes}
    read = [
        {probe: side.request_tokens(asked) for probe, asked in requests.items()}
        for side in (engine, baseline)
    ]
    assert {probe for probe in requests if read[0][probe] != read[1][probe]} == OTHERWISE.get(name, set())


def test_llama_cpp_computes_nearly_the_same(engine, baseline):
    question = Chat((Message("user", "What is the capital of France?"),))
    asked = [
        MultipleChoice(question, ("Paris", "London", "Berlin")),
        RollingLogLikelihood(
            "In the morning the children walked to school, and it was cold. 🙂 C'est déjà l'été."
        ),
    ]
    (choice, text), (other_choice, other_text) = (side.ask(asked) for side in (engine, baseline))
    assert choice.logprobs == pytest.approx(other_choice.logprobs, abs=0.5)
    assert text.logprob == pytest.approx(other_text.logprob, rel=0.02)
    assert text.tokens == other_text.tokens
