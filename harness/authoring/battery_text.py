"""The judgements of a battery of replies in, the lines of a table for people out; misjudged replies come first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.authoring.battery import Judged, Tally, tallies
from harness.tables import aligned
from harness.wording import count, cut, one_line

MOST_IN_FULL = 30
"""Of more probes than this, replies are counted by kind."""

SHOWN = 60
VERDICTS = {True: "right", False: "wrong", None: "the score fails"}


def battery_lines(judged: Sequence[Judged], probes: int) -> Iterator[str]:
    """The table: a row for each reply to a single probe, for each misjudged one to a few, or for each kind to many.

    Args:
        probes: how many probes were asked for; those whose scores run code have no replies.
    """
    judging = list(dict.fromkeys(each.probe.id for each in judged))
    if len(judging) < probes:
        yield f"{count(probes - len(judging), 'probe')} not judged: the score runs code, or no reply is written"
    if not judged:
        return
    if len(judging) > MOST_IN_FULL:
        yield from aligned(
            [_HEADING, *map(_of_kind, sorted(tallies(judged), key=_least_good))], left=(0, 1, 4)
        )
    else:
        rows = [each for each in judged if len(judging) == 1 or not each.as_expected]
        rows.sort(key=lambda each: (not each.misjudged, each.as_expected))
        heading = ("probe", "reply", "judged", "expected", "text")
        if rows:
            yield from aligned([heading, *map(_of_reply, rows)], left=range(5))
    yield ""
    for right, words in ((False, "wrong replies judged right"), (True, "right replies judged wrong")):
        of = [each for each in judged if each.reply.right is right]
        yield f"{sum(each.misjudged for each in of):,} of {len(of):,} {words}"


_HEADING = ("reply", "expected", "misjudged", "of", "such as")


def _of_kind(tally: Tally) -> tuple[str, ...]:
    wrong = tally.misjudged
    example = f"{wrong[0].probe.id}: {one_line(wrong[0].reply.text, SHOWN)}" if wrong else _explained(tally)
    expected = VERDICTS[tally.judged[0].reply.right]
    return tally.kind, expected, f"{len(wrong):,}", f"{len(tally.judged):,}", example


def _explained(tally: Tally) -> str:
    """The reason of a suite for judging a kind otherwise, if it gives one."""
    known = [each.reason for each in tally.judged if each.reason is not None and not each.as_expected]
    return f"{len(known):,} known: {cut(known[0], SHOWN)}" if known else ""


def _least_good(tally: Tally) -> float:
    return -len(tally.misjudged) / len(tally.judged)


def _of_reply(judged: Judged) -> tuple[str, ...]:
    reply, expected = judged.reply, VERDICTS[judged.reply.right]
    if judged.reason is not None and not judged.as_expected:
        expected = f"{expected}, but known: {cut(judged.reason, SHOWN)}"
    return judged.probe.id, reply.kind, VERDICTS[judged.right], expected, one_line(reply.text, SHOWN)
