"""The suites of a run in, what its record says of each of them out."""

from __future__ import annotations

import json
from typing import Any

from harness.evaluation.suite_run import SuiteRun
from harness.reporting.rows import NoiseRow, SequentialRow


class SuiteRuns:
    """The suites of a run, by name."""

    def __init__(self) -> None:
        self.suites: dict[str, SuiteRun] = {}

    @property
    def seconds_asking(self) -> dict[str, float]:
        """Seconds spent asking, by suite."""
        return {name: run.seconds for name, run in self.suites.items() if run.seconds}

    @property
    def given(self) -> dict[str, dict[str, Any]]:
        """By suite, the chat template arguments and the tokens of reasoning it was asked with, where it has any."""
        tasks = {name: run.suite.task for name, run in self.suites.items() if run.scores["tuned"]}
        return {
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
    def stops(self) -> dict[str, SequentialRow]:
        """By suite, where asking stopped, if it was to stop once it is decided."""
        return {
            name: SequentialRow.of_stop(run.stop) for name, run in self.suites.items() if run.stop is not None
        }
