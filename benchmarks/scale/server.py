"""A folder in, the reference of a vLLM server of a small random model out; the server is stopped at the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from benchmarks.scale.model import CONTEXT, write_model

NAME = "small"
LONGEST_START = 600.0
LONGEST_STOP = 30.0
"""Seconds."""

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
}


@contextmanager
def vllm_server(folder: Path, rows: int, concurrency: int) -> Iterator[str]:
    """A server that computes at most `rows` requests at once; its reference, for clients that send `concurrency` each.

    Raises:
        RuntimeError: it does not start.
    """
    model, port, log = write_model(folder / NAME), _free_port(), folder / "server.txt"
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", f"--model={model}", f"--served-model-name={NAME}",
        "--host=127.0.0.1", f"--port={port}", f"--max-num-seqs={rows}", f"--max-model-len={CONTEXT}", "--dtype=float32",
        "--enforce-eager", "--uvicorn-log-level=warning", "--disable-uvicorn-access-log",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**ENVIRONMENT, **os.environ},
            start_new_session=True,  # its group ends with it
        )  # fmt: skip
    try:
        _wait_for(process, f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}/v1?concurrency={concurrency}#{NAME}"
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    opener, until = build_opener(ProxyHandler({})), time.monotonic() + LONGEST_START
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), opener.open(url, timeout=5) as reply:
            if reply.status == 200:
                return
        time.sleep(0.5)
    said = log.read_text(encoding="utf-8", errors="replace")[-3000:]
    raise RuntimeError(f"vLLM did not start (exit code {process.poll()}):\n{said}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and the processes that it started."""
    if sys.platform != "win32":  # where there is no vLLM
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(LONGEST_STOP)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
