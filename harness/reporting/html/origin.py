"""A Record in, where its numbers come from out: models, suites, versions, options and costs."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.reporting.in_short import named
from harness.reporting.rows import ModelRow, Record
from harness.wording import duration


@dataclass(frozen=True)
class Fact:
    """A term and its value; code is shown as such."""

    term: str
    value: str
    is_code: bool = False


@dataclass(frozen=True)
class SuiteOrigin:
    """A suite: its file and content, how much of it was asked, how long that took, and the tokens of both models."""

    name: str
    path: str
    sha256: str
    content: str
    asked: str
    seconds: str
    tokens: str


@dataclass(frozen=True)
class Origin:
    """Where the numbers of a run come from."""

    facts: Sequence[Fact]
    suites: Sequence[SuiteOrigin]


def origin_of(record: Record) -> Origin:
    """All that the record has."""
    return Origin(list(_facts(record)), list(_suites(record)))


def _facts(record: Record) -> Iterator[Fact]:
    run = record.run
    yield from _model("tuned model", run.tuned)
    yield from _model("baseline", run.baseline)
    if run.device:
        yield Fact("ran on", f"{run.device}{f' in {run.dtype}' if run.dtype else ''}")
    asking = sum(run.seconds_asking.values())
    yield Fact("time", f"{duration(run.seconds)} in all, {duration(asking)} asking")
    yield Fact("tokens written", _tokens(record, None))
    yield Fact("began", run.started)
    yield Fact("ended", run.ended or "not yet, or never")
    yield Fact("status", f"{run.status}, exit code {'-' if run.exit_status is None else run.exit_status}")
    if run.command:
        yield Fact("command", shlex.join(["pytest", *run.command]), is_code=True)
    yield Fact("rules", ", ".join(_rules(record)))
    yield Fact("harness", run.harness)
    yield Fact("versions", ", ".join(f"{name} {version}" for name, version in run.versions.items()))
    for suite, arguments in run.template.items():
        yield Fact(f"chat template of {suite}", json.dumps(arguments, ensure_ascii=False), is_code=True)
    for suite, tokens in run.thinking_tokens.items():
        yield Fact(f"reasoning in {suite}", f"at most {tokens:,} tokens")


def _model(term: str, row: ModelRow | None) -> Iterator[Fact]:
    if row is None:
        return
    yield Fact(term, named(row))
    adapter = row.base_weights is not None
    yield Fact(f"{'adapter' if adapter else 'weights'} (SHA-256)", row.weights or "unknown", is_code=True)
    if row.base_weights:
        yield Fact("base under it (SHA-256)", row.base_weights, is_code=True)


def _rules(record: Record) -> Iterator[str]:
    run = record.run
    yield "every gate must be RETAINED" if run.strict else "a loss must be over its margin and no accident"
    if run.fail_on != "low":
        yield f"fails from severity {run.fail_on}"
    yield (
        "no overall gate"
        if run.max_drop_overall is None
        else f"overall margin {100 * run.max_drop_overall:g} points"
    )
    if run.sample is not None:
        yield f"a sample of {run.sample:,} probes, seed {run.sample_seed}"


def _suites(record: Record) -> Iterator[SuiteOrigin]:
    asked = Counter(probe.suite for probe in record.probes)
    for name in dict.fromkeys([*record.run.suites, *asked]):
        row, seconds = record.run.suites.get(name), record.run.seconds_asking.get(name)
        number = f"{asked[name]:,}"
        yield SuiteOrigin(
            name=name,
            path=(row and row.path) or "-",
            sha256=(row and row.sha256) or "-",
            content=row.content if row else "-",
            asked=f"{number} of {row.probes:,}" if row and row.probes != asked[name] else number,
            seconds="-" if seconds is None else f"{seconds:.1f}",
            tokens=_tokens(record, name),
        )


def _tokens(record: Record, suite: str | None) -> str:
    """ "1,234 by the baseline, 987 by the tuned model"; of texts, nobody wrote any."""
    probes = [
        row
        for row in record.probes
        if suite in (None, row.suite) and row.tuned.kind not in ("likelihood", "choose")
    ]
    before = sum(row.baseline.tokens or 0 for row in probes if row.baseline)
    after = sum(row.tuned.tokens or 0 for row in probes)
    return f"{before:,} by the baseline, {after:,} by the tuned model" if before or after else "none"
