"""A way of asking in, what both models answer so out: how many are right, how many would be by luck, and whether that tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import prod

from harness.diagnosis.ways import Way
from harness.engine.requests import SIDES, Answer, ChoiceLogProbs, EnginePair, Generated, Progress, Side
from harness.evaluation.ask import judged
from harness.evaluation.asking import answers_of
from harness.reporting.diagnosis_rows import WayName, WayRow
from harness.reporting.standing_out import MOST_READ
from harness.scoring.score import Score, score
from harness.stats.paired import ROUNDING
from harness.stats.rates import upper_tail, wilson_interval
from harness.suites.suite import Probe

LEVEL = 0.05
"""The largest probability of a result by luck that still counts as none."""

UNMEASURED = 0.05
"""The chance of a right answer by luck where no other probe's answer can show it."""

TRIES = 20
"""Other probes' right answers that an answer is held against, to see how often it is right by luck."""

LEAST_KEPT = 3
"""Fewer kept probes are no control."""

Meter = Callable[[str, Side], Progress | None]


@dataclass(frozen=True)
class Found:
    """What both models answer in one way, by the ids of probes.

    Attributes:
        lost, kept: the ids that were asked; the kept ones are the control.
        chance: the share that is right by luck.
    """

    way: WayName
    baseline: Mapping[str, Score]
    tuned: Mapping[str, Score]
    lost: tuple[str, ...]
    kept: tuple[str, ...]
    chance: float

    @property
    def luck(self) -> float:
        """How likely luck alone gives as many right answers to lost probes."""
        return upper_tail(self._right(self.tuned, self.lost), len(self.lost), self.chance)

    @property
    def proves(self) -> bool:
        """Whether more lost probes are right so than luck gives."""
        return self.luck <= LEVEL + ROUNDING

    @property
    def tells(self) -> bool:
        """Whether a wrong answer so tells anything.

        The baseline must be right more often than by luck, and the tuned model have at least half of the kept probes that the
        baseline has.
        """
        if self.way == "stripped":
            return False
        both = (*self.lost, *self.kept)
        known = upper_tail(self._right(self.baseline, both), len(both), self.chance) <= LEVEL + ROUNDING
        control = [id for id in self.kept if self.baseline[id].right]
        broken = len(control) >= LEAST_KEPT and 2 * self._right(self.tuned, control) < len(control)
        return known and not broken

    def row(self) -> WayRow:
        """Its row in a record."""
        tuned = self._right(self.tuned, self.lost)
        return WayRow(
            way=self.way,
            lost=len(self.lost),
            baseline=self._right(self.baseline, self.lost),
            tuned=tuned,
            interval=wilson_interval(tuned, len(self.lost)),
            chance=round(self.chance, 4),
            luck=self.luck,
            kept=len(self.kept),
            kept_baseline=self._right(self.baseline, self.kept),
            kept_tuned=self._right(self.tuned, self.kept),
            tells=self.tells,
        )

    @staticmethod
    def _right(scores: Mapping[str, Score], ids: Sequence[str]) -> int:
        return sum(scores[id].right for id in ids)


