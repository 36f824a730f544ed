"""A Record in, the terminal summary out: the verdict, a row for each suite and slice, and what was not measured.

It fits on a screen: what matters least is folded, and a line says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from harness.gate.stopping import ALL_ASKED
from harness.reporting.accepted import accepted_sentences
from harness.reporting.diagnosed import why_lost
from harness.reporting.equal import equal_lines
from harness.reporting.exit_code import undecided_suites
from harness.reporting.gate_lines import STYLES, gate_table
from harness.reporting.gate_table import run_standing
from harness.reporting.in_short import (
    after_a_loss,
    cases_told,
    effect,
    flips_of_texts,
    forgot,
    gates_sentence,
    lost_ungated,
    models,
    probes_sentence,
    title,
)
from harness.reporting.noise import noise_lines
from harness.reporting.rows import AnswerRow, ProbeRow, Record
from harness.reporting.screen import Block, fit
from harness.reporting.sequential import sequential_lines
from harness.reporting.view import Line, View, line, plain
from harness.spelling import option
from harness.wording import count, some

MOST_UNDECIDED = 5
QUIET_ROWS = 5
"""Rows of the table under -q."""
NO_GATE = "no gate was decided, so this run says nothing about the model"
TOO_FEW = "no gate has the probes for a verdict, but the loss is more than chance: ask more, and the gates will say so"
EFFECTS = "To avoid it: python -m harness ladder RECIPES trains with LoRA, lower rates, replay, EWC and others, and ranks them"
USUAL = ("max_new_tokens (",)
"""Beginnings of notes, after the suite's name, that every run has, and that are told last."""


def render(record: Record) -> str:
    """The whole summary as text that is safe to show in a terminal."""
    return plain(summary(record, View()))


def summary(
    record: Record, view: View, saved: Sequence[str] = (), steps: Sequence[str] = (), folded: str = ""
) -> list[Line]:
    """The summary for a terminal.

    Args:
        saved: what was written, and where.
        steps: what to do next, as lines.
        folded: what else is not shown.
    """
    if view.verbosity < -1:
        return [_title(record), *map(line, saved)]
    blocks = [*_blocks(record, view, steps), Block(_lines(saved), least=len(saved))]
    if folded:
        blocks.insert(-1, Block([line(folded, "quiet")], least=1))
    return fit(blocks, view.width, view.lines)


def _blocks(record: Record, view: View, steps: Sequence[str]) -> Iterator[Block]:
    loud = view.verbosity >= 0
    sentences = (
        models(record), effect(record), probes_sentence(record), flips_of_texts(record), gates_sentence(record),
    )  # fmt: skip
    head = [_title(record), *_lines(filter(None, sentences))]
    yield Block(head, least=len(head))
    if loud:
        yield Block(_lines(_where(record)), wanted=1)
        noise, sequential = noise_lines(record.run.noise), sequential_lines(record.run.sequential)
        yield _always(chain(_reasoning(record.probes), noise, sequential))
    if record.gates:
        yield _table(record, view)
    else:
        yield _always([NO_GATE], apart=True)
    yield _always(equal_lines(record), apart=True)
    yield _always(_without_verdict(record), apart=True)
    yield _always(accepted_sentences(record), apart=True)
    yield _always(_lost_with_workers(record), apart=True)
    yield _always(_not_measured(record), apart=True)
    if loud:
        yield Block(_lines(_advice(record)), least=1, wanted=2, apart=True)
        yield _diagnosis(record)
        yield Block(_lines(steps[1:]), _lines(steps[:1]), least=2, wanted=4, step=2, apart=True)
        yield _undecided(record)
        yield _notes(record)


def _lines(texts: Iterable[str]) -> list[Line]:
    return [line(part) for text in texts for part in text.split("\n")]


def _always(texts: Iterable[str], apart: bool = False) -> Block:
    lines = _lines(texts)
    return Block(lines, least=len(lines), apart=apart)


def _title(record: Record) -> Line:
    return line(title(record), STYLES[run_standing(record.run.status)])


def _where(record: Record) -> Iterator[str]:
    run = record.run
    if run.device:
        floats = f" in {run.dtype}" if run.dtype else ""
        asking = sum(run.seconds_asking.values())
        yield f"on {run.device}{floats}; {asking:.0f} s asking, {run.seconds:.0f} s in all"


def _table(record: Record, view: View) -> Block:
    table = gate_table(record.gates, view)

    def more(first: int) -> str:
        rest = table.left_out(first)
        return f"and {rest}: -v shows all" if rest else ""

    if view.verbosity < 0 and (rest := more(QUIET_ROWS)):
        lines = [*table.lines[:QUIET_ROWS], line(rest, "quiet")]
        return Block(lines, [table.heading], least=len(lines), apart=True)
    return Block(table.lines, [table.heading], least=4, wanted=12, more=more, apart=True)


