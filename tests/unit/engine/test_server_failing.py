"""Servers of our own that fail, and requests that they fail: what is asked again, left out, put off, named and kept."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from harness.engine.requests import MultipleChoice, Plain, UnansweredError
from harness.engine.server.fleet import MOST_TRIES
from harness.engine.settings import Settings
from harness.errors import EngineError
from harness.models.reference import ModelPair
from harness.store.opening import open_pair
from tests.support.served import FAULTS, answered, endpoint, opened, questions, serving


def test_a_proxy_that_caches_stands_before_a_server():
    kept = {}

    def cached(body, reply):
        return kept.setdefault(json.dumps(body), reply)

    with serving(reply=cached) as server:
        choices = [MultipleChoice(Plain("Two and two is"), (" four", " five or six"))]
        first = opened(server).tuned.ask([*choices, *questions(3)])
        engine = opened(server).tuned
        assert engine.ask([*choices, *questions(3)]) == first
        assert engine.told() == []


@pytest.mark.parametrize(("concurrency", "number"), [(1, 60), (16, 300)])
def test_no_answer_is_lost_or_given_twice(concurrency, number):
    rates = dict.fromkeys(FAULTS, 0.02)
    with serving(rates=rates) as server:
        engine = opened(server, concurrency=concurrency).tuned
        requests = questions(number)
        got = answered(engine, requests)
        assert set(got) == set(requests)
        assert set(got.values()) == {1}
        assert server.most_at_once <= concurrency
        assert len(server.faults) > 5
        (told,) = engine.told()
        assert "requests sent again (" in told
        assert "after a broken connection" in told
        assert engine.told() == []


def test_a_server_that_dies_is_left_out_and_said():
    with serving(seconds=0.002) as one, serving(seconds=0.002) as other:
        engine = opened(one, other, patience=0.1).tuned
        requests, got = questions(150), Counter()

        def done(answers, underway):
            got.update(list(answers))
            if len(got) > 20:
                one.down = True

        engine.stream(requests, done)
        assert got == Counter(requests)
        assert min(len(server.asked) for server in (one, other)) > 20
        other.down = True
        with pytest.raises(EngineError, match="no server is left that answers") as raised:
            engine.ask(questions(1))
        left_out = [note for note in engine.told() if "was left out: the connection broke" in note]
        for server in (one, other):
            assert server.url in str(raised.value)
            assert any(server.url in note for note in left_out)


def test_one_of_several_servers_may_be_missing_at_first():
    with serving() as server:
        pair = opened(server, "http://127.0.0.1:9/v1")
        assert pair.notes[0] == "left out: http://127.0.0.1:9/v1: no connection: Connection refused"
        assert answered(pair.tuned, questions(3)).total() == 3


def is_fifth(body):
    return "question 5'" in str(body.get("messages", ""))


def poisoned(body):
    """What a server fails one question with."""
    return (500, "assertion failed") if is_fifth(body) else None


@pytest.mark.parametrize(
    ("number", "servers", "parameters"),
    [(2_000, 1, {"concurrency": 4}), (16, 2, {"patience": 0.5}), (8, 1, {"concurrency": 1, "patience": 0.2})],
)
def test_a_request_that_always_fails_ends_the_run_with_its_name(monkeypatch, number, servers, parameters):
    monkeypatch.setattr("harness.engine.server.servers.FIRST_PAUSE", 0.02)
    with serving(fails=poisoned, seconds=0.002) as one, serving(fails=poisoned, seconds=0.002) as other:
        engine = opened(*(one, other)[:servers], **parameters).tuned
        with pytest.raises(UnansweredError) as raised:
            engine.ask(questions(number))
        why = f"failed a request {MOST_TRIES} times, and answers others: 500 Internal Server Error"
        assert f"{why}: assertion failed" in str(raised.value)
        assert raised.value.request == questions(6)[5]
        assert [note for note in engine.told() if "left out" in note] == []


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize(
    ("fault", "retry_after", "why"),
    [
        ("limit", "0.02", "429 Too Many Requests: slow down"),
        ("limit", "4000", "429 Too Many Requests: slow down"),
        ("fault", "", "503 Service Unavailable"),
        ("drop", "", "the connection broke: Server disconnected"),
        ("truncate", "", "the connection broke: peer closed connection"),
    ],
)
def test_a_request_that_alone_always_fails_is_named_and_other_answers_are_kept(
    monkeypatch, tmp_path, concurrency, fault, retry_after, why
):
    monkeypatch.setattr("harness.engine.server.servers.FIRST_PAUSE", 0.02)
    settings, requests = Settings(store=str(tmp_path / "a.db")), questions(40)
    with serving(retry_after=retry_after) as server:
        model = endpoint(server, concurrency=concurrency, patience=0.2)
        engine = open_pair(ModelPair(model, model), settings).tuned
        server.fault_of = lambda body: fault if is_fifth(body) else None
        with pytest.raises(UnansweredError) as raised:
            engine.ask(requests)
        assert f"{server.url} failed a request " in str(raised.value)
        assert f" times, and answers others: {why}" in str(raised.value)
        assert raised.value.request == requests[5]
        assert [note for note in engine.told() if "left out" in note] == []
        server.fault_of, begun = lambda body: None, len(server.asked)
        assert [answer.text for answer in engine.ask(requests)] == [f"tuned: question {n}" for n in range(40)]
        assert len(server.asked) - begun <= (1 if fault == "limit" else 40 - 5)


def test_a_server_that_is_gone_is_no_requests_fault(monkeypatch):
    monkeypatch.setattr("harness.engine.server.servers.FIRST_PAUSE", 0.02)
    with serving() as server:
        engine = opened(server, patience=0.1).tuned
        server.down = True
        with pytest.raises(EngineError, match="the server does not answer") as raised:
            engine.ask(questions(2))
        assert not isinstance(raised.value, UnansweredError)


def test_a_limit_that_ends_when_others_are_answered_ends_nothing(monkeypatch):
    """As one of tokens a minute, which a long request exceeds as long as short ones are answered."""
    monkeypatch.setattr("harness.engine.server.servers.FIRST_PAUSE", 0.02)
    others: list[str] = []

    def starved(body):
        if not is_fifth(body):
            others.append(str(body))
        return "limit" if is_fifth(body) and len(others) < 39 else None

    with serving() as server:
        engine = opened(server, concurrency=4, patience=0.2).tuned
        server.fault_of = starved
        assert answered(engine, questions(40)).total() == 40


def test_a_request_to_which_nobody_replies_as_json_ends_the_run_too():
    def reply(body, reply):
        return b"nothing" if is_fifth(body) else reply

    with serving(reply=reply, seconds=0.002) as server:
        engine = opened(server, concurrency=4).tuned
        with pytest.raises(UnansweredError, match="the reply is no JSON object") as raised:
            engine.ask(questions(2_000))
        assert raised.value.request == questions(6)[5]
        assert sum(map(is_fifth, server.asked)) == MOST_TRIES
