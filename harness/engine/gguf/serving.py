"""A GGUF file and how it is run in, llama.cpp's server in this process out.

It is asked by a socket in a folder that only this user may enter, as the functions of xllamacpp alone do not tokenize. On Windows,
which has no such sockets in Python, it is a port of this machine.
"""

from __future__ import annotations

import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from weakref import finalize

import xllamacpp

from harness.errors import EngineError, ModelError, first_line
from harness.spelling import option
from harness.visible import visible

LONGEST = 90
"""Characters of the path of a socket's folder, on all systems."""

WHY = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.verbosity, params.n_gpu_layers, params.n_ctx = sys.argv[1], 1, 0, 256
xllamacpp.Server(params)
"""
"""Load a file and tell on stderr what is wrong with it."""

LOOPED = "/lora-adapters"
"""Answered by the loop that computes, not by the threads that read requests."""

LOADING = "error loading model:"
"""What llama.cpp writes before the reason."""


@dataclass(frozen=True)
class Running:
    """How a file is run.

    Attributes:
        threads: of the CPU.
        layers: on a GPU; -1 for as many as fit.
        gpu: its number; None for all.
        at_once: the most requests that are computed together.
        tokens: of all of those, prompts and answers.
    """

    threads: int
    layers: int
    gpu: int | None
    at_once: int
    tokens: int


class RefusedError(EngineError):
    """A request that the server does not take."""


class Serving:
    """A server with a model.

    Args:
        name: of the model, in errors.
        path: its file; the first of several shards.
        slots: how many requests it computes together.
        length: the most tokens of each.

    Raises:
        ModelError: llama.cpp cannot load it.
    """

    def __init__(self, name: str, path: Path, running: Running, slots: int, length: int) -> None:
        self.name = name
        folder = tempfile.TemporaryDirectory(prefix="gate-")
        finalize(self, folder.cleanup)
        by_path = hasattr(socket, "AF_UNIX") and len(folder.name) < LONGEST
        place = f"{folder.name}/llama.sock" if by_path else "127.0.0.1"
        self.key = secrets.token_hex(16)
        try:
            self._server = xllamacpp.Server(_parameters(path, running, slots, length, place, self.key))
        except RuntimeError as error:
            hint = _why(path) or (
                f"is there memory for it, and for {slots * length:,} tokens? fewer: {option('batch_tokens', '2048')}"
            )
            raise ModelError(f"{name}: llama.cpp cannot load it\n  {hint}") from error
        self.address = place if by_path else self._server.listening_address.removeprefix("http://")
        self._request("GET", LOOPED)  # a server that ends before its loop begins would wait for it for ever

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What the server answers.

        Raises:
            RefusedError: it does not take the request.
            EngineError: it answers nothing.
        """
        return self._request("POST", path, json.dumps(body))  # type: ignore[no-any-return]

    def _request(self, method: str, path: str, body: str | None = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        try:
            with closing(_connection(self.address)) as connection:
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                told = response.read()
                if response.status == HTTPStatus.OK:
                    return json.loads(told)
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise EngineError(f"{self.name}: llama.cpp stopped answering: {first_line(error)}") from error
        shown = visible(told.decode(errors="replace"))[:300]
        raise RefusedError(f"{self.name}: llama.cpp refuses a request: {shown}")


def _parameters(path: Path, running: Running, slots: int, length: int, place: str, key: str) -> Any:
    given = xllamacpp.CommonParams()
    given.model.path = str(path)
    given.hostnames, given.api_keys, given.port = [place], [key], 0
    given.verbosity = -1
    given.ui = given.warmup = given.ctx_shift = given.endpoint_props = False
    given.cache_ram_mib = given.n_cache_reuse = 0
    given.n_ctx, given.n_parallel, given.kv_unified = slots * length, slots, False
    given.n_threads_http = 2 * slots + 2
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = running.threads
    given.n_gpu_layers = running.layers
    if running.gpu is not None:
        given.main_gpu, given.split_mode = running.gpu, xllamacpp.llama_split_mode.LLAMA_SPLIT_MODE_NONE
    return given


def _why(path: Path) -> str:
    """What llama.cpp says of a file that it cannot load, asked again in a process whose output is read; "" if nothing."""
    command = [sys.executable, "-c", WHY, str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    return visible(done.stderr.partition(LOADING)[2].partition("\n")[0].strip())[:300]


class _ByPath(http.client.HTTPConnection):
    """A connection by a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        if sys.platform == "win32":
            raise OSError("this system has no sockets in the file system")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def _connection(address: str) -> http.client.HTTPConnection:
    return _ByPath(address) if "/" in address else http.client.HTTPConnection(address)
