"""The suites of a run in, what was accepted of them and what its record says of each of them out."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from harness.engine.abilities import Backed
from harness.engine.functions import FunctionEngine
from harness.engine.requests import Engine
from harness.evaluation.acceptances import judged, standings_now
from harness.evaluation.engines import check_engines
from harness.evaluation.noise import check_margins
from harness.evaluation.suite_run import SuiteRun
from harness.gate.evidence import Cut, cut, noted_cuts
from harness.reporting.rows import NoiseRow, SequentialRow
from harness.reporting.run_rows import AcceptedRow, ModelRow

Cuts = dict[str, dict[tuple[object, str], Cut]]
"""By suite, how many answers were cut, by session and tuned model."""

MANY = 20
"""Two models that give so many answers in the same words are likely one."""


class SuiteRuns:
    """The suites of a run, by name, and notes for the user.

    Args:
        baseline: gives the row of the baseline, once it can be known; None to count no accepted loss as kept.
        cuts: collects which answers were cut; sessions that share it and `notes` have one note on each suite.
        engine_flips: the share of answers that flip between two engines on one model, if it was measured.
    """

    def __init__(
        self,
        baseline: Callable[[], ModelRow | None] | None,
        notes: list[str],
        cuts: Cuts,
        engine_flips: float | None,
    ) -> None:
        self.baseline = baseline
        self.notes = notes
        self.cuts = cuts
        self.engine_flips = engine_flips
        self.suites: dict[str, SuiteRun] = {}
        self.engines: dict[str, str] = {}
        """By side, what computed its answers, as far as engines tell."""
        self._mark = object()
        """Stands for this session in `cuts`, which outlive it and its answers."""
        self._unproven = False
        """Whether a function answered that does not tell which model it asks."""
        self._checked: dict[str, tuple[int, int]] = {}
        """By suite, how many probes and gates it had when it was checked that these may decide it."""

    def note(self, text: str) -> None:
        """Keep a note for the user, once."""
        if text not in self.notes:
            self.notes.append(text)

    def note_cut(self, run: SuiteRun, model: str) -> None:
        """Note how many answers of the baseline and of a tuned `model` were cut, if many were, in place of what was noted before."""
        cuts = self.cuts.setdefault(run.suite.name, {})
        before = noted_cuts(run.suite, cuts)
        asked = [probe for probe in run.suite.probes if probe.id in run.scores["tuned"]]
        cuts[self._mark, model] = cut(
            run.pairs(run.asked_of_both if run.compared else asked, bool(run.compared))
        )
        if before in self.notes:
            self.notes.remove(before)
        if after := noted_cuts(run.suite, cuts):
            self.note(after)

    @property
    def seconds_asking(self) -> dict[str, float]:
        """Seconds spent asking, by suite."""
        return {name: run.seconds for name, run in self.suites.items() if run.seconds}

    @property
    def given(self) -> dict[str, Any]:
        """What answered; and by suite, the chat template arguments and the tokens of reasoning it was asked with, where it has any."""
        tasks = {name: run.suite.task for name, run in self.suites.items() if run.scores["tuned"]}
        return {
            "engines": self.engines,
            "engine_flips": self.engine_flips,
            "template": {
                name: {key: json.loads(value) for key, value in task.template}
                for name, task in tasks.items()
                if task.template
            },
            "thinking_tokens": {
                name: task.thinking_tokens for name, task in tasks.items() if task.thinking_tokens is not None
            },
        }

    @property
    def nothing_known(self) -> dict[str, str | None]:
        """By suite, `SuiteRun.nothing_known` where it is judged by more probes than are compared."""
        return {name: run.nothing_known for name, run in self.suites.items() if run.asked_whole}

    @property
    def noise(self) -> dict[str, NoiseRow]:
        """By suite, how the baseline's answers differ between equal conditions, if that was measured."""
        return {name: run.noise for name, run in self.suites.items() if run.noise is not None}

    @property
    def accepted(self) -> dict[str, list[AcceptedRow]]:
        """By suite, what was accepted of it, and whether it counts."""
        return {
            name: [AcceptedRow.of(item, standing) for item, standing in standings_now(run)]
            for name, run in self.suites.items()
            if run.acceptances
        }

    @property
    def told(self) -> dict[str, Any]:
        """All of these but `given`, by their keys in the record, as JSON data."""
        return {
            "seconds_asking": self.seconds_asking,
            "nothing_known": self.nothing_known,
            "noise": {name: row.model_dump(mode="json") for name, row in self.noise.items()},
            "sequential": {
                name: SequentialRow.of_stop(run.stop).model_dump(mode="json")
                for name, run in self.suites.items()
                if run.stop is not None
            },
            "accepted": {
                name: [row.model_dump(mode="json") for row in rows] for name, rows in self.accepted.items()
            },
        }

    def check_engines(
        self, baseline: Engine, tuned: Engine, refuse: bool, max_flips: float | None = None
    ) -> None:
        """Note what computes the answers, and `refuse` gates of any suite, and that over flips, that two engines alone could decide.

        Raises:
            EngineError: there are such gates.
        """
        sides = {"baseline": baseline, "tuned": tuned}
        plain = any(isinstance(engine, FunctionEngine) and not engine.identity for engine in sides.values())
        self._unproven |= refuse and plain and baseline is not tuned
        known = {side: engine.backend for side, engine in sides.items() if isinstance(engine, Backed)}
        if known != self.engines:
            self.engines, self._checked = known, {}
        asked = {name: (len(run.compared), len(run.gated)) for name, run in self.suites.items()}
        new = [run for name, run in self.suites.items() if self._checked.get(name) != asked[name]]
        if refuse and new:
            for note in check_engines(new, baseline, tuned, self.engine_flips, max_flips):
                self.note(note)
            self._checked = asked

    def check_decided(self, names: Collection[str]) -> None:
        """Check suites before their cases are decided, and note it if nothing shows that two models answered them.

        Raises:
            HarnessError: noise was measured, and reaches the margins of some cases.
        """
        runs = [run for name, run in self.suites.items() if name in names]
        check_margins(runs)
        pairs = [pair for run in runs for pair in run.texts] if self._unproven else []
        if len(pairs) >= MANY and all(before == after for before, after in pairs):
            self.note(
                f"all {len(pairs)} answers are the same text on both sides, and nothing proves that two models gave them: see "
                "which model each function asks"
            )

    def judge_accepted(self, run: SuiteRun) -> None:
        """Judge, once a suite, what was accepted of it."""
        if self.baseline is None or run.acceptances is not None or not run.suite.accepted or not run.compared:
            return
        run.acceptances = judged(run, self.baseline())
