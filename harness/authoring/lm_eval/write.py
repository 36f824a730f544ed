"""Write the items of a task as the text of a suite file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from harness.authoring.lm_eval.exact import pattern_parts
from harness.authoring.lm_eval.task import LmEvalTask
from harness.gate.verdict import MARGIN

MAX_DROP_CATEGORY = 0.20
SHORT = 90
"""The most characters in a list written on one line."""

SCORES: dict[str, Any] = {
    "acc": "choice",
    "acc_norm": {"choice": {"per_character": True}},
    "acc_bytes": {"choice": {"per_byte": True}},
    "exact_match": "regex",
}
"""The score equivalent to each metric. `equals` is not equivalent to `exact_match`, whatever the metric ignores."""


@dataclass(frozen=True)
class Item:
    """A document as a probe: a model is shown `context` (description and shots), then `prompt`."""

    index: int
    context: str
    prompt: str
    answers: tuple[str, ...]
    choices: tuple[str, ...] = ()
    category: str | None = None
    note: str | None = None
    """The right answers as plain text, if `answers` are patterns that are hard to read."""


def suite_text(task: LmEvalTask, name: str, items: Sequence[Item], notes: Sequence[str]) -> str:
    """The suite; a context that all probes share goes into the prompt of its task, others into each probe."""
    contexts = {item.context for item in items}
    shared = contexts.pop() if len(contexts) == 1 else ""
    shots = f", {task.shots.n} shots" if task.shots.n else ""
    head = {
        "suite": name,
        "about": f"The lm-evaluation-harness task {task.name} ({task.kind}, {task.metric.name}{shots}).",
        "task": {
            "format": "text",
            "prompt": shared.replace("{", "{{").replace("}", "}}") + "{prompt}",
            "answer": "choose" if task.kind == "multiple_choice" else "generate",
            **({"max_new_tokens": task.max_new_tokens} if task.kind == "generate_until" else {}),
            **({"stop": list(task.stop)} if task.stop else {}),
        },
        "score": SCORES[task.metric.name],
    }
    width = len(str(items[-1].index))
    probes = [_probe(item, width, shared) for item in items]
    return "".join([
        *(f"# {line}\n" for line in _comments(task, items, notes)),
        _yaml(head),
        *_gates(any(item.category is not None for item in items)),
        _yaml({"probes": probes}),
    ])  # fmt: skip


def _comments(task: LmEvalTask, items: Sequence[Item], notes: Sequence[str]) -> Iterator[str]:
    yield f"Imported from {task.document.path.name} by `python -m harness import lm-eval`; import again rather than edit probes."
    yield "Probe doc-N is the document with doc_id N in the samples that lm-evaluation-harness logs."
    if task.metric.name == "exact_match":
        parts = list(pattern_parts(task.metric))
        ends = ":" if parts else "."
        yield (
            rf"An answer is a pattern that only right texts match, from \A (the beginning) to \Z (the end){ends}"
        )
        yield from (f"  {part} {meaning}" for part, meaning in parts)
        if any(item.note is not None for item in items):
            yield "A probe's note is its right answer as plain text."
    yield from (re.sub(r"\s+", " ", f"Note: {note}") for note in notes)


def _gates(categories: bool) -> Iterator[str]:
    yield f"gates:\n  - {{over: all, max_drop: {MARGIN:.2f}}}\n"
    if categories:
        yield f"  - {{over: category, max_drop: {MAX_DROP_CATEGORY:.2f}, on_inconclusive: pass}}\n"


def _probe(item: Item, width: int, shared: str) -> dict[str, Any]:
    probe = {
        "id": f"doc-{item.index:0{width}}",
        "category": item.category,
        "prompt": item.prompt if shared else item.context + item.prompt,
        "choices": list(item.choices) or None,
        "answer": item.answers[0] if len(item.answers) == 1 else list(item.answers),
        "note": item.note,
    }
    return {key: value for key, value in probe.items() if value is not None}


class _Dumper(yaml.SafeDumper):
    """Plain where YAML 1.1 and 1.2 both read text, blocks for several lines, else quotes; short lists on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text_node(dumper: _Dumper, text: str) -> yaml.Node:
    style = None
    if not text.strip() or re.match(r"[-+.~<=\d]", text) or re.search("[\x85\u2028\u2029\ufeff]", text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list_node(dumper: _Dumper, listed: list[Any]) -> yaml.Node:
    plain = all(isinstance(value, str) and "\n" not in value.strip() for value in listed)
    short = plain and sum(map(len, listed)) < SHORT
    return dumper.represent_sequence("tag:yaml.org,2002:seq", listed, flow_style=short)


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(list, _list_node)


def _yaml(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf")))
