"""The files of Python in docs/engines.md and docs/authoring.md work as printed."""

from __future__ import annotations

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import harness.engine.registry as registry
from harness.store.database import Database

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = re.compile(r"<!-- example: (\S+) -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SUITE = (
    "suite: capitals\nscore: mentions\ngates: [{over: each}]\nprobes:\n"
    "  - {id: france, question: What is the capital of France?, answer: Paris}\n"
)


@pytest.fixture(autouse=True)
def _engines_as_before(monkeypatch):
    """The tables as they were, whatever a conftest.py registers."""
    monkeypatch.setattr(registry, "OPENERS", dict(registry.OPENERS))
    monkeypatch.setattr(registry, "_PLACES", dict(registry._PLACES))


def examples(page: str) -> list[tuple[str, str]]:
    return EXAMPLE.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.fixture
def server():
    """The address of a server that answers every chat with the name of the model, and Paris."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            said = f"{body['model']} says Paris to {body['messages'][-1]['content']}"
            data = json.dumps({"choices": [{"message": {"content": said}}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def test_a_server(project, server, monkeypatch):
    (name, code), *_ = examples("engines.md")
    project.write(name, code)
    project.write("suites/capitals.yaml", SUITE)
    monkeypatch.setenv("MODEL_SERVER", server)
    result = project.run("suites/", "--model=served:tuned", "--baseline=served:base")
    assert result.ret == 0
    record = project.record()
    assert record["probes"][0]["tuned"]["answer"].startswith("tuned says Paris to What is")
    assert record["run"]["tuned"]["name"] == f"tuned at {server}"
    assert record["run"]["device"] == "a function of conftest.py"
    assert re.search(r"on a function of conftest\.py; \d+ s asking", result.stdout.str())


def test_functions(project, monkeypatch):
    _, (name, code), (script_name, script), _ = examples("engines.md")
    project.write(name, code)
    project.write("suites/capitals.yaml", SUITE)
    result = project.run("suites/")
    assert result.ret == 0
    assert "release 2 (from the fixture 'tuned')" in result.stdout.str()
    assert project.record()["run"]["device"] == "a function of conftest.py"
    path = project.write(script_name, script)
    monkeypatch.syspath_prepend(str(project.path))
    monkeypatch.delitem(sys.modules, "conftest", raising=False)
    done = project.pytester.runpython(path)
    assert done.outlines[-1] == "0 a function of conftest.py"


def test_an_engine_that_is_asked_once(project):
    *_, (name, code) = examples("engines.md")
    project.write(name, code)
    project.write("suites/capitals.yaml", SUITE)
    result = project.run("suites/", "--model=pinned:tuned", "--baseline=pinned:base", "--store=answers.db")
    assert result.ret == 0
    kept = {
        model.content["identity"]: model.answers for model in Database(project.path / "answers.db").models()
    }
    assert kept == {"org/base@3f1c2a9": 1, "org/tuned@77b0de1, int8": 1}


def test_a_score_of_ones_own(project):
    [(name, code)] = examples("authoring.md")
    project.capability("[{over: each}]", (1, 0, 0, 0))
    conftest = (project.path / "conftest.py").read_text()
    project.write(name, f"{code}\n\n{conftest}")
    suite = (project.path / "general.yaml").read_text().replace("score: mentions", "score: in-order")
    project.write("general.yaml", suite.replace("answer: yes", "answer: indeed."))
    assert project.run("general.yaml").ret == 0
