"""The gate in pytest over real models that know all that they are asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

# pytester forgets the modules that a nested run imports, and torch does not survive a second import.
import harness.api
import harness.plugin.collect
import harness.plugin.run
import harness.reporting.summary  # noqa: F401
from harness.engine.requests import MultipleChoice, Plain
from tests.support.engines import load_reference
from tests.support.project import said

CHOICES = ("red", "green", "blue", "white")
QUESTIONS = [f"{chr(97 + i % 26)}{chr(65 + i * 7 % 26)}{i}{chr(97 + i * 11 % 26)}" for i in range(60)]
"""They end in many ways, for a model of random weights sees little but the last token."""


class Gate:
    """A folder with suites that the base answers, and runs of pytest over them."""

    def __init__(self, pytester: pytest.Pytester, base: Path) -> None:
        self.pytester = pytester
        self.base = base
        engine = load_reference(str(base))
        requests = [
            MultipleChoice(Plain(text), tuple(f" {choice}" for choice in CHOICES)) for text in QUESTIONS
        ]
        keys = [CHOICES[max(range(4), key=answer.logprobs.__getitem__)] for answer in engine.ask(requests)]
        probes = [
            {"id": f"q{i}", "question": text, "choices": CHOICES, "answer": key, "category": "ab"[i % 2]}
            for i, (text, key) in enumerate(zip(QUESTIONS, keys, strict=True))
        ]
        self.suite(
            {
                "suite": "colours",
                "task": {"format": "text", "prompt": "{question}", "answer": "choose"},
                "score": {"choice": {}},
                "gates": [{"over": "all", "max_drop": 0.1}, {"over": "category", "max_drop": 0.2}],
                "probes": probes,
            }
        )

    def suite(self, content: dict[str, Any], name: str = "colours.yaml") -> None:
        (self.pytester.path / name).write_text(json.dumps(content))  # JSON is YAML

    def run(self, tuned: Path | str, *arguments: str, baseline: Path | str | None = None) -> pytest.RunResult:
        chosen = ["--baseline", str(baseline)] if baseline else []
        return self.pytester.runpytest_inprocess(
            "-v", "-p", "harness.plugin", "-p", "no:cacheprovider", "--assert=plain", "--model", str(tuned), *chosen, *arguments
        )  # fmt: skip

    def record(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.pytester.path / "reports/latest/record.json").read_text())
        return value

    def verdicts(self) -> dict[str, tuple[str, str]]:
        return {row["slice"]: (row["verdict"], row["outcome"]) for row in self.record()["gates"]}

    def notes(self) -> str:
        return "\n".join(self.record()["run"]["notes"])


def wrong_usage(result: pytest.RunResult, *texts: str) -> None:
    """Prove that a run ended with the exit code of wrong usage and a message, and without a traceback."""
    shown = said(result)
    assert result.ret == 4, shown
    assert "Traceback" not in shown
    for text in texts:
        assert text in shown
