"""Answers in, JSON data out, and back; and a key for the request that they answer.

Every file of answers (a run's record, a sweep's, the callback's baseline) has them in this form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from harness.digest import digest
from harness.engine.requests import (
    Answer,
    ChoiceLogProbs,
    Continuations,
    Generate,
    Generated,
    LogLikelihood,
    MultipleChoice,
    Reasoning,
    Request,
    RollingLogLikelihood,
)
from harness.visible import encodable


def as_data(answer: Answer) -> dict[str, Any]:
    """An answer as JSON data, without unknown values; lone surrogates, which UTF-8 cannot encode, are escaped.

    `kind` is "generate", "choose" or "likelihood"; log-probabilities are in nats, `word_order` in nats a word.
    """
    data: dict[str, Any]
    match answer:
        case Generated(text, tokens, ended, reasoning, word_order):
            data = {"kind": "generate", "text": encodable(text), "tokens": tokens, "ended": ended}
            data["word_order"] = word_order
            if reasoning:
                data |= {
                    "reasoning": encodable(reasoning.text),
                    "reasoning_tokens": reasoning.tokens,
                    "reasoning_ended": reasoning.closed,
                }
        case ChoiceLogProbs(logprobs, greedy):
            data = {"kind": "choose", "logprobs": list(logprobs), "greedy": list(greedy) or None}
        case LogLikelihood(logprob, tokens, vocabulary):
            data = {"kind": "likelihood", "logprobs": [logprob], "tokens": tokens, "vocabulary": vocabulary}
    return {key: value for key, value in data.items() if value is not None}


def as_answer(data: Mapping[str, Any]) -> Answer:
    """The answer that `as_data` wrote.

    Raises:
        KeyError, TypeError, ValueError: the data is malformed.
    """
    match data["kind"]:
        case "generate":
            reasoning = None
            if data.get("reasoning") is not None:
                reasoning = Reasoning(
                    data["reasoning"], data["reasoning_tokens"], bool(data["reasoning_ended"])
                )
            order = data.get("word_order")
            word_order = None if order is None else float(order)
            return Generated(str(data["text"]), int(data["tokens"]), data.get("ended"), reasoning, word_order)
        case "choose":
            greedy = tuple(map(bool, data.get("greedy") or ()))
            return ChoiceLogProbs(tuple(map(float, data["logprobs"])), greedy)
        case "likelihood":
            (logprob,) = data["logprobs"]
            return LogLikelihood(float(logprob), int(data["tokens"]), data.get("vocabulary"))
    raise ValueError(f"no kind of answer: {data['kind']!r}")


KINDS = {
    Generate: "Generate",
    MultipleChoice: "Choose",
    Continuations: "Continuations",
    RollingLogLikelihood: "Measure",
}
"""The kind of a request in its key; keys must outlive the names of classes."""


def request_data(request: Request) -> dict[str, Any]:
    """Everything that an answer depends on besides the model, as JSON data."""
    data = {"kind": KINDS[type(request)], **asdict(request)}
    # Omitted while unset, so that keys stay what they were before these fields existed.
    if "prompt" in data:
        data["prompt"] = {
            key: value
            for key, value in data["prompt"].items()
            if value or key not in ("arguments", "may_cut")
        }
    if isinstance(request, RollingLogLikelihood) and not request.windows:
        del data["windows"]
    if isinstance(request, Generate) and request.thinking_tokens is None:
        del data["thinking_tokens"]
    return data


def request_key(request: Request) -> str:
    """A key for a request; equal requests to a model have equal keys."""
    return digest(request_data(request))
