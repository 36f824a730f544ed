"""What is asked and the models in, what each way to ask it took in each round out.

A round runs one process at a time, and every other round turns their order round, so that a machine that grows slower shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.speed.agreement import Agreement, Item, agreement, unique_tokens
from benchmarks.speed.processes import ROOT, Taken, printed, run
from benchmarks.speed.work import Work

COLD, WARM, UNCHANGED = "cold", "warm baseline", "unchanged"
GATED, DECIDED = (0, 1, 5), ("passed", "forgotten", "nothing decided")
"""Exit codes of pytest and the statuses of a record whose gates were asked; an error of a test is a 1 too."""

Models = Mapping[str, str]
"""The folders of `baseline` and `adapter`."""


@dataclass
class Asked:
    """What was measured of one kind of item: by the way it was asked, what each round took.

    Attributes:
        unique: tokens of the tree of all prompts and answers, of both models.
        same_tokens: of how many items both harnesses show a model the same tokens; None if only one of them asked.
        agreements: with lm-evaluation-harness, by its batch and the model.
    """

    name: str
    about: str
    taken: dict[str, list[Taken]] = field(default_factory=dict)
    unique: int | None = None
    same_tokens: int | None = None
    agreements: dict[tuple[str, str], Agreement] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """A folder with work and models, and a way to tell how far it is."""

    folder: Path
    models: Models
    say: Callable[[str], None]

    def asked(self, work: Work, rounds: int, batches: Sequence[str]) -> Asked:
        """Ask one kind of item in every way; only the first batch of lm-evaluation-harness is asked in every round."""
        found = Asked(work.name, work.about)
        for number in range(rounds):
            if number % 2 == 0:
                self._theirs(work, found, batches[0])
            self._ours(found, work.name)
            if number % 2 == 1:
                self._theirs(work, found, batches[0])
        for batch in batches[1:]:
            self._theirs(work, found, batch)
        self._compare(work, found, batches)
        return found

    def suites(self) -> Asked:
        """Ask all shipped suites, once."""
        found = Asked("suites", "pytest suites/")
        self._ours(found, ROOT / "suites")
        return found

    def _theirs(self, work: Work, found: Asked, batch: str) -> None:
        whole = None
        for side in ("baseline", "adapter"):
            given = ["--peft", self.models["adapter"]] if side == "adapter" else []
            taken = run(
                "benchmarks.speed.lm_eval_run",
                work.name,
                self.models["baseline"],
                batch,
                self._answers(work, batch, side),
                *given,
                *(["--chat"] if work.chat else []),
                folder=self.folder,
            )
            whole = whole + taken if whole else taken
        assert whole is not None
        self._keep(found, f"lm-eval, batch {batch}", whole)

    def _ours(self, found: Asked, suite: str | Path) -> None:
        cold, warm, carried = (self.folder / f"{name}.db" for name in ("cold", "warm", "carried"))
        for store in self.folder.glob("*.db*"):
            store.unlink()
        self._gate(found, suite, COLD, cold)
        self._store("export", carried, cold)
        self._store("import", carried, warm)
        self._gate(found, suite, WARM, warm)
        self._gate(found, suite, UNCHANGED, cold)

    def _store(self, action: str, file: Path, store: Path) -> None:
        named = ("--model", self.models["baseline"], "--store", store)
        run("harness", "store", action, file, *named, folder=self.folder)

    def _gate(self, found: Asked, suite: str | Path, way: str, store: Path) -> None:
        path = suite if isinstance(suite, Path) else self.folder / f"{suite}.yaml"
        taken = run(
            "pytest",
            path,
            f"--model={self.models['adapter']}",
            f"--store={store}",
            f"--report={self._report(found.name, way)}",
            "-q",
            folder=self.folder,
            codes=GATED,
            at=ROOT if isinstance(suite, Path) else None,
        )
        about = self._record(found.name, way)["run"]
        if about["status"] not in DECIDED:
            raise RuntimeError(f"{found.name}, {way}: {about['status']}: {' '.join(about['errors'])}")
        self._keep(found, f"gate, {way}", replace(taken, asking=sum(about["seconds_asking"].values())))

    def _keep(self, found: Asked, way: str, taken: Taken) -> None:
        found.taken.setdefault(way, []).append(taken)
        self.say(f"{found.name}, {way}: {taken.wall:.1f} s")

    # What was answered

    def _compare(self, work: Work, found: Asked, batches: Sequence[str]) -> None:
        probes = self._record(work.name, COLD)["probes"]
        run_of = self._answers(work, batches[0], "baseline")
        suite = self.folder / f"{work.name}.yaml"
        tokens = printed(
            "benchmarks.speed.same_tokens", suite, run_of, self.models["baseline"], folder=self.folder
        )
        found.same_tokens, found.unique = tokens["same"], 0
        for side, key in (("baseline", "baseline"), ("adapter", "tuned")):
            answers = [probe[key] for probe in probes]
            found.unique += tree_tokens(tokens["rows"], answers)
            for batch in batches:
                theirs = json.loads(self._answers(work, batch, side).read_text(encoding="utf-8"))["items"]
                ours = [item(answer) for answer in answers]
                found.agreements[batch, side] = agreement(list(map(Item.of, theirs)), ours)

    def _answers(self, work: Work, batch: str, side: str) -> Path:
        return self.folder / f"{work.name}-{batch}-{side}.json"

    def _report(self, name: str, way: str) -> Path:
        return self.folder / "reports" / f"{name} {way}"

    def _record(self, name: str, way: str) -> Any:
        return json.loads((self._report(name, way) / "record.json").read_text(encoding="utf-8"))


def item(answer: Mapping[str, Any]) -> Item:
    """An answer in a record."""
    return Item(text=answer["answer"]) if answer["kind"] == "generate" else Item(tuple(answer["logprobs"]))


def tree_tokens(items: Sequence[Sequence[Sequence[int]]], answers: Sequence[Mapping[str, Any]]) -> int:
    """The tokens that a model must read at least to answer each item, by its rows; the last one of a row tells nothing."""
    if answers[0]["kind"] == "generate":
        return unique_tokens(row for rows in items for row in rows) + sum(map(_steps, answers))
    return unique_tokens(row[:-1] for rows in items for row in rows)


def _steps(answer: Mapping[str, Any]) -> int:
    """The written tokens that were read again; the token that ends a turn is written, and not counted in the answer."""
    steps: int = answer["tokens"] - (answer["ended"] != "turn")
    return steps


def growths(bench: Bench, sizes: Sequence[int]) -> Iterator[dict[str, float]]:
    """The seconds of each step for a suite of each size, asked of the small model and its adapter."""
    from benchmarks.speed.growth import write_suite

    for size in sizes:
        suite, store = write_suite(bench.folder / f"growth{size}.yaml", size), bench.folder / "growth.db"
        for file in bench.folder.glob("growth.db*"):
            file.unlink()
        model = bench.models["small_adapter"]
        found = printed("benchmarks.speed.growth", suite, model, store, folder=bench.folder)
        bench.say(f"{size} probes of a small model: {found['ask']:.1f} s to ask")
        yield found
