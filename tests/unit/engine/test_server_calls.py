"""One call to a server, and the state of a server over many: what passes, what is final, how long it is left alone."""

from __future__ import annotations

import asyncio
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from harness.engine.server.calls import BadReply, Call, Failure, Refusal, Reply, send
from harness.engine.server.servers import Server
from tests.support.served import opened, serving

SECRET = "sk-live-0815"


def sent(handle, path="completions", timeout=5.0):
    def read(data):
        if "bad" in data:
            raise BadReply("it is bad")
        return data

    async def ask():
        async with httpx2.AsyncClient(
            transport=httpx2.MockTransport(handle), base_url="http://host/v1"
        ) as client:
            return await send(client, Call(path, {"a": 1}, read), timeout, SECRET)

    return asyncio.run(ask())


def replied(status=200, content=b"{}", **headers):
    return sent(lambda request: httpx2.Response(status, content=content, headers=headers))


def raising(error):
    def handle(request):
        raise error

    return handle


def test_a_reply_is_read():
    assert replied(content=b'{"x": 1}') == Reply({"x": 1})


@pytest.mark.parametrize(
    ("path", "url"), [("completions", "http://host/v1/completions"), ("/tokenize", "http://host/tokenize")]
)
def test_a_path_is_after_the_address_or_the_root(path, url):
    seen = []
    sent(lambda request: seen.append(str(request.url)) or httpx2.Response(200, content=b"{}"), path)
    assert seen == [url]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the reply is empty"),
        (b" \n", "the reply is empty"),
        (b'{"x": ', "the reply is no JSON object"),
        (b"[1]", "the reply is no JSON object"),
        (b"[" * 100_000, "the reply is no JSON object"),
        (b"<html>", "the reply is no JSON object"),
        (b'{"bad": 1}', "it is bad"),
    ],
)
def test_an_unreadable_reply_is_a_failure(content, why):
    assert replied(content=content) == Failure("unreadable", why)


@pytest.mark.parametrize(
    ("status", "kind"), [(429, "limit"), (529, "limit"), (500, "failed"), (503, "failed"), (408, "failed")]
)
def test_what_may_pass_is_a_failure(status, kind):
    outcome = replied(status, b'{"error": {"message": "busy"}}')
    assert isinstance(outcome, Failure)
    assert outcome.kind == kind
    assert outcome.why.endswith(": busy")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_does_not_pass_is_a_refusal(status):
    assert isinstance(replied(status), Refusal)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"error": {"message": "no"}}', "400 Bad Request: no"),
        (b'{"error": "no"}', "400 Bad Request: no"),
        (b'{"message": "no"}', "400 Bad Request: no"),
        (b'{"detail": [{"loc": "x"}]}', '400 Bad Request: [{"loc": "x"}]'),
        (b"no", "400 Bad Request: no"),
        (b"<html>long</html>", "400 Bad Request"),
        (f"no {SECRET}".encode(), "400 Bad Request: no (hidden)"),
        (b"a\x1b[31mb", "400 Bad Request: a\\u001b[31mb"),
    ],
)
def test_a_servers_words_are_shown_safely(content, said):
    assert replied(400, content).why == said


@pytest.mark.parametrize("depth", range(100, 1000, 100))
def test_a_reply_is_read_or_too_deep(depth):
    outcome = replied(content=b'{"x": ' + b"[" * depth + b"]" * depth + b"}")
    assert isinstance(outcome, Reply) or outcome == Failure("unreadable", "the reply is no JSON object")


def test_a_quota_that_is_spent_does_not_pass():
    assert isinstance(replied(429, b'{"error": {"code": "insufficient_quota"}}'), Refusal)


def test_a_redirection_is_a_refusal_with_its_goal():
    assert "redirects to https://other/v1" in replied(308, location="https://other/v1").why


@pytest.mark.parametrize(
    ("given", "wait"), [("3", 3.0), ("0", 0.0), ("-1", 0.0), ("soon", None), ("nan", None)]
)
def test_retry_after_in_seconds(given, wait):
    assert replied(429, **{"retry-after": given}).wait == wait


def test_retry_after_as_a_date():
    until = datetime.now(UTC) + timedelta(seconds=1000)
    assert 900 < replied(503, **{"retry-after": format_datetime(until)}).wait <= 1000


@pytest.mark.parametrize("zone", ["-0000", ""])
def test_retry_after_as_a_date_without_a_zone_is_in_utc(monkeypatch, zone):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        until = datetime.now(UTC) + timedelta(seconds=1000)
        given = f"{until:%a, %d %b %Y %H:%M:%S} {zone}".strip()
        assert 900 < replied(503, **{"retry-after": given}).wait <= 1000
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ("Fri, 31 Dec 9999 23:59:59 -0100", 86_400.0),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 0.0),
        ("Fri, 31 Dec 2020 23:59:59 +99999999999999", None),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
        ("1e400", 86_400.0),
        ("9" * 5000, 86_400.0),
    ],
)
def test_retry_after_beyond_every_calendar(given, wait):
    assert replied(503, **{"retry-after": given}).wait == wait


