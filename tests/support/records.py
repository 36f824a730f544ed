"""Records of runs, without a run: a suite with two categories, a checklist, a suite of texts and a gate over all."""

from __future__ import annotations

from typing import Any

from harness.reporting.rows import Record

HASH = "ab" * 32

LEFT_OUT = {
    "selected": 2, "decided": 2, "skipped": 0, "excused": 0, "errors": 0, "never_asked": 0, "left_out": 7, "own": 0,
}  # fmt: skip
"""The cases of a run that left some out."""

RUN: dict[str, Any] = {
    "harness": "0.1.0", "started": "2026-05-04T09:30:00+00:00", "ended": "2026-05-04T09:31:00+00:00", "seconds": 60.0,
    "command": ["suites/", "--model=./tuned"], "status": "forgotten", "exit_status": 1, "errors": [],
    "versions": {"python": "3.11.9", "torch": "2.13.0"}, "strict": False, "fail_on": "low", "device": "cpu",
    "dtype": "float32", "baseline": {"reference": "base", "name": "base", "weights": HASH},
    "tuned": {"reference": "./tuned", "name": "adapter on base", "weights": "cd" * 32, "base_weights": HASH},
    "suites": {"facts": {"path": "facts.yaml", "sha256": HASH, "probes": 40, "content": "ef" * 32}},
    "seconds_asking": {"facts": 12.5}, "notes": ["facts: a note"], "observed": ["9 of 9 lost answers are empty"],
    "untried": ["replay"],
    "cases": {"selected": 7, "decided": 6, "skipped": 1, "excused": 0, "errors": 0, "never_asked": 0, "left_out": 0, "own": 0},
}  # fmt: skip

GATE: dict[str, Any] = {
    "suite": "facts", "slice": "all", "over": "all", "severity": "high", "place": "facts.yaml:3", "n": 40, "kept": 10,
    "lost": 20, "gained": 2, "missed": 8, "baseline_accuracy": 0.75, "tuned_accuracy": 0.3, "drop": 0.45,
    "interval": (0.3, 0.58), "mid_p": 0.0001, "holm_mid_p": 0.0002, "tests": 3, "design_effect": 1.0, "max_drop": 0.1,
    "loss": (0.4, 0.8), "max_loss": 0.3, "on_inconclusive": "confirmed", "verdict": "FORGOTTEN", "outcome": "failed",
}  # fmt: skip

RETAINED: dict[str, Any] = {
    "verdict": "RETAINED", "outcome": "passed", "lost": 0, "gained": 0, "kept": 30, "missed": 10, "drop": 0.0,
    "tuned_accuracy": 0.75, "interval": (-0.05, 0.05),
}  # fmt: skip

OVERALL: dict[str, Any] = {
    "suite": "overall", "over": "overall", "max_drop": 0.03, "severity": "critical", "n": 400, "kept": 100, "lost": 200,
    "gained": 20, "missed": 80,
}  # fmt: skip

SKIPPED: dict[str, Any] = {
    "slice": "category[maths]", "over": "category", "n": 5, "verdict": "INCONCLUSIVE", "outcome": "skipped",
    "undecided": "not gated: 5 probes, a margin of 20 points needs 11",
}  # fmt: skip

EACH: dict[str, Any] = {
    "suite": "list", "slice": "probe[greeting]", "over": "each", "n": 1, "kept": 0, "lost": 1, "gained": 0, "missed": 0,
    "max_drop": None, "max_loss": None, "on_inconclusive": None, "require": "retained", "baseline_accuracy": 1.0,
    "tuned_accuracy": 0.0, "drop": 1.0, "interval": (-0.7, 0.9),
}  # fmt: skip

RISE: dict[str, Any] = {
    "suite": "texts", "n": 60, "max_drop": None, "max_loss": None, "max_rise": 0.03, "rise": 0.11, "baseline_accuracy": 0.0,
    "tuned_accuracy": 0.0, "rise_interval": (0.09, 0.13), "rise_p": 0.001,
}  # fmt: skip

GATES = [
    {**GATE, **OVERALL},
    GATE,
    {**GATE, "slice": "category[history]", "over": "category", "max_drop": 0.2, "verdict": "INCONCLUSIVE", "outcome": "warned",
     "more_probes_to_settle": 34},
    {**GATE, **SKIPPED},
    {**GATE, **EACH},
    {**GATE, **RISE},
]  # fmt: skip


def answer(text: str, right: bool, **values: Any) -> dict[str, Any]:
    """A generated answer."""
    return {
        "answer": text,
        "right": right,
        "kind": "generate",
        "tokens": len(text.split()),
        "ended": "turn",
        **values,
    }


