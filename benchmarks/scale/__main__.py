"""python -m benchmarks.scale [--probes N] [--ways 1x16,2x16] [--server URL] [--vllm PYTHON] [--costs] [--write]

Asks a server probes from one client and several, and shows how full they keep its queue; or prints what runs would cost.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.scale.costs import SHIPPED, checked, costs, sheets
from benchmarks.scale.flight import PARTS, Flight, flight
from benchmarks.speed.machine import machine
from benchmarks.speed.processes import ROOT
from benchmarks.tables import Table, percent
from harness.tables import markdown
from harness.writing import write_whole

PAGE = ROOT / "docs" / "scale.md"
VLLM = ROOT / ".vllm-venv" / "bin" / "python"


@dataclass(frozen=True)
class Way:
    """So many clients, each with so many requests in flight."""

    clients: int
    concurrency: int

    def __str__(self) -> str:
        return f"{self.clients}x{self.concurrency}"


@dataclass(frozen=True)
class Asked:
    """What became of a way; `running` and `waiting` are those of the server, on average, None if it does not say."""

    way: Way
    flight: Flight
    running: float | None
    waiting: float | None
    told: Sequence[str]


def main(arguments: Sequence[str]) -> int:
    given = parse(arguments)
    if given.costs:
        tables = {"costs": costs(SHIPPED), "many": costs(SHIPPED.of(10_000)), "hardware": sheets(), "checked": checked()}  # fmt: skip
    else:
        tables = {"queue": measured(given)}
    print("\n\n".join(table.plain() for table in tables.values()))
    if given.write:
        write_whole(PAGE, filled(PAGE.read_text(encoding="utf-8"), tables))
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description="Show how full clients keep a server's queue, or what runs would cost.",
    )
    parser.add_argument(
        "--probes", type=int, default=10_000, help="that all clients ask together (default: 10000)"
    )
    parser.add_argument(
        "--ways", type=ways, default=ways("1x16,2x16,4x16,1x64"), metavar="CLIENTSxREQUESTS,...",
        help="clients, and requests that each has in flight (default: 1x16,2x16,4x16,1x64)",
    )  # fmt: skip
    parser.add_argument(
        "--server", metavar="URL", help="the reference of a model at a server (default: one of its own)"
    )
    parser.add_argument(
        "--vllm",
        type=Path,
        default=VLLM,
        metavar="PYTHON",
        help="of an environment with vLLM (default: that of `make test-vllm`; without it, a server that answers by rule)",
    )
    parser.add_argument("--costs", action="store_true", help="print the tables of costs, and ask nothing")
    parser.add_argument("--write", action="store_true", help="bring docs/scale.md up to date")
    given = parser.parse_args(arguments)
    if given.probes < max(way.clients for way in given.ways):
        parser.error("--probes: there must be one for each client")
    return given


def ways(text: str) -> list[Way]:
    """Clients and requests of each; raises ArgumentTypeError."""
    try:
        found = [Way(*map(int, part.split("x"))) for part in text.split(",")]
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"expected such as 1x16,4x16, saw {text!r}") from error
    if any(way.clients < 1 or way.concurrency < 1 for way in found):
        raise argparse.ArgumentTypeError(f"expected at least one client and request, saw {text!r}")
    return found


# The queue


def measured(given: argparse.Namespace) -> Table:
    """A server asked in every way."""
    what, opened = server(given)
    with opened as reference:
        found = []
        for number, way in enumerate(given.ways):
            found.append(asked(reference, way, given.probes, f"way {number}"))
            print(f"{way}: {found[-1].flight.rate:.0f} requests a second", *found[-1].told, flush=True)
    return queue_table(found, what)


def server(given: argparse.Namespace) -> tuple[str, AbstractContextManager[str]]:
    """What it is, in words, and the server, which is started if need be; heavy imports only then."""
    if given.server:
        return "the server that `--server` names", nullcontext(given.server)
    from benchmarks.scale.serving import by_rule, by_vllm

    if given.vllm.exists():
        return "vLLM's server, with a random model of two layers", by_vllm(given.vllm)
    return "a server that answers by rule in 20 ms, as there is no vLLM", by_rule()


def asked(reference: str, way: Way, probes: int, name: str) -> Asked:
    """A server asked in one way; every client is ready before the first asks.

    Raises:
        RuntimeError: a client failed.
    """
    from benchmarks.scale.serving import Watched

    cuts = [probes * client // way.clients for client in range(way.clients + 1)]
    address = with_concurrency(reference, way.concurrency)
    with ExitStack() as stack:
        clients = [stack.enter_context(started(address, name, first, last)) for first, last in pairwise(cuts)]
        for client in clients:
            if client.stdout is None or client.stdout.readline() != "ready\n":
                raise RuntimeError("a client did not get ready; it says why above")
        with Watched(reference) as watched:
            ends = said(clients)
    answers = sum(end["answers"] for end in ends)
    if answers != probes:
        raise RuntimeError(f"{probes} probes were asked, {answers} answers came")
    intervals = [(sent, answered) for end in ends for sent, answered in end["intervals"]]
    queue = watched.samples
    return Asked(
        way,
        flight(intervals, way.clients * way.concurrency),
        sum(running for running, _ in queue) / len(queue) if queue else None,
        sum(waiting for _, waiting in queue) / len(queue) if queue else None,
        [text for end in ends for text in end["told"]],
    )


def started(reference: str, name: str, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.scale.client", reference, name, str(first), str(last)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def said(clients: Sequence[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    """Let all clients go, and what each printed when it was done."""
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    ends = []
    for client in clients:
        assert client.stdout is not None
        ends.append(json.loads(client.stdout.read() or '{"answers": 0, "intervals": [], "told": []}'))
    return ends


def with_concurrency(reference: str, concurrency: int) -> str:
    """A reference that says how many requests are in flight, and that no identity is wanted."""
    whole, mark, name = reference.partition("#")
    joined = "&" if "?" in whole else "?"
    return f"{whole}{joined}concurrency={concurrency}&revision=benchmark{mark}{name}"


def queue_table(found: Sequence[Asked], what: str) -> Table:
    heading = ["clients", "in flight, each", "requests", "s", "a second", "in flight, mean", "full", "idle", "server runs", "server queues", f"in flight, by {PARTS}ths of the run"]  # fmt: skip
    rows = []
    for asked in found:
        way, got = asked.way, asked.flight
        rows.append(
            [
                str(way.clients),
                str(way.concurrency),
                f"{got.requests:,}",
                f"{got.seconds:.1f}",
                f"{got.rate:.0f}",
                f"{got.mean:.1f}",
                f"{percent(got.full)} %",
                f"{percent(got.idle)} %",
                *("-" if value is None else f"{value:.1f}" for value in (asked.running, asked.waiting)),
                " ".join(f"{value:.0f}" for value in got.over_time),
            ]
        )
    about = dict(machine())
    text = f"{what[0].upper()}{what[1:]}, asked on {about['date']}; {about['processor']}, which server and clients share."
    return Table("A server's queue", text, heading, rows, left=())


# The page


def filled(page: str, tables: dict[str, Table]) -> str:
    """A page with tables in their places; raises ValueError if one has no place."""
    for name, table in tables.items():
        begin, end = f"<!-- table: {name} -->\n", "\n<!-- end of table -->"
        before, begins, rest = page.partition(begin)
        _, ends, after = rest.partition(end)
        if not begins or not ends:
            raise ValueError(f"the page has no place for the table {name!r}")
        page = f"{before}{begin}\n{body(table)}\n{end}{after}"
    return page


def body(table: Table) -> str:
    """What explains a table, and the table."""
    rows = "\n".join(markdown([table.heading, *table.rows], table.left))
    return "\n\n".join([*filter(None, [table.text]), rows])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
