"""A Record in, Markdown for a pull request out: the verdict, the gates, the most telling lost probes with both answers.

Whatever models wrote, it is shorter than a comment on GitHub may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.reporting.accepted import accepted_sentences
from harness.reporting.diagnosed import why_lost
from harness.reporting.equal import equal_lines
from harness.reporting.explain import INTERVAL
from harness.reporting.gate_lines import GROUPS, claim, interval, margin, verdict_word
from harness.reporting.gate_table import table_rows
from harness.reporting.in_short import (
    after_a_loss,
    cases_told,
    effect,
    flips_of_texts,
    gate_name,
    gates_sentence,
    models,
    probes_sentence,
    title,
)
from harness.reporting.markdown_text import MARKER, block, code, in_html, prose, table
from harness.reporting.measured import measured
from harness.reporting.rows import GateRow, ProbeRow, Record
from harness.reporting.telling import most_telling
from harness.spelling import on_command_line
from harness.wording import count

MOST_BYTES = 60_000
"""Of UTF-8; GitHub takes comments of fewer than 65,536 characters."""

MOST_ROWS = 15
"""Rows of the table that is not folded away."""

MOST_LOST = 200
"""Lost probes that are listed."""

SIGNS: Mapping[str, str] = {"passed": "✅", "forgotten": "❌", "error": "❌"}
ROW_SIGNS: Mapping[str, str] = {
    "failed": "❌",
    "warned": "⚠️",
    "excused": "⚠️",
    "skipped": "➖",
    "passed": "✅",
}
HEADING = ("gate", "drop", INTERVAL, "margin", "kept", "lost", "gained", "missed", "verdict")


def render(record: Record) -> str:
    """The report, at most `MOST_BYTES` long; what does not fit is left out, and a line says so."""
    report = Report()
    for line in _head(record):
        report.add([line])
    rows = table_rows(record.gates)
    notable = [row for row in rows if row.over == "overall" or row.outcome not in ("passed", "skipped")]
    if notable:
        report.add(["", *_gate_table(notable[:MOST_ROWS])])
    report.add(_telling(record))
    others = [row for row in rows if not any(row is shown for shown in notable[:MOST_ROWS])]
    report.add_folded(count(len(others), "other row"), _gate_table(others))
    lost = [row for row in record.probes if row.change == "lost"]
    report.add_folded(_some_of(len(lost)), map(_lost_line, lost[:MOST_LOST]))
    report.add_folded(
        count(len(record.run.notes), "note"),
        (f"- {code(on_command_line(note), 500)}" for note in record.run.notes),
    )
    report.add(_origin(record))
    return report.text


class Report:
    """A text that never grows over `MOST_BYTES`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.size = 0
        self.left_out = False

    @property
    def text(self) -> str:
        """The text, with a last line on what was left out."""
        last = ["", "Not all of it fits into a comment; the record has the rest."] if self.left_out else []
        return "\n".join([*self.lines, *last])

    def add(self, lines: Iterable[str]) -> None:
        """Add lines as a whole, or none of them where they do not fit."""
        lines = list(lines)
        size = _size(lines)
        if self.size + size > MOST_BYTES:
            self.left_out = True
            return
        self.lines += lines
        self.size += size

    def add_folded(self, summary: str, lines: Iterable[str]) -> None:
        """Add lines that a reader unfolds, as many as fit; `summary` is safe."""
        around = (["", f"<details><summary>{summary}</summary>", ""], ["", "</details>"])
        room, kept = MOST_BYTES - self.size - sum(map(_size, around)), []
        for line in lines:
            room -= _size([line])
            if room < 0:
                self.left_out = True
                break
            kept.append(line)
        if kept:
            self.add([*around[0], *kept, *around[1]])


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)


def _head(record: Record) -> Iterator[str]:
    yield MARKER
    yield f"## {SIGNS.get(record.run.status, '⚠️')} {prose(title(record))}"
    yield ""
    if about := models(record):
        yield code(about, 300)
        yield ""
    cases = f"{told}." if (told := cases_told(record)) else ""
    sentences = [
        effect(record), probes_sentence(record), flips_of_texts(record), gates_sentence(record), cases,
    ]  # fmt: skip
    yield from (f"{sentence}  " for sentence in sentences if sentence)
    for text in map(on_command_line, [*record.run.errors[:5], *accepted_sentences(record)]):
        yield f"- {code(text, 500)}"
    if lines := list(equal_lines(record)):
        yield ""
        yield from (f"- {code(text.strip(), 500)}" for text in lines)
    if record.run.observed:
        yield ""
    yield from (f"- {code(text, 300)}" for text in record.run.observed)
    if record.run.diagnosis:
        yield ""
        yield "Why probes were lost:"
        yield ""
    yield from (f"- {code(text, 300)}" for text in why_lost(record.run.diagnosis))


def _gate_table(rows: Sequence[GateRow]) -> list[str]:
    return table([HEADING, *map(_cells, rows)]) if rows else []


def _cells(row: GateRow) -> list[str]:
    numbers = [
        "-" if number is None else f"{number:,}" for number in (row.kept, row.lost, row.gained, row.missed)
    ]
    words = verdict_word(row)
    follows = row.verdict == "FORGOTTEN" and row.outcome == "failed"
    said = claim(row) or ("" if follows or row.outcome in ("passed", "skipped") else GROUPS[row.outcome])
    verdict = f"{ROW_SIGNS[row.outcome]} {words}" + (f", {said}" if said else "")
    return [code(gate_name(row)), measured(row).shown, interval(row), margin(row), *numbers, verdict]


def _telling(record: Record) -> Iterator[str]:
    rows = most_telling(record.probes)
    if rows:
        yield ""
        yield "### What was lost" if len(rows) == 1 else f"### {len(rows)} of the lost answers that tell most"
    for row in rows:
        yield from _lost_probe(row)


def _lost_probe(row: ProbeRow) -> Iterator[str]:
    assert row.baseline is not None
    severity = ", critical" if row.severity == "critical" else ""
    yield ""
    yield f"<details open><summary>{in_html(row.suite)} {in_html(row.id)}{severity}</summary>"
    yield ""
    for name, value in list(row.fields.items())[-3:]:
        yield f"{prose(name, 40)}: {code(value, 300)}  "
    expected = " or ".join(row.expected[:4]) or row.score
    yield f"expected: {code(expected, 200)}"
    yield ""
    yield "baseline, right:"
    yield from block(row.baseline.answer)
    yield "tuned, wrong" + (f" ({code(row.tuned.why, 200)})" if row.tuned.why else "") + ":"
    yield from block(row.tuned.answer)
    yield ""
    yield "</details>"


def _some_of(number: int) -> str:
    return count(number, "lost probe") + (f", the first {MOST_LOST}" if number > MOST_LOST else "")


def _lost_line(row: ProbeRow) -> str:
    before = row.baseline.answer if row.baseline else ""
    return f"- {code(row.suite)} {code(row.id)}: {code(before, 80)} → {code(row.tuned.answer, 80)}"


def _origin(record: Record) -> Iterator[str]:
    run = record.run
    where = f" on {run.device}" + (f" in {run.dtype}" if run.dtype else "") if run.device else ""
    yield f"\n<sub>forgetting gate {prose(run.harness)}{prose(where)}, {prose(run.started)}</sub>"
    yield from (f"\n<sub>{prose(text, 600)}</sub>" for text in after_a_loss(record))