def probe(id: str, change: str = "lost", **values: Any) -> dict[str, Any]:
    """A probe whose answers are "It is right." and "It is not so."."""
    before, after = change in ("kept", "lost"), change in ("kept", "gained")
    said = {True: "It is right.", False: "It is not so."}
    return {
        "suite": "facts", "id": id, "category": "history", "severity": "high", "fields": {"question": f"What of {id}?"},
        "expected": ["right"], "score": "mentions", "scoring": {}, "change": change,
        "baseline": answer(said[before], before), "tuned": answer(said[after], after), **values,
    }  # fmt: skip


def choosing(id: str) -> dict[str, Any]:
    """A probe with choices."""
    rows = [
        {"answer": said, "right": said == "b", "kind": "choose", "logprobs": [-1.5, -2.25]} for said in "ba"
    ]
    return {**probe(id), "expected": ["b"], "choices": ["a", "b"], "baseline": rows[0], "tuned": rows[1]}


def measured(id: str) -> dict[str, Any]:
    """A text whose bits per byte were measured."""
    row = {"right": False, "kind": "likelihood", "tokens": 9, "logprobs": [-20.0]}
    return {
        **probe(id, "missed"), "suite": "texts", "fields": {"text": "Once upon a time."}, "expected": [],
        "baseline": {**row, "answer": "1.1"}, "tuned": {**row, "answer": "1.2"},
    }  # fmt: skip


def asked_again(id: str) -> dict[str, Any]:
    """A lost probe of a checklist, with a further attempt in other words."""
    attempt = {
        "fields": {"question": "In other words?"},
        "baseline": answer("Hello.", True),
        "tuned": answer("Bye.", False),
    }
    return {**probe(id), "suite": "list", "category": None, "again": [attempt]}


PROBES = [
    *(probe(change, change) for change in ("lost", "gained", "missed", "kept")),
    choosing("chosen"),
    measured("text"),
    asked_again("greeting"),
]


def record(gates: Any = GATES, probes: Any = PROBES, **run: Any) -> Record:
    """A record with these rows; further keys are those of its run."""
    return Record.model_validate({"run": {**RUN, **run}, "gates": gates, "probes": probes})


def spoilt(value: Any, text: str, plain: frozenset[str] = frozenset()) -> Any:
    """The data of a record in which every text of foreign origin is `text`, but for the values under `plain` keys."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [spoilt(inner, text, plain) for inner in value]
    if isinstance(value, dict):
        return {key: inner if key in plain else spoilt(inner, text, plain) for key, inner in value.items()}
    return value


DIAGNOSIS: dict[str, Any] = {
    "verdict": "format takeover", "lost": 4, "diagnosed": 3, "form": ["3 of 4 lost answers begin with \"X:\""], "words": ["CLASS"],
    "notes": ["shots: no kept probe can be an example"],
    "causes": [{"cause": "format takeover", "probes": 3, "share": 1.0, "interval": (0.5, 1.0), "examples": [
        {"probe": "lost", "question": "What of lost?", "expected": ["right"], "baseline": "It is right.", "tuned": "X: it",
         "because": "it has the form", "way": "choices", "otherwise": "right"},
    ]}],
    "ways": [{"way": "choices", "lost": 3, "baseline": 3, "tuned": 3, "interval": (0.5, 1.0), "chance": 0.2, "luck": 0.01, "kept": 2,
              "kept_baseline": 2, "kept_tuned": 2, "tells": True}],
}  # fmt: skip
"""Why the probes of a suite were lost."""

CLOSED = frozenset({
    "cause", "way", "version", "status", "over", "severity", "verdict", "outcome", "on_inconclusive", "require", "fail_on", "source", "kind",
    "ended", "change", "slice",
})  # fmt: skip
"""Keys whose values are of a closed set, or that a test spoils by itself."""


def hostile(text: str) -> Record:
    """A record that says `text` wherever a model, a file or a user could."""
    data = record(diagnosis={"facts": DIAGNOSIS}).model_dump(mode="json")
    run = data["run"]
    for key in ("suites", "versions", "seconds_asking", "template", "thinking_tokens", "diagnosis"):
        run[key] = dict.fromkeys([text], next(iter(run[key].values()), None))
    run["template"], run["thinking_tokens"] = {text: {text: text}}, {text: 5}
    data = spoilt(data, text, CLOSED)
    data["run"]["ended"] = text
    for gate in data["gates"]:
        gate["slice"] = gate["slice"].replace("history", text).replace("greeting", text)
    for row in data["probes"]:
        row["fields"] = {text: text}
        row["tuned"]["why"] = row["tuned"]["reasoning"] = text
    return Record.model_validate(data)
