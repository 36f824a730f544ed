"""The shipped general-qa suite in, the same items as two suites and as two tasks of lm-evaluation-harness out.

A suite and its task read one file of items and show a model the same tokens; `same_tokens.py` proves that.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.scoring import SCORERS
from harness.suites.read import read_suite
from harness.suites.suite import Probe

SUITES = Path(__file__).parents[2] / "suites"
SHOTS, CHOICES, SEED = 5, 4, 1
MAX_NEW_TOKENS = 64
"""As of the suite that the items come from."""


@dataclass(frozen=True)
class Work:
    """One kind of item: `choices` are scored after five shots, answers in a `chat` are written."""

    name: str
    about: str
    task: dict[str, Any]
    """The suite's `task`."""
    lm_eval: dict[str, Any]
    """What the task of lm-evaluation-harness says besides its name and data."""

    @property
    def chat(self) -> bool:
        """Whether prompts go through the chat template."""
        return bool(self.task["format"] == "chat")


def works(probes: list[Probe]) -> list[Work]:
    """The kinds of items, with the first probes as shots."""
    shots = [_row(probe) for probe in probes[:SHOTS]]
    return [
        Work(
            "choices",
            f"{CHOICES} choices after {SHOTS} shots, each scored as text",
            {
                "format": "text",
                "prompt": "Question: {question}\nAnswer:",
                "answer": "choose",
                "shots": [{"question": row["question"], "answer": row["answer"]} for row in shots],
            },
            {
                "output_type": "multiple_choice",
                "num_fewshot": SHOTS,
                "fewshot_config": {
                    "sampler": "first_n",
                    "samples": [{**row, "choices": [row["answer"]]} for row in shots],
                },
                "doc_to_text": "Question: {{question}}\nAnswer:",
                "doc_to_choice": "{{choices}}",
                "doc_to_target": "{{choices.index(answer)}}",
                "metric_list": [{"metric": "acc"}],
            },
        ),
        Work(
            "chat",
            f"answers in a chat, greedily, at most {MAX_NEW_TOKENS} tokens",
            {"format": "chat", "answer": "generate", "max_new_tokens": MAX_NEW_TOKENS},
            {
                "output_type": "generate_until",
                "num_fewshot": 0,
                "doc_to_text": "{{question}}",
                "doc_to_target": "{{answer}}",
                "generation_kwargs": {"until": [], "max_gen_toks": MAX_NEW_TOKENS, "do_sample": False},
                "metric_list": [{"metric": "exact_match"}],
            },
        ),
    ]


def write_work(folder: Path, items: int) -> list[Work]:
    """Write the items, suites and tasks; returns what there is to ask.

    Raises:
        ValueError: the shipped suite has fewer items.
    """
    probes = _shuffled()
    if not 0 < items <= len(probes) - SHOTS:
        raise ValueError(f"there are 1 to {len(probes) - SHOTS} items, {items} were asked for")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # this project's is for its tests
    found = works(probes)
    for work in found:
        rows = [_row(probe) | _choices(work, probe, probes) for probe in probes[SHOTS : SHOTS + items]]
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        (folder / f"{work.name}.jsonl").write_text("".join(lines), encoding="utf-8")
        _write_json(folder / f"{work.name}.yaml", _suite(work))
        _write_json(folder / f"{work.name}_task.yaml", _task(work))
    return found


def _suite(work: Work) -> dict[str, Any]:
    score = {} if work.task["answer"] == "choose" else {"score": "mentions"}
    return {
        "suite": work.name,
        "task": work.task,
        **score,
        "gates": [{"over": "all", "max_drop": 0.05}],
        "probes_from": f"{work.name}.jsonl",
    }


def _task(work: Work) -> dict[str, Any]:
    """A task that runs in the folder of its data, for lm-evaluation-harness looks for that from where it runs."""
    data = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": f"{work.name}.jsonl"}}}
    return {"task": work.name, **data, "test_split": "test", **work.lm_eval}


def _shuffled() -> list[Probe]:
    probes = list(read_suite(SUITES / "general_qa.yaml", SCORERS).probes)
    random.Random(SEED).shuffle(probes)
    return probes


def _row(probe: Probe) -> dict[str, Any]:
    return {"id": probe.id, "question": probe.fields["question"], "answer": probe.answers[0]}


def _choices(work: Work, probe: Probe, probes: list[Probe]) -> dict[str, Any]:
    """The answer among those of other probes of its category, where there is something to choose."""
    if work.task["answer"] != "choose":
        return {}
    draws, answer = random.Random(f"{SEED} {probe.id}"), probe.answers[0]
    others = {other.answers[0] for other in probes if other.category == probe.category} - {*probe.answers}
    choices = [answer, *draws.sample(sorted(others), CHOICES - 1)]
    draws.shuffle(choices)
    return {"choices": choices}


def _write_json(path: Path, value: dict[str, Any]) -> None:
    """YAML is a superset of JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
