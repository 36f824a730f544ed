"""A sequence of three tasks over models that answer by script."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from harness.engine.functions import FunctionEngine
from harness.engine.requests import EnginePair
from harness.errors import ModelError
from harness.sequence.record import FILE, SequenceRecord
from harness.sequence.run import run_sequence
from harness.sequence.schedule import SequenceOptions, read_schedule
from tests.support.suites import suite_text

RECIPE = """\
recipe: {name}
base: base
target: {name}_task.yaml
corpus: {{file: corpus.jsonl}}
method: {{full: {{}}}}
learning_rate: 0.001
epochs: 1
"""
N = 40
NAMES = ("a", "b", "c")


class Fake:
    """Models that are right on the first so many probes of each suite, before any training and after each recipe."""

    def __init__(self, right):
        self.right = right
        self.trained: list[str] = []

    def train(self, recipe):
        if isinstance(self.right[len(self.trained) + 1], str):
            raise ModelError(self.right[len(self.trained) + 1])
        self.trained.append(recipe.name)
        return 2.0

    @contextmanager
    def pair(self):
        engines = [self.engine(step) for step in (0, len(self.trained))]
        yield EnginePair(*engines, "cpu", "float32", ("a note",))

    def engine(self, step):
        def answer(prompt):
            suite, number = prompt.rstrip("?").split()
            return "right" if int(number) < self.right[step].get(suite, 0) else "wrong"

        return FunctionEngine(answer, f"step {step}")


def write_tasks(folder: Path) -> None:
    """A base, and of each task its recipe, corpus and suite; and a suite of what is to be kept."""
    (folder / "base").mkdir()
    (folder / "base" / "config.json").write_text("{}", encoding="utf-8")
    (folder / "base" / "model.safetensors").write_bytes(b"weights")
    (folder / "corpus.jsonl").write_text('{"prompt": "p", "answer": "a"}\n', encoding="utf-8")
    for name in NAMES:
        (folder / f"{name}.yaml").write_text(RECIPE.format(name=name), encoding="utf-8")
        (folder / f"{name}_task.yaml").write_text(suite_text(name, N), encoding="utf-8")
    (folder / "kept.yaml").write_text(suite_text("kept", N), encoding="utf-8")


def options(*names, suites=(), **changed) -> SequenceOptions:
    paths = [Path(f"{name}.yaml") for name in names or NAMES]
    return SequenceOptions(paths, [Path(name) for name in suites], Path("out"), **changed)


def ran(right, *names, **changed):
    given = options(*names, **changed)
    code = run_sequence(read_schedule(given), given, Fake(right))
    return code, read_sequence(Path("out"))


def read_sequence(folder: Path) -> SequenceRecord:
    return SequenceRecord.model_validate_json((folder / FILE).read_bytes())


ROWS = [
    {"a": 0, "b": 4, "c": 8, "kept": 40},
    {"a": 36, "b": 8, "c": 4, "kept": 40},
    {"a": 20, "b": 40, "c": 8, "kept": 20},
    {"a": 12, "b": 32, "c": 36, "kept": 20},
]
