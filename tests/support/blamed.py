"""A record of `blame`, without a run, whose names and examples say HOSTILE."""

from __future__ import annotations

from harness.blame.record import (
    ApartRow,
    BlameRecord,
    BlameRun,
    EffectRow,
    ExampleRow,
    ExamplesRow,
    GroupRow,
    SuiteRow,
)

HOSTILE = "<script>alert(1)</script>\x1b[31m"


def effect(value: float) -> EffectRow:
    return EffectRow(value=value, interval=(value - 0.1, value + 0.1))


def group(name, layers, modules, off, alone, parent=None, axis="layers", halved=False, parts=2) -> GroupRow:
    return GroupRow(
        name=name, axis=axis, parent=parent, depth=0 if parent is None else 1, layers=layers, modules=modules,
        parts=parts, halved=halved, off=effect(off), alone=effect(alone),
    )  # fmt: skip


def blame_record(**changed) -> BlameRecord:
    rows = [ExampleRow(number=n, prompt=HOSTILE, answer=f"a{n}", push=1 - n / 10) for n in range(1, 25)]
    fields = {
        "run": BlameRun(
            harness="1", started="now", command=["blame"], tuned=HOSTILE, baseline="base", device="cpu",
            dtype="float32", versions={"torch": "2"}, notes=[HOSTILE],
        ),
        "suites": [SuiteRow(name="s", path="s.yaml", asked=20, lost=8, kept=8, again=["a"])],
        "layers": 4,
        "parts": 8,
        "asked_again": (8, 4),
        "models": 9,
        "whole": effect(0.5),
        "rest": effect(0.0),
        "groups": [
            group("everything", [0, 1, 2, 3], ["q", "v"], 0.5, 0.5, halved=True, parts=8),
            group("layers 0-1", [0, 1], ["q", "v"], 0.0, 0.1, 0, parts=4),
            group("layers 2-3", [2, 3], ["q", "v"], 0.4, 0.5, 0, parts=4),
            group("everything", [0, 1, 2, 3], ["q", "v"], 0.5, 0.5, axis="modules", halved=True, parts=8),
            group("q", [0, 1, 2, 3], ["q"], 0.1, 0.1, 3, "modules", parts=4),
            group("v", [0, 1, 2, 3], ["v"], 0.2, 0.4, 3, "modules", parts=4),
        ],
        "apart": [ApartRow(group=0, halves=(1, 2), way="off", together=0.5, apart=(0.0, 0.4))],
        "unopened": 1,
        "examples": ExamplesRow(corpus="c.jsonl", of=40, probes=8, examples=rows),
    }  # fmt: skip
    return BlameRecord(**{**fields, **changed})
