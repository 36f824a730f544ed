"""The rows of probes in, what stands out among the lost answers out: "60 of 60 lost answers begin with "DRUG-INFO:"".

Each finding is a difference: many of the lost answers have it, and few of the baseline's own answers to the same probes.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.normalise import answer_of
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

_TOKEN = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|\S")
_LABEL = re.compile(r"(?:^|[|;\n])[ \t*_#-]{0,8}[^\W\d_][\w -]{0,30}[*_]{0,2}:[*_]{0,2}[ \t]")
_ITEM = re.compile(r"^[ \t]*(?:[-*•+]|\d+[.)])[ \t]+\S", re.MULTILINE)
_WORDS = {
    "English": "the of and is in to was that with for are this",
    "French": "le la les des est et une dans pour que qui du",
    "German": "der die das und ist ein eine nicht mit für von den",
    "Spanish": "el los las es una que por para con del y se",
    "Italian": "il gli di che è una per con non sono della le",
    "Portuguese": "o os as um uma que não para com do da em",
    "Dutch": "de het een van en is niet met voor dat zijn op",
}
"""Frequent words of the languages that share a script."""


@dataclass(frozen=True)
class Finding:
    """Something that `lost` of the lost answers have in common, and `baseline` of the baseline's."""

    what: str
    lost: int
    baseline: int


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
    lost = [row for row in rows if row.change == "lost" and row.tuned.kind == "generate" and row.baseline]
    if len(lost) < LEAST:
        return []
    tuned = [Reply.of(row.tuned) for row in lost]
    before = [Reply.of(row.baseline) for row in lost if row.baseline]
    found = [finding for finding in _findings(tuned, before) if _stands_out(finding, len(lost))]
    found.sort(key=lambda finding: finding.baseline - finding.lost)
    return [
        f"{finding.lost} of {len(lost)} lost answers {finding.what}; of the baseline's to the same probes, "
        f"{finding.baseline or 'none'}"
        for finding in found[:MOST_FINDINGS]
    ]


def _stands_out(finding: Finding, n: int) -> bool:
    return finding.lost >= LEAST and finding.lost - finding.baseline >= SHARE * n


def _findings(tuned: Sequence[Reply], before: Sequence[Reply]) -> Iterator[Finding]:
    """What lost answers may have in common, the plainest first."""
    same = _same(tuned, before)
    yield same
    for shared in (
        _shared("begin with", _beginnings, str.startswith, *_texts(tuned, before, "head")),
        _shared("end with", _ends, str.endswith, *_texts(tuned, before, "tail")),
    ):
        if shared.lost > same.lost:
            yield shared
    for what, has in FORMS.items():
        yield Finding(what, sum(map(has, tuned)), sum(map(has, before)))
    yield from _languages(tuned, before)


def _texts(tuned: Sequence[Reply], before: Sequence[Reply], part: str) -> tuple[list[str], list[str]]:
    return [getattr(reply, part) for reply in tuned], [getattr(reply, part) for reply in before]


def _same(tuned: Sequence[Reply], before: Sequence[Reply]) -> Finding:
    """The reply that comes most often."""
    replies, earlier = (
        Counter(reply.head.casefold() for reply in side if reply.head) for side in (tuned, before)
    )
    if not replies:
        return Finding("say something", 0, 0)
    [(reply, times)] = replies.most_common(1)
    shown = next(side.head for side in tuned if side.head.casefold() == reply)
    return Finding(f"are {one_line(shown)}", times, earlier[reply])


def _shared(
    verb: str,
    pieces: Callable[[str], Iterator[str]],
    has: Callable[[str, str], bool],
    tuned: Sequence[str],
    before: Sequence[str],
) -> Finding:
    """The beginning or end that most of the answers have and the fewest of the baseline's; the longest of equals."""
    times = Counter(piece for text in tuned for piece in set(pieces(text)))
    likely = sorted(times, key=lambda piece: (-times[piece], -len(piece)))[:MOST_TOKENS]
    counted = [(times[piece], sum(has(text, piece) for text in before), piece) for piece in likely]
    lost, baseline, piece = max(counted, key=lambda row: (row[0] - row[1], len(row[2])), default=(0, 0, ""))
    return Finding(f"{verb} {one_line(piece)}", lost, baseline)


def _beginnings(text: str) -> Iterator[str]:
    for token, _ in zip(_TOKEN.finditer(text), range(MOST_TOKENS), strict=False):
        yield text[: token.end()]


def _ends(text: str) -> Iterator[str]:
    for token in list(_TOKEN.finditer(text[-300:]))[-MOST_TOKENS:]:
        yield text[-300:][token.start() :]


def _languages(tuned: Sequence[Reply], before: Sequence[Reply]) -> Iterator[Finding]:
    """The scripts and languages of the answers."""
    for read, words in ((_script, "are in {} letters"), (_language, "are in {}")):
        after, earlier = (
            Counter(filter(None, (read(reply.head) for reply in side))) for side in (tuned, before)
        )
        for name, times in after.items():
            yield Finding(words.format(name), times, earlier[name])


def _script(text: str) -> str | None:
    """The script of most letters of a text, by the first word of their names."""
    letters = [letter for letter in text[:500] if letter.isalpha()]
    scripts = Counter(unicodedata.name(letter, "?").partition(" ")[0].capitalize() for letter in letters)
    return max(scripts, key=scripts.__getitem__) if scripts else None


def _language(text: str) -> str | None:
    """The language whose frequent words stand out in a text in Latin letters, or None."""
    words = Counter(re.findall(r"\w+", text.casefold()))
    hits = sorted(
        ((sum(words[word] for word in frequent.split()), name) for name, frequent in _WORDS.items()),
        reverse=True,
    )
    (most, name), (second, _) = hits[:2]
    return name if most >= 3 and most >= 2 * second else None


def _is_sheet(reply: Reply) -> bool:
    return len(_LABEL.findall(reply.head)) >= 2


def _is_list(reply: Reply) -> bool:
    return len(_ITEM.findall(reply.head)) >= 3


FORMS: dict[str, Callable[[Reply], bool]] = {
    "are empty": lambda reply: not reply.head,
    "decline": lambda reply: stance(reply.head) == "refusal",
    "are cut off by max_new_tokens": lambda reply: reply.cut,
    "go round in circles": lambda reply: repeats(reply.head),
    'are data sheets ("X: y")': _is_sheet,
    "are lists": _is_list,
    "are JSON": lambda reply: reply.head.startswith(("{", "[")) and reply.tail.endswith(("}", "]")),
    "hold a code block": lambda reply: "```" in reply.head,
    "are a single word": lambda reply: len(reply.head.split()) == 1,
}
"""The forms that are looked for."""