def _notes(record: Record) -> Block:
    """The notes, those that every run has last."""
    usual = {note: note.partition(": ")[2].startswith(USUAL) for note in record.run.notes}
    notes = sorted(usual, key=lambda note: usual[note])

    def more(first: int) -> str:
        what = f"and {count(len(notes) - first, 'more note')}" if first else count(len(notes), "note")
        return f"{what}: -v shows all, and record.json has them"

    return Block(
        [line(f"note: {note}") for note in notes],
        wanted=min(3, list(usual.values()).count(False)),
        more=more,
        apart=True,
    )


def _reasoning(probes: Sequence[ProbeRow]) -> Iterator[str]:
    """A line on how much each model reasoned, and how often without an end; nothing if neither did."""
    sides = {
        "baseline": [row.baseline for row in probes if row.baseline is not None],
        "tuned model": [row.tuned for row in probes],
    }
    if any(row.reasoning_tokens is not None for rows in sides.values() for row in rows):
        yield "reasoning: " + "; ".join(_thought(side, rows) for side, rows in sides.items() if rows)


def _thought(side: str, rows: Sequence[AnswerRow]) -> str:
    tokens = sum(row.reasoning_tokens or 0 for row in rows) / len(rows)
    unended = sum(row.reasoning_ended is False for row in rows)
    return f"the {side} wrote {tokens:.0f} tokens on average, and did not end it in {unended} of {len(rows)} answers"


def _undecided(record: Record) -> Block:
    """The gates that decided nothing, and why; those of suites that stopped early were not meant to decide."""
    stopped = {suite for suite, row in record.run.sequential.items() if row.why != ALL_ASKED}
    skipped = [row for row in record.gates if row.outcome == "skipped" and row.undecided]
    rows = [row for row in skipped if row.suite not in stopped]
    if not rows:
        return Block(())
    small = all(row.more_probes_to_settle for row in rows)
    why = ", for lack of probes:" if small else ":"
    head = f"{count(len(rows), 'gate')} of {len(record.gates)} decided nothing"
    texts = [f"  {row.suite}  {row.slice}: {row.undecided}" for row in rows[:MOST_UNDECIDED]]
    if len(rows) > MOST_UNDECIDED:
        remedy = f"; ask enough with a larger {option('sample')}, or none"
        rest = remedy if small and record.run.sample else ", which record.json has"
        texts.append(f"  and {len(rows) - MOST_UNDECIDED} more{rest}")
    return Block(
        _lines(texts),
        _lines([head + why]),
        wanted=0 if forgot(record) else 2,
        more=lambda first: (
            f"  and {len(texts) - first} more: -v says why" if first else f"{head}: -v says why"
        ),
        apart=True,
    )


def _without_verdict(record: Record) -> Iterator[str]:
    """The suites about which nothing was decided, where that keeps the run from passing."""
    suites = undecided_suites(record.gates, record.run.named)
    if suites and any(row.outcome != "skipped" for row in record.gates):
        it = "it" if len(suites) == 1 else "them"
        yield f"nothing was decided about {some(suites, 5)}, which is no pass: ask more of {it}, or leave {it} out"


def _advice(record: Record) -> Iterator[str]:
    """After a failed gate: what lost answers have in common, whether the loss can be undone, and what to try."""
    if forgot(record):
        yield from record.run.observed
        yield from after_a_loss(record)
        yield EFFECTS


def _diagnosis(record: Record) -> Block:
    """Why probes of each suite were lost, if the run found out."""
    found = list(why_lost(record.run.diagnosis))
    return Block(
        _lines([f"  {text}" for text in found]),
        _lines(["why probes were lost"]),
        least=1,
        wanted=5,
        more=lambda first: f"  and {count(len(found) - first, 'suite')} more: -v shows all",
        apart=True,
    )


def _lost_with_workers(record: Record) -> Iterator[str]:
    """The suites and probes without answers because a worker of xdist died."""
    if record.run.not_measured:
        yield "not measured, because a worker died:"
    for name, ids in record.run.not_measured.items():
        yield f"  {name}  {count(len(ids), 'probe')}: {some(ids, 5)}"


def _not_measured(record: Record) -> Iterator[str]:
    """How many cases were selected, and how they ended; nothing if the gates say it all."""
    if told := cases_told(record):
        if record.gates and record.run.cases and not record.run.cases.decided:
            yield TOO_FEW if lost_ungated(record) else NO_GATE
        yield told
