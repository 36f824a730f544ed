"""python -m benchmarks.speed.lm_eval_run TASK MODEL BATCH OUT [--peft ADAPTER] [--chat]

lm-evaluation-harness asks a model one task; its answers and prompts, in the order of the items, go to OUT as JSON.

Its index holds the one task, so that it need not read the 14,000 files of its own, which its command line does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from benchmarks.speed.agreement import Item, as_data


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("model")
    parser.add_argument("batch")
    parser.add_argument("out", type=Path)
    parser.add_argument("--peft")
    parser.add_argument("--chat", action="store_true")
    given = parser.parse_args()
    if given.batch == "auto":
        refuse_memory()
    model = HFLM(
        pretrained=given.model, peft=given.peft, dtype="float32", device="cpu", batch_size=given.batch
    )
    manager = TaskManager(include_path=".", include_defaults=False)
    samples = lm_eval.simple_evaluate(
        model,
        tasks=[given.task],
        task_manager=manager,
        apply_chat_template=given.chat,
        log_samples=True,
        bootstrap_iters=0,
    )["samples"][given.task]
    samples = sorted(samples, key=lambda sample: sample["doc_id"])
    found = {"items": as_data(map(item, samples)), "prompts": [prompts(sample) for sample in samples]}
    given.out.write_text(json.dumps(found), encoding="utf-8")


def refuse_memory() -> None:
    """Make it an error to ask for most of the memory: `auto` then tries a smaller batch, where Linux would end the process."""
    most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 4 // 5
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def item(sample: Mapping[str, Any]) -> Item:
    """The answer to one item."""
    first = sample["resps"][0][0]
    if isinstance(first, str):
        return Item(text=first)
    return Item(tuple(float(response[0][0]) for response in sample["resps"]))


def prompts(sample: Mapping[str, Any]) -> list[list[str]]:
    """The prompt of an item, alone or with each choice."""
    arguments = sample["arguments"]
    each = arguments.values() if isinstance(arguments, Mapping) else arguments
    rows = [list(row.values()) if isinstance(row, Mapping) else list(row) for row in each]
    return [[text for text in row if isinstance(text, str)] for row in rows]


if __name__ == "__main__":
    main()
