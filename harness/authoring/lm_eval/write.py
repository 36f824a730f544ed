"""Items in, the text of a suite file out."""

from __future__ import annotations

import os
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
"""The most characters of a list that is written in one line."""

SCORES: dict[str, Any] = {
    "acc": "choice",
    "acc_norm": {"choice": {"per_character": True}},
    "acc_bytes": {"choice": {"per_byte": True}},
    "exact_match": "regex",
}
"""The score that calls right what a metric does. `equals` would not do for `exact_match`, whatever that ignores."""


@dataclass(frozen=True)
class Item:
    """A document as a probe: `context` (description and shots) and `prompt` are shown one after the other."""

    index: int
    context: str
    prompt: str
    answers: tuple[str, ...]
    choices: tuple[str, ...] = ()
    category: str | None = None
    note: str | None = None
    """The right answers as they are, where `answers` are patterns that are hard to read."""


def suite_text(task: LmEvalTask, name: str, items: Sequence[Item], notes: Sequence[str]) -> str:
    """The suite, with shots that all probes share in the prompt of its task."""
    shared = os.path.commonprefix([item.context for item in items]) if len(items) > 1 else items[0].context
    if any(item.context != shared for item in items):
        shared = ""  # shots that differ are part of each prompt, whole
    shots = f", {task.shots.n} shots" if task.shots.n else ""
    asking: dict[str, Any] = {
        "format": "text",
        "prompt": shared.replace("{", "{{").replace("}", "}}") + "{prompt}",
        "answer": "choose" if task.kind == "multiple_choice" else "generate",
    }
    if task.kind == "generate_until":
        asking["max_new_tokens"] = task.max_new_tokens
        if task.stop:
            asking["stop"] = list(task.stop)
    head = {
        "suite": name,
        "about": f"The lm-evaluation-harness task {task.name} ({task.kind}, {task.metric.name}{shots}).",
        "task": asking,
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
    yield f"Imported from {task.document.path.name} by `python -m harness import lm-eval`; import again rather than edit the probes."
    yield "Probe doc-N is the document with that doc_id in the samples that lm-evaluation-harness logs."
    if task.metric.name == "exact_match":
        parts = list(pattern_parts(task.metric))
        ends = ":" if parts else "."
        yield (
            rf"An answer is the pattern that just the right texts match, from \A (their beginning) to \Z (their end){ends}"
        )
        yield from (f"  {part} {meaning}" for part, meaning in parts)
        if any(item.note is not None for item in items):
            yield "A probe's note is its right answer without them."
    yield from (re.sub(r"\s+", " ", f"Note: {note}") for note in notes)


def _gates(categories: bool) -> Iterator[str]:
    yield f"gates:\n  - {{over: all, max_drop: {MARGIN:.2f}}}\n"
    if categories:
        yield f"  - {{over: category, max_drop: {MAX_DROP_CATEGORY:.2f}, on_inconclusive: pass}}\n"


def _probe(item: Item, width: int, shared: str) -> dict[str, Any]:
    probe: dict[str, Any] = {"id": f"doc-{item.index:0{width}}"}
    if item.category is not None:
        probe["category"] = item.category
    probe["prompt"] = item.prompt if shared else item.context + item.prompt
    if item.choices:
        probe["choices"] = list(item.choices)
    probe["answer"] = item.answers[0] if len(item.answers) == 1 else list(item.answers)
    if item.note is not None:
        probe["note"] = item.note
    return probe


class _Dumper(yaml.SafeDumper):
    """Plain where both YAML 1.1 and 1.2 read text, blocks for text of several lines, quotes else; short lists in a line."""

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
    texts = [one for one in listed if isinstance(one, str) and "\n" not in one.strip()]
    short = len(texts) == len(listed) and sum(map(len, texts)) < SHORT
    return dumper.represent_sequence("tag:yaml.org,2002:seq", listed, flow_style=short)


_Dumper.add_representer(str, _text_node)
_Dumper.add_representer(list, _list_node)


def _yaml(value: Any) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf")))
