"""A call and a client in; a reply, a failure that may pass, or a refusal out."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Literal, TypeVar

import httpx2

from harness.engine.server.hiding import hidden, hidden_in
from harness.errors import first_line
from harness.visible import visible

T = TypeVar("T")

PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
"""Statuses after which the same request may succeed."""

LIMITS = frozenset({429, 529})
"""Those of a server that has too much to do."""

MOST_BYTES = 256 << 20
"""Of a reply; one with the log-probabilities of a whole vocabulary has some megabytes."""

LONGEST = 300
"""Characters of what a server says that are shown."""

Kind = Literal["limit", "failed", "dropped", "unreadable", "slow", "unreachable"]


class BadReply(Exception):
    """A reply that is none to what was asked; `str()` says why."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request to a server.

    Attributes:
        path: after the address of the server; after its root with a leading slash.
        body: posted as JSON; None gets the path.
        read: turns the JSON object of a reply into a value; raises BadReply.
    """

    path: str
    body: Mapping[str, Any] | None
    read: Callable[[dict[str, Any]], T]


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What a server answered."""

    value: T


@dataclass(frozen=True)
class Failure:
    """Why there is no answer yet.

    Attributes:
        wait: how many seconds the server wants to be left alone, if it says so.
        status: of a reply that says so.
    """

    kind: Kind
    why: str
    wait: float | None = None
    status: int | None = None


@dataclass(frozen=True)
class Refusal:
    """Why there will be no answer; `why` is what the server says."""

    status: int
    why: str


async def send(
    client: httpx2.AsyncClient, call: Call[T], timeout: float, hide: str | None
) -> Reply[T] | Failure | Refusal:
    """Send a call.

    Args:
        timeout: of the whole reply, in seconds.
        hide: the key, which is in nothing that this returns or raises, even if the server repeats it.
    """
    method, content = ("GET", None) if call.body is None else ("POST", json.dumps(call.body))
    try:
        async with (
            asyncio.timeout(timeout),
            client.stream(method, _url(client, call.path), content=content) as response,
        ):
            body = await _body(response)
            status, headers = response.status_code, response.headers
    except (TimeoutError, httpx2.ReadTimeout, httpx2.WriteTimeout, httpx2.PoolTimeout):
        return Failure("slow", f"no reply within {timeout:g} seconds")
    except (
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.ProxyError,
        httpx2.UnsupportedProtocol,
    ) as error:
        return Failure("unreachable", shown(_reason(error), hide))
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        return Failure("dropped", f"the connection broke: {shown(_reason(error), hide)}")
    except BadReply as error:
        return Failure("unreadable", str(error))
    if status == 200:
        return _read(call, body, hide)
    return _failed(status, headers, body, hide)


def _url(client: httpx2.AsyncClient, path: str) -> str:
    base = str(client.base_url).rstrip("/")
    return base.removesuffix("/v1") + path if path.startswith("/") else f"{base}/{path}"


async def _body(response: httpx2.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise BadReply(f"the reply is larger than {MOST_BYTES >> 20} MB")
        parts.append(part)
    return b"".join(parts)


def _read(call: Call[T], body: bytes, hide: str | None) -> Reply[T] | Failure:
    data = as_json(body, hide)
    if data is None:
        return Failure(
            "unreadable", "the reply is empty" if not body.strip() else "the reply is no JSON object"
        )
    try:
        return Reply(call.read(data))
    except BadReply as error:
        return Failure("unreadable", hidden(str(error), hide))


def _failed(status: int, headers: Mapping[str, str], body: bytes, hide: str | None) -> Failure | Refusal:
    said = words_of(body, hide)
    why = shown(f"{status} {httpx2.codes.get_reason_phrase(status)}{f': {said}' if said else ''}", hide)
    if 300 <= status < 400:
        return Refusal(status, shown(f"{why}: it redirects to {headers.get('location', 'nowhere')}", hide))
    if status not in PASSING or b"insufficient_quota" in body[:10_000]:
        return Refusal(status, why)
    return Failure("limit" if status in LIMITS else "failed", why, _wait(headers.get("retry-after")), status)


def as_json(body: bytes, hide: str | None) -> dict[str, Any] | None:
    """The JSON object of a body, without the key; None for anything else."""
    try:
        data = hidden_in(json.loads(body), hide)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def words_of(body: bytes, hide: str | None) -> str:
    """What a server says of an error; OpenAI's form, FastAPI's, or the text itself."""
    data = as_json(body, hide)
    if data is None:
        text = body.decode("utf-8", "replace").strip()
        return "" if text.startswith("<") else text
    found = data.get("error", data.get("message", data.get("detail", "")))
    if isinstance(found, dict):
        found = found.get("message") or found
    return found if isinstance(found, str) else json.dumps(found)


def shown(text: str, hide: str | None) -> str:
    """A server's words, on one line, not too long, and without what must be hidden."""
    text = hidden(text, hide)
    return visible(text[:LONGEST].strip()) + ("..." if len(text) > LONGEST else "")


def _wait(given: str | None) -> float | None:
    """The seconds of a Retry-After, which is a number or a date; None for any other text."""
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        try:
            until = parsedate_to_datetime(given)
        except (ValueError, OverflowError):
            return None
        until = until.replace(tzinfo=until.tzinfo or UTC)  # an HTTP date without a zone is in UTC
        seconds = (until - datetime.now(UTC)).total_seconds()
    return min(max(0.0, seconds), 86_400.0) if seconds == seconds else None


def _reason(error: BaseException) -> str:
    """What the system says of a connection that failed."""
    for inner in _causes(error):
        if isinstance(inner, ssl.SSLError):
            return f"TLS: {getattr(inner, 'verify_message', None) or first_line(inner)}"
        if isinstance(inner, OSError) and inner.errno:  # asyncio has words of its own
            return os.strerror(inner.errno) if inner.errno > 0 else str(inner.strerror)
    return str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What an exception came from, the innermost first."""
    chain: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left and len(chain) < 100:
        inner = left.pop()
        if inner is None or inner in chain:
            continue
        chain.append(inner)
        if isinstance(inner, BaseExceptionGroup):
            left += inner.exceptions
        left += [inner.__cause__, inner.__context__]
    return reversed(chain)
