"""An address in, a client of one of its servers out."""

from __future__ import annotations

import ssl
from functools import cache

import httpx2

from harness.engine.server.address import Address
from harness.engine.server.hiding import hide_in_logs

LOCAL = ("localhost", "127.0.0.1", "[::1]")
"""Hosts that no proxy of the environment stands before."""


@cache
def _trusted() -> ssl.SSLContext:
    """What TLS trusts: as the system, and SSL_CERT_FILE; made once, for it takes a while."""
    return httpx2.create_ssl_context()


def client_of(url: str, address: Address) -> httpx2.AsyncClient:
    """A client of one server, to be closed; the key goes with each request."""
    headers = {"Content-Type": "application/json", "User-Agent": "forgetting-gate"}
    if address.key:
        hide_in_logs(address.key)
        headers["Authorization"] = f"Bearer {address.key}"
    return httpx2.AsyncClient(
        base_url=url,
        headers=headers,
        verify=_trusted(),
        timeout=httpx2.Timeout(address.timeout, connect=address.connect_timeout),
        limits=httpx2.Limits(
            max_connections=address.concurrency, max_keepalive_connections=address.concurrency
        ),
        mounts={f"all://{host}": None for host in LOCAL},
    )
