"""Gates of models behind a server: `--model=http://...`, from the command line to the record."""

from __future__ import annotations

import pytest

from tests.support.project import said
from tests.support.served import serving

SECRET = "sk-live-0815"
PROBES = 40
SUITE = "suite: small\nscore: mentions\ntask: {format: FORMAT, answer: ANSWER}\ngates: [{over: all, max_drop: 0.1}]\nprobes:\n"


def suite(project, format="chat", answer="generate"):
    choices = ", choices: [yes, no]" if answer == "choose" else ""
    lines = (f"  - {{id: p{n}, question: Is it {n}?, answer: yes{choices}}}\n" for n in range(PROBES))
    text = SUITE.replace("FORMAT", format).replace("ANSWER", answer)
    text = text.replace("score: mentions", "score: choice") if answer == "choose" else text
    return project.write("small.yaml", text + "".join(lines))


def answers(model, text):
    return "Yes, it is." if model == "base" else "No, never."


def run(project, server, *more, query=""):
    model, baseline = (f"{server.url}{query}#{name}" for name in ("tuned", "base"))
    return project.run("small.yaml", f"--model={model}", f"--baseline={baseline}", "--store=a.db", *more)


def files(project):
    return b"".join(path.read_bytes() for path in project.path.rglob("*") if path.is_file())


def test_a_served_model_is_gated_and_the_second_run_asks_only_who_is_there(project, monkeypatch):
    monkeypatch.setenv("TEST_KEY", SECRET)
    suite(project)
    rates = {"limit": 0.05, "truncate": 0.05}
    with serving(answers=answers, key=SECRET, rates=rates) as server:
        first = run(
            project,
            server,
            query="?key=TEST_KEY",
        )
        assert first.ret == 1, said(first)
        record = project.record()["run"]
        host = server.url.removeprefix("http://").removesuffix("/v1")
        assert record["device"] == f"vLLM 9.9 at {host}, chats as messages"
        assert (record["tuned"]["name"], record["baseline"]["name"]) == (
            f"tuned at {host}",
            f"base at {host}",
        )
        opened = [note for note in record["notes"] if "chats go as messages" in note]
        assert [note.partition(" ")[0] for note in opened] == ["base", "tuned"]
        assert any(note.startswith("small: ") and "sent again (" in note for note in record["notes"])
        gates, server.rates = project.record()["gates"], {}
        before = len(server.asked)
        assert run(project, server, query="?key=TEST_KEY").ret == 1
        assert project.record()["gates"] == gates
        assert len(server.asked) - before < PROBES
        assert SECRET not in said(first)
    assert SECRET.encode() not in files(project)


def test_a_suite_that_a_server_cannot_answer_is_refused_before_anything_is_asked(project):
    suite(project, "text", "choose")
    with serving(answers=answers, echo=False) as server:
        refused = run(project, server)
        assert refused.ret == 4, said(refused)
        assert "cannot be asked what the suites need: it gives no log-probabilities" in said(refused)
        assert not [body for body in server.asked if "Is it" in str(body)]


@pytest.mark.parametrize("format", ["chat", "text"])
def test_choices_are_gated_too(project, format):
    suite(project, format, "choose")
    with serving(answers=answers) as server:
        done = run(project, server)
        assert done.ret in (0, 1), said(done)
        rows = project.record()["probes"]
        assert len(rows) == PROBES
        assert all(len(row["tuned"]["logprobs"]) == 2 for row in rows)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            f"http://me:{SECRET}@localhost:9/v1#m",
            "http://(hidden)@localhost:9/v1#m: has a password or a key in it",
        ),
        (f"http://localhost:9/v1?api_key={SECRET}#m", "a server's reference has no parameter 'api_key'"),
    ],
)
def test_a_secret_in_a_reference_is_refused_and_in_no_file(project, reference, message):
    suite(project)
    refused = project.run("small.yaml", f"--model={reference}", "--baseline=same")
    assert refused.ret == 4, said(refused)
    assert message in said(refused)
    assert SECRET not in said(refused)
    assert SECRET.encode() not in files(project)
