"""A server of OpenAI's API for a small random model: vLLM, or a rule in this process."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.support.models import save_model
from tests.support.served import serving

PATIENCE = 180
"""Seconds until vLLM must answer."""

RULED = 0.02
"""Seconds that the rule takes for an answer."""

ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}


@contextmanager
def by_rule() -> Iterator[str]:
    """The reference of a model that repeats what it is asked."""
    with serving(models=["rule"], seconds=RULED) as served:
        yield f"{served.url}#rule"


@contextmanager
def by_vllm(python: Path) -> Iterator[str]:
    """The reference of a random model of two layers, served by vLLM in an environment that has it.

    Raises:
        RuntimeError: it does not start.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        save_model(folder / "model")
        command = [str(python), "-m", "vllm.entrypoints.openai.api_server", f"--model={folder / 'model'}"]
        options = ["--served-model-name=random", "--host=127.0.0.1", f"--port={port}", "--enforce-eager", "--dtype=float32"]  # fmt: skip
        log = folder / "log.txt"
        with log.open("wb") as written:
            server = subprocess.Popen(
                [*command, *options], stdout=written, stderr=written, env={**os.environ, **ENVIRONMENT}
            )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1#random"
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until a server answers; raises RuntimeError with the end of its log if it does not."""
    end = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < end:
        with suppress(URLError, OSError), urlopen(url, timeout=5):
            return
        time.sleep(0.5)
    last = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"vLLM does not answer at {url}\n{last}")


class Watched:
    """What vLLM says of its queue while it works, every so many seconds; nothing for servers that do not say."""

    def __init__(self, reference: str, every: float = 0.25) -> None:
        self.url = reference.partition("#")[0].partition("?")[0].rstrip("/").removesuffix("/v1") + "/metrics"
        self.every = every
        self.samples: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self.every):
            with suppress(OSError), urlopen(self.url, timeout=5) as reply:
                if found := queue_of(reply.read().decode("utf-8", "replace")):
                    self.samples.append(found)


def queue_of(metrics: str) -> tuple[float, float] | None:
    """Requests that a vLLM computes and that wait in it, from its metrics; None if they do not say."""
    found = [
        re.findall(rf"^vllm:num_requests_{kind}(?:{{[^}}]*}})? ([0-9.e+]+)$", metrics, re.MULTILINE)
        for kind in ("running", "waiting")
    ]
    return (sum(map(float, found[0])), sum(map(float, found[1]))) if all(found) else None
