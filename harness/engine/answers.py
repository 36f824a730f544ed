"""Answers and requests in, JSON data out, and back; and a key for a request.

Every file of answers (a run's record, a sweep's, the callback's baseline) has them in this form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.digest import digest
from harness.engine.requests import (
    Answer,
    Chat,
    ChatText,
    ChoiceLogProbs,
    Continuations,
    Generate,
    Generated,
    LogLikelihood,
    Message,
    MultipleChoice,
    Plain,
    Prompt,
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
    data = {"kind": KINDS[type(request)], **_plain(request)}
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


def _plain(value: Any) -> Any:
    """`dataclasses.asdict` for the values of requests, which need no deep copy: a run has thousands of requests."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if names := getattr(value, "__dataclass_fields__", None):
        return {name: _plain(getattr(value, name)) for name in names}
    return value


def as_request(data: Mapping[str, Any]) -> Request:
    """The request that `request_data` wrote.

    Raises:
        KeyError, TypeError: the data is malformed.
    """
    kind = next(kind for kind, name in KINDS.items() if name == data["kind"])
    values = {key: _as_tuples(value) for key, value in data.items() if key != "kind"}
    if "prompt" in data:
        values["prompt"] = _as_prompt(data["prompt"])
    if "pairs" in data:
        values["pairs"] = tuple((_as_prompt(prompt), text) for prompt, text in data["pairs"])
    request: Request = kind(**values)
    return request


def _as_prompt(data: Mapping[str, Any]) -> Prompt:
    if "text" in data:
        return Plain(**data)
    values = {key: _as_tuples(value) for key, value in data.items()}
    values["messages"] = tuple(Message(**turn) for turn in data["messages"])
    return ChatText(**values) if "begun" in data else Chat(**values)


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list | tuple) else value


def request_key(request: Request) -> str:
    """A key for a request; equal requests to a model have equal keys."""
    return digest(request_data(request))
