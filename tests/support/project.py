"""A project in a folder of its own: suites, scripted models in a conftest.py, and nested runs of pytest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

Counts = tuple[int, int, int, int]
"""Probes kept, lost, gained and missed."""

RIGHT = "Yes, indeed."
WRONG = "No idea."
SMALL = (
    "suite: small\nscore: mentions\ngates: [{over: each}]\nprobes: [{id: a, question: Why?, answer: yes}]\n"
)

CONFTEST = '''
import json
from pathlib import Path

import pytest

from harness.engine.functions import FunctionEngine

HERE = Path(__file__).parent
ANSWERS = json.loads((HERE / "answers.json").read_text())


class Scripted(FunctionEngine):
    """Gives the answers of answers.json, and notes in asked.txt what it was asked."""

    def __init__(self, side):
        super().__init__(self.answer, side)

    def answer(self, prompt):
        with (HERE / "asked.txt").open("a") as file:
            file.write(f"{self.label}: {prompt}\\n")
        answers = ANSWERS[self.label]
        return answers.get(prompt, answers.get("*"))


@pytest.fixture(scope="session")
def baseline():
    return Scripted("baseline")


@pytest.fixture(scope="session")
def tuned():
    return Scripted("tuned")
'''


class Project:
    """Writes suites and scripted models, runs pytest over them, and reads back what came of it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.answers: dict[str, dict[str, Any]] = {"baseline": {}, "tuned": {}}

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def models(self, baseline: Mapping[str, Any], tuned: Mapping[str, Any]) -> None:
        """Answers by prompt; "*" answers all other prompts."""
        self.answers["baseline"] |= baseline
        self.answers["tuned"] |= tuned
        self.write("answers.json", json.dumps(self.answers))
        self.write("conftest.py", CONFTEST)

    def capability(
        self,
        gates: str,
        counts: Counts | Mapping[str, Counts],
        name: str = "general",
        severity: str = "high",
        file: str = "",
    ) -> Path:
        """A suite, and models that keep, lose, gain and miss so many of its probes, by category if given."""
        lines = [f"suite: {name}", f"severity: {severity}", "score: mentions", f"gates: {gates}", "probes:"]
        before, after = {}, {}
        for category, numbers in (counts if isinstance(counts, Mapping) else {"": counts}).items():
            for change, number in zip(("kept", "lost", "gained", "missed"), numbers, strict=True):
                for index in range(number):
                    id = "-".join(filter(None, [category, change, str(index)]))
                    question = f"{name} {id}?"
                    lines.append(
                        f"  - {{id: {id}, question: '{question}', answer: yes"
                        + (f", category: {category}}}" if category else "}")
                    )
                    before[question] = RIGHT if change in ("kept", "lost") else WRONG
                    after[question] = RIGHT if change in ("kept", "gained") else WRONG
        self.models(before, after)
        return self.write(file or f"{name}.yaml", "\n".join(lines) + "\n")

    def folders(self) -> tuple[str, ...]:
        """`--model` and `--baseline` with folders that look like models; nothing is loaded from them."""
        for side in ("tuned", "base"):
            self.write(f"{side}/config.json", "{}")
            self.write(f"{side}/model.safetensors", side)
        return "--model", "tuned", "--baseline", "base"

    def run(self, *arguments: str) -> pytest.RunResult:
        """pytest in this process, with the plugin."""
        return self.pytester.runpytest_inprocess(
            "-p", "harness.plugin", "-p", "no:cacheprovider", "--assert=plain", *arguments
        )  # fmt: skip

    def run_alone(self, *arguments: str) -> pytest.RunResult:
        """pytest in a process of its own, with the plugin."""
        return self.pytester.runpytest_subprocess("-p", "harness.plugin", *arguments)

    def record(self, folder: str = "reports/latest") -> dict[str, Any]:
        value: dict[str, Any] = json.loads((self.path / folder / "record.json").read_text())
        return value

    def has_record(self) -> bool:
        return (self.path / "reports/latest/record.json").exists()

    def outcomes(self) -> dict[str, tuple[str | None, str]]:
        """Verdict and outcome by suite and slice."""
        return {
            f"{row['suite']} {row['slice']}": (row["verdict"], row["outcome"])
            for row in self.record()["gates"]
        }

    def asked(self, side: str) -> list[str]:
        """The prompts that a scripted model was asked, in order."""
        path = self.path / "asked.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.removeprefix(f"{side}: ") for line in lines if line.startswith(f"{side}: ")]


def said(result: pytest.RunResult) -> str:
    """All that a run printed."""
    return "\n".join([*result.outlines, *result.errlines])


def not_green(result: pytest.RunResult) -> str:
    """Prove that a run did not pass and shows no traceback; returns what it said."""
    text = said(result)
    assert result.ret != 0, text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    assert not re.search(r"\.py:\d", text)
    return text