@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (httpx2.ConnectError("x"), "unreachable", "x"),
        (httpx2.ReadTimeout("x"), "slow", "no reply within 5 seconds"),
        (httpx2.RemoteProtocolError("peer closed"), "dropped", "the connection broke: peer closed"),
        (httpx2.ReadError(""), "dropped", "the connection broke: ReadError"),
    ],
)
def test_a_connection_that_fails(error, kind, why):
    assert sent(raising(error)) == Failure(kind, why)


def test_the_reason_of_a_connection_is_the_systems():
    error = httpx2.ConnectError("All connection attempts failed")
    error.__cause__ = OSError("several")
    error.__cause__.__context__ = ConnectionRefusedError(111, "Connection refused")
    assert sent(raising(error)).why == "Connection refused"
    error.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed")
    assert sent(raising(error)).why.startswith("TLS: ")


def test_a_reply_that_trickles_in_is_too_slow():
    async def trickle():
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    outcome = sent(lambda request: httpx2.Response(200, content=trickle()), timeout=0.1)
    assert outcome == Failure("slow", "no reply within 0.1 seconds")


# A server over many calls


LIMIT, FAULT, DROP = Failure("limit", "429"), Failure("failed", "503"), Failure("dropped", "broke")


def failing(failure, times, patience=1e9, every=100.0):
    server = Server("http://host/v1", 16)
    for turn in range(times):
        server.fault = server.failed(failure, sent=turn * every, now=turn * every + 1, patience=patience)
    return server


def pause(server, times, every=100.0):
    return server.resumes - ((times - 1) * every + 1)


def test_pauses_grow_up_to_a_longest_and_differ():
    pauses = [pause(failing(FAULT, times), times) for times in (1, 2, 3, 20)]
    assert all(0.125 * 2**n <= found <= 0.25 * 2**n for n, found in enumerate(pauses[:3]))
    assert 15 <= pauses[3] <= 30
    assert len({pause(failing(FAULT, 3), 3) for _ in range(20)}) > 1


def test_a_first_broken_connection_pauses_nothing():
    assert pause(failing(DROP, 1), 1) == 0
    assert pause(failing(DROP, 2), 2) > 0


def test_the_server_says_how_long_to_wait():
    assert 7.0 <= pause(failing(Failure("limit", "429", 7.0), 1), 1) <= 7.7
    assert "asks to be left alone for 4,000 seconds" in failing(Failure("limit", "429", 4000.0), 1).fault


def test_failures_of_requests_that_were_underway_together_count_once():
    server = Server("http://host/v1", 16)
    assert [server.failed(LIMIT, sent=5.0, now=6.0, patience=0) for _ in range(16)] == [None] * 16
    assert server.window == 8.0


def test_a_limit_halves_what_is_sent_at_once_and_answers_raise_it():
    server = failing(LIMIT, 6)
    assert server.window == 1.0
    for _ in range(400):
        server.succeeded()
    assert server.window == 16.0
    assert failing(FAULT, 6).window == 16.0


def test_a_server_that_answers_nothing_for_long_is_left_out():
    assert failing(FAULT, 3, patience=200).fault == "503 (3 failures and no answer in 201 seconds)"
    assert failing(FAULT, 3, patience=300).fault is None
    assert failing(FAULT, 2, patience=0).fault is None


def test_an_answer_ends_a_row_of_failures():
    server = failing(FAULT, 2)
    server.succeeded()
    assert server.failed(FAULT, sent=300.0, now=301.0, patience=0) is None


def asked_to_wait(seconds, times, patience=5.0):
    """A server that was asked again as soon as it allowed, and why it is to be left out."""
    server, now, fault = Server("http://host/v1", 16), 0.0, None
    for _ in range(times):
        fault = server.failed(Failure("limit", "429", seconds), sent=now, now=now + 0.01, patience=patience)
        now = server.resumes
    return server, fault


def test_the_time_that_a_server_asked_for_is_no_failing():
    assert asked_to_wait(30.0, 10)[1] is None
    assert "asks to be left alone for 6" in asked_to_wait(30.0, 21)[1]


def test_a_server_that_asks_for_no_time_gets_some_and_is_left_out_in_the_end():
    server, fault = asked_to_wait(0.0, 3)
    assert 0.03 + 0.125 + 0.25 + 0.5 <= server.resumes <= 0.03 + 0.25 + 0.5 + 1.0
    assert fault is None
    assert "429 (12 failures and no answer in " in asked_to_wait(0.0, 12)[1]


def test_connections_are_closed_before_what_one_call_found_is_used(monkeypatch):
    closed = []
    aclose = httpx2.AsyncClient.aclose

    async def slowly(client):
        await asyncio.sleep(0.05)
        await aclose(client)
        closed.append(client)

    monkeypatch.setattr(httpx2.AsyncClient, "aclose", slowly)
    with serving() as server:
        tuned = opened(server).tuned
        before = len(closed)
        assert before
        tuned.fleet.value(lambda: asyncio.sleep(0, 1))
        assert len(closed) == before + 1
