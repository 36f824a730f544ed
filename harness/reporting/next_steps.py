"""The Record of a red run in, the commands to run next out, quoted for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import shown_path
from harness.reporting.in_short import failed_by_answers
from harness.reporting.rows import GateRow, ProbeRow, Record
from harness.suites.accepted import ships
from harness.suites.detect import ENDINGS
from harness.suites.suite import OVERALL
from harness.visible import visible

PERMISSIONS = ("--allow-code", "--allow-outside", "--allow-task-code")
"""Options of the run that rescoring takes too."""

OF_GATES = {
    "gate_strict": False, "sample": True, "sequential": False, "max_drop_overall": True, "max_flips": True, "engine_flips": True,
    "noise_floor": True, "diagnose": False, "report_html": True, "report_markdown": True,
}  # fmt: skip
"""The gate's options that do nothing in a look at what was lost, and whether each takes a value."""

LEFT_OUT = {
    **dict.fromkeys(("--junit-xml", "--junitxml", "--report-log"), True),
    **dict.fromkeys(("--lf", "--last-failed", "--sw", "--stepwise", "--sw-skip", "--stepwise-skip"), False),
    **{
        f"--{gate}{name.replace('_', '-')}": takes_a_value
        for name, takes_a_value in OF_GATES.items()
        for gate in ("", "gate-")
    },
}
"""Arguments that a look leaves out, and whether each takes a value: it must not overwrite the run's reports, asks all that was
lost, and decides no gate."""


def next_steps(
    record: Record, folder: Path, conftests: Sequence[Path] = (), engine: Sequence[str] = ()
) -> Iterator[str]:
    """What to do after a red run, each step with its command; nothing if no gate failed by its answers.

    Args:
        folder: of the record.
        conftests: the conftest.py files that registered scores or engines.
        engine: the run's options of how a model runs, and its permissions, as arguments.
    """
    failed = sorted(failed_by_answers(record), key=lambda row: -(row.drop or 0.0))
    if not failed:
        return
    at = shown_path(folder)
    own = [f"--conftest={shown_path(path)}" for path in conftests]
    lost = [row for row in record.probes if row.change == "lost"]
    yield "what now"
    if any(row.tuned.kind != "likelihood" for row in lost):
        yield "  ask again only what was lost, without a gate:"
        yield _command("pytest", *_again(record.run.command, at))
        yield from _diagnose(record, at, [*own, *engine])
    worst = next((row for row in failed if row.suite != OVERALL and _path(record, row.suite)), None)
    if worst:
        of_worst = [row for row in lost if row.suite == worst.suite]
        yield from _preview(record, of_worst, own, engine)
        yield from _accept(of_worst, at)
        yield from _rescore(record, worst, at, [*own, *(word for word in engine if word in PERMISSIONS)])
    if any(row.flips is not None for row in failed):
        yield from _equal(record, own, engine)
    tuned = record.run.tuned
    if tuned and tuned.source == "reference" and tuned.reference.lower().endswith(ENDINGS):
        yield "  find milder ways to train it:"
        yield _harness("advise", tuned.reference)


def _again(command: Sequence[str], at: str) -> list[str]:
    """The run's own arguments with the option that looks at its lost probes."""
    kept: list[str] = []
    skip = False
    for argument in command:
        name, equals, _ = argument.partition("=")
        if not skip and name not in LEFT_OUT:
            kept.append(argument)
        skip = not skip and LEFT_OUT.get(name, False) and not equals
    look = f"--only-lost={at}"
    return [look, *kept] if "--" in kept else [*kept, look]


def _diagnose(record: Record, at: str, given: Sequence[str]) -> Iterator[str]:
    """How to find out why probes were lost, where the run did not, and its models can be opened again."""
    models = (record.run.tuned, record.run.baseline)
    if not record.run.diagnosis and all(model and model.source == "reference" for model in models):
        yield "  find out why it was lost:"
        yield _harness("diagnose", at, *given)


def _preview(
    record: Record, lost: Sequence[ProbeRow], own: Sequence[str], engine: Sequence[str]
) -> Iterator[str]:
    tuned = record.run.tuned
    if not lost:
        return
    probe = f"{_path(record, lost[0].suite)}::probe[{lost[0].id}]"
    model = [f"--model={tuned.reference}", *engine] if tuned and tuned.source == "reference" else []
    yield "  see how it is asked" + (" and answered:" if model else ":")
    yield _harness("preview", probe, *model, *own)


def _accept(lost: Sequence[ProbeRow], at: str) -> Iterator[str]:
    if lost:
        yield "  accept a loss that is known, each probe by its name:"
        name = f"{lost[0].suite}::{lost[0].id}"
        yield _harness("accept", at, name, "--because", "TEXT")


def _rescore(record: Record, row: GateRow, at: str, own: Sequence[str]) -> Iterator[str]:
    suite = str(_path(record, row.suite))
    where = f" at {row.place}" if row.place else ""
    change = "" if ships(row.suite, Path(suite)) else f", or change its gate{where}"
    yield f"  correct an answer that is right{change}; then decide again:"
    yield _harness("rescore", at, "--suite", suite, *own)


def _equal(record: Record, own: Sequence[str], engine: Sequence[str]) -> Iterator[str]:
    """The command that tells why two forms of one model answer differently."""
    models = [record.run.baseline, record.run.tuned]
    forms = [model.reference for model in models if model and model.source == "reference"]
    suites = [path for name in record.run.suites if (path := _path(record, name))]
    if len(forms) == len(models) and suites:
        yield "  find out why it is not the same model:"
        yield _harness("equal", *forms, "--suite", *suites, *engine, *own)


def _path(record: Record, suite: str) -> str | None:
    row = record.run.suites.get(suite)
    return row.path if row else None


def _harness(*arguments: str) -> str:
    return _command("python", "-m", "harness", *arguments)


def _command(*arguments: str) -> str:
    return f"    {visible(shlex.join(arguments))}"
