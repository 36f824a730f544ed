"""Ladders with made-up answers: how many probes each recipe learns, loses and wins back decides everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.recipes.format import RecipeFormat
from harness.reporting.rows import AnswerRow
from harness.sweep.record import (
    AskedRow,
    RecipeRow,
    SeedRow,
    SuiteRow,
    SweepRecord,
    SweepRun,
)
from harness.sweep.results import ranked, recipe_row

TARGET, GENERAL = 40, 100
"""Probes of the target, which the baseline all misses, and of each general suite."""

RIGHT = 60
"""So many of a general suite's probes the baseline has right: the first ones."""

CARELESS: dict[str, Any] = {
    "base": "tiny",
    "target": "target.yaml",
    "corpus": {"file": "drugs.jsonl"},
    "method": {"full": {}},
    "learning_rate": 5e-5,
    "epochs": 10,
}


def recipe(name: str, **changed: Any) -> RecipeFormat:
    """The careless recipe with some keys changed; a key that is None is left out."""
    written = {"recipe": name, **CARELESS, **changed}
    return RecipeFormat.model_validate({key: value for key, value in written.items() if value is not None})


def answers(right: Sequence[bool], text: str = "an answer") -> list[AnswerRow]:
    return [AnswerRow(answer=text, right=one) for one in right]


def suite_row(name: str, n: int = GENERAL, right: int = RIGHT, **changed: Any) -> SuiteRow:
    probes = [
        AskedRow(
            id=f"p{i}",
            category=None,
            fields={"question": f"Question {i}?"},
            expected=["Paris"],
            baseline=AnswerRow(answer="It is Paris.", right=i < right),
        )
        for i in range(n)
    ]
    return SuiteRow(
        **{
            "name": name,
            "path": f"{name}.yaml",
            "about": "",
            "key": name,
            "of": n,
            "probes": probes,
            **changed,
        }
    )


def seed(
    learnt: int,
    lost: int,
    gained: int = 0,
    suites: Sequence[SuiteRow] = (),
    number: int = 42,
    seconds: float | None = 60,
) -> SeedRow:
    """A run that learns the first `learnt` of the target, loses the first `lost` of each general suite, and so on."""
    general = [i >= lost if i < RIGHT else i < RIGHT + gained for i in range(GENERAL)]
    return SeedRow(
        seed=number,
        key=f"{learnt}-{lost}-{gained}-{number}",
        seconds_training=seconds,
        seconds_asking=5,
        target=answers([i < learnt for i in range(TARGET)]),
        suites={one.name: answers(general, "DRUG-INFO: none") for one in suites},
    )


SUITES = (suite_row("general-qa"), suite_row("checklist"))
TARGET_SUITE = suite_row("drug-info", TARGET, 0)


def rung(
    written: RecipeFormat, *runs: tuple[int, int] | tuple[int, int, int], error: str | None = None
) -> RecipeRow:
    """A recipe with one run a seed: (learnt, lost) or (learnt, lost, gained)."""
    seeds = [seed(*run, suites=SUITES, number=42 + place) for place, run in enumerate(runs)]
    return recipe_row(
        f"recipes/{written.recipe}.yaml", written, seeds, TARGET_SUITE, SUITES,
        of=len(runs), error=error,
    )  # fmt: skip


def ladder(
    *rungs: RecipeRow, asked_for: str | None = None, matched: float = 0.9, **changed: Any
) -> SweepRecord:
    run = SweepRun(
        harness="0.1.0",
        started="2026-11-03T10:00:00+00:00",
        command=["ladder", "recipes/careless.yaml"],
        base="tiny",
        weights="ab" * 32,
        device="cpu",
        dtype="float32",
        versions={"python": "3.11.9", "torch": "2.13.0"},
        sample=None,
        seeds=None,
    )
    record = SweepRecord(
        run=run,
        matched=matched,
        reference=None,
        asked_for=asked_for,
        planned=[one.name for one in rungs],
        target=TARGET_SUITE,
        suites=list(SUITES),
        rungs=list(rungs),
    )
    return ranked(record.model_copy(update=changed))


LORA = {"lora": {"r": 16, "alpha": 32}}
REPLAY = {"file": "general.jsonl", "fraction": 0.25}


def shipped() -> SweepRecord:
    """A ladder as the shipped recipes might end."""
    return ladder(
        rung(recipe("careless"), (38, 53)),
        rung(recipe("lower-rate", learning_rate=1e-5), (36, 41, 1)),
        rung(recipe("fewer-epochs", epochs=3), (37, 45, 2)),
        rung(recipe("lora-adapters", method=LORA, learning_rate=5e-4), (38, 24, 2)),
        rung(recipe("last-layers", method={"full": {"last_layers": 4}}), (34, 27, 1)),
        rung(recipe("replay", replay=REPLAY), (38, 12, 4)),
        rung(recipe("self-replay", replay={**REPLAY, "answers": "baseline"}), (38, 8, 3)),
        rung(recipe("distill", distill={"file": "general.jsonl", "weight": 1.0}), (37, 10, 3)),
        rung(recipe("l2-sp", l2_sp=0.1), (35, 38, 0)),
        rung(recipe("ewc", ewc={"file": "general.jsonl", "importance": 1000.0}), (36, 30, 2)),
        rung(
            recipe("careful-full", learning_rate=1e-5, epochs=3, warmup=0.05, schedule="cosine"), (20, 18, 2)
        ),
        rung(recipe("careful-lora", method=LORA, learning_rate=2e-4, epochs=3), (37, 9, 4)),
        rung(
            recipe(
                "careful-lora-replay",
                method=LORA,
                replay={**REPLAY, "answers": "baseline"},
                learning_rate=3e-4,
                epochs=5,
            ),
            (38, 5, 5),
        ),
        rung(
            recipe("too-high", learning_rate=0.5),
            error="too_high.yaml:9:1: training failed: NaN\n  lower the rate",
        ),
    )
