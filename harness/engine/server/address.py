"""A reference in, where and how to ask a model out.

    http://127.0.0.1:8000/v1#name
    http://a:8000/v1,http://b:8000/v1?key=MY_KEY&revision=3f1c2a9&concurrency=32#name

Several servers of one model are separated by commas. Parameters and name come once, at the end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx2

from harness.engine.server.hiding import hidden, is_secret
from harness.errors import ModelError
from harness.models.secrets import refuse_secrets

CONCURRENCY = 16
"""Requests that a server is sent at once; it queues what it cannot answer yet."""

TIMEOUT = 600.0
"""Seconds that a reply may take, waiting in the server's queue included."""

PATIENCE = 60.0
"""Seconds after which a server that answers nothing is left out."""

LONGEST_CONNECT = 15.0

NUMBERS = {"concurrency": (1, 4096), "timeout": (0.1, 86_400), "patience": (0, 86_400)}

MOST_SERVERS = 256


@dataclass(frozen=True)
class Address:
    """Where and how to ask a model.

    Attributes:
        reference: as the user wrote it, safe to show.
        urls: of the servers, each up to `/v1`.
        model: its name there; None for the only one.
        key: goes with each request; never shown.
        revision: what the user says the model is; None to find out.
        tokenizer: of the model, a folder or hub id, whose chat template renders chats here; None leaves that to the server.
        concurrency: requests that each server is sent at once.
        timeout, patience: in seconds.
    """

    reference: str
    urls: tuple[str, ...]
    model: str | None = None
    key: str | None = field(default=None, repr=False)
    revision: str | None = None
    tokenizer: str | None = None
    concurrency: int = CONCURRENCY
    timeout: float = TIMEOUT
    patience: float = PATIENCE

    @property
    def places(self) -> str:
        """The hosts and ports, for people."""
        hosts = [urlsplit(url).netloc for url in self.urls]
        return hosts[0] if len(hosts) == 1 else f"{hosts[0]} and {len(hosts) - 1} more"

    @property
    def connect_timeout(self) -> float:
        """Seconds to connect, or to answer what a server has at hand."""
        return min(LONGEST_CONNECT, self.timeout)


def read_address(reference: str, environment: Mapping[str, str] = os.environ) -> Address:
    """The address that a reference names.

    Raises:
        ModelError: it is malformed, its variable holds no key, or it may have a key or a password in it.
    """
    refuse_secrets(reference, environment)
    whole, _, name = reference.partition("#")
    servers, _, query = whole.partition("?")
    urls = tuple(_url(url, reference) for url in re.split(r",(?=\s*https?://)", servers))
    if len(set(urls)) < len(urls) or len(urls) > MOST_SERVERS:
        raise ModelError(
            f"{reference}: names {len(urls)} servers, {len(set(urls))} of them different\n"
            f"  name each once, and at most {MOST_SERVERS}"
        )
    given = _parameters(query, reference)
    numbers = {key: _number(key, given[key], reference) for key in NUMBERS if key in given}
    key = _key(given["key"], environment, reference) if "key" in given else None
    return Address(
        reference,
        urls,
        unquote(name) or None,
        key,
        given.get("revision"),
        given.get("tokenizer"),
        **numbers,  # type: ignore[arg-type]
    )


def _url(url: str, reference: str) -> str:
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _, _ = parts.hostname, parts.port, httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL) as error:
        raise ModelError(f"{reference}: '{url}' is no address of a server: {error}") from error
    if not host or re.search(r"[\s\x00-\x1f]", url):
        raise ModelError(
            f"{reference}: '{url}' is no address of a server\n  write one such as http://127.0.0.1:8000/v1"
        )
    path = parts.path.rstrip("/")
    if path.endswith("/completions"):
        raise ModelError(
            f"{reference}: name the server up to '/v1', without '/chat/completions' or '/completions'"
        )
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"


def _parameters(query: str, reference: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in given or not value.strip():
            raise ModelError(
                f"{reference}: the parameter '{name}' is {'given twice' if name in given else 'empty'}"
            )
        given[name] = value.strip()
    return given


def _number(name: str, value: str, reference: str) -> float:
    least, most = NUMBERS[name]
    whole = name == "concurrency"
    try:
        number = int(value) if whole else float(value)
        if not least <= number <= most:
            raise ValueError
    except ValueError as error:
        kind = "a whole number" if whole else "seconds"
        raise ModelError(
            f"{reference}: '{name}' must be {kind} from {least} to {most}, saw '{value:.40}'"
        ) from error
    return number


def _key(variable: str, environment: Mapping[str, str], reference: str) -> str:
    key = environment.get(variable, "").strip()
    if not key:
        raise ModelError(
            f"{reference}: the environment variable {variable} holds no key\n  set it where the gate runs: export {variable}=..."
        )
    if not key.isascii() or not key.isprintable():
        raise ModelError(f"{reference}: the key in {variable} has characters that no HTTP header can hold")
    plain = unquote(reference)
    if is_secret(key) and hidden(plain, key) != plain:
        raise ModelError(
            f"{hidden(plain, key)}: has the key in {variable} in it, which would be in every log\n"
            "  let the address and the model's name do without it"
        )
    return key
