"""Tasks of lm-evaluation-harness, and their documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.authoring.lm_eval.convert import convert
from harness.authoring.lm_eval.read import read_task
from harness.authoring.lm_eval.write import Item
from harness.engine.prompts import request
from harness.engine.requests import MultipleChoice
from harness.errors import InputError
from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.suites.suite import Suite

DOCS = [
    {"q": "One?", "options": ["a", "b"], "label": 0, "text": "a", "topic": "x"},
    {"q": "Two?", "options": ["c", "d"], "label": 1, "text": "d", "topic": "y"},
    {"q": "Three?", "options": ["e", "f"], "label": 1, "text": "f", "topic": "x"},
]


CHOICE = """\
task: t
dataset_path: json
dataset_kwargs: {data_files: {test: d.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{q}}\\nA:"
doc_to_choice: options
doc_to_target: label
"""


WRITTEN = """\
task: t
dataset_path: json
dataset_kwargs: {data_files: {test: d.jsonl}}
test_split: test
doc_to_text: "{{q}}"
doc_to_target: text
"""


class Task:
    """A folder with a task file t.yaml and its documents d.jsonl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text: str, docs: list[dict] | None = None) -> Path:
        self.lines("d.jsonl", DOCS if docs is None else docs)
        path = self.folder / "t.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def lines(self, name: str, docs: list[dict]) -> None:
        text = "".join(json.dumps(doc) + "\n" for doc in docs)
        (self.folder / name).write_text(text, encoding="utf-8")

    def items(self, text: str, docs: list[dict] | None = None, **options: object) -> tuple[Item, ...]:
        return convert(read_task(self.write(text, docs), **options)).items

    def suite(self, text: str, docs: list[dict] | None = None, **options: object) -> Suite:
        path = self.folder / "suite.yaml"
        path.write_text(convert(read_task(self.write(text, docs), **options)).text, encoding="utf-8")
        return read_suite(path, SCORERS)

    def shown(
        self, text: str, docs: list[dict] | None = None, **options: object
    ) -> list[tuple[str, tuple[str, ...]]]:
        """What a model is shown for each document, and the continuations that it chooses from."""
        suite = self.suite(text, docs, **options)
        asked = [request(suite, probe) for probe in suite.probes]
        return [
            (one.prompt.text, one.continuations if isinstance(one, MultipleChoice) else ()) for one in asked
        ]

    def problems(self, text: str, docs: list[dict] | None = None, **options: object) -> str:
        path = self.write(text, docs)
        with pytest.raises(InputError) as caught:
            convert(read_task(path), **options)
        return str(caught.value).replace("t.yaml:", "").replace(f"{self.folder}/", "")


CODE = "is Python code, which an import does not run"


def docs(**changes: object) -> list[dict]:
    return [{**DOCS[0], **changes}]
