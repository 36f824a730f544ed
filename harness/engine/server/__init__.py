"""Models behind a server that speaks OpenAI's API: a reference such as `http://127.0.0.1:8000/v1#name` in, an Engine out.

`opening.open_server` finds out what a server is and can (`finding`), and tells its model by log-probabilities (`canary`). A
`ServerEngine` turns requests into calls (`writing`, `scoring`), which a `Fleet` sends to the servers that are free.
"""

from __future__ import annotations

from harness.engine.requests import Engine
from harness.engine.settings import Settings
from harness.models.reference import Endpoint
from harness.versions import needs_extra


def open_server(endpoint: Endpoint, settings: Settings) -> Engine:
    """The engine of a model behind a server; raises VersionError without httpx2, else as `opening.open_server`."""
    with needs_extra("server", "a model behind a server"):
        from harness.engine.server import opening

    return opening.open_server(endpoint, settings)
