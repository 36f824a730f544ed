"""A part of a text in, the log-probability of its end out, and whether the model would write it.

Context and continuation are divided as lm-evaluation-harness divides them: the text is tokenized as a whole, and what follows as
many tokens as the context has alone is the continuation. So a token in which both meet counts with the context.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.engine.server.calls import BadReply, Call
from harness.engine.server.fleet import Fleet
from harness.engine.server.reading import Part, Read, listed_tokens
from harness.engine.server.replies import Replies, Token, finite, tokens_of, usage_of
from harness.engine.server.writing import Dialect
from harness.errors import EngineError

LIKELIEST = (64, 4096)
"""How many of the likeliest tokens are asked for first, before all."""


@dataclass(frozen=True)
class Measured:
    """The log-probability of a continuation in nats, over how many tokens, and whether each is the likeliest at its place."""

    logprob: float
    tokens: int
    greedy: bool


class Scorer(Protocol):
    """A way to get log-probabilities from a server."""

    async def measured(self, part: Part) -> Measured:
        """The end of a part; raises EngineError if it adds no token."""
        ...


class Echo:
    """Lets a server repeat a prompt with its log-probabilities (`echo` and `logprobs` of /completions)."""

    def __init__(self, fleet: Fleet, replies: Replies, dialect: Dialect, model: str, divides: bool) -> None:
        self.fleet = fleet
        self.replies = replies
        self.dialect = dialect
        self.model = model
        self.divides = divides
        """Whether the server takes a parameter for special tokens before a text."""

    async def measured(self, part: Part) -> Measured:
        before = len(part.context) if isinstance(part.context, list) else await self._count(part)
        body = self.body(part.whole, part.special)

        def read(data: dict[str, Any]) -> list[Token]:
            return echoed(data, self.replies.choice(data, body))

        whole = await self.fleet.ask(Call("completions", body, read))
        if isinstance(part.whole, list) and len(whole) != len(part.whole):
            raise EngineError(
                f"{self.fleet.label}: was sent {len(part.whole)} tokens and read {len(whole)}, so what it measures is not what was asked"
            )
        tokens = whole[before:]
        if not before and tokens and tokens[0].logprob is None:
            del tokens[0]  # nothing is before it
        if not tokens:
            raise _no_token(self.fleet.label, part)
        if not finite(tokens):
            raise EngineError(
                f"{self.fleet.label}: the server gives no log-probability of some tokens of a prompt"
            )
        known = [token.logprob for token in tokens if token.logprob is not None]
        greedy = all(value >= max(token.top, default=0.0) for value, token in zip(known, tokens, strict=True))
        return Measured(sum(known), len(known), greedy)

    async def _count(self, part: Part) -> int:
        """How many tokens the context has alone."""
        if not part.context:
            return 0
        body = self._body(part.context, part.special) | {"max_tokens": 1}

        def read(data: dict[str, Any]) -> int:
            self.replies.choice(data, body)
            if (tokens := usage_of(data, "prompt_tokens")) is None:
                raise BadReply("the reply does not tell the tokens of the prompt")
            return tokens

        return await self.fleet.ask(Call("completions", body, read))

    def body(self, text: Read, special: bool = True) -> dict[str, Any]:
        """The body of a call for the tokens of a prompt."""
        return self._body(text, special) | {"max_tokens": 1, "echo": True, "logprobs": 1}

    def _body(self, text: Read, special: bool) -> dict[str, Any]:
        more = {} if special or not self.divides else {"add_special_tokens": False}
        return self.dialect.body(self.model, prompt=text, **more)


def echoed(data: Mapping[str, Any], choice: Mapping[str, Any]) -> list[Token]:
    """The tokens of a prompt that a reply repeats; those after them were written. Raises BadReply."""
    tokens = tokens_of(choice)
    prompt, written = usage_of(data, "prompt_tokens"), usage_of(data, "completion_tokens")
    if prompt is None or written is None or len(tokens) != prompt + written:
        raise BadReply(f"the reply has {len(tokens)} tokens, not those of the prompt and one more")
    return tokens[:prompt]


class Steps:
    """Asks llama.cpp for the likeliest next tokens, one place of a continuation after another.

    Args:
        vocabulary: the size.
        start: the text of the token that begins a text.
    """

    def __init__(self, fleet: Fleet, vocabulary: int, start: str) -> None:
        self.fleet = fleet
        self.vocabulary = vocabulary
        self.start = start

    async def measured(self, part: Part) -> Measured:
        context, whole = await self._tokens(part.context), await self._tokens(part.whole)
        if not context:
            context = await self._tokens(self.start, special=False)
            whole = whole if whole[: len(context)] == context else [*context, *whole]
        if len(whole) <= len(context):
            raise _no_token(self.fleet.label, part)
        total, greedy = 0.0, True
        for place in range(len(context), len(whole)):
            logprob, likeliest = await self._next(whole[:place], whole[place])
            total += logprob
            greedy &= likeliest
        return Measured(total, len(whole) - len(context), greedy)

    async def _tokens(self, text: Read, special: bool = True) -> list[int]:
        if isinstance(text, list):
            return text
        body = {"content": text, "add_special": special, "parse_special": True}
        return await self.fleet.ask(Call("/tokenize", body, listed_tokens)) if text else []

    async def _next(self, before: Sequence[int], token: int) -> tuple[float, bool]:
        """The log-probability of a token after others, and whether it is the likeliest."""
        for number in (*(few for few in LIKELIEST if few < self.vocabulary), self.vocabulary):
            body = {
                "prompt": list(before), "n_predict": 1, "n_probs": number, "temperature": 0, "samplers": ["temperature"],
                "cache_prompt": True, "seed": 0,
            }  # fmt: skip
            likeliest = await self.fleet.ask(Call("/completion", body, _likeliest))
            if math.isfinite(likeliest.get(token, math.nan)):
                return likeliest[token], next(iter(likeliest)) == token
        raise EngineError(
            f"{self.fleet.label}: the server gives no log-probability of a token of its own vocabulary"
        )


def _likeliest(data: Mapping[str, Any]) -> dict[int, float]:
    """Log-probabilities of the likeliest next tokens, the likeliest first; raises BadReply."""
    try:
        (place,) = data["completion_probabilities"]
        found = {int(top["id"]): float(top["logprob"]) for top in place["top_logprobs"]}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadReply("the reply has no log-probabilities") from error
    if not found:
        raise BadReply("the reply has no log-probabilities")
    return found


def _no_token(label: str, part: Part) -> EngineError:
    rest = part.whole[len(part.context) :]
    return EngineError(f"{label}: the choice {rest!r:.100} adds no token to its prompt")
