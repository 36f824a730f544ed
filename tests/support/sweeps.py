"""Sweeps over models that answer by script."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from harness.engine.functions import FunctionEngine
from harness.errors import ModelError
from harness.sweep import run as module
from harness.sweep.measure import Tuned
from harness.sweep.schedule import SweepOptions, read_schedule

RECIPE = """\
recipe: {name}
base: base
target: target.yaml
corpus: {{file: corpus.jsonl}}
method: {{full: {{}}}}
learning_rate: 0.001
epochs: {epochs}
"""


class Fake:
    """Models that are right on the first so many probes of each suite; the baseline on none of the target's.

    `right` says how many, by recipe (and seed): {"a": {"target": 9, "general": 5}}. A text in place of that is the
    message of a training that fails. `asked` lists every suite that was asked of whom.
    """

    weights = "ab" * 32
    device = "cpu"
    dtype = "float32"

    def __init__(self, right, baseline=None, identity="base"):
        self.right = right
        self.before = baseline or {"target": 0, "general": 10, "second": 6}
        self.identity = identity
        self.versions = {"torch": "2.13.0"}
        self.trained: list[str] = []
        self.asked: list[str] = []
        self.open = 0

    def engine(self, name, right):
        def answer(prompt):
            suite, number = prompt.rstrip("?").split()
            if f"{name}: {suite}" not in self.asked:
                self.asked.append(f"{name}: {suite}")
            return "right" if int(number) < right.get(suite, 0) else "wrong"

        return FunctionEngine(answer, name)

    @contextmanager
    def baseline(self):
        self.open += 1
        yield self.engine("baseline", self.before)
        self.open -= 1

    @contextmanager
    def tuned(self, recipe):
        name = f"{recipe.name}/{recipe.written.seed}"
        right = self.right.get(name, self.right.get(recipe.name))
        assert self.open == 0, "only one model may be held"
        self.trained.append(name)
        if isinstance(right, str):
            raise ModelError(right)
        if isinstance(right, BaseException):
            raise right
        self.open += 1
        yield Tuned(self.engine(name, right), 30.0, (f"{recipe.name}: advice",))
        self.open -= 1


def sweep_options(*recipes: str, suites=("general.yaml",), **changed) -> SweepOptions:
    paths = [Path(f"{name}_recipe.yaml") for name in recipes or ("careless", "careful")]
    return SweepOptions(paths, [Path(one) for one in suites], Path("out"), **changed)


def run_sweep(models: Fake, *recipes: str, **changed) -> int:
    chosen = sweep_options(*recipes, **changed)
    return module.run_sweep(read_schedule(chosen), chosen, models)


GOOD = {
    "careless": {"target": 10, "general": 2, "second": 1},
    "careful": {"target": 9, "general": 9, "second": 6},
    "third": {"target": 10, "general": 5, "second": 6},
}
