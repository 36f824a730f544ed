"""Requests and answers as plain values, and the Engine that turns one into the other.

A Request holds everything that its answer depends on besides the model, so an engine may batch, reorder, store or send
it elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """A prompt for the model's chat template, with arguments for the template."""

    messages: tuple[Message, ...]
    arguments: Arguments = ()


@dataclass(frozen=True, slots=True)
class ChatText(Chat):
    """A chat that is rendered first and then read like a plain text, as lm-evaluation-harness does.

    `begun` is what the answer begins with. Where the model's context is too small, the beginning is left out.
    """

    begun: str = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """A prompt that reaches the model unchanged.

    `may_cut` leaves out its beginning where the model's context is too small; by default that is an error.
    """

    text: str
    may_cut: bool = False


Prompt = Chat | Plain


@dataclass(frozen=True, slots=True)
class Generate:
    """Continue a prompt greedily until the end of the turn, a stop text or `max_new_tokens`.

    Reasoning before the answer has its own limit, `thinking_tokens`; None leaves the limit to the engine.
    """

    prompt: Prompt
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    thinking_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class MultipleChoice:
    """Score each continuation by its log-probability after the prompt."""

    prompt: Prompt
    continuations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Continuations:
    """Score texts, each by its log-probability after a prompt of its own, as lm-evaluation-harness does.

    Where the model's context is too small, the beginning of a prompt is left out.
    """

    pairs: tuple[tuple[Prompt, str], ...]


@dataclass(frozen=True, slots=True)
class RollingLogLikelihood:
    """Score a text by its log-probability.

    `windows` measures it as lm-evaluation-harness does: a text longer than the model's context in several parts, and with
    the start token that a tokenizer puts before it.
    """

    text: str
    windows: bool = False


Scored = MultipleChoice | Continuations | RollingLogLikelihood
"""Requests for log-likelihoods."""

Request = Generate | Scored

Side = Literal["baseline", "tuned"]
SIDES: Sequence[Side] = ("baseline", "tuned")
"""Which model of a pair."""


Ended = Literal["turn", "stop", "limit"]
"""Why an answer ended: the model ended its turn, a stop text occurred, or a limit of tokens cut it off."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning before an answer, verbatim with its marks; its length in tokens; whether it ended."""

    text: str
    tokens: int
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Generated:
    """The answer without its reasoning and without the stop text that ended it, and its length in tokens.

    `ended` is None if the engine cannot tell. `word_order` is how many nats a word the baseline finds the text likelier than
    with its words shuffled; None unless a score asked for it. No engine fills it in.
    """

    text: str
    tokens: int
    ended: Ended | None = field(default=None, compare=False)
    reasoning: Reasoning | None = field(default=None, compare=False)
    word_order: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ChoiceLogProbs:
    """The log-probability of each continuation, in nats, summed over its tokens.

    `greedy` is whether each is what the model would write; empty where that was not asked.
    """

    logprobs: tuple[float, ...]
    greedy: tuple[bool, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """The log-probability of a text, in nats, summed over `tokens` tokens; `vocabulary` is the size, None if unknown."""

    logprob: float
    tokens: int
    vocabulary: int | None = field(default=None, compare=False)


Answer = Generated | ChoiceLogProbs | LogLikelihood

Likelihood = tuple[float, bool]
"""The log-probability of some tokens, in nats, and whether each is the likeliest at its place."""


class UnansweredError(EngineError):
    """A request that the model cannot answer, as when its logits are infinite."""

    def __init__(self, message: str, request: Request) -> None:
        super().__init__(message)
        self.request = request


@runtime_checkable
class Engine(Protocol):
    """A model that answers requests.

    `kinds` are the kinds of answer that it can give; `label` names the model in reports.
    """

    label: str
    kinds: frozenset[AnswerKind]

    def ask(self, requests: Sequence[Request], progress: Progress | None = None) -> list[Answer]:
        """Answer each request, in order; raises EngineError rather than omit one."""
        ...

    def render(self, prompt: Prompt) -> str:
        """The exact text that the model reads for a prompt."""
        ...


@dataclass(frozen=True)
class EnginePair:
    """Two engines that are ready to answer; `device` and `dtype` are None if unknown, `notes` are for the user."""

    baseline: Engine
    tuned: Engine
    device: str | None = None
    dtype: str | None = None
    notes: tuple[str, ...] = ()

    def of(self, side: Side) -> Engine:
        """The engine of one side."""
        return self.baseline if side == "baseline" else self.tuned


def check_answers(label: str, answers: object, requests: Sequence[Request]) -> Sequence[object]:
    """The answers; raises EngineError for what is no list of one to each request."""
    if not isinstance(answers, Sequence) or isinstance(answers, str | bytes):
        raise EngineError(f"{label}: must give a list of answers, saw {type(answers).__name__}")
    if len(answers) != len(requests):
        raise EngineError(f"{label}: gave {len(answers)} answers to {len(requests)} requests")
    return answers


def answer_from(
    request: Scored, likelihoods: Sequence[Likelihood], tokens: int, vocabulary: int | None
) -> ChoiceLogProbs | LogLikelihood:
    """The answer to a request for log-likelihoods.

    Args:
        likelihoods: of each continuation, in order, or of each part of the text.
        tokens: how many all of these have together.
        vocabulary: the size; None if unknown.
    """
    logprobs = tuple(logprob for logprob, _ in likelihoods)
    if isinstance(request, RollingLogLikelihood):
        return LogLikelihood(sum(logprobs), tokens, vocabulary)
    greedy = tuple(likeliest for _, likeliest in likelihoods)
    return ChoiceLogProbs(logprobs, greedy if isinstance(request, Continuations) else ())


def cut_at_stop(text: str, stops: Iterable[str]) -> str:
    """`text` up to the first stop text, which is left out."""
    ends = [position for stop in stops if (position := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
