"""The JSON of a reply in, its values out, checked; what is missing or wrong raises BadReply, and is asked again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from harness.digest import digest
from harness.engine.server.calls import BadReply
from harness.engine.server.holding import TAKEN
from harness.errors import ModelError
from harness.visible import visible

LONGEST = 200
"""Characters of a name that are shown."""

MOST_STRANGERS = 3
"""Replies of other models before the first of the right one."""

MOST_IDS = 200_000
"""Ids that are remembered."""

MOST_COUNTED = 1 << 31
"""Tokens that a server may count; more is no count, and no float or column of a database may hold it."""

GONE = frozenset({"abort", "error", "cancelled"})
"""Ends of answers that a server broke off."""


@dataclass(frozen=True)
class Token:
    """A token of a reply, its log-probability in nats (None for the first of a text), and those of the likeliest at its place."""

    text: str
    logprob: float | None
    top: tuple[float, ...] = ()


class Replies:
    """What all replies of a model must have: its name, and an id of their own.

    Args:
        asked: the name that the model is asked for by; servers may add a version to it, or leave its owner out.
        ids: of the replies of its servers.

    Attributes:
        model: the name in replies; None before the first.
    """

    def __init__(self, asked: str, ids: Ids) -> None:
        self.asked = asked
        self.ids = ids
        self.model: str | None = None
        self._strangers = 0

    def choice(self, data: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """The one choice of a reply that is of this model, and of this request.

        Args:
            body: of the call.

        Raises:
            BadReply: it is not, or the server broke it off.
            ModelError: no reply ever was of this model.
        """
        if error := data.get("error"):
            raise BadReply(f"the reply is an error: {visible(str(error)[:200])}")
        choices = data.get("choices")
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
            raise BadReply("the reply has no choice" if not choices else "the reply has more than one choice")
        self._check_model(data.get("model"))
        self.ids.check(data, body)
        choice: dict[str, Any] = choices[0]
        if str(choice.get("finish_reason")) in GONE:
            raise BadReply(f"the server broke the answer off ({choice['finish_reason']})")
        return choice

    def _check_model(self, named: Any) -> None:
        if not isinstance(named, str):
            return
        if self.model is None and _is_name(self.asked.casefold(), named.casefold()):
            self.model = named
        if named == self.model:
            return
        self._strangers += 1
        who = f"'{visible(named[:LONGEST])}', not '{visible((self.model or self.asked)[:LONGEST])}'"
        if self.model is None and self._strangers >= MOST_STRANGERS:
            raise ModelError(
                f"the server answers with the model {who}\n  see which models it has loaded, and under which names"
            )
        raise BadReply(f"the reply is of the model {who}")


@dataclass(frozen=True)
class Seen:
    """The digests of a reply, and of the body of the call that got it first."""

    content: str
    body: str


class Ids:
    """The ids of replies of some servers, by which one that was another request's shows, as where a proxy mixes connections up.

    It has the same id and content. Where ids recur with other content, they tell nothing, and are no longer looked at. A request
    that is sent again, body for body, may get its earlier reply, as from a proxy that caches.

    Attributes:
        twice: ids of replies that two requests with different bodies got.
    """

    def __init__(self) -> None:
        self.twice: set[str] = set()
        self._seen: dict[str, Seen] = {}
        self._tell = True

    def check(self, data: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """Note the id of a reply to a call with this body; raises BadReply for one that a call with another body got."""
        id = data.get("id")
        if not self._tell or not isinstance(id, str) or not id:
            return
        seen = Seen(digest(data), digest(body))
        before = self._seen.setdefault(id, seen)
        if before.content != seen.content:
            self._tell = False
            return
        if before.body != seen.body or id in self.twice:
            self.twice.add(id)
            raise BadReply("the reply is one to an earlier request")
        if len(self._seen) > MOST_IDS:
            del self._seen[next(iter(self._seen))]
        TAKEN.get([]).append(id)


@cache
def ids_of(urls: tuple[str, ...]) -> Ids:
    """The ids of the replies of these servers, whichever of their models is asked."""
    return Ids()


def _is_name(asked: str, named: str) -> bool:
    """Whether a name in a reply is that of the model: the same, without its owner, or with its version or revision."""
    short, shorter = asked.rsplit("/", 1)[-1], named.rsplit("/", 1)[-1]
    return short == shorter or re.match(rf"{re.escape(short)}(@|[-:]v?\d)", shorter) is not None


def message_of(choice: Mapping[str, Any]) -> tuple[str, str]:
    """The text of a chat's answer, and of its reasoning if the server gives that apart; raises BadReply."""
    message = choice.get("message")
    if not isinstance(message, dict):
        raise BadReply("the reply has no message")
    content, thought = message.get("content"), message.get("reasoning_content") or message.get("reasoning")
    if isinstance(content, list):  # parts, as of Mistral's API
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if content is None and not thought and message.get("tool_calls"):
        raise BadReply("the reply is a call of a tool, and none was offered")
    if not isinstance(content, str | None) or not isinstance(thought, str | None):
        raise BadReply("the message is no text")
    return content or "", thought or ""


def text_of(choice: Mapping[str, Any]) -> str:
    """The text of a completion; raises BadReply."""
    if not isinstance(text := choice.get("text"), str):
        raise BadReply("the reply has no text")
    return text


def usage_of(data: Mapping[str, Any], key: str) -> int | None:
    """A count of tokens; None if the server gives none."""
    usage = data.get("usage")
    value = usage.get(key) if isinstance(usage, dict) else None
    return value if type(value) is int and 0 <= value <= MOST_COUNTED else None


def tokens_of(choice: Mapping[str, Any]) -> list[Token]:
    """The tokens of a reply with log-probabilities, in the form of chats or of completions; none if it has none.

    Raises:
        BadReply: they make no sense.
    """
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        return []
    if isinstance(content := found.get("content"), list):
        return [_of_chat(item) for item in content]
    texts, logprobs, tops = (found.get(key) for key in ("tokens", "token_logprobs", "top_logprobs"))
    if not isinstance(texts, list) or not isinstance(logprobs, list) or len(texts) != len(logprobs):
        raise BadReply("the log-probabilities of the reply make no sense")
    tops = tops if isinstance(tops, list) and len(tops) == len(texts) else [None] * len(texts)
    return [
        Token(str(text), _number(logprob), _top(top.values()) if isinstance(top, dict) else ())
        for text, logprob, top in zip(texts, logprobs, tops, strict=True)
    ]


def _of_chat(item: Any) -> Token:
    if not isinstance(item, dict):
        raise BadReply("the log-probabilities of the reply make no sense")
    top = item.get("top_logprobs")
    values = (
        [other.get("logprob") for other in top if isinstance(other, dict)] if isinstance(top, list) else []
    )
    return Token(str(item.get("token")), _number(item.get("logprob")), _top(values))


def _top(values: Any) -> tuple[float, ...]:
    return tuple(number for value in values if (number := _number(value)) is not None)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadReply("a log-probability of the reply is no number")
    try:
        return float(value)
    except OverflowError as error:
        raise BadReply("a log-probability of the reply is no number") from error


def finite(tokens: Sequence[Token]) -> bool:
    """Whether all tokens have a log-probability that is a number."""
    return all(token.logprob is not None and math.isfinite(token.logprob) for token in tokens)
