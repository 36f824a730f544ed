"""One suite in a run: what cases need of it, and both models' answers and scores."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from harness.engine.requests import Answer, Generated, Side
from harness.evaluation.ask import Answered
from harness.gate.cases import Case
from harness.gate.compare import Pair, pair
from harness.gate.evidence import nothing_known
from harness.gate.stopping import Stop
from harness.reporting.rows import NoiseRow
from harness.reporting.run_rows import Standing
from harness.scoring.score import Score
from harness.suites.acceptance import Acceptance
from harness.suites.suite import Probe, Suite

TELLING = 60
"""Probes that tell enough of a suite: who is right on none of them knows less than 5 % of it (95 % confidence)."""


@dataclass
class SuiteRun:
    """One suite in a run: the ids of the probes that cases need, and both models' answers."""

    suite: Suite
    needed: set[str] = field(default_factory=set)
    compared: set[str] = field(default_factory=set)
    """Those of `needed` that the baseline is asked too."""
    single: set[str] = field(default_factory=set)
    """Those of `compared` that are a case of their own."""
    gated: dict[str, Case] = field(default_factory=dict)
    """The cases with margins, by slice."""
    answers: dict[Side, dict[str, Answer]] = field(default_factory=lambda: {"baseline": {}, "tuned": {}})
    scores: dict[Side, dict[str, Score]] = field(default_factory=lambda: {"baseline": {}, "tuned": {}})
    again: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    """By the id of a lost probe, its further attempts: in another batch, and in other words."""
    attempts: Answered = field(default_factory=lambda: Answered({}, {}))
    """The baseline's further attempts at single probes, lost or not yet, by the ids of the attempts."""
    noise: NoiseRow | None = None
    """How the baseline's answers differ between equal conditions, if it was asked."""
    recorded: tuple[str | None] | None = None
    """`nothing_known` as an earlier run found it with answers that it did not keep; the answers kept may show more."""
    seconds: float = 0.0
    """Spent asking both models."""
    prompts_compared: bool = False
    single_cases: bool = False
    """Whether probes are cases of their own, which must all be asked."""
    stop: Stop | None = None
    """Where asking stopped, if it was to stop once it is decided."""
    keys: Mapping[str, str] | None = None
    """By probe id, the keys of the requests in an earlier run; None if they follow from the suite."""
    acceptances: Sequence[tuple[Acceptance, Standing]] | None = None
    """What was accepted of the suite, and whether it counts; None until that is known."""

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time spent in it to `seconds`."""
        began = time.monotonic()
        yield
        self.seconds += time.monotonic() - began

    def need(self, probes: Iterable[Probe], compared: bool) -> None:
        """Add probes for the tuned model, and for the baseline too if they are `compared`."""
        ids = {probe.id for probe in probes}
        self.needed |= ids
        if compared:
            self.compared |= ids

    def end(self, stop: Stop) -> None:
        """Need no more than was asked."""
        self.stop = stop
        self.needed.intersection_update(stop.asked)
        self.compared.intersection_update(stop.asked)

    def asked_of(self, case: Case) -> tuple[Probe, ...]:
        """The probes of a case: all of them or, where asking stopped early, those that were asked, in that order."""
        if self.stop is None or not self.stop.early:
            return case.probes
        by_id = {probe.id: probe for probe in case.probes}
        return tuple(by_id[id] for id in self.stop.asked if id in by_id)

    def missing(self, side: Side, among: Iterable[Probe] | None = None) -> list[Probe]:
        """The probes that a model has not been asked yet, of all or `among` some, in the order of the suite."""
        wanted = self.compared if side == "baseline" else self.needed
        if among is not None:
            wanted = wanted & {probe.id for probe in among}
        return [
            probe for probe in self.suite.probes if probe.id in wanted and probe.id not in self.scores[side]
        ]

    def rest(self) -> Iterator[list[Probe]]:
        """What else to ask the baseline while its answers do not show that it knows anything: first some from all over the suite.

        A baseline that is right on none of TELLING probes is asked no more.
        """
        scores = self.scores["baseline"]
        left = [probe for probe in self.suite.probes if probe.id not in scores]
        if left and self.nothing_known is not None:
            yield left[:: 1 + (len(left) - 1) // TELLING]
        left = [probe for probe in left if probe.id not in scores]
        hopeless = len(scores) >= TELLING and not any(score.right for score in scores.values())
        if left and self.nothing_known is not None and not hopeless:
            yield left

    def know(self, side: Side, answered: Answered) -> None:
        """Add answers of a model."""
        self.answers[side].update(answered.answers)
        self.scores[side].update(answered.scores)
        if side == "baseline" and answered.attempts is not None:
            self.know_attempts(answered.attempts)
        vars(self).pop("nothing_known", None)  # it depends on all answers

    def know_attempts(self, attempts: Answered) -> None:
        """Add further attempts of the baseline."""
        self.attempts = Answered(
            {**self.attempts.answers, **attempts.answers}, {**self.attempts.scores, **attempts.scores}
        )

    def pair_attempts(self, tuned: Mapping[str, Score]) -> None:
        """Pair the scores of a tuned model's further attempts with those of the baseline's."""
        for probe in self.suite.probes:
            if probe.id in self.single and (attempts := further_attempts(probe))[0].id in tuned:
                self.again[probe.id] = tuple(pair(attempts, self.attempts.scores, tuned))

    def pairs(self, probes: Iterable[Probe], compared: bool = True) -> list[Pair]:
        """Both scores of each probe; raises NoEvidenceError if one was not asked."""
        pairs = pair(list(probes), self.scores["baseline"] if compared else None, self.scores["tuned"])
        accepted = {item.probe for item, standing in self.acceptances or () if standing == "in force"}
        if not accepted:
            return pairs
        return [
            replace(found, accepted=found.change == "lost" and found.probe.id in accepted) for found in pairs
        ]

    def answered(self, side: Side) -> Answered:
        """All answers of a model, the baseline's with its further attempts."""
        attempts = self.attempts if side == "baseline" and self.attempts.scores else None
        return Answered(self.answers[side], self.scores[side], attempts)

    @property
    def lost_singly(self) -> list[Probe]:
        """The single probes that are lost and were not asked again."""
        single = [
            probe for probe in self.asked_of_both if probe.id in self.single and probe.id not in self.again
        ]
        return [found.probe for found in self.pairs(single) if found.change == "lost"]

    @property
    def asked_of_both(self) -> list[Probe]:
        """The probes that both models answered."""
        return [
            probe for probe in self.suite.probes if all(probe.id in scores for scores in self.scores.values())
        ]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What both models wrote to each probe that both answered in words."""
        before, after = self.answers["baseline"], self.answers["tuned"]
        asked = ((before.get(probe.id), after.get(probe.id)) for probe in self.asked_of_both)
        return [
            (first.text, second.text)
            for first, second in asked
            if isinstance(first, Generated) and isinstance(second, Generated)
        ]

    @property
    def asked_whole(self) -> bool:
        """Whether the baseline answered more than what the cases compare."""
        return self.recorded is not None or len(self.scores["baseline"]) > len(self.compared)

    @cached_property
    def nothing_known(self) -> str | None:
        """Why the baseline's answers do not show that it knows anything of the suite; None if they do."""
        scores = self.scores["baseline"]
        why = nothing_known([(probe, scores[probe.id]) for probe in self.suite.probes if probe.id in scores])
        return why if why is None or self.recorded is None else self.recorded[0]


def further_attempts(probe: Probe) -> list[Probe]:
    """What is asked again of a single probe: the probe itself, for other batches, and its other words."""
    return attempts_at(probe, (probe.fields, *probe.also_ask))


def attempts_at(probe: Probe, fields: Iterable[Mapping[str, str]]) -> list[Probe]:
    """The probe with other fields of its prompt, each under an id of its own."""
    return [
        replace(probe, id=f"{probe.id} ({number})", fields=words)
        for number, words in enumerate(fields, start=2)
    ]
