"""A server on this machine that speaks OpenAI's API, for models that answer by rule; and the ways in which servers fail."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from harness.engine.registry import open_pair
from harness.engine.requests import Chat, EnginePair, Generate, Message, Request
from harness.engine.settings import Settings
from harness.models.reference import Endpoint, ModelPair

Answers = Callable[[str, str], str]
"""From a model's name and the text of the last turn, or of the whole prompt, to the answer."""

FAULTS = (
    "drop",
    "truncate",
    "delay",
    "repeat",
    "limit",
    "fault",
    "empty",
    "no json",
    "other model",
    "no choices",
)


@dataclass
class Served:
    """A server's behaviour, and what it was asked.

    Attributes:
        models: what it lists.
        rates: how often, of all requests for an answer, it fails in each of FAULTS.
        fault_of: the one of FAULTS in which it always fails a request, by its body; None for the others.
        retry_after: the seconds after which a request that got a limit may be sent again.
        owner: the kind of server that it passes for.
        logprobs, echo: whether it gives log-probabilities, and those of prompts.
        refuses: parameters that it does not take.
        fails: the status and the words with which it fails a call, by its body; None for one that it answers.
        opens: what the chat template writes where the answer begins, as some open reasoning, by the body.
        reply: changes a whole reply before it is sent.
        key: what it wants as a key.
        digests: of the files of models, by name, as Ollama tells them.
        decode: turns tokens, which a prompt may be, into text.
        told: what else it tells of itself, by path.
    """

    models: Sequence[str] = ("base", "tuned")
    answers: Answers = lambda model, text: f"{model}: {text}"
    rates: Mapping[str, float] = field(default_factory=dict)
    fault_of: Callable[[dict[str, Any]], str | None] = lambda body: None
    retry_after: str = "0.02"
    owner: str = "vllm"
    logprobs: bool = True
    echo: bool = True
    refuses: Sequence[str] = ()
    fails: Callable[[dict[str, Any]], tuple[int, str] | None] = lambda body: None
    opens: Callable[[dict[str, Any]], str] = lambda body: ""
    reply: Callable[[dict[str, Any], dict[str, Any]], Any] = lambda body, reply: reply
    statuses: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    decode: Callable[[list[int]], str] = lambda tokens: "".join(map(chr, tokens))
    weights: Mapping[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    most_at_once: int = 0
    down: bool = False
    seconds: float = 0.0

    def asked_of(self, model: str) -> list[dict[str, Any]]:
        """The bodies of requests for answers of a model, those at opening included."""
        return [body for body in self.asked if body.get("model") == model]


@contextmanager
def serving(**behaviour: Any) -> Iterator[Served]:
    """A running server."""
    served = Served(**behaviour)

    class Handler(_Handler):
        behaviour = served
        chance = random.Random(7)
        lock = threading.Lock()
        sent: list[bytes] = []
        now = 0

    server = _Server(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no fault of the server."""


class _Handler(BaseHTTPRequestHandler):
    behaviour: Served
    chance: random.Random
    lock: threading.Lock
    sent: list[bytes]
    now: int
    counted = False
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self._stopped():
            return
        entries = [
            {"id": name, "object": "model", "owned_by": self.behaviour.owner, "max_model_len": 2048}
            for name in self.behaviour.models
        ]
        tags = [{"name": name, "digest": digest} for name, digest in self.behaviour.digests.items()]
        told = {
            "/v1/models": {"data": entries},
            "/version": {"version": "9.9"},
            "/api/tags": {"models": tags},
            **self.behaviour.told,
        }
        found = told.get(self.path)
        self._send(
            200 if found else 404, json.dumps(found or {"error": {"message": "no such path"}}).encode()
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._stopped():
            return
        if failed := self.behaviour.fails(body):
            self._send(failed[0], json.dumps({"error": {"message": failed[1]}}).encode())
            return
        if self.path in ("/tokenize", "/detokenize", "/apply-template"):
            self._send(200, json.dumps(_tokenized(self.path, body, self.behaviour)).encode())
            return
        if not self.path.endswith("/completions"):
            self._send(404, b"{}")
            return
        with self.lock:
            self.behaviour.asked.append(body)
            type(self).now += 1
            self.behaviour.most_at_once = max(self.behaviour.most_at_once, self.now)
            roll = self.chance.random()
            self.counted = True
        try:
            time.sleep(self.behaviour.seconds)
            self._answer(body, self.behaviour.fault_of(body) or self._fault(roll))
        finally:
            self._count_out()

    def _count_out(self) -> None:
        """This request is no longer under way: called before its reply is sent, as its client may then send the next."""
        with self.lock:
            type(self).now -= self.counted
            self.counted = False

    def _stopped(self) -> bool:
        """Whether the server takes no request, or not with this key."""
        with self.lock:
            self.behaviour.headers.append(dict(self.headers))
        if self.behaviour.down:
            self.close_connection = True
            return True
        if self.behaviour.key and self.headers.get("Authorization") != f"Bearer {self.behaviour.key}":
            said = f"Incorrect API key provided: {self.headers.get('Authorization')}"
            self._send(401, json.dumps({"error": {"message": said}}).encode())
            return True
        if self.path in self.behaviour.statuses:
            status, said = self.behaviour.statuses[self.path]
            self._send(status, said.encode())
            return True
        return False

    def _fault(self, roll: float) -> str | None:
        for fault in FAULTS:
            roll -= self.behaviour.rates.get(fault, 0.0)
            if roll < 0:
                with self.lock:
                    self.behaviour.faults[fault] += 1
                return fault
        return None

    def _answer(self, body: dict[str, Any], fault: str | None) -> None:
        if refused := [name for name in self.behaviour.refuses if name in body]:
            said = {"error": {"message": f"Unsupported parameter: '{refused[0]}'", "code": 400}}
            self._send(400, json.dumps(said).encode())
            return
        whole = self.behaviour.reply(body, _reply(body, self.behaviour))
        content = json.dumps(whole).encode() if not isinstance(whole, bytes) else whole
        match fault:
            case "drop":
                self.close_connection = True
            case "truncate":
                self._send(200, content[: len(content) // 2], len(content))
                self.close_connection = True
            case "limit":
                self._send(
                    429,
                    b'{"error": {"message": "slow down"}}',
                    more={"Retry-After": self.behaviour.retry_after},
                )
            case "fault":
                self._send(503, b"<html>busy</html>")
            case "empty":
                self._send(200, b"")
            case "no json":
                self._send(200, b"upstream error")
            case "other model":
                self._send(200, json.dumps({**whole, "model": "another"}).encode())
            case "no choices":
                self._send(200, json.dumps({**whole, "choices": []}).encode())
            case "repeat" if self.sent:
                self._send(200, self.sent[-1])
            case _:
                if fault == "delay":
                    time.sleep(0.05)
                self._send(200, content)
                with self.lock:
                    self.sent[:] = [content]

    def _send(
        self, status: int, content: bytes, length: int | None = None, more: Mapping[str, str] = {}
    ) -> None:
        self._count_out()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed."""


# Replies


def pieces(text: str) -> list[str]:
    """The tokens of a text: words with the space before them, which end behind a `>`."""
    return re.findall(r"\s?[^\s>]*>|\s?[^\s>]+|\s+", text)


def _reply(body: dict[str, Any], served: Served) -> dict[str, Any]:
    """A reply as a server gives it; a token is a word, and its log-probability follows from all before it."""
    chat = "messages" in body
    prompt = _rendered(body) if chat else body["prompt"]
    parts = [served.decode([token]) for token in prompt] if isinstance(prompt, list) else pieces(prompt)
    prompt = "".join(parts)
    asked = body["messages"][-1]["content"] if chat else prompt
    words = pieces(served.answers(body["model"], asked))
    most = body.get("max_tokens", body.get("max_completion_tokens"))
    text, finish = "".join(words[:most]), "length" if len(words) > most else "stop"
    written = words[:most]
    stops = [text.index(stop) for stop in body.get("stop", ()) if stop in text]
    if stops:
        text, finish = text[: min(stops)], "stop"
    choice: dict[str, Any] = {"index": 0, "finish_reason": finish}
    choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    weights = served.weights.get(body["model"], body["model"])
    if served.logprobs and body.get("logprobs"):
        choice["logprobs"] = _logprobs(weights, parts, written, chat, bool(body.get("echo")) and served.echo)
    id = f"cmpl-{next(_NUMBERS)}"
    usage = {"prompt_tokens": len(parts), "completion_tokens": len(written)}
    return {"id": id, "created": 1, "model": body["model"], "choices": [choice], "usage": usage}


_NUMBERS = count()
"""Of replies."""


def _rendered(body: dict[str, Any]) -> str:
    turns = "".join(f"<{turn['role']}>{turn['content']}</{turn['role']}> " for turn in body["messages"])
    arguments = body.get("chat_template_kwargs")
    return f"{turns}{json.dumps(arguments) if arguments else ''}<assistant>"


def logprob(weights: str, before: str, token: str) -> float:
    """The log-probability that a model gives a token, in nats."""
    spread = hashlib.sha256(f"{weights}\0{before}\0{token}".encode()).digest()
    return -0.001 - int.from_bytes(spread[:4], "big") / 2**30


def _logprobs(
    weights: str, parts: Sequence[str], written: Sequence[str], chat: bool, echo: bool
) -> dict[str, Any]:
    before, found = "" if echo else "".join(parts), []
    for word in [*(parts if echo else ()), *written]:
        found.append((word, logprob(weights, before, word) if before else None))
        before += word
    if chat:
        return {"content": [{"token": word, "logprob": value, "top_logprobs": []} for word, value in found]}
    return {
        "tokens": [word for word, _ in found],
        "token_logprobs": [value for _, value in found],
        "top_logprobs": [None if value is None else {word: value} for word, value in found],
        "text_offset": [],
    }


def _tokenized(path: str, body: dict[str, Any], served: Served) -> dict[str, Any]:
    if path == "/detokenize":
        return {"prompt": "".join(map(chr, body["tokens"]))}
    text = _rendered(body) + served.opens(body) if "messages" in body else body["prompt"]
    if path == "/apply-template":
        return {"prompt": text}
    return {"tokens": [ord(character) for character in text], "count": len(text)}


# Who asks


def endpoint(*servers: Served | str, name: str = "tuned", **parameters: Any) -> Endpoint:
    """The reference of a model behind servers."""
    urls = ",".join(server if isinstance(server, str) else server.url for server in servers)
    query = "&".join(f"{key}={value}" for key, value in parameters.items())
    scheme, _, rest = f"{urls}{'?' if query else ''}{query}#{name}".partition(":")
    return Endpoint(scheme, rest)


def opened(*servers: Served | str, asked: Sequence[Request] = (), **parameters: Any) -> EnginePair:
    """A model behind servers as both sides of a pair."""
    model = endpoint(*servers, **parameters)
    return open_pair(ModelPair(model, model), Settings(), asked=asked)


def chat(text: str, **arguments: Any) -> Chat:
    """A chat with a system message."""
    given = tuple((name, json.dumps(value)) for name, value in arguments.items())
    return Chat((Message("system", "Be brief."), Message("user", text)), given)


def questions(number: int) -> list[Generate]:
    """Requests for short answers."""
    return [Generate(chat(f"question {n}"), 12) for n in range(number)]


def answered(engine: Any, requests: Sequence[Request]) -> Counter[Request]:
    """How often each request got its right answer; raises for a wrong one."""
    got: Counter[Request] = Counter()

    def done(answers: Mapping[Any, Any], underway: int) -> None:
        for request, answer in answers.items():
            assert answer.text == f"tuned: {request.prompt.messages[-1].content}"
            got[request] += 1

    engine.stream(requests, done)
    return got
