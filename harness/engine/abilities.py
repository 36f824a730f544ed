"""Optional abilities of engines. Callers check for them with `isinstance`, and do without otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from harness.engine.batching import Budget
from harness.engine.pace import Pace, RunsOn
from harness.engine.requests import Answer, Engine, Prompt, Request
from harness.spelling import option


@runtime_checkable
class Tokenizes(Protocol):
    """An engine that can tell the tokens that its model reads, by id and as its tokenizer spells them."""

    def request_tokens(self, request: Request) -> list[list[int]]:
        """One row of token ids for each continuation, or for the prompt or text alone."""
        ...

    def request_pieces(self, request: Request) -> list[str]:
        """The same tokens as text, one row after another."""
        ...


@runtime_checkable
class Reads(Protocol):
    """An engine that can tell what its model reads for a prompt, as tokens and as text with special tokens.

    `choosing` asks for the place where a choice is scored, which in a chat is after any reasoning.
    """

    def tokens(self, prompt: Prompt, choosing: bool = False) -> list[int]: ...

    def reading(self, prompt: Prompt, choosing: bool = False) -> str: ...


@runtime_checkable
class Templated(Protocol):
    """An engine that can tell the variables that its chat template reads; None without a template."""

    @property
    def template_names(self) -> frozenset[str] | None: ...


@runtime_checkable
class Reasons(Protocol):
    """An engine that can tell whether its model marks reasoning before an answer."""

    @property
    def marks_reasoning(self) -> bool: ...


Done = Callable[[Mapping[Request, Answer], int], None]
"""Takes answers as they come, and how many of those that are underway are complete."""


@runtime_checkable
class Streams(Protocol):
    """An engine that can give answers as they come, to distinct requests."""

    def stream(self, requests: Sequence[Request], done: Done) -> None: ...


@runtime_checkable
class Identified(Protocol):
    """An engine that can tell its model from every other.

    `identity` names everything that an answer depends on besides the request, so it is equal only for two models that give the
    same answers: the weights by name and version, and how they are asked. None if that is not known. The answers of an engine
    with an identity are kept.
    """

    identity: str | None


@runtime_checkable
class Backed(Protocol):
    """An engine that can tell what computes its answers: `transformers`, `vllm` and so on.

    Where that differs between the models of a pair, a part of their differences comes from the engines.
    """

    backend: str


@runtime_checkable
class Sourced(Protocol):
    """An engine that can tell where its model comes from, whatever it is called.

    `sources` are digests of files and names at addresses; two engines that share one ask one model.
    """

    sources: frozenset[str]


@runtime_checkable
class Noted(Protocol):
    """An engine with something to tell the user once it is open."""

    notes: tuple[str, ...]


@runtime_checkable
class Tells(Protocol):
    """An engine that can tell what happened while it answered."""

    def told(self) -> list[str]:
        """What happened since this was last called, for the user."""
        ...


@runtime_checkable
class Refuses(Protocol):
    """An engine that knows before it is asked what it cannot answer."""

    def refusal(self, request: Request) -> str | None:
        """Why it cannot answer a request; None if it can."""
        ...


@runtime_checkable
class Keeps(Protocol):
    """An engine that may answer from what it was asked before."""

    def anew(self, time: int) -> Engine:
        """The same, asked once more instead; for each of 1, 2 and so on."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """An engine that keeps facts about its model.

    `text_identity` is equal for two models that read the same prompts the same way.
    """

    text_identity: str

    def remember(self, key: Sequence[Any], find: Callable[[], Any]) -> Any:
        """What was found under a key of JSON data before, or what `find` finds now; neither is None."""
        ...


@runtime_checkable
class ShowsPrompts(Protocol):
    """An engine that may not know the text that its model reads for a prompt."""

    def shows(self, prompt: Prompt) -> bool:
        """Whether `render` gives that text, and not only the messages of a chat."""
        ...


@runtime_checkable
class Batches(Protocol):
    """An engine that reads several requests at once, up to a budget of tokens."""

    budget: Budget


@runtime_checkable
class Timed(Protocol):
    """An engine that measures how fast its model runs, and can tell what that depends on."""

    pace: Pace

    @property
    def runs_on(self) -> RunsOn: ...


SAME_FLOATS = f"ask both in the same floats: {option('dtype', 'float32')}"


def unlike_floats(engines: Mapping[str, Engine]) -> str | None:
    """The floats that two engines, by their names, compute in; None if these are the same, or one cannot tell."""
    floats = [getattr(engine, "dtype", None) for engine in engines.values()]
    if None in floats or len(set(floats)) < 2:
        return None
    first, other = engines
    return f"{first} was computed in {floats[0]} and {other} in {floats[1]}"


NAMES = (
    "request_tokens", "request_pieces", "tokens", "reading", "template_names", "marks_reasoning", "text_identity", "remember",
    "budget", "pace", "runs_on", "device", "dtype", "identity",
    "backend", "digits", "sources", "shows",
)  # fmt: skip
"""What an engine around another takes over from it, where that has it; not how answers come."""
