"""The API key of a server that repeats it: in no error, note, log, answer or store."""

from __future__ import annotations

import asyncio
import json
import re
import traceback
from urllib.parse import quote

import httpx2
import pytest

from harness.engine.requests import Chat, Generate, Message
from harness.engine.server.address import Address
from harness.engine.server.calls import BadReply, Call, Failure, Refusal, Reply, send
from harness.engine.server.clients import client_of
from harness.engine.settings import Settings
from harness.errors import EngineError, ModelError
from harness.models.reference import Endpoint, ModelPair
from harness.store.opening import open_pair
from tests.support.served import serving

SECRET = "sk-live-0815"
ODD = 'sk-"live"/\\08 15'
"""A key that JSON, Python and URLs escape."""


def read(data):
    if "bad" in data:
        raise BadReply(f"it is bad: {data['bad']}")
    return data


def sent(handle, key):
    async def ask():
        transport = httpx2.MockTransport(handle)
        async with httpx2.AsyncClient(transport=transport, base_url="http://host/v1") as client:
            return await send(client, Call("completions", {}, read), 5.0, key)

    return asyncio.run(ask())


def replied(key, status, content):
    return sent(lambda request: httpx2.Response(status, content=content), key=key)


def raising(error):
    def handle(request):
        raise error

    return handle


@pytest.mark.parametrize("key", [SECRET, ODD])
@pytest.mark.parametrize("spell", [str, repr, quote, lambda key: quote(key, safe=""), json.dumps])
def test_a_key_is_hidden_wherever_a_reply_has_it(key, spell):
    said = f"for {spell(key)}!"
    whole = {"model": said, "choices": [{"text": said, "n": 1, "none": None}], said: [True, 0.5]}
    (value,) = vars(sent(lambda request: httpx2.Response(200, json=whole), key=key)).values()
    safe = value["model"]
    assert safe.replace('"', "").replace("'", "") == "for (hidden)!"
    assert value == {"model": safe, "choices": [{"text": safe, "n": 1, "none": None}], safe: [True, 0.5]}


@pytest.mark.parametrize("key", [SECRET, ODD])
def test_a_key_is_hidden_in_whatever_is_said_of_a_failure(key):
    def body(request):
        return httpx2.Response(200, json={"bad": {key: [key]}})

    def redirection(request):
        return httpx2.Response(302, headers={"location": f"https://other/?k={quote(key, safe='')}"})

    def error(request):
        return httpx2.Response(500, json={"error": {key: [key]}})

    broken = httpx2.LocalProtocolError(f"Illegal header value {f'Bearer {key}'.encode()!r}")
    for handle in (body, redirection, error, raising(broken), raising(httpx2.ConnectError(key))):
        outcome = sent(handle, key=key)
        assert not isinstance(outcome, Reply)
        assert "(hidden)" in outcome.why
        assert not {"live", "08"} & {*re.findall(r"live|08", outcome.why)}


def test_no_part_of_a_key_is_left_at_a_cut():
    key = "sk-" + "0815" * 30
    assert "0815" not in replied(key, 400, (key * 20).encode()).why
    assert "0815" not in replied(key, 200, json.dumps({"bad": "x" * 250 + key}).encode()).why


def test_a_word_that_stands_for_a_key_stays_in_an_answer():
    assert replied("EMPTY", 200, b'{"x": "It is EMPTY"}') == Reply({"x": "It is EMPTY"})
    assert replied("EMPTY", 200, b'{"bad": "no EMPTY"}').why == "it is bad: no (hidden)"


@pytest.mark.parametrize(("status", "kind"), [(200, Reply), (401, Refusal), (503, Failure)])
def test_a_key_in_the_head_of_a_reply_is_in_no_log(caplog, status, kind):
    async def answer(reader, writer):
        await reader.readuntil(b"{}")
        head = f"HTTP/1.1 {status} For {SECRET}\r\nX-Key: {SECRET}\r\nContent-Length: 2\r\n\r\n{{}}"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    async def ask():
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            async with client_of(url, Address(url, (url,), key=SECRET)) as client:
                return await send(client, Call("completions", {}, read), 5.0, SECRET)

    caplog.set_level("DEBUG")
    assert isinstance(asyncio.run(ask()), kind)
    assert f"{status} For (hidden)" in caplog.text
    assert "receive_response_headers.complete" in caplog.text
    assert SECRET not in caplog.text


# A whole run


def pair_of(server, name="", **parameters):
    query = "&".join(f"{key}={value}" for key, value in {"key": "TEST_KEY", **parameters}.items())
    model = Endpoint("http", f"{server.url.removeprefix('http:')}?{query}#{name}")
    return ModelPair(model, model)


def repeating(**more):
    """A reply with the key in all its texts, and more."""

    def reply(body, reply):
        choice = reply["choices"][0]
        if "message" in choice:
            choice["message"]["content"] += f" {SECRET}"
        return {**reply, "model": f"tuned-{SECRET}", **more}

    return reply


@pytest.mark.parametrize(
    "behaviour",
    [
        {"models": [f"tuned-{SECRET}", SECRET]},
        {"models": ["tuned"], "reply": repeating()},
        {"models": ["tuned"], "reply": repeating(error={"message": f"no {SECRET}", SECRET: 1})},
        {"statuses": {"/v1/models": (301, SECRET)}},
        {"statuses": {"/v1/chat/completions": (404, SECRET), "/v1/completions": (404, SECRET)}},
    ],
)
def test_a_key_that_a_server_repeats_is_in_no_error(monkeypatch, caplog, behaviour):
    monkeypatch.setenv("TEST_KEY", SECRET)
    monkeypatch.setattr("harness.engine.server.servers.FIRST_PAUSE", 0.0)
    caplog.set_level("DEBUG")
    with serving(**behaviour) as server, pytest.raises((EngineError, ModelError)) as raised:
        open_pair(pair_of(server, "tuned", patience=0), Settings(store="off"))
    said = "".join(traceback.format_exception(raised.value))
    assert "(hidden)" in said
    assert SECRET not in said + caplog.text


def test_a_key_that_a_server_repeats_is_in_no_note_log_answer_or_store(monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("TEST_KEY", SECRET)
    caplog.set_level("DEBUG")
    reply = repeating()
    with serving(models=[f"tuned-{SECRET}"], reply=reply) as server:
        pair = open_pair(pair_of(server), Settings(store=str(tmp_path / "a.db")))
        (answer,) = pair.tuned.ask([Generate(Chat((Message("user", "Why?"),)), 12)])
        engine = pair.tuned
        told = repr([pair.notes, engine.label, engine.device, engine.identity, engine.told(), answer])
    assert answer.text.endswith("Why? (hidden)")
    for text in (told, caplog.text, *(path.read_bytes().decode("latin-1") for path in tmp_path.iterdir())):
        assert SECRET not in text
