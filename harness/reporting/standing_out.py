"""The rows of probes in, what stands out among the lost answers out: "60 of 60 lost answers begin with "DRUG-INFO:"".

Each finding is a difference: many of the lost answers have it, and few of the baseline's own answers to the same probes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from harness.normalise import answer_of
from harness.normalise.languages import language_of, script_of
from harness.reporting.rows import AnswerRow, ProbeRow
from harness.scoring.check import repeats
from harness.scoring.declining.stance import stance
from harness.wording import one_line

LEAST = 5
"""Fewer answers than these show nothing."""
SHARE = 0.25
"""The share of the lost answers that must have something in common, beyond that of the baseline's."""
MOST_FINDINGS = 3
MOST_READ = 2_000
"""How many characters of an answer are read, at its beginning and at its end."""
MOST_TOKENS = 12
"""The longest beginning or end that answers are compared by, in words and signs."""

Kind = Literal["same", "begin", "end", "form", "language"]

_TOKEN = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|\S")
_LABEL = re.compile(r"(?:^|[|;\n])[ \t*_#-]{0,8}[^\W\d_][\w -]{0,30}[*_]{0,2}:[*_]{0,2}[ \t]")
_ITEM = re.compile(r"^[ \t]*(?:[-*•+]|\d+[.)])[ \t]+\S", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """Something that `lost` of the lost answers have in common, and `baseline` of the baseline's.

    Attributes:
        kind: whether it is the whole reply, its beginning, its end, its form, or the language.
        piece: the text that they share; empty for forms and languages.
    """

    what: str
    lost: int
    baseline: int
    kind: Kind
    piece: str = ""


@dataclass(frozen=True)
class Reply:
    """An answer, as far as it is read."""

    head: str
    tail: str
    cut: bool

    @classmethod
    def of(cls, row: AnswerRow) -> Reply:
        text = answer_of(row.answer).strip()
        return cls(text[:MOST_READ], text[-MOST_READ:], row.ended == "limit")


def standing_out(rows: Iterable[ProbeRow]) -> list[str]:
    """At most three sentences on what many of the lost answers have in common; none if there are few, or nothing does."""
    lost = written_and_lost(rows)
    return [told(finding, len(lost)) for finding in findings(lost)[:MOST_FINDINGS]]


def written_and_lost(rows: Iterable[ProbeRow]) -> list[ProbeRow]:
    """The lost probes to which both models wrote an answer."""
    return [row for row in rows if row.change == "lost" and row.tuned.kind == "generate" and row.baseline]


def told(finding: Finding, n: int) -> str:
    """A finding about `n` lost answers, as a sentence."""
    before = f"of the baseline's to the same probes, {finding.baseline or 'none'}"
    return f"{finding.lost} of {n} lost answers {finding.what}; {before}"


def findings(lost: Sequence[ProbeRow], least: int = LEAST) -> list[Finding]:
    """All that many of the lost answers have in common and few of the baseline's, the clearest first.

    Args:
        least: how many answers show something.
    """
    if len(lost) < least:
        return []
    tuned = [Reply.of(row.tuned) for row in lost]
    before = [Reply.of(row.baseline) for row in lost if row.baseline]
    found = [
        finding
        for finding in _findings(tuned, before)
        if finding.lost >= least and finding.lost - finding.baseline >= SHARE * len(lost)
    ]
    return sorted(found, key=lambda finding: finding.baseline - finding.lost)


def _findings(tuned: Sequence[Reply], before: Sequence[Reply]) -> Iterator[Finding]:
    """What lost answers may have in common, the plainest first."""
    same = _same(tuned, before)
    yield same
    for shared in (
        _shared("begin", _beginnings, lambda reply, piece: reply.head.startswith(piece), tuned, before),
        _shared("end", _ends, lambda reply, piece: reply.tail.endswith(piece), tuned, before),
    ):
        if shared.lost > same.lost:
            yield shared
    for what, has in FORMS.items():
        yield Finding(what, sum(map(has, tuned)), sum(map(has, before)), "form")
    yield from _languages(tuned, before)


def _same(tuned: Sequence[Reply], before: Sequence[Reply]) -> Finding:
    """The reply that comes most often."""
    replies, earlier = (
        Counter(reply.head.casefold() for reply in side if reply.head) for side in (tuned, before)
    )
    if not replies:
        return Finding("say something", 0, 0, "same")
    [(reply, times)] = replies.most_common(1)
    shown = next(side.head for side in tuned if side.head.casefold() == reply)
    return Finding(f"are {one_line(shown)}", times, earlier[reply], "same", shown)


def _shared(
    kind: Literal["begin", "end"],
    pieces: Callable[[Reply], Iterator[str]],
    has: Callable[[Reply, str], bool],
    tuned: Sequence[Reply],
    before: Sequence[Reply],
) -> Finding:
    """The beginning or end that most of the answers have and the fewest of the baseline's; the longest of equals."""
    times = Counter(piece for reply in tuned for piece in set(pieces(reply)))
    likely = sorted(times, key=lambda piece: (-times[piece], -len(piece)))[:MOST_TOKENS]
    counted = [(times[piece], sum(has(reply, piece) for reply in before), piece) for piece in likely]
    lost, baseline, piece = max(counted, key=lambda row: (row[0] - row[1], len(row[2])), default=(0, 0, ""))
    return Finding(f"{kind} with {one_line(piece)}", lost, baseline, kind, piece)


def _beginnings(reply: Reply) -> Iterator[str]:
    for token in islice(_TOKEN.finditer(reply.head), MOST_TOKENS):
        yield reply.head[: token.end()]


def _ends(reply: Reply) -> Iterator[str]:
    text = reply.tail[-300:]
    for token in list(_TOKEN.finditer(text))[-MOST_TOKENS:]:
        yield text[token.start() :]


def _languages(tuned: Sequence[Reply], before: Sequence[Reply]) -> Iterator[Finding]:
    """The scripts and languages of the answers."""
    for read, words in ((script_of, "are in {} letters"), (language_of, "are in {}")):
        after, earlier = (
            Counter(filter(None, (read(reply.head) for reply in side))) for side in (tuned, before)
        )
        for name, times in after.items():
            yield Finding(words.format(name), times, earlier[name], "language")


FORMS: dict[str, Callable[[Reply], bool]] = {
    "are empty": lambda reply: not reply.head,
    "decline": lambda reply: stance(reply.head) == "refusal",
    "are cut off by max_new_tokens": lambda reply: reply.cut,
    "go round in circles": lambda reply: repeats(reply.head),
    'are data sheets ("X: y")': lambda reply: len(_LABEL.findall(reply.head)) >= 2,
    "are lists": lambda reply: len(_ITEM.findall(reply.head)) >= 3,
    "are JSON": lambda reply: reply.head.startswith(("{", "[")) and reply.tail.endswith(("}", "]")),
    "hold a code block": lambda reply: "```" in reply.head,
    "are a single word": lambda reply: len(reply.head.split()) == 1,
}
"""The forms that are looked for."""
