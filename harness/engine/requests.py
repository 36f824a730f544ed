"""What may be asked of a model and what it may answer, as plain values; and the Engine that answers.

A Request says all that its answer depends on besides the model, so that an engine may batch,
reorder, store or send it elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from harness.errors import EngineError
from harness.progress import Progress as Progress
from harness.suites.arguments import Arguments
from harness.suites.format import AnswerKind


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Chat:
    """A prompt that goes through the model's own chat template, with what that is given beside the messages."""

    messages: tuple[Message, ...]
    arguments: Arguments = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """A prompt that is given as it is written."""

    text: str


Prompt = Chat | Plain


@dataclass(frozen=True, slots=True)
class Generate:
    """Write on, greedily, to the end of the turn, a stop text or `max_new_tokens`.

    Reasoning before the answer has its own limit, `thinking_tokens`; None leaves that to the engine.
    """

    prompt: Prompt
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    thinking_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """Say how likely each continuation is after the prompt."""

    prompt: Prompt
    continuations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RollingLogLikelihood:
    """Say how likely a text is."""

    text: str


Request = Generate | MultipleChoice | RollingLogLikelihood

Side = Literal["baseline", "tuned"]
"""Which model of a pair."""


Ended = Literal["turn", "stop", "limit"]
"""Why an answer ends: its turn is over, a stop text came, or `max_new_tokens` (in reasoning, its own limit) cut it."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What was thought before an answer, with its marks, as it was written; its length in tokens; whether it ended."""

    text: str
    tokens: int
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Generated:
    """The text up to the end of the turn or a stop text, neither included, without reasoning; its length in tokens.

    `ended` is None where an engine cannot tell.
    """

    text: str
    tokens: int
    ended: Ended | None = field(default=None, compare=False)
    reasoning: Reasoning | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ChoiceLogProbs:
    """The log-probability of each continuation, in nats, summed over its tokens."""

    logprobs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """The log-probability of a text, in nats, summed over `tokens` tokens of a vocabulary of so many; None if unknown."""

    logprob: float
    tokens: int
    vocabulary: int | None = field(default=None, compare=False)


Answer = Generated | ChoiceLogProbs | LogLikelihood


class UnansweredError(EngineError):
    """A request that a model gave no answer to, as where its logits are infinite."""

    def __init__(self, message: str, request: Request) -> None:
        super().__init__(message)
        self.request = request


@runtime_checkable
class Engine(Protocol):
    """A model that can be asked. `ask` answers in the order of the requests.

    `kinds` are the kinds of answer that it can give; `label` names the model in reports.
    """

    label: str
    kinds: frozenset[AnswerKind]

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request; raises EngineError rather than leave one out."""
        ...

    def render(self, prompt: Prompt) -> str:
        """The exact text that the model is given for a prompt."""
        ...
