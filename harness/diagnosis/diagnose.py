"""The probes of a run and both its models in, why probes were lost, suite by suite, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.diagnosis.causes import Caused, cause_of
from harness.diagnosis.evidence import Asker, Found, Meter
from harness.diagnosis.form import Form, form_of
from harness.diagnosis.ways import (
    Way,
    as_choices,
    begun,
    continues,
    keys_shown,
    restated,
    shots_of,
    with_shots,
)
from harness.engine.requests import SIDES, EnginePair, Side
from harness.errors import EngineError, NoEvidenceError
from harness.progress import Progress, ProgressFor
from harness.reporting.diagnosis_rows import Cause, DiagnosisRow, ExampleRow, LossCauseRow
from harness.reporting.html.probes import question_of
from harness.reporting.rows import ProbeRow
from harness.reporting.standing_out import written_and_lost
from harness.stats.rates import wilson_interval
from harness.stats.sampling import stratified
from harness.suites.suite import Probe, Shot, Suite
from harness.wording import cut

MOST = 48
"""Lost probes of a suite that are asked otherwise, and half as many kept ones as a control."""

IN_A_RUN = MOST // 2
"""The same at the end of a run, for a line about each suite."""

DRAWS = ("first", "second")
"""The wrong answers beside a right one are drawn so often; known is what is chosen each time."""

EXAMPLES = 3
LONGEST = 400
"""Characters of a text in an example."""


@dataclass(frozen=True)
class Diagnosing:
    """How to diagnose.

    Attributes:
        most: lost probes of a suite that are asked otherwise.
        seed: of the samples, the examples and the wrong answers.
        counter: makes the callback for asking, by the name of the work.
    """

    most: int = MOST
    seed: int = 0
    allow_code: bool = False
    counter: ProgressFor | None = field(default=None, compare=False)


def diagnosed(
    rows: Sequence[ProbeRow], suites: Mapping[str, Suite], pair: EnginePair, how: Diagnosing
) -> dict[str, DiagnosisRow]:
    """Why probes were lost, by suite; empty if none was.

    Args:
        rows: all probes of the run.
        suites: as they were asked, by name; a suite that is not here is diagnosed by its answers alone.

    Raises:
        ScorerError: a score broke, or runs code without permission.
        ModelError: a model cannot be loaded.
    """
    whole = form_of(written_and_lost(rows))
    by_suite: dict[str, list[ProbeRow]] = {}
    for row in rows:
        by_suite.setdefault(row.suite, []).append(row)
    return {
        name: _Diagnosis(name, own, suites.get(name), pair, how, whole).row()
        for name, own in by_suite.items()
        if any(row.change == "lost" for row in own)
    }


class _Diagnosis:
    """One suite of which probes were lost."""

    def __init__(
        self,
        name: str,
        rows: Sequence[ProbeRow],
        suite: Suite | None,
        pair: EnginePair,
        how: Diagnosing,
        whole: Form,
    ) -> None:
        self.name = name
        self.suite = suite
        self.pair = pair
        self.how = how
        self.all_lost = [row for row in rows if row.change == "lost"]
        self.lost = stratified(self.all_lost, lambda row: row.category, how.most, how.seed)
        self.kept = [row for row in rows if row.change == "kept"]
        self.form = form_of(written_and_lost(rows)).and_of(whole)
        self.notes: list[str] = []

    def row(self) -> DiagnosisRow:
        """Its row in a record."""
        ways = self._ways()
        found = [cause_of(row, ways, self.form) for row in self.lost]
        numbers = Counter(each.cause for each in found).most_common()
        cause, most = numbers[0]
        return DiagnosisRow(
            verdict=cause if 2 * most > len(found) else "mixed",
            lost=len(self.all_lost),
            diagnosed=len(found),
            causes=[_cause_row(cause, found) for cause, _ in numbers],
            ways=[way.row() for way in ways],
            form=list(self.form.sentences),
            words=list(self.form.words),
            notes=self.notes,
        )

    # Asking otherwise

    def _ways(self) -> list[Found]:
        """What came of each way of asking that can be asked, the plainest first."""
        suite = self.suite
        if suite is None:
            self.notes.append("its suite is not here, so nothing was asked otherwise")
            return []
        by_id = {probe.id: probe for probe in suite.probes if probe.item is None}
        lost = [by_id[row.id] for row in self.lost if row.id in by_id]
        if not lost or suite.task.answer == "likelihood":
            self.notes.append("its probes cannot be asked otherwise")
            return []
        shots = shots_of(suite, [row for row in self.kept if row.id in by_id], lost, self.how.seed)
        kept = self._controls(by_id, {tuple(sorted(shot.fields.items())) for shot in shots})
        asker = Asker(
            self.pair,
            [probe.id for probe in lost],
            [probe.id for probe in kept],
            self.how.allow_code,
            self._meter(),
        )
        draws = self._draws(suite, [*lost, *kept], shots)
        found = (self._stripped(asker, lost), *(self._asked(asker, ways) for ways in draws))
        return [each for each in found if each is not None and each.lost]

    def _controls(self, by_id: Mapping[str, Probe], shown: set[tuple[tuple[str, str], ...]]) -> list[Probe]:
        """Kept probes that no example shows, half as many as lost ones."""
        rows = [
            row for row in self.kept if row.id in by_id and tuple(sorted(row.fields.items())) not in shown
        ]
        chosen = stratified(rows, lambda row: row.category, max(1, self.how.most // 2), self.how.seed)
        return [by_id[row.id] for row in chosen]

    def _draws(self, suite: Suite, probes: Sequence[Probe], shots: Sequence[Shot]) -> Iterator[list[Way]]:
        """Each way, as often as it is asked."""
        yield [restated(suite, probes)]
        if way := with_shots(suite, probes, shots):
            yield [way]
        else:
            self.notes.append("shots: no kept probe can be an example")
        if suite.task.answer != "generate":
            return
        rows = {row.id: row for row in (*self.lost, *self.kept)}
        if not all(continues(self.pair.of(side), suite.task) for side in SIDES):
            self.notes.append("begun: a model cannot go on with an answer that has begun")
        elif way := begun(suite, probes, rows):
            yield [way]
        compared = all("choose" in self.pair.of(side).kinds for side in SIDES)
        keys = keys_shown(suite, probes, self.how.seed) if compared else ()
        draws = [as_choices(suite, probes, keys, compared, f"{draw} {self.how.seed}") for draw in DRAWS]
        if all(draws):
            yield [way for way in draws if way]
        else:
            self.notes.append(
                "choices: its probes have no right answers to choose from, or the models cannot choose"
            )

    def _asked(self, asker: Asker, draws: Sequence[Way]) -> Found | None:
        try:
            return asker.found(draws)
        except (EngineError, NoEvidenceError) as error:
            self.notes.append(f"{draws[0].name}: {error.on_command_line.splitlines()[-1].strip()}")
            return None

    def _stripped(self, asker: Asker, probes: Sequence[Probe]) -> Found | None:
        answers = {row.id: row.tuned.raw() for row in self.lost if row.tuned.kind is not None}
        known = [probe for probe in probes if probe.id in answers]
        return asker.stripped(known, answers, self.form.stripped)

    def _meter(self) -> Meter:
        counter = self.how.counter

        def meter(way: str, side: Side) -> Progress | None:
            return counter(f"{self.name}, {way}, {side}") if counter else None

        return meter


def _cause_row(cause: Cause, found: Sequence[Caused]) -> LossCauseRow:
    own = [each for each in found if each.cause == cause]
    return LossCauseRow(
        cause=cause,
        probes=len(own),
        share=len(own) / len(found),
        interval=wilson_interval(len(own), len(found)),
        examples=[_example(each) for each in own[:EXAMPLES]],
    )


def _example(caused: Caused) -> ExampleRow:
    row = caused.row
    assert row.baseline is not None
    return ExampleRow(
        probe=row.id,
        question=question_of(row.fields),
        expected=[cut(answer, LONGEST) for answer in row.expected[:4]],
        baseline=cut(row.baseline.answer, LONGEST),
        tuned=cut(row.tuned.answer, LONGEST),
        because=caused.because,
        way=caused.way,
        otherwise=None if caused.otherwise is None else cut(caused.otherwise, LONGEST),
    )
