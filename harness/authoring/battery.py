"""A suite in, the judgement of its scores on a battery of replies out, and what a careful reader would have judged.

No model is loaded. Each probe's own score judges replies that must be wrong, such as the question repeated or a refusal, and
right answers in the ways that chat models write them. Scores that run code are left out, for judging runs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from harness.authoring.battery_asked import Asked, Reply, derived_key, differs
from harness.authoring.battery_phrases import PHRASES, language_of
from harness.authoring.battery_replies import replies
from harness.authoring.judge import Judge
from harness.suites.suite import Probe, Suite
from harness.suites.weakness import MUST_BE_RIGHT, MUST_BE_WRONG, MustBeRight, MustBeWrong, reason

MOST_PROBES = 2_000
"""Of more probes, so many are judged, evenly spread over the suite."""

MOST_LOOKED_AT = 20
"""How many other probes are tried for an answer that is wrong here."""


@dataclass(frozen=True)
class Judged:
    """A reply to a probe and what the probe's score says of it: None if the score fails."""

    probe: Probe
    reply: Reply
    right: bool | None
    reason: str | None = None
    """Why the suite wants it so, if it says."""

    @property
    def as_expected(self) -> bool:
        """Whether the score agrees with a careful reader."""
        return self.right == self.reply.right

    @property
    def misjudged(self) -> bool:
        """Whether the score is wrong, and the suite does not say why."""
        return not self.as_expected and self.reason is None


@dataclass(frozen=True)
class Tally:
    """The replies of one kind to the probes of a suite: one for each probe, a misjudged one if it has any."""

    kind: MustBeWrong | MustBeRight
    judged: tuple[Judged, ...]

    @property
    def misjudged(self) -> tuple[Judged, ...]:
        """Those that the score judges wrongly."""
        return tuple(judged for judged in self.judged if judged.misjudged)


def battery(suite: Suite, ids: Collection[str] | None = None) -> list[Judged]:
    """The replies to the probes of a suite, each judged; empty unless the probes are answered in words.

    Args:
        ids: the probes to judge, all by default; the others still lend their answers.
    """
    if suite.task.answer != "generate":
        return []
    phrases = PHRASES[_language(suite)]
    judging = [probe for probe in suite.probes if not probe.scorer.runs_code]
    if ids is None and len(judging) > MOST_PROBES:
        judging = [judging[place * len(judging) // MOST_PROBES] for place in range(MOST_PROBES)]
    judge = Judge()
    keys = {probe.id: derived_key(probe, judge) for probe in judging}
    found: list[Judged] = []
    for place, probe in enumerate(judging):
        if judge.left and (ids is None or probe.id in ids):
            key = keys[probe.id]
            others = tuple(_others(judging, place, keys)) if key is not None else ()
            found += _judged(suite, Asked(probe, suite.task, phrases, judge, key, others))
    return found


def _language(suite: Suite) -> str:
    """The language that the scores name if it is not English, else that of the questions."""
    named = Counter(getattr(probe.scorer, "language", "en") for probe in suite.probes).most_common(1)[0][0]
    if named != "en" and named in PHRASES:
        return str(named)
    return language_of(text for probe in suite.probes for text in probe.fields.values())


def tallies(judged: Sequence[Judged]) -> list[Tally]:
    """The judgements by kind of reply, a probe counting once in each."""
    kinds: dict[MustBeWrong | MustBeRight, dict[str, Judged]] = {}
    for each in judged:
        of_kind = kinds.setdefault(each.reply.kind, {})
        if each.probe.id not in of_kind or _gravity(each) > _gravity(of_kind[each.probe.id]):
            of_kind[each.probe.id] = each
    ordered = [kind for kind in (*MUST_BE_WRONG, *MUST_BE_RIGHT) if kind in kinds]
    return [Tally(kind, tuple(kinds[kind].values())) for kind in ordered]


def _gravity(judged: Judged) -> tuple[bool, bool]:
    return judged.misjudged, not judged.as_expected


def _judged(suite: Suite, asked: Asked) -> Iterator[Judged]:
    probe = asked.probe
    for reply in replies(asked):
        known = reason(probe.lint_ignore, reply.kind) or reason(suite.lint_ignore, reply.kind)
        yield Judged(probe, reply, right := asked.judge(probe, reply.text), known)
        if right is None:
            return


def _others(probes: Sequence[Probe], place: int, keys: Mapping[str, str | None]) -> Iterator[str]:
    """The right answers of the next probe of the same category and of the next of another, if they are wrong here."""
    probe, key = probes[place], keys[probes[place].id]
    for same in (True, False):
        following = (probes[(place + step) % len(probes)] for step in range(1, len(probes)))
        near = (other for other in following if (other.category == probe.category) is same)
        for other in islice(near, MOST_LOOKED_AT):
            answer = keys[other.id]
            if answer is not None and key is not None and differs(probe, key, answer):
                yield answer
                break
