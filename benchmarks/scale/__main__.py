"""python -m benchmarks.scale [--probes N] [--clients N,N] [--server URL#NAME] [--rows N] [--concurrency N] [--write]

Asks a server probes by one client and by several at once, and prints how long that took and how full the server's queue was; ends
with 1 if an answer was lost or came twice. Without `--server`, it starts vLLM with a small random model. `make bench-scale` makes its
environment.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scale.clients import Round, asked_by
from benchmarks.scale.report import clients_table, machine_table, write
from benchmarks.speed.processes import ROOT
from harness.command_line import count

ROWS, CONCURRENCY = 16, 32
"""Each client alone sends twice as much as the server computes at once, so that it need never wait for one."""


def main(arguments: Sequence[str]) -> int:
    given = parse(arguments)
    with server(given) as reference:
        rounds = list(asked(reference, given.clients, given.probes))
    limits = None if given.server else (given.rows, given.concurrency)
    tables = [clients_table(rounds, limits), machine_table(rounds)]
    print("\n" + "\n\n".join(table.plain() for table in tables))
    if given.write:
        write(arguments, tables)
    return 0 if all(round.whole for round in rounds) else 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description="Ask a server many probes by several clients at once."
    )
    parser.add_argument(
        "--probes", type=count, default=10_000, help="for each number of clients (default: 10,000)"
    )
    parser.add_argument(
        "--clients",
        type=lambda text: [count(part) for part in text.split(",")],
        default=[1, 2, 4],
        help="numbers of clients, each asked alone (default: 1,2,4)",
    )
    parser.add_argument(
        "--server", metavar="URL#NAME", help="a server that runs; without one, vLLM is started"
    )
    parser.add_argument(
        "--rows", type=count, default=ROWS, help=f"requests that our vLLM computes at once (default: {ROWS})"
    )
    parser.add_argument(
        "--concurrency",
        type=count,
        default=CONCURRENCY,
        help=f"requests that each client sends our vLLM at once (default: {CONCURRENCY})",
    )
    parser.add_argument("--write", action="store_true", help="bring benchmarks/SCALE.md up to date")
    given = parser.parse_args(arguments)
    if given.probes < max(given.clients):
        parser.error(f"--probes: {max(given.clients)} clients need as many, saw {given.probes}")
    return given


@contextmanager
def server(given: argparse.Namespace) -> Iterator[str]:
    """The reference of the server that is asked."""
    if given.server:
        yield given.server
        return
    from benchmarks.scale.server import vllm_server  # it takes torch

    with tempfile.TemporaryDirectory() as folder:
        say("starting vLLM ...")
        with vllm_server(Path(folder), given.rows, given.concurrency) as reference:
            yield reference


def asked(reference: str, clients: Sequence[int], probes: int) -> Iterator[Round]:
    """A round for each number of clients; no probe is asked in two of them, so that the server remembers none."""
    for place, number in enumerate(clients):
        round = asked_by(number, reference, range(place * probes, (place + 1) * probes))
        say(f"{number} at once: {round.seconds:.1f} s")
        yield round


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped
    sys.exit(main(sys.argv[1:]))
