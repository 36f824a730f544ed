"""benchmarks/scale: each probe is asked once, by one client or several, and what is printed of a server's queue is what it told."""

from __future__ import annotations

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.scale.__main__ import main, parse
from benchmarks.scale.client import question
from benchmarks.scale.clients import Round, asked_by, shares
from benchmarks.scale.report import clients_table, machine_table, write
from benchmarks.scale.watch import Queue, Sample, Watch, gauge, queue_of
from tests.support.served import serving

ROUND = Round(
    clients=2,
    probes=100,
    seconds=8.0,
    written=1600,
    again=3,
    lost=0,
    twice=0,
    queue=Queue(16.0, 44.5, 0.95),
    server="vLLM 0.32.0 at 127.0.0.1:8000, chats as messages",
)

METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a {b} c"} 16.0
vllm:num_requests_running{engine="1",model_name="a {b} c"} 8.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="small"} 1.2e+01
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 99.0
process_open_fds 12
"""


# Clients


def asked_of(served):
    """The numbers in the questions that a server was asked, the few of opening an engine left out."""
    chats = [body["messages"][-1]["content"] for body in served.asked if "messages" in body]
    return sorted(int(text.split()[0]) for text in chats if text.endswith("What comes after it?"))


@pytest.mark.parametrize("clients", [1, 2])
def test_each_probe_is_asked_once(clients):
    with serving(models=["small"]) as served:
        found = asked_by(clients, f"{served.url}#small", range(100, 160))
        assert asked_of(served) == [*range(100, 160)]
    assert (found.clients, found.probes, found.lost, found.twice, found.again) == (clients, 60, 0, 0, 0)
    assert found.whole
    assert found.written == sum(
        len(f"small: {n} is a number. What comes after it?".split()) for n in range(60)
    )
    assert found.queue is None
    assert found.server.startswith("vLLM 9.9 at 127.0.0.1:")


def test_what_a_server_drops_is_sent_again():
    with serving(models=["small"], rates={"drop": 0.1}) as served:
        found = asked_by(2, f"{served.url}?revision=1#small", range(60))
        assert {*asked_of(served)} == {*range(60)}
    assert found.whole
    assert found.again > 0


def test_a_client_that_cannot_open_its_engine_says_why():
    with (
        serving(models=["other"]) as served,
        pytest.raises(RuntimeError, match="(?s)a client ended with 1:.*small"),
    ):
        asked_by(2, f"{served.url}#small", range(10))


@pytest.mark.parametrize(("probes", "clients"), [(10, 1), (10, 3), (4, 4)])
def test_shares_are_all_probes_and_alike(probes, clients):
    found = shares(range(5, 5 + probes), clients)
    assert [number for share in found for number in share] == [*range(5, 5 + probes)]
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_questions_differ_from_their_beginning():
    texts = [question(number).prompt.messages[0].content for number in range(20_000)]
    assert len({text.split()[0] for text in texts}) == len(texts)


# The queue


def test_a_gauge_is_summed_over_its_labels():
    assert gauge(METRICS, "vllm:num_requests_running") == 24.0
    assert gauge(METRICS, "vllm:num_requests_waiting") == 12.0
    assert gauge(METRICS, "process_open_fds") == 12.0
    assert gauge(METRICS, "vllm:kv_cache_usage_perc") is None


def test_the_middle_of_the_time_counts():
    samples = [Sample(float(at), running=at, waiting=float(at in (3, 4, 5))) for at in range(11)]
    assert queue_of(samples, 0.0, 10.0) == Queue(running=5.0, waiting=0.0, full=3 / 9)
    assert queue_of(samples, 20.0, 30.0) is None


class _Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/metrics"
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(METRICS.encode() if found else b"")

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def telling():
    """The reference of a server that tells its metrics, and nothing else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Metrics)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_server_tells_its_queue(telling):
    with Watch(telling) as watch:
        watch.look()
    (first, *_) = watch.samples
    assert (first.running, first.waiting) == (24.0, 12.0)
    assert watch.queue(first.at - 1, first.at + 1) == Queue(24.0, 12.0, 1.0)


def test_one_server_of_two_that_does_not_tell(telling):
    with serving() as served:
        watch = Watch(f"{telling},{served.url}#tuned")
        watch.look()
    assert watch.samples == []


def test_a_server_that_is_gone_tells_nothing():
    watch = Watch("http://127.0.0.1:9/v1")
    watch.look()
    assert watch.samples == []


# The tables


def test_the_table_of_clients():
    table = clients_table([ROUND, replace(ROUND, clients=4, queue=None)], (16, 32))
    assert table.title == "100 probes by number of clients"
    assert table.text.startswith(
        "The server computes at most 16 requests at once; each client sends 32; all share this machine."
    )
    assert table.rows == [
        ["2", "8.0", "12.5", "200", "16", "44.5", "95 %", "3", "0", "0"],
        ["4", "8.0", "12.5", "200", "-", "-", "-", "3", "0", "0"],
    ]
    assert clients_table([ROUND], None).text.startswith("Each probe is a short chat")


def test_a_page_says_by_which_command_it_was_made(tmp_path):
    write(["--probes", "100", "--write"], [clients_table([ROUND], None)], tmp_path / "SCALE.md")
    text = (tmp_path / "SCALE.md").read_text(encoding="utf-8")
    assert text.startswith(
        "<!-- Generated by `make bench-scale ARGUMENTS='--probes 100 --write'`. Do not edit. -->\n# Scale\n"
    )
    assert "\n## 100 probes by number of clients\n" in text


def test_the_machine_ends_with_the_server():
    assert machine_table([ROUND]).rows[-1] == ["server", ROUND.server]


# The command


def test_a_lost_answer_is_no_success():
    assert not replace(ROUND, lost=1).whole
    assert not replace(ROUND, twice=1).whole


def test_the_command_asks_a_server_that_runs(capsys):
    with serving(models=["small"]) as served:
        assert main(["--probes", "6", "--clients", "1,2", "--server", f"{served.url}#small"]) == 0
        assert asked_of(served) == [*range(12)]
    printed = capsys.readouterr().out
    assert "6 probes by number of clients" in printed
    assert "vLLM 9.9" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--probes", "2"], "--probes: 4 clients need as many, saw 2"),
        (["--clients", "1,0"], "must be a whole number of at least 1, saw '0'"),
    ],
)
def test_arguments_that_make_no_sense(arguments, said, capsys):
    with pytest.raises(SystemExit):
        parse(arguments)
    assert said in capsys.readouterr().err
