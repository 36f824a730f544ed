"""`accept`: write down that a known loss no longer fails the gate."""

from __future__ import annotations

import shlex
import subprocess  # nosec B404
from argparse import ArgumentTypeError, Namespace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.history import DEFAULT, add_history
from harness.cli.options import A_RUN, Commands
from harness.errors import HarnessError, shown_path
from harness.terminal import show
from harness.visible import visible
from harness.wording import one_line

if TYPE_CHECKING:
    from harness.reporting.rows import Record
    from harness.suites.acceptance import Acceptance

PATIENCE = 10.0
"""Seconds to wait for git."""


def add_parser(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("accept", help="accept a known loss, so that it no longer fails the gate")
    parser.add_argument(
        "record",
        metavar="RUN",
        help=A_RUN,
    )
    parser.add_argument(
        "probes", nargs="+", metavar="SUITE::PROBE", help="a probe that the record lost; each by its own name"
    )
    # str: an empty text has an error of its own below
    parser.add_argument(
        "--because", required=True, type=str, metavar="TEXT", help="why the loss is acceptable"
    )  # fmt: skip
    parser.add_argument(
        "--until",
        type=_day,
        metavar="DATE",
        help="the last day on which it counts, as 2027-01-31 (default: no end)",
    )
    parser.add_argument(
        "--by", type=str, metavar="NAME", help="who accepts it (default: git's user.name and user.email)"
    )
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="the file to write (default: accepted.yaml beside the suite; for one that ships, in the working folder)",
    )
    add_history(parser)
    parser.set_defaults(run=run)


def run(parsed: Namespace) -> int:
    """Add the losses to accepted.yaml; 0.

    Raises:
        HarnessError: the record did not lose one of the probes, nobody is named, or the file cannot be written.
        SuiteError: the file that is there cannot be read.
    """
    from harness.evaluation.acceptances import today
    from harness.evaluation.accepting import accepted_loss
    from harness.reporting.history.found import find_run
    from harness.suites.accepted import text_with
    from harness.writing import write_wanted

    because = _words("--because", parsed.because)
    record = find_run(parsed.record, parsed.history).record
    by = _words("--by", parsed.by) if parsed.by is not None else _git_user()
    losses = [
        accepted_loss(record, name, because=because, by=by, on=today(), until=parsed.until)
        for name in dict.fromkeys(parsed.probes)
    ]
    by_file: dict[Path, list[Acceptance]] = {}
    for loss in losses:
        by_file.setdefault(_file_of(record, loss, parsed.file), []).append(loss)
    # a file that cannot be read is an error before anything is written
    texts = {path: text_with(path, new) for path, new in by_file.items()}
    for path, (text, older) in texts.items():
        write_wanted(path, text, "name another file: --file FILE")
        for loss in by_file[path]:
            show(
                f"{shown_path(path)}: the loss of {loss.id} is accepted{_until(loss)}, for the baseline {loss.baseline}"
            )
            for item in (item for item in older if item.id == loss.id):
                show(
                    f"  in place of what {item.by} accepted on {item.on}{_until(item)}: {one_line(item.because)}"
                )
    show("commit the file, so that it is reviewed; to decide the record again:")
    given = "" if parsed.history == DEFAULT else f" --history {shlex.quote(shown_path(parsed.history))}"
    show(f"  python -m harness rescore {shlex.quote(visible(parsed.record))}{given}")
    return 0


def _until(loss: Acceptance) -> str:
    return f" until {loss.until}" if loss.until else ""


def _file_of(record: Record, loss: Acceptance, given: Path | None) -> Path:
    """The file where runs look for what was accepted of the suite of a loss."""
    from harness.suites.acceptance import FILE
    from harness.suites.accepted import accepted_file, ships, suites_of

    if given is not None:
        if given.name != FILE or not given.absolute().parent.is_dir() or loss.suite not in suites_of(given):
            raise HarnessError(
                f"{shown_path(given)}: no run would read there what was accepted of the suite '{visible(loss.suite)}'\n"
                f"  name the {FILE} in the suite's folder, or for a suite that ships, in the folder where the gate runs"
            )
        return given
    row = record.run.suites.get(loss.suite)
    if row is None or row.path is None:
        raise HarnessError(
            f"{loss.suite}: the suite is in no file, so runs would not find what was accepted of it"
        )
    path = Path(row.path)
    if not path.is_file() and not ships(loss.suite, path):
        raise HarnessError(
            f"{visible(row.path)}: the suite is not there\n"
            f"  accept where the gate ran, or name the {FILE} in the suite's folder: --file FILE"
        )
    return accepted_file(loss.suite, path)


def _git_user() -> str:
    """The user whom git knows here; raises HarnessError if it knows none."""
    name, email = (_git_config(key) for key in ("user.name", "user.email"))
    if not name and not email:
        raise HarnessError(
            "nobody is named who accepts the loss\n  name one: --by NAME, or set git's user.name"
        )
    return f"{name} <{email}>".strip() if email else name


def _git_config(key: str) -> str:
    try:
        found = subprocess.run(  # nosec B603 B607
            ["git", "config", "--get", key],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()


def _words(name: str, text: str) -> str:
    if not (words := visible(text.strip())):
        raise HarnessError(f"{name}: is empty\n  say it in words, for whoever reviews the file")
    return words


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ArgumentTypeError(f"must be a day such as 2027-01-31, saw {value!r}") from error
