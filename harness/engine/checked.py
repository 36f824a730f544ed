"""What a user's code gave for an engine or its answers in, whether it is one out, and one plain answer to each request."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, get_args

from harness.engine.requests import (
    Answer,
    ChoiceLogProbs,
    Continuations,
    Ended,
    Generate,
    Generated,
    LogLikelihood,
    MultipleChoice,
    Reasoning,
    Request,
    UnansweredError,
    check_answers,
)
from harness.suites.format import AnswerKind

ROUNDING = 1e-3
"""How far above 0 rounding may lift the log-probability of a choice, which is a sum over its tokens."""


class _OddError(Exception):
    """What is wrong with an answer."""


def checked(label: str, given: object, requests: Sequence[Request]) -> list[Answer]:
    """The answers that an engine gave, in order.

    NaN and infinite log-probabilities pass: they are of the right kind, and prove nothing.

    Raises:
        EngineError: they are not one to each request.
        UnansweredError: one is no answer to its request, or has a log-probability above 0.
    """
    answers: list[Answer] = []
    for request, answer in zip(requests, check_answers(label, given, requests), strict=True):
        try:
            answers.append(_checked(request, answer))
        except _OddError as error:
            raise UnansweredError(f"{label}: {error}", request) from error
    return answers


def why_no_engine(engine: Any) -> str | None:
    """Why a value is not an Engine, naming its type and what it lacks; None if it is one."""
    if isinstance(engine, type):
        return f"the class {engine.__name__} itself"
    if lacks := [name for name in ("label", "kinds", "ask", "render") if not hasattr(engine, name)]:
        return f"{type(engine).__name__}\n  it has no {', '.join(lacks)}"
    if not isinstance(engine.label, str):
        return f"{type(engine).__name__}\n  its label must be text"
    if not isinstance(engine.kinds, Set) or not engine.kinds <= set(get_args(AnswerKind)):
        known = ", ".join(get_args(AnswerKind))
        return f"{type(engine).__name__}\n  its kinds must be a set of {known}, saw {engine.kinds!r:.60}"
    if not isinstance(identity := getattr(engine, "identity", None), str | None):
        return f"{type(engine).__name__}\n  its identity must be text, or None, saw {type(identity).__name__}"
    return None


def _checked(request: Request, answer: Any) -> Answer:
    kind = _kind(request)
    if not isinstance(answer, kind):
        raise _OddError(f"must answer with {kind.__name__}, saw {type(answer).__name__}")
    match request, answer:
        case _, Generated(text, tokens, ended, reasoning):
            if ended not in (None, *get_args(Ended)):
                raise _OddError(
                    f"'ended' must be one of {', '.join(get_args(Ended))}, or None, saw {ended!r}"
                )
            if reasoning is not None:
                reasoning = _reasoning(reasoning)
            return replace(answer, text=_text(text), tokens=_count("tokens", tokens), reasoning=reasoning)
        case MultipleChoice(continuations=asked) | Continuations(pairs=asked), ChoiceLogProbs(
            logprobs, greedy
        ):
            return ChoiceLogProbs(_logprobs(logprobs, len(asked)), _greedy(greedy, len(asked)))
        case _, LogLikelihood(logprob, tokens, vocabulary):
            size = None if vocabulary is None else _count("vocabulary", vocabulary)
            return LogLikelihood(_number(logprob), _count("tokens", tokens), size)
    raise AssertionError(request)


def _kind(request: Request) -> type[Answer]:
    if isinstance(request, Generate):
        return Generated
    return ChoiceLogProbs if isinstance(request, MultipleChoice | Continuations) else LogLikelihood


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _OddError(f"an answer's text must be text, saw {type(value).__name__}")
    return str(value)


def _reasoning(value: object) -> Reasoning:
    if not isinstance(value, Reasoning):
        raise _OddError(f"'reasoning' must be a Reasoning, or None, saw {type(value).__name__}")
    return Reasoning(_text(value.text), _count("tokens", value.tokens), bool(value.closed))


def _count(name: str, value: object) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
        raise _OddError(f"'{name}' must be a count, saw {value!r:.60}")
    return int(value)


def _number(value: object) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise _OddError(f"a log-probability must be a number, saw {type(value).__name__}")
    return float(value)


def _logprobs(values: object, asked: int) -> tuple[float, ...]:
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise _OddError(f"'logprobs' must be a tuple of numbers, saw {type(values).__name__}")
    logprobs = tuple(map(_number, values))
    if len(logprobs) != asked:
        raise _OddError(f"gave {len(logprobs)} log-probabilities for {asked} choices")
    if above := [logprob for logprob in logprobs if ROUNDING < logprob < math.inf]:
        raise _OddError(f"gave the log-probability {above[0]:g}, and none is above 0")
    return logprobs


def _greedy(values: object, asked: int) -> tuple[bool, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str | bytes) or len(values) not in (0, asked):
        raise _OddError(f"'greedy' must be a truth value for each choice, or empty, saw {values!r:.60}")
    return tuple(map(bool, values))