class Asker:
    """Asks both models of a pair the probes of one suite in other ways.

    Args:
        lost, kept: the ids of the probes.
        meter: makes the callback for asking one side, by the name of the work.
    """

    def __init__(
        self, pair: EnginePair, lost: Sequence[str], kept: Sequence[str], allow_code: bool, meter: Meter
    ) -> None:
        self.pair = pair
        self.lost = set(lost)
        self.kept = set(kept)
        self.allow_code = allow_code
        self.meter = meter

    def found(self, draws: Sequence[Way]) -> Found:
        """What both models answer; right is what is right in each of several draws.

        Raises:
            EngineError, NoEvidenceError, ScorerError: as `evaluation.ask`.
        """
        way = draws[0]
        sides: dict[Side, dict[str, Score]] = {}
        for side in SIDES:
            asked = self._scores(draws, side)
            sides[side] = {
                id: replace(asked[0][id], right=all(scores[id].right for scores in asked)) for id in asked[0]
            }
        return Found(
            way.name,
            sides["baseline"],
            sides["tuned"],
            tuple(id for id in way.requests if id in self.lost),
            tuple(id for id in way.requests if id in self.kept),
            self._chance(draws, sides["tuned"]),
        )

    def stripped(
        self, probes: Sequence[Probe], tuned: Mapping[str, Answer], pieces: Callable[[str], Sequence[str]]
    ) -> Found | None:
        """What the answers to lost probes are without the form that took over; None if none has it."""
        scores: dict[str, Score] = {}
        tried: dict[str, list[Answer]] = {}
        for probe in probes:
            answer = tuned[probe.id]
            if not isinstance(answer, Generated) or not (found := pieces(answer.text)):
                continue
            tried[probe.id] = [replace(answer, text=piece) for piece in found]
            judged_so = [self._score(probe, piece) for piece in tried[probe.id]]
            scores[probe.id] = next((each for each in judged_so if each.right), judged_so[0])
        if not scores:
            return None
        judges = {probe.id: probe for probe in probes if probe.id in scores}
        right = {id: Score(True, "") for id in judges}
        return Found("stripped", right, scores, tuple(judges), (), self._by_luck(judges, tried))

    def _scores(self, draws: Sequence[Way], side: Side) -> list[Mapping[str, Score]]:
        """By the ids of probes, for each draw; all draws are asked at once."""
        engine, name = self.pair.of(side), draws[0].name
        requests = [request for way in draws for request in way.requests.values()]
        ids = [id for way in draws for id in way.requests]
        given = iter(answers_of(engine, draws[0].suite, requests, ids, self.meter(name, side)))
        scores = []
        for way in draws:
            answers = {id: _after(way.begun.get(id, ""), next(given)) for id in way.requests}
            found = judged(
                way.suite, list(way.judges.values()), answers,
                allow_code=self.allow_code, engine=engine, by_rule=True,
            )  # fmt: skip
            scores.append(found.scores)
        return scores

    def _chance(self, draws: Sequence[Way], tuned: Mapping[str, Score]) -> float:
        """The share that is right by luck: of choices, at least that of guessing; else what other probes' answers show."""
        way = draws[0]
        guesses = [prod(each.guess(id) for each in draws) for id in way.requests]
        if not any(guesses):
            return self._by_luck(
                way.judges, {id: [found.answer] for id, found in tuned.items() if found.answer is not None}
            )
        return max(sum(guesses) / len(guesses), self._swapped(draws))

    def _swapped(self, draws: Sequence[Way]) -> float:
        """The share of choices that are right in each draw after the question of another probe, one more of two counted in."""
        ids = [id for id in draws[0].swapped if all(id in each.swapped for each in draws)]
        if not ids:
            return 0.0
        right = dict.fromkeys(ids, True)
        for way in draws:
            asked = [way.swapped[id] for id in ids]
            for id, answer in zip(ids, answers_of(self.pair.tuned, way.suite, asked, ids), strict=True):
                right[id] &= isinstance(answer, ChoiceLogProbs) and score(way.judges[id], answer).right
        return (sum(right.values()) + 1) / (len(ids) + 2)

    def _by_luck(self, judges: Mapping[str, Probe], answers: Mapping[str, Sequence[Answer]]) -> float:
        """How often one of a probe's answers is right by another's key, one more of two counted in; `UNMEASURED` without keys."""
        tried = [
            any(self._score(other, answer).right for answer in shortened)
            for id, given in answers.items()
            if (shortened := list(map(_shortened, given)))
            for other in islice(_others(judges, id), TRIES)
        ]
        return min(1.0, (sum(tried) + 1) / (len(tried) + 2)) if len(tried) >= TRIES else UNMEASURED

    def _score(self, probe: Probe, answer: Answer) -> Score:
        return score(probe, answer, allow_code=self.allow_code, by_rule=True)


def _others(judges: Mapping[str, Probe], id: str) -> Iterator[Probe]:
    """Probes with a right answer of their own, the next ones first."""
    ids = list(judges)
    place = ids.index(id)
    own = judges[id].answers
    for other in (*ids[place + 1 :], *ids[:place]):
        probe = judges[other]
        if probe.answers and probe.answers != own and not probe.scorer.runs_code and probe.item is None:
            yield probe


def _shortened(answer: Answer) -> Answer:
    """An answer as far as luck is looked for in it."""
    return replace(answer, text=answer.text[:MOST_READ]) if isinstance(answer, Generated) else answer


def _after(begun: str, answer: Answer) -> Answer:
    """An answer with what it began with."""
    return replace(answer, text=begun + answer.text) if begun and isinstance(answer, Generated) else answer
