"""benchmarks/scale: a small model that answers chats, and a server of it that ends with the benchmark, here without vLLM."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from benchmarks.scale.client import WRITTEN, question
from benchmarks.scale.model import HEADS, HIDDEN, write_model
from benchmarks.scale.server import vllm_server
from harness.engine.registry import open_engine
from harness.engine.server.address import read_address
from harness.engine.settings import Settings
from harness.models.reference import find_full_model

SERVER = """
import os, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

given = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
assert Path(given["--model"], "model.safetensors").is_file()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{os.getpid()} {child.pid} {given['--max-num-seqs']}".encode())

HTTPServer((given["--host"], int(given["--port"])), Handler).serve_forever()
"""


@pytest.fixture
def as_vllm(tmp_path, monkeypatch):
    """Writes a module that stands in for vLLM's server."""

    def write(text: str) -> None:
        package = tmp_path / "path" / "vllm" / "entrypoints" / "openai"
        package.mkdir(parents=True)
        (package / "api_server.py").write_text(text, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))

    return write


def is_there(process: int) -> bool:
    """Whether a process runs; one that ended and that nobody waited for does not."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_the_model_answers_a_question(tmp_path):
    engine = open_engine(find_full_model(str(write_model(tmp_path / "small"))), Settings())
    (answer,) = engine.ask([question(7)])
    assert 0 < answer.tokens <= WRITTEN
    assert HIDDEN // HEADS == 64


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks at processes as Linux shows them")
def test_a_server_ends_with_its_block_and_so_does_what_it_started(tmp_path, as_vllm):
    as_vllm(SERVER)
    seen: list[int] = []

    def interrupted() -> None:
        with vllm_server(tmp_path, rows=16, concurrency=32) as reference:
            address = read_address(reference)
            assert (address.model, address.concurrency) == ("small", 32)
            with build_opener(ProxyHandler({})).open(address.urls[0].replace("/v1", "/health")) as reply:
                server, child, rows = map(int, reply.read().split())
            assert (is_there(server), is_there(child), rows) == (True, True, 16)
            seen.extend([server, child])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    until = time.monotonic() + 20  # a process that is killed takes a moment to go
    while any(map(is_there, seen)) and time.monotonic() < until:
        time.sleep(0.02)
    assert [is_there(process) for process in seen] == [False, False]


def test_a_server_that_does_not_start_says_why(tmp_path, as_vllm):
    as_vllm("import sys\nsys.exit('no such device')")
    expected = r"(?s)vLLM did not start \(exit code 1\):.*no such device"
    with pytest.raises(RuntimeError, match=expected), vllm_server(tmp_path, rows=16, concurrency=32):
        pass
